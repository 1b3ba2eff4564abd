"""The matcher: from candidates, through scores and a solver, to a projection.

A generator proposes candidates of every source span; cheap scores are summed with weights;
expensive ones are computed only where they can still change the choice; a solver chooses disjoint
candidates, for each layer of nested source spans inside the one around it; each chosen one gets a
calibrated confidence, each source span without one a reason. The package's methods are presets of
generator, weights and solver, and any score can be added to any of them by a weight. It is the
programme of the paper (arXiv 2501.18750, section 3.3) with

    score(s, t) = sum of weight * score of s and t
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from math import isfinite
from typing import ClassVar, TypeGuard

import numpy as np

from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Span
from spanbridge.projection.candidates import Candidate, Generator, Vector
from spanbridge.projection.confidence import Calibration
from spanbridge.projection.contract import checked_values
from spanbridge.projection.explain import explain
from spanbridge.projection.method import (
    BELOW,
    LOST,
    NO_LINK,
    Method,
    Projection,
    Row,
    places,
)
from spanbridge.projection.pool import Pool, Scored, Unscored, gains
from spanbridge.projection.score_input import ScoreInput, TargetTagger
from spanbridge.projection.scores import PhraseScorer, Question, Score, find_score
from spanbridge.projection.solve import Solver
from spanbridge.projection.solve.layers import by_layers
from spanbridge.projection.weights import Weights

# Limit on target words with expensive scores, since candidates are then compared pairwise.
MAX_WORDS_EXPENSIVE = 300


class Matcher(Method):
    """Projection by candidates, weighted scores and a solver.

    Args:
        generator: proposes the candidates.
        solver: chooses among them.

    Raises:
        SpanbridgeError: there is no such score, or something that one needs is missing.
    """

    # Inputs of scores beyond the pair: statistics, learned taggers.
    provides: ClassVar[frozenset[str]] = frozenset()
    # Name of its calibration among CALIBRATIONS; a subclass of a preset keeps the preset's.
    calibration_key: ClassVar[str]

    def __init__(self, generator: Generator, solver: Solver) -> None:
        self.generator = generator
        self.solve = solver
        self.changes: Mapping[str, float] = {}
        self.tagger: TargetTagger | None = None
        self.scorer: PhraseScorer | None = None
        self._known: dict[str, Score] = {}

    def add_scores(
        self,
        weights: Mapping[str, float] | None = None,
        tagger: TargetTagger | None = None,
        scorer: PhraseScorer | None = None,
    ) -> None:
        """Add scores, and the models that they need.

        Args:
            weights: weights of further scores, or other weights for the preset's own; 0 removes a
                score. The confidence is then a ranking, not a probability.
            tagger: a tagger of the target, for the score ``ner`` and as a source of candidates.
            scorer: a translator that scores, for the score ``translation``.

        Raises:
            SpanbridgeError: a weight is not a number, or as :meth:`check`; nothing is changed then.
        """
        if wrong := [name for name, weight in (weights or {}).items() if not isfinite(weight)]:
            raise SpanbridgeError(f"the weight of {wrong[0]!r} is not a finite number")
        before = self.changes, self.tagger, self.scorer, self._known
        self.changes, self.tagger, self.scorer, self._known = weights or {}, tagger, scorer, {}
        try:
            self.check()
        except SpanbridgeError:
            self.changes, self.tagger, self.scorer, self._known = before
            raise

    def components(self) -> tuple[object, ...]:
        """The method and its scores."""
        return (self, *self._scores(self.weights()))

    def preset(self) -> Weights:
        """The preset's own weights."""
        raise NotImplementedError

    def calibration(self) -> Calibration:
        """The calibration of confidences."""
        raise NotImplementedError

    def confidence_features(self, pool: Pool, chosen: Candidate) -> tuple[float, ...]:
        """Features from which a chosen candidate's confidence is computed."""
        raise NotImplementedError

    def confidence(self, pool: Pool, chosen: Candidate) -> float:
        """Probability that a chosen candidate is right."""
        return self.calibration()(*self.confidence_features(pool, chosen))

    def linked(self, pool: Pool, entity: int) -> bool:
        """Check if the alignment has any information on an entity."""
        raise NotImplementedError

    def score_input(
        self, pair: SentencePair, alignment: WordAlignment | SoftAlignment
    ) -> ScoreInput:
        """The input of the scores."""
        return ScoreInput(pair, alignment)

    def weights(self) -> Weights:
        """The weights in use."""
        return self.preset().changed(self.changes) if self.changes else self.preset()

    def score_names(self) -> frozenset[str]:
        """Names of the scores in use."""
        return frozenset(self.weights().parts)

    def describe(self) -> str:
        """Name, generator, solver, weights, tagger and scorer."""
        parts = [self.generator.describe(), self.solve.describe(), self.describe_weights()]
        parts += [part.describe() for part in (self.tagger, self.scorer) if part is not None]
        return f"{self.name}({','.join(parts)})"

    def describe_weights(self) -> str:
        """The weights in use, for the signature."""
        return self.weights().describe()

    def project(self, rows: Sequence[Row]) -> list[Projection | RowError]:
        """Project the source spans of every row."""
        weights = self.weights()
        return [
            pool if isinstance(pool, RowError) else self._conclude(pool, weights)
            for pool in self._pools(rows, weights)
        ]

    def alternatives(self, row: Row, n: int) -> list[list[tuple[int, int]]]:
        """The ``n`` best candidates of each place of source spans, best first.

        Places are in order, as :func:`spanbridge.projection.method.places` has them. Those of a row
        that cannot be projected have none.
        """
        (pool,) = self._pools([row], self.weights())
        if isinstance(pool, RowError):
            return [[] for _ in places(row[0].source.spans)]
        return [pool.best(e, n) for e in range(len(pool.entities))]

    def _pools(self, rows: Sequence[Row], weights: Weights) -> Iterable[Pool | RowError]:
        """Candidates of every row with all their scores."""
        scores = self._scores(weights)
        asked = [score for score in scores if score.expensive]
        inputs = [self.score_input(*row) for row in rows if _aligned(row)]
        for given in inputs:
            given.conventions = self.conventions.of(given.pair.target.words)
        self._ask_tagger(inputs)
        # one pool at a time, unless expensive scores are computed for all of them together
        pools: Iterable[Pool | RowError] = (
            self._pool(given, weights, scores, bool(asked)) for given in inputs
        )
        return self._ask(list(pools), asked, weights) if asked else pools

    def max_confidence(self) -> float:
        """Confidence of a span with the best value of every feature."""
        return self.calibration().max_confidence()

    def _scores(self, weights: Weights) -> list[Score]:
        for name in weights.parts:
            if name not in self._known:
                self._known[name] = self.find_score(name)
        return [self._known[name] for name in weights.parts]

    def find_score(self, name: str) -> Score:
        """The score of a name."""
        return find_score(name, self.scorer)

    def check(self) -> None:
        """Check that there are scores, and that each has what it needs; raises SpanbridgeError."""
        there = {"", "scorer", *self.provides} | ({"tagger"} if self.tagger is not None else set())
        scores = self._scores(self.weights())
        if not scores:
            raise SpanbridgeError("all weights are 0; give at least one score a weight")
        for score in scores:
            if score.needs not in there:
                needs = "a tagger of the target; name one (tagger, --tagger-model)"
                if score.needs != "tagger":
                    needs = "what only the method 'corpus' learns from a whole bitext"
                raise SpanbridgeError(f"the score {score.name!r} needs {needs}")
            if score.needs == "tagger" and self.tagger and not self.tagger.gives_probabilities:
                raise SpanbridgeError(
                    f"the tagger gives no probabilities, which the score {score.name!r} needs"
                )

    def _ask_tagger(self, inputs: Sequence[ScoreInput]) -> None:
        if self.tagger is None:
            return
        opinions = self.tagger.tag([given.pair.target.words for given in inputs])
        for given, opinion in zip(inputs, opinions, strict=True):
            given.opinion, given.classes = opinion, self.tagger.classes

    def _pool(
        self, given: ScoreInput, weights: Weights, scores: Sequence[Score], asking: bool
    ) -> Pool | RowError:
        n_words = len(given.pair.target.words)
        if asking and n_words > MAX_WORDS_EXPENSIVE:
            return RowError(f"{n_words} target words, too many for an expensive score; split it")
        pool = Pool.of(given, asking)
        if weights.parts == {self.generator.own_score: 1.0}:
            pool.candidates = self.generator.candidates(
                pool.entities, given.links, weights.min_score
            )
            return pool
        try:
            pool.scored = [self.score(given, entity, weights, scores) for entity in pool.entities]
        except RowError as error:
            return error
        if not asking:
            pool.candidates = list(gains(pool, weights))
        return pool

    def score(
        self, given: ScoreInput, entity: Span, weights: Weights, scores: Sequence[Score]
    ) -> Scored:
        """Candidates of one entity with their cheap scores; expensive ones are NaN."""
        intervals = self.generator.intervals(given, entity)
        parts: dict[str, Vector] = {}
        total = np.zeros(len(intervals))
        for score in scores:
            if score.expensive:
                parts[score.name] = np.full(len(intervals), np.nan)
            else:
                values = score.of(given, entity, intervals)
                parts[score.name] = checked_values(score, values, len(intervals))
                total += weights.parts[score.name] * parts[score.name]
        return Scored(intervals, parts, total)

    def _ask(
        self, pools: list[Pool | RowError], asked: Sequence[Score], weights: Weights
    ) -> list[Pool | RowError]:
        """Compute expensive scores, round by round, where they can still change the choice.

        A candidate is skipped if, whatever its expensive scores, its sum cannot exceed
        ``min_score`` or is lower than that of another candidate of the entity inside it. Neither
        solver would choose it: the inner one fits wherever the outer one does.
        """
        good = [pool for pool in pools if not isinstance(pool, RowError)]
        rest = [Unscored(pool, e, asked, weights) for pool in good for e in range(len(pool.scored))]
        while questions := [(one, number) for one in rest for number in one.wanted()]:
            asks: list[Question] = [one.question(number) for one, number in questions]
            for score in asked:
                values = checked_values(score, score.ask(asks), len(asks)).tolist()
                for (one, number), value in zip(questions, values, strict=True):
                    one.settle(number, score, value)
                self.counts[f"{score.name} scores"] += len(asks)
        for score in asked:
            score.forget()
        for pool in good:
            pool.candidates = list(gains(pool, weights))
        return pools

    def _conclude(self, pool: Pool, weights: Weights) -> Projection:
        """Choose candidates; give each a confidence, and each span without one a reason."""
        n_words = [entity.end - entity.start for entity in pool.entities]
        chosen = by_layers(pool.candidates, pool.around, partial(self.solve, n_words=n_words))
        spans, origins, raw_scores = [], [], []
        for candidate in chosen:
            e, start, end, gain = candidate
            confidence = self.confidence(pool, candidate)
            for origin in pool.spans[e]:
                origins.append(origin)
                raw_scores.append(gain + weights.min_score)
                spans.append(Span(start, end, origin.label, confidence))
        dropped: tuple[tuple[Span, str], ...] = ()
        if len(chosen) < len(pool.spans) or self.solve.n_proj != 1:
            reached = {candidate[0] for candidate in chosen}
            dropped = tuple(
                (span, self._reason(pool, e, weights))
                for e, same in enumerate(pool.spans)
                if e not in reached
                for span in same
            )
        return Projection(
            tuple(spans),
            dropped,
            tuple(origins),
            tuple(raw_scores),
            # pools are large, so cheap scores are computed again if they are to be explained
            partial(self._explain, pool if pool.asked else pool.given, chosen),
        )

    def _reason(self, pool: Pool, entity: int, weights: Weights) -> str:
        """Reason why an entity was not projected."""
        if any(candidate.entity == entity for candidate in pool.candidates):
            return LOST
        totals = pool.scored[entity].total if pool.scored else np.zeros(0)
        if weights.min_score > 0 and totals.max(initial=0.0) > 0:
            return BELOW
        if not self.linked(pool, entity):
            return NO_LINK
        return BELOW if weights.min_score > 0 else LOST

    def _explain(
        self,
        of: Pool | ScoreInput,
        chosen: Sequence[Candidate],
        projection: Projection,
        min_confidence: float,
    ) -> Iterator[str]:
        weights = self.weights()
        scores = self._scores(weights)
        pool = of if isinstance(of, Pool) else self._pool(of, weights, scores, False)
        assert isinstance(pool, Pool)
        scored = pool.scored or [
            self.score(pool.given, entity, weights, scores) for entity in pool.entities
        ]
        reasons = {
            e: self._reason(pool, e, weights)
            for e in range(len(pool.spans))
            if e not in {candidate.entity for candidate in chosen}
        }
        return explain(
            pool.given.pair,
            pool.spans,
            scored,
            weights,
            chosen,
            reasons,
            projection,
            min_confidence,
        )


def _aligned(row: Row) -> TypeGuard[tuple[SentencePair, WordAlignment | SoftAlignment]]:
    if row[1] is None:
        raise SpanbridgeError(f"row {row[0].id} comes without an alignment, which matchers read")
    return True
