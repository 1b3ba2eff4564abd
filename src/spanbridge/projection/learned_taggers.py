"""Taggers of the target language, trained on the projections of a first pass.

Multinomial logistic regression over BIOES tags, word by word: one on encoder states, which also
learns from the source side's labels, and one on word forms, which learns from the target side only.
Training is convex and deterministic. Each tagger is trained five times, leaving out a different
fifth of the sentences, and tags only sentences that it did not learn from
(:mod:`~spanbridge.projection.regression`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain
from typing import Any, NamedTuple, TypeVar

import numpy as np

from spanbridge.projection.corpus_statistics import Span3
from spanbridge.projection.regression import Floats, Indices, cross_fit, softmax

FOLDS = 5
STATES_STEPS, WORDS_STEPS = 15, 20  # of descent: further ones change no F1
STATES_RIDGE, WORDS_RIDGE = 1e-3, 1e-4  # L2 regularisation
DIMENSIONS = 128  # number of principal components of the states
LEAST_SENTENCES = 2  # that have a feature of word forms
EDGES = ("<s>", "</s>")
ALWAYS = "always"  # the feature that every word has
MAX_KEPT = 2**14  # words whose features are kept
_RUN = re.compile(r"(.)\1+")
T = TypeVar("T")


def with_neighbours(sentences: Sequence[Floats]) -> Floats:
    """Features of words, [n_words, 3 d + 1]: own state, those of both neighbours, a constant.

    Args:
        sentences: states of each sentence, [n, d]; zeros stand beyond its edges.
    """
    n, d = sum(map(len, sentences)), sentences[0].shape[1]
    features = np.zeros((n, 3 * d + 1), np.float32)
    features[:, -1] = 1
    at = 0
    for states in sentences:
        end = at + len(states)
        features[at:end, :d] = states
        features[at + 1 : end, d : 2 * d] = states[:-1]
        features[at : max(at, end - 1), 2 * d : 3 * d] = states[1:]
        at = end
    return features


def indicators(rows: Iterable[Sequence[str]], ids: dict[str, int]) -> Any:
    """Known features of words, as a sparse matrix [n_words, n_features]."""
    from scipy.sparse import csr_array

    columns: list[int] = []
    ends = [0]
    for row in rows:
        columns += [ids[feature] for feature in row if feature in ids]
        ends.append(len(columns))
    ones = np.ones(len(columns), np.float32)
    return csr_array((ones, columns, ends), shape=(len(ends) - 1, len(ids)))


class WordFeatures(NamedTuple):
    """Features that a word gives to itself (form, shape, affixes), and to its neighbours."""

    own: Sequence[str]
    to_next: Sequence[str]
    to_previous: Sequence[str]


@lru_cache(MAX_KEPT)
def features_of(word: str) -> WordFeatures:
    """What one word gives; the edges of a sentence are words without a shape."""
    low, shape = word.lower(), word if word in EDGES else _shape(word)
    affixes = (f"p3={low[:3]}", f"p5={low[:5]}", f"e3={low[-3:]}", f"e2={low[-2:]}")
    return WordFeatures(
        (ALWAYS, f"w={low}", f"s={shape}", *affixes),
        (f"w-1={low}", f"s-1={shape}"),
        (f"w+1={low}", f"s+1={shape}"),
    )


def in_place(found: Sequence[tuple[Sequence[T], Sequence[T], Sequence[T]]]) -> Iterator[list[T]]:
    """Features of each word of a sentence, from what its words and both edges give."""
    for before, word, after in zip(found, found[1:], found[2:], strict=False):
        yield [*word[0], *before[1], *after[2]]


def word_features(words: Sequence[str]) -> list[list[str]]:
    """Form, neighbours, affixes and shape of each word of a sentence."""
    return list(in_place([features_of(word) for word in (EDGES[0], *words, EDGES[1])]))


def _shape(word: str) -> str:
    """``McDonald's`` -> ``XxXxx'x``: case and digits, at most two equal characters in a row."""
    signs = (
        "X" if c.isupper() else "x" if c.islower() else "0" if c.isdigit() else c for c in word
    )
    return _RUN.sub(r"\1\1", "".join(signs))


def bioes(n_words: int, spans: Iterable[Span3], labels: Sequence[str]) -> Indices:
    """Class of each word: 0 for O, then B, I, E, S of each label. Longer spans win overlaps."""
    classes = np.zeros(n_words, np.int64)
    for start, end, label in sorted(spans, key=lambda span: span[0] - span[1]):
        if classes[start:end].any():
            continue
        at = 1 + 4 * labels.index(label)
        classes[start:end] = at + 1
        classes[start], classes[end - 1] = at, at + 2
        if end - start == 1:
            classes[start] = at + 3
    return classes


def _of_words(of_sentences: Sequence[int], classes: Sequence[Indices]) -> Indices:
    """What is known of sentences, for each of their words."""
    return np.repeat(np.array(of_sentences), [len(one) for one in classes])


class StatesTagger:
    """The tagger on encoder states.

    Attributes:
        basis: principal components, [hidden, DIMENSIONS], scaled to unit mean square.
        weights: weights of each fold.
    """

    def __init__(self, basis: Floats, weights: list[Floats]) -> None:
        self.basis = basis
        self.weights = weights
        self._direct = [_of_states(basis, one) for one in weights]

    @staticmethod
    def principal_components(states: Sequence[Floats]) -> Floats:
        """Principal components of a sample of word states."""
        whole = np.concatenate(list(states)).astype(np.float64)
        values, vectors = np.linalg.eigh(whole.T @ whole / max(len(whole), 1))
        kept = vectors[:, ::-1][:, :DIMENSIONS]
        scale = np.sqrt(np.maximum(values[::-1][:DIMENSIONS].mean(), 1e-12))
        basis: Floats = (kept / scale).astype(np.float32)
        return basis

    @classmethod
    def train(
        cls,
        basis: Floats,
        sentences: Sequence[tuple[Floats, Indices]],
        folds: Sequence[int],
        n_classes: int,
    ) -> StatesTagger:
        """Train on sentences of both sides: reduced states and classes, and the fold of each."""
        classes = [c for _, c in sentences]
        weights = cross_fit(
            with_neighbours([states for states, _ in sentences]),
            np.concatenate(classes),
            _of_words(folds, classes),
            n_classes,
            n_folds=FOLDS,
            ridge=STATES_RIDGE,
            steps=STATES_STEPS,
        )
        return cls(basis, weights)

    def probabilities(self, states: Floats, fold: int) -> Floats:
        """Probabilities [n_words, n_classes], by the tagger that did not learn from the fold."""
        weights, constant = self._direct[fold]
        own, previous, following = np.split(states @ weights, 3, axis=1)
        scores = own + constant
        scores[1:] += previous[:-1]
        scores[:-1] += following[1:]
        return softmax(scores)


def _of_states(basis: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weights of states as they are: of a word's own, its neighbours', side by side; a constant."""
    by_place = np.split(weights[:-1], 3)
    return basis @ np.concatenate(by_place, axis=1), weights[-1]


def known_ids(ids: dict[str, int], word: str) -> tuple[list[int], list[int], list[int]]:
    """Indices of a word's features, as :func:`features_of` gives them, that have one."""
    own, to_next, to_previous = features_of(word)
    return (
        [ids[feature] for feature in own if feature in ids],
        [ids[feature] for feature in to_next if feature in ids],
        [ids[feature] for feature in to_previous if feature in ids],
    )


class WordsTagger:
    """The tagger on word forms.

    Attributes:
        ids: index of each feature.
        weights: weights of each fold.
    """

    def __init__(self, ids: dict[str, int], weights: list[Floats]) -> None:
        self.ids = ids
        self.weights = weights
        self._known = lru_cache(MAX_KEPT)(partial(known_ids, ids))  # no cycle with self

    @classmethod
    def train(
        cls,
        sentences: Sequence[tuple[Sequence[str], Indices]],
        folds: Sequence[int],
        n_classes: int,
    ) -> WordsTagger:
        """Train on target sentences: words and classes, and the fold of each."""
        classes = [c for _, c in sentences]
        rows = [word_features(words) for words, _ in sentences]
        occurs = Counter(feature for row in rows for feature in set(chain(*row)))
        kept = dict.fromkeys(
            feature
            for feature in chain([ALWAYS], *chain(*rows))
            if occurs[feature] >= LEAST_SENTENCES or feature == ALWAYS
        )
        ids = {feature: n for n, feature in enumerate(kept)}
        weights = cross_fit(
            indicators(chain(*rows), ids),
            np.concatenate(classes),
            _of_words(folds, classes),
            n_classes,
            n_folds=FOLDS,
            ridge=WORDS_RIDGE,
            steps=WORDS_STEPS,
        )
        return cls(ids, weights)

    def probabilities(self, words: Sequence[str], fold: int) -> Floats:
        """Probabilities [n_words, n_classes], by the tagger that did not learn from the fold."""
        if not words:
            return np.zeros((0, self.weights[fold].shape[1]), np.float32)
        found = list(in_place([self._known(word) for word in (EDGES[0], *words, EDGES[1])]))
        starts = np.cumsum([0, *map(len, found[:-1])])
        return softmax(np.add.reduceat(self.weights[fold][list(chain(*found))], starts))
