"""Candidate matching: the paper's projection (arXiv 2501.18750, section 3.3), greedy or exact."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import Span
from spanbridge.project.candidates import Option, alignment_options, support
from spanbridge.project.solvers import exact, greedy

NO_LINK = "no link"
LOST = "no candidate left"
BELOW = "score below the threshold"
UNSURE = "confidence below the minimum"


@dataclass(frozen=True, slots=True)
class Projection:
    """What became of a sentence's spans.

    Attributes:
        spans: target spans, disjoint, in order, each with a score in [0, 1].
        dropped: source spans that were not projected, each with the reason.
        origins: for each of ``spans``, the source span that it comes from.
    """

    spans: tuple[Span, ...]
    dropped: tuple[tuple[Span, str], ...]
    origins: tuple[Span, ...] = ()

    def above(self, least: float) -> Projection:
        """Without the spans whose score is lower; their source spans count as dropped."""
        low = [k for k, span in enumerate(self.spans) if (span.score or 0.0) < least]
        if not low:
            return self
        kept = [k for k in range(len(self.spans)) if k not in low]
        origins = tuple(self.origins[k] for k in kept)
        lost = {id(self.origins[k]): self.origins[k] for k in low}
        for origin in origins:
            lost.pop(id(origin), None)  # projected elsewhere as well
        dropped = (*self.dropped, *((span, UNSURE) for span in lost.values()))
        return Projection(tuple(self.spans[k] for k in kept), dropped, origins)


class Projector(Protocol):
    """Projects the spans of one sentence along its links."""

    name: str

    def describe(self) -> str:
        """Name and every setting that the result depends on, for the signature."""
        ...

    def project(self, entities: Sequence[Span], alignment: WordAlignment) -> Projection:
        """Target spans, and the source spans that found none."""
        ...


def in_order(entities: Sequence[Span]) -> list[Span]:
    """Source spans by start, then end; ties keep their order."""
    return sorted(entities, key=lambda span: (span.start, span.end))


def conclude(
    entities: Sequence[Span],
    chosen: Sequence[Option],
    alignment: WordAlignment,
    min_score: float,
) -> Projection:
    """Score the chosen options, abstain below ``min_score``, account for every entity."""
    spans: list[Span] = []
    origins: list[Span] = []
    reached: dict[int, str | None] = {}
    for entity, start, end, _ in chosen:
        score = support(entities[entity], start, end, alignment)
        if score < min_score:
            reached.setdefault(entity, BELOW)
        else:
            reached[entity] = None
            spans.append(Span(start, end, entities[entity].label, score))
            origins.append(entities[entity])
    if len(reached) == len(entities) and not any(reached.values()):
        return Projection(tuple(spans), (), tuple(origins))
    dropped = []
    for e, span in enumerate(entities):
        reason = reached.get(e, LOST)
        if e not in reached and not alignment.from_source(span.start, span.end):
            reason = NO_LINK
        if reason is not None:
            dropped.append((span, reason))
    return Projection(tuple(spans), tuple(dropped), tuple(origins))


class _CandidateProjector(ABC):
    """N-gram candidates, alignment score, and a solver.

    Discontinuous links: a candidate may span unlinked words and words linked elsewhere; whether it
    pays to bridge a gap is what the score decides (each bridged word lowers it).

    Args:
        n_proj: projections per source span, at most; 1 in the paper's experiments.
        exactly: as many projections as possible up to ``n_proj``, before the score counts.
        max_words: longest candidate, None for any length.
        min_score: abstain where the projected span's score, in [0, 1], is below this.

    Raises:
        SpanbridgeError: an argument is out of range.
    """

    name = ""

    def __init__(
        self,
        n_proj: int = 1,
        exactly: bool = False,
        max_words: int | None = None,
        min_score: float = 0.0,
    ) -> None:
        if n_proj < 1:
            raise SpanbridgeError(f"n_proj is {n_proj}, but a span is projected at least once")
        if max_words is not None and max_words < 1:
            raise SpanbridgeError(f"max_words is {max_words}, but candidates have at least one")
        if not 0 <= min_score <= 1:
            raise SpanbridgeError(f"min_score is {min_score}, but scores lie in [0, 1]")
        self.n_proj = n_proj
        self.exactly = exactly
        self.max_words = max_words
        self.min_score = min_score

    def describe(self) -> str:
        """Method and settings."""
        sign = "=" if self.exactly else "<="
        longest = "any" if self.max_words is None else self.max_words
        return (
            f"{self.name}(ngrams={longest},score=alignment,n_proj{sign}{self.n_proj},"
            f"min_score={self.min_score:g})"
        )

    def project(self, entities: Sequence[Span], alignment: WordAlignment) -> Projection:
        """Target spans, and the source spans that found none."""
        if not entities:
            return Projection((), ())
        ordered = in_order(entities)
        options = alignment_options(ordered, alignment, self.max_words)
        return conclude(ordered, self._solve(options), alignment, self.min_score)

    @abstractmethod
    def _solve(self, options: list[Option]) -> list[Option]: ...


class GreedyProjector(_CandidateProjector):
    """Candidate matching by the greedy solver."""

    name = "greedy"

    def _solve(self, options: list[Option]) -> list[Option]:
        return greedy(options, self.n_proj)


class ExactProjector(_CandidateProjector):
    """Candidate matching by the exact solver."""

    name = "exact"

    def _solve(self, options: list[Option]) -> list[Option]:
        return exact(options, self.n_proj, self.exactly)
