"""The methods that project each sentence by itself, as presets of the matcher.

| method | candidates | scores | solver |
|---|---|---|---|
| ``greedy`` | n-grams (tight) | alignment | greedy |
| ``exact`` | n-grams (tight) | alignment | exact |
| ``heuristic`` | linked runs | brevity | greedy |
| ``match`` | n-grams, or a tagger's spans | alignment, ner, translation | either |
| ``soft`` | spans near mass | soft | either |

``greedy`` and ``exact`` are the paper's projection (arXiv 2501.18750, section 3.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Literal

from spanbridge.core.errors import SpanbridgeError
from spanbridge.project.candidates import (
    Candidate,
    Generator,
    NearMass,
    Ngrams,
    TaggedSpans,
    TightNgrams,
    support,
)
from spanbridge.project.confidence import CALIBRATIONS, MARGIN, Calibration
from spanbridge.project.matcher import Matcher, Pool
from spanbridge.project.score_input import TargetTagger
from spanbridge.project.scores import NerScore, PhraseScorer, Score
from spanbridge.project.weights import ONE_BY_ONE, Weights

SolverName = Literal["greedy", "exact"]


class LinkMatcher(Matcher):
    """A matcher of hard links whose confidence comes from how far both spans are linked."""

    own_weights: ClassVar[Weights] = Weights({"alignment": 1.0})
    min_score = 0.0

    def preset(self) -> Weights:
        """The preset's own weights, with the least score that was asked for."""
        if self.min_score == self.own_weights.min_score:
            return self.own_weights
        return replace(self.own_weights, min_score=self.min_score)

    def calibration(self) -> Calibration:
        """Calibration of the method."""
        return CALIBRATIONS[self.name]

    def grounds(self, pool: Pool, chosen: Candidate) -> tuple[float, ...]:
        """Support of the candidate."""
        e, start, end, _ = chosen
        return (support(pool.entities[e], start, end, pool.given.links),)

    def linked(self, pool: Pool, entity: int) -> bool:
        """Check if any word of an entity has a link."""
        span = pool.entities[entity]
        return bool(pool.given.links.from_source(span.start, span.end))


class _NgramMethod(LinkMatcher):
    """N-gram candidates, the alignment score, and a solver; hard links.

    Discontinuous links: a candidate may span unlinked words and words linked elsewhere; bridging a
    gap pays if the score says so (each bridged word lowers it).

    Args:
        n_proj: projections per source span, at most; 1 in the paper's experiments.
        exactly: as many projections as possible up to ``n_proj``, before the score counts.
        max_words: longest candidate, None for any length.
        min_score: least score of a candidate, at least 0.
        weights, tagger, scorer: as in :class:`~spanbridge.project.matcher.Matcher`.

    Raises:
        SpanbridgeError: an argument is out of range.
    """

    solver_name: ClassVar[SolverName]

    def __init__(
        self,
        n_proj: int = 1,
        exactly: bool = False,
        max_words: int | None = None,
        min_score: float = 0.0,
        *,
        weights: Mapping[str, float] | None = None,
        tagger: TargetTagger | None = None,
        scorer: PhraseScorer | None = None,
    ) -> None:
        if not min_score >= 0:
            raise SpanbridgeError(f"min_score is {min_score}, but must not be negative")
        self.min_score = min_score
        super().__init__(
            TightNgrams(max_words),
            self.solver_name,
            weights=weights,
            tagger=tagger,
            scorer=scorer,
            n_proj=n_proj,
            exactly=exactly,
        )


class GreedyMethod(_NgramMethod):
    """N-gram candidates matched by the alignment score, best first; hard links.

    Args:
        n_proj, exactly, max_words, min_score, weights, tagger, scorer: as in :class:`ExactMethod`.
    """

    name = "greedy"
    solver_name = "greedy"


class ExactMethod(_NgramMethod):
    """N-gram candidates matched by the alignment score, greatest total; hard links.

    Args:
        n_proj: projections per source span, at most; 1 in the paper's experiments.
        exactly: as many projections as possible up to ``n_proj``, before the score counts.
        max_words: longest candidate, None for any length.
        min_score: least score of a candidate, at least 0.
        weights, tagger, scorer: as in :class:`~spanbridge.project.matcher.Matcher`.
    """

    name = "exact"
    solver_name = "exact"


class SoftMethod(Matcher):
    """Soft alignment score, candidates of any length, each sentence by itself.

    Args:
        solver: ``greedy`` (best candidate first) or ``exact`` (greatest total).
        weights, tagger, scorer: as in :class:`~spanbridge.project.matcher.Matcher`.
    """

    name = "soft"
    reads = "soft alignment"

    def __init__(
        self,
        solver: SolverName = "greedy",
        *,
        weights: Mapping[str, float] | None = None,
        tagger: TargetTagger | None = None,
        scorer: PhraseScorer | None = None,
    ) -> None:
        super().__init__(NearMass(), solver, weights=weights, tagger=tagger, scorer=scorer)

    def preset(self) -> Weights:
        """The soft alignment alone."""
        return ONE_BY_ONE

    def regime(self) -> str:
        """The name of the calibration that holds."""
        return self.name

    def calibration(self) -> Calibration:
        """Calibration of the regime; of other weights, stretched to their greatest sum."""
        preset = CALIBRATIONS[self.regime()]
        if not self.changes:
            return preset
        parts = self.weights().parts.items()
        scores = {score.name: score for score in self._scores(self.weights())}
        ends = ((weight * scores[name].low, weight * scores[name].high) for name, weight in parts)
        return replace(preset, best=max(sum(map(max, ends)), 1e-6))

    def grounds(self, pool: Pool, chosen: Candidate) -> tuple[float, ...]:
        """Score and margin of the candidate."""
        scored, min_score = pool.scored[chosen.entity], self.weights().min_score
        number = scored.number(chosen.start, chosen.end)
        return float(scored.total[number]), min(scored.margin(number, min_score), MARGIN)

    def linked(self, pool: Pool, entity: int) -> bool:
        """Check if any candidate of an entity has mass."""
        return len(pool.scored[entity].intervals) > 0


class MatchMethod(LinkMatcher):
    """N-grams or a tagger's spans, matched by alignment, tagger and translator; hard links.

    Args:
        candidates: ``ngrams``, or ``tagger``: the spans that the tagger finds in the target, with
            all that lie within them.
        max_words: longest n-gram.
        alignment, ner, translation: weights of the scores, at least 0.
        min_score: least score, as a share of the greatest possible sum, in [0, 1].
        per_class: take the tagger's score of the entity's own label; else the greatest of all.
        solver: ``greedy`` (best candidate first) or ``exact`` (greatest total).
        weights: further scores with their weights.
        tagger: a tagger of the target.
        scorer: a translator that scores.

    Raises:
        SpanbridgeError: an argument is out of range, missing, or would do nothing.
    """

    name = "match"

    def __init__(
        self,
        candidates: Literal["ngrams", "tagger"] = "ngrams",
        max_words: int = 10,
        alignment: float = 1.0,
        ner: float = 0.0,
        translation: float = 0.0,
        min_score: float = 0.0,
        per_class: bool = True,
        solver: SolverName = "greedy",
        *,
        weights: Mapping[str, float] | None = None,
        tagger: TargetTagger | None = None,
        scorer: PhraseScorer | None = None,
    ) -> None:
        own = {"alignment": alignment, "ner": ner, "translation": translation}
        if not min(own.values()) >= 0:
            raise SpanbridgeError("the weights of match are at least 0")
        if not 0 <= min_score <= 1:
            raise SpanbridgeError(f"min_score is {min_score}, but lies in [0, 1]")
        if max_words < 1:
            raise SpanbridgeError(f"max_words is {max_words}, but candidates have at least one")
        if candidates == "tagger" and tagger is None:
            raise SpanbridgeError("candidates of a tagger need a tagger; name one")
        if tagger is not None and candidates != "tagger" and not ner and not weights:
            raise SpanbridgeError("the tagger would do nothing; set ner, or candidates: tagger")
        if scorer is not None and not translation and not weights:
            raise SpanbridgeError("the translator would do nothing; set translation, its weight")
        self._own = Weights({name: weight for name, weight in own.items() if weight})
        self._share, self._per_class = min_score, per_class
        generator: Generator = Ngrams(max_words) if candidates == "ngrams" else TaggedSpans()
        super().__init__(generator, solver, weights=weights, tagger=tagger, scorer=scorer)

    def preset(self) -> Weights:
        """The weights that were asked for."""
        total = sum(self._own.parts.values())
        return replace(self._own, min_score=self._share * total)

    def find_score(self, name: str) -> Score:
        """The score of a name; ``ner`` as it was asked for."""
        return NerScore(self._per_class) if name == "ner" else super().find_score(name)

    def describe(self) -> str:
        """All settings."""
        return super().describe()[:-1] + f",per_class={self._per_class})"

    def grounds(self, pool: Pool, chosen: Candidate) -> tuple[float, ...]:
        """Share of the greatest possible sum, and margin, of the candidate."""
        weights = self.weights()
        total = sum(abs(weight) for weight in weights.parts.values())
        scored = pool.scored[chosen.entity]
        number = scored.number(chosen.start, chosen.end)
        margin = scored.margin(number, weights.min_score) / total
        return max(float(scored.total[number]) / total, 0.0), min(margin, MARGIN)
