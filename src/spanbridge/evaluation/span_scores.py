"""Entity-level scores: a span counts only if its row, boundaries and label are all right.

Spans are counted as in the CoNLL-2002/2003 shared tasks (Tjong Kim Sang and De Meulder 2003) and in
seqeval's default and strict modes; tests compare the numbers with seqeval's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.signature import signature
from spanbridge.core.similar import not_named
from spanbridge.core.spans import Sentence, Span
from spanbridge.core.tags import OrphanPolicy, Scheme, spans_from_tags
from spanbridge.evaluation._common import RowCounts, aligned, check_lengths, paired, ratio
from spanbridge.evaluation.error_classes import ErrorReport, count_errors
from spanbridge.evaluation.significance import BootstrapInterval, bootstrap_interval
from spanbridge.formats.tokens import in_same_words

SpanProtocol = Literal["default", "strict"]
SPAN_PROTOCOLS: tuple[SpanProtocol, ...] = ("default", "strict")
_Row = tuple[set[Span], set[Span]]  # gold and predicted spans
_ORPHANS: dict[str, OrphanPolicy] = {"default": "begin", "strict": "drop"}


@dataclass(frozen=True, slots=True)
class SpanCounts:
    """Counts of one label, or of all labels (micro), and the scores computed from them.

    Attributes:
        tp: spans in both gold and predicted.
        fp: predicted spans that are not in gold.
        fn: gold spans that were not predicted.
    """

    tp: int
    fp: int
    fn: int

    @property
    def support(self) -> int:
        """Number of gold spans, ``tp + fn``."""
        return self.tp + self.fn

    @property
    def predicted(self) -> int:
        """Number of predicted spans, ``tp + fp``."""
        return self.tp + self.fp

    @property
    def precision(self) -> float:
        """``tp / (tp + fp)``, in [0, 1]; 0 if nothing was predicted."""
        return ratio(self.tp, self.predicted)

    @property
    def recall(self) -> float:
        """``tp / (tp + fn)``, in [0, 1]; 0 if gold has no span."""
        return ratio(self.tp, self.support)

    @property
    def f1(self) -> float:
        """``2 tp / (2 tp + fp + fn)``, in [0, 1]; 0 if both sides are empty."""
        return ratio(2 * self.tp, self.support + self.predicted)

    def to_dict(self) -> dict[str, float | int]:
        """Scores and counts, for JSON."""
        return {
            **_scores(self),
            "tp": self.tp,
            "fp": self.fp,
            "fn": self.fn,
        }


@dataclass(frozen=True, slots=True)
class SpanAverage:
    """Mean of the labels' scores, each in [0, 1]; support and predicted are sums over labels."""

    precision: float
    recall: float
    f1: float
    support: int
    predicted: int

    def to_dict(self) -> dict[str, float | int]:
        """Scores and counts, for JSON."""
        return _scores(self)


@dataclass(frozen=True, slots=True)
class SpanReport:
    """Scores of one prediction, as :func:`evaluate_spans` returns them.

    Attributes:
        micro: all spans together; its F1 is the number usually published.
        macro: unweighted mean over the labels found in gold or predicted (all 0 if there are none).
        weighted: mean over the same labels, weighted by support (all 0 if gold is empty).
        per_label: the labels found in gold or predicted, sorted.
        errors: the spans sorted into error classes.
        rows: the counts of each row, for resampling (:func:`bootstrap_interval`).
        n_rows_with_different_words: rows whose words differ in text between gold and predicted.
        signature: one line that says how the numbers came about.
    """

    micro: SpanCounts
    macro: SpanAverage
    weighted: SpanAverage
    per_label: Mapping[str, SpanCounts]
    errors: ErrorReport
    rows: tuple[RowCounts, ...]
    n_rows_with_different_words: int
    signature: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in a fixed order, without the counts per row."""
        return {
            "signature": self.signature,
            "rows": len(self.rows),
            "rows_with_different_words": self.n_rows_with_different_words,
            "micro": self.micro.to_dict(),
            "macro": self.macro.to_dict(),
            "weighted": self.weighted.to_dict(),
            "per_label": {label: counts.to_dict() for label, counts in self.per_label.items()},
            "errors": self.errors.to_dict(),
        }

    def interval(
        self, *, n: int = 1000, seed: int = 12345, level: float = 0.95
    ) -> BootstrapInterval:
        """Confidence interval of micro F1, as :func:`bootstrap_interval` computes it."""
        return bootstrap_interval(self.rows, n=n, seed=seed, level=level)

    def table(self) -> str:
        """Plain text: labels, averages, error classes, signature; scores in [0, 1]."""
        lines = [
            ["", "precision", "recall", "F1", "support", "predicted"],
            *(_line(label, counts) for label, counts in self.per_label.items()),
            [],
            _line("micro avg", self.micro),
            _line("macro avg", self.macro),
            _line("weighted avg", self.weighted),
        ]
        parts = ["\n".join(aligned(lines)), self.errors.table(), self.signature]
        if self.n_rows_with_different_words:
            parts.insert(2, f"rows with different words: {self.n_rows_with_different_words}")
        return "\n\n".join(parts)


def orphan_policy(protocol: str, scheme: str = "iob2") -> OrphanPolicy:
    """Orphan policy of a protocol, for the readers of tagged files.

    Protocols differ only in the meaning of an orphan ``I-``: in ``default`` it begins a span, as in
    conlleval and seqeval's default mode; in ``strict`` it is dropped with its continuation, as in
    seqeval's ``mode='strict'`` with the scheme IOB2.

    Raises:
        SpanbridgeError: there is no such protocol, or ``strict`` is not for this scheme.
    """
    if protocol not in _ORPHANS:
        raise SpanbridgeError(not_named("protocol", protocol, SPAN_PROTOCOLS))
    if protocol == "strict" and scheme != "iob2":
        raise SpanbridgeError(
            f"the protocol strict is defined for iob2 tags, not for {scheme}; use default"
        )
    return _ORPHANS[protocol]


def evaluate_spans(
    gold: Iterable[Sentence],
    predicted: Iterable[Sentence],
    *,
    protocol: SpanProtocol = "default",
    labels: Collection[str] | None = None,
    scheme: str = "spans",
    max_examples: int = 5,
) -> SpanReport:
    """Score predicted spans against gold ones, by exact match of (row, start, end, label).

    Scores of spans are ignored, spans may overlap, and equal spans of a row count once.

    Args:
        gold: one sentence per row.
        predicted: the same rows in the same order.
        protocol: protocol by which the tags were read (see :func:`orphan_policy`); since sentences
            hold spans, it is only checked and written into the signature.
        labels: count only spans with these labels, on both sides; None counts all.
        scheme: scheme of the tags, for the signature.
        max_examples: number of examples kept per error class.

    Raises:
        SpanbridgeError: the numbers of rows, or of words in a row, differ; the protocol is unknown;
            ``labels`` is empty or a single string.
    """
    orphan_policy(protocol)
    wanted = _wanted(labels)
    n_different = 0

    def rows() -> Iterator[_Row]:
        nonlocal n_different
        for row, (left, right) in enumerate(paired(gold, predicted), start=1):
            left, right = in_same_words(left, right)
            check_lengths(row, len(left.words), len(right.words))
            n_different += left.words != right.words
            yield _plain(left.spans, wanted), _plain(right.spans, wanted)

    report = _report(rows(), max_examples, partial(_parts, protocol, scheme, wanted))
    return replace(report, n_rows_with_different_words=n_different)


def evaluate_tags(
    gold: Iterable[Sequence[str]],
    predicted: Iterable[Sequence[str]],
    *,
    protocol: SpanProtocol = "default",
    scheme: Scheme = "iob2",
    labels: Collection[str] | None = None,
    max_examples: int = 5,
) -> SpanReport:
    """Score predicted tags against gold ones, by the spans that they stand for.

    Equal to seqeval's default mode for IOB1, IOB2 and BIOES tags, and to its strict mode with the
    scheme IOB2, with two exceptions: BILOU is read as BIOES here, while seqeval's default mode does
    not know ``L-`` and ``U-``; and a prefix without a label is an error here.

    Args:
        gold: one sequence of tags per row.
        predicted: the same rows in the same order.
        protocol: treatment of orphan tags (see :func:`orphan_policy`).
        scheme: scheme of both sides; ``strict`` is defined for ``iob2`` only.
        labels, max_examples: as in :func:`evaluate_spans`.

    Raises:
        SpanbridgeError: as :func:`evaluate_spans`; also if a tag does not belong to the scheme
            (with its row), or for ``strict`` with another scheme.
    """
    orphans = orphan_policy(protocol, scheme)
    wanted = _wanted(labels)

    def rows() -> Iterator[_Row]:
        for row, (left, right) in enumerate(paired(gold, predicted), start=1):
            check_lengths(row, len(left), len(right))
            sides: list[set[Span]] = []
            for name, tags in (("gold", left), ("predicted", right)):
                try:
                    spans, _ = spans_from_tags(tags, scheme, orphans)
                except SpanbridgeError as error:
                    raise SpanbridgeError(f"row {row} ({name}): {error}") from error
                sides.append(_plain(spans, wanted))
            yield sides[0], sides[1]

    return _report(rows(), max_examples, partial(_parts, protocol, scheme, wanted))


def _scores(of: SpanCounts | SpanAverage) -> dict[str, float | int]:
    return {
        "precision": of.precision,
        "recall": of.recall,
        "f1": of.f1,
        "support": of.support,
        "predicted": of.predicted,
    }


def _line(name: str, of: SpanCounts | SpanAverage) -> list[str]:
    scores = (f"{score:.4f}" for score in (of.precision, of.recall, of.f1))
    return [name, *scores, str(of.support), str(of.predicted)]


def _wanted(labels: Collection[str] | None) -> frozenset[str] | None:
    if labels is None:
        return None
    if isinstance(labels, str) or not labels:
        raise SpanbridgeError(
            f"labels must be a collection of at least one label, not {labels!r}; "
            "leave it out to count all labels"
        )
    return frozenset(labels)


def _plain(spans: Iterable[Span], wanted: frozenset[str] | None) -> set[Span]:
    """Spans of the wanted labels, without scores, so that equal spans compare equal."""
    return {Span(*span[:3]) for span in spans if wanted is None or span.label in wanted}


def _parts(
    protocol: str, scheme: str, wanted: frozenset[str] | None, n_rows: int
) -> dict[str, object]:
    return {
        "metric": "span-f1",
        "protocol": protocol,
        "scheme": scheme,
        "labels": "all" if wanted is None else ",".join(sorted(wanted)),
        "rows": n_rows,
        "average": "micro",
    }


def _report(
    rows: Iterable[_Row], max_examples: int, parts: Callable[[int], dict[str, object]]
) -> SpanReport:
    """Count in one pass; ``parts`` gives those of the signature for a number of rows."""
    hits: Counter[str] = Counter()
    n_gold: Counter[str] = Counter()
    n_predicted: Counter[str] = Counter()
    per_row: list[RowCounts] = []

    def counted() -> Iterator[_Row]:
        for gold, predicted in rows:
            both = gold & predicted
            hits.update(span.label for span in both)
            n_gold.update(span.label for span in gold)
            n_predicted.update(span.label for span in predicted)
            per_row.append(RowCounts(len(both), len(gold), len(predicted)))
            yield gold, predicted

    errors = count_errors(counted(), max_examples=max_examples)
    per_label = {
        label: SpanCounts(
            hits[label], n_predicted[label] - hits[label], n_gold[label] - hits[label]
        )
        for label in sorted(n_gold.keys() | n_predicted.keys())
    }
    tp = hits.total()
    return SpanReport(
        micro=SpanCounts(tp, n_predicted.total() - tp, n_gold.total() - tp),
        macro=_average(per_label.values(), [1] * len(per_label)),
        weighted=_average(per_label.values(), [c.support for c in per_label.values()]),
        per_label=per_label,
        errors=errors,
        rows=tuple(per_row),
        n_rows_with_different_words=0,
        signature=signature(parts(len(per_row))),
    )


def _average(counts: Collection[SpanCounts], weights: Sequence[int]) -> SpanAverage:
    total = sum(weights)
    pairs = list(zip(counts, weights, strict=True))
    return SpanAverage(
        precision=ratio(sum(c.precision * w for c, w in pairs), total),
        recall=ratio(sum(c.recall * w for c, w in pairs), total),
        f1=ratio(sum(c.f1 * w for c, w in pairs), total),
        support=sum(c.support for c in counts),
        predicted=sum(c.predicted for c in counts),
    )
