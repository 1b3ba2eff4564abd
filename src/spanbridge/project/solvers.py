"""Choosing among options: max sum of scores, chosen target spans disjoint, a limit per entity.

This is the integer linear programme of the paper (arXiv 2501.18750, section 3.3, equation 1):

    maximise  sum c[s, t] x[s, t]
    subject to  sum_t x[s, t] <= k  (or = k) for each source entity s,
                x[., t] + x[., u] <= 1 for overlapping candidates t, u,  x binary.

Projecting each entity at most once onto disjoint candidates is weighted job interval selection
(entities are the jobs, candidates their intervals): NP-hard in general (Spieksma 1999), and the
dynamic programme that solves it takes O(places * (k+1)^open * options per place), where an entity
is open at a place with options of it on both sides. Real sentences are small, and all but a few
are solved before that by reductions that keep an optimum:

- *Undisputed*: the best option of each entity, if these are disjoint and k is 1. No choice is
  worth more than each entity's best together, nor has more projections.
- *Dominated*: an option with another one of the same entity inside it that scores as much. The two
  overlap, so no choice holds both, and wherever the outer one stands the inner one fits.
- *Components*: options that neither overlap nor share an entity, directly or through others,
  restrict each other in nothing, so that optimal choices of the components add up to one.

What is left goes to the search (`search.py`), which proves nearly everything optimal, and from
there to HiGHS.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import itemgetter

from spanbridge.project.candidates import Option
from spanbridge.project.linear import integer_programme, places
from spanbridge.project.search import Search, choose

_start = itemgetter(1)
_score = itemgetter(3)


def greedy(options: Sequence[Option], k: int = 1) -> list[Option]:
    """Best option first; whatever overlaps a chosen one, or exceeds k per entity, is passed over.

    Ties go to the entity, then the start, then the end that comes first, as in the paper's
    row-major argmax over entities and n-grams. Under "exactly k" the greedy choice is the same: it
    projects each entity as often as still possible, up to k.
    """
    if k == 1 and (chosen := undisputed(options)) is not None:
        return chosen
    ranked = sorted(sorted(options), key=_score, reverse=True)
    return sorted(choose(ranked, k), key=_start)


def exact(options: Sequence[Option], k: int = 1, exactly: bool = False) -> list[Option]:
    """An optimal choice; which one of several is settled by the options, not by their order.

    Args:
        options: with positive scores, in any order.
        k: projections per entity, at most.
        exactly: first make the number of projections as large as it can be (k for every entity
            where that is feasible, which is the paper's "= k"), then the score.

    Returns:
        The chosen options in order of their start.

    Raises:
        SpanbridgeError: no choice could be proved optimal.
    """
    if k == 1 and (chosen := undisputed(options)) is not None:
        return chosen
    parts = components(undominated(options))
    return sorted((option for part in parts for option in _solve(part, k, exactly)), key=_start)


def undisputed(options: Iterable[Option]) -> list[Option] | None:
    """The best option of each entity, in order of their start, or None if two of them overlap.

    The greedy choice is the same one then: nothing that it takes before an entity's best option
    overlaps that.
    """
    best: dict[int, Option] = {}
    for option in options:
        entity, _, _, score = option
        other = best.get(entity)
        if other is None or score > other[3] or (score == other[3] and option < other):
            best[entity] = option
    chosen = sorted(best.values(), key=_start)
    return chosen if all(a[2] <= b[1] for a, b in pairwise(chosen)) else None


def undominated(options: Iterable[Option]) -> list[Option]:
    """Options, the best first, without those that another one of the same entity makes idle.

    Inside is meant of places: what takes an option's places overlaps whatever that option does.
    Dropping options can merge places, hence the repetition.
    """
    kept = sorted(sorted(options), key=lambda option: option[2] - option[1])
    kept.sort(key=_score, reverse=True)
    n_before = -1
    while len(kept) != n_before:
        n_before = len(kept)
        place, after, _ = places(kept)
        # of each entity the innermost options so far: their first places and, both rising, ends
        innermost: dict[int, tuple[list[int], list[int]]] = {}
        survivors = []
        for option in kept:
            entity, start, end, _ = option
            first, to = place[start], after[end]
            firsts, tos = innermost.setdefault(entity, ([], []))
            at = low = bisect_left(firsts, first)
            if at < len(tos) and tos[at] <= to:
                continue
            survivors.append(option)
            while low and tos[low - 1] >= to:
                low -= 1
            firsts[low:at], tos[low:at] = [first], [to]
        kept = survivors
    return kept


def components(options: Sequence[Option]) -> list[list[Option]]:
    """Options in groups that neither overlap nor share an entity, each in the given order."""
    parent = {option[0]: option[0] for option in options}

    def root(entity: int) -> int:
        while parent[entity] != entity:
            parent[entity] = entity = parent[parent[entity]]
        return entity

    reach = latest = 0
    for entity, start, end, _ in sorted(options, key=_start):
        if start < reach:
            parent[root(entity)] = root(latest)
        if end > reach:
            reach, latest = end, entity
    groups: dict[int, list[Option]] = {}
    for option in options:
        groups.setdefault(root(option[0]), []).append(option)
    return list(groups.values())


def _solve(options: list[Option], k: int, exactly: bool) -> list[Option]:
    """An optimal choice in one component."""
    if k == 1 and (chosen := undisputed(options)) is not None:
        return chosen
    # under "exactly", one projection more outweighs any score that it could cost
    n_entities = len({option.entity for option in options})
    bonus = (1 + k * n_entities) * options[0].score if exactly else 0.0
    search = Search(options, k, bonus)
    search.run()
    if search.rest:
        search.offer(integer_programme(search.rest, k, bonus))
    return search.best
