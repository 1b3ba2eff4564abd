"""Turns: the order in which each of many processes and machines makes what a run lacks.

Shards come in blocks, so that the output can be written while later ones are made. One that finds
a shard taken by another goes on at a place of the block that is drawn at random: if all went on to
the next shard, they would find that taken as well, and the next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from random import Random

# Shards per block, as many as one listing of another store tells of.
BLOCK = 1000
# Shards that were found taken, one after the other, after which a block is left to its takers.
PATIENCE = 4
# Unfinished blocks that are looked through for shards whose turn has come; of later ones a few
# shards are looked at.
_THROUGH = 2


class Turns:
    """What one of them is to try, shard by shard.

    Args:
        first: shards that come before all others.
        n: number of shards.
        is_done: function that tells whether a shard is made.
        random: gives the places.
        is_due: function that tells whether a shard that is not made can be made by now; others do
            first what it is made of.
    """

    def __init__(
        self,
        first: Sequence[int],
        n: int,
        is_done: Callable[[int], bool],
        random: Random,
        is_due: Callable[[int], bool] = lambda _: True,
    ) -> None:
        rest = (range(k, min(k + BLOCK, n)) for k in range(0, n, BLOCK))
        self._blocks: list[Sequence[int]] = [first, *rest]
        self._is_done, self._is_due, self._random = is_done, is_due, random
        self._taken = False

    def __iter__(self) -> Iterator[int | None]:
        """Shards to try, until a look at all of them finds that none is missing.

        After one that was free, :meth:`taken` is to be called. None stands between two looks.
        """
        left = True
        while left:  # what was made may be missing again: failed rows were tried once more
            left, blocks = False, self._blocks
            while blocks:
                unfinished: list[Sequence[int]] = []
                for block in blocks:
                    if (yield from self._of_block(block, len(unfinished) < _THROUGH)):
                        unfinished.append(block)
                blocks = unfinished
                if blocks:
                    left = True
                    yield None

    def taken(self) -> None:
        """Say that the shard that came last was free."""
        self._taken = True

    def _of_block(self, block: Sequence[int], through: bool) -> Generator[int, None, bool]:
        """Try the shards of a block; tells whether any was missing.

        Args:
            through: look through all of them for one that is due.
        """
        todo, missing, in_vain = deque(block), False, 0
        while todo and in_vain < PATIENCE:
            k = todo.popleft()
            if self._is_done(k):
                continue
            missing, self._taken = True, False
            if not self._is_due(k):
                in_vain += not through
                continue
            yield k
            if self._taken:
                in_vain = 0
            else:
                in_vain += 1
                todo.append(k)
                todo.rotate(self._random.randrange(len(todo)))
        return missing
