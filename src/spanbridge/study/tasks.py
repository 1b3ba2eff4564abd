"""The tasks of a study: each makes one thing, under a key of all that it depends on.

Beside what a task makes stands its record, written last. A task whose record has its key is done,
in whatever session that was; one that failed is tried again in the next session.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.records import file_digest, read_record, write_record
from spanbridge.core.rows import SentencePair
from spanbridge.core.signature import code_version
from spanbridge.encode.load import find_embedded
from spanbridge.formats import open_writer
from spanbridge.formats.base import Counts
from spanbridge.formats.languages import find_language
from spanbridge.routes.coverage import coverage, spread, target_words
from spanbridge.run.config import make_pipeline
from spanbridge.run.memory import in_memory
from spanbridge.run.recipes import segmented
from spanbridge.study.inputs import Corpus, Input, without_gold

State = Literal["done", "failed", "open"]
REMEDY = "made anew"
COVERED_ROWS = 500  # rows of a text whose subwords are counted, spread over it


@dataclass(frozen=True)
class Folder:
    """Folder of a study's results, and what lies where in it.

    Attributes:
        path: the folder.
    """

    path: Path

    def input(self, name: str) -> Path:
        """Text as the systems get it."""
        return self.path / "data" / f"{name}.jsonl"

    def gold(self, name: str) -> Path:
        """The same text with its gold spans."""
        return self.path / "data" / f"{name}.gold.jsonl"

    def work(self, name: str) -> Path:
        """Shards of all pipelines over a text."""
        return self.path / "work" / name

    def predictions(self, name: str) -> Path:
        """What a cell's pipeline finds."""
        return self.path / "predictions" / f"{name}.jsonl"

    def model(self, name: str) -> Path:
        """A trained tagger."""
        return self.path / "models" / name

    def corpus(self, name: str) -> Path:
        """Labelled data to train on, or to make training data from."""
        return self.path / "data" / f"{name}.corpus.jsonl"

    def made(self, name: str) -> Path:
        """Training data that a pipeline has made."""
        return self.path / "made" / f"{name}.jsonl"

    def record(self, kind: str, name: str) -> Path:
        """Record of a task."""
        return self.path / "state" / kind / f"{name}.json"


@dataclass(eq=False)
class Task(ABC):
    """One thing to be made.

    Attributes:
        name: kind and name, unique in the plan.
        needs: names of the tasks before it.
        folder: where results lie.
        title: name of its files.
        at: place of its settings in the study file.
    """

    name: str
    needs: tuple[str, ...]
    folder: Folder
    title: str
    at: tuple[Hashable, ...]

    @property
    def record_path(self) -> Path:
        """Its record."""
        return self.folder.record(self.name.partition("/")[0], self.title)

    @cached_property
    def key(self) -> str:
        """Digest of all that it depends on. Raises InputError if a file cannot be read."""
        parts = [self.name.partition("/")[0], *self.depends_on(), code_version()]
        return sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()

    @abstractmethod
    def depends_on(self) -> Iterable[str]:
        """What its result depends on, apart from the code."""

    @abstractmethod
    def make(self) -> dict[str, Any]:
        """Make it; returns what its record holds."""

    def record(self) -> dict[str, Any] | None:
        """Its record, whatever it was made of; None if there is none, or if it is damaged."""
        try:
            return read_record(self.record_path, REMEDY, alone=True)
        except InputError:
            return None

    def state(self, session: str) -> State:
        """Whether it is done, or has failed in this session."""
        found = self.record()
        if found is None or found.get("session", session) != session:
            return "open"
        if "failed" in found:
            return "failed"
        try:
            return "done" if found.get("key") == self.key else "open"
        except SpanbridgeError:  # something that it depends on is not there any more
            return "open"

    def run(self, session: str) -> None:
        """Make it; what is to be tried again in another session is said to be of this one."""
        content = self.make()
        again = {"session": session} if content.get("retry") else {}
        self._write({"key": self.key, **content, **again})

    def fail(self, why: str, session: str) -> None:
        """Enter in its record that it has failed."""
        self._write({"failed": why, "session": session})

    def _write(self, content: Mapping[str, Any]) -> None:
        self.record_path.parent.mkdir(parents=True, exist_ok=True)
        write_record(self.record_path, content, indent=None)


@dataclass(eq=False)
class DataTask(Task):
    """Text and gold of some cells, in two files.

    Attributes:
        input: where it comes from.
        perturb: step that changes it, or None.
    """

    input: Input
    perturb: Any

    def depends_on(self) -> Iterator[str]:
        """The data, and what changes it."""
        yield self.input.digest()
        yield json.dumps(self.perturb)

    def text(self, counts: Counts) -> tuple[list[SentencePair], dict[str, int]]:
        """The rows with their gold spans, and notes on how they were perturbed."""
        rows = list(self.input.rows(counts))
        if self.perturb is None:
            return rows, {}
        languages = {"target": self.input.language, "source": self.input.source}
        steps = make_pipeline({"steps": [self.perturb], "languages": languages}).open()
        rows, reports, _ = in_memory(steps, rows, fit=True)
        return rows, dict(reports[0].account.notes)

    def make(self) -> dict[str, Any]:
        """Write both files."""
        counts = Counts()
        rows, notes = self.text(counts)
        gold = self.folder.gold(self.title)
        write_rows(gold, rows)
        write_rows(self.folder.input(self.title), map(without_gold, rows))
        return {
            "rows": len(rows),
            "spans": sum(len(row.target.spans) for row in rows),
            "labels": dict(sorted(Counter(s.label for r in rows for s in r.target.spans).items())),
            "notes": {**counts.notes(), **notes},
            "licence": self.input.licence,
            "coverage": None if self.perturb is not None else self._coverage(rows),
            "gold_sha256": file_digest(gold),
        }

    def _coverage(self, rows: Sequence[SentencePair]) -> dict[str, Any] | None:
        """How the embedded encoder cuts the words; None where it is not installed."""
        if find_embedded() is None:
            return None
        language, segment = find_language(self.input.language), segmented(None, self.input.language)
        words = target_words(spread(rows, COVERED_ROWS), language, segment=segment)
        return coverage(words).to_dict()


def write_rows(path: Path, rows: Iterable[SentencePair]) -> None:
    """Write a file of rows, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_writer(path, "target", name="jsonl") as write:
        for row in rows:
            write(row)


@dataclass(eq=False)
class CorpusTask(Task):
    """Data to train on, or to make training data from.

    Attributes:
        corpus: where it comes from.
    """

    corpus: Corpus

    @property
    def output(self) -> Path:
        """The data."""
        return self.folder.corpus(self.title)

    def depends_on(self) -> Iterator[str]:
        """The data."""
        yield self.corpus.digest()

    def make(self) -> dict[str, Any]:
        """Write it."""
        write_rows(self.output, map(self.corpus.turned, self.corpus.rows()))
        return {"licence": self.corpus.licence}
