"""Base class of the formats whose rows are JSON objects, in JSON lines, an array or Parquet."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, TextIO

from spanbridge.core.rows import SentencePair, Side
from spanbridge.formats.base import DEFAULT_READING, Counts, Format, Reading, Write, row_writer
from spanbridge.formats.json_objects import Object, objects
from spanbridge.formats.parquet import SUFFIX, is_parquet, parquet_output


class ObjectFormat(Format):
    """A format whose rows are JSON objects.

    Attributes:
        classes: keys whose values are lists of names, of which there are few: in Parquet they are
            numbers of named classes, as the package ``datasets`` has them (``ClassLabel``).
    """

    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".json", SUFFIX)
    classes: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def pairs(
        self,
        rows: Iterable[tuple[int, Object]],
        path: str | Path,
        side: Side,
        how: Reading,
        counts: Counts,
        told: str | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Make pairs of objects, which lose the keys of the format.

        Args:
            rows: objects, with their numbers for errors.
            path: where they come from, for errors.
            side, how, counts: as in :meth:`read`, whose errors are raised.
            told: note to count for every row.
        """

    @abstractmethod
    def to_object(self, pair: SentencePair, side: Side) -> Object:
        """The object of a row. Raises SpanbridgeError if the format cannot hold it."""

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read rows; see :meth:`Format.read`."""
        counts = Counts() if counts is None else counts
        return self.pairs(objects(path, counts), path, side, how, counts, self.by_lines(path, how))

    def text(self, pair: SentencePair, side: Side) -> str:
        """A row as one line of JSON. Raises SpanbridgeError as :meth:`to_object`."""
        return json.dumps(self.to_object(pair, side), ensure_ascii=False, allow_nan=False)

    def writer(self, out: TextIO, side: Side = "target", *, scores: bool = False) -> Write:
        """Return a function that writes a row as an object on a line."""

        def write(pair: SentencePair) -> None:
            out.write(self.text(pair, side) + "\n")

        return row_writer(write)

    @contextmanager
    def open(
        self, path: str | Path, side: Side = "target", *, scores: bool = False
    ) -> Iterator[Write]:
        """Open a file for rows; see :meth:`Format.open`."""
        if not is_parquet(path):
            with super().open(path, side, scores=scores) as write:
                yield write
            return
        with parquet_output(path, self.classes) as out:
            yield self.writer(out, side, scores=scores)
