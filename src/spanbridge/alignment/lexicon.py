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

from spanbridge.alignment.cell_table import CellTable
from spanbridge.alignment.grid import Grid, Vector, Words
from spanbridge.alignment.lexical_aligner import normal_form
from spanbridge.core.scripts import plain_spelling

Indices = npt.NDArray[np.int64]

SPELLING = 8.0  # how much more likely equal spellings are, a priori
NULL = 0.1  # share of words that translate nothing
UNSEEN = 1e-9  # frequency of a word that was not in the bitext
MAX_KEPT = 2**13  # words whose ids are kept, for each side of each lexicon


def key(word: str, prefix: int | None) -> str:
    """A word as the lexicon knows it: without case and accents, cut to ``prefix`` characters."""
    return normal_form(word)[:prefix]


def shares_of(grid: Grid, prior: Vector) -> tuple[Vector, Vector]:
    """What each place has of a word's mass beyond that of none, by a prior in any scale.

    Returns:
        For words of the source (those of a row sum to 1 - NULL), and of the target (of a column).
    """
    scaled = (1 - NULL) * prior
    return scaled / grid.row_sums(prior)[grid.rows], scaled / grid.column_sums(prior)[grid.columns]


def spelling_factor(source: Sequence[str], target: Sequence[str]) -> Vector:
    """1 + SPELLING * similarity^3 of each pair of keys, similarities below .5 counted as 0."""
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cpdist

    similarity = cpdist(
        [plain_spelling(word) for word in source],
        [plain_spelling(word) for word in target],
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


def numbered(words: Words, prefix: int | None) -> tuple[Side, Indices]:
    """The vocabulary of a text, as lexicons know it, and the ids of its words."""
    ids: dict[str, int] = {}
    of = {word: ids.setdefault(key(word, prefix), len(ids)) for word in dict.fromkeys(words)}
    found = np.fromiter(map(of.__getitem__, words), np.int64, len(words))
    return Side(ids, np.zeros(len(ids))).of(found), found


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
    """Where the words of some pairs stand in lexicons.

    Attributes:
        grid: their cells.
        frequencies: of the source words and of the target words, 0 for those the bitext lacked.
        at: for each cell, that of the lexicon; the last, which is none, if there is none.
        new: cells of which the bitext lacked a word.
        factor: of the spellings of each of those.
    """

    grid: Grid
    frequencies: tuple[Vector, Vector]
    at: Indices
    new: Indices
    factor: Vector


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
        self._cells = cells  # source id * target vocabulary + target id, sorted
        self._table = CellTable(cells)
        # p(target | source) and p(source | target); the last is of words that have no cell
        self._forward, self._backward = np.append(forward, 0.0), np.append(backward, 0.0)
        self._ids = Ids(source, prefix), Ids(target, prefix)

    def posterior(self, grid: Grid, prior: Vector) -> tuple[Vector, Vector]:
        """Forward and backward mass, as in :class:`~spanbridge.core.soft_alignment.SoftAlignment`.

        A word that the bitext did not have is equally likely beside any word, spelling apart.

        Args:
            grid: the pairs.
            prior: of each cell, positive, in any scale.
        """
        return self.mass(self.places(grid), shares_of(grid, prior))

    def mass(self, places: Places, shares: tuple[Vector, Vector]) -> tuple[Vector, Vector]:
        """The same as :meth:`posterior`, of what several lexicons have in common.

        Args:
            places: where the words stand, from :meth:`places` of any lexicon with the same cells.
            shares: what :func:`shares_of` gave for the prior over their places.
        """
        grid = places.grid
        to_target, to_source = self._look_up(places)
        frequency_s, frequency_t = (np.maximum(one, UNSEEN) for one in places.frequencies)
        forward, backward = shares[0] * to_source, shares[1] * to_target
        forward /= (grid.row_sums(forward) + NULL * frequency_s)[grid.rows]
        backward /= (grid.column_sums(backward) + NULL * frequency_t)[grid.columns]
        return forward, backward

    def gains(self, grid: Grid, prior: Vector) -> tuple[Vector, Vector]:
        """How much more probable the words of a side are beside the other side than by themselves.

        Ratios of probabilities, for all source words and all target words, by the model of
        :meth:`posterior`; 0 for words that the bitext did not have.
        """
        places = self.places(grid, spelling=False)
        to_target, to_source = self._look_up(places)
        told = (
            grid.row_sums(prior * to_source) / grid.row_sums(prior),
            grid.column_sums(prior * to_target) / grid.column_sums(prior),
        )
        source, target = (
            np.where(own > 0, (1 - NULL) * one / np.maximum(own, UNSEEN) + NULL, 0.0)
            for one, own in zip(told, places.frequencies, strict=True)
        )
        return source, target

    def places(self, grid: Grid, *, spelling: bool = True) -> Places:
        """Where the words of some pairs stand in the lexicon, and in all that share its cells.

        Args:
            grid: the pairs.
            spelling: compare the spellings of words that the bitext did not have.
        """
        numbers = [ids.of(words) for ids, words in zip(self._ids, grid.sides, strict=True)]
        s, t = numbers[0][grid.rows], numbers[1][grid.columns]
        wanted = s * len(self._target.ids) + t
        at, new = self._table.find(wanted), np.flatnonzero((s < 0) | (t < 0))
        at[new] = len(self._cells)
        factor = np.ones(len(new))
        if spelling and len(new):
            factor = spelling_factor(
                self._keys(grid.sides[0], grid.rows[new]),
                self._keys(grid.sides[1], grid.columns[new]),
            )
        source, target = (
            np.where(ids < 0, 0.0, side.frequency[ids])
            for ids, side in zip(numbers, (self._source, self._target), strict=True)
        )
        return Places(grid, (source, target), at, new, factor)

    def _keys(self, words: Words, at: Indices) -> list[str]:
        """Some words as the lexicon knows them."""
        some, which = np.unique(at, return_inverse=True)
        keys = [key(words[k], self.prefix) for k in some.tolist()]
        return [keys[k] for k in which.tolist()]

    def _look_up(self, places: Places) -> tuple[Vector, Vector]:
        """p(target | source) and p(source | target) of each cell.

        Beside a word that the bitext did not have, words have their frequencies, times the factor
        of their spellings.
        """
        to_target, to_source = self._forward[places.at], self._backward[places.at]
        if len(new := places.new):
            frequency_s, frequency_t = (np.maximum(one, UNSEEN) for one in places.frequencies)
            to_target[new] = places.factor * frequency_t[places.grid.columns[new]]
            to_source[new] = places.factor * frequency_s[places.grid.rows[new]]
        return to_target, to_source

    def arrays(self) -> dict[str, Any]:
        """All that was learned, for saving; :meth:`from_arrays` takes it."""
        return {
            "prefix": np.array(self.prefix or 0),
            "source": _as_bytes(self._source.ids),
            "target": _as_bytes(self._target.ids),
            "source_frequency": self._source.frequency,
            "target_frequency": self._target.frequency,
            "cells": self._cells,
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
