"""Reports on predicted spans: counts, averages, boundaries, error classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from spanbridge.evaluation._common import RowCounts, aligned, ratio
from spanbridge.evaluation.error_classes import ErrorReport
from spanbridge.evaluation.significance import BootstrapInterval, bootstrap_interval


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

    @classmethod
    def of(cls, tp: int, n_gold: int, n_predicted: int) -> SpanCounts:
        """From the numbers of spans: right, of gold, predicted."""
        return cls(tp, n_predicted - tp, n_gold - tp)

    @classmethod
    def total(cls, rows: Sequence[RowCounts]) -> SpanCounts:
        """Sum over rows."""
        return (
            cls.of(*(sum(column) for column in zip(*rows, strict=True))) if rows else cls(0, 0, 0)
        )

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
        boundaries: all spans together if labels are not looked at: who has the more precise
            boundaries, whatever the labels. Spans of a row that differ in label only count once.
        errors: the spans sorted into error classes.
        rows: the counts of each row, for resampling (:func:`bootstrap_interval`,
            :func:`~spanbridge.evaluation.compare_systems`).
        boundary_rows: the same for boundaries.
        n_rows_with_different_words: rows whose words differ in text between gold and predicted.
        cap: what any projection of the labels of the source side could reach, if that is known.
        agree: the prediction on the rows whose labels are equal in number on both sides, likewise.
        signature: one line that says how the numbers came about.
    """

    micro: SpanCounts
    macro: SpanAverage
    weighted: SpanAverage
    per_label: Mapping[str, SpanCounts]
    boundaries: SpanCounts
    errors: ErrorReport
    rows: tuple[RowCounts, ...]
    boundary_rows: tuple[RowCounts, ...]
    n_rows_with_different_words: int
    signature: str
    cap: SpanCounts | None = None
    agree: SpanCounts | None = None

    def with_cap(self, cap_rows: Sequence[RowCounts]) -> SpanReport:
        """With cap and agree, by :func:`cap_row` of each row."""
        agreeing = [row for row, cap in zip(self.rows, cap_rows, strict=True) if len(set(cap)) == 1]
        cap, agree = SpanCounts.total(cap_rows), SpanCounts.total(agreeing)
        return replace(self, cap=cap, agree=agree)

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
            "boundaries": self.boundaries.to_dict(),
            "errors": self.errors.to_dict(),
            **{name: counts.to_dict() for name, counts in self._limits().items()},
        }

    def _limits(self) -> dict[str, SpanCounts]:
        if self.cap is None or self.agree is None:
            return {}
        return {"cap": self.cap, "agree": self.agree}

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
            _line("boundaries", self.boundaries),
            *(_line(name, counts) for name, counts in self._limits().items()),
        ]
        parts = ["\n".join(aligned(lines)), self.errors.table(), self.signature]
        if self.n_rows_with_different_words:
            parts.insert(2, f"rows with different words: {self.n_rows_with_different_words}")
        return "\n\n".join(parts)


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
