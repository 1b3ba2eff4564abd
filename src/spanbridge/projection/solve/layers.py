"""Nested source spans, layer by layer: each layer is solved inside the projections around it.

The spans of a layer compete for words with each other, not with the spans that contain them. Spans
that cross (overlap, without one containing the other) compete too. A choice is optimal, or greedy,
for its layer, given the layers around it: an inner span never cuts the span around it short.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from spanbridge.projection.candidates import Candidate

Around = Sequence[tuple[int, ...]]  # for each entity, those that contain it


def by_layers(
    candidates: Sequence[Candidate],
    around: Around,
    solve: Callable[[Sequence[Candidate]], list[Candidate]],
) -> list[Candidate]:
    """The choice of a solver for each layer in turn, from the outermost one.

    Args:
        candidates: candidates of all entities.
        around: for each entity, the indices of those that contain it (see
            :func:`spanbridge.core.spans.nesting`).
        solve: a solver, which chooses disjoint candidates.

    Returns:
        The chosen candidates by start, then outer ones first. They do not cross, and one overlaps
        another only if its entity lies in the other's.
    """
    if not any(around):
        return solve(candidates)
    depths = [0] * len(around)
    for e in sorted(range(len(around)), key=lambda e: len(around[e])):
        depths[e] = 1 + max((depths[outer] for outer in around[e]), default=-1)
    chosen: list[Candidate] = []
    for depth in range(max(depths) + 1):
        layer = [candidate for candidate in candidates if depths[candidate.entity] == depth]
        chosen += solve(_fitting(layer, chosen, around))
    return sorted(chosen, key=lambda c: (c.start, -c.end, depths[c.entity], c.entity))


def _fitting(
    candidates: Sequence[Candidate], chosen: Sequence[Candidate], around: Around
) -> list[Candidate]:
    """Candidates that cross no chosen one, and lie as far inside as any of their entity can.

    That is inside the projections of the spans around it; where an entity has no candidate there,
    those outside of them.
    """
    n_around: dict[Candidate, int] = {}
    deepest: dict[int, int] = {}
    for candidate in candidates:
        entity, start, end, _ = candidate
        over = [c for c in chosen if c.start < end and start < c.end]
        if all(c.entity in around[entity] and c.start <= start and end <= c.end for c in over):
            n_around[candidate] = len(over)
            deepest[entity] = max(len(over), deepest.get(entity, 0))
    return [c for c, n in n_around.items() if n == deepest[c.entity]]
