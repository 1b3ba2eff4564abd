"""Progress of a long run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Wraps a stream of rows to show how far it is."""

    def __call__(self, rows: Iterable[T], total: int | None, doing: str, /) -> Iterable[T]:
        """Pass on the rows, given their number (if known) and the name of the operation."""
        ...


def silent(rows: Iterable[T], total: int | None, doing: str, /) -> Iterable[T]:
    """Pass on the rows without showing progress."""
    return rows
