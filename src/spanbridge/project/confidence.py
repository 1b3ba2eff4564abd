"""How probable it is that a projected span is exactly right.

Logistic regression (Platt 1999) on what a method knows of a span, fitted by ``python -m benchmarks
calibration`` on the first 400 sentences of Europarl-NER, English into German and Spanish, aligned by
the method's own default; that command prints reliability, expected calibration error by
cross-fitting, and precision and recall along the threshold. On other text, or with links from
elsewhere, take the probability as a ranking.
"""

from __future__ import annotations

import math
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
    "soft": Calibration(0.1, (2.22, 2.03)),
    "corpus, first pass": Calibration(0.1, (2.22, 2.03)),
    "corpus, encoder": Calibration(-0.45, (2.86, 1.8)),
    "corpus, no encoder": Calibration(-2.29, (3.49, 3.87)),
    "greedy": Calibration(0.0, (1.0,)),
    "exact": Calibration(0.0, (1.0,)),
    "heuristic": Calibration(0.0, (1.0,)),
}
# Probability that nothing was to be projected where nothing was.
DROPPED_RIGHTLY = 0.5
