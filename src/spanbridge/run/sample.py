"""The sample that aligners and methods learn from, the same for every runner."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

# Greatest number of rows that are learned from; bounds memory.
FIT_ROWS = 5000
# A sample consists of blocks, so that few shards hold it: of this size, or smaller ones if there
# would be fewer than MIN_BLOCKS.
BLOCK, MIN_BLOCKS = 250, 20


def sampled(total: int, limit: int = FIT_ROWS) -> list[range]:
    """Row numbers of at most ``limit`` of ``total`` rows, in blocks spread evenly over them.

    The blocks are disjoint and in order; all rows are taken if there are at most ``limit``.
    """
    if total <= limit:
        return [range(total)] if total else []
    size = max(1, min(BLOCK, limit // MIN_BLOCKS))
    n_blocks = limit // size
    starts = [n * total // n_blocks for n in range(n_blocks)]
    return [range(start, start + size) for start in starts]


def sampled_of_each(sizes: Sequence[int], limit: int = FIT_ROWS) -> dict[int, list[range]]:
    """Where the :func:`sampled` rows are, if consecutive shards have so many rows.

    Returns:
        Ranges of row numbers in a shard, by the shard's number; only those with any.
    """
    ends = list(accumulate(sizes))
    found: dict[int, list[range]] = {}
    for block in sampled(sum(sizes), limit):
        first = block.start
        while first < block.stop:
            k = bisect_right(ends, first)
            start, stop = ends[k] - sizes[k], min(block.stop, ends[k])
            found.setdefault(k, []).append(range(first - start, stop - start))
            first = stop
    return found
