"""Extraction of links from similarity or probability matrices.

SimAlign's three extractions are those of Jalili Sabet et al. (2020), "SimAlign: High Quality Word
Alignments without Parallel Training Data using Static and Contextualized Embeddings", sections
2.2-2.4: Argmax (mutual argmax), Itermax and Match (maximum-weight matching). AWESoME's are those of
Dou and Neubig (2021), "Word Alignment by Fine-tuning Embeddings on Parallel Corpora", section 2.1:
softmax and alpha-entmax in both directions, intersected above a least probability.

All take a matrix [n_source, n_target] and return a boolean mask of the same shape.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool]


def mutual_argmax(similarity: Matrix) -> Mask:
    """Links where each side is the other's best (the first one where several are equal)."""
    links = np.zeros(similarity.shape, dtype=bool)
    if similarity.size:
        forward = similarity.argmax(axis=1)
        backward = similarity.argmax(axis=0)
        rows = np.arange(len(forward))
        mutual = np.flatnonzero(backward[forward] == rows)
        links[mutual, forward[mutual]] = True
    return links


def itermax(similarity: Matrix, iterations: int = 2, alpha: float = 0.9) -> Mask:
    """Mutual argmax repeated with covered words discounted (SimAlign, Algorithm 1).

    Args:
        similarity: [n_source, n_target], values in [0, 1].
        iterations: rounds in all; 1 is mutual argmax.
        alpha: discount, in [0, 1], for links between a covered and an uncovered word; links
            between two covered words are excluded.
    """
    links = mutual_argmax(similarity)
    if min(similarity.shape) <= 2:
        return links
    for _ in range(iterations - 1):
        free_source: Mask = np.logical_not(links.any(axis=1))
        free_target: Mask = np.logical_not(links.any(axis=0))
        if not (free_source.any() and free_target.any()):
            break
        discount = np.minimum(alpha * (free_source[:, None] + free_target[None, :] * 1.0), 1.0)
        allowed = free_source[:, None] | free_target[None, :]
        new = mutual_argmax(similarity * discount) & allowed
        if not (new & ~links).any():
            break
        links |= new
    return links


def max_weight_matching(similarity: Matrix) -> Mask:
    """The one-to-one matching of greatest total similarity among those of maximum size (Match)."""
    from scipy.optimize import linear_sum_assignment

    links = np.zeros(similarity.shape, dtype=bool)
    if similarity.size:
        links[linear_sum_assignment(similarity, maximize=True)] = True
    return links


def softmax(scores: Matrix, axis: int) -> Matrix:
    """Probabilities along an axis."""
    shifted = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=axis, keepdims=True))


def entmax15(scores: Matrix, axis: int) -> Matrix:
    """1.5-entmax: sparse probabilities (Peters et al. 2019, "Sparse Sequence-to-Sequence Models").

    Exact by sorting (their Algorithm 2): p = max(0, z - tau)^2 with z = (scores - max) / 2.
    """
    z = np.moveaxis(scores - scores.max(axis=axis, keepdims=True), axis, -1) / 2
    ordered = -np.sort(-z, axis=-1)
    k = np.arange(1, z.shape[-1] + 1)
    mean = ordered.cumsum(axis=-1) / k
    mean_square = (ordered**2).cumsum(axis=-1) / k
    spread = np.maximum((1 - k * (mean_square - mean**2)) / k, 0)
    tau = mean - np.sqrt(spread)
    support = (tau <= ordered).sum(axis=-1, keepdims=True)
    threshold = np.take_along_axis(tau, support - 1, axis=-1)
    return np.asarray(np.moveaxis(np.maximum(z - threshold, 0) ** 2, -1, axis))


def bidirectional(forward: Matrix, backward: Matrix, min_score: float) -> Mask:
    """Links whose probability exceeds ``min_score`` in both directions (AWESoME, equation 1)."""
    return np.asarray((forward > min_score) & (backward > min_score))


def harmonic_mean(forward: Matrix, backward: Matrix) -> Matrix:
    """2pq / (p + q), 0 where both are 0: the score of a link from its two probabilities."""
    total = forward + backward
    return np.asarray(2 * forward * backward / np.where(total > 0, total, 1))
