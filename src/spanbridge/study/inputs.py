"""Data of studies: rows with their gold spans, from a known data set or from files of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.files import check_there
from spanbridge.core.records import file_digest
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import ABSENT
from spanbridge.datasets import Dataset, find_dataset
from spanbridge.formats import (
    Reading,
    find_format,
    has_labels,
    labelled_rows,
    parallel,
    read_rows,
    read_sentences,
)
from spanbridge.formats.base import DEFAULT_READING, Counts
from spanbridge.formats.json_objects import objects
from spanbridge.formats.jsonl import JsonLines, RowReader
from spanbridge.formats.offsets import cut_at_joints
from spanbridge.formats.tokens import raw_sentence, spans_in_text
from spanbridge.study.braces import filled
from spanbridge.study.settings import Data, Sides
from spanbridge.training.aligned.examples import place_of

# Key of pair files that hold gold spans of the target beside the spans of both sides.
GOLD_KEY = "gold_target_spans"


@dataclass(frozen=True)
class Input:
    """Labelled text in one language, with the other side where the data has one.

    Attributes:
        data: its settings.
        language: its language, as the study names it.
        source: language of the other side, likewise.
    """

    data: Data
    language: str
    source: str

    @property
    def name(self) -> str:
        """Name in tables and of files."""
        split = f".{self.data.split}" if self.data.split else ""
        return f"{self.data.title}{split}.{self.language}"

    def values(self) -> dict[str, Any]:
        """What names in braces stand for."""
        return {
            "language": self.language,
            "source": self.source,
            "dataset": self.data.title,
            "split": self.data.split or "",
        }

    @cached_property
    def dataset(self) -> Dataset | None:
        """The data set of that name; None for one's own files. Raises SpanbridgeError."""
        return None if self.data.dataset is None else find_dataset(self.data.dataset)

    @property
    def code(self) -> str:
        """The language as the data set lists it: with the other side's, if it has two."""
        both = self.dataset is not None and self.dataset.paired
        return f"{self.source}-{self.language}" if both else self.language

    def _split(self, dataset: Dataset) -> str:
        if self.data.split is None:
            known = ", ".join(dataset.splits_of(self.code))
            raise SpanbridgeError(f"{dataset.name}: name the split that is studied: {known}")
        return self.data.split

    def files(self) -> dict[str, str]:
        """Path of each role of one's own files."""
        given = self.data.files
        if given is None:
            return {}
        plain = given.model_dump() if isinstance(given, Sides) else {"target": given}
        return {role: str(filled(path, self.values())) for role, path in plain.items()}

    @property
    def licence(self) -> str | None:
        """Licence of the data; None for one's own files."""
        return None if self.dataset is None else self.dataset.licence

    def digest(self) -> str:
        """Digest of all that the rows depend on but the code.

        Raises:
            SpanbridgeError: a file is missing, with the way to get it.
        """
        own = self.data.model_dump_json(exclude={"domain", "languages"})
        parts = [own, self.language, self.source]
        if self.dataset is not None:
            parts.append(self.dataset.digest(self.code, self._split(self.dataset)))
        for path in self.files().values():
            check_there(path)
            parts.append(file_digest(Path(path)))
        return sha256("\0".join(parts).encode()).hexdigest()

    def rows(self, counts: Counts | None = None) -> Iterator[SentencePair]:
        """The rows, whose target sides hold the gold spans.

        Raises:
            SpanbridgeError: a file is missing, with the way to get it, or wrong, with the line.
        """
        rows = self._rows(counts)
        if (share := self.data.held_out) is not None:
            rows = filter(lambda row: _is_held_out(row, share), rows)
        return islice(rows, self.data.rows)

    def _rows(self, counts: Counts | None) -> Iterator[SentencePair]:
        if self.dataset is not None:
            code, split = self.code, self._split(self.dataset)
            coarse = self.data.coarse
            rows = self.dataset.read(code, split, "target", coarse=coarse, counts=counts)
            yield from rows if self.data.labels else map(_bare_source, rows)
            return
        files = self.files()
        for path in files.values():
            check_there(path)
        target = files["target"]
        if "source" in files:
            yield from _of_both(files["source"], target, self.data.labels, counts)
        elif isinstance(find_format(target, default="conll"), JsonLines):
            yield from _of_pairs(target, counts)
        else:
            for _, row in read_rows(target, "target", DEFAULT_READING, counts, default="conll"):
                yield row


def _is_held_out(row: SentencePair, share: float) -> bool:
    if not row.source.words:
        raise SpanbridgeError("held_out goes by the words of the source side, which is missing")
    return place_of(row) < share


def _bare_source(row: SentencePair) -> SentencePair:
    return row._replace(source=row.source.with_spans(()))


def _of_both(
    source: str, target: str, labels: bool, counts: Counts | None
) -> Iterator[SentencePair]:
    labelled = labels and has_labels(source)
    sources = labelled_rows(source, Reading()) if labelled else read_sentences(source)
    targets = labelled_rows(target, Reading(), counts)
    for n, ((_, left), (_, right)) in enumerate(parallel(sources, source, targets, target), 1):
        yield SentencePair(str(n), left, right)


def _of_pairs(path: str, counts: Counts | None) -> Iterator[SentencePair]:
    read = RowReader(path, "target", DEFAULT_READING, counts or Counts(), None)
    for line, row in objects(path):
        gold = {} if GOLD_KEY not in row else {"target_spans": row.pop(GOLD_KEY)}
        yield read(row | gold, line)


@dataclass(frozen=True)
class Corpus:
    """Data to train on, or to make training data from: text in one language after the other.

    Attributes:
        inputs: where it comes from.
        given: what of the rows is taken: ``target``, the labelled side; ``source``, the same, as
            the source of pipelines; ``pairs``, both sides, with the labels of the source.
    """

    inputs: tuple[Input, ...]
    given: Literal["target", "source", "pairs"]

    @property
    def data(self) -> Data:
        """Its settings."""
        return self.inputs[0].data

    @property
    def dataset(self) -> Dataset | None:
        """The data set; None for one's own files."""
        return self.inputs[0].dataset

    @property
    def name(self) -> str:
        """Name of files, with all of its languages."""
        return "+".join([self.inputs[0].name, *(one.language for one in self.inputs[1:])])

    @property
    def licence(self) -> str | None:
        """Licence of the data; None for one's own files."""
        return self.inputs[0].licence

    def digest(self) -> str:
        """As that of :class:`Input`."""
        return " ".join([self.given, *(one.digest() for one in self.inputs)])

    def rows(self, counts: Counts | None = None) -> Iterator[SentencePair]:
        """The rows, whose target sides hold the labels, as those of :class:`Input`."""
        for one in self.inputs:
            yield from one.rows(counts)

    def turned(self, row: SentencePair) -> SentencePair:
        """A row as it is given to what reads it."""
        if self.given == "target":
            return row
        return labelled_source(row) if self.given == "source" else without_gold(row)


def without_gold(row: SentencePair) -> SentencePair:
    """The row as a system gets it: no word of raw text ends where only a gold span does."""
    target = row.target
    if target.text is not None:
        edges = [edge for span in spans_in_text(target) for edge in span[:2]]
        if cut_at_joints(target.text, edges)[1] == target.offsets:
            return row._replace(target=raw_sentence(target.text))
    return row._replace(target=target.with_spans(()))


def labelled_source(row: SentencePair) -> SentencePair:
    """The row with its labelled side as the source, from which other data is made."""
    return SentencePair(row.id, row.target, ABSENT)
