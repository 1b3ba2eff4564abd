"""The extractions against independent implementations: simalign's own functions, entmax, scipy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from entmax import entmax15 as torch_entmax15
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import softmax as scipy_softmax
from simalign import SentenceAligner

from spanbridge.alignment import extract

shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)
# few distinct values, so that ties are frequent
tied = hnp.arrays(np.float64, shapes, elements=st.sampled_from([0.1, 0.4, 0.5, 0.9, 1.0]))
distinct = st.builds(
    lambda shape, seed: np.random.default_rng(seed).random(shape), shapes, st.integers(0, 2**32)
)


@settings(max_examples=3 * settings.default.max_examples)
@given(tied | distinct)
def test_argmax_and_itermax_are_simaligns(similarity):
    forward, backward = SentenceAligner.get_alignment_matrix(similarity)
    assert np.array_equal(extract.mutual_argmax(similarity), forward * backward > 0)
    for rounds in (1, 2, 3):
        expected = SentenceAligner.iter_max(similarity, max_count=rounds) > 0
        assert np.array_equal(extract.itermax(similarity, rounds), expected)


@settings(max_examples=3 * settings.default.max_examples // 2)
@given(distinct)
def test_match_is_simaligns(similarity):
    expected = SentenceAligner.get_max_weight_match(similarity) > 0
    assert np.array_equal(extract.max_weight_matching(similarity), expected)


@settings(max_examples=3 * settings.default.max_examples // 2)
@given(
    hnp.arrays(np.float64, shapes, elements=st.floats(-30, 30, width=32)),
    st.sampled_from([0, 1]),
)
def test_probabilities(scores, axis):
    ours = extract.entmax15(scores, axis)
    theirs = torch_entmax15(torch.tensor(scores), dim=axis).numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    np.testing.assert_allclose(
        extract.softmax(scores, axis), scipy_softmax(scores, axis), atol=1e-12
    )


def test_by_hand():
    # rows' best: 0, 1, 1; columns' best: 0, 1, 2 -> mutual: 0-0 and 1-1
    similarity = np.array([[0.9, 0.2, 0.1], [0.3, 0.8, 0.2], [0.1, 0.7, 0.6]])
    assert np.argwhere(extract.mutual_argmax(similarity)).tolist() == [[0, 0], [1, 1]]
    # second round: column 1 is covered, so 2-1 counts 0.63 > 0.6 = 2-2; column 2's best is 2
    #   row 2: [.09, .63, .6] -> 1; column 1: row 2 (.63) -> link 2-1
    assert np.argwhere(extract.itermax(similarity)).tolist() == [[0, 0], [1, 1], [2, 1]]
    # the best one-to-one matching: 0.9 + 0.8 + 0.6
    assert np.argwhere(extract.max_weight_matching(similarity)).tolist() == [
        [0, 0],
        [1, 1],
        [2, 2],
    ]


def test_both_directions_must_agree():
    forward, backward = np.array([[0.9, 0.1]]), np.array([[1.0, 0.0]])
    assert extract.bidirectional(forward, backward, 0.001).tolist() == [[True, False]]
    assert extract.harmonic_mean(forward, backward).tolist() == [pytest.approx([1.8 / 1.9, 0])]
