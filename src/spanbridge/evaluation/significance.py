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
from spanbridge.evaluation.resampling import Floats, Integers, f1, resampled_sums

ROUNDING = 1e-12  # differences below are none
# All are kept for quantiles; more would fill the memory, and tell nothing.
MOST_RESAMPLES = 1_000_000
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
        n: number of resamples, from 1 to ``MOST_RESAMPLES``.
        seed: random seed; equal seeds give equal intervals.
        level: share of the resamples within the interval, in (0, 1).

    Raises:
        SpanbridgeError: there are no rows, they are no counts, or ``n`` or ``level`` is out of
            range.
    """
    if not rows:
        raise SpanbridgeError("there are no rows to resample")
    check_resampling(n, level)
    table = checked_counts(rows, "rows")
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


def checked_counts(counts: Any, what: str) -> Integers:
    """Counts of sentences as a table, shape (sentences, 3) or (seeds, sentences, 3).

    Raises:
        SpanbridgeError: they are not such counts; it names ``what`` they are of.
    """
    try:
        table = np.asarray(counts)
    except ValueError:  # of unequal length
        table = np.zeros(0)
    if (
        not (table.size and table.ndim in (2, 3) and table.shape[-1] == 3)
        or not np.issubdtype(table.dtype, np.integer)
        or not (table[..., :1] >= 0).all()
        or not (table[..., :1] <= table[..., 1:]).all()
    ):
        raise SpanbridgeError(
            f"{what}: counts must be (tp, gold spans, predicted spans) of at least one sentence, "
            "whole numbers of which tp is the least, or a list of such lists for several seeds"
        )
    return table.astype(np.int64)


def check_resampling(resamples: int, level: float) -> None:
    """Raise SpanbridgeError if a number is out of range."""
    if not 1 <= resamples <= MOST_RESAMPLES:
        raise SpanbridgeError(
            f"the number of resamples must lie between 1 and {MOST_RESAMPLES:,}, not {resamples:,}"
        )
    if not 0 < level < 1:
        raise SpanbridgeError(f"level must lie between 0 and 1 (such as 0.95), not {level}")


def interval(values: Floats, level: float) -> tuple[float, float]:
    """Percentile interval that holds this share of the values."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class TwoLevels:
    """A mean over groups (languages) as one of many more groups: a random-effects model.

    The score of a group differs from the mean of all groups by what groups differ by, and by the
    chance of its sentences, whose variance the bootstrap tells. Groups count the same. The variance
    over groups holds both; it is taken to be the chance of sentences at least. Intervals and tests
    are by Student's t, as of Knapp and Hartung (2003) for meta-analyses, with the floor of Röver,
    Knapp and Friede (2015).

    Attributes:
        mean: of the groups' scores.
        error: its standard error.
        spread: standard deviation of scores between groups, beyond the chance of sentences.
        n: number of groups.
    """

    mean: float
    error: float
    spread: float
    n: int

    @classmethod
    def of(cls, found: Floats, drawn: Floats) -> TwoLevels:
        """By the score of each group, and by those on resamples of its sentences.

        Args:
            found: shape (groups,), two or more.
            drawn: shape (groups, resamples).
        """
        variance, chance = float(found.var(ddof=1)), float(drawn.var(axis=1).mean())
        error = sqrt(max(variance, chance) / len(found))
        return cls(float(found.mean()), error, sqrt(max(0.0, variance - chance)), len(found))

    def interval(self, level: float, least: float) -> tuple[float, float]:
        """The interval of the mean, within ``least`` and 1."""
        from scipy.special import stdtrit

        half = float(stdtrit(self.n - 1, (1 + level) / 2)) * self.error
        return max(least, self.mean - half), min(1.0, self.mean + half)

    def p_value(self) -> float:
        """Two-sided, of a mean of 0."""
        from scipy.special import stdtr

        if abs(self.mean) <= ROUNDING:
            return 1.0
        if self.error <= ROUNDING:
            return 0.0
        return 2 * float(stdtr(self.n - 1, -abs(self.mean) / self.error))


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
