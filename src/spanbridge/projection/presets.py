"""Methods that project each sentence by itself, as presets of the matcher.

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

from dataclasses import replace
from typing import ClassVar, Literal

from spanbridge.core.errors import SpanbridgeError
from spanbridge.projection.candidates import (
    Candidate,
    Generator,
    NearMass,
    Ngrams,
    TaggedSpans,
    TightNgrams,
    support,
)
from spanbridge.projection.confidence import CALIBRATIONS, Calibration
from spanbridge.projection.evidence import closeness, lead, of_mass
from spanbridge.projection.matcher import Matcher
from spanbridge.projection.pool import Pool
from spanbridge.projection.scores import AlignmentScore, NerScore, Score
from spanbridge.projection.solve import Solver
from spanbridge.projection.weights import ONE_BY_ONE, Weights

SolverName = Literal["greedy", "exact"]


class LinkMatcher(Matcher):
    """A matcher of hard links; confidence depends on the share of linked words in both spans."""

    own_weights: ClassVar[Weights] = Weights({"alignment": 1.0})
    min_score = 0.0

    def preset(self) -> Weights:
        """The preset's weights, with the requested ``min_score``."""
        if self.min_score == self.own_weights.min_score:
            return self.own_weights
        return replace(self.own_weights, min_score=self.min_score)

    def calibration(self) -> Calibration:
        """Calibration of the method."""
        return CALIBRATIONS[self.calibration_key]

    def confidence_features(self, pool: Pool, chosen: Candidate) -> tuple[float, ...]:
        """Closeness of the candidate's support to 1."""
        e, start, end, _ = chosen
        return (closeness(support(pool.entities[e], start, end, pool.given.links)),)

    def linked(self, pool: Pool, entity: int) -> bool:
        """Check if any word of an entity has a link."""
        span = pool.entities[entity]
        return bool(pool.given.links.from_source(span.start, span.end))


class GreedyMethod(LinkMatcher):
    """N-gram candidates matched by the alignment score, best first; hard links.

    Discontinuous links: a candidate may contain unlinked words and words linked elsewhere, each of
    which lowers its score.

    Args:
        n_proj: projections per source span, at most; 1 in the paper's experiments.
        exactly: maximise the number of projections (up to ``n_proj``) before the score.
        max_words: words of the longest candidate; None for any length.
        min_score: least score of a candidate, at least 0.

    Raises:
        SpanbridgeError: an argument is out of range.
    """

    name, calibration_key = "greedy", "greedy"
    solver: ClassVar[SolverName] = "greedy"
    _whole = False

    def __init__(
        self,
        n_proj: int = 1,
        exactly: bool = False,
        max_words: int | None = None,
        min_score: float = 0.0,
    ) -> None:
        if not min_score >= 0:
            raise SpanbridgeError(f"min_score is {min_score}, but must not be negative")
        self.min_score = min_score
        super().__init__(TightNgrams(max_words), Solver(self.solver, n_proj, exactly, self._whole))


class ExactMethod(GreedyMethod):
    """N-gram candidates matched by the alignment score, greatest total; hard links.

    Args:
        n_proj, exactly, max_words, min_score: as in :class:`GreedyMethod`.
        whole: with one projection per span, at most, charge candidates for leaving out words of a
            name, since the sum pays for cutting it in two (see
            :func:`spanbridge.projection.solve.charged`); False maximises the sum alone, as the
            paper does.

    Raises:
        SpanbridgeError: an argument is out of range.
    """

    name, calibration_key, solver = "exact", "exact", "exact"

    def __init__(
        self,
        n_proj: int = 1,
        exactly: bool = False,
        max_words: int | None = None,
        min_score: float = 0.0,
        whole: bool = True,
    ) -> None:
        self._whole = whole
        super().__init__(n_proj, exactly, max_words, min_score)


class SoftMethod(Matcher):
    """Soft alignment score, candidates of any length, each sentence by itself.

    Args:
        solver: ``greedy`` (best candidate first) or ``exact`` (greatest total).
    """

    name, calibration_key = "soft", "soft"
    reads = "soft alignment"
    _whole = True

    def __init__(self, solver: SolverName = "greedy") -> None:
        super().__init__(NearMass(), Solver(solver, whole=self._whole))

    def preset(self) -> Weights:
        """The soft alignment alone."""
        return ONE_BY_ONE

    def calibration(self) -> Calibration:
        """Calibration of the method with its own weights."""
        return CALIBRATIONS[self.calibration_key]

    def confidence_features(self, pool: Pool, chosen: Candidate) -> tuple[float, ...]:
        """What the alignment and the sums of scores show of the candidate."""
        return of_mass(pool, chosen, self.weights().min_score)

    def linked(self, pool: Pool, entity: int) -> bool:
        """Check if any candidate of an entity has mass."""
        return len(pool.scored[entity].intervals) > 0


class MatchMethod(LinkMatcher):
    """N-grams or a tagger's spans, matched by alignment, tagger and translator; hard links.

    Args:
        candidates: ``ngrams``, or ``tagger``: the spans that the tagger finds in the target, with
            all intervals within them.
        max_words: words of the longest n-gram.
        alignment, ner, translation: weights of the scores, at least 0.
        min_score: least score, as a share of the greatest possible sum, in [0, 1].
        capped: cut alignment scores at 1, which words with several links exceed. Many candidates
            then tie, and the first, shortest one wins: with the links of itermax, False is better
            by far (docs/project.md).
        per_class: use the tagger's score for the entity's own label, not the greatest of all
            labels.
        solver: ``greedy`` (best candidate first) or ``exact`` (greatest total).

    Raises:
        SpanbridgeError: an argument is out of range.
    """

    name, calibration_key = "match", "match"

    def __init__(
        self,
        candidates: Literal["ngrams", "tagger"] = "ngrams",
        max_words: int = 10,
        alignment: float = 1.0,
        ner: float = 0.0,
        translation: float = 0.0,
        min_score: float = 0.0,
        per_class: bool = True,
        capped: bool = True,
        solver: SolverName = "greedy",
    ) -> None:
        own = {"alignment": alignment, "ner": ner, "translation": translation}
        if not all(weight >= 0 for weight in own.values()):
            raise SpanbridgeError("the weights of match are at least 0")
        if not 0 <= min_score <= 1:
            raise SpanbridgeError(f"min_score is {min_score}, but lies in [0, 1]")
        if max_words < 1:
            raise SpanbridgeError(f"max_words is {max_words}, but candidates have at least one")
        self._own = Weights({name: weight for name, weight in own.items() if weight})
        self._share, self._per_class, self._capped = min_score, per_class, capped
        generator: Generator = Ngrams(max_words) if candidates == "ngrams" else TaggedSpans()
        super().__init__(generator, Solver(solver, whole=True))

    def check(self) -> None:
        """Check that tagger and translator are present exactly if they are needed."""
        super().check()
        used = {score.needs for score in self._scores(self.weights())}
        used.add(self.generator.needs)
        for name, part in (("tagger", self.tagger), ("scorer", self.scorer)):
            if name in used and part is None:
                raise SpanbridgeError(f"match needs a {name}; name one")
            if part is not None and name not in used:
                raise SpanbridgeError(f"the {name} would do nothing; give its score a weight")

    def preset(self) -> Weights:
        """The requested weights."""
        total = sum(self._own.parts.values())
        return replace(self._own, min_score=self._share * total)

    def find_score(self, name: str) -> Score:
        """The score of a name; ``ner`` and ``alignment`` with the requested options."""
        own: dict[str, Score] = {
            "ner": NerScore(self._per_class),
            "alignment": AlignmentScore(self._capped),
        }
        return own[name] if name in own else super().find_score(name)

    def describe(self) -> str:
        """All settings."""
        return super().describe()[:-1] + f",per_class={self._per_class},capped={self._capped})"

    def confidence_features(self, pool: Pool, chosen: Candidate) -> tuple[float, ...]:
        """Closeness to the greatest possible sum, and lead, of the candidate."""
        weights = self.weights()
        total = sum(abs(weight) for weight in weights.parts.values())
        scored = pool.scored[chosen.entity]
        number = scored.number(chosen.start, chosen.end)
        margin = scored.margin(number, weights.min_score) / total
        entity = pool.entities[chosen.entity]
        words = max(entity.end - entity.start, chosen.end - chosen.start)
        return closeness(float(scored.total[number]) / total), lead(margin, words)
