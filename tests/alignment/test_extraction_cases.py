"""Extractions at their edges: ties, thin matrices, float32, nothing at all; more worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from simalign import SentenceAligner

from spanbridge.alignment.extract import (
    bidirectional,
    entmax15,
    harmonic_mean,
    itermax,
    max_weight_matching,
    mutual_argmax,
    softmax,
)

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)
TIED = hnp.arrays(np.float32, SHAPES, elements=st.sampled_from([0.25, 0.5, 0.75, 1.0]))

HAND = np.array([[0.9, 0.75, 0.1], [0.7, 0.6, 0.2], [0.3, 0.4, 0.5]])


def links(mask):
    assert mask.dtype == bool
    return {(int(i), int(j)) for i, j in np.argwhere(mask)}


@given(TIED)
def test_match_of_ties_is_as_good_as_simaligns(similarity):
    """Of several best matchings either may come; size and total are the same."""
    found = max_weight_matching(similarity)
    expected = SentenceAligner.get_max_weight_match(similarity) > 0
    assert found.sum() == expected.sum() == min(similarity.shape)
    assert max(found.sum(axis=0).max(), found.sum(axis=1).max()) == 1
    assert similarity[found].sum() == similarity[expected].sum()


@pytest.mark.parametrize("shape", [(1, 7), (7, 1), (2, 9), (9, 2), (20, 30)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_types_as_simalign(shape, dtype):
    for seed in range(10):
        similarity = np.random.default_rng(seed).uniform(0.1, 1, shape).astype(dtype)
        expected = SentenceAligner.get_max_weight_match(similarity) > 0
        np.testing.assert_array_equal(max_weight_matching(similarity), expected)
        for rounds in (2, 5):
            expected = SentenceAligner.iter_max(similarity, rounds) > 0
            np.testing.assert_array_equal(itermax(similarity, rounds), expected)


def test_argmax_by_hand():
    assert links(mutual_argmax(HAND)) == {(0, 0), (2, 2)}


def test_itermax_by_hand():
    """Second round: word 1 of both sides is free, links of free and covered words count 0.9.

    Then 0-1 is worth .675, 1-0 is .63 and 1-1 stays .6: the first two are each other's best.
    """
    assert links(itermax(HAND)) == {(0, 0), (2, 2), (0, 1), (1, 0)}


def test_itermax_alpha_by_hand():
    """With a discount of 0.5 the free words 1-1 (.6) beat 0-1 (.375) and 1-0 (.35)."""
    assert links(itermax(HAND, alpha=0.5)) == {(0, 0), (1, 1), (2, 2)}


def test_itermax_of_one_round_is_argmax():
    assert links(itermax(HAND, iterations=1)) == {(0, 0), (2, 2)}


def test_itermax_of_a_two_word_sentence_is_argmax():
    """SimAlign does not iterate there: a second round would link what is left over."""
    short = HAND[:2]
    assert links(itermax(short)) == links(mutual_argmax(short)) == {(0, 0)}


def test_match_by_hand():
    """The diagonal sums to 2.0, the next best (0-1, 1-0, 2-2) to 1.95."""
    assert links(max_weight_matching(HAND)) == {(0, 0), (1, 1), (2, 2)}
    assert links(max_weight_matching(HAND[:2])) == {(0, 0), (1, 1)}


def test_first_of_equals_wins():
    assert links(mutual_argmax(np.ones((3, 4)))) == {(0, 0)}


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
@pytest.mark.parametrize("extraction", [mutual_argmax, itermax, max_weight_matching])
def test_empty(extraction, shape):
    found = extraction(np.zeros(shape))
    assert found.shape == shape
    assert found.dtype == bool


@given(
    hnp.arrays(np.float32, SHAPES, elements=st.floats(-50, 50, width=32)), st.sampled_from([0, 1])
)
def test_entmax_of_float32_is_a_distribution(scores, axis):
    found = entmax15(scores, axis)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=axis), 1, atol=1e-4)


def test_entmax_by_hand():
    """Scores 2 and 0 differ by 2: p = (z - tau)^2 with z = (0, -1) gives tau = -1, so (1, 0)."""
    scores = np.array([[2.0, 0.0, 0.0], [1.0, 1.0, -9.0], [3.0, 3.0, 3.0]])
    expected = [[1, 0, 0], [0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]]
    np.testing.assert_allclose(entmax15(scores, 1), expected, atol=1e-12)
    np.testing.assert_allclose(entmax15(scores.T, 0).T, expected, atol=1e-12)


def test_softmax_does_not_overflow():
    found = softmax(np.array([[1e4, 0.0], [-1e4, -1e4]], np.float32), 1)
    assert found.tolist() == [[1, 0], [0.5, 0.5]]


def test_bidirectional_and_harmonic_mean_by_hand():
    forward = np.array([[0.8, 0.2], [0.0, 1.0]])
    backward = np.array([[0.4, 0.0], [0.0, 0.1]])
    assert links(bidirectional(forward, backward, 0.0)) == {(0, 0), (1, 1)}
    assert links(bidirectional(forward, backward, 0.1)) == {(0, 0)}  # above, not at
    expected = [[2 * 0.8 * 0.4 / 1.2, 0], [0, 2 * 0.1 / 1.1]]
    np.testing.assert_allclose(harmonic_mean(forward, backward), expected)
