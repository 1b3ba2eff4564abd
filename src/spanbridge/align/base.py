"""What every aligner offers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from spanbridge.core.errors import RowError
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import SentencePair


@runtime_checkable
class Aligner(Protocol):
    """Aligns the words of sentence pairs.

    An aligner with ``needs_fit`` must see the whole bitext once (:meth:`fit`) before it aligns.
    """

    needs_fit: bool

    def describe(self) -> str:
        """Name and every setting that the links depend on, for the signature."""
        ...

    def fit(self, pairs: Iterable[SentencePair]) -> None:
        """Learn from the whole bitext; nothing to do for aligners that need no fitting."""
        ...

    def align(self, pairs: Sequence[SentencePair]) -> list[WordAlignment | RowError]:
        """Links of each pair, or the reason why a pair cannot be aligned. Lengths stay equal."""
        ...
