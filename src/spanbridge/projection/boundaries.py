"""Boundaries of names in the target: small words, words of a dictionary, brackets, conventions.

Soft links say little of where a name ends: the mass of a name spreads over the particle, article or
preposition beside it. So these words (closed classes, :mod:`spanbridge.formats.closed_classes`)
weigh little in the scores that read mass, and a boundary that takes one in is a flaw
(:class:`spanbridge.projection.scores.BadBoundary`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import accumulate, groupby
from typing import Literal, NamedTuple

import numpy as np

from spanbridge.core.scripts import is_unspaced
from spanbridge.core.spans import Span
from spanbridge.formats.closed_classes import (
    ARTICLE,
    KIND,
    PARTICLE,
    SUFFIX,
    TITLE,
    ClosedClasses,
    by_script,
    closed_classes,
    every_word,
    normal,
)
from spanbridge.formats.segmentation import word_edges
from spanbridge.projection.candidates import Intervals, Vector, cumulate

Place = Literal["in", "out"]
# What may be in spans or out of them by a convention: words of closed classes, and marks.
Convention = Literal[
    "article", "particle", "suffix", "title", "quotes", "punctuation", "apposition"
]
QUOTES, PUNCTUATION, APPOSITION = "quotes", "punctuation", "apposition"
# Weight of a word of a closed class in means and sums of mass, beside 1 of other words.
SMALL = 0.1
# A boundary against a stated convention counts as so many flaws: no score makes up for it.
AGAINST = 10.0
# Spans up to the first length are names, which begin and end with words of their own; those from
# the second on are clauses, which may begin and end with any word. In words of the source.
NAME, CLAUSE = 4, 8
_OPENING, _CLOSING = frozenset("([{（［｛〔【「『"), frozenset(")]}）］｝〕】」』")
_QUOTES = frozenset("\"'`´«»‹›“”„‟‘’‚‛「」『』《》〈〉＂＇") | {"''", "``"}
_OPENING_WORDS, _CLOSING_WORDS = _OPENING | {"-LRB-", "-LSB-"}, _CLOSING | {"-RRB-", "-RSB-"}
# Dots between the parts of a foreign name: 唐納·川普.
_JOINERS = frozenset("\u00b7\u2027\u30fb\uff65")
# May end a name without standing at the end of the source's: abbreviations, per cent.
_ENDS = frozenset(".%")


@dataclass(frozen=True)
class Conventions:
    """What is known of a target language's boundaries, and how they are to be set.

    Attributes:
        closed: its closed classes; None if the language is not known.
        wanted: ``in`` or ``out`` for articles, particles, suffixes and titles beside names, quotes
            around them, other marks beside them, and what stands in brackets after them
            (``apposition``), where that was said.
    """

    closed: ClosedClasses | None = None
    wanted: Mapping[str, Place] = field(default_factory=dict)

    def of(self, words: Sequence[str]) -> Conventions:
        """Those of a sentence: its script names a language where none is known."""
        if self.closed is not None:
            return self
        code = by_script("".join(words))
        return replace(self, closed=closed_classes(code)) if code else self


class Boundaries:
    """The boundaries of one target sentence.

    Args:
        target: its words.
        source: the words of the source.
        conventions: language and conventions.
    """

    def __init__(
        self, target: Sequence[str], source: Sequence[str], conventions: Conventions
    ) -> None:
        self._source = source
        closed, wanted = conventions.closed, conventions.wanted
        #: closed class of each word, empty for none
        self.classes = [closed.class_of(word) if closed else "" for word in target]
        self._target, self._wanted = target, wanted
        small = [bool(kind) and kind != TITLE for kind in self.classes]
        #: weight of each word, in (0, 1]; None if all are 1
        self.weights: Vector | None = np.where(small, SMALL, 1.0) if any(small) else None
        #: a word at either end of a candidate that should stand outside
        self._small = np.array(
            [a and b != KIND for a, b in zip(small, self.classes, strict=True)], np.float64
        )
        #: a word that belongs to the name before it, by the place before it
        self._kinds = np.array([*(kind == KIND for kind in self.classes), False], np.float64)
        looks = np.array([_looks(word) for word in target], np.float64).reshape(
            -1, len(Looks._fields)
        )
        self._signs, self._ending, opens, closes, joins, unspaced = looks.T
        self._cut = _inside_words(target, closed, joins, unspaced)
        # with the place after the last word
        self._opens, self._closes = (np.append(one, 0.0) for one in (opens, closes))
        self._opened, self._closed = cumulate(opens), cumulate(closes)

    def flaws(self, entity: Span, intervals: Intervals) -> Vector:
        """Number of flaws of each candidate; see ``BadBoundary``."""
        words = self._source[entity.start : entity.end]
        named = min(1.0, max(0.0, (CLAUSE - len(words)) / (CLAUSE - NAME)))
        flaws = named * self._unlike_names(words, intervals)
        flaws += self._cut[intervals.start] + self._cut[intervals.end]
        flaws += self._kinds[intervals.end]
        for kind, place in self._wanted.items():
            flaws += AGAINST * self.against(kind, place, intervals)
        return flaws

    def _unlike_names(self, words: Sequence[str], intervals: Intervals) -> Vector:
        """Small words, signs and brackets of each candidate that the source's span has not."""
        flaws = np.zeros(len(intervals.start))
        at_start, at_end = intervals.start, intervals.end - 1
        small = self._small if not self._wanted else self._small * self._free()
        if normal(words[0]) not in every_word():
            flaws += small[at_start]
        if normal(words[-1]) not in every_word():
            flaws += small[at_end]
        if any(map(str.isalnum, words[0])):
            flaws += self._signs[at_start]
        if any(map(str.isalnum, words[-1])):
            flaws += (self._signs * (1 - self._ending))[at_end]
        opened, shut = intervals.sums(self._opened), intervals.sums(self._closed)
        bare = not any(word in _OPENING_WORDS for word in words)
        flaws += (opened != shut) | ((opened > 0) & bare)
        return flaws

    def _free(self) -> Vector:
        """1 for words of classes of which nothing was said."""
        return np.array([kind not in self._wanted for kind in self.classes], np.float64)

    def against(self, kind: str, place: Place, intervals: Intervals) -> Vector:
        """Number of ends of each candidate that go against a convention."""
        of_kind = self._of_kind(kind)
        first, last = of_kind[intervals.start], of_kind[intervals.end - 1]
        before = np.where(intervals.start > 0, of_kind[intervals.start - 1], 0.0)
        after = of_kind[intervals.end]
        if kind == QUOTES:  # they go around a name; one of another name may stand beside it
            return first * last if place == "out" else before * after
        if kind == APPOSITION:
            opened = intervals.sums(self._opened) - self._opens[intervals.start] > 0
            closing = self._closes[intervals.end - 1]
            return closing * opened if place == "out" else self._opens[intervals.end]
        if place == "out":
            return first + last
        if kind == ARTICLE:
            return before
        return after if kind in (PARTICLE, SUFFIX, PUNCTUATION) else before + after

    def _of_kind(self, kind: str) -> Vector:
        """1 for each word of a kind; 0 for the place after the last one."""
        if kind == QUOTES:
            found = [word in _QUOTES for word in self._target]
        elif kind == PUNCTUATION:
            others = _QUOTES | _OPENING_WORDS | _CLOSING_WORDS
            signs = zip(self._target, self._signs, strict=True)
            found = [bool(sign) and word not in others for word, sign in signs]
        else:
            found = [one == kind for one in self.classes]
        return np.array([*found, False], np.float64)


class Looks(NamedTuple):
    """What boundaries depend on in a word as it is written, each 1 or 0.

    Attributes:
        sign: it has neither letter nor digit.
        ending: a sign that may end a name.
        opens, closes: a bracket.
        joins: a dot between the parts of a foreign name.
        unspaced: it is of a script written without spaces.
    """

    sign: float
    ending: float
    opens: float
    closes: float
    joins: float
    unspaced: float


@lru_cache(2**14)
def _looks(word: str) -> Looks:
    return Looks(
        not any(map(str.isalnum, word)),
        word in _ENDS or word in _CLOSING_WORDS,
        word in _OPENING_WORDS,
        word in _CLOSING_WORDS,
        word in _JOINERS,
        all(map(is_unspaced, word)),
    )


def _inside_words(
    target: Sequence[str], closed: ClosedClasses | None, joins: Vector, unspaced: Vector
) -> Vector:
    """1 for each place between words, [n_words + 1], that lies inside a word of a dictionary.

    That is where neighbours are written without a space; glued particles end such a word. A dot
    between the parts of a foreign name joins them too.
    """
    inside = np.zeros(len(target) + 1)
    inside[1:-1] = np.maximum(joins[:-1], joins[1:])
    if unspaced.sum() < 2:
        return inside
    numbered = groupby(enumerate(target), key=lambda item: unspaced[item[0]])
    for of_run, group in numbered:
        run = list(group)
        if not of_run or len(run) < 2:
            continue
        text = "".join(word for _, word in run)
        edges = word_edges(text, closed)
        for (number, _), edge in zip(run[1:], accumulate(len(w) for _, w in run), strict=False):
            inside[number] = max(inside[number], edge not in edges)
    return inside
