"""Bootstrap intervals of micro F1, and of the difference between two systems.

Source: Koehn (2004), "Statistical Significance Tests for Machine Translation Evaluation": sentences
are drawn with replacement, as many as there are, and each resample is scored.

Rows with equal counts are interchangeable, so only the number of occurrences of each distinct row
is drawn (one multinomial draw per resample): the same distribution as drawing sentences one by one,
at a fraction of the cost, and independent of the order of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.signature import signature

ROUNDING = 1e-12  # differences below are none
Rows = Sequence[tuple[int, int, int]]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BootstrapInterval:
    """Micro F1 and its confidence interval.

    Attributes:
        f1: micro F1 of all rows, in [0, 1].
        low, high: ends of the interval, in [0, 1].
        level: share of the resamples within the interval, in (0, 1).
        signature: metric, method, level, number of resamples, seed and rows.
    """

    f1: float
    low: float
    high: float
    level: float
    signature: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in a fixed order."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Comparison of two systems on the same rows.

    Attributes:
        f1_a, f1_b: micro F1 of both systems, in [0, 1].
        difference: ``f1_b - f1_a``.
        low, high: ends of the interval of the difference, in [-1, 1].
        level: share of the resamples within the interval, in (0, 1).
        wins: share of the resamples in which the better system wins (Koehn's measure), in [0, 1]; 0
            if neither is better.
        p_value: two-sided, in (0, 1]; see :func:`compare_paired`.
        signature: metric, method, level, number of resamples, seed and rows.
    """

    f1_a: float
    f1_b: float
    difference: float
    low: float
    high: float
    level: float
    wins: float
    p_value: float
    signature: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in a fixed order."""
        return asdict(self)


def bootstrap_interval(
    rows: Rows, *, n: int = 1000, seed: int = 12345, level: float = 0.95
) -> BootstrapInterval:
    """Confidence interval of micro F1, by resampling sentences (percentile bootstrap).

    Args:
        rows: (tp, gold spans, predicted spans) of each sentence: ``SpanReport.rows``.
        n: number of resamples, at least 1.
        seed: random seed; equal seeds give equal intervals.
        level: share of the resamples within the interval, in (0, 1).

    Raises:
        SpanbridgeError: there are no rows, or ``n`` or ``level`` is out of range.
    """
    table = _table(rows, n, level)
    drawn = _resample(table, n, seed)
    low, high = _interval(_f1(drawn[:, 0], drawn[:, 1] + drawn[:, 2]), level)
    total = table.sum(axis=0)
    f1 = float(_f1(total[0], total[1] + total[2]))
    return BootstrapInterval(f1, low, high, level, _line("bootstrap", len(rows), n, seed, level))


def compare_paired(
    rows_a: Rows, rows_b: Rows, *, n: int = 1000, seed: int = 12345, level: float = 0.95
) -> PairedComparison:
    """Paired bootstrap of two systems: each resample holds the same sentences for both.

    The p-value is ``min(1, 2 (k + 1) / (n + 1))``, where k is the number of resamples in which the
    better system does not win (ties included), and 1 if neither is better. So it agrees with the
    interval: below 0.05 means that the 95 % interval of the difference excludes 0, up to rounding.
    Koehn's one-sided value is ``1 - wins``.

    Args:
        rows_a, rows_b: (tp, gold spans, predicted spans) of each sentence, by both systems, in the
            same order.
        n, seed, level: as in :func:`bootstrap_interval`.

    Raises:
        SpanbridgeError: the rows or their gold spans differ in number (the gold data is not the
            same); there are no rows; ``n`` or ``level`` is out of range.
    """
    if len(rows_a) != len(rows_b):
        raise SpanbridgeError(
            f"the systems were scored on {len(rows_a)} and {len(rows_b)} rows; compare them on "
            "the same rows"
        )
    both = []
    for row, (a, b) in enumerate(zip(rows_a, rows_b, strict=True), start=1):
        if a[1] != b[1]:
            raise SpanbridgeError(
                f"row {row}: the systems were scored against {a[1]} and {b[1]} gold spans; "
                "compare them on the same gold"
            )
        both.append((a[0], b[0], a[1] + a[2], b[1] + b[2]))
    table = _table(both, n, level)
    drawn = _resample(table, n, seed)
    differences = _f1(drawn[:, 1], drawn[:, 3]) - _f1(drawn[:, 0], drawn[:, 2])
    low, high = _interval(differences, level)
    total = table.sum(axis=0)
    f1_a, f1_b = float(_f1(total[0], total[2])), float(_f1(total[1], total[3]))
    n_wins = int((differences * np.sign(f1_b - f1_a) > 0).sum())
    p_value = min(1.0, 2 * (n - n_wins + 1) / (n + 1))
    line = _line("paired-bootstrap", len(both), n, seed, level)
    return PairedComparison(f1_a, f1_b, f1_b - f1_a, low, high, level, n_wins / n, p_value, line)


def _table(rows: Sequence[tuple[int, ...]], n: int, level: float) -> npt.NDArray[np.int64]:
    if not rows:
        raise SpanbridgeError("there are no rows to resample")
    if n < 1:
        raise SpanbridgeError(f"the number of resamples must be at least 1, not {n}")
    if not 0 < level < 1:
        raise SpanbridgeError(f"level must lie between 0 and 1 (such as 0.95), not {level}")
    return np.asarray(rows, dtype=np.int64)


def _resample(table: npt.NDArray[np.int64], n: int, seed: int) -> npt.NDArray[np.int64]:
    """Column sums of ``n`` resamples of the rows of ``table``, shape (n, columns)."""
    distinct, times = np.unique(table, axis=0, return_counts=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(table), times / len(table), size=n)
    return np.asarray(drawn @ distinct)


def _f1(tp: npt.ArrayLike, sizes: npt.ArrayLike) -> Floats:
    """``2 tp / (gold + predicted)``; 0 if both sides are empty."""
    return 2 * np.asarray(tp, dtype=np.float64) / np.maximum(sizes, 1)


def _interval(values: Floats, level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _line(method: str, n_rows: int, n: int, seed: int, level: float) -> str:
    parts = {
        "metric": "span-f1",
        "average": "micro",
        "method": method,
        "level": level,
        "n": n,
        "seed": seed,
        "rows": n_rows,
    }
    return signature(parts)


def check_resampling(resamples: int, level: float) -> None:
    """Raise SpanbridgeError if a number is out of range."""
    if resamples < 1:
        raise SpanbridgeError(f"the number of resamples must be at least 1, not {resamples}")
    if not 0 < level < 1:
        raise SpanbridgeError(f"level must lie between 0 and 1 (such as 0.95), not {level}")


def interval(values: Floats, level: float) -> tuple[float, float]:
    """Percentile interval that holds this share of the values."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected by the step-down method of Holm (1979), each in [0, 1]."""
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, k in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[k]))
        corrected[k] = largest
    return corrected


def wilcoxon(differences: Sequence[float]) -> float:
    """Two-sided p-value of the Wilcoxon signed-rank test; zeros are left out, 1 if all are zero."""
    from scipy import stats

    # differences that are equal but for rounding are ties
    moved = [d for d in (round(d, 12) for d in differences) if d]
    return float(stats.wilcoxon(moved).pvalue) if moved else 1.0


def p_of_resamples(drawn: Floats, found: float) -> float:
    """``min(1, 2 (k + 1) / (n + 1))``, k being the resamples in which the better one is not better.

    So it agrees with the interval: below 0.05 means that the 95 % interval excludes 0, up to
    rounding.
    """
    if abs(found) <= ROUNDING:
        return 1.0
    n_wins = int((drawn * np.sign(found) > ROUNDING).sum())
    return min(1.0, 2 * (len(drawn) - n_wins + 1) / (len(drawn) + 1))


def p_of_swaps(swapped: Floats, found: float) -> float:
    """``(k + 1) / (n + 1)``, k being the swaps that differ at least as much as what was found."""
    k = int((np.abs(swapped) >= abs(found) - ROUNDING).sum())
    return (k + 1) / (len(swapped) + 1)
