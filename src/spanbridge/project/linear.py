"""The integer linear programme and its relaxation, by HiGHS through scipy.

Not the paper's constraint for each pair of overlapping candidates, but one for each place: of the
options that cover it, at most one. These cliques imply the pairs, are far fewer, and make the
relaxation integral on nearly all real instances. HiGHS is told not to presolve: what reaches it is
reduced already, and on most it takes longer with that than without.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from spanbridge.core.errors import SpanbridgeError
from spanbridge.project.candidates import Option

# HiGHS stops at an absolute gap of 1e-6, which scipy cannot set: scores are scaled up to this.
SCALE = 2.0**13


def places(options: Iterable[Option]) -> tuple[dict[int, int], dict[int, int], int]:
    """Words merged into as few places as tell apart which options overlap.

    Of words between which no option ends before another one starts, the last is covered by all
    options that cover any: in the interval graph of the options, only the cliques of a start that
    an end follows before the next start are maximal.

    Returns:
        The place of each start, the place after each end, and the number of places.
    """
    options = list(options)
    starts = sorted({option[1] for option in options})
    ends = sorted({option[2] for option in options})
    place: dict[int, int] = {}
    at = before = 0
    for start in starts:
        ended = bisect_right(ends, start)
        at += ended > before
        place[start], before = at, ended
    after = {end: place[starts[bisect_left(starts, end) - 1]] + 1 for end in ends}
    return place, after, at + 1


def relaxation(
    options: Sequence[Option], k: int, bonus: float
) -> tuple[dict[int, float], list[Option]]:
    """Prices of the entities, and the options it uses, the most used first.

    Args:
        options: those to choose among.
        k: uses per entity, at most.
        bonus: added to every score.

    Raises:
        SpanbridgeError: HiGHS failed.
    """
    from scipy.optimize import linprog

    row, worth, matrix, limits = _programme(options, k, bonus)
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
    used = sorted((-x, option) for option, x in zip(options, shares, strict=True) if x > 0)
    return prices, [option for _, option in used]


def integer_programme(options: Sequence[Option], k: int, bonus: float = 0.0) -> list[Option]:
    """An optimal choice.

    Args:
        options: those to choose among.
        k: uses per entity, at most.
        bonus: added to every score.

    Raises:
        SpanbridgeError: HiGHS did not prove optimality.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    _, worth, matrix, limits = _programme(options, k, bonus)
    result = milp(
        -worth * (SCALE / worth.max()),
        integrality=np.ones(len(options), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, ub=limits),
        options={"mip_rel_gap": 0.0, "presolve": False},
    )
    if result.status != 0 or result.mip_gap > 1e-9:
        raise SpanbridgeError(f"HiGHS did not solve the projection exactly: {result.message}")
    return [option for option, x in zip(options, result.x, strict=True) if x > 0.5]


def _programme(
    options: Sequence[Option], k: int, bonus: float
) -> tuple[dict[int, int], Any, Any, Any]:
    """Row of each entity, worth of each option, constraint matrix, and its upper limits."""
    from scipy.sparse import csc_array

    row: dict[int, int] = {}
    for option in options:
        row.setdefault(option.entity, len(row))
    place, after, n_places = places(options)
    rows: list[int] = []
    pointers = [0]
    for entity, start, end, _ in options:
        rows += [row[entity], *range(len(row) + place[start], len(row) + after[end])]
        pointers.append(len(rows))
    shape = (len(row) + n_places, len(options))
    matrix = csc_array((np.ones(len(rows)), rows, pointers), shape=shape)
    worth = np.array([option.score for option in options]) + bonus
    return row, worth, matrix, np.r_[np.full(len(row), k), np.ones(n_places)]
