"""The integer linear programme and its relaxation, solved by HiGHS through scipy.

Instead of the paper's constraint for each pair of overlapping candidates, there is one per slot: at
most one of the candidates that cover it. These cliques imply the pairs, are far fewer, and make the
relaxation integral on nearly all real instances. HiGHS's presolve is off: the instances are reduced
already, and most take longer with it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from spanbridge.core.errors import SpanbridgeError
from spanbridge.projection.candidates import Candidate

# Scores are scaled up to this: HiGHS stops at an absolute gap of 1e-6, which scipy cannot set.
SCALE = 2.0**13


def slots(candidates: Iterable[Candidate]) -> tuple[dict[int, int], dict[int, int], int]:
    """Words merged into the fewest slots that still tell which candidates overlap.

    In a run of words in which no candidate ends before another one starts, the last word is covered
    by all candidates that cover any of them: in the interval graph of the candidates, the only
    maximal cliques are those of a start that is followed by an end before the next start.

    Returns:
        The slot of each start, the slot after each end, and the number of slots.
    """
    candidates = list(candidates)
    starts = sorted({candidate[1] for candidate in candidates})
    ends = sorted({candidate[2] for candidate in candidates})
    slot: dict[int, int] = {}
    at = before = 0
    for start in starts:
        ended = bisect_right(ends, start)
        at += ended > before
        slot[start], before = at, ended
    after = {end: slot[starts[bisect_left(starts, end) - 1]] + 1 for end in ends}
    return slot, after, at + 1


def relaxation(
    candidates: Sequence[Candidate], k: int, bonus: float
) -> tuple[dict[int, float], list[Candidate]]:
    """Prices of the entities, and the candidates in the relaxed solution, the most used first.

    At most ``k`` candidates per entity are chosen; ``bonus`` is added to every score. Raises
    SpanbridgeError if HiGHS failed.
    """
    from scipy.optimize import linprog

    row, worth, matrix, limits = _programme(candidates, k, bonus)
    result = linprog(
        -worth,
        A_ub=matrix,
        b_ub=limits,
        bounds=(0, None),
        method="highs",
        options={"presolve": False},
    )
    if result.status != 0:
        raise SpanbridgeError(f"HiGHS did not solve the projection: {result.message}")
    paid = result.ineqlin.marginals[: len(row)].tolist()
    prices = {entity: max(0.0, -price) for entity, price in zip(row, paid, strict=True)}
    shares: Any = result.x
    used = sorted((-x, candidate) for candidate, x in zip(candidates, shares, strict=True) if x > 0)
    return prices, [candidate for _, candidate in used]


def integer_programme(
    candidates: Sequence[Candidate], k: int, bonus: float = 0.0
) -> list[Candidate]:
    """An optimal choice; arguments as of :func:`relaxation`.

    Raises SpanbridgeError if HiGHS did not prove optimality.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    _, worth, matrix, limits = _programme(candidates, k, bonus)
    result = milp(
        -worth * (SCALE / worth.max()),
        integrality=np.ones(len(candidates), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, ub=limits),
        options={"mip_rel_gap": 0.0, "presolve": False},
    )
    if result.status != 0 or result.mip_gap > 1e-9:
        raise SpanbridgeError(f"HiGHS did not solve the projection exactly: {result.message}")
    return [candidate for candidate, x in zip(candidates, result.x, strict=True) if x > 0.5]


def _programme(
    candidates: Sequence[Candidate], k: int, bonus: float
) -> tuple[dict[int, int], Any, Any, Any]:
    """Row of each entity, value of each candidate, constraint matrix, and its upper limits."""
    from scipy.sparse import csc_array

    row: dict[int, int] = {}
    for candidate in candidates:
        row.setdefault(candidate.entity, len(row))
    slot, after, n_slots = slots(candidates)
    rows: list[int] = []
    pointers = [0]
    for entity, start, end, _ in candidates:
        rows += [row[entity], *range(len(row) + slot[start], len(row) + after[end])]
        pointers.append(len(rows))
    shape = (len(row) + n_slots, len(candidates))
    matrix = csc_array((np.ones(len(rows)), rows, pointers), shape=shape)
    worth = np.array([candidate.score for candidate in candidates]) + bonus
    return row, worth, matrix, np.r_[np.full(len(row), k), np.ones(n_slots)]
