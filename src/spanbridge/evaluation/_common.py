"""Helpers shared by the scores: pairing the rows of two inputs, ratios, plain-text tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

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


def paired(gold: Iterable[A], predicted: Iterable[B]) -> list[tuple[A, B]]:
    """Rows of both inputs side by side. Raises SpanbridgeError if their numbers of rows differ."""
    left, right = list(gold), list(predicted)
    if len(left) != len(right):
        raise SpanbridgeError(
            f"row {min(len(left), len(right)) + 1} has no partner: gold has {len(left)} rows and "
            f"predicted {len(right)}; score the same rows in the same order"
        )
    return list(zip(left, right, strict=True))


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
