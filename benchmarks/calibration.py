"""Probabilities of `projection/confidence.py`: fitted, and compared with how often they hold.

Prints: for each method its coefficients as they stand in that file, reliability, the threshold's
    curve, and the calibration error by cross-fitting and on untouched directions. Of about 700
    spans that error is noisy, and never 0: so every error is printed beside the mean error that the
    same probabilities would have if they were true. Cross-fitting leaves whole English sentences
    out, with the spans of both languages, and is repeated with other folds.
Takes: about a minute per method on two cores.
Data: Europarl-NER dev: fitted on English into German and Spanish.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from benchmarks.real_data import europarl
from spanbridge import Projector, SentencePair
from spanbridge.alignment.base import Aligner
from spanbridge.core import registry
from spanbridge.evaluation.calibration import calibration_error
from spanbridge.projection.confidence import CALIBRATIONS, Calibration, closeness

FITTED_ON = (("en", "de"), ("en", "es"))
OTHERS = (("de", "en"), ("es", "en"), ("de", "es"), ("es", "de"))
FOLDS = 5
REPEATS = 10
RIDGE = 1e-4  # weight of the squared norm: steadies the fit, too little to flatten the curve
MIN_RECALL = 0.85


class Observed(NamedTuple):
    """Projected spans of a bitext.

    Attributes:
        features: closeness of the score, and the method's further features, of every span.
        right: whether each is exactly a gold span.
        rows: the row that each stands in.
        n_gold: gold spans.
        n_dropped, n_rightly: source spans left out; those that had no gold span left either.
    """

    features: Any
    right: Any
    rows: Any
    n_gold: int
    n_dropped: int
    n_rightly: int


@dataclass(frozen=True)
class Recording(Calibration):
    """A calibration that keeps the features of every span that it is asked for."""

    seen: list[tuple[float, ...]] = field(default_factory=list)

    def __call__(self, score: float, *others: float) -> float:
        """The probability; the features are kept."""
        self.seen.append((closeness(score, self.best), *others))
        return super().__call__(score, *others)


@cache
def load_aligner(name: str) -> Aligner:
    """An aligner, loaded once."""
    made: Aligner = registry.build("aligner", name, {})
    return made


def observe(name: str, pairs: Sequence[SentencePair]) -> Observed:
    """Project a bitext and look at every span."""
    method = registry.build("method", name.partition(",")[0], {})
    aligner = "statistical" if name.endswith("no encoder") else method.aligner
    projector = Projector(method, load_aligner(aligner)).fit(pairs)
    if "first pass" in name:
        method.state.told = {}
        method.settle(method.state)
    recording = Recording(**vars(method.calibration()))
    method.calibration = lambda: recording
    right, rows = [], []
    n_dropped = n_rightly = 0
    for row, (pair, found) in enumerate(zip(pairs, projector.run(pairs), strict=True)):
        gold = {span[:3] for span in pair.target.spans}
        got = [span[:3] for span in found.target.spans]
        right += [span in gold for span in got]
        rows += [row] * len(got)
        dropped = _labels(span[:3] for span in pair.source.spans) - _labels(got)
        n_dropped += dropped.total()
        n_rightly += (dropped - _labels(gold - {*got})).total()
    n_gold = sum(len(pair.target.spans) for pair in pairs)
    features = np.array(recording.seen)
    return Observed(features, np.array(right), np.array(rows), n_gold, n_dropped, n_rightly)


def _labels(spans) -> Counter[str]:
    return Counter(label for _, _, label in spans)


def fit(features, right):
    """Coefficients, the constant first; the others at least 0, so that the curve never falls."""
    from scipy.optimize import minimize

    x = np.c_[np.ones(len(right)), features]

    def loss(w):
        z = x @ w
        value = (np.logaddexp(0, -z) * right + np.logaddexp(0, z) * ~right).mean()
        p = 1 / (1 + np.exp(-z))
        penalty = RIDGE * (w[1:] ** 2).sum()
        return value + penalty, x.T @ (p - right) / len(right) + 2 * RIDGE * np.r_[0, w[1:]]

    bounds = [(None, None), *[(0, None)] * (x.shape[1] - 1)]
    return minimize(loss, np.zeros(x.shape[1]), jac=True, bounds=bounds, method="L-BFGS-B").x


def apply(w, features):
    """Probabilities."""
    return 1 / (1 + np.exp(-(w[0] + features @ w[1:])))


def error_if_true(p, repeats=200):
    """Mean and deviation of the error of probabilities that hold exactly."""
    random = np.random.default_rng(0)
    errors = [calibration_error(p, random.random(len(p)) < p) for _ in range(repeats)]
    return f"{np.mean(errors):.3f} +- {np.std(errors):.3f} if they were true"


def cross_fit(features, right, rows, seed):
    """Probabilities of every span, fitted without its sentence."""
    fold = np.random.default_rng(seed).integers(0, FOLDS, rows.max() + 1)[rows]
    p = np.empty(len(right))
    for f in range(FOLDS):
        p[fold == f] = apply(fit(features[fold != f], right[fold != f]), features[fold == f])
    return p


def best_precision(p, right, n_gold):
    """Best precision that a threshold gives with enough recall; nan if there never is."""
    hits = np.cumsum(right[np.argsort(-p, kind="stable")])
    enough = hits / n_gold >= MIN_RECALL
    precision = hits / np.arange(1, len(hits) + 1)
    return precision[enough].max() if enough.any() else float("nan")


def print_reliability(p, right, n_gold):
    """Print ten bins, and precision and recall along the threshold."""
    for low, high in pairwise(np.linspace(0, 1, 11)):
        inside = (p >= low) & (p < high)
        if inside.any():
            print(
                f"  {low:.1f}-{high:.1f} {inside.sum():>5} spans, said {p[inside].mean():.3f}, "
                f"right {right[inside].mean():.3f}"
            )
    for least in (0.0, 0.5, 0.7, 0.8, 0.9, 0.95):
        kept = p >= least
        n = right[kept].sum()
        print(
            f"  --min-confidence {least:.2f}: precision {n / max(kept.sum(), 1):.3f}, "
            f"recall {n / n_gold:.3f}"
        )


def main(names: Sequence[str] = tuple(CALIBRATIONS), rows: int | None = None) -> None:
    """For each method: coefficients, cross-fitted error, the threshold's curve, transfer."""
    for name in names:
        sets = [observe(name, europarl(*direction)[:rows]) for direction in FITTED_ON]
        features, right, at = (np.concatenate([s[k] for s in sets]) for k in range(3))
        n_gold, n_dropped, n_rightly = (sum(s[k] for s in sets) for k in (3, 4, 5))
        intercept, *weights = (round(float(w), 2) for w in fit(features, right))
        made = f"Calibration({CALIBRATIONS[name].best}, {intercept}, {tuple(weights)})"
        print(f'\n    "{name}": {made},')
        print(
            f"  of {n_dropped} source spans left out, {n_rightly} had no gold span of their label "
            "left"
        )
        fitted = [cross_fit(features, right, at, seed) for seed in range(REPEATS)]
        errors = [calibration_error(p, right) for p in fitted]
        print(
            f"  calibration error {np.mean(errors):.3f} by cross-fitting "
            f"({min(errors):.3f} to {max(errors):.3f} by folds; {error_if_true(fitted[0])})"
        )
        print_reliability(fitted[0], right, n_gold)
        precision = np.mean([best_precision(p, right, n_gold) for p in fitted])
        print(f"  best precision at recall >= {MIN_RECALL}: {precision:.4f}", flush=True)
        for s, t in OTHERS:
            other = observe(name, europarl(s, t)[:rows])
            p = apply(np.array([intercept, *weights]), other.features)
            best = best_precision(p, other.right, other.n_gold)
            print(
                f"  {s}-{t}: calibration error {calibration_error(p, other.right):.3f} "
                f"({error_if_true(p)}), best precision at recall >= {MIN_RECALL}: {best:.4f}",
                flush=True,
            )
