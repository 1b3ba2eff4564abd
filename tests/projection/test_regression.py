"""The regression: against plain gradient descent, fold by fold, for dense and sparse features."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import seldom
from scipy.sparse import csr_array

from spanbridge.projection.regression import cross_fit, softmax


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@seldom
@given(st.integers(0, 2**32 - 1))
def test_softmax(seed):
    scores = normal(seed, 5, 4) * 100
    found = softmax(scores)
    wide = scores.astype(np.float64)
    for row, of_row in zip(found, wide, strict=True):
        expected = [1 / sum(np.exp(np.minimum(of_row - x, 700))) for x in of_row]
        np.testing.assert_allclose(row, expected, atol=1e-5)


def loss_and_gradient(matrix, classes, weights, ridge):
    """Mean cross-entropy + ridge / 2 * |weights|^2, in double precision."""
    scores = matrix @ weights
    p = np.exp(scores - scores.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    one_hot = np.eye(weights.shape[1])[classes]
    loss = -np.log((p * one_hot).sum(1)).mean() + ridge / 2 * (weights**2).sum()
    return loss, matrix.T @ (p - one_hot) / len(classes) + ridge * weights


def plain(matrix, classes, n_classes, ridge):
    weights = np.zeros((matrix.shape[1], n_classes))
    for _ in range(3000):
        weights -= 0.3 * loss_and_gradient(matrix, classes, weights, ridge)[1]
    return weights


def labelled(seed, separable):
    matrix = np.hstack([normal(seed, 30, 2), np.ones((30, 1), np.float32)])
    classes = np.argmax(matrix[:, :2] @ [[1, 0, -1], [0, 1, -1]], 1)
    if not separable:
        classes[::3] = (classes[::3] + 1) % 3
    return matrix, classes


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("separable", [True, False])
def test_each_fold_finds_the_minimum_of_the_others(seed, separable):
    """That of plain gradient descent without the fold's rows; fold 2 has none to leave out."""
    matrix, classes = labelled(seed, separable)
    folds = np.arange(30) % 2
    found = cross_fit(matrix, classes, folds, 3, n_folds=3, ridge=0.05, steps=80)
    assert len(found) == 3
    for fold, weights in enumerate(found):
        kept = folds != fold
        expected = plain(matrix[kept], classes[kept], 3, 0.05)
        np.testing.assert_allclose(weights, expected, atol=0.01)


def test_sparse_features_and_the_same_ones_written_out():
    """Indicators; one occurs twice in a row."""
    rng = np.random.default_rng(3)
    matrix = (rng.random((40, 6)) < 0.4).astype(np.float32)
    matrix[:, 0], matrix[5, 2] = 1, 2
    classes = (matrix[:, 1] + 2 * matrix[:, 3]).astype(np.int64) % 3
    settings = {"n_folds": 2, "ridge": 0.02, "steps": 300}
    folds = np.arange(40) % 2
    dense = cross_fit(matrix, classes, folds, 3, **settings)
    sparse = cross_fit(csr_array(matrix), classes, folds, 3, **settings)
    for one, other in zip(dense, sparse, strict=True):
        np.testing.assert_allclose(one, other, atol=0.01)


@pytest.mark.parametrize("scale", [1, 30])
def test_a_loss_that_would_rise_takes_smaller_steps(scale):
    """Even classes that no feature tells: the curvature is greatest, so that steps overshoot."""
    matrix = scale * np.hstack([normal(4, 64, 3), np.ones((64, 1), np.float32)])
    classes = np.arange(64) % 2
    folds = np.arange(64) // 2 % 2
    for steps in (1, 2, 3, 5, 8, 15):
        found = cross_fit(matrix, classes, folds, 2, n_folds=2, ridge=1e-3, steps=steps)
        after = [
            loss_and_gradient(matrix[folds != fold], classes[folds != fold], weights, 1e-3)[0]
            for fold, weights in enumerate(found)
        ]
        assert sum(after) <= 2 * np.log(2) + 1e-5


def test_a_class_that_never_occurs_becomes_improbable():
    matrix = np.hstack([normal(1, 40, 2), np.ones((40, 1), np.float32)])
    classes = (matrix[:, 0] > 0).astype(np.int64)
    folds = np.arange(40) % 2
    weights, _ = cross_fit(matrix, classes, folds, 5, n_folds=2, ridge=1e-3, steps=60)
    found = softmax(matrix @ weights)
    assert (found.argmax(1) == classes).mean() > 0.9
    assert found[:, 2:].max() < 0.1


def test_matrix_products_have_one_thread_even_those_of_a_scipy_that_was_not_loaded_before():
    code = """
import numpy as np
from threadpoolctl import threadpool_info
from spanbridge.projection import regression
seen = set()
def watched(features, *rest):
    seen.update(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")
    return np.zeros((1, 2, 2), np.float32)
regression._descend = watched
rows = np.zeros(2, np.int64)
ones = np.ones((2, 1), np.float32)
regression.cross_fit(ones, rows, np.arange(2), 2, n_folds=2, ridge=1, steps=1)
print(seen)
"""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "{1}"
