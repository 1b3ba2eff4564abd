"""Counts over a bitext: pairs in which words occur, and words at span boundaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from spanbridge.core.rows import SentencePair

Span3 = tuple[int, int, str]
EDGE = ""  # neighbour of the first and the last word
POSITIONS = ("first", "before", "last", "after")


@dataclass
class CorpusStatistics:
    """Counts over a bitext; those of its parts are added by :meth:`merge`.

    Attributes:
        n_pairs: number of sentence pairs.
        source, target: for each side, the number of pairs in which a lower-cased word occurs.
        boundaries: for each of ``first``, ``before``, ``last``, ``after``: how often a target word
            was the first or last of a projected span, or just outside it.
    """

    n_pairs: int = 0
    source: Counter[str] = field(default_factory=Counter)
    target: Counter[str] = field(default_factory=Counter)
    boundaries: dict[str, Counter[str]] = field(
        default_factory=lambda: {position: Counter() for position in POSITIONS}
    )

    def add_words(self, pair: SentencePair) -> None:
        """Count the words of a pair."""
        self.n_pairs += 1
        self.source.update({word.lower() for word in pair.source.words})
        self.target.update({word.lower() for word in pair.target.words})

    def add_spans(self, words: Sequence[str], spans: Iterable[Span3]) -> None:
        """Count the boundaries of projected spans."""
        for start, end, _ in spans:
            for position, word in boundary_words(words, start, end).items():
                self.boundaries[position][word] += 1

    def merge(self, other: CorpusStatistics) -> None:
        """Add the counts of another part of the corpus."""
        self.n_pairs += other.n_pairs
        self.source.update(other.source)
        self.target.update(other.target)
        for position in POSITIONS:
            self.boundaries[position].update(other.boundaries[position])


def boundary_words(words: Sequence[str], start: int, end: int) -> dict[str, str]:
    """The words at and just outside a span's boundaries, lower-cased."""
    return {
        "first": words[start].lower(),
        "before": words[start - 1].lower() if start else EDGE,
        "last": words[end - 1].lower(),
        "after": words[end].lower() if end < len(words) else EDGE,
    }
