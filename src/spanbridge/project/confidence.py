"""How probable it is that a projected span is exactly right.

Logistic regression (Platt 1999) on what a method knows of a span, fitted by ``python -m benchmarks
calibration`` on the first 400 sentences of Europarl-NER, English into German and Spanish, aligned
by the method's own default; that command prints reliability, expected calibration error by
cross-fitting, and precision and recall along the threshold. On other text, or with links from
elsewhere, take the probability as a ranking.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

# Margins beyond this say no more.
MARGIN = 0.5


@dataclass(frozen=True)
class Calibration:
    """1 / (1 + exp(-(intercept + sum of weight * feature)))."""

    intercept: float
    weights: tuple[float, ...]

    def __call__(self, *features: float) -> float:
        """Probability, in (0, 1)."""
        z = self.intercept + sum(w * x for w, x in zip(self.weights, features, strict=True))
        return 1 / (1 + math.exp(-z))


# Of the soft methods: score and margin. Of the methods on links: support (see candidates.py).
CALIBRATIONS = {
    "soft": Calibration(0.13, (2.19, 1.99)),
    "corpus, first pass, encoder": Calibration(0.73, (2.1, 1.17)),
    "corpus, first pass, no encoder": Calibration(-2.12, (3.06, 2.25)),
    "corpus, encoder": Calibration(-0.58, (2.23, 1.0)),
    "corpus, no encoder": Calibration(-1.03, (3.38, 2.32)),
    "greedy": Calibration(0.26, (2.31,)),
    "exact": Calibration(-0.03, (2.59,)),
    "heuristic": Calibration(2.18, (0.66,)),
}
# How often a source span that was not projected had no gold span either, on the same data.
DROPPED_RIGHTLY = 0.65


def of_sentence(spans: Iterable[float], n_dropped: int) -> float:
    """Probability that all of a sentence's projection is right, its spans taken as independent.

    For filtering training data. A sentence without source spans has 1.
    """
    return math.prod(spans) * DROPPED_RIGHTLY**n_dropped
