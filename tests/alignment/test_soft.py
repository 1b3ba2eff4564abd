"""Soft links from encoder states: words' vectors, their softmax, and the pull of neighbours."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_pair import soft_links, with_neighbours, word_states

from spanbridge.alignment.soft import cosines
from spanbridge.encode import EncodedSentence


def encoded(states, covered, n_words):
    """A sentence of subwords, each with the words [first, last) that it covers."""
    first, last = np.array(covered, dtype=np.int64).reshape(-1, 2).T
    return EncodedSentence(np.array(states, dtype=np.float32), first, last, n_words)


@st.composite
def sentences(draw):
    """Up to eight words of 0 to 3 subwords, one subword over two words now and then."""
    n_words = draw(st.integers(0, 8))
    covered, at = [], 0
    while at < n_words:
        size = draw(st.integers(0, 4))
        covered += [(at, min(at + 2, n_words))] if size == 4 else [(at, at + 1)] * size
        at += 2 if size == 4 else 1
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    # a large common direction, as encoders have it
    return encoded(5 + rng.normal(size=(len(covered), 6)), covered, n_words)


@st.composite
def masses(draw):
    """Forward and backward mass, rows and columns of at most 1."""
    shape = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    forward, backward = rng.random((2, *shape)) ** draw(st.integers(1, 20))
    return forward / max(1, forward.sum(1).max()), backward / max(1, backward.sum(0).max())


def test_word_states_by_hand():
    """Subwords (3,0) and (1,2) of word 0, (-1,1) of word 1: mean (1,1), centred (2,-1), (0,1),
    (-2,0). Word 0: (2,0), a unit vector (1,0); word 1 (-1,0). Word 2 has no subwords."""
    found = word_states(encoded([(3, 0), (1, 2), (-1, 1)], [(0, 1), (0, 1), (1, 2)], 3))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [(1, 0), (-1, 0), (0, 0)], atol=1e-7)


def test_a_subword_of_several_words_is_of_each():
    """(4,0) covers words 0 and 1, (0,3) word 1 too, (-4,-3) word 2; the mean is (0,0)."""
    found = word_states(encoded([(4, 0), (0, 3), (-4, -3)], [(0, 2), (1, 2), (2, 3)], 3))
    np.testing.assert_allclose(found, [(1, 0), (0.8, 0.6), (-0.8, -0.6)], atol=1e-7)


def test_nothing_to_encode():
    assert word_states(encoded(np.zeros((0, 4)), [], 0)).shape == (0, 4)
    found = word_states(encoded(np.zeros((0, 4)), [], 2))
    assert found.shape == (2, 4)
    assert not found.any()


def test_a_word_that_is_the_sentence_has_no_vector():
    """Its centred subwords sum to rounding, which must not be blown up to a unit vector."""
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 500):
        states = 10 * rng.normal(size=(n, 384))
        assert not word_states(encoded(states, [(0, 1)] * n, 1)).any()
        assert not word_states(encoded(states, [(1, 2)] * n, 3)).any()


def loop_states(sentence):
    """What word_states says it does, one word at a time; the vector's length undone."""
    states = sentence.states.astype(np.float64)
    for word in range(sentence.n_words):
        mine = [
            state
            for state, first, last in zip(states, sentence.first, sentence.last, strict=True)
            if first <= word < last
        ]
        mean = np.mean(mine, axis=0) - states.mean(0) if mine else np.zeros(states.shape[1])
        length = math.sqrt(sum(x * x for x in mean))
        yield mean / length if length > 1e-5 else np.zeros_like(mean)


@given(sentences())
def test_word_states_by_loops(sentence):
    expected = list(loop_states(sentence)) or np.zeros((0, 6))
    np.testing.assert_allclose(word_states(sentence), expected, atol=1e-5)


@given(sentences(), st.floats(-50, 50))
def test_a_common_direction_does_not_matter(sentence, shift):
    """What is added to all states, and the states' scale, leave the words' vectors as they are."""
    moved = EncodedSentence(
        (3 * sentence.states + np.float32(shift)).astype(np.float32),
        sentence.first,
        sentence.last,
        sentence.n_words,
    )
    covering = {(int(a), int(b)) for a, b in zip(sentence.first, sentence.last, strict=True)}
    if len(covering) > 1:  # else there is no vector, or rounding of the shift
        np.testing.assert_allclose(word_states(moved), word_states(sentence), atol=1e-3)


def test_cosines_by_hand():
    source = np.array([(1, 0), (0.6, 0.8), (0, 0)], dtype=np.float32)
    target = np.array([(0, 1), (0, 0)], dtype=np.float32)
    np.testing.assert_allclose(cosines(source, target), [(0, -1), (0.8, -1), (-1, -1)], atol=1e-7)


@given(sentences(), sentences())
def test_cosines_are_symmetric_and_bounded(one, other):
    a, b = word_states(one), word_states(other)
    found = cosines(a, b)
    assert found.shape == (len(a), len(b))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, cosines(b, a).T, atol=1e-6)
    assert np.all(np.abs(found) <= 1 + 1e-6)


def test_soft_links_by_hand():
    """Temperature .05: of cosines .9 and .8 the first gets 1 / (1 + e^-2) of a row."""
    forward, backward = soft_links(np.array([[0.9, 0.8], [0.2, 0.85]]))
    assert forward[0, 0] == pytest.approx(1 / (1 + math.exp(-2)))
    assert forward[1, 1] == pytest.approx(1 / (1 + math.exp(-13)))
    assert backward[0, 0] == pytest.approx(1 / (1 + math.exp(-14)))
    assert backward[0, 1] == pytest.approx(1 / (1 + math.exp(1)))


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 999), st.booleans())
def test_soft_links_are_distributions(n, m, seed, without):
    """Rows of one and columns of the other sum to 1, words without a vector among them."""
    similarity = np.random.default_rng(seed).uniform(-1, 1, (n, m))
    if without:
        similarity[0] = -1
        similarity[:, -1] = -1
    forward, backward = soft_links(similarity)
    np.testing.assert_allclose(forward.sum(1), 1)
    np.testing.assert_allclose(backward.sum(0), 1)
    assert np.array_equal(forward.argmax(1), similarity.argmax(1))
    assert np.array_equal(backward.argmax(0), similarity.argmax(0))


def test_neighbours_by_hand():
    """Words 0 and 2 are linked to theirs for certain, word 1 half and half to 1 and to 2.

    sqrt(forward * backward): [[1, 0, 0], [0, .5, c], [0, 0, d]] with c = sqrt(.5 * .25) = .353553
    and d = sqrt(.75) = .866025. Support of (1, 1): its diagonal neighbours 1 and d, half of its
    neighbour c: 2.042802, weight 5.085603. Support of (1, 2): half of (1, 1) and of (2, 2):
    .683013, weight 2.366025. So word 1 gives 5.085603 / 7.451629 = .682482 of its mass to 1.
    """
    forward = np.array([[1, 0, 0], [0, 0.5, 0.5], [0, 0, 1.0]])
    backward = np.array([[1, 0, 0], [0, 0.5, 0.25], [0, 0, 0.75]])
    after, before = with_neighbours(forward, backward)
    np.testing.assert_allclose(
        after, [[1, 0, 0], [0, 0.682482, 0.317518], [0, 0, 1]], rtol=0, atol=1e-6
    )
    # column 2: (2, 2) has .5 on its diagonal and half of c above it: weight 1 + 2 * .676777
    weights = 0.25 * 2.366025, 0.75 * 2.353553
    assert before[1, 2] == pytest.approx(weights[0] / sum(weights), abs=1e-6)
    assert before[1, 1] == pytest.approx(0.5)


def test_neighbours_favour_the_diagonal():
    """The middle word cannot choose; its neighbours, linked to theirs, choose for it."""
    mass = np.array([[1, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0, 1.0]])
    after, _ = with_neighbours(mass, mass)
    assert after[1, 1] > 0.4 > after[1, 0] == pytest.approx(after[1, 2])


def loop_neighbours(forward, backward):
    """The weights of with_neighbours, cell by cell."""
    n, m = forward.shape

    def mass(i, j):
        return math.sqrt(forward[i, j] * backward[i, j]) if 0 <= i < n and 0 <= j < m else 0.0

    weight = np.ones((n, m))
    for i, j in itertools.product(range(n), range(m)):
        diagonal = mass(i - 1, j - 1) + mass(i + 1, j + 1)
        beside = mass(i - 1, j) + mass(i + 1, j) + mass(i, j - 1) + mass(i, j + 1)
        weight[i, j] += 2 * (diagonal + beside / 2)
    return forward * weight, backward * weight


@given(masses())
def test_neighbours_by_loops(mass):
    """Totals of rows and columns stay, and within them the shares are as the weights have them."""
    found = with_neighbours(*mass)
    for axis, before, after, expected in zip(
        (1, 0), mass, found, loop_neighbours(*mass), strict=True
    ):
        np.testing.assert_allclose(after.sum(axis), before.sum(axis), atol=1e-10)
        by = expected.sum(axis, keepdims=True)
        total = before.sum(axis, keepdims=True)
        np.testing.assert_allclose(after, expected / np.where(by > 0, by, 1) * total, atol=1e-10)


@given(masses())
def test_neighbours_turn_with_the_languages(mass):
    forward, backward = with_neighbours(*mass)
    other = with_neighbours(mass[1].T, mass[0].T)
    np.testing.assert_allclose((backward.T, forward.T), other, atol=1e-12)


def test_neighbours_of_nothing():
    """Words without mass stay without."""
    zero = np.zeros((2, 3))
    assert not np.any(with_neighbours(zero, zero))
