"""Calibration: how far probabilities are from what is right, and a curve that brings them there.

The curve is Platt's (1999) on log-odds: a logistic regression on the logit of a probability, two
numbers, never falling. So it is beta calibration (Kull, Silva Filho and Flach 2017) with one slope.
``python -m benchmarks calibrated`` compares it with others on 100 labelled rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
# Probabilities are taken for at least this far from 0 and 1, so that their log-odds are finite.
MARGIN = 1e-4
FOLDS = 5
# Strength of the prior, in the curve's favour that changes nothing: as of few observations.
_RIDGE_INTERCEPT, _RIDGE_SLOPE = 0.1, 1.0
_DIGITS = 4  # of a curve's numbers: what remains is the same on every machine


@dataclass(frozen=True)
class Curve:
    """1 / (1 + exp(-(intercept + slope * log-odds of a probability))); by default no change.

    Attributes:
        intercept: log-odds that 1/2 becomes.
        slope: at least 0, so that the order of probabilities stays.
    """

    intercept: float = 0.0
    slope: float = 1.0

    def __call__(self, p: float) -> float:
        """The probability, in (0, 1), that a probability in [0, 1] stands for."""
        return float(self.of(np.array([p]))[0])

    def of(self, p: Numbers) -> Numbers:
        """As for one probability, for many, in their order."""
        z = self.intercept + self.slope * _log_odds(p)
        # exp() of more than 709 overflows
        return np.asarray(1 / (1 + np.exp(np.minimum(-z, 700.0))))


def fit_curve(p: Sequence[float] | Numbers, right: Sequence[bool] | Numbers) -> Curve:
    """The curve under which what was right is most likely, with a prior in favour of no change.

    Args:
        p: probabilities, in [0, 1].
        right: whether each holds.
    """
    from scipy.optimize import minimize

    x, y = _log_odds(np.asarray(p, float)), np.asarray(right, float)
    prior, ridge = np.array([0.0, 1.0]), np.array([_RIDGE_INTERCEPT, _RIDGE_SLOPE])

    def loss(w: Numbers) -> tuple[float, Numbers]:
        z, from_prior = w[0] + w[1] * x, w - prior
        value = (np.logaddexp(0, -z) * y + np.logaddexp(0, z) * (1 - y)).sum()
        miss = 1 / (1 + np.exp(-z)) - y
        slope = np.array([miss.sum(), (miss * x).sum()]) + ridge * from_prior
        return float(value + (ridge * from_prior**2).sum() / 2), slope

    bounds = [(None, None), (0, None)]
    found = minimize(loss, prior, jac=True, bounds=bounds, method="L-BFGS-B", tol=1e-12).x
    return Curve(*(round(float(value), _DIGITS) + 0.0 for value in found))


def calibration_error(p: Any, right: Any, bins: int = 10) -> float:
    """Expected calibration error over bins of equal width (Naeini et al. 2015), in [0, 1].

    Args:
        p: probabilities.
        right: whether each holds.
        bins: number of bins.
    """
    p, right = np.asarray(p, float), np.asarray(right, float)
    if not len(p):
        return 0.0
    at = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [abs(p[at == b].sum() - right[at == b].sum()) for b in range(bins)]
    return float(sum(gaps) / len(p))


def cross_fitted(
    p: Sequence[float] | Numbers, right: Sequence[bool] | Numbers, rows: Sequence[int] | Numbers
) -> Numbers:
    """Probabilities by curves that were fitted without the row in which each stands.

    Args:
        p, right: as in :func:`fit_curve`.
        rows: number of the row of each; rows are dealt out to five folds in turn.
    """
    p, right, fold = np.asarray(p, float), np.asarray(right), np.asarray(rows) % FOLDS
    found = np.empty(len(p))
    for n in range(FOLDS):
        found[fold == n] = fit_curve(p[fold != n], right[fold != n]).of(p[fold == n])
    return found


def _log_odds(p: Numbers) -> Numbers:
    inside = np.clip(p, MARGIN, 1 - MARGIN)
    return np.asarray(np.log(inside / (1 - inside)))
