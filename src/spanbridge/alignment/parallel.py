"""Translation scores of rows by their own links, for rows that no judge has learned to score.

Words of a translation have counterparts, mostly in about the same order; those of another sentence
have few. Punctuation has a counterpart anywhere and does not count. The score is a logistic
regression on four features of the alignment:

- coverage: mean over the words of both sides of their strongest link, weighted by the logarithm of
  the words' lengths;
- the logarithm of the number of words of the shorter side, by itself, times the coverage, and times
  the correlation of the places of linked words.

It was fitted on real pairs in 24 languages and the same sources beside other rows' targets, in
equal shares (``python -m benchmarks parallel`` shows how well it tells them apart). The links of
other aligners differ in number, so of hard links only the poorest are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

import numpy as np
import numpy.typing as npt

from spanbridge.core.links import WordAlignment
from spanbridge.core.soft_alignment import SoftAlignment

Floats = npt.NDArray[np.float64]

# By what the alignment rests on: intercept, and weights of the features.
COEFFICIENTS = {
    "encoder": (-9.62, 9.85, -0.06, 2.69, 0.21),
    "statistical": (-5.30, 5.41, -0.35, 4.49, 0.91),
    "links": (-5.23, 6.95, -0.17, -0.28, 1.25),
}
# Longer words weigh no more than this many characters.
LONGEST = 8


def translation_score(
    source: Sequence[str],
    target: Sequence[str],
    found: WordAlignment | SoftAlignment,
    evidence: str,
) -> float | None:
    """Probability that two sentences translate each other, in [0, 1], as many do as do not.

    None if there is nothing to judge by: no link between words, or evidence that links only words
    spelt alike.

    Args:
        source, target: words of both sides.
        found: their alignment.
        evidence: what it rests on (:attr:`spanbridge.alignment.base.Aligner.evidence`); hard links
            count as ``links`` whatever they rest on.
    """
    if isinstance(found, WordAlignment):
        evidence = "links" if evidence else ""
    if evidence not in COEFFICIENTS:
        return None
    weights = _weights(source), _weights(target)
    i, j, mass = _links(found)
    counts = (weights[0][i] > 0) & (weights[1][j] > 0)
    i, j, mass = i[counts], j[counts], mass[counts]
    if not len(mass):
        return None
    coverage = 0.0
    for weight, at in zip(weights, (i, j), strict=True):
        strongest = np.zeros(len(weight))
        np.maximum.at(strongest, at, mass)
        coverage += float(weight @ strongest / weight.sum()) / 2
    size = log(min(int((weight > 0).sum()) for weight in weights))
    features = (coverage, size, coverage * size, size * _correlation(i, j, mass))
    intercept, *own = COEFFICIENTS[evidence]
    total = intercept + sum(w * f for w, f in zip(own, features, strict=True))
    return 1 / (1 + exp(-total))


def _weights(words: Sequence[str]) -> Floats:
    """Weight of each word; 0 for one without a letter or digit."""
    return np.array(
        [log(1 + min(len(word), LONGEST)) if any(map(str.isalnum, word)) else 0.0 for word in words]
    )


def _links(
    found: WordAlignment | SoftAlignment,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    """Source and target word of each link, and its mass: geometric mean of both directions."""
    if isinstance(found, WordAlignment):
        pairs = np.array(found.pairs, np.int64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1], np.ones(len(pairs))
    mass = np.sqrt(found.forward * found.backward)
    rows, columns = np.nonzero(mass)
    return rows, columns, mass[rows, columns]


def _correlation(i: npt.NDArray[np.int64], j: npt.NDArray[np.int64], mass: Floats) -> float:
    """Correlation of the places of linked words, weighted by mass, at least 0.

    0 also if there is one place only. Languages with another order may reverse it; that is no sign
    against a translation.
    """
    share = mass / mass.sum()
    a, b = i - share @ i, j - share @ j
    spread = float((share @ a**2) * (share @ b**2))
    return max(float(share @ (a * b)) / spread**0.5, 0.0) if spread > 1e-9 else 0.0
