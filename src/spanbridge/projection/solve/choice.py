"""Choosing among candidates: max sum of scores, chosen target spans disjoint, a limit per entity.

This is the integer linear programme of the paper (arXiv 2501.18750, section 3.3, equation 1):

    maximise  sum c[s, t] x[s, t]
    subject to  sum_t x[s, t] <= k  (or = k) for each source entity s,
                x[., t] + x[., u] <= 1 for overlapping candidates t, u,  x binary.

Projecting each entity at most once onto disjoint candidates is weighted job interval selection
(entities are the jobs, candidates their intervals): NP-hard in general (Spieksma 1999), and the
dynamic programme that solves it takes O(slots * (k+1)^open * candidates per slot), where an entity
is open at a slot with candidates of it on both sides. Real sentences are small, and nearly all are
solved earlier by reductions that keep an optimum:

- *Undisputed*: the best candidate of each entity, if these are disjoint and k is 1. No choice has a
  greater total or more projections.
- *Dominated*: a candidate that contains another one of the same entity with at least the same
  score. The two overlap, so no choice holds both, and the inner one fits wherever the outer does.
- *Components*: candidates that neither overlap nor share an entity, directly or through others, are
  independent, so optimal choices of the components add up to an optimal one.

The rest goes to the search (`search.py`), which proves nearly everything optimal, and then to
HiGHS.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import itemgetter

from spanbridge.projection.candidates import Candidate
from spanbridge.projection.solve.linear import integer_programme, slots
from spanbridge.projection.solve.search import Search, choose

_start = itemgetter(1)
_score = itemgetter(3)


def greedy(candidates: Sequence[Candidate], k: int = 1) -> list[Candidate]:
    """Best candidate first, without those that overlap a chosen one or exceed k per entity.

    Ties go to the first entity, then start, then end, as in the paper's row-major argmax over
    entities and n-grams. Under "exactly k" the greedy choice is the same: it projects each entity
    as often as possible, up to k.
    """
    if k == 1 and (chosen := undisputed(candidates)) is not None:
        return chosen
    ranked = sorted(sorted(candidates), key=_score, reverse=True)
    return sorted(choose(ranked, k), key=_start)


def exact(candidates: Sequence[Candidate], k: int = 1, exactly: bool = False) -> list[Candidate]:
    """An optimal choice, independent of the order of the candidates.

    Args:
        candidates: candidates with positive scores, in any order.
        k: projections per entity, at most.
        exactly: maximise the number of projections (k for every entity if that is feasible, which
            is the paper's "= k") before the score.

    Returns:
        The chosen candidates in order of their start.

    Raises:
        SpanbridgeError: no choice could be proved optimal.
    """
    if k == 1 and (chosen := undisputed(candidates)) is not None:
        return chosen
    parts = components(undominated(candidates))
    return sorted(
        (candidate for part in parts for candidate in _solve(part, k, exactly)), key=_start
    )


def undisputed(candidates: Iterable[Candidate]) -> list[Candidate] | None:
    """Best candidate of each entity, in order of their start; None if two of them overlap.

    The greedy choice is then the same, since no candidate taken before overlaps an entity's best
    one.
    """
    best: dict[int, Candidate] = {}
    for candidate in candidates:
        entity, _, _, score = candidate
        other = best.get(entity)
        if other is None or score > other[3] or (score == other[3] and candidate < other):
            best[entity] = candidate
    chosen = sorted(best.values(), key=_start)
    return chosen if all(a[2] <= b[1] for a, b in pairwise(chosen)) else None


def undominated(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Candidates, the best first, without those that another one of the same entity dominates.

    Containment is in slots: a candidate that overlaps the inner one overlaps the outer one too.
    Dropping candidates can merge slots, so this is repeated.
    """
    kept = sorted(sorted(candidates), key=lambda candidate: candidate[2] - candidate[1])
    kept.sort(key=_score, reverse=True)
    n_before = -1
    while len(kept) != n_before:
        n_before = len(kept)
        slot, after, _ = slots(kept)
        # innermost candidates of each entity so far: first slots and ends, both increasing
        innermost: dict[int, tuple[list[int], list[int]]] = {}
        survivors = []
        for candidate in kept:
            entity, start, end, _ = candidate
            first, to = slot[start], after[end]
            firsts, tos = innermost.setdefault(entity, ([], []))
            at = low = bisect_left(firsts, first)
            if at < len(tos) and tos[at] <= to:
                continue
            survivors.append(candidate)
            while low and tos[low - 1] >= to:
                low -= 1
            firsts[low:at], tos[low:at] = [first], [to]
        kept = survivors
    return kept


def components(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Groups of candidates that neither overlap nor share an entity, each in the given order."""
    parent = {candidate[0]: candidate[0] for candidate in candidates}

    def root(entity: int) -> int:
        while parent[entity] != entity:
            parent[entity] = entity = parent[parent[entity]]
        return entity

    reach = latest = 0
    for entity, start, end, _ in sorted(candidates, key=_start):
        if start < reach:
            parent[root(entity)] = root(latest)
        if end > reach:
            reach, latest = end, entity
    groups: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(root(candidate[0]), []).append(candidate)
    return list(groups.values())


def _solve(candidates: list[Candidate], k: int, exactly: bool) -> list[Candidate]:
    if k == 1 and (chosen := undisputed(candidates)) is not None:
        return chosen
    # under "exactly", one more projection outweighs any loss of score
    n_entities = len({candidate.entity for candidate in candidates})
    bonus = (1 + k * n_entities) * candidates[0].score if exactly else 0.0
    search = Search(candidates, k, bonus)
    search.run()
    if search.rest:
        search.offer(integer_programme(search.rest, k, bonus))
    return search.best
