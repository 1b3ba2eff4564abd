"""Soft alignments: made of hard links, and cut into hard links."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.links import WordAlignment
from spanbridge.core.soft_alignment import SoftAlignment


@st.composite
def alignments(draw):
    """Links of sentences of up to six words, empty sentences among them."""
    n, m = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    cells = [(i, j) for i in range(n) for j in range(m)]
    return WordAlignment.of(draw(st.sets(st.sampled_from(cells))) if cells else (), n, m)


@st.composite
def masses(draw):
    """Soft alignments whose rows and columns sum to at most 1."""
    shape = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    forward, backward = rng.random((2, *shape)) ** 4
    return SoftAlignment(
        forward / np.maximum(forward.sum(1, keepdims=True), 1),
        backward / np.maximum(backward.sum(0), 1),
    )


def test_links_share_a_words_mass_by_hand():
    """Word 0 has two links, target word 1 has two, word 2 and target word 2 none."""
    soft = SoftAlignment.from_links(WordAlignment.of([(0, 0), (0, 1), (1, 1)], 3, 3))
    assert soft.forward.tolist() == [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 0]]
    assert soft.backward.tolist() == [[1, 0.5, 0], [0, 0.5, 0], [0, 0, 0]]
    assert soft.source_states is None
    assert soft.target_states is None


def test_scores_of_links_say_nothing():
    pairs = [(0, 0), (0, 1)]
    scored = SoftAlignment.from_links(WordAlignment.of(pairs, 1, 2, [0.9, 0.2]))
    assert scored.forward.tolist() == [[0.5, 0.5]]


@given(alignments())
def test_mass_is_one_a_linked_word(links):
    soft = SoftAlignment.from_links(links)
    assert soft.forward.shape == soft.backward.shape == (links.n_source, links.n_target)
    for mass, axis, side in ((soft.forward, 1, 0), (soft.backward, 0, 1)):
        size = (links.n_source, links.n_target)[side]
        linked = [n in {pair[side] for pair in links.pairs} for n in range(size)]
        np.testing.assert_allclose(mass.sum(axis), np.array(linked, dtype=float))
        assert {(int(i), int(j)) for i, j in np.argwhere(mass)} == set(links.pairs)


@given(alignments())
def test_hard_links_come_back(links):
    """A link of a word with k links and one with l has the score 1 / sqrt(k l): at least 1/6."""
    back = SoftAlignment.from_links(links).links(1 / 6 - 1e-9)
    assert back.pairs == links.pairs
    for (i, j), score in zip(back.pairs, back.scores, strict=True):
        k, n = (sum(one[side] == at for one in links.pairs) for side, at in ((0, i), (1, j)))
        assert score == pytest.approx((k * n) ** -0.5)


def test_links_by_hand():
    """The geometric mean: sqrt(.9 * .4) = .6 is a link at .6, sqrt(.1 * .9) = .3 none."""
    soft = SoftAlignment(np.array([[0.9, 0.1], [0.0, 1.0]]), np.array([[0.4, 0.9], [0.6, 0.09]]))
    found = soft.links(0.59)
    assert (found.pairs, found.n_source, found.n_target) == (((0, 0),), 2, 2)
    assert found.scores == pytest.approx([0.6])
    assert soft.links(0.61).pairs == ()
    assert soft.links(0.29).pairs == ((0, 0), (0, 1), (1, 1))
    assert soft.links(0.29).scores == pytest.approx([0.6, 0.3, 0.3])


def test_the_threshold_itself_is_a_link():
    assert SoftAlignment(np.full((1, 1), 0.5), np.full((1, 1), 0.5)).links(0.5).pairs == ((0, 0),)


def test_rounding_gives_no_score_above_one():
    mass = np.full((1, 1), 1 + 1e-15)
    [score] = SoftAlignment(mass, mass).links(0.5).scores
    assert score == 1.0


@given(masses(), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_links_are_checked_and_fewer_at_higher_thresholds(soft, one, other):
    low, high = sorted((one, other))
    many, few = soft.links(low), soft.links(high)
    assert WordAlignment.of(many.pairs, many.n_source, many.n_target, many.scores) == many
    assert all(low <= score <= 1 for score in many.scores)
    kept = [pair for pair, score in zip(many.pairs, many.scores, strict=True) if score >= high]
    assert list(few.pairs) == kept


@given(masses())
def test_above_a_half_no_word_has_two_partners_of_one(soft):
    """Two links in a row and in a column would need more mass than there is: means sum to <= sqrt.

    By Cauchy-Schwarz, the squares of a row's scores sum to at most 1.
    """
    found = soft.links(0.01)
    for side in (0, 1):
        squares = {}
        for pair, score in zip(found.pairs, found.scores, strict=True):
            squares[pair[side]] = squares.get(pair[side], 0) + score**2
        assert all(total <= 1 + 1e-9 for total in squares.values())


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_empty_sentences(shape):
    soft = SoftAlignment.from_links(WordAlignment((), *shape))
    assert soft.forward.shape == soft.backward.shape == shape
    back = soft.links(0.5)
    assert (back.pairs, back.scores, back.n_source, back.n_target) == ((), (), *shape)
