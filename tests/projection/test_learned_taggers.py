"""The taggers: features against dense matrices, and folds."""

from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.projection import learned_taggers
from spanbridge.projection.learned_taggers import (
    FOLDS,
    StatesTagger,
    WordsTagger,
    bioes,
    indicators,
    with_neighbours,
    word_features,
)
from spanbridge.projection.regression import cross_fit

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


@given(sentence_lengths, seeds)
def test_states_are_features_of_their_own_sentence(lengths, seed):
    """Nothing crosses the sentences' boundaries."""
    states = normal(seed, sum(lengths), 3)
    bounds = pairwise(accumulate(lengths, initial=0))
    found = with_neighbours([states[start:end] for start, end in bounds])
    assert (found == dense_states(states, lengths).astype(np.float32)).all()


@given(st.lists(st.lists(st.sampled_from("abcdx"), max_size=4), min_size=1, max_size=6))
def test_words_are_indicators(rows):
    """x is not known; a feature twice in a row counts twice."""
    ids = {feature: n for n, feature in enumerate("abcd")}
    matrix = np.zeros((len(rows), len(ids)))
    for n, row in enumerate(rows):
        for feature in row:
            if feature in ids:
                matrix[n, ids[feature]] += 1
    assert (indicators(rows, ids).toarray() == matrix).all()


def test_word_features():
    first, last = word_features(["McDonald's", "1999"])
    assert first == [
        "always",
        "w=mcdonald's",
        "s=XxXxx'x",
        "p3=mcd",
        "p5=mcdon",
        "e3=d's",
        "e2='s",
        "w-1=<s>",
        "s-1=<s>",
        "w+1=1999",
        "s+1=00",
    ]
    assert last[7:] == ["w-1=mcdonald's", "s-1=XxXxx'x", "w+1=</s>", "s+1=</s>"]
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


@pytest.fixture
def contradictory():
    """Ten sentences of one word, two a fold: a name in all folds but in fold 3, where it is O."""
    folds = [n % FOLDS for n in range(10)]
    tags = [np.array([0 if fold == 3 else 4]) for fold in folds]
    return folds, tags


def fold_weights(features, tags, folds, ridge):
    """Each fold's regression, on the other folds' rows alone."""
    for fold in range(FOLDS):
        kept = np.flatnonzero(np.array(folds) != fold)
        # another number for the fold, since it is left out
        rows = np.where(np.array(folds)[kept] == FOLDS - 1, fold, np.array(folds)[kept])
        yield cross_fit(features[kept], tags[kept], rows, 5, n_folds=FOLDS, ridge=ridge, steps=200)[
            FOLDS - 1
        ]


def test_a_words_tagger_does_not_see_its_fold(contradictory):
    folds, tags = contradictory
    rows = [(("Anna", "x"), np.array([*own, 0])) for own in tags]
    found = WordsTagger.train(rows, folds, 5)
    features = indicators((f for words, _ in rows for f in word_features(words)), found.ids)
    alone = fold_weights(
        features, np.concatenate([tags for _, tags in rows]), np.repeat(folds, 2), 1e-4
    )
    p = [found.probabilities(("Anna", "x"), fold)[0, 4] for fold in range(FOLDS)]
    for n, weights in enumerate(alone):
        scores = np.exp(indicators(word_features(("Anna", "x")), found.ids) @ weights)[0]
        assert p[n] == pytest.approx(scores[4] / scores.sum(), abs=0.05)
    assert p[3] > 0.95  # nothing speaks against it elsewhere
    assert max(p[:3] + p[4:]) < 0.85  # two of eight are O


def test_a_states_tagger_does_not_see_its_fold(contradictory):
    """Two sentences, source and target, may share a fold: both are left out."""
    folds, tags = contradictory
    state = np.ones((1, 2), np.float32)
    found = StatesTagger.train(
        np.eye(2, dtype=np.float32), [(state, own) for own in tags], folds, 5
    )
    p = [found.probabilities(state, fold)[0, 4] for fold in range(FOLDS)]
    assert p[3] > 0.95
    assert max(p[:3] + p[4:]) < 0.85


def test_a_feature_of_one_sentence_is_left_out():
    """It could foretell nothing in another sentence, but would explain its own away."""
    rows = [(("Anna", "x"), np.array([4, 0])), (("Anna", "y"), np.array([4, 0]))] * FOLDS
    rows += [(("Anna", "Zoë"), np.array([4, 4]))]
    found = WordsTagger.train(rows, [*range(FOLDS)] * 2 + [0], 5)
    assert {"w=anna", "w=x", "w+1=y"} <= set(found.ids)
    assert not {"w=zoë", "w+1=zoë", "e2=oë"} & set(found.ids)


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
