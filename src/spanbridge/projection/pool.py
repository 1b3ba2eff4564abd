"""The pool of one sentence pair: all candidates of all its entities, with their scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from spanbridge.core.spans import Span, nesting
from spanbridge.projection.candidates import Candidate, Intervals, Vector
from spanbridge.projection.method import places
from spanbridge.projection.score_input import ScoreInput
from spanbridge.projection.scores import Question, Score
from spanbridge.projection.weights import Weights

# Expensive scores computed per entity and round: their values may make others unnecessary.
QUERIES_PER_ROUND = 4


@dataclass(slots=True)
class Scored:
    """All candidates of one entity with their scores.

    Attributes:
        intervals: the candidates.
        parts: values of each score, [n_candidates]; NaN if an expensive one was not computed.
        total: weighted sums; minus infinity if an expensive score was not computed.
    """

    intervals: Intervals
    parts: dict[str, Vector]
    total: Vector

    def number(self, start: int, end: int) -> int:
        """Index of a candidate."""
        same = (self.intervals.start == start) & (self.intervals.end == end)
        return int(np.flatnonzero(same)[0])

    def margin(self, number: int, min_score: float) -> float:
        """Lead of a candidate over the entity's next best, or over no projection."""
        others = np.delete(self.total, number)
        return float(self.total[number] - others.max(initial=min_score))


@dataclass(slots=True)
class Pool:
    """All candidates of one sentence pair.

    Attributes:
        given: input of the scores.
        spans: source spans in order; those of the same place, with several labels, together.
        entities: the places to project; one with several labels is scored as its first span.
        around: for each place, those that contain it (see :func:`spanbridge.core.spans.nesting`).
        scored: scores of each entity's candidates; empty if the generator's is the only one.
        candidates: candidates that can be chosen; their scores are the excess over ``min_score``.
        asked: True if expensive scores were computed.
    """

    given: ScoreInput
    spans: list[list[Span]]
    entities: list[Span]
    around: list[tuple[int, ...]]
    scored: list[Scored] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    asked: bool = False

    @classmethod
    def of(cls, given: ScoreInput, asked: bool) -> Pool:
        """The pool of a pair, still without candidates."""
        spans = places(given.pair.source.spans)
        entities = [same[0] for same in spans]
        around, _ = nesting([entity[:2] for entity in entities])
        return cls(given, spans, entities, around, asked=asked)

    def best(self, entity: int, n: int) -> list[tuple[int, int]]:
        """The target words of an entity's ``n`` best candidates, the first of equals first."""
        if not self.scored:
            own = [candidate for candidate in self.candidates if candidate.entity == entity]
            own.sort(key=lambda candidate: -candidate.score)
            return [(candidate.start, candidate.end) for candidate in own[:n]]
        found = self.scored[entity]
        order = np.argsort(-found.total, kind="stable")
        order = order[np.isfinite(found.total[order])][:n]
        starts, ends = found.intervals.start[order], found.intervals.end[order]
        return list(zip(starts.tolist(), ends.tolist(), strict=True))


def gains(pool: Pool, weights: Weights) -> Iterator[Candidate]:
    """Candidates scored by the excess over ``min_score``, so that no projection is worth 0."""
    for e, scored in enumerate(pool.scored):
        gain = scored.total - weights.min_score
        for number in np.flatnonzero(gain > 0).tolist():
            start, end = int(scored.intervals.start[number]), int(scored.intervals.end[number])
            yield Candidate(e, start, end, float(gain[number]))


class Unscored:
    """Candidates of one entity whose expensive scores are not known yet."""

    def __init__(self, pool: Pool, entity: int, asked: Sequence[Score], weights: Weights) -> None:
        self._pool, self._entity, self._weights = pool, entity, weights
        self._scored = pool.scored[entity]
        self._low, self._high = self._scored.total.copy(), self._scored.total.copy()
        for score in asked:
            ends = [weights.parts[score.name] * end for end in (score.low, score.high)]
            self._low += min(ends)
            self._high += max(ends)
        self._n_asked = np.zeros(len(self._low), np.int64)
        self._all = len(asked)
        self._scored.total = np.full(len(self._low), -np.inf)
        self._inside = _inside(self._scored.intervals)

    def wanted(self) -> list[int]:
        """The most promising candidates."""
        best_inside = np.where(self._inside, self._low[None, :], -np.inf).max(1, initial=-np.inf)
        open_ = np.flatnonzero(
            (self._n_asked == 0)
            & (best_inside <= self._high)
            & (self._high > self._weights.min_score)
        )
        order = np.argsort(-self._high[open_], kind="stable")[:QUERIES_PER_ROUND]
        return [int(number) for number in open_[order]]

    def question(self, number: int) -> Question:
        """Query of the expensive scores for a candidate."""
        intervals = self._scored.intervals
        interval = int(intervals.start[number]), int(intervals.end[number])
        return self._pool.given, self._pool.entities[self._entity], interval

    def settle(self, number: int, score: Score, value: float) -> None:
        """Enter the value of one expensive score."""
        weight = self._weights.parts[score.name]
        value = min(max(value, score.low), score.high)
        ends = [weight * end for end in (score.low, score.high)]
        self._scored.parts[score.name][number] = value
        self._low[number] += weight * value - min(ends)
        self._high[number] += weight * value - max(ends)
        self._n_asked[number] += 1
        if self._n_asked[number] == self._all:
            self._scored.total[number] = self._low[number]


def _inside(intervals: Intervals) -> npt.NDArray[np.bool_]:
    """Mask [i, j] of the candidates j that lie within another one i."""
    start, end = intervals.start, intervals.end
    within = (start[:, None] <= start[None, :]) & (end[:, None] >= end[None, :])
    np.fill_diagonal(within, False)
    return within
