"""The cells of several sentence pairs in flat arrays, so that all are computed with at once.

A cell is a source word and a target word of one pair. A pair has a few hundred of them, and a call
of NumPy takes longer to begin than to compute so few. What is computed of a pair never depends on
those beside it: sums run over its own cells, in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import Matrix

Words = Sequence[str]
Vector = npt.NDArray[np.float64]

# Cells at a time: a dozen arrays of these fit in a processor's cache.
MAX_CELLS = 2**14
DIAGONAL = 4.0  # fast_align's lambda


class Grid:
    """All cells of some sentence pairs, pair by pair, row by row.

    Args:
        pairs: the words of both sides of each pair; no side is empty, or a ValueError is raised.

    Attributes:
        shapes: number of source and target words of each pair.
        sides: all source words, and all target words.
        rows, columns: source word and target word of each cell, as numbers among all of them.
    """

    def __init__(self, pairs: Sequence[tuple[Words, Words]]) -> None:
        self.shapes = [(len(source), len(target)) for source, target in pairs]
        self.sides = tuple(list(chain.from_iterable(pair[k] for pair in pairs)) for k in (0, 1))
        n, m = np.array(self.shapes, np.int64).T
        if not (n * m).all():
            raise ValueError("no side is empty")
        self._first = np.cumsum(n) - n, np.cumsum(m) - m  # first word of each pair
        self._length = n, m
        width = np.repeat(m, n)
        self._row_starts = np.cumsum(width) - width
        self.rows = np.repeat(np.arange(len(width)), width)
        self._cells = np.arange(len(self.rows))
        self.columns = self._cells + (np.repeat(self._first[1], n) - self._row_starts)[self.rows]

    def __len__(self) -> int:
        return len(self._cells)

    def row_sums(self, values: Vector) -> Vector:
        """Sum of the cells of each source word."""
        sums: Vector = np.add.reduceat(values, self._row_starts)
        return sums

    def column_sums(self, values: Vector) -> Vector:
        """Sum of the cells of each target word."""
        sums: Vector = np.bincount(self.columns, values, len(self.sides[1])).astype(
            np.float64, copy=False
        )
        return sums

    def pair_sums(self, of_source: Vector, of_target: Vector) -> Vector:
        """Sum over the words of both sides of each pair."""
        both = (of_source, of_target)
        source, target = map(np.add.reduceat, both, self._first)
        return np.asarray(source + target)

    def matrices(self, values: Vector) -> Iterator[Matrix]:
        """The cells of each pair, [n_source, n_target]: views."""
        start = 0
        for n, m in self.shapes:
            yield values[start : start + n * m].reshape(n, m)
            start += n * m

    def flat(self, matrices: Iterable[npt.NDArray[np.floating]]) -> Vector:
        """Cells of one matrix per pair, [n_source, n_target]."""
        values = np.empty(len(self))
        for own, matrix in zip(self.matrices(values), matrices, strict=True):
            own[...] = matrix
        return values

    def diagonal(self) -> Vector:
        """How far each cell lies off its pair's diagonal: |i/n - j/m|, in [0, 1)."""
        places = [
            (np.arange(len(words)) - np.repeat(first, length) + 0.5) / np.repeat(length, length)
            for words, first, length in zip(self.sides, self._first, self._length, strict=True)
        ]
        return np.asarray(np.abs(places[0][self.rows] - places[1][self.columns]))

    def beside(self, values: Vector) -> tuple[Vector, Vector]:
        """Sums over the neighbours of each cell: the two on its diagonal, and the four others.

        Those on the diagonal are the next words of both sides and the ones before; beyond the edges
        of a pair is nothing.
        """
        n, m = self._length
        sizes = (n + 2) * (m + 2)
        stride = np.repeat(m + 2, n)
        within = np.arange(len(stride)) - np.repeat(self._first[0], n) + 1
        rows = np.repeat(np.cumsum(sizes) - sizes, n) + within * stride + 1
        at = self._cells + (rows - self._row_starts)[self.rows]
        up, down = at - stride[self.rows], at + stride[self.rows]
        padded = np.zeros(int(sizes.sum()))
        padded[at] = values
        diagonal = padded[up - 1] + padded[down + 1]
        return diagonal, padded[up] + padded[down] + padded[at - 1] + padded[at + 1]


def diagonal_prior(grid: Grid) -> Vector:
    """exp(-lambda |i/n - j/m|) of each cell: fast_align's prior over places, not normalised."""
    return np.asarray(np.exp(-DIAGONAL * grid.diagonal()))


def grids(
    pairs: Sequence[tuple[Words, Words]], which: Iterable[int] | None = None
) -> Iterator[tuple[list[int], Grid]]:
    """Grids of ``MAX_CELLS`` cells, each with the numbers of its pairs; a larger pair has its own.

    Args:
        pairs: the words of both sides of each pair.
        which: numbers of those that are wanted; None for all.
    """
    group: list[int] = []
    total = 0
    for k in range(len(pairs)) if which is None else which:
        own = n_cells(pairs[k])
        if group and total + own > MAX_CELLS:
            yield group, Grid([pairs[n] for n in group])
            group, total = [], 0
        group.append(k)
        total += own
    if group:
        yield group, Grid([pairs[n] for n in group])


def sides_of(pair: SentencePair) -> tuple[Words, Words]:
    """The words of both sides of a row."""
    return pair.source.words, pair.target.words


def n_cells(sides: tuple[Words, Words]) -> int:
    """Number of cells of a pair; 0 if a side is empty."""
    return len(sides[0]) * len(sides[1])
