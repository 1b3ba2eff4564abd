"""Multinomial logistic regression, for every fold of the data at once, each left out in turn.

Accelerated gradient descent (Nesterov 1983) with a fixed preconditioner: a bound of the loss's
curvature by the features' second moments (Boehning and Lindsay 1988), in full for dense features,
by its diagonal for sparse ones. The folds share the features, so that their scores are one product
with blocks of weights side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

# Curvature of a cross-entropy in its scores, to begin with; doubled whenever the loss rises. It is
# 1/2 at most, but far less for words that are nearly certain, as most are.
CURVATURE = 0.15
LEAST = 1e-30  # probability, for its logarithm


def softmax(scores: Floats) -> Floats:
    """Softmax over the last axis."""
    # max() and sum() would take several times as long, as there are few classes
    first = np.arange(0, scores.size, scores.shape[-1])
    most = np.maximum.reduceat(scores.ravel(), first).reshape(*scores.shape[:-1], 1)
    powers: Floats = scores - most
    np.exp(powers, out=powers)
    powers /= np.einsum("...i->...", powers)[..., None]
    return powers


def cross_fit(
    features: Any,
    classes: Indices,
    folds: Indices,
    n_classes: int,
    *,
    n_folds: int,
    ridge: float,
    steps: int,
) -> list[Floats]:
    """Weights [n_features, n_classes] for each fold, learned from the rows of all others.

    They approach the least mean cross-entropy + ridge / 2 * |weights|^2.

    Args:
        features: [n_rows, n_features], an array or a sparse one (CSR), float32.
        classes, folds: those of each row, from 0.
        n_classes, n_folds: how many there are; the rows are of two folds or more.
        ridge: L2 regularisation.
        steps: steps of descent.
    """
    # brings a BLAS of its own, which no limit that was set before it was loaded holds
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    share = (folds[:, None] != np.arange(n_folds)).astype(np.float32)
    share /= share.sum(0)  # of each row in the mean loss of each fold's weights
    with threadpool_limits(1, user_api="blas"):
        found = _descend(features, classes, share, n_classes, ridge, steps)
    return [np.ascontiguousarray(found[:, fold]) for fold in range(n_folds)]


def _descend(
    features: Any, classes: Indices, share: Floats, n_classes: int, ridge: float, steps: int
) -> Floats:
    """Weights [n_features, n_folds, n_classes]."""
    n_folds = share.shape[1]
    rows = np.arange(len(classes))
    step = _preconditioned(features, ridge)
    transposed = features.T if isinstance(features, np.ndarray) else features.T.tocsr()

    def loss(weights: Floats) -> tuple[float, Floats]:
        p = softmax(np.asarray(features @ weights).reshape(len(rows), n_folds, n_classes))
        own = p[rows, :, classes]
        p[rows, :, classes] = own - 1
        own = np.log(np.maximum(own, LEAST))
        p *= share[:, :, None]
        gradient: Floats = np.asarray(transposed @ p.reshape(len(rows), -1))
        gradient += np.float32(ridge) * weights
        penalty = 0.5 * ridge * float((weights * weights).sum(dtype=np.float64))
        return penalty - float((own * share).sum(dtype=np.float64)), gradient

    weights = ahead = np.zeros((features.shape[1], n_folds * n_classes), np.float32)
    last, gradient = loss(ahead)
    curvature, t = CURVATURE, 1.0
    for _ in range(steps - 1):
        after = ahead - step(gradient, curvature)
        following = (1 + (1 + 4 * t * t) ** 0.5) / 2
        tried = after + np.float32((t - 1) / following) * (after - weights)
        value, slope = loss(tried)
        if value > last:  # from the same place again, with half the step and without momentum
            curvature, t, weights = 2 * curvature, 1.0, ahead
        else:
            weights, ahead, last, gradient, t = after, tried, value, slope, following
    found: Floats = ahead.reshape(-1, n_folds, n_classes)
    return found


def _preconditioned(features: Any, ridge: float) -> Callable[[Floats, float], Floats]:
    """A gradient divided by (curvature * second moments of the features + ridge)."""
    n = features.shape[0]
    if isinstance(features, np.ndarray):
        moments, axes = np.linalg.eigh((features.T @ features / n).astype(np.float64))
        axes = axes.astype(np.float32)

        def by_all(gradient: Floats, curvature: float) -> Floats:
            scale = (1 / (curvature * moments + ridge)).astype(np.float32)
            return np.asarray(axes @ (scale[:, None] * (axes.T @ gradient)))

        return by_all
    # of features that are 0 or 1; a row's number of features bounds how they act together
    diagonal = (features.T @ np.diff(features.indptr).astype(np.float64) / n)[:, None]

    def by_diagonal(gradient: Floats, curvature: float) -> Floats:
        return np.asarray(gradient / (curvature * diagonal + ridge).astype(np.float32))

    return by_diagonal
