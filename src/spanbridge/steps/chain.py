"""An aligner and a method, one after the other: what they learn from rows and make of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from spanbridge.alignment.base import Aligner, checked
from spanbridge.alignment.grid import Words, sides_of
from spanbridge.alignment.judging import Judge
from spanbridge.alignment.parallel import translation_score
from spanbridge.core.errors import RowError
from spanbridge.core.links import WordAlignment
from spanbridge.core.plugins import is_foreign
from spanbridge.core.progress import Progress, Task
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import SoftAlignment, too_long
from spanbridge.projection.contract import checked_projections
from spanbridge.projection.method import Method, Row
from spanbridge.steps.fates import Found, Outcome, early_status, status_or, with_links
from spanbridge.steps.long_rows import batches

Links = Literal["keep", "only", "anew"]

# Rows whose alignments are kept once learned from: some 80 KB each.
MAX_MET = 512


@dataclass
class Chain:
    """An aligner and the method that reads its alignments.

    Attributes:
        method: projects spans.
        aligner: None where the links come with the rows, or the method reads none.
        links: which links are used, as in the step ``project``.
        judge: tells rows that are no translations, by this aligner's sentence vectors.
        least_parallel: probability of being a translation that a row needs.
        untaught: the method without corrections, to say what these change; None without any.
        met: alignments of what was learned from, by its words, where that is little: often it is
            all that there is to project.
    """

    method: Method
    aligner: Aligner | None
    links: Links
    judge: Judge
    least_parallel: float
    untaught: Method | None = None
    met: dict[tuple[Words, Words], SoftAlignment] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[Aligner | None, Method]:
        """Aligner and method."""
        return self.aligner, self.method

    @property
    def methods(self) -> list[Method]:
        """The method, and the one without corrections."""
        return [self.method] if self.untaught is None else [self.method, self.untaught]

    @property
    def learns(self) -> bool:
        """True if either learns from the rows."""
        return self.method.learns or (self.aligner is not None and self.aligner.learns)

    def fit(
        self,
        rows: Sequence[SentencePair],
        progress: Progress,
        gold: Sequence[SentencePair] = (),
    ) -> None:
        """Learn from rows that were cut into parts, and from corrected ones."""
        self.met = {}
        if self.aligner is not None and self.aligner.learns:
            self.aligner.fit(progress(rows, Task("learn words", len(rows))))
        if self.method.learns:
            watched = progress(rows, Task("learn spans", len(rows)))
            found = self._readable(watched)
            if gold:
                self.method.teach(self._readable(gold))
            for method in self.methods:
                method.fit(found)
            if len(found) <= MAX_MET and not is_foreign(self.aligner):
                self.met = {
                    sides_of(pair): read
                    for pair, read in found
                    if isinstance(read, SoftAlignment) and pair.links is None
                }

    def _readable(self, rows: Iterable[SentencePair]) -> list[Row]:
        """Rows with what the method reads of each, but for those of which it cannot."""
        found = (row for batch in batches(rows) for row in self._aligned(batch))
        return [(pair, read) for pair, read in found if not isinstance(read, RowError)]

    def outcomes(self, pairs: Sequence[SentencePair]) -> list[Outcome]:
        """What becomes of each row, or part of one."""
        found = list(self._aligned(pairs))
        scores = self._scores(found)
        fates = [
            early_status(pair, read, self.unlikely(score))
            for (pair, read), score in zip(found, scores, strict=True)
        ]
        rows_left: list[Row] = [
            (pair, read)
            for (pair, read), fate in zip(found, fates, strict=True)
            if fate is None and not isinstance(read, RowError)
        ]
        by_each = [
            iter(checked_projections(method, rows_left, method.project(rows_left)))
            for method in self.methods
        ]
        done = []
        for (_, read), fate, score in zip(found, fates, scores, strict=True):
            results = [fate or status_or(next(projected)) for projected in by_each]
            done.append(Outcome(read, results[0], score, *results[1:]))
        return done

    def unlikely(self, score: float | None) -> bool:
        """Check if a translation score is too low."""
        return score is not None and score < self.least_parallel

    def _scores(self, found: Sequence[tuple[SentencePair, Found]]) -> list[float | None]:
        """Translation score of each row: by the judge, or by its links alone."""
        judged = self.judge.scores([pair for pair, _ in found], self.aligner)
        return [
            self._score(pair, read) if score is None or read is None else score
            for (pair, read), score in zip(found, judged, strict=True)
        ]

    def _score(self, pair: SentencePair, read: Found) -> float | None:
        if read is None or isinstance(read, RowError):
            return None
        sides = pair.source.words, pair.target.words
        if pair.links is not None or self.aligner is None:
            return translation_score(*sides, pair.links or read, "links")
        return translation_score(*sides, read, self.aligner.evidence)

    def _aligned(self, rows: Sequence[SentencePair]) -> Iterator[tuple[SentencePair, Found]]:
        """Rows with what the method reads of each."""
        if self.method.reads == "nothing":
            yield from ((pair, None) for pair in rows)
        elif self.aligner is None:
            missing = RowError("no links given, and no aligner asked for")
            for pair in rows:
                yield pair, missing if pair.links is None else self._read(pair.links)
        elif self.method.reads == "links":
            bare = [pair for pair in rows if pair.links is None]
            found = iter(checked(self.aligner, bare, self.aligner.align(bare)))
            for pair in rows:
                yield pair, next(found) if pair.links is None else pair.links
        else:
            new = [pair for pair in rows if sides_of(pair) not in self.met]
            softly = iter(checked(self.aligner, new, self.aligner.soft_align(new)))
            for pair in rows:
                yield pair, with_links(pair, self.met.get(sides_of(pair)) or next(softly))

    def _read(self, links: WordAlignment) -> Found:
        if self.method.reads == "links":
            return links
        return too_long(links.n_source, links.n_target) or SoftAlignment.from_links(links)
