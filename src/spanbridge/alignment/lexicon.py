"""Word translation probabilities learned from the bitext itself, in both directions.

IBM model 1 (Brown et al. 1993) with three changes that make it work on a few hundred sentences:

- a prior over places: fast_align's favouring of the diagonal (Dyer, Chahuneau and Smith 2013), or,
  where there is an encoder, the similarity of the words' states;
- variational Bayes with a sparse Dirichlet prior in place of maximum likelihood (Riley and Gildea
  2012), against rare words that collect links;
- the Dirichlet prior of a pair grows with the similarity of the two spellings, transliterated, so
  that names and numbers find each other at their first occurrence.

:mod:`~spanbridge.alignment.lexicon_learning` learns them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spanbridge.alignment.lexical_aligner import normal_form
from spanbridge.core.soft_alignment import Matrix

Words = Sequence[str]
Vector = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Shares = tuple[Matrix, Matrix]

SPELLING = 8.0  # how much more likely equal spellings are, a priori
DIAGONAL = 4.0  # fast_align's lambda
NULL = 0.1  # share of words that translate nothing
UNSEEN = 1e-9  # frequency of a word that was not in the bitext
MAX_KEPT = 2**16  # words whose ids are kept


def key(word: str, prefix: int | None) -> str:
    """A word as the lexicon knows it: without case and accents, cut to ``prefix`` characters."""
    return normal_form(word)[:prefix]


def diagonal_prior(n: int, m: int) -> Matrix:
    """exp(-lambda |i/n - j/m|), [n, m]: not normalised."""
    places = [(np.arange(size) + 0.5) / size for size in (n, m)]
    prior: Matrix = np.exp(-DIAGONAL * np.abs(places[0][:, None] - places[1][None, :]))
    return prior


def shares_of(prior: Matrix) -> Shares:
    """What each place has of a word's mass beyond that of none, by a prior in any scale.

    Returns:
        For words of the source (rows sum to 1 - NULL), and of the target (columns do).
    """
    scaled = (1 - NULL) * prior
    return scaled / prior.sum(1, keepdims=True), scaled / prior.sum(0)


def spelling_factor(source: Sequence[str], target: Sequence[str]) -> Vector:
    """1 + SPELLING * similarity^3 of each pair of keys, similarities below .5 counted as 0."""
    from anyascii import anyascii
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cpdist

    latin = {word: anyascii(word).lower() for word in {*source, *target}}
    similarity = cpdist(
        [latin[word] for word in source],
        [latin[word] for word in target],
        scorer=Indel.normalized_similarity,
        dtype=np.float64,
    )
    factor: Vector = 1 + SPELLING * np.where(similarity > 0.5, similarity, 0) ** 3
    return factor


@dataclass(frozen=True)
class Side:
    """One language's vocabulary: ids in order of first occurrence, and relative frequencies."""

    ids: dict[str, int]
    frequency: Vector

    def of(self, words: Indices) -> Side:
        """The same words with the frequencies of some text."""
        counts = np.bincount(words, minlength=len(self.ids))
        return Side(self.ids, counts / counts.sum())


def numbered(sentences: Sequence[Words]) -> tuple[Side, list[Indices]]:
    """The vocabulary of some sentences, and the ids of their words."""
    ids: dict[str, int] = {}
    found = [
        np.array([ids.setdefault(word, len(ids)) for word in words], dtype=np.int64)
        for words in sentences
    ]
    return Side(ids, np.zeros(len(ids))).of(np.concatenate(found)), found


class Ids(dict[str, int]):
    """Ids of words as they stand in text, kept once asked for; -1 for those the bitext lacks."""

    def __init__(self, side: Side, prefix: int | None) -> None:
        super().__init__()
        self._side, self._prefix = side, prefix

    def __missing__(self, word: str) -> int:
        found = self._side.ids.get(key(word, self._prefix), -1)
        known = found if self._side.frequency[found] > 0 else -1
        if len(self) == MAX_KEPT:
            self.clear()
        self[word] = known
        return known

    def of(self, words: Sequence[str]) -> Indices:
        """Ids of some words."""
        return np.fromiter(map(self.__getitem__, words), np.int64, len(words))


class Places(NamedTuple):
    """Where the words of a pair stand in lexicons.

    Attributes:
        frequencies: of the source's words and of the target's, 0 for those the bitext lacked.
        at: [n_source, n_target], the cell of two words, -1 if they have none.
        new: whether the bitext lacked one of them.
        factor: of the spellings of those; None if there are none.
    """

    frequencies: tuple[Vector, Vector]
    at: Indices
    new: npt.NDArray[np.bool_]
    factor: Vector | None


class Lexicon:
    """Translation probabilities of word pairs that occurred together.

    Attributes:
        prefix: characters that words are cut to, None for whole words.
    """

    def __init__(
        self,
        prefix: int | None,
        source: Side,
        target: Side,
        cells: Indices,
        forward: Vector,
        backward: Vector,
    ) -> None:
        self.prefix = prefix
        self._source, self._target = source, target
        # source id * target vocabulary + target id, sorted; the last is none
        self._cells = np.append(cells, -1)
        # p(target | source) and p(source | target); the last is of words that have no cell
        self._forward, self._backward = np.append(forward, 0.0), np.append(backward, 0.0)
        self._ids = Ids(source, prefix), Ids(target, prefix)

    def posterior(self, source: Words, target: Words, prior: Matrix) -> tuple[Matrix, Matrix]:
        """Forward and backward mass, as in :class:`~spanbridge.core.soft_alignment.SoftAlignment`.

        A word that the bitext did not have is equally likely beside any word, spelling apart.

        Args:
            source, target: words of one pair.
            prior: [n_source, n_target], positive, in any scale.
        """
        return self.mass(self.places(source, target), shares_of(prior))

    def mass(self, places: Places, shares: Shares) -> tuple[Matrix, Matrix]:
        """The same as :meth:`posterior`, of what several lexicons have in common.

        Args:
            places: where the words stand, from :meth:`places` of any lexicon with the same cells.
            shares: what :func:`shares_of` gave for the prior over their places.
        """
        to_target, to_source = self._look_up(places)
        frequency_s, frequency_t = (np.maximum(one, UNSEEN) for one in places.frequencies)
        forward, backward = shares[0] * to_source, shares[1] * to_target
        backward /= backward.sum(0) + NULL * frequency_t
        forward /= forward.sum(1, keepdims=True) + NULL * frequency_s[:, None]
        return forward, backward

    def gains(self, source: Words, target: Words, prior: Matrix) -> Vector:
        """How much more probable each word of both sides is beside the other side than by itself.

        Ratios of probabilities, [n_source + n_target], by the model of :meth:`posterior`; 0 for
        words that the bitext did not have.
        """
        places = self.places(source, target, spelling=False)
        to_target, to_source = self._look_up(places)
        place = prior / prior.sum(1, keepdims=True), prior / prior.sum(0)
        told = (place[0] * to_source).sum(1), (place[1] * to_target).sum(0)
        return np.concatenate(
            [
                np.where(own > 0, (1 - NULL) * one / np.maximum(own, UNSEEN) + NULL, 0.0)
                for one, own in zip(told, places.frequencies, strict=True)
            ]
        )

    def places(self, source: Words, target: Words, *, spelling: bool = True) -> Places:
        """Where the words of a pair stand in the lexicon, and in all that share its cells.

        Args:
            source, target: words of one pair.
            spelling: compare the spellings of words that the bitext did not have.
        """
        s, t = self._ids[0].of(source), self._ids[1].of(target)
        wanted = s[:, None] * len(self._target.ids) + t
        at = np.searchsorted(self._cells[:-1], wanted)
        factor, new = None, (s[:, None] < 0) | (t < 0)
        at[(self._cells[at] != wanted) | new] = -1
        if new.any():
            i, j = np.nonzero(new)
            factor = np.ones(len(i))
            if spelling:
                keys = [[key(word, self.prefix) for word in side] for side in (source, target)]
                factor = spelling_factor([keys[0][k] for k in i], [keys[1][k] for k in j])
        frequencies = (
            np.where(ids < 0, 0.0, side.frequency[ids])
            for ids, side in ((s, self._source), (t, self._target))
        )
        return Places((next(frequencies), next(frequencies)), at, new, factor)

    def _look_up(self, places: Places) -> tuple[Matrix, Matrix]:
        """p(target | source) and p(source | target), [n_source, n_target].

        Beside a word that the bitext did not have, words have their frequencies, times the factor
        of their spellings.
        """
        to_target, to_source = self._forward[places.at], self._backward[places.at]
        if places.factor is not None:
            i, j = np.nonzero(places.new)
            frequency_s, frequency_t = (np.maximum(one, UNSEEN) for one in places.frequencies)
            to_target[places.new] = places.factor * frequency_t[j]
            to_source[places.new] = places.factor * frequency_s[i]
        return to_target, to_source

    def arrays(self) -> dict[str, Any]:
        """All that was learned, for saving; :meth:`from_arrays` takes it."""
        return {
            "prefix": np.array(self.prefix or 0),
            "source": _as_bytes(self._source.ids),
            "target": _as_bytes(self._target.ids),
            "source_frequency": self._source.frequency,
            "target_frequency": self._target.frequency,
            "cells": self._cells[:-1],
            "forward": self._forward[:-1],
            "backward": self._backward[:-1],
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any]) -> Lexicon:
        """Make a lexicon of what :meth:`arrays` gave."""
        source, target = (
            Side(
                {word: n for n, word in enumerate(json.loads(arrays[side].tobytes()))},
                arrays[f"{side}_frequency"],
            )
            for side in ("source", "target")
        )
        tables = (arrays[name] for name in ("cells", "forward", "backward"))
        return cls(int(arrays["prefix"]) or None, source, target, *tables)


def _as_bytes(words: Iterable[str]) -> npt.NDArray[np.uint8]:
    """Words as JSON: an array of strings would be as wide as the longest of them."""
    return np.frombuffer(json.dumps(list(words)).encode(), dtype=np.uint8)
