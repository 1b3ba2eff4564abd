"""Stages that find spans: tag, align, project, and put two opinions together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from pydantic import Field, model_validator

from spanbridge.align.base import Aligner
from spanbridge.core.errors import InputError, RowError
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import SentencePair
from spanbridge.pipeline import learned
from spanbridge.pipeline.account import PROJECTED, REJECTED, Account
from spanbridge.pipeline.agreement import agree
from spanbridge.pipeline.projection import (
    Method,
    align_pairs,
    check_reach,
    fit,
    given_links,
    project_pairs,
    usual_aligner,
)
from spanbridge.pipeline.stages.base import (
    AlignerPart,
    Context,
    Learner,
    MethodPart,
    Part,
    Side,
    Stage,
    TaggerPart,
    Worker,
    licences_of,
)
from spanbridge.pipeline.tagging import tagged
from spanbridge.project.soft import CorpusProjector, SoftProjector
from spanbridge.tag.base import Tagger


class Tag(Stage):
    """Find the entities of one side."""

    kind: ClassVar[str] = "tag"
    tagger: TaggerPart
    side: Side = "source"

    def needs(self) -> set[str]:
        """The side."""
        return {f"{self.side}_words"}

    def gives(self, columns: set[str]) -> set[str]:
        """Its spans."""
        return columns | {f"{self.side}_spans"}

    def open(self, context: Context) -> Worker:
        """With its tagger."""
        return _Tagging(self.tagger.build(), self.side)


class _Tagging(Worker):
    def __init__(self, tagger: Tagger, side: Side) -> None:
        self._tagger, self._side = tagger, side

    def describe(self) -> str:
        return f"{self._tagger.describe()},{self._side}"

    def licences(self) -> dict[str, str]:
        return licences_of(tagger=self._tagger)

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        before = Counter(getattr(self._tagger, "dropped", {}))
        yield from tagged(rows, self._tagger, self._side, account)
        for label, n in (Counter(getattr(self._tagger, "dropped", {})) - before).items():
            account.note(f"{label} spans dropped", n)


class _Linking(Stage):
    """Settings of stages with an aligner."""

    aligner: AlignerPart | None = None


class Align(_Linking):
    """Find the links between the words of both sides."""

    kind: ClassVar[str] = "align"

    def needs(self) -> set[str]:
        """Both sides."""
        return {"source_words", "target_words"}

    def gives(self, columns: set[str]) -> set[str]:
        """Links."""
        return columns | {"links"}

    def open(self, context: Context) -> Worker:
        """With its aligner."""
        return _Aligning(self.aligner or Part("aligner", "fused", {}))


class _Learning(Learner):
    """What aligners and methods learn, kept in a folder."""

    def __init__(self, aligner: Part | None, method: Method | None) -> None:
        self._part = aligner
        self._aligner: Aligner | None = None if aligner is None else aligner.build()
        self._method = method
        self.learns = isinstance(method, CorpusProjector) or (
            self._aligner is not None and self._aligner.needs_fit
        )
        # before anything is learned: what is, is part of the key of its own
        parts = [p.describe() for p in (self._aligner, method) if p is not None]
        self._described = ",".join(parts)

    def describe(self) -> str:
        return self._described

    def learn(self, rows: Sequence[SentencePair], folder: Path) -> None:
        if self._aligner is not None:
            rows = [replace(pair, links=None) for pair in rows]
        fit(lambda: rows, len(rows), self._aligner, self._method, max(len(rows), 1))
        name, options = ("", {}) if self._part is None else (self._part.name, self._part.options)
        method = self._method if isinstance(self._method, CorpusProjector) else CorpusProjector()
        learned.save(folder, name, options, self._aligner, method)

    def recall(self, folder: Path) -> None:
        method = self._method if isinstance(self._method, CorpusProjector) else None
        try:
            learned.restore(folder, self._aligner, method)
        except InputError as error:
            why = f"{error.why.partition(';')[0]}; delete the folder, to learn anew"
            raise InputError(error.file, None, why) from error


class _Aligning(_Learning):
    def __init__(self, aligner: Part) -> None:
        super().__init__(aligner, None)

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        assert self._aligner is not None
        clean = [replace(pair, links=None) for pair in rows]
        for pair, found in align_pairs(lambda: clean, self._aligner):
            if isinstance(found, RowError):
                status = f"{REJECTED}{found}"
                account.add(pair, status, ())
                yield replace(pair, status=status)
            elif isinstance(found, WordAlignment):
                account.statuses["aligned" if found.pairs else "empty: no link"] += 1
                yield replace(pair, links=found)


class Project(_Linking):
    """Carry the source's spans over to the target, along links that are there or are found here."""

    kind: ClassVar[str] = "project"
    method: MethodPart = Part("method", "corpus", {})
    min_confidence: float = Field(0.0, ge=0, le=1)
    links: bool = False

    @model_validator(mode="after")
    def _one_kind_of_links(self) -> Project:
        if self.links and self.aligner is not None:
            raise ValueError("links: true takes the links that there are; leave the aligner out")
        return self

    def needs(self) -> set[str]:
        """Both sides, and the source's spans; the links, if they are to be used."""
        return {"source_words", "source_spans", "target_words"} | (
            {"links"} if self.links else set()
        )

    def gives(self, columns: set[str]) -> set[str]:
        """The target's spans."""
        return columns | {"target_spans", "links"}

    def open(self, context: Context) -> Worker:
        """With method and aligner."""
        aligner = None
        if not self.links:
            aligner = self.aligner or Part("aligner", usual_aligner(self.method.name), {})
        return _Projecting(aligner, self.method.build(), self.min_confidence)


class _Projecting(_Learning):
    def __init__(self, aligner: Part | None, method: Method, least: float) -> None:
        super().__init__(aligner, method)
        self._least = least
        self._method: Method = method
        if not self.learns:
            check_reach(method, least)

    def describe(self) -> str:
        return f"{super().describe()},min_confidence={self._least!r}"

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        check_reach(self._method, self._least)
        soft = isinstance(self._method, SoftProjector)
        if self._aligner is None:
            linked = given_links(rows, soft=soft)
        else:
            clean = [replace(pair, links=None) for pair in rows]
            linked = align_pairs(lambda: clean, self._aligner, soft=soft)
        yield from project_pairs(linked, self._method, account, self._least)


class Ensemble(Stage):
    """Put the target's spans together with what a tagger says of it.

    Translate-test and translate-train (or any other tagger) in one: Ebing and Glavaš (2025). Each
    span is worth the mean of both probabilities; the disjoint spans that exceed ``threshold`` by
    most in total are kept.
    """

    kind: ClassVar[str] = "ensemble"
    tagger: TaggerPart
    weight: float = Field(0.5, ge=0, le=1)
    threshold: float = Field(0.4, ge=0, le=1)

    def needs(self) -> set[str]:
        """The target and its spans."""
        return {"target_words", "target_spans"}

    def gives(self, columns: set[str]) -> set[str]:
        """What there is."""
        return columns

    def open(self, context: Context) -> Worker:
        """With its tagger."""
        return _Agreeing(self.tagger.build(), self.weight, self.threshold)


class _Agreeing(Worker):
    def __init__(self, tagger: Tagger, weight: float, threshold: float) -> None:
        self._tagger, self._weight, self._threshold = tagger, weight, threshold

    def describe(self) -> str:
        return f"ensemble({self._tagger.describe()},{self._weight!r},{self._threshold!r})"

    def licences(self) -> dict[str, str]:
        return licences_of(tagger=self._tagger)

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        for pair, found in zip(
            rows, self._tagger.tag([pair.target.words for pair in rows]), strict=True
        ):
            spans = agree(
                pair.target.spans, found, self._tagger.classes, self._weight, self._threshold
            )
            before = {span[:3] for span in pair.target.spans}
            after = {span[:3] for span in spans}
            account.statuses["other spans" if before != after else "the same spans"] += 1
            account.note("spans added", len(after - before))
            account.note("spans left out", len(before - after))
            account.note("spans", len(after))
            extra = {key: value for key, value in pair.extra.items() if key != "confidence"}
            status = PROJECTED if spans else "empty: no span"
            yield replace(pair, target=pair.target.with_spans(spans), status=status, extra=extra)
