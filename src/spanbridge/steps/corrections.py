"""Corrected rows of a file: which rows they are, and whether they are those of the input."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np

from spanbridge.core.errors import InputError
from spanbridge.core.progress import Progress, Proposal, tell
from spanbridge.core.rows import CORRECTED, REVIEW, SIDES, SentencePair, Side
from spanbridge.core.spans import ABSENT, Sentence, Span
from spanbridge.evaluation.calibration import fit_curve
from spanbridge.formats import Reading
from spanbridge.formats.closed_classes import closed_classes
from spanbridge.formats.languages import find_language
from spanbridge.formats.reading import labelled_pairs
from spanbridge.projection.boundaries import Conventions
from spanbridge.projection.guidelines import Guideline, guidelines
from spanbridge.projection.method import Method, Projection
from spanbridge.steps.account import NONE_CORRECTED, Account
from spanbridge.steps.calibrating import MIN_SPANS
from spanbridge.steps.fates import visible
from spanbridge.steps.target_words import guess_language

# Statuses of a review whose rows count.
ACCEPTED = frozenset({"accepted", "corrected"})
NOT_REVIEWED = "not reviewed"
_WHOLE = (
    "if it was projected to OUT.jsonl, this gives it that of OUT.jsonl: "
    "spanbridge review FILE.jsonl --projection OUT.jsonl -o WHOLE.jsonl --write"
)
_NUMBERS = (
    " (a format without ids calls rows by their numbers; if these are other rows than those of the "
    "input, take one with ids, such as brat-folder or conllu)"
)
# Key of rows for the spans that they would have without corrections, in words [start, end).
BEFORE = "before_corrections"


@dataclass
class Corrections:
    """Rows whose target spans a person accepted or corrected.

    Attributes:
        path: their file.
        rows: line and row by id.
        left_out: number of rows of other statuses.
        whole: no row has the key ``review``, so that all count.
        repeated: number of spans that a row has twice, which count once.
        n_sources: number of rows whose source is that of the input.
    """

    path: str
    rows: dict[str, tuple[int, SentencePair]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    whole: bool = False
    repeated: int = 0
    n_sources: int = 0

    @classmethod
    def read(
        cls,
        path: str,
        how: Reading | None = None,
        rows: Callable[[], Iterable[SentencePair]] | None = None,
    ) -> Corrections:
        """Read a file with a key ``review`` in its rows, or a labelled file.

        Args:
            path: the file.
            how: settings for reading it.
            rows: starts reading rows among which those are that have no source here, with one.

        Raises:
            InputError: the file is wrong, has no corrected row, two of one id, one whose source is
                not to be found, or one that nobody reviewed though a step projected it.
        """
        found = cls(path)
        read = list(labelled_pairs(path, "target", how or Reading()))
        found.whole = all(pair.extra.get(REVIEW) is None for _, pair in read)
        for line, pair in read:
            status = found._status(line, pair)
            if status not in ACCEPTED:
                found.left_out[status] += 1
                continue
            if pair.id in found.rows:
                first = found.rows[pair.id][0]
                raise InputError(path, line, f"row {pair.id} was corrected in line {first} too")
            found.rows[pair.id] = line, pair
        found._find_sources(rows)
        for identity, (line, pair) in found.rows.items():
            once = pair._replace(source=_once(pair.source), target=_once(pair.target))
            found.rows[identity] = line, once
            found.repeated += sum(
                len(pair.side(side).spans) - len(once.side(side).spans) for side in SIDES
            )
        if not found.rows:
            told = "; ".join(f"{n} {status}" for status, n in sorted(found.left_out.items()))
            why = f"holds no row that was accepted or corrected ({told or 'no row at all'})"
            raise InputError(path, None, why)
        return found

    def _find_sources(self, rows: Callable[[], Iterable[SentencePair]] | None) -> None:
        """Give rows without a source that of the row of their id. Raises InputError."""
        lost = {
            identity: (line, pair)
            for identity, (line, pair) in self.rows.items()
            if not pair.source.words
        }
        found: list[SentencePair] = []
        for given in rows() if lost and rows is not None else ():
            if not lost:
                break
            if given.id not in lost or (given.target.words and not given.source.words):
                continue
            line, pair = lost.pop(given.id)
            whole = pair.with_source_of(given)
            if whole is None:
                raise self._other_text(line, pair, given, "target", _NUMBERS)
            self.rows[pair.id] = line, whole
            found.append(whole)
        for line, pair in lost.values():
            if pair.source is not ABSENT and not pair.target.words:
                continue  # an empty row of pairs
            why = f"row {pair.id} has no source side, as if it came from a tool for one text"
            if rows is not None:
                why += ", and no row of the input that has one is of this id"
            raise InputError(self.path, line, f"{why}; {_WHOLE}")
        labelled = {side for side in SIDES for pair in found if pair.side(side).spans}
        if labelled == {"target"}:
            why = "has rows without a source side, and those of the input have no spans there"
            raise InputError(self.path, None, f"{why}; {_WHOLE}")
        self.n_sources = sum(bool(pair.source.words) for pair in found)

    def _other_text(
        self, line: int, ours: SentencePair, theirs: SentencePair, side: Side, hint: str = ""
    ) -> InputError:
        """A row has the id of another one."""
        texts = ours.side(side).characters(), theirs.side(side).characters()
        why = f"row {ours.id} has another {side} text than the input's row of that id"
        return InputError(self.path, line, f"{why}: {_difference(*texts)}{hint}")

    def _status(self, line: int, pair: SentencePair) -> str:
        if self.whole:
            if pair.provenance is not None and pair.status != CORRECTED:
                raise InputError(
                    self.path,
                    line,
                    f"row {pair.id} was made by {pair.provenance} and nobody has reviewed it; give "
                    f'the rows that were corrected a key "{REVIEW}": {{"status": "corrected"}}',
                )
            return "accepted"
        review = pair.extra.get(REVIEW)
        if review is None:
            return NOT_REVIEWED
        status = review.get("status") if isinstance(review, Mapping) else None
        if not isinstance(status, str):
            why = f'the key "{REVIEW}" of row {pair.id} is no object with a text "status"'
            raise InputError(self.path, line, why)
        return status

    def of(self, pair: SentencePair) -> SentencePair | None:
        """The corrected row in place of a row of the input; None if it was not corrected.

        Raises:
            InputError: the rows of that id have different texts.
        """
        line, gold = self.rows.get(pair.id, (0, None))
        if gold is None:
            return None
        for side in SIDES:
            if gold.side(side).characters() != pair.side(side).characters():
                raise self._other_text(line, gold, pair, side)
        spans = tuple(span._replace(score=1.0) for span in gold.target.spans)
        review = {REVIEW: gold.extra[REVIEW]} if REVIEW in gold.extra else {}
        links = gold.links or pair.links
        words = len(gold.source.words), len(gold.target.words)
        if links is not None and (links.n_source, links.n_target) != words:
            links = None
        return pair.without_result()._replace(
            source=gold.source,
            target=gold.target.with_spans(spans),
            links=links,
            parallel_score=None,
            status=CORRECTED,
            confidence=1.0,
            provenance="project",
            extra={**pair.extra, **review},
        )

    def around(
        self,
        rows: Sequence[SentencePair],
        work: Callable[[list[SentencePair], Account], Iterator[SentencePair]],
        account: Account,
    ) -> Iterator[SentencePair]:
        """Corrected rows as they are, and the others once they are worked on, in their order.

        Raises:
            InputError: as :meth:`of`.
        """
        kept = [self.of(row) for row in rows]
        others = [row for row, own in zip(rows, kept, strict=True) if own is None]
        account.note(NONE_CORRECTED, len(others))
        done = work(others, account)
        for own in kept:
            if own is None:
                yield next(done)
            else:
                account.add(own, CORRECTED, ())
                account.calibrated(own.target.spans, "certain: corrected")
                yield own

    def gold(self, links: bool = False) -> Iterator[SentencePair]:
        """The corrected rows, to learn from, with their links or to be aligned anew."""
        for _, pair in self.rows.values():
            yield pair if links else pair._replace(links=None)

    def guidelines(self, language: str | None = None) -> list[Guideline]:
        """What the corrected rows show of conventions.

        Args:
            language: of the target, by any code; guessed if not given.

        Raises:
            SpanbridgeError: there is no such language.
        """
        rows = [pair for _, pair in self.rows.values()]
        code = guess_language(rows) if language is None else find_language(language).iso3
        return guidelines(rows, Conventions(closed_classes(code) if code else None))

    def tell(self, progress: Progress, language: str, settled: Collection[str]) -> None:
        """Say how many rows count, and which conventions they show that were not settled.

        Args:
            progress: gets the notices.
            language: of the target, ISO 639-3; empty if it is not known.
            settled: conventions that were said already.
        """
        tell(progress, self.text())
        for one in self.guidelines(language or None):
            if one.proposed and one.kind not in settled:
                tell(progress, one.text(), Proposal)

    def describe(self) -> str:
        """Number and digest of the corrected rows, for the signature."""
        told = [(pair.id, *(self._told(pair.side(side)) for side in SIDES)) for pair in self.gold()]
        digest = sha256(repr(told).encode("utf-8", "backslashreplace")).hexdigest()[:12]
        return f"{len(told)}_rows@{digest}"

    def _told(self, sentence: Sentence) -> tuple[Any, ...]:
        return sentence.words, [span[:3] for span in sentence.spans]

    def text(self) -> str:
        """How many rows were corrected, in a sentence."""
        rows = f"{len(self.rows)} corrected row{'s' if len(self.rows) > 1 else ''}"
        others = (f"{n} {status}" for status, n in sorted(self.left_out.items()))
        told = f"{self.path}: {rows}"
        if self.whole:
            told = f"{self.path}: no row has a key {REVIEW!r}, so all {rows} count"
        if self.n_sources:
            told += f"; the source sides of {self.n_sources} are those of the input"
        if self.left_out:
            told += f"; left out: {', '.join(others)}"
        if self.repeated:
            told += f"; {self.repeated} spans that their rows have twice count once"
        return told


def without_review(pair: SentencePair, account: Account) -> SentencePair:
    """A row whose spans are found anew, without what was said of those that it had.

    That a person found them right would else be said of others.
    """
    review = pair.extra.get(REVIEW)
    stale = {BEFORE}
    if isinstance(review, Mapping) and review.get("status") in ACCEPTED:
        account.note("rows_that_were_corrected_but_are_projected_anew", 1)
        stale.add(REVIEW)
    if not stale & pair.extra.keys():
        return pair
    return pair._replace(extra={k: v for k, v in pair.extra.items() if k not in stale})


def with_changes(
    done: SentencePair,
    before: Projection | str,
    min_confidence: float,
    show: bool,
    account: Account,
) -> SentencePair:
    """Count a row whose spans corrections changed; with ``show`` it gets those of before, too.

    Args:
        done: the row.
        before: its projection, or status, without corrections.
        min_confidence: least confidence of a span.
        show: add the spans of before to the row.
        account: the account.
    """
    spans: tuple[Span, ...] = ()
    if not isinstance(before, str):
        whole = before.with_source_scores().above(min_confidence)
        spans = visible(whole.spans, done.target.words)
    if {span[:3] for span in spans} == {span[:3] for span in done.target.spans}:
        return done
    account.note("rows_changed_by_corrections", 1)
    if not show:
        return done
    told = [dict(zip(("start", "end", "label"), span[:3], strict=True)) for span in spans]
    return done._replace(extra={**done.extra, BEFORE: told})


def recalibrate(method: Method, corrections: Corrections) -> None:
    """Bring a method's confidences to what corrected rows show of them, if they show enough."""
    trials = method.trials()
    if len(trials) < MIN_SPANS:
        return
    p, right = (np.array(column) for column in zip(*trials, strict=True))
    curve = fit_curve(p, right)
    rows = f"{len(corrections.rows)} corrected rows of {os.path.basename(corrections.path)}"
    method.recalibrate(curve.intercept, curve.slope, f"{rows}: {len(p)} spans")


def _once(sentence: Sentence) -> Sentence:
    """The sentence with each of its spans once."""
    spans = tuple({span[:3]: span for span in sentence.spans}.values())
    return sentence if len(spans) == len(sentence.spans) else sentence.with_spans(spans)


def _difference(ours: str, theirs: str) -> str:
    both = zip(ours, theirs, strict=False)
    at = next((n for n, (a, b) in enumerate(both) if a != b), min(len(ours), len(theirs)))
    shown = (one[max(0, at - 10) : at + 20] for one in (ours, theirs))
    return "{!r} in place of {!r}".format(*shown)
