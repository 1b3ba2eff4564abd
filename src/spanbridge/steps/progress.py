"""Progress: how a long run shows how far it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Wraps a stream of rows, to show how far it is."""

    def __call__(self, rows: Iterable[T], total: int | None, doing: str, /) -> Iterable[T]:
        """The rows, given their number, if known, and the name of what is being done."""
        ...


def silent(rows: Iterable[T], total: int | None, doing: str, /) -> Iterable[T]:
    """The rows as they are: no progress is shown."""
    return rows
