"""Pools: the steps of a pipeline by what they need, so that they can have workers of their own.

Steps that need the same are in one pool, unless different numbers of workers are asked for. A
worker loads the models of its pool's steps alone, asks for no more than these need, and makes only
their shards, each as soon as the step before has made its own. Local workers and pipelines whose
steps all need the same have one pool with all steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice

from spanbridge.core.resources import Resources
from spanbridge.steps.base import Step

# What is left of a GPU by rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Pool:
    """Steps that run in the same workers.

    Attributes:
        steps: their numbers, from 1, in order.
        needs: what each of the workers needs.
        n: number of workers that is asked for; None for as many as there is room for.
    """

    steps: tuple[int, ...]
    needs: Resources
    n: int | None = None


def pools_of(steps: Sequence[Step], asked: Mapping[str, int] | None = None) -> tuple[Pool, ...]:
    """The pools of a pipeline, those with GPUs first.

    There is only one where a step may learn from examples that it brings: these pass the steps
    before in the process that learns, and nothing of them is kept.

    Args:
        asked: number of workers that is asked for, by the names of steps.
    """
    numbers = asked or {}
    each = [
        Pool((s,), step.resources_with_parts(), numbers.get(step.name))
        for s, step in enumerate(steps, 1)
    ]
    if any(type(step).examples is not Step.examples for step in steps):
        return (together(each),)
    return _alike(each)


def settled(pools: Sequence[Pool], gpus: bool) -> tuple[Pool, ...]:
    """The pools among machines that have GPUs, or have none."""
    return _alike([replace(pool, needs=pool.needs.where(gpus)) for pool in pools])


def _alike(pools: Sequence[Pool]) -> tuple[Pool, ...]:
    """One pool of those that need the same, and have the same number of workers."""
    kinds = dict.fromkeys((pool.needs, pool.n) for pool in pools)
    found = [together(pool for pool in pools if (pool.needs, pool.n) == kind) for kind in kinds]
    return tuple(sorted(found, key=lambda pool: -pool.needs.gpus))


def together(pools: Iterable[Pool]) -> Pool:
    """One pool in place of several, with as many workers as are asked for any of them."""
    given = list(pools)
    steps = sorted(s for pool in given for s in pool.steps)
    n = max((pool.n for pool in given if pool.n is not None), default=None)
    return Pool(tuple(steps), Resources.together(pool.needs for pool in given), n)


def shared_out(
    nodes: Sequence[tuple[float, float, float]], pools: Sequence[Pool], n: int | None = None
) -> list[Pool]:
    """The pool of each worker that machines have room for.

    Each pool gets one worker. Then those whose numbers are asked for get theirs, then those with
    GPUs get more, by turns, while there is room, and the others what is left, by turns.

    Args:
        nodes: cores, GPUs and MB of memory of each machine.
        pools: the pools, those with GPUs first.
        n: number of workers; None for as many as there is room for.

    Returns:
        The pools; none if there is no room for a worker of each. Workers that are asked for and
        that there is no room for come last.
    """
    free, found = [list(node) for node in nodes], list[Pool]()

    def place(pool: Pool) -> bool:
        fitting = [node for node in free if fits(pool.needs, node)]
        if not fitting or len(found) == n or found.count(pool) == pool.n:
            return False
        # GPUs are not to be left without cores
        best = max(fitting, key=lambda node: (bool(pool.needs.gpus) or not node[1], node[0]))
        best[:] = [has - own for has, own in zip(best, pool.needs.amounts, strict=True)]
        found.append(pool)
        return True

    if not all(map(place, pools)):
        return []
    for some in (
        [pool for pool in pools if pool.n is not None],
        [pool for pool in pools if pool.needs.gpus],
        [pool for pool in pools if not pool.needs.gpus],
    ):
        while sum(map(place, some)):
            pass
    return found + lacking(pools, found, n)


def lacking(pools: Sequence[Pool], found: Sequence[Pool], n: int | None) -> list[Pool]:
    """The pools of the workers that are asked for beside those that were found."""
    more = [pool for pool in pools for _ in range((pool.n or 0) - found.count(pool))]
    open_ = [pool for pool in pools if pool.n is None]
    return more + by_turns(open_, 0 if n is None else n - len(found) - len(more))


def fits(needs: Resources, free: Sequence[float]) -> bool:
    """Check if so many cores, GPUs and MB are enough for a worker."""
    return all(own <= has + _ROUNDING for own, has in zip(needs.amounts, free, strict=True))


def by_turns(pools: Sequence[Pool], n: int) -> list[Pool]:
    """The pools of so many workers."""
    return list(islice(cycle(pools), n))
