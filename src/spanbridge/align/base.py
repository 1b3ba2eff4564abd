"""What every aligner offers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

from spanbridge.core.errors import RowError
from spanbridge.core.evidence import Evidence
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

    def evidence(self, pairs: Sequence[SentencePair]) -> list[Evidence | RowError]:
        """How much of each word went where: what soft projection reads in place of links."""
        ...

    def arrays(self) -> dict[str, Any]:
        """NumPy arrays with all that :meth:`fit` learned, for saving."""
        ...

    def restore(self, arrays: dict[str, Any]) -> None:
        """Take up what :meth:`arrays` gave."""
        ...


class UnfittedAligner:
    """An aligner that learns nothing, and whose evidence are its links."""

    needs_fit = False

    def fit(self, pairs: Iterable[SentencePair]) -> None:
        """Nothing is learned from the bitext."""

    def evidence(self: Aligner, pairs: Sequence[SentencePair]) -> list[Evidence | RowError]:
        """The links, each word's mass shared among them."""
        return [
            found if isinstance(found, RowError) else Evidence.of_links(found)
            for found in self.align(pairs)
        ]

    def arrays(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def restore(self, arrays: dict[str, Any]) -> None:
        """Nothing was learned."""
