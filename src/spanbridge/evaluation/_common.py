"""Helpers shared by the scores: pairing the rows of two inputs, ratios, plain-text tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple, TypeVar, cast

from spanbridge.core.errors import SpanbridgeError

A = TypeVar("A")
B = TypeVar("B")


class RowCounts(NamedTuple):
    """The counts of one row, from which micro averages are made.

    Attributes:
        tp: spans in both gold and predicted.
        n_gold: gold spans.
        n_predicted: predicted spans.
    """

    tp: int
    n_gold: int
    n_predicted: int


def paired(gold: Iterable[A], predicted: Iterable[B]) -> Iterator[tuple[A, B]]:
    """Rows of both inputs side by side. Raises SpanbridgeError if their numbers of rows differ."""
    left, right, absent = iter(gold), iter(predicted), object()
    for n, (a, b) in enumerate(zip_longest(left, right, fillvalue=absent)):
        if a is absent or b is absent:
            n_more = n + 1 + sum(1 for _ in (right if a is absent else left))
            n_gold, n_predicted = (n, n_more) if a is absent else (n_more, n)
            raise SpanbridgeError(
                f"row {n + 1} has no partner: gold has {n_gold} rows and "
                f"predicted {n_predicted}; score the same rows in the same order"
            )
        yield cast(A, a), cast(B, b)


def check_lengths(row: int, n_gold: int, n_predicted: int) -> None:
    """Raise SpanbridgeError if the two sides of a row (1-based) differ in length."""
    if n_gold != n_predicted:
        raise SpanbridgeError(
            f"row {row}: gold has {n_gold} words and predicted {n_predicted}; spans can be "
            "compared only over the same words"
        )


def ratio(part: float, whole: float) -> float:
    """``part / whole``, or 0.0 if ``whole`` is 0."""
    return part / whole if whole else 0.0


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table: first column flush left, the others flush right, two spaces between.

    Args:
        rows: rows of equal length; a row without cells becomes an empty line.
    """
    filled = [row for row in rows if row]
    widths = [max(map(len, column)) for column in zip(*filled, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if k else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=False))
        ).rstrip()
        for row in rows
    ]
