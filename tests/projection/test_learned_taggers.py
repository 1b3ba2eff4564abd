"""The taggers: features against dense matrices, the regression against plain descent, folds."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import often, seldom

from spanbridge.projection import learned_taggers
from spanbridge.projection.learned_taggers import (
    FOLDS,
    StateDesign,
    StatesTagger,
    WordDesign,
    WordsTagger,
    bioes,
    cross_fit,
    regress,
    softmax,
    word_features,
)

sentence_lengths = st.lists(st.integers(0, 4), min_size=1, max_size=5).filter(any)
seeds = st.integers(0, 2**32 - 1)


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def dense_states(states, lengths):
    """[word, its left neighbour, its right neighbour, 1]; zeros beyond a sentence's edge."""
    rows, at = [], 0
    nothing = np.zeros(states.shape[1])
    for length in lengths:
        sentence = states[at : at + length]
        at += length
        for k in range(length):
            before = sentence[k - 1] if k else nothing
            after = sentence[k + 1] if k + 1 < length else nothing
            rows.append(np.concatenate([sentence[k], before, after, [1.0]]))
    return np.array(rows)


@often
@given(sentence_lengths, seeds)
def test_states_are_features_of_their_own_sentence(lengths, seed):
    """Products with the explicit matrix, in which nothing crosses the sentences' boundaries."""
    states = normal(seed, sum(lengths), 3)
    matrix = dense_states(states, lengths)
    design = StateDesign(states, lengths)
    assert design.n_features == matrix.shape[1]
    weights, residuals = normal(seed + 1, matrix.shape[1], 4), normal(seed + 2, len(states), 4)
    np.testing.assert_allclose(design.scores(weights), matrix @ weights, atol=1e-4)
    np.testing.assert_allclose(design.gradient(residuals), matrix.T @ residuals, atol=1e-4)


@often
@given(seeds, st.lists(st.lists(st.sampled_from("abcdx"), max_size=4), min_size=1, max_size=6))
def test_words_are_indicators(seed, rows):
    """x is not known; a feature twice in a row counts twice."""
    ids = {feature: n for n, feature in enumerate("abcd")}
    matrix = np.zeros((len(rows), len(ids)))
    for n, row in enumerate(rows):
        for feature in row:
            if feature in ids:
                matrix[n, ids[feature]] += 1
    design = WordDesign(rows, ids)
    weights, residuals = normal(seed, len(ids), 3), normal(seed + 1, len(rows), 3)
    np.testing.assert_allclose(design.scores(weights), matrix @ weights, atol=1e-5)
    for _ in range(2):  # the transposed matrix is kept
        np.testing.assert_allclose(design.gradient(residuals), matrix.T @ residuals, atol=1e-5)


def test_word_features():
    first, last = word_features(["McDonald's", "1999"])
    assert first == [
        "always",
        "w=mcdonald's",
        "w-1=<s>",
        "w+1=1999",
        "s=XxXxx'x",
        "s-1=<s>",
        "s+1=00",
        "p3=mcd",
        "p5=mcdon",
        "e3=d's",
        "e2='s",
    ]
    assert last[2:7] == ["w-1=mcdonald's", "w+1=</s>", "s=00", "s-1=XxXxx'x", "s+1=</s>"]
    assert word_features([]) == []


# columns: O 0, A: B 1 I 2 E 3 S 4, B-x: B 5 I 6 E 7 S 8
@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], [0, 0, 0, 0, 0]),
        ([(1, 2, "A")], [0, 4, 0, 0, 0]),
        ([(0, 2, "A"), (2, 5, "B-x")], [1, 3, 5, 6, 7]),
        ([(0, 5, "B-x")], [5, 6, 6, 6, 7]),
        # nested: the longer one wins
        ([(0, 4, "A"), (1, 2, "B-x")], [1, 2, 2, 3, 0]),
        ([(1, 2, "B-x"), (0, 4, "A")], [1, 2, 2, 3, 0]),
        # overlapping at an edge, and what does not overlap afterwards
        ([(0, 3, "A"), (2, 4, "B-x"), (3, 5, "B-x")], [1, 2, 3, 5, 7]),
        # the same words twice
        ([(1, 3, "A"), (1, 3, "B-x")], [0, 1, 3, 0, 0]),
    ],
)
def test_classes(spans, expected):
    assert bioes(5, spans, ["A", "B-x"]).tolist() == expected


@seldom
@given(seeds)
def test_softmax(seed):
    scores = normal(seed, 5, 4) * 100
    found = softmax(scores)
    wide = scores.astype(np.float64)
    for row, of_row in zip(found, wide, strict=True):
        expected = [1 / sum(np.exp(np.minimum(of_row - x, 700))) for x in of_row]
        np.testing.assert_allclose(row, expected, atol=1e-5)


class Dense:
    """Features written out."""

    def __init__(self, matrix):
        self.matrix = matrix.astype(np.float32)
        self.n_features = matrix.shape[1]

    def scores(self, weights):
        return self.matrix @ weights

    def gradient(self, residuals):
        return self.matrix.T @ residuals


def loss_and_gradient(matrix, classes, weights, ridge):
    """Mean cross-entropy + ridge / 2 * |weights|^2, in double precision."""
    scores = matrix @ weights
    p = np.exp(scores - scores.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    one_hot = np.eye(weights.shape[1])[classes]
    loss = -np.log((p * one_hot).sum(1)).mean() + ridge / 2 * (weights**2).sum()
    return loss, matrix.T @ (p - one_hot) / len(classes) + ridge * weights


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("separable", [True, False])
def test_regression_finds_the_minimum(seed, separable):
    """That of plain gradient descent, which a convex loss with a ridge has one of."""
    ridge = 0.05
    matrix = np.hstack([normal(seed, 30, 2), np.ones((30, 1))]).astype(np.float64)
    classes = np.argmax(matrix[:, :2] @ [[1, 0, -1], [0, 1, -1]], 1)
    if not separable:
        classes[::3] = (classes[::3] + 1) % 3
    weights = regress(Dense(matrix), classes, 3, ridge).astype(np.float64)
    loss, gradient = loss_and_gradient(matrix, classes, weights, ridge)
    assert np.abs(gradient).max() < 2e-3
    plain = np.zeros_like(weights)
    for _ in range(3000):
        plain -= 0.3 * loss_and_gradient(matrix, classes, plain, ridge)[1]
    assert loss == pytest.approx(loss_and_gradient(matrix, classes, plain, ridge)[0], abs=1e-4)
    np.testing.assert_allclose(weights, plain, atol=0.03)
    assert loss < np.log(3) - 0.03  # where it started


def test_a_design_and_its_dense_matrix_learn_the_same():
    lengths = [3, 1, 0, 4]
    states = normal(5, 8, 3)
    classes = np.array([0, 1, 2, 0, 1, 1, 0, 2])
    found = regress(StateDesign(states, lengths), classes, 3, 0.1)
    dense = regress(Dense(dense_states(states, lengths)), classes, 3, 0.1)
    np.testing.assert_allclose(found, dense, atol=1e-3)


def test_a_class_that_never_occurs_becomes_improbable():
    matrix = np.hstack([normal(1, 40, 2), np.ones((40, 1))])
    classes = (matrix[:, 0] > 0).astype(np.int64)
    weights = regress(Dense(matrix), classes, 5, 1e-3)
    found = softmax(Dense(matrix).scores(weights))
    assert (found.argmax(1) == classes).all()
    assert found[:, 2:].max() < 0.1


def test_cross_fitting_asks_for_every_fold_in_order():
    found = cross_fit(lambda fold: np.full((1, 1), fold, np.float32))
    assert [int(weights[0, 0]) for weights in found] == list(range(FOLDS))


def test_matrix_products_have_one_thread_even_those_of_a_scipy_that_was_not_loaded_before():
    code = """
from threadpoolctl import threadpool_info
from spanbridge.projection.learned_taggers import cross_fit
def train(fold):
    import scipy.linalg
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}
print(*cross_fit(train))
"""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["{1}"] * FOLDS


@pytest.fixture
def contradictory():
    """Ten sentences of one word, two a fold: a name in all folds but in fold 3, where it is O."""
    folds = [n % FOLDS for n in range(10)]
    tags = [np.array([0 if fold == 3 else 4]) for fold in folds]
    return folds, tags


def fold_weights(folds, rows, n_classes, ridge, design):
    """Each fold's regression, on the other folds' rows alone."""
    for fold in range(FOLDS):
        kept = [k for k, f in enumerate(folds) if f != fold]
        classes = np.concatenate([rows[k][1] for k in kept])
        yield regress(design([rows[k][0] for k in kept]), classes, n_classes, ridge)


def test_a_words_tagger_does_not_see_its_fold(contradictory):
    folds, tags = contradictory
    rows = [(("Anna", "x"), np.array([*own, 0])) for own in tags]
    found = WordsTagger.train(rows, folds, 5)
    expected = fold_weights(
        folds,
        rows,
        5,
        learned_taggers.WORDS_RIDGE,
        lambda kept: WordDesign((f for words in kept for f in word_features(words)), found.ids),
    )
    for weights, plain in zip(found.weights, expected, strict=True):
        assert (weights == plain).all()
    p = [found.probabilities(("Anna", "x"), fold)[0, 4] for fold in range(FOLDS)]
    assert p[3] > 0.95  # nothing speaks against it elsewhere
    assert max(p[:3] + p[4:]) < 0.85  # two of eight are O


def test_a_states_tagger_does_not_see_its_fold(contradictory):
    """Two sentences, source and target, may share a fold: both are left out."""
    folds, tags = contradictory
    state = np.ones((1, 2), np.float32)
    rows = [(state, own) for own in tags]
    found = StatesTagger.train(np.eye(2, dtype=np.float32), rows, folds, 5)
    p = [found.probabilities(state, fold)[0, 4] for fold in range(FOLDS)]
    assert p[3] > 0.95
    assert max(p[:3] + p[4:]) < 0.85
    lone = fold_weights(
        folds,
        rows,
        5,
        learned_taggers.STATES_RIDGE,
        lambda kept: StateDesign(np.concatenate(kept), [1] * len(kept)),
    )
    for weights, plain in zip(found.weights, lone, strict=True):
        assert (weights == plain).all()


def test_unknown_words_are_tagged_too():
    rows = [(("Anna",), np.array([4])), (("x",), np.array([0]))] * FOLDS
    found = WordsTagger.train(rows, list(range(FOLDS)) * 2, 5)
    p = found.probabilities(("ünseen", "words"), 0)
    assert p.shape == (2, 5)
    np.testing.assert_allclose(p.sum(1), 1, rtol=1e-5)


def test_principal_components_are_those_of_the_singular_values():
    """Orthogonal, the largest first, and of mean square 1 in the states that they come from."""
    states = normal(2, 60, 6) * np.array([5, 3, 2, 1, 0.5, 0.1], np.float32)
    basis = StatesTagger.principal_components([states[:25], states[25:]])
    reduced = states @ basis
    assert (reduced**2).mean() == pytest.approx(1, rel=1e-4)
    gram = basis.T @ basis
    np.testing.assert_allclose(gram, np.eye(6) * gram[0, 0], atol=1e-5)
    _, values, axes = np.linalg.svd(states, full_matrices=False)
    np.testing.assert_allclose(
        (reduced**2).sum(0) / gram[0, 0], values.astype(np.float64) ** 2, rtol=1e-3
    )
    cosines = np.abs(axes @ basis) / np.sqrt(gram[0, 0])
    np.testing.assert_allclose(np.diag(cosines), 1, atol=1e-3)


def test_principal_components_keep_so_many(monkeypatch):
    monkeypatch.setattr(learned_taggers, "DIMENSIONS", 3)
    basis = StatesTagger.principal_components([normal(2, 60, 6)])
    assert basis.shape == (6, 3)
    assert ((normal(2, 60, 6) @ basis) ** 2).mean() == pytest.approx(1, rel=1e-4)
