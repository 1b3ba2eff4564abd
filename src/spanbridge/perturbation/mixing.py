"""Perturbations that mix sentences: words of the other side, and sentences put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.learned import Arrays
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SIDES, SentencePair, Side
from spanbridge.core.spans import concatenated
from spanbridge.formats.shard_files import row_object, row_of
from spanbridge.perturbation.base import (
    Change,
    Draw,
    EditingPerturbation,
    Given,
    Perturbation,
    Where,
)
from spanbridge.perturbation.edits import Edit


class CodeSwitching(EditingPerturbation):
    """Words replaced by those of the other side that they are linked with.

    What is linked together is replaced together, where it stands together on both sides.

    Args:
        words: number of words on either side that are replaced together, at most.
    """

    name = "code-switching"
    reads: ClassVar[tuple[str, ...]] = ("{other}_words", "links")

    def __init__(self, words: int = 4) -> None:
        if words < 1:
            raise SpanbridgeError(f"words is {words}; at least 1 is replaced at once")
        self._most = words

    def describe(self) -> str:
        """Name, and the number of words."""
        return f"code-switching({self._most})"

    def edits(self, given: Given) -> Iterator[Edit]:
        """One for each group of linked words."""
        links = given.pair.links
        if links is None:
            return
        pairs = links.pairs if given.side == "source" else [(j, i) for i, j in links.pairs]
        for ours, theirs in _groups(pairs):
            if all(
                len(group) == group[-1] - group[0] + 1 <= self._most for group in (ours, theirs)
            ):
                start, end = given.places[ours[0]][0], given.places[ours[-1]][1]
                text = given.other.text_of(theirs[0], theirs[-1] + 1)
                yield Edit(start, end, text, given.draw(ours[0])[0])


def _groups(pairs: Sequence[tuple[int, int]]) -> Iterator[tuple[list[int], list[int]]]:
    """Words of both sides that are linked with each other, directly or through others."""
    ours: dict[int, set[int]] = {}
    theirs: dict[int, set[int]] = {}
    for i, j in pairs:
        ours.setdefault(i, set()).add(j)
        theirs.setdefault(j, set()).add(i)
    seen: set[int] = set()
    for first in sorted(ours):
        if first in seen:
            continue
        here, there, new = {first}, set(), {first}
        while new:
            there |= {j for i in new for j in ours[i]}
            new = {i for j in there for i in theirs[j]} - here
            here |= new
        seen |= here
        yield sorted(here), sorted(there)


class Concatenation(Perturbation):
    """Rows with one or more other rows after them, both sides of them with their links.

    Each row stays one row, with its id. The rows after it are taken from a sample of all rows: so
    what a row becomes depends on its words and on the sample, not on the rows beside it.

    Args:
        rows: rows that come after one, at most.
    """

    name = "concatenation"
    learns = True
    whole_rows: ClassVar[bool] = True

    def __init__(self, rows: int = 1) -> None:
        if rows < 1:
            raise SpanbridgeError(f"rows is {rows}; at least 1 comes after each")
        self._most = rows
        self._sample: list[SentencePair] = []

    def describe(self) -> str:
        """Name, and the number of rows."""
        return f"concatenation({self._most})"

    def fit(self, rows: Sequence[SentencePair]) -> None:
        """Keep the rows that come after others."""
        kept = (SentencePair(row.id, row.source, row.target, row.links) for row in rows)
        self._sample = [row for row in kept if row.source.words or row.target.words]

    def learned(self) -> tuple[dict[str, Any], Arrays]:
        """The rows that come after others."""
        return {"rows": [row_object(row) for row in self._sample]}, {}

    def restore(self, content: Mapping[str, Any], arrays: Arrays) -> None:
        """Restore :meth:`learned`."""
        self._sample = [row_of(row) for row in content["rows"]]

    def change(
        self, pair: SentencePair, side: Side, draw: Draw, strength: float, where: Where
    ) -> Change:
        """The row with others after it, as many as have a number below the strength."""
        if not pair.side(side).words:
            return Change(pair, 0, 0)
        after: list[SentencePair] = []
        n_possible = 0
        for n in range(self._most):
            at, number, *_ = draw(n)
            partner = self._partner(pair, number)
            n_possible += partner is not None
            if partner is not None and at < strength:
                after.append(partner)
        if not after:
            return Change(pair, 0, n_possible)
        whole = [pair, *after]
        made = pair.replace(
            source=concatenated([row.source for row in whole]),
            target=concatenated([row.target for row in whole]),
            links=WordAlignment.concatenated([row.links for row in whole]),
        )
        return Change(made, len(after), n_possible)

    def _partner(self, pair: SentencePair, number: float) -> SentencePair | None:
        """Another row with words on the same sides, by a random number."""
        size = len(self._sample)
        for n in range(size):
            row = self._sample[(int(number * size) + n) % size]
            same_sides = all(bool(row.side(s).words) == bool(pair.side(s).words) for s in SIDES)
            if same_sides and row[1:3] != pair[1:3]:
                return row
        return None
