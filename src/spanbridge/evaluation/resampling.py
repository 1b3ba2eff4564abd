"""Resampled scores of several systems on the same sentences, by products of matrices.

Sentences are put in an order of their own first, so that results do not depend on that of the
file. Sentences with equal counts are interchangeable: where many are equal, only the number of
occurrences of each distinct one is drawn (one multinomial draw per resample), which gives the same
distribution as drawing sentences one by one, at a fraction of the cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import lcm
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# Most cells of a matrix of draws: bounds memory, whatever the number of sentences.
_CELLS = 2**22


def generator(seed: int, *names: str) -> np.random.Generator:
    """A random generator of its own for each name: nothing hangs on what else is drawn."""
    return np.random.default_rng([seed, *(crc32(name.encode()) for name in names)])


def f1(tp: npt.ArrayLike, sizes: npt.ArrayLike) -> Floats:
    """``2 tp / (gold + predicted)``; 0 if both sides are empty."""
    return 2 * np.asarray(tp, dtype=np.float64) / np.maximum(sizes, 1)


def resampled_sums(rows: Integers, n: int, rng: np.random.Generator) -> Floats:
    """Column sums of ``n`` resamples of the rows, each with as many rows as there are.

    Args:
        rows: shape (rows, columns), at least 0.
        n: number of resamples.
        rng: random generator.

    Returns:
        Shape (n, columns).
    """
    distinct, times = np.unique(rows, axis=0, return_counts=True)
    if len(rows) < 4 * len(distinct):
        return _products(
            partial(_occurrences, rng, len(rows)), np.repeat(distinct, times, axis=0), n, len(rows)
        )

    def draw(size: int) -> npt.NDArray[Any]:
        return rng.multinomial(len(rows), times / len(rows), size=size)

    return _products(draw, distinct, n, len(rows))


def _occurrences(rng: np.random.Generator, n_rows: int, size: int) -> npt.NDArray[Any]:
    """Number of times that each row occurs in each of ``size`` resamples."""
    drawn = rng.integers(0, n_rows, (size, n_rows), dtype=np.int32)
    drawn += np.arange(size, dtype=np.int32)[:, None] * n_rows
    return np.bincount(drawn.ravel(), minlength=size * n_rows).reshape(size, n_rows)


def f1_resamples(
    gold: Integers, systems: Sequence[Integers], n: int, rng: np.random.Generator
) -> Floats:
    """F1 of every system on ``n`` resamples of the sentences, the same ones for all.

    Args:
        gold: gold spans of each sentence.
        systems: of each system, shape (seeds, sentences, 2): true positives and predicted spans.
        n: number of resamples.
        rng: random generator.

    Returns:
        Shape (n, systems), each the mean over the system's seeds.
    """
    flat = np.concatenate(systems)  # (all seeds, sentences, 2)
    sums = resampled_sums(np.column_stack([gold, *flat[..., 0], *flat[..., 1]]), n, rng)
    n_gold, tp, predicted = sums[:, :1], sums[:, 1 : len(flat) + 1], sums[:, len(flat) + 1 :]
    return _means(f1(tp, n_gold + predicted), [len(system) for system in systems])


def swapped_differences(
    gold: Integers,
    systems: Sequence[Integers],
    pairs: Sequence[tuple[int, int]],
    n: int,
    rng: np.random.Generator,
) -> Floats:
    """Differences of F1 if the two systems' answers to each sentence are swapped at random.

    Seeds are paired, each as often as all others: seed 1 with seed 1, and so on; with different
    numbers of seeds around and around, until both come out even.

    Args:
        gold, systems, n, rng: as in :func:`f1_resamples`.
        pairs: indexes of two systems each.

    Returns:
        Shape (n, pairs): F1 of the second system less that of the first one.
    """
    blocks, both_sums, first_sums, numbers = [], [], [], []
    for a, b in pairs:
        k = lcm(len(systems[a]), len(systems[b]))
        first, second = (np.resize(systems[s], (k, *systems[s].shape[1:])) for s in (a, b))
        numbers.append(k)
        blocks.append(second - first)
        first_sums.append(first.sum(axis=1))
        both_sums.append((first + second).sum(axis=1))
    change = np.concatenate(blocks)  # (all pairings, sentences, 2)
    columns = np.column_stack([*change[..., 0], *change[..., 1]])
    columns = columns[np.any(columns, axis=1)]  # others change nothing
    columns = columns[np.lexsort(columns.T)]
    width = -(-len(columns) // 8)

    def draw(size: int) -> npt.NDArray[Any]:
        bits = rng.integers(0, 256, (size, width), dtype=np.uint8)
        return np.unpackbits(bits, axis=1, count=len(columns))

    moved = _products(draw, columns, n, len(columns))
    first_tp, first_predicted = np.concatenate(first_sums).T
    both_tp, both_predicted = np.concatenate(both_sums).T
    tp = first_tp + moved[:, : len(change)]
    predicted = first_predicted + moved[:, len(change) :]
    n_gold = gold.sum()
    differences = f1(both_tp - tp, n_gold + both_predicted - predicted) - f1(tp, n_gold + predicted)
    return _means(differences, numbers)


def _products(
    draw: Callable[[int], npt.NDArray[Any]], rows: Integers, n: int, total: int
) -> Floats:
    """Products of ``n`` drawn weights with the rows, exact; drawn in blocks of bounded size.

    The weights of a draw add up to ``total`` at most.
    """
    # integers below 2**24 are exact in single precision, which is twice as fast
    exact = total * int(np.abs(rows).max(initial=0)) < 2**24
    kind: type[np.floating[Any]] = np.float32 if exact else np.float64
    table = rows.astype(kind)
    size = max(1, _CELLS // max(1, len(rows)))
    blocks = [draw(min(size, n - start)).astype(kind) @ table for start in range(0, n, size)]
    return np.concatenate(blocks).astype(np.float64)


def _means(values: Floats, numbers: Sequence[int]) -> Floats:
    """Means of so many neighbouring columns each."""
    starts = np.cumsum([0, *numbers[:-1]])
    return np.asarray(np.add.reduceat(values, starts, axis=1) / np.asarray(numbers))
