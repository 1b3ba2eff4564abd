"""Candidates: target intervals that a source span may be projected to, and their generators.

The paper (arXiv 2501.18750, section 3.3) takes every n-gram of the target sentence as a candidate
and scores it against a source entity by the word alignment:

    score(s, t) = 2 * (number of links between s and t) / (words of s + words of t)

Only *tight* candidates, whose first and last word are linked to the entity, need to be considered,
at any length (:class:`TightNgrams`). Proof: take a candidate whose first (or last) word has no link
to the entity and drop that word. The links between the two remain and the length falls by one, so
the score strictly rises; and the shorter candidate overlaps nothing that the longer one did not. So
for any set of disjoint candidates, cutting each to its tight core keeps the set feasible (also
under "exactly k" and "at most k" projections per entity and under any limit on length) and raises
its total, and the greedy solver's choice is tight at every step. N-grams without a link to the
entity score 0 and are no candidates, also under "exactly k": an entity without links is dropped.
With m linked words an entity has at most m(m+1)/2 tight candidates instead of n(n+1)/2 n-grams. The
argument requires a score that falls with every unlinked boundary word; it does not hold for scores
that can reward one (a tagger's).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import Span

if TYPE_CHECKING:
    from spanbridge.projection.score_input import ScoreInput

Vector = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

# Number of words without mass that a candidate may extend beyond the entity's words with mass.
MAX_EXTENSION = 2
# Limit on the words at which an entity's candidates begin or end: a few thousand candidates.
MAX_BOUNDARIES = 128
# Words with less mass of the entity than this count as having none.
MIN_MASS = 0.01
# Candidates with a lower soft score than this are dropped.
MIN_SOFT = 0.12


class Candidate(NamedTuple):
    """A possible projection of one entity.

    Attributes:
        entity: index of the source span.
        start, end: target words [start, end).
        score: gain of choosing it; positive.
    """

    entity: int
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Intervals:
    """Target intervals as parallel arrays.

    Attributes:
        start, end: target words [start, end), one entry per interval.
        soft: their soft scores for the entity that they were made for; None if not computed yet.
    """

    start: Indices
    end: Indices
    soft: Vector | None = None

    @classmethod
    def of(cls, pairs: Sequence[tuple[int, int]]) -> Intervals:
        """Intervals from (start, end) pairs."""
        both = np.array(pairs, np.int64).reshape(-1, 2)
        return cls(both[:, 0], both[:, 1])

    def __len__(self) -> int:
        return len(self.start)

    def sums(self, cumulative: Vector) -> Vector:
        """Sum over each interval, from cumulative sums with a leading 0."""
        total: Vector = cumulative[self.end] - cumulative[self.start]
        return total


def cumulate(values: npt.NDArray[np.floating]) -> Vector:
    """Cumulative sums with a leading 0."""
    sums = np.zeros(len(values) + 1)
    values.cumsum(dtype=np.float64, out=sums[1:])
    return sums


class Generator(ABC):
    """A rule that proposes candidates.

    Attributes:
        own_score: name of the score that :meth:`candidates` computes itself, or empty; if no other
            score counts, no arrays are made, which makes hard links fast.
        needs: ``tagger`` for a tagger of the target, or empty.
    """

    own_score: ClassVar[str] = ""
    needs: ClassVar[str] = ""

    @abstractmethod
    def describe(self) -> str:
        """Name and settings, for the signature."""

    @abstractmethod
    def intervals(self, given: ScoreInput, entity: Span) -> Intervals:
        """Candidates of one entity."""

    def candidates(
        self, entities: Sequence[Span], links: WordAlignment, min_score: float
    ) -> list[Candidate]:
        """Candidates of all entities, ordered by entity, start and end, if it has an ``own_score``.

        Their scores are the excess over ``min_score``.
        """
        raise NotImplementedError(f"{type(self).__name__} has no score of its own")


class TightNgrams(Generator):
    """N-grams that begin and end with a word linked to the entity; see the module's docstring.

    Args:
        max_words: words of the longest candidate; None for any length.

    Raises:
        SpanbridgeError: ``max_words`` is below 1.
    """

    own_score = "alignment"

    def __init__(self, max_words: int | None = None) -> None:
        if max_words is not None and max_words < 1:
            raise SpanbridgeError(f"max_words is {max_words}, but candidates have at least one")
        self.max_words = max_words

    def describe(self) -> str:
        """Name and length limit."""
        return f"ngrams={'any' if self.max_words is None else self.max_words}"

    def intervals(self, given: ScoreInput, entity: Span) -> Intervals:
        """Tight candidates of one entity."""
        found = self.candidates([entity], given.links, 0.0)
        return Intervals.of([(start, end) for _, start, end, _ in found])

    def candidates(
        self, entities: Sequence[Span], links: WordAlignment, min_score: float
    ) -> list[Candidate]:
        """Tight candidates with the alignment score.

        Scores are positive, and above 1 only if a word has several links inside the candidate.
        """
        found: list[Candidate] = []
        add, make = (
            found.append,
            tuple.__new__,
        )  # NamedTuple's own constructor takes twice as long
        longest = links.n_target if self.max_words is None else self.max_words
        for e, (first, last, *_) in enumerate(entities):
            counts: dict[int, int] = {}
            for _, j in links.from_source(first, last):
                counts[j] = counts.get(j, 0) + 1
            linked = sorted(counts)
            for at, start in enumerate(linked):
                n_links = 0
                before = start - 1
                words = last - first - before
                for end in linked[at:]:
                    if end - before > longest:
                        break
                    n_links += counts[end]
                    add(make(Candidate, (e, start, end + 1, 2 * n_links / (words + end))))
        if min_score:
            return [c._replace(score=c.score - min_score) for c in found if c.score > min_score]
        return found


class Ngrams(Generator):
    """Every n-gram of the target sentence.

    Args:
        max_words: words of the longest candidate; their number grows with its square.
    """

    def __init__(self, max_words: int) -> None:
        self.max_words = max_words

    def describe(self) -> str:
        """Name and length limit."""
        return f"ngrams={self.max_words}"

    def intervals(self, given: ScoreInput, entity: Span) -> Intervals:
        """All n-grams, the same for every entity."""
        return ngrams(len(given.pair.target.words), self.max_words)


@lru_cache(maxsize=256)
def ngrams(n_words: int, max_words: int) -> Intervals:
    """Every n-gram of at most ``max_words`` words, by start, then end."""
    return Intervals.of(
        [
            (start, end)
            for start in range(n_words)
            for end in range(start + 1, min(start + max_words, n_words) + 1)
        ]
    )


class TaggedSpans(Generator):
    """Spans that a tagger finds in the target, and every interval within one of them."""

    needs = "tagger"

    def describe(self) -> str:
        """Name."""
        return "tagger"

    def intervals(self, given: ScoreInput, entity: Span) -> Intervals:
        """All these intervals, the same for every entity."""
        return given.tagged_intervals


class NearMass(Generator):
    """Intervals of any length near words with mass of the entity; soft score above ``MIN_SOFT``."""

    def describe(self) -> str:
        """Name."""
        return "near_mass"

    def intervals(self, given: ScoreInput, entity: Span) -> Intervals:
        """Candidates of one entity."""
        soft, inside = given.soft, slice(entity.start, entity.end)
        mass = np.maximum(soft.forward[inside].max(0), soft.backward[inside].sum(0))
        near = mass > MIN_MASS
        for _ in range(MAX_EXTENSION):
            near[1:] |= near[:-1].copy()
            near[:-1] |= near[1:].copy()
        boundaries = np.flatnonzero(near)
        if len(boundaries) > MAX_BOUNDARIES:  # those with most mass, the first of equals
            boundaries = np.sort(np.argsort(-mass, kind="stable")[:MAX_BOUNDARIES])
        rows, columns = _triangle(len(boundaries))
        found = Intervals(boundaries[rows], boundaries[columns] + 1)
        values = soft_score(given, entity, found)
        kept = values > MIN_SOFT
        return Intervals(found.start[kept], found.end[kept], values[kept])


@lru_cache(maxsize=128)
def _triangle(n: int) -> tuple[Indices, Indices]:
    rows, columns = np.triu_indices(n)
    return rows.astype(np.int64), columns.astype(np.int64)


def soft_score(given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
    """F = 2 r p / (r + p); see :class:`~spanbridge.projection.scores.SoftScore`."""
    return harmonic(given.arrived_in(entity, intervals), given.share_from(entity, intervals))


def harmonic(recall: Vector, precision: Vector) -> Vector:
    """Harmonic mean; 0 if both are 0."""
    mean: Vector = 2 * recall * precision / np.maximum(recall + precision, 1e-12)
    return mean


def support(entity: Span, start: int, end: int, links: WordAlignment) -> float:
    """Share of the words of both spans that are linked to the other one, in [0, 1].

    Dice's coefficient over linked words, with the source span ``entity`` and the target words
    [start, end): 1 if every word of each is linked to the other.
    """
    n_source, last = 0, -1
    linked = set()
    for i, j in links.from_source(entity.start, entity.end):
        if start <= j < end:
            linked.add(j)
            if i != last:  # links are sorted by their source word
                n_source += 1
                last = i
    return (n_source + len(linked)) / (entity.end - entity.start + end - start)
