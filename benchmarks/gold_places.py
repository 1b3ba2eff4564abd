"""Where the gold spans of a row are in its two texts, and which of one side are which of the other.

Places are counted in characters other than spaces, so that they hold however a text is cut into
words, whatever its spaces, and of any part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from rapidfuzz import fuzz
from scipy.optimize import linear_sum_assignment

from spanbridge import Sentence, SentencePair, Span
from spanbridge.projection.chat_questions import bounds

Place = tuple[int, int]
# What a link, the likeness of letters, and that of positions count for as signs that two spans are
# one: each matters where the ones before say nothing.
LINK, LETTERS, POSITION = 1.0, 0.1, 0.01


def bare(text: str) -> str:
    """A text without its spaces."""
    return "".join(text.split())


def bare_bounds(sentence: Sentence) -> list[Place]:
    """The place of each word."""
    text = sentence.plain_text()
    before = list(accumulate((not char.isspace() for char in text), initial=0))
    starts, ends = bounds(sentence)
    return [(before[a], before[b]) for a, b in zip(starts, ends, strict=True)]


@dataclass(frozen=True)
class Side:
    """One side of a row.

    Attributes:
        text: its text as it stands.
        bare: the same without spaces.
        words: place of each word.
        spans: place and label of each gold span.
    """

    text: str
    bare: str
    words: list[Place]
    spans: list[tuple[Place, str]]

    @classmethod
    def of(cls, sentence: Sentence) -> Side:
        """The side that a sentence is."""
        words = bare_bounds(sentence)
        spans = [((words[s.start][0], words[s.end - 1][1]), s.label) for s in sentence.spans]
        return cls(sentence.plain_text(), bare(sentence.plain_text()), words, spans)


@dataclass(frozen=True)
class GoldRow:
    """A row with gold spans on both sides.

    Attributes:
        source, target: the sides.
        counterpart: number of the target's span for each of the source's; None for none.
    """

    source: Side
    target: Side
    counterpart: list[int | None]

    @classmethod
    def of(cls, pair: SentencePair) -> GoldRow:
        """A row, whose links, if it has any, tell which spans belong together."""
        found: list[int | None] = [None] * len(pair.source.spans)
        for n, m in _matched(pair):
            found[n] = m
        return cls(Side.of(pair.source), Side.of(pair.target), found)

    def target_of(self, place: Place) -> Place | None:
        """The place in the target of what stands at a place in the source."""
        for n, (own, _) in enumerate(self.source.spans):
            m = self.counterpart[n]
            if own == place and m is not None:
                return self.target.spans[m][0]
        return None


def _matched(pair: SentencePair) -> Iterator[tuple[int, int]]:
    """Yield the pairs of spans of one label that belong together; of each span at most one."""
    sources, targets = pair.source.spans, pair.target.spans
    for label in sorted({span.label for span in sources}):
        own = [n for n, span in enumerate(sources) if span.label == label]
        other = [m for m, span in enumerate(targets) if span.label == label]
        if own and other:
            worth = np.array([[_worth(pair, sources[n], targets[m]) for m in other] for n in own])
            for i, j in zip(*linear_sum_assignment(worth, maximize=True), strict=True):
                yield own[i], other[j]


def _worth(pair: SentencePair, source: Span, target: Span) -> float:
    words = len(pair.source.words), len(pair.target.words)
    linked = 0
    if pair.links is not None and (pair.links.n_source, pair.links.n_target) == words:
        linked = sum(_holds(source, i) and _holds(target, j) for i, j in pair.links.pairs)
    texts = pair.source.text_of(*source[:2]), pair.target.text_of(*target[:2])
    apart = source.start / words[0] - target.start / words[1]
    share = 2 * linked / (source.end - source.start + target.end - target.start)
    return LINK * share + LETTERS * likeness(*texts) + POSITION * (1 - abs(apart))


def _holds(span: Span, word: int) -> bool:
    return span.start <= word < span.end


def likeness(one: str, other: str) -> float:
    """How alike two texts are in their letters, in [0, 1]."""
    return fuzz.ratio(one.casefold(), other.casefold()) / 100


def found_in(part: str, whole: str) -> Sequence[int]:
    """Where a text begins in another one, each time."""
    starts, at = [], whole.find(part)
    while part and at >= 0:
        starts.append(at)
        at = whole.find(part, at + 1)
    return starts
