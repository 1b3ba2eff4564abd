"""Choosing among options: max sum of scores, chosen target spans disjoint, a limit per entity.

This is the integer linear programme of the paper (arXiv 2501.18750, section 3.3, equation 1):

    maximise  sum c[s, t] x[s, t]
    subject to  sum_t x[s, t] <= k  (or = k) for each source entity s,
                x[., t] + x[., u] <= 1 for overlapping candidates t, u,  x binary.

Projecting each entity at most once onto disjoint candidates is weighted job interval selection
(entities are the jobs, candidates their intervals): NP-hard in general (Spieksma 1999), but real
sentences are small.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np

from spanbridge.core.errors import SpanbridgeError
from spanbridge.project.candidates import Option

# The dynamic programme keeps up to (k + 1)^n states at a word boundary with n open entities. Above
# this many (about 0.3 s a sentence) HiGHS, at some 20 ms, is far quicker and holds no such table.
MAX_STATES = 2**10


def greedy(options: Sequence[Option], k: int = 1) -> list[Option]:
    """Best option first; whatever overlaps a chosen one, or exceeds k per entity, is passed over.

    Ties go to the entity, then the start, then the end that comes first, as in the paper's
    row-major argmax over entities and n-grams. Under "exactly k" the greedy choice is the same: it
    projects each entity as often as still possible, up to k.
    """
    chosen: list[Option] = []
    used: dict[int, int] = {}
    for option in sorted(options, key=lambda o: (-o.score, o.entity, o.start, o.end)):
        if used.get(option.entity, 0) < k and all(
            option.end <= other.start or other.end <= option.start for other in chosen
        ):
            chosen.append(option)
            used[option.entity] = used.get(option.entity, 0) + 1
    return sorted(chosen, key=lambda o: o.start)


def exact(options: Sequence[Option], k: int = 1, exactly: bool = False) -> list[Option]:
    """An optimal choice.

    Args:
        options: with positive scores, in any order.
        k: projections per entity, at most.
        exactly: first make the number of projections as large as it can be (k for every entity
            where that is feasible, which is the paper's "= k"), then the score.

    Returns:
        The chosen options in order of their start.
    """
    if not options:
        return []
    ordered = sorted(options, key=lambda o: (o.start, o.end, o.entity))
    if (k + 1) ** _max_open(ordered) <= MAX_STATES:
        return _dynamic_programme(ordered, k, exactly)
    return _integer_programme(ordered, k, exactly)


def _reach(options: Sequence[Option]) -> dict[int, tuple[int, int]]:
    """First and last start among each entity's options."""
    reach: dict[int, tuple[int, int]] = {}
    for option in options:
        first, last = reach.get(option.entity, (option.start, option.start))
        reach[option.entity] = (min(first, option.start), max(last, option.start))
    return reach


def _max_open(options: Sequence[Option]) -> int:
    """Most entities that must be remembered at one word boundary."""
    reach = _reach(options)
    starts = {option.start for option in options}
    return max(sum(first < at <= last for first, last in reach.values()) for at in starts)


def _dynamic_programme(options: list[Option], k: int, exactly: bool) -> list[Option]:
    """Over word boundaries and how often each open entity was used so far.

    At boundary p an entity is open if it has options starting before p and at or after p; the use
    of the others no longer (or not yet) matters, so states that differ only there are merged.
    Exact; O(boundaries * (k+1)^open * options per boundary).
    """
    place: dict[int, int] = {}  # entity -> its digit in the state, in base k + 1
    for entity in _reach(options):
        place[entity] = (k + 1) ** len(place)
    last_start = {entity: last for entity, (_, last) in _reach(options).items()}
    by_start: dict[int, list[Option]] = {}
    for option in options:
        by_start.setdefault(option.start, []).append(option)
    # boundary -> state -> (number of projections if that counts, score, chosen so far)
    best: dict[int, dict[int, tuple[int, float, Any]]] = {options[0].start: {0: (0, 0.0, None)}}
    boundaries = sorted(by_start)
    following = dict(zip(boundaries, [*boundaries[1:], -1], strict=True))
    after = {
        end: boundaries[at] if (at := bisect_left(boundaries, end)) < len(boundaries) else -1
        for end in {option.end for option in options}
    }
    final: tuple[int, float, Any] = (0, 0.0, None)

    def reach_state(boundary: int, state: int, value: tuple[int, float, Any]) -> None:
        nonlocal final
        if boundary < 0:
            if value[:2] > final[:2]:
                final = value
            return
        for entity, digit in place.items():
            if last_start[entity] < boundary:
                state -= state // digit % (k + 1) * digit
        states = best.setdefault(boundary, {})
        if state not in states or value[:2] > states[state][:2]:
            states[state] = value

    for boundary in boundaries:
        for state, (count, score, chain) in best.pop(boundary, {}).items():
            reach_state(following[boundary], state, (count, score, chain))
            for option in by_start[boundary]:
                digit = place[option.entity]
                if state // digit % (k + 1) < k:
                    value = (count + exactly, score + option.score, (chain, option))
                    reach_state(after[option.end], state + digit, value)
    chosen = []
    chain = final[2]
    while chain is not None:
        chain, option = chain
        chosen.append(option)
    return chosen[::-1]


def _integer_programme(options: list[Option], k: int, exactly: bool) -> list[Option]:
    """HiGHS on the per-word clique formulation: of the options that cover a word, at most one.

    The cliques imply the paper's pairwise constraints and make the relaxation integral on nearly
    all real instances.

    Raises:
        SpanbridgeError: the solver did not prove optimality.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    entities = {entity: row for row, entity in enumerate(_reach(options))}
    words = sorted({option.start for option in options})  # a clique at each start is enough
    word_row = {word: len(entities) + row for row, word in enumerate(words)}
    rows, columns = [], []
    for column, option in enumerate(options):
        covered = [word_row[w] for w in words if option.start <= w < option.end]
        rows += [entities[option.entity], *covered]
        columns += [column] * (1 + len(covered))
    matrix = csr_array((np.ones(len(rows)), (rows, columns)))
    limits = np.r_[np.full(len(entities), k), np.ones(len(words))]
    scores = np.array([option.score for option in options])
    # under "exactly", one projection more outweighs any score that it could cost
    bonus = 1 + k * len(entities) * scores.max() if exactly else 0.0
    result = milp(
        -(scores + bonus),
        integrality=np.ones(len(options), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, ub=limits),
        options={"mip_rel_gap": 0.0},
    )
    if result.status != 0 or result.mip_gap > 1e-9:
        raise SpanbridgeError(f"HiGHS did not solve the projection exactly: {result.message}")
    return [option for option, x in zip(options, result.x, strict=True) if x > 0.5]
