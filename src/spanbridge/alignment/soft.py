"""Soft word alignment from encoder states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spanbridge.alignment.grid import Grid, Vector
from spanbridge.core.soft_alignment import Matrix, States
from spanbridge.encode import EncodedSentence

# Temperature of the softmax over cosines: those of words that translate each other lie some .3
# above others.
TEMPERATURE = 0.05
# A sentence of fewer words has no mean worth taking away; its hard links take its place.
SHORT = 3
# A word's vector shorter than this share of the states is rounding.
ROUNDING = 1e-5
# Weight of linked neighbours.
NEIGHBOURS = 2.0
# Sentences whose words are computed at once: their states fit in a processor's cache.
TOGETHER = 8

Indices = npt.NDArray[np.int64]


def word_states(sentences: Sequence[EncodedSentence]) -> list[States]:
    """One unit vector per word, [n_words, hidden]: mean of its subwords, less the sentence's mean.

    Contextual states share a large common direction (Ethayarajh 2019); taking the sentence's mean
    away leaves what tells its words apart, and makes languages comparable. A word without subwords
    (ignorable characters only) has a zero vector, and so has one that is the whole sentence.
    """
    found: list[States] = []
    for start in range(0, len(sentences), TOGETHER):
        found += _word_states(sentences[start : start + TOGETHER])
    return found


def _word_states(sentences: Sequence[EncodedSentence]) -> list[States]:
    states = np.concatenate([one.states for one in sentences])
    n_words = np.array([one.n_words for one in sentences])
    n_subwords = np.array([len(one.states) for one in sentences])
    word, subword = _coverage(sentences, np.cumsum(n_words) - n_words, n_subwords)
    counts = np.bincount(word, minlength=n_words.sum())
    sums = np.zeros((len(counts), states.shape[1]), np.float32)
    nth = np.arange(len(word)) - (np.cumsum(counts) - counts)[word]  # of its word's subwords
    for n in range(counts.max(initial=0)):
        at = np.flatnonzero(nth == n)
        sums[word[at]] += states[subword[at]]
    means = np.array([one.states.sum(0) / max(len(one.states), 1) for one in sentences])
    sums -= counts[:, None].astype(np.float32) * np.repeat(means, n_words, 0)
    lengths = np.sqrt(np.einsum("ij,ij->i", sums, sums))
    squares = np.split(np.einsum("ij,ij->i", states, states), np.cumsum(n_subwords)[:-1])
    longest = np.sqrt([one.max(initial=0) for one in squares])
    none = lengths <= ROUNDING * np.repeat(longest, n_words)
    sums /= np.where(none, 1, lengths)[:, None]
    sums[none] = 0
    return np.split(sums, np.cumsum(n_words)[:-1])


def _coverage(
    sentences: Sequence[EncodedSentence], first_word: Indices, n_subwords: Indices
) -> tuple[Indices, Indices]:
    """Word and subword, as numbers among all, for each word that a subword covers, by word."""
    offset = np.repeat(first_word, n_subwords)
    first = np.concatenate([one.first for one in sentences]) + offset
    width = np.concatenate([one.last for one in sentences]) + offset - first
    subword = np.repeat(np.arange(len(width)), width)
    word = first[subword] + np.arange(len(subword)) - (np.cumsum(width) - width)[subword]
    order = np.argsort(word, kind="stable")
    return word[order], subword[order]


def cosines(source: States, target: States) -> Matrix:
    """Similarity of all words, [n_source, n_target] in [-1, 1]; -1 for words with no vector."""
    similarity: Matrix = (source @ target.T).astype(np.float64)
    similarity[~source.any(1)] = -1
    similarity[:, ~target.any(1)] = -1
    return similarity


def soft_links(grid: Grid, similarity: Vector) -> tuple[Vector, Vector]:
    """Forward and backward mass: softmax of cosine / TEMPERATURE over each row and each column."""
    weights = np.exp((similarity - 1) / TEMPERATURE)
    return (
        weights / grid.row_sums(weights)[grid.rows],
        weights / grid.column_sums(weights)[grid.columns],
    )


def with_neighbours(grid: Grid, forward: Vector, backward: Vector) -> tuple[Vector, Vector]:
    """Move mass towards links whose neighbours are linked too; totals of rows and columns stay.

    A translation keeps most words beside each other, which an HMM aligner learns (Vogel, Ney and
    Tillmann 1996). Here each pair of words is weighted by 1 + NEIGHBOURS * support, the support
    being the mass of the two diagonal neighbours and half that of the four others.
    """
    diagonal, others = grid.beside(np.sqrt(forward * backward))
    weight = 1 + NEIGHBOURS * (diagonal + 0.5 * others)
    moved = forward * weight, backward * weight
    rows = grid.row_sums(forward) / np.maximum(grid.row_sums(moved[0]), 1e-12)
    columns = grid.column_sums(backward) / np.maximum(grid.column_sums(moved[1]), 1e-12)
    return moved[0] * rows[grid.rows], moved[1] * columns[grid.columns]
