"""The step that perturbs sentences, to see how what follows bears it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field, PrivateAttr

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.progress import Progress, silent
from spanbridge.core.rows import SentencePair, Side
from spanbridge.perturbation.base import Draw, Perturbation, Where
from spanbridge.steps.account import Account
from spanbridge.steps.base import Context, PerturbationSettings, Step


class Perturb(Step):
    """Change the words of one side as noise would, and keep its spans exact.

    What is changed in a row depends on the seed, the kind and the row's words. What a strength
    changes, a greater one changes too.

    Attributes:
        kind: the perturbation.
        strength: share of the places (letters, words, names, as the kind says) that are changed, in
            [0, 1].
        seed: seed of the choice.
        side: the side that is changed.
        where: part of the sentence that is changed: ``everywhere``, in ``spans``, or ``outside`` of
            them.
    """

    name: ClassVar[str] = "perturb"
    takes: ClassVar[tuple[str, ...]] = ("{side}_words",)
    kind: PerturbationSettings
    strength: float = Field(0.1, ge=0, le=1)
    seed: int = 1
    side: Side = "source"
    where: Where = "everywhere"
    _kind: Perturbation = PrivateAttr()

    def needs(self) -> set[str]:
        """Its side's words, and what the kind reads."""
        return super().needs() | self._columns(self.kind.part().reads)

    def gives(self, columns: set[str]) -> set[str]:
        """The columns after it: links count words that are there no more."""
        lost = set() if self.kind.part().whole_rows else {"links"}
        return super().gives(columns) - lost

    def open(self, context: Context) -> None:
        """Make the perturbation.

        Raises:
            SpanbridgeError: it needs a language that is missing, or cannot be kept to a part of the
                sentence.
        """
        self._kind = self.build(context, self.kind)
        if self._kind.whole_rows and self.where != "everywhere":
            raise SpanbridgeError("this kind changes whole rows; leave where out")
        self._kind.speak(context.languages.get(self.side))

    @property
    def slow(self) -> bool:
        """False: it runs no model."""
        return False

    @property
    def learns(self) -> bool:
        """True for kinds that take something from other rows."""
        return self._kind.learns

    def fit(self, rows: Sequence[SentencePair], progress: Progress = silent) -> None:
        """Let the kind learn from rows."""
        self._kind.fit(rows)

    def save(self, folder: str | Path) -> None:
        """Save what the kind has learned."""
        self._kind.save(folder)

    def load(self, folder: str | Path) -> None:
        """Restore what the kind has learned."""
        self._kind.load(folder)

    def parts(self) -> dict[str, str]:
        """The kind, its strength and seed, and where it works."""
        return {
            "kind": self._kind.describe(),
            "strength": repr(self.strength),
            "seed": str(self.seed),
            "side": self.side,
            **({} if self.where == "everywhere" else {"where": self.where}),
        }

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Rows with other words; one that has nothing to change stays as it is."""
        name = self._kind.name or self.kind.name
        for pair in rows:
            draw = Draw(self.seed, name, pair.side(self.side).words)
            made = self._kind.change(pair, self.side, draw, self.strength, self.where)
            if made.n_made:
                status = "perturbed"
            elif made.n_possible:
                status = "left as they are at this strength"
            else:
                status = f"without anything that {name} could change"
            account.statuses[status] += 1
            account.note("places that could be changed", made.n_possible)
            account.note("places changed", made.n_made)
            yield made.pair
