"""Source sides for rows that have lost theirs: those of the projection that they were made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.review.index import RowIndex
from spanbridge.review.recipe import NAME_IT


class SourceSides:
    """The rows of a file, each with the source and the links that it had when it was projected.

    A row is known again by its place or its id, and by its target text, spaces aside.

    Args:
        rows: the file.
        projection: path of what it was made of.

    Raises:
        SpanbridgeError: the projection is not there, or has no source spans either.
        InputError: it is no JSON lines, or a row of it is wrong.
    """

    def __init__(self, rows: RowIndex, projection: str) -> None:
        self._rows = rows
        self._name, self._other = Path(rows.path).name, Path(projection).name
        bare = f"{self._name} has no spans of the source, which would be projected"
        if not Path(projection).exists():
            why = f"and {self._other}, of which it was made, is not there; put it beside its record"
            raise SpanbridgeError(f"{bare}, {why}")
        if not projection.endswith(".jsonl"):
            why = f"and {self._other}, of which it was made, does not hold them"
            raise SpanbridgeError(f"{bare}, {why}: project to a .jsonl, and {NAME_IT}")
        self._given = RowIndex(projection)
        if not self._given.has_source_spans:
            raise SpanbridgeError(f"{bare}; neither has {self._other}, of which it was made")
        self._by_id: dict[tuple[str, int], int] | None = None

    def __iter__(self) -> Iterator[SentencePair]:
        return (self.whole(n, pair) for n, pair in enumerate(self._rows))

    def __len__(self) -> int:
        return len(self._rows)

    def whole(self, n: int, pair: SentencePair) -> SentencePair:
        """Row ``n``, from 0, with a source; one without words has none.

        Raises SpanbridgeError if it is no row of the projection.
        """
        if not pair.target.words:
            return pair
        whole = pair.with_source_of(self._given.row(n)) if n < len(self._given) else None
        if whole is None:
            at = self._places().get((pair.id, hash(pair.target.characters())))
            whole = None if at is None else pair.with_source_of(self._given.row(at))
        if whole is None:
            raise SpanbridgeError(
                f"row {n + 1} of {self._name} (id {pair.id}) is none of {self._other}, of which "
                f"the file was made: no row there has this place or id, and this target text; "
                f"{NAME_IT}"
            )
        return whole

    def _places(self) -> dict[tuple[str, int], int]:
        """The rows of the projection by id and text."""
        if self._by_id is None:
            self._by_id = {}
            for n in range(len(self._given)):
                identity, _, text = self._given.texts(n)
                self._by_id.setdefault((identity, hash("".join(text.split()))), n)
        return self._by_id
