"""Confidence: the probability that a projected span is exactly right.

Beta calibration (Kull, Silva Filho and Flach 2017) without the term for small scores, which is not
needed here: logistic regression on the logarithm of the difference between a span's score and the
best one. Most scores lie close to the best, where a logistic curve of the score itself (Platt 1999)
cannot separate them. Fitted by ``python -m benchmarks calibration`` on the first 400 sentences of
Europarl-NER, English into German and Spanish, with the method's default aligner; that command
prints reliability, expected calibration error by cross-fitting and on the other directions, and
precision and recall by min_confidence. On other text, or with links from elsewhere, the probability
is only a ranking.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

# What all of them were fitted on.
FITTED_ON = "Europarl-NER, English into German and Spanish"
# Greater margins count as this.
MAX_MARGIN = 0.5
# Added to the relative difference from the best score, to keep the logarithm finite.
EPSILON = 0.01


def closeness(score: float, best: float) -> float:
    """Closeness of a score to the best, -log(1 - score / best + EPSILON): about 0 to 4.6."""
    return -math.log(1 - min(score / best, 1.0) + EPSILON)


@dataclass(frozen=True)
class Calibration:
    """1 / (1 + exp(-(intercept + weight * closeness of the score + sum of weight * feature))).

    Attributes:
        best: the greatest score that the method can give.
        intercept: log-odds if all features are 0.
        weights: weight of the score's closeness, then of the other features; none is negative, so
            that more evidence never lowers the probability.
    """

    best: float
    intercept: float
    weights: tuple[float, ...]

    def __call__(self, score: float, *others: float) -> float:
        """Probability, in (0, 1), for a score up to ``best`` and the other features."""
        total = self.weights[0] * closeness(score, self.best)
        for weight, feature in zip(self.weights[1:], others, strict=True):
            total += weight * feature
        # added weights may be of any size; exp() of more than 709 overflows
        return 1 / (1 + math.exp(min(-self.intercept - total, 700.0)))

    def towards(self, other: Calibration, share: float, best: float) -> Calibration:
        """A weighted mean of this curve and another one of as many features, with another best."""
        mean = (
            (1 - share) * a + share * b for a, b in zip(self.weights, other.weights, strict=True)
        )
        intercept = (1 - share) * self.intercept + share * other.intercept
        return Calibration(best, intercept, tuple(mean))

    def max_confidence(self) -> float:
        """Probability for the best score and the best values of the other features."""
        return self(self.best, *(MAX_MARGIN, 0.0)[: len(self.weights) - 1])


# Features of soft methods: score, margin, and of `corpus` the label's log-probability among all
# labels by the tagger on word forms, which a first pass does not have. Feature of link methods:
# support (see candidates.py).
CALIBRATIONS = {
    "soft": Calibration(1.0, -0.09, (0.61, 3.31)),
    "corpus, first pass, encoder": Calibration(1.3, 0.25, (0.8, 1.39, 0.0)),
    "corpus, first pass, no encoder": Calibration(1.45, -1.05, (1.12, 3.59, 0.0)),
    "corpus, encoder": Calibration(2.01, 1.08, (1.13, 2.9, 0.86)),
    "corpus, no encoder": Calibration(1.3, -0.86, (2.62, 3.14, 0.23)),
    "greedy": Calibration(1.0, -0.53, (0.75,)),
    "exact": Calibration(1.0, -0.68, (0.79,)),
    "heuristic": Calibration(1.0, 0.25, (0.6,)),
    "match": Calibration(1.0, -0.82, (0.0, 13.05)),
}
# Share of unprojected source spans that have no gold span, on the same data.
CORRECTLY_DROPPED = 0.65


def sentence_confidence(spans: Iterable[float], n_dropped: int) -> float:
    """Probability that a sentence's whole projection is right, with its spans taken as independent.

    ``spans`` are the probabilities of the projected spans; ``n_dropped`` source spans were not
    projected.
    """
    return math.prod(spans) * CORRECTLY_DROPPED**n_dropped
