"""Taggers of the target language, trained on the projections of a first pass.

Multinomial logistic regression over BIOES tags, word by word: one on encoder states, which also
learns from the source side's labels, and one on word forms, which learns from the target side only.
Training is convex and deterministic. Each tagger is trained five times, leaving out a different
fifth of the sentences, and tags only sentences that it did not learn from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from spanbridge.projection.candidates import Indices
from spanbridge.projection.corpus_statistics import Span3

Floats = npt.NDArray[np.float32]
FOLDS = 5
STEPS = 60  # iterations of L-BFGS
STATES_RIDGE, WORDS_RIDGE = 1e-3, 1e-4  # L2 regularisation
DIMENSIONS = 128  # number of principal components of the states
EDGES = ("<s>", "</s>")
_RUN = re.compile(r"(.)\1+")


class Design(Protocol):
    """Features of many words, as a linear map."""

    n_features: int

    def scores(self, weights: Floats) -> Floats:
        """Features times weights, [n_words, n_classes]."""
        ...

    def gradient(self, residuals: Floats) -> Floats:
        """Transposed features times residuals, [n_features, n_classes]."""
        ...


class StateDesign:
    """Reduced states of a word and of its two neighbours, and a constant.

    Args:
        states: states of whole sentences, one after the other, [n_words, d].
        lengths: number of words of each sentence.
    """

    def __init__(self, states: Floats, lengths: Sequence[int]) -> None:
        self._states = states
        n, self._d = states.shape
        self.n_features = 3 * self._d + 1
        starts = np.cumsum([0, *lengths])
        first, last = np.zeros(n, bool), np.zeros(n, bool)
        inner = [k for k, length in enumerate(lengths) if length]
        first[starts[inner]] = True
        last[starts[1:][inner] - 1] = True
        self._has = ~first[:, None], ~last[:, None]

    def scores(self, weights: Floats) -> Floats:
        """Features times weights, without copying the neighbours' states."""
        d = self._d
        total: Floats = self._states @ weights[:d] + weights[-1]
        before, after = (self._states @ weights[k * d : (k + 1) * d] for k in (1, 2))
        total[1:] += before[:-1] * self._has[0][1:]
        total[:-1] += after[1:] * self._has[1][:-1]
        return total

    def gradient(self, residuals: Floats) -> Floats:
        """Transposed features times residuals."""
        of_before, of_after = np.zeros_like(residuals), np.zeros_like(residuals)
        of_before[:-1] = residuals[1:] * self._has[0][1:]
        of_after[1:] = residuals[:-1] * self._has[1][:-1]
        parts = [self._states.T @ r for r in (residuals, of_before, of_after)]
        return np.concatenate([*parts, residuals.sum(0, keepdims=True)])


class WordDesign:
    """Indicator features of words, as a sparse matrix."""

    def __init__(self, rows: Iterable[Sequence[str]], ids: dict[str, int]) -> None:
        from scipy.sparse import csr_array

        columns: list[int] = []
        ends = [0]
        for row in rows:
            columns += [ids[feature] for feature in row if feature in ids]
            ends.append(len(columns))
        self.n_features = len(ids)
        ones = np.ones(len(columns), np.float32)
        self._matrix: Any = csr_array((ones, columns, ends), shape=(len(ends) - 1, len(ids)))
        self._transposed: Any = None

    def scores(self, weights: Floats) -> Floats:
        """Features times weights."""
        return np.asarray(self._matrix @ weights)

    def gradient(self, residuals: Floats) -> Floats:
        """Transposed features times residuals."""
        if self._transposed is None:
            self._transposed = self._matrix.T.tocsr()
        return np.asarray(self._transposed @ residuals)


def word_features(words: Sequence[str]) -> list[list[str]]:
    """Form, neighbours, affixes and shape of each word of a sentence."""
    lowered = [EDGES[0], *(word.lower() for word in words), EDGES[1]]
    shapes = [EDGES[0], *map(_shape, words), EDGES[1]]
    rows = []
    for k in range(1, len(words) + 1):
        before, word, after = lowered[k - 1 : k + 2]
        rows.append(
            [
                "always",
                f"w={word}",
                f"w-1={before}",
                f"w+1={after}",
                f"s={shapes[k]}",
                f"s-1={shapes[k - 1]}",
                f"s+1={shapes[k + 1]}",
                f"p3={word[:3]}",
                f"p5={word[:5]}",
                f"e3={word[-3:]}",
                f"e2={word[-2:]}",
            ]
        )
    return rows


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


def softmax(scores: Floats) -> Floats:
    """Softmax over classes."""
    powers = np.exp(scores - scores.max(1, keepdims=True))
    probabilities: Floats = powers / powers.sum(1, keepdims=True)
    return probabilities


def regress(design: Design, classes: Indices, n_classes: int, ridge: float) -> Floats:
    """Weights [n_features, n_classes] of least mean cross-entropy + ridge / 2 * |weights|^2."""
    from scipy.optimize import fmin_l_bfgs_b

    shape = design.n_features, n_classes
    rows = np.arange(len(classes))

    def loss(flat: Any) -> tuple[float, npt.NDArray[np.float64]]:
        weights = flat.reshape(shape).astype(np.float32)
        p = softmax(design.scores(weights))
        mean = -np.log(np.maximum(p[rows, classes], 1e-30)).mean()
        p[rows, classes] -= 1
        gradient = design.gradient(p / np.float32(len(rows))) + ridge * weights
        penalty = 0.5 * ridge * float((weights * weights).sum())
        return float(mean) + penalty, gradient.astype(np.float64).ravel()

    start = np.zeros(shape[0] * shape[1])
    flat, _, _ = fmin_l_bfgs_b(loss, start, maxiter=STEPS, m=8)
    weights: Floats = flat.reshape(shape).astype(np.float32)
    return weights


def cross_fit(train: Callable[[int], Floats]) -> list[Floats]:
    """Weights of every fold's tagger; ``train(fold)`` must leave that fold out."""
    # brings a BLAS of its own, which no limit that was set before it was loaded holds
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor() as pool:
        return list(pool.map(train, range(FOLDS)))


class StatesTagger:
    """The tagger on encoder states.

    Attributes:
        basis: principal components, [hidden, DIMENSIONS], scaled to unit mean square.
        weights: weights of each fold.
    """

    def __init__(self, basis: Floats, weights: list[Floats]) -> None:
        self.basis = basis
        self.weights = weights

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

        def of_fold(fold: int) -> Floats:
            kept = [s for s, f in zip(sentences, folds, strict=True) if f != fold]
            design = StateDesign(np.concatenate([s for s, _ in kept]), [len(s) for s, _ in kept])
            return regress(design, np.concatenate([c for _, c in kept]), n_classes, STATES_RIDGE)

        return cls(basis, cross_fit(of_fold))

    def probabilities(self, states: Floats, fold: int) -> Floats:
        """Probabilities [n_words, n_classes], by the tagger that did not learn from the fold."""
        reduced = states @ self.basis
        return softmax(StateDesign(reduced, [len(reduced)]).scores(self.weights[fold]))


class WordsTagger:
    """The tagger on word forms.

    Attributes:
        ids: index of each feature.
        weights: weights of each fold.
    """

    def __init__(self, ids: dict[str, int], weights: list[Floats]) -> None:
        self.ids = ids
        self.weights = weights

    @classmethod
    def train(
        cls,
        sentences: Sequence[tuple[Sequence[str], Indices]],
        folds: Sequence[int],
        n_classes: int,
    ) -> WordsTagger:
        """Train on target sentences: words and classes, and the fold of each."""
        ids: dict[str, int] = {}
        rows = [word_features(words) for words, _ in sentences]
        for row in rows:
            for features in row:
                for feature in features:
                    ids.setdefault(feature, len(ids))

        def of_fold(fold: int) -> Floats:
            kept = [k for k, f in enumerate(folds) if f != fold]
            design = WordDesign((r for k in kept for r in rows[k]), ids)
            classes = np.concatenate([sentences[k][1] for k in kept])
            return regress(design, classes, n_classes, WORDS_RIDGE)

        return cls(ids, cross_fit(of_fold))

    def probabilities(self, words: Sequence[str], fold: int) -> Floats:
        """Probabilities [n_words, n_classes], by the tagger that did not learn from the fold."""
        design = WordDesign(word_features(words), self.ids)
        return softmax(design.scores(self.weights[fold]))
