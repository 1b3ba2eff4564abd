"""Where given numbers stand in a long list: a hash table whose look-ups are NumPy calls."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]

# Fibonacci hashing (Knuth, The Art of Computer Programming, volume 3, section 6.4): 2^64 / phi.
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_EMPTY = -1


class CellTable:
    """Finds numbers in a list, several times as fast as a binary search in a long one.

    Open addressing with linear probing; at most half of the slots are taken.

    Args:
        numbers: different numbers, at least 0.
    """

    def __init__(self, numbers: Indices) -> None:
        self._none = len(numbers)
        bits = max(1, (2 * len(numbers)).bit_length())
        self._shift, self._mask = np.uint64(64 - bits), (1 << bits) - 1
        self._numbers = np.full(1 << bits, _EMPTY)
        self._at = np.full(1 << bits, self._none)
        left, slot = np.arange(len(numbers)), self._slots(numbers)
        while len(left):
            free = self._numbers[slot] == _EMPTY
            self._numbers[slot[free]] = numbers[left[free]]  # of several, the last
            placed = self._numbers[slot] == numbers[left]
            self._at[slot[placed]] = left[placed]
            left, slot = left[~placed], (slot[~placed] + 1) & self._mask

    def _slots(self, numbers: Indices) -> Indices:
        return ((numbers.view(np.uint64) * _FACTOR) >> self._shift).view(np.int64)

    def find(self, wanted: Indices) -> Indices:
        """Index of each number in the list; the list's length for those that are not in it."""
        at = np.full(len(wanted), self._none)
        left, slot = np.arange(len(wanted)), self._slots(wanted)
        while len(left):
            found = self._numbers[slot]
            same = found == wanted[left]
            at[left[same]] = self._at[slot[same]]
            further = (found != _EMPTY) & ~same
            left, slot = left[further], (slot[further] + 1) & self._mask
        return at
