"""Fit and check the probabilities of `project/confidence.py`: how often are spans exactly right?

Of about 700 spans the calibration error is noisy, and never 0: so every error is printed beside the
mean error that the same probabilities would have if they were true. Cross-fitting leaves whole
English sentences out, with the spans of both languages, and is repeated with other folds.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from benchmarks.real_data import europarl
from spanbridge.align.encoder_aligner import EncoderAligner
from spanbridge.align.statistical import FusedAligner, StatisticalAligner
from spanbridge.project.confidence import CALIBRATIONS, closeness
from spanbridge.project.heuristic import HeuristicMethod
from spanbridge.project.projector import ExactMethod, GreedyMethod
from spanbridge.project.soft import CorpusMethod, SoftMethod

FITTED_ON = (("en", "de"), ("en", "es"))
OTHERS = (("de", "en"), ("es", "en"), ("de", "es"), ("es", "de"))
FOLDS = 5
REPEATS = 10
RIDGE = 1e-4  # weight of the squared norm: steadies the fit, too little to flatten the curve
MIN_RECALL = 0.85


def observe(name, pairs, aligners):
    """Features and rightness of every projected span, the rows they are in, and counts."""
    features, right, rows = [], [], []
    best = CALIBRATIONS[name].best
    n_dropped = n_rightly = 0
    hard = {"greedy": GreedyMethod, "exact": ExactMethod, "heuristic": HeuristicMethod}
    aligner = aligners[
        "none"
        if name.endswith("no encoder")
        else "encoder"
        if name == "soft" or name in hard
        else "both"
    ]
    aligner.fit(pairs)
    found = aligner.align(pairs) if name in hard else aligner.evidence(pairs)
    method = (
        hard[name]() if name in hard else (SoftMethod() if name == "soft" else CorpusMethod())
    )
    if isinstance(method, CorpusMethod) and "first" not in name:
        method.fit(zip(pairs, found, strict=True))
    elif isinstance(method, CorpusMethod):
        method.learned.has_states = not name.endswith("no encoder")
        for pair in pairs:
            method.learned.statistics.add_words(pair)
    for row, (pair, evidence) in enumerate(zip(pairs, found, strict=True)):
        gold = {span[:3] for span in pair.target.spans}
        if name in hard:
            result = method.project(pair.source.spans, evidence)
            observed = [(span, (closeness(span.score, best),)) for span in result.spans]
        else:
            observed, result = _soft(method.decide(pair, evidence), best)
        features += [x for _, x in observed]
        right += [span[:3] in gold for span, _ in observed]
        rows += [row] * len(observed)
        n_dropped += len(result.dropped)
        got = {span[:3] for span in result.spans}
        missed = [label for _, _, label in gold - got]
        for span, _ in result.dropped:
            if span.label in missed:
                missed.remove(span.label)
            else:
                n_rightly += 1
    n_gold = sum(len(pair.target.spans) for pair in pairs)
    return np.array(features), np.array(right), np.array(rows), n_gold, (n_dropped, n_rightly)


def _soft(decision, best):
    observed = []
    for (score, *others), span in zip(
        decision.grounds.values(), decision.projection.spans, strict=True
    ):
        observed.append((span, (closeness(score, best), *others)))
    return observed, decision.projection


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


def calibration_error(p, right, bins=10):
    """Expected calibration error over bins of equal width (Naeini et al. 2015)."""
    at = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [abs(p[at == b].sum() - right[at == b].sum()) for b in range(bins)]
    return sum(gaps) / len(p)


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
    """Of ten bins, and precision and recall along the threshold."""
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


def main() -> None:
    """For each method: coefficients, cross-fitted error, transfer, the threshold's curve."""
    encoder = EncoderAligner()
    aligners = {"encoder": encoder, "both": FusedAligner(encoder), "none": StatisticalAligner()}
    for name in CALIBRATIONS:
        sets = [observe(name, europarl(*d), aligners) for d in FITTED_ON]
        features, right, rows = (np.concatenate([s[k] for s in sets]) for k in range(3))
        n_gold = sum(s[3] for s in sets)
        dropped = [sum(s[4][k] for s in sets) for k in (0, 1)]
        w = fit(features, right)
        print(
            f"\n{name}: coefficients {np.round(w, 2).tolist()}; of {dropped[0]} source spans "
            f"left out, {dropped[1]} had no gold span of their label left"
        )
        fitted = [cross_fit(features, right, rows, seed) for seed in range(REPEATS)]
        errors = [calibration_error(p, right) for p in fitted]
        print(
            f"  calibration error {np.mean(errors):.3f} by cross-fitting "
            f"({min(errors):.3f} to {max(errors):.3f} by folds; {error_if_true(fitted[0])})"
        )
        print_reliability(fitted[0], right, n_gold)
        precision = np.mean([best_precision(p, right, n_gold) for p in fitted])
        print(f"  best precision at recall >= {MIN_RECALL}: {precision:.4f}")
        for s, t in OTHERS:
            x, y, _, n_gold, _ = observe(name, europarl(s, t), aligners)
            p = apply(w, x)
            print(
                f"  {s}-{t}: calibration error {calibration_error(p, y):.3f} ({error_if_true(p)}), "
                f"best precision at recall >= {MIN_RECALL}: {best_precision(p, y, n_gold):.4f}"
            )


if __name__ == "__main__":
    main()
