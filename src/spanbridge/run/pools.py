"""Pools: the steps of a pipeline by what they need, so that they can have workers of their own.

Steps that need the same are in one pool. A worker loads the models of its pool's steps alone, asks
for no more than these need, and makes only their shards, each as soon as the step before has made
its own. Local workers and pipelines whose steps all need the same have one pool with all steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
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
    """

    steps: tuple[int, ...]
    needs: Resources


def pools_of(steps: Sequence[Step]) -> tuple[Pool, ...]:
    """The pools of a pipeline, those with GPUs first.

    There is only one where a step may learn from examples that it brings: these pass the steps
    before in the process that learns, and nothing of them is kept.
    """
    needs = [step.resources_with_parts() for step in steps]
    each = [Pool((s,), own) for s, own in enumerate(needs, 1)]
    if any(type(step).examples is not Step.examples for step in steps):
        return (together(each),)
    alike = [together(pool for pool in each if pool.needs == own) for own in dict.fromkeys(needs)]
    return tuple(sorted(alike, key=lambda pool: -pool.needs.gpus))


def together(pools: Iterable[Pool]) -> Pool:
    """One pool in place of several."""
    given = list(pools)
    steps = sorted(s for pool in given for s in pool.steps)
    return Pool(tuple(steps), Resources.together(pool.needs for pool in given))


def shared_out(
    nodes: Sequence[tuple[float, float, float]], pools: Sequence[Pool], n: int | None = None
) -> list[Pool]:
    """The pool of each worker that machines have room for.

    Each pool gets one worker. Then those with GPUs get more, by turns, while there is room, and the
    others what is left, by turns.

    Args:
        nodes: cores, GPUs and MB of memory of each machine.
        pools: the pools, those with GPUs first.
        n: number of workers; None for as many as there is room for.

    Returns:
        The pools; none if there is no room for a worker of each. If ``n`` is more than there is
        room for, the others come last, by turns.
    """
    free, found = [list(node) for node in nodes], list[Pool]()

    def place(pool: Pool) -> bool:
        fitting = [node for node in free if fits(pool.needs, node)]
        if not fitting or len(found) == n:
            return False
        # GPUs are not to be left without cores
        best = max(fitting, key=lambda node: (bool(pool.needs.gpus) or not node[1], node[0]))
        best[:] = [has - own for has, own in zip(best, astuple(pool.needs), strict=True)]
        found.append(pool)
        return True

    if not all(map(place, pools)):
        return []
    for some in (
        [pool for pool in pools if pool.needs.gpus],
        [pool for pool in pools if not pool.needs.gpus],
    ):
        while sum(map(place, some)):
            pass
    return found + by_turns(pools, 0 if n is None else n - len(found))


def fits(needs: Resources, free: Sequence[float]) -> bool:
    """Check if so many cores, GPUs and MB are enough for a worker."""
    return all(own <= has + _ROUNDING for own, has in zip(astuple(needs), free, strict=True))


def by_turns(pools: Sequence[Pool], n: int) -> list[Pool]:
    """The pools of so many workers."""
    return list(islice(cycle(pools), n))
