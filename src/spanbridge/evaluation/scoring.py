"""Scores of files or rows: gold and predicted ones read side by side, and grouped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import tee
from pathlib import Path
from typing import Any, NamedTuple

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import check_rereadable
from spanbridge.core.rows import SentencePair
from spanbridge.core.similar import not_named
from spanbridge.core.spans import Sentence, Span
from spanbridge.evaluation.span_choice import SpanChoice, cap_row
from spanbridge.evaluation.span_report import SpanReport
from spanbridge.evaluation.span_scores import (
    SPAN_PROTOCOLS,
    SpanProtocol,
    orphan_policy,
    score_cell,
)
from spanbridge.formats import Counts, Reading, labelled_pairs, over_same_words
from spanbridge.formats.base import DEFAULT_READING
from spanbridge.formats.offsets import notes_of

# A file, or rows (whose targets count), or sentences.
Labelled = str | Path | Iterable[SentencePair | Sentence]

# What spans, and not rows, are grouped by; then what rows are grouped by beside their own keys.
OF_SPANS = ("label", "length")
SENTENCE_LENGTH = "sentence-length"
_NO_VALUE = "(none)"
_SPAN_LENGTHS = (1, 2, 3, 5, 10)
_SENTENCE_LENGTHS = (10, 20, 40, 80)


@dataclass(frozen=True)
class Scoring:
    """How spans are scored.

    Attributes:
        protocol: how malformed tags are read.
        choice: the spans that count, and their labels.
        by: what rows or spans are grouped by: ``label``; ``length`` of spans in words;
            ``sentence-length`` in words; or a key of the gold rows, or else of the predicted ones,
            such as ``domain``. None does not group.
        reading: how the gold file is read.
    """

    protocol: SpanProtocol = "default"
    choice: SpanChoice = field(default_factory=SpanChoice)
    by: str | None = None
    reading: Reading = DEFAULT_READING

    def readings(self, protocol: SpanProtocol) -> tuple[Reading, Reading]:
        """How gold and predicted files are read under a protocol."""
        named = replace(self.reading, orphans=orphan_policy(protocol, self.reading.scheme))
        bare = Reading(
            named.scheme, named.orphans, tag_names=named.tag_names, tokenised=named.tokenised
        )
        return named, bare


class Row(NamedTuple):
    """The spans of a row that count, and the group that it is in.

    Attributes:
        gold, predicted: spans.
        group: of the row; empty if rows are not grouped.
    """

    gold: set[Span]
    predicted: set[Span]
    group: str


@dataclass(frozen=True)
class Scored:
    """The score of a prediction.

    Attributes:
        report: of all rows.
        protocols: micro F1 by protocol: of both where the tags of the files tell.
        labels: all labels of gold, and of the prediction, as they are after the mapping.
        found: all labels as they stand in both files.
        rows: the rows, if they are to be grouped.
        notes: what is to be said of the files.
    """

    report: SpanReport
    protocols: Mapping[str, float]
    labels: tuple[frozenset[str], frozenset[str]]
    found: frozenset[str]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def score(
    gold: Labelled, predicted: Labelled, scoring: Scoring, source: Labelled | None = None
) -> Scored:
    """Score a prediction against gold.

    Args:
        gold, predicted: the same rows in the same order, over the same words.
        scoring: settings.
        source: the labelled sentences from which labels were projected, for cap and agree.

    Raises:
        InputError: a file is wrong, or they do not run parallel.
        SpanbridgeError: rows are wrong, or no row has the key by which they are grouped.
    """
    scored, n_orphans = _score(gold, predicted, scoring, source)
    protocols: dict[str, float] = {scoring.protocol: scored.report.micro.f1}
    if scoring.reading.scheme == "iob2" and all(map(_rereadable, (gold, predicted))):
        for other in SPAN_PROTOCOLS:
            again = replace(scoring, protocol=other, by=None)
            if other not in protocols and n_orphans:
                protocols[other] = _score(gold, predicted, again, None)[0].report.micro.f1
            protocols.setdefault(other, scored.report.micro.f1)
    return replace(scored, protocols=protocols)


def grouped(rows: Sequence[Row], scoring: Scoring) -> dict[str, SpanReport]:
    """Reports of groups of rows, or of groups of spans within them, in order of their names."""
    scheme = scoring.reading.scheme

    def report(chosen: Iterable[tuple[Iterable[Span], Iterable[Span]]]) -> SpanReport:
        golds, predictions = tee(chosen)
        sides = (gold for gold, _ in golds), (predicted for _, predicted in predictions)
        of_all = SpanChoice(boundaries=scoring.choice.boundaries)
        return score_cell(*sides, scoring.protocol, choice=of_all, scheme=scheme, max_examples=0)

    if scoring.by not in OF_SPANS:
        by_row: dict[str, list[Row]] = {}
        for row in rows:
            by_row.setdefault(row.group, []).append(row)
        return {g: report(row[:2] for row in by_row[g]) for g in sorted(by_row, key=_in_order)}
    name = _span_length if scoring.by == "length" else _label
    names = {name(span) for row in rows for side in row[:2] for span in side}

    def only(group: str) -> Iterator[tuple[list[Span], list[Span]]]:
        for row in rows:
            gold, predicted = ([s for s in side if name(s) == group] for side in row[:2])
            yield gold, predicted

    return {group: report(only(group)) for group in sorted(names, key=_in_order)}


def _score(
    gold: Labelled, predicted: Labelled, scoring: Scoring, source: Labelled | None
) -> tuple[Scored, int]:
    """The score by one protocol, and the number of orphan tags."""
    how = scoring.readings(scoring.protocol)
    counts = Counts(), Counts()
    names = _name(gold, "gold"), _name(predicted, "predicted")
    groups = _Groups(scoring.by, names)
    left = groups.gold(_rows(gold, how[0], counts[0]))
    right = groups.predicted(_rows(predicted, how[1], counts[1]))
    words = _OtherWords(names)
    choice = scoring.choice
    labels: tuple[set[str], set[str]] = set(), set()
    kept: list[Row] = []

    def rows() -> Iterator[tuple[Sequence[Span], Sequence[Span]]]:
        for both in over_same_words(left, names[0], right, names[1]):
            words.see(*both)
            sides = both[0].spans, both[1].spans
            for of_side, spans in zip(labels, sides, strict=True):
                of_side.update(span.label for span in spans)
            if scoring.by is not None or source is not None:
                kept.append(Row(choice.of(sides[0]), choice.of(sides[1]), groups.next()))
            yield sides

    golds, predictions = tee(rows())  # read alternately, so little is buffered
    report = score_cell(
        (spans for spans, _ in golds),
        (spans for _, spans in predictions),
        scoring.protocol,
        choice=choice,
        scheme=scoring.reading.scheme,
    )
    groups.check()
    report = replace(report, n_rows_with_different_words=words.n_other)
    if source is not None:
        report = report.with_cap(_caps(source, kept, scoring, names[0]))
    told: dict[str, None] = {}
    for name, n in zip(names, counts, strict=True):
        numbers = {**dict(notes_of(n.places)), **n.left_out}
        told |= dict.fromkeys(
            f"{name}: {number} {what}" for what, number in numbers.items() if number
        )
        told |= dict.fromkeys(f"{name}: {guess}" for guess in n.guessed)
    told |= dict.fromkeys(words.told())
    ends = choice.renamed(labels[0]), choice.renamed(labels[1])
    scored = Scored(report, {}, ends, frozenset(labels[0] | labels[1]), tuple(kept), tuple(told))
    return scored, sum(n.n_orphans for n in counts)


def _caps(source: Labelled, rows: Sequence[Row], scoring: Scoring, gold: str) -> list[Any]:
    name, how = _name(source, "source"), scoring.readings(scoring.protocol)[0]
    sides = [scoring.choice.of(pair.source.spans) for _, pair in _rows(source, how, None, "source")]
    if len(sides) != len(rows):
        raise InputError(
            name, None, f"has {len(sides)} rows and {gold} {len(rows)}; they must run parallel"
        )
    return [cap_row(side, row.gold) for side, row in zip(sides, rows, strict=True)]


def _name(given: Labelled, role: str) -> str:
    return str(given) if isinstance(given, str | Path) else f"the {role} rows"


def _rows(
    given: Labelled, how: Reading, counts: Counts | None, side: Any = "target"
) -> Iterator[tuple[int, SentencePair]]:
    """Rows of a file, or those given, with their numbers."""
    if isinstance(given, str | Path):
        yield from labelled_pairs(given, side, how, counts)
        return
    rows = given if isinstance(given, Iterable) else [given]
    for number, row in enumerate(rows, 1):
        if isinstance(given, SentencePair) or not isinstance(row, Sentence | SentencePair):
            what = type(given if isinstance(given, SentencePair) else row).__name__
            raise SpanbridgeError(
                f"row {number} is a {what}; give a file, or a list of SentencePair or Sentence"
            )
        yield number, row if isinstance(row, SentencePair) else SentencePair("", row, row)


def _rereadable(given: Labelled) -> bool:
    if not isinstance(given, str | Path):
        return False
    try:
        check_rereadable(given)
    except InputError:
        return False
    return True


class _Groups:
    """The group of each row, by a key of the gold row, or else of the predicted one."""

    def __init__(self, by: str | None, names: tuple[str, str]) -> None:
        self._by, self._names = by, names
        self._values: list[Any] = [None, None]
        self._n_words = 0
        self._known: dict[str, None] = {}
        self._found = by is None or by in (*OF_SPANS, SENTENCE_LENGTH)

    def gold(self, rows: Iterator[tuple[int, SentencePair]]) -> Iterator[tuple[int, Sentence]]:
        """The sentences of gold, whose keys are looked at."""
        for line, pair in rows:
            self._n_words = len(pair.target.words)
            self._look(0, pair)
            yield line, pair.target

    def predicted(self, rows: Iterator[tuple[int, SentencePair]]) -> Iterator[tuple[int, Sentence]]:
        """The sentences of the prediction."""
        for line, pair in rows:
            self._look(1, pair)
            yield line, pair.target

    def _look(self, side: int, pair: SentencePair) -> None:
        self._values[side] = None
        if self._by is not None and pair.extra:
            self._values[side] = pair.extra.get(self._by)
            self._known |= dict.fromkeys(pair.extra)

    def next(self) -> str:
        """Group of the rows that were read last."""
        if self._by is None or self._by in OF_SPANS:
            return ""
        if self._by == SENTENCE_LENGTH:
            return _bin(self._n_words, _SENTENCE_LENGTHS)
        value = next((value for value in self._values if value is not None), None)
        self._found = self._found or value is not None
        return _NO_VALUE if value is None else str(value)

    def check(self) -> None:
        """Raise SpanbridgeError if no row has the key."""
        if not self._found:
            known = [*OF_SPANS, SENTENCE_LENGTH, *self._known]
            raise SpanbridgeError(
                f"{not_named('key of the rows', self._by, known)} ({' and '.join(self._names)})"
            )


def _label(span: Span) -> str:
    return span.label


def _span_length(span: Span) -> str:
    return _bin(span.end - span.start, _SPAN_LENGTHS)


def _bin(length: int, ends: Sequence[int]) -> str:
    """The bin of a length: up to each end, and beyond."""
    start = 0
    for end in ends:
        if length <= end:
            return str(end) if end - start <= 1 else f"{start + 1}-{end}"
        start = end
    return f"{start + 1}+"


def _in_order(group: str) -> tuple[bool, int, str]:
    """Bins by number, names by alphabet, rows without a value last."""
    digits = group.partition("-")[0].removesuffix("+")
    return group == _NO_VALUE, int(digits) if digits.isdecimal() else 0, group


class _OtherWords:
    """Rows of two files whose words differ: their spans may be no longer comparable."""

    def __init__(self, files: tuple[str, str]) -> None:
        self._files, self._n, self.n_other = files, 0, 0
        self._first = (0, "", "")

    def see(self, gold: Sentence, predicted: Sentence) -> None:
        """Compare the words of a row."""
        self._n += 1
        if gold.words != predicted.words:
            self.n_other += 1
            if self.n_other == 1:
                both = zip(gold.words, predicted.words, strict=True)
                self._first = (self._n, *next((a, b) for a, b in both if a != b))

    def told(self) -> Iterator[str]:
        """Where they first differ, if they do."""
        row, a, b = self._first
        if self.n_other:
            yield (
                f"the words of {self.n_other} of {self._n} rows differ, first in row {row}: "
                f"{a!r} in {self._files[0]}, {b!r} in {self._files[1]}"
            )
