"""What steps will ask of chat models, said before they ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from spanbridge.chat.forecast import forecasting
from spanbridge.core.progress import Progress, silent, tell
from spanbridge.core.rows import SentencePair
from spanbridge.steps.account import Account
from spanbridge.steps.base import Step, chunks

# Rows that a forecast looks at, spread evenly over those that are there.
LOOKED_AT = 1000


class Costs:
    """Says once of each step what it will ask of chat models, and what that will cost.

    Args:
        total: number of rows of the input.
        say: says it, with the number of the step; None if nobody listens.
    """

    def __init__(self, total: int = 0, say: Callable[[int, str], object] | None = None) -> None:
        self._total, self._say = total, say
        self._told: set[int] = set()

    @classmethod
    def shown(cls, total: int, progress: Progress) -> Costs:
        """Those that are told where progress is shown."""
        return cls(total, None if progress is silent else lambda _, text: tell(progress, text))

    def foretell(self, n: int, step: Step, rows: Sequence[SentencePair], of: int) -> None:
        """Say what a step will ask, by some of its rows, unless it was said before.

        Args:
            n: number of the step.
            step: the step, which has learned what it has to.
            rows: rows that it will get, the first ones or a sample.
            of: number of rows of the input that these were made of.
        """
        if self._say is None or n in self._told or not rows or not step.asks:
            return
        self._told.add(n)
        some = rows[:: -(-len(rows) // LOOKED_AT)]
        with forecasting() as asked:
            for batch in chunks(some):
                for _ in step.run(batch, Account()):
                    pass
        for line in asked.lines(self._total / of * len(rows) / len(some)):
            self._say(n, f"{step.name}: {line}")


# Of work about which nobody wants to know.
UNTOLD = Costs()
