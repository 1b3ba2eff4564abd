"""How long a study will take, and what it will ask of chat models, by a few rows of each text."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from spanbridge.chat.forecast import Forecast, forecasting
from spanbridge.core.progress import duration
from spanbridge.core.rows import FAILED, SentencePair
from spanbridge.run.memory import in_memory
from spanbridge.steps.base import Step


@dataclass
class Estimate:
    """What the steps of a study will take, by a few rows of each text.

    Attributes:
        seconds: by step, on this machine with one process.
        requests, tokens: that would be sent to chat models, about; answers are not counted. No
            model is asked for an estimate.
        left_out: what the seconds do not hold.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    requests: int = 0
    tokens: int = 0
    left_out: dict[str, None] = field(default_factory=dict)

    def text(self) -> str:
        """Summary in plain text."""
        whole = duration(sum(self.seconds.values()))
        lines = [f"about {whole} of one process on this machine"]
        lines += [f"  {name}: {duration(n)}" for name, n in self.seconds.items()]
        if self.requests:
            lines.append(
                f"about {self.requests:,} requests to chat models, with {self.tokens:,} tokens"
            )
        return "\n".join([*lines, *(f"not estimated: {what}" for what in self.left_out)])


def tried(
    step: Step, rows: Sequence[SentencePair]
) -> tuple[list[SentencePair] | None, tuple[float, Forecast]]:
    """Rows after an open step, its seconds, and what it would ask of a chat model.

    Rows are None where nothing is known of them without the model.
    """
    started = time.monotonic()
    with forecasting() as asked:
        found, _, _ = in_memory([step], rows, fit=True)
    lost = any((row.failure or row.status or "").startswith(FAILED) for row in found)
    return None if asked.requests and lost else found, (time.monotonic() - started, asked)
