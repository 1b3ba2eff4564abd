"""Intervals, p-values and their correction; the bootstrap interval of micro F1.

Source: Koehn (2004), "Statistical Significance Tests for Machine Translation Evaluation": sentences
are drawn with replacement, as many as there are, and each resample is scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.signature import signature
from spanbridge.evaluation.resampling import Floats, f1, resampled_sums

ROUNDING = 1e-12  # differences below are none
Rows = Sequence[tuple[int, int, int]]


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
    if not rows:
        raise SpanbridgeError("there are no rows to resample")
    check_resampling(n, level)
    table = np.asarray(rows, dtype=np.int64)
    drawn = resampled_sums(table, n, np.random.default_rng(seed))
    low, high = interval(f1(drawn[:, 0], drawn[:, 1] + drawn[:, 2]), level)
    total = table.sum(axis=0)
    found = float(f1(total[0], total[1] + total[2]))
    parts = {
        "metric": "span-f1",
        "average": "micro",
        "method": "bootstrap",
        "level": level,
        "n": n,
        "seed": seed,
        "rows": len(rows),
    }
    return BootstrapInterval(found, low, high, level, signature(parts))


def check_resampling(resamples: int, level: float) -> None:
    """Raise SpanbridgeError if a number is out of range."""
    if resamples < 1:
        raise SpanbridgeError(f"the number of resamples must be at least 1, not {resamples}")
    if not 0 < level < 1:
        raise SpanbridgeError(f"level must lie between 0 and 1 (such as 0.95), not {level}")


def interval(values: Floats, level: float, n: int | None = None) -> tuple[float, float]:
    """Percentile interval that holds this share of the values.

    Resamples of few things vary less than they should. With the number ``n`` of what was resampled
    the interval is as much wider as one of Student's t (Hesterberg 2015, expanded percentiles).
    """
    tail = (1 - level) / 2
    if n is not None:
        from scipy.special import ndtr, stdtrit

        tail = float(ndtr(stdtrit(n - 1, tail) * sqrt(n / (n - 1))))
    low, high = np.quantile(values, [tail, 1 - tail])
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


def p_of_resamples(drawn: Floats, found: float, n: int | None = None) -> float:
    """``min(1, 2 (k + 1) / (r + 1))``, k of r resamples being those in which the better one is not.

    So it agrees with the interval: below 0.05 means that the 95 % interval excludes 0, up to
    rounding. With ``n`` it agrees with the expanded one; see :func:`interval`.
    """
    if abs(found) <= ROUNDING:
        return 1.0
    n_wins = int((drawn * np.sign(found) > ROUNDING).sum())
    tail = (len(drawn) - n_wins + 1) / (len(drawn) + 1)
    if n is not None:
        from scipy.special import ndtri, stdtr

        tail = float(stdtr(n - 1, ndtri(tail) / sqrt(n / (n - 1))))
    return min(1.0, 2 * tail)


def p_of_swaps(swapped: Floats, found: float) -> float:
    """``(k + 1) / (n + 1)``, k being the swaps that differ at least as much as what was found."""
    k = int((np.abs(swapped) >= abs(found) - ROUNDING).sum())
    return (k + 1) / (len(swapped) + 1)
