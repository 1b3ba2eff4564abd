"""Sentence alignment: the best way through two texts in order, in linear time and memory.

A bead is a few segments of each side that translate each other, or one segment that has no
translation (Gale and Church 1993). Segments are compared by vectors (Thompson and Koehn 2019,
"Vecalign"), and a dynamic programme finds the beads. Long texts are aligned twice as coarse first,
every two segments as one, again and again; then only what lies near the way through the coarser
texts is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Bead = tuple[int, int]

# Source and target segments of a bead.
BEADS = ((1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (3, 1), (1, 0), (0, 1))
LEFT_OUT = BEADS.index((0, 1))
# Leaving out a word is worth a similarity of this, so that it is only done for whole sentences that
# resemble nothing.
LEAST = -0.2
# Loss for lengths that differ, per unit of squared log ratio; and for each segment beyond 1-1.
LENGTH = 0.15
UNEVEN = 0.05
# With more segments than this on a side, the way is looked for near that through a coarser text, at
# most so many segments away from it.
FULL = 200
REACH = 10


class Text(NamedTuple):
    """The segments of one side.

    Attributes:
        spaces: their vectors, [segments, size], in each space in which sides can be compared.
        words, chars: their sizes, [segments].
    """

    spaces: Sequence[Vectors]
    words: Floats
    chars: Floats


def align_segments(source: Text, target: Text) -> list[Bead]:
    """Numbers of source and target segments of each bead, in order; they add up to all segments.

    A bead is worth its words times the excess of its similarity over ``LEAST``.
    """
    k, m = len(source.words), len(target.words)
    if max(k, m) <= FULL:
        return _best_way(source, target, np.zeros(k + 1, np.int64), np.full(k + 1, m))
    low, high = np.full(k + 1, m), np.zeros(k + 1, np.int64)
    i = j = 0
    for x, y in align_segments(_coarser(source), _coarser(target)):
        rows = slice(i, min(i + 2 * x, k) + 1)
        low[rows] = np.minimum(low[rows], j)
        i, j = min(i + 2 * x, k), min(j + 2 * y, m)
        high[rows] = np.maximum(high[rows], j)
    near = np.arange(k + 1)
    low, high = low[np.maximum(near - REACH, 0)], high[np.minimum(near + REACH, k)]
    return _best_way(source, target, np.maximum(low - REACH, 0), np.minimum(high + REACH, m))


def _coarser(text: Text) -> Text:
    """The same text with every two segments as one."""
    at = np.arange(0, len(text.words), 2)
    spaces = [np.add.reduceat(vectors, at) for vectors in text.spaces]
    return Text(spaces, np.add.reduceat(text.words, at), np.add.reduceat(text.chars, at))


def _best_way(source: Text, target: Text, low: Indices, high: Indices) -> list[Bead]:
    """The best beads on a way that is at target segments ``low[i]`` to ``high[i]`` after i of the
    source."""
    gains = _Gains(source, target)
    moves: list[npt.NDArray[np.int8]] = []
    rows: list[Floats] = []  # what the best ways are worth; only the last three are kept
    for i, (first, last) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        best = np.full(last - first + 1, -np.inf)
        move = np.full(len(best), LEFT_OUT, np.int8)
        if not i:
            best[0] = 0.0
        for n, (x, y) in enumerate(BEADS):
            if not x or x > i:
                continue
            # target segments after the bead, such that the way was in reach before it
            begin = max(first, low[i - x] + y)
            end = min(last, high[i - x] + y) + 1
            if begin < end:
                before = rows[-x][begin - y - low[i - x] : end - y - low[i - x]]
                value = before + gains.of(x, y, i - x, begin - y, end - y)
                here = slice(begin - first, end - first)
                better = value > best[here]
                best[here][better] = value[better]
                move[here][better] = n
        reached = np.maximum.accumulate(best)  # leaving out target segments costs nothing
        move[reached > best] = LEFT_OUT
        rows = [*rows[-2:], reached]
        moves.append(move)
    return _way_back(moves, low)


def _way_back(moves: Sequence[npt.NDArray[np.int8]], low: Indices) -> list[Bead]:
    i, j = len(moves) - 1, int(low[-1]) + len(moves[-1]) - 1
    path = []
    while i or j:
        x, y = BEADS[moves[i][j - low[i]]]
        path.append((x, y))
        i, j = i - x, j - y
    return path[::-1]


class _Gains:
    """What beads are worth."""

    def __init__(self, source: Text, target: Text) -> None:
        self._sides = source, target
        self._total = target.chars.sum() / source.chars.sum()
        sizes = {x for bead in BEADS for x in bead if x}
        self._units = [
            [{n: unit(sums(vectors, n)) for n in sizes} for vectors in side.spaces]
            for side in self._sides
        ]
        self._words, self._logs = (
            [{n: part(sums(getattr(side, name), n)) for n in sizes} for side in self._sides]
            for name, part in (("words", np.asarray), ("chars", np.log))
        )

    def of(self, x: int, y: int, i: int, first: int, last: int) -> Floats | float:
        """Of beads of x segments from i and y from each of first to last (exclusive)."""
        if not y:
            return 0.0
        here = slice(first, last)
        ratio = self._logs[1][y][here] - self._logs[0][x][i] - np.log(self._total)
        gain = -LENGTH * ratio**2 - LEAST - UNEVEN * (x + y - 2)
        for source, target in zip(*self._units, strict=True):
            gain += (target[y][here] @ source[x][i]) / len(self._units[0])
        return np.asarray(gain * (self._words[0][x][i] + self._words[1][y][here]))


def sums(values: npt.NDArray[Any], n: int) -> npt.NDArray[Any]:
    """Sums of each ``n`` consecutive entries; none if there are fewer."""
    kept = max(0, len(values) - n + 1)
    return np.asarray(sum(values[k : k + kept] for k in range(n)))


def unit(vectors: Vectors) -> Vectors:
    """Vectors of length 1, or 0."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1))


def most_alike(
    spaces: Sequence[tuple[Vectors, Vectors]], least: float
) -> Iterator[tuple[int, int]]:
    """Pairs of source and target vectors that are most alike both ways, and more than ``least``."""
    each = [unit(source) @ unit(target).T for source, target in spaces]
    alike = np.mean(each, axis=0)
    for i, j in enumerate(alike.argmax(1).tolist()):
        if alike[:, j].argmax() == i and alike[i, j] > least:
            yield i, j
