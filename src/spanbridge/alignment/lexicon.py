"""Word translation probabilities learned from the bitext itself, in both directions.

IBM model 1 (Brown et al. 1993) with three changes that make it work on a few hundred sentences:

- a prior over places: fast_align's favouring of the diagonal (Dyer, Chahuneau and Smith 2013), or,
  where there is an encoder, the similarity of the words' states;
- variational Bayes with a sparse Dirichlet prior in place of maximum likelihood (Riley and Gildea
  2012), against rare words that collect links;
- the Dirichlet prior of a pair grows with the similarity of the two spellings, transliterated, so
  that names and numbers find each other at their first occurrence.

All sentences are one flat array of cells (a cell is a source word and a target word of one pair),
so that a round of training is a handful of NumPy calls, and the result does not depend on any order
of work.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from spanbridge.alignment.lexical_aligner import normal_form
from spanbridge.core.soft_alignment import Matrix

Words = Sequence[str]
Vector = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

ROUNDS = 5
CONCENTRATION = 0.01  # parameter of the Dirichlet prior
SPELLING = 8.0  # how much more likely equal spellings are, a priori
DIAGONAL = 4.0  # fast_align's lambda
NULL = 0.1  # share of words that translate nothing
NEGLIGIBLE = 1e-8  # less probable pairs are forgotten: nearly all that only met by chance
UNSEEN = 1e-9  # frequency of a word that was not in the bitext
FOLDS = 5  # of pairs, to see what lexicons explain
SHARE_ROUNDS = 50


def key(word: str, prefix: int | None) -> str:
    """A word as the lexicon knows it: without case and accents, cut to ``prefix`` characters."""
    return normal_form(word)[:prefix]


def diagonal_prior(n: int, m: int) -> Matrix:
    """exp(-lambda |i/n - j/m|), [n, m]: not normalised."""
    places = [(np.arange(size) + 0.5) / size for size in (n, m)]
    prior: Matrix = np.exp(-DIAGONAL * np.abs(places[0][:, None] - places[1][None, :]))
    return prior


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
class _Side:
    """One language's vocabulary: ids in order of first occurrence, and relative frequencies."""

    ids: dict[str, int]
    frequency: Vector

    def look_up(self, words: Sequence[str]) -> Indices:
        """Ids, -1 for words of which the bitext has none."""
        ids = np.array([self.ids.get(word, -1) for word in words], dtype=np.int64)
        return np.where(self.frequency[ids] > 0, ids, -1)

    def of(self, words: Indices) -> _Side:
        """The same words with the frequencies of some text."""
        counts = np.bincount(words, minlength=len(self.ids))
        return _Side(self.ids, counts / counts.sum())


def _side(sentences: Sequence[Words]) -> tuple[_Side, list[Indices]]:
    ids: dict[str, int] = {}
    numbered = [
        np.array([ids.setdefault(word, len(ids)) for word in words], dtype=np.int64)
        for words in sentences
    ]
    return _Side(ids, np.zeros(len(ids))).of(np.concatenate(numbered)), numbered


class Lexicon:
    """Translation probabilities of word pairs that occurred together.

    Attributes:
        prefix: characters that words are cut to, None for whole words.
    """

    def __init__(
        self,
        prefix: int | None,
        source: _Side,
        target: _Side,
        cells: Indices,
        forward: Vector,
        backward: Vector,
    ) -> None:
        self.prefix = prefix
        self._source, self._target = source, target
        self._cells = cells  # source id * target vocabulary + target id, sorted
        self._forward, self._backward = forward, backward  # p(target | source), p(source | target)

    @classmethod
    def learn(
        cls,
        pairs: Sequence[tuple[Words, Words]],
        prefix: int | None,
        priors: Sequence[Matrix],
        rounds: int = ROUNDS,
    ) -> Lexicon:
        """Train on a bitext.

        Args:
            pairs: source and target words, none empty.
            prefix: characters that words are cut to, None for whole words.
            priors: one matrix per pair, [n_source, n_target], positive, in any scale.
            rounds: rounds of expectation and maximisation.
        """
        return _Cells(pairs, prefix, priors).lexicon(rounds)

    @classmethod
    def held_out(
        cls,
        pairs: Sequence[tuple[Words, Words]],
        prefix: int | None,
        priors: Sequence[Matrix],
        folds: Sequence[int],
        rounds: int = ROUNDS,
    ) -> list[Lexicon]:
        """A lexicon for each fold, learned from the pairs of all others.

        Args:
            pairs, prefix, priors, rounds: as for :meth:`learn`.
            folds: the fold of each pair, from 0; there are two or more.
        """
        cells = _Cells(pairs, prefix, priors)
        return [cells.lexicon(rounds, np.array(folds) != k) for k in range(max(folds) + 1)]

    def posterior(self, source: Words, target: Words, prior: Matrix) -> tuple[Matrix, Matrix]:
        """Forward and backward mass, as in :class:`~spanbridge.core.soft_alignment.SoftAlignment`.

        A word that the bitext did not have is equally likely beside any word, spelling apart.

        Args:
            source, target: words of one pair.
            prior: [n_source, n_target], positive, in any scale.
        """
        to_target, to_source, frequency_s, frequency_t = self._look_up(source, target)
        frequency_s = np.maximum(frequency_s, UNSEEN)
        frequency_t = np.maximum(frequency_t, UNSEEN)
        backward = (1 - NULL) * prior / prior.sum(0) * to_target
        backward /= backward.sum(0) + NULL * frequency_t
        forward = (1 - NULL) * prior / prior.sum(1, keepdims=True) * to_source
        forward /= forward.sum(1, keepdims=True) + NULL * frequency_s[:, None]
        return forward, backward

    def gains(self, source: Words, target: Words, prior: Matrix) -> Vector:
        """How much more probable each word of both sides is beside the other side than by itself.

        Ratios of probabilities, [n_source + n_target], by the model of :meth:`posterior`; 0 for
        words that the bitext did not have.
        """
        to_target, to_source, *frequencies = self._look_up(source, target, spelling=False)
        place = prior / prior.sum(1, keepdims=True), prior / prior.sum(0)
        told = (place[0] * to_source).sum(1), (place[1] * to_target).sum(0)
        return np.concatenate(
            [
                np.where(own > 0, (1 - NULL) * one / np.maximum(own, UNSEEN) + NULL, 0.0)
                for one, own in zip(told, frequencies, strict=True)
            ]
        )

    def _look_up(
        self, source: Words, target: Words, *, spelling: bool = True
    ) -> tuple[Matrix, Matrix, Vector, Vector]:
        """p(target | source) and p(source | target), [n_source, n_target]; each word's frequency.

        Beside a word that the bitext did not have, words have their frequencies, times the factor
        of their spellings if that is asked for.
        """
        words = [[key(word, self.prefix) for word in side] for side in (source, target)]
        s, t = self._source.look_up(words[0]), self._target.look_up(words[1])
        size = len(self._target.ids)
        wanted = s[:, None] * size + t
        at = np.minimum(np.searchsorted(self._cells, wanted), len(self._cells) - 1)
        known = (self._cells[at] == wanted) & (s[:, None] >= 0) & (t >= 0)
        to_target = np.where(known, self._forward[at], 0.0)
        to_source = np.where(known, self._backward[at], 0.0)
        frequency_s = np.where(s >= 0, self._source.frequency[s], 0.0)
        frequency_t = np.where(t >= 0, self._target.frequency[t], 0.0)
        new = (s[:, None] < 0) | (t < 0)
        if new.any():
            i, j = np.nonzero(new)
            factor = np.ones(len(i))
            if spelling:
                factor = spelling_factor([words[0][k] for k in i], [words[1][k] for k in j])
            to_target[new] = factor * np.maximum(frequency_t, UNSEEN)[j]
            to_source[new] = factor * np.maximum(frequency_s, UNSEEN)[i]
        return to_target, to_source, frequency_s, frequency_t

    def arrays(self) -> dict[str, Any]:
        """All that was learned, for saving; :meth:`from_arrays` takes it."""
        return {
            "prefix": np.array(self.prefix or 0),
            "source": _as_bytes(self._source.ids),
            "target": _as_bytes(self._target.ids),
            "source_frequency": self._source.frequency,
            "target_frequency": self._target.frequency,
            "cells": self._cells,
            "forward": self._forward,
            "backward": self._backward,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any]) -> Lexicon:
        """Make a lexicon of what :meth:`arrays` gave."""
        source, target = (
            _Side(
                {word: n for n, word in enumerate(json.loads(arrays[side].tobytes()))},
                arrays[f"{side}_frequency"],
            )
            for side in ("source", "target")
        )
        tables = (arrays[name] for name in ("cells", "forward", "backward"))
        return cls(int(arrays["prefix"]) or None, source, target, *tables)


def fold_of(pair: tuple[Words, Words], folds: int) -> int:
    """The fold of a pair, by its words alone: the same pair is never in two folds."""
    return crc32("\n".join("\t".join(side) for side in pair).encode("utf-8", "replace")) % folds


def explained(
    pairs: Sequence[tuple[Words, Words]], prefix: int | None, priors: Sequence[Matrix]
) -> float:
    """Share of words that lexicons of other pairs explain: what a lexicon of these pairs can teach.

    Each fold's words are a mixture of words that its lexicon predicts and of words by their
    frequency alone; the share of the former is fitted by expectation and maximisation (deleted
    interpolation, Jelinek and Mercer 1980). A word that no other fold has is not explained.

    Args:
        pairs, prefix, priors: as for :meth:`Lexicon.learn`.

    Returns:
        The share, in [0, 1]; 0 if all pairs are of one fold.
    """
    folds = [fold_of(pair, FOLDS) for pair in pairs]
    if len(set(folds)) < 2:
        return 0.0
    lexicons = Lexicon.held_out(pairs, prefix, priors, folds)
    gains = np.concatenate(
        [
            lexicons[fold].gains(*pair, prior)
            for pair, prior, fold in zip(pairs, priors, folds, strict=True)
        ]
    )
    known = gains[gains > 0]
    share = 0.5
    for _ in range(SHARE_ROUNDS if len(known) else 0):
        share = float(np.mean(share * known / (share * known + 1 - share)))
    return share * len(known) / len(gains)


class _Cells:
    """All cells of a bitext in flat arrays, to learn lexicons of all or of some pairs."""

    def __init__(
        self, pairs: Sequence[tuple[Words, Words]], prefix: int | None, priors: Sequence[Matrix]
    ) -> None:
        self._prefix = prefix
        sides = [[[key(word, prefix) for word in pair[side]] for pair in pairs] for side in (0, 1)]
        (self._source, numbered_s), (self._target, numbered_t) = _side(sides[0]), _side(sides[1])
        source, target = self._source, self._target
        size = len(target.ids)
        flat = np.concatenate(
            [(s[:, None] * size + t).ravel() for s, t in zip(numbered_s, numbered_t, strict=True)]
        )
        # each pair of words that occurs together, and which of them each cell is
        self._cells, self._cell = np.unique(flat, return_inverse=True)
        names = [list(side.ids) for side in (source, target)]
        self._factor = spelling_factor(
            [names[0][i] for i in self._cells // size], [names[1][i] for i in self._cells % size]
        )
        self._lengths = [np.array([len(s) for s in side]) for side in (numbered_s, numbered_t)]
        starts = [np.r_[0, np.cumsum(length)] for length in self._lengths]
        shapes = list(zip(*self._lengths, *starts, strict=False))
        # the words of the bitext, and which of them each cell has
        self._words = [np.concatenate(numbered_s), np.concatenate(numbered_t)]
        self._rows = np.concatenate([np.repeat(np.arange(n) + a, m) for n, m, a, _ in shapes])
        self._columns = np.concatenate([np.tile(np.arange(m) + b, n) for n, m, _, b in shapes])
        self._prior = np.concatenate([matrix.ravel() for matrix in priors])

    def lexicon(self, rounds: int, used: npt.NDArray[np.bool_] | None = None) -> Lexicon:
        """A lexicon, learned from all pairs or from those that are used."""
        used = np.ones(len(self._lengths[0]), bool) if used is None else used
        flat = np.repeat(used, self._lengths[0] * self._lengths[1])
        occurs = np.zeros(len(self._cells), bool)
        occurs[self._cell[flat]] = True
        cells, factor = self._cells[occurs], self._factor[occurs]
        cell = (np.cumsum(occurs) - 1)[self._cell[flat]]
        source, target = (
            side.of(words[np.repeat(used, lengths)])
            for side, words, lengths in zip(
                (self._source, self._target), self._words, self._lengths, strict=True
            )
        )
        size = len(target.ids)
        tables = []
        # (word whose origin is asked for, its side, word that is the condition)
        for token, side, words, condition in (
            (self._columns[flat], target, self._words[1], cells // size),
            (self._rows[flat], source, self._words[0], cells % size),
        ):
            prior = self._prior[flat]
            place = (1 - NULL) * prior / np.bincount(token, prior)[token]
            null = NULL * side.frequency[words]
            table = factor / np.bincount(condition, factor)[condition]
            for _ in range(rounds):
                share = place * table[cell]
                share /= (np.bincount(token, share, len(null)) + null)[token]
                counts = np.bincount(cell, share, len(cells)) + CONCENTRATION * factor
                table = _variational(counts, np.bincount(condition, counts)[condition])
            tables.append(table)
        kept = np.maximum(*tables) > NEGLIGIBLE
        kept[0] = True  # posterior() looks cells up, so there is always one
        return Lexicon(self._prefix, source, target, cells[kept], *(one[kept] for one in tables))


def _as_bytes(words: Iterable[str]) -> npt.NDArray[np.uint8]:
    """Words as JSON: an array of strings would be as wide as the longest of them."""
    return np.frombuffer(json.dumps(list(words)).encode(), dtype=np.uint8)


def _variational(counts: Vector, totals: Vector) -> Vector:
    """exp(digamma(count) - digamma(total)): the mean-field step for a Dirichlet prior."""
    from scipy.special import digamma

    table: Vector = np.exp(digamma(counts) - digamma(totals))
    return table
