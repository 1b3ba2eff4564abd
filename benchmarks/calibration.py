"""Fit and check the probabilities of `project/confidence.py`: how often are spans exactly right?"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from benchmarks.data import europarl
from spanbridge.align.encoder import EncoderAligner
from spanbridge.align.statistical import FusedAligner, StatisticalAligner
from spanbridge.core.evidence import Evidence
from spanbridge.project import soft
from spanbridge.project.confidence import CALIBRATIONS, MARGIN
from spanbridge.project.heuristic import HeuristicProjector
from spanbridge.project.projector import ExactProjector, GreedyProjector, in_order
from spanbridge.project.soft import CorpusProjector, SoftProjector

FITTED_ON = (("en", "de"), ("en", "es"))
OTHERS = (("de", "en"), ("es", "en"), ("de", "es"), ("es", "de"))
FOLDS = 5


def observe(name, pairs, aligners):
    """Features and rightness of every projected span, the rows they are in, and counts."""
    features, right, rows = [], [], []
    n_dropped = n_rightly = 0
    hard = {"greedy": GreedyProjector, "exact": ExactProjector, "heuristic": HeuristicProjector}
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
        hard[name]() if name in hard else (SoftProjector() if name == "soft" else CorpusProjector())
    )
    if isinstance(method, CorpusProjector) and "first" not in name:
        method.fit(zip(pairs, found, strict=True))
    elif isinstance(method, CorpusProjector):
        method.learned.has_states = not name.endswith("no encoder")
        for pair in pairs:
            method.learned.statistics.add_words(pair)
    for row, (pair, evidence) in enumerate(zip(pairs, found, strict=True)):
        gold = {span[:3] for span in pair.target.spans}
        if name in hard:
            result = method.project(pair.source.spans, evidence)
            observed = [(span, (span.score,)) for span in result.spans]
        else:
            observed, result = _soft(method, pair, evidence)
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
    return np.array(features), np.array(right), n_gold, (n_dropped, n_rightly)


def _soft(method, pair, evidence: Evidence):
    weights = method.weights()
    entities = in_order(pair.source.spans)
    result = method.project(pair, evidence)
    chosen, scored = soft.solve(method.view(pair, evidence), entities, weights, method.solver)
    observed = []
    for (e, start, end, _), span in zip(chosen, result.spans, strict=True):
        at = scored[e].place(start, end)
        margin = min(scored[e].margin(at, weights.threshold), MARGIN)
        observed.append((span, (float(scored[e].total[at]), margin)))
    return observed, result


def fit(features, right):
    """Coefficients, the constant first."""
    from scipy.optimize import minimize

    x = np.c_[np.ones(len(right)), features]

    def loss(w):
        z = x @ w
        value = (np.logaddexp(0, -z) * right + np.logaddexp(0, z) * ~right).mean()
        p = 1 / (1 + np.exp(-z))
        penalty = 1e-3 * (w[1:] ** 2).sum()
        return value + penalty, x.T @ (p - right) / len(right) + 2e-3 * np.r_[0, w[1:]]

    return minimize(loss, np.zeros(x.shape[1]), jac=True).x


def apply(w, features):
    """Probabilities."""
    return 1 / (1 + np.exp(-(w[0] + features @ w[1:])))


def calibration_error(p, right, bins=10):
    """Expected calibration error over bins of equal width (Naeini et al. 2015)."""
    at = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [abs(p[at == b].sum() - right[at == b].sum()) for b in range(bins)]
    return sum(gaps) / len(p)


def main() -> None:
    """For each method: coefficients, cross-fitted error, transfer, the threshold's curve."""
    encoder = EncoderAligner()
    aligners = {"encoder": encoder, "both": FusedAligner(encoder), "none": StatisticalAligner()}
    for name in CALIBRATIONS:
        sets = [observe(name, europarl(*d), aligners) for d in FITTED_ON]
        features, right = (np.concatenate([s[k] for s in sets]) for k in (0, 1))
        n_gold = sum(s[2] for s in sets)
        dropped = [sum(s[3][k] for s in sets) for k in (0, 1)]
        fold = np.random.default_rng(0).integers(0, FOLDS, len(right))
        p = np.empty(len(right))
        for f in range(FOLDS):
            p[fold == f] = apply(fit(features[fold != f], right[fold != f]), features[fold == f])
        w = fit(features, right)
        print(
            f"\n{name}: coefficients {np.round(w, 2).tolist()}; calibration error "
            f"{calibration_error(p, right):.3f} by cross-fitting; of {dropped[0]} source spans "
            f"left out, {dropped[1]} had no gold span of their label left"
        )
        edges = np.linspace(0, 1, 11)
        for low, high in pairwise(edges):
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
        order = np.argsort(-p)
        hits = np.cumsum(right[order])
        precision = hits / np.arange(1, len(hits) + 1)
        enough = hits / n_gold >= 0.85
        best = precision[enough].max() if enough.any() else float("nan")
        print(f"  best precision at recall >= .85: {best:.4f}")
        for s, t in OTHERS:
            x, y, *_ = observe(name, europarl(s, t), aligners)
            print(f"  {s}-{t}: calibration error {calibration_error(apply(w, x), y):.3f}")


if __name__ == "__main__":
    main()
