"""Soft word alignment from encoder states."""

from __future__ import annotations

import numpy as np

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


def word_states(sentence: EncodedSentence) -> States:
    """One unit vector per word, [n_words, hidden]: mean of its subwords, less the sentence's mean.

    Contextual states share a large common direction (Ethayarajh 2019); taking the sentence's mean
    away leaves what tells its words apart, and makes languages comparable. A word without subwords
    (ignorable characters only) has a zero vector, and so has one that is the whole sentence.
    """
    states, n = sentence.states, len(sentence.states)
    covers = np.zeros((sentence.n_words, n), np.float32)
    if n and int((sentence.last - sentence.first).max()) == 1:
        covers[sentence.first, np.arange(n)] = 1
    else:
        for k, (first, last) in enumerate(zip(sentence.first, sentence.last, strict=True)):
            covers[first:last, k] = 1
    sums = covers @ states
    sums -= covers.sum(1)[:, None] * (states.sum(0) / max(n, 1))
    lengths = np.sqrt(np.einsum("ij,ij->i", sums, sums))[:, None]
    longest = np.einsum("ij,ij->i", states, states).max(initial=0)
    none = lengths <= ROUNDING * np.sqrt(longest)
    sums /= np.where(none, 1, lengths)
    sums[none[:, 0]] = 0
    return np.asarray(sums)


def cosines(source: States, target: States) -> Matrix:
    """Similarity of all words, [n_source, n_target] in [-1, 1]; -1 for words with no vector."""
    similarity: Matrix = (source @ target.T).astype(np.float64)
    similarity[~source.any(1)] = -1
    similarity[:, ~target.any(1)] = -1
    return similarity


def soft_links(similarity: Matrix) -> tuple[Matrix, Matrix]:
    """Forward and backward mass: softmax of cosine / TEMPERATURE over each row and each column."""
    weights = np.exp((similarity - 1) / TEMPERATURE)
    return weights / weights.sum(1, keepdims=True), weights / weights.sum(0)


def with_neighbours(forward: Matrix, backward: Matrix) -> tuple[Matrix, Matrix]:
    """Move mass towards links whose neighbours are linked too; totals of rows and columns stay.

    A translation keeps most words beside each other, which an HMM aligner learns (Vogel, Ney and
    Tillmann 1996). Here each pair of words is weighted by 1 + NEIGHBOURS * support, the support
    being the mass of the two diagonal neighbours and half that of the four others.
    """
    mass = np.pad(np.sqrt(forward * backward), 1)
    support = mass[:-2, :-2] + mass[2:, 2:]
    support += 0.5 * (mass[:-2, 1:-1] + mass[2:, 1:-1] + mass[1:-1, :-2] + mass[1:-1, 2:])
    weight = 1 + NEIGHBOURS * support
    moved = forward * weight, backward * weight
    rows = forward.sum(1) / np.maximum(moved[0].sum(1), 1e-12)
    columns = backward.sum(0) / np.maximum(moved[1].sum(0), 1e-12)
    return moved[0] * rows[:, None], moved[1] * columns
