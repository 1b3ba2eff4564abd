"""What becomes of a row whose doubtful spans a chat model was asked about.

The base's projection is the draft. Surer spans of it stay in any case. Of all others, the model's
pick is taken, or the base's own place where that is more probable all the same; where two spans
claim the same words, the more probable one gets them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from spanbridge.core.spans import Span, nesting
from spanbridge.projection.candidates import Candidate
from spanbridge.projection.chat_questions import Doubt, Pick, Place
from spanbridge.projection.confidence import CORRECTLY_DROPPED
from spanbridge.projection.method import LOST, Projection, Row, places
from spanbridge.projection.solve import Solver
from spanbridge.projection.solve.layers import by_layers

# Other places that a model which inserts tags may take a span for, where confidence is computed.
OTHERS = 9
# What is asked first is what most can be gained on. To find a span adds as much to F1 as to put two
# halves of a wrong one right, so a place that was not projected counts as one so sure.
NOT_PROJECTED = 1 - (1 - CORRECTLY_DROPPED) / 2
ABSENT = "the chat model found no counterpart"
MOVED = "spans_that_the_chat_model_moved"
TAKEN = "spans_that_the_chat_model_took_away"
OVERRULED = "spans_in_which_the_chat_model_was_less_sure_than_the_method"


class Verdict(NamedTuple):
    """What is made of the model's answer on a place.

    Attributes:
        said: target words [start, end) that it picked; None for none.
        place: those that are taken.
        sure: probability that these are right.
    """

    said: Place | None
    place: Place | None
    sure: float


@dataclass(frozen=True)
class Draft:
    """What the base found in a row.

    Attributes:
        row: the row.
        projection: its projection.
        spans: source spans by place, those of a place together.
        around: for each place, those that contain it.
        found: target words of each place that was projected once, and the confidence.
        several: numbers of the places that were projected more than once.
    """

    row: Row
    projection: Projection
    spans: list[list[Span]]
    around: list[tuple[int, ...]]
    found: dict[int, tuple[Place, float]]
    several: frozenset[int]

    @classmethod
    def of(cls, row: Row, projection: Projection) -> Draft:
        """The base's projection of a row."""
        spans = places(row[0].source.spans)
        around, _ = nesting([same[0][:2] for same in spans])
        number = {same[0][:2]: e for e, same in enumerate(spans)}
        targets: dict[int, dict[Place, float]] = {}
        for origin, span in zip(projection.origins, projection.spans, strict=False):
            of = targets.setdefault(number[origin[:2]], {})
            of[span[:2]] = min(span.score or 0.0, of.get(span[:2], 1.0))
        found = {e: next(iter(of.items())) for e, of in targets.items() if len(of) == 1}
        return cls(row, projection, spans, around, found, frozenset(targets.keys() - found.keys()))

    def fixed(self, below: float) -> dict[int, list[Place]]:
        """Target words of the places that are not asked about."""
        kept = {e: [place] for e, (place, score) in self.found.items() if score >= below}
        numbers = {self.spans[e][0][:2]: e for e in self.several}
        for origin, span in zip(self.projection.origins, self.projection.spans, strict=False):
            if (e := numbers.get(origin[:2])) is not None and span[:2] not in kept.get(e, ()):
                kept.setdefault(e, []).append(span[:2])
        return kept

    def open(self, below: float) -> list[int]:
        """The places that are asked about, which are known one by one."""
        if self.projection.spans and not self.projection.origins:
            return []  # it is not known which source spans they belong to
        sure = {e: score for e, (_, score) in self.found.items()}
        return [
            e
            for e in range(len(self.spans))
            if e not in self.several and sure.get(e, NOT_PROJECTED) < below
        ]

    def doubt(self, e: int, options: Sequence[Place] = ()) -> Doubt:
        """A place as one that the model is asked about."""
        same = self.spans[e]
        return Doubt(e, same[0][:2], tuple(span.label for span in same), tuple(sorted(options)))

    def fits(self, e: int, place: Place, fixed: Mapping[int, Sequence[Place]]) -> bool:
        """Check that a target place of ``e`` crosses no fixed one, but for nested spans."""
        start, end = place
        for other, taken in fixed.items():
            for a, b in taken if other != e else ():
                inside = other in self.around[e] and a <= start and end <= b
                outside = e in self.around[other] and start <= a and b <= end
                if start < b and a < end and not (inside or outside):
                    return False
        return True


def decided(
    draft: Draft, verdicts: Mapping[int, Verdict], below: float, counts: Counter[str]
) -> Projection:
    """A row with what the model picked.

    Args:
        draft: the base's projection.
        verdicts: what is made of the model's answers on places.
        below: places in which the base was less confident were asked about.
        counts: takes the number of spans that were moved, and taken away.
    """
    fixed = draft.fixed(below)
    candidates: list[Candidate] = []
    for e in range(len(draft.spans)):
        verdict, own = verdicts.get(e), draft.found.get(e)
        if e in fixed:
            candidates += [Candidate(e, *place, 2.0) for place in fixed[e]]
        elif verdict is None:
            candidates += [] if own is None else [Candidate(e, *own[0], 0.7)]
        else:
            counts[OVERRULED] += verdict.place != verdict.said
            if (place := verdict.place) is None:
                continue
            fits = draft.fits(e, place, fixed)
            if fits:
                candidates.append(Candidate(e, *place, 1 + verdict.sure))
            # in case that the pick's words are taken
            if own is not None and own[0] != place and not (fits and draft.several):
                candidates.append(Candidate(e, *own[0], 0.1 + own[1] / 2))
    n_words = [same[0].end - same[0].start for same in draft.spans]
    solver = Solver("greedy", None if draft.several else 1)
    chosen = by_layers(candidates, draft.around, partial(solver, n_words=n_words))
    for e, start, end, _ in chosen:
        picked = e in verdicts and verdicts[e].place == (start, end)
        counts[MOVED] += picked and draft.found.get(e, (None,))[0] != (start, end)
    return _projection(draft, verdicts, chosen, counts)


def _projection(
    draft: Draft,
    verdicts: Mapping[int, Verdict],
    chosen: Sequence[Candidate],
    counts: Counter[str],
) -> Projection:
    """The chosen places as spans, and the others with the reason."""
    base = draft.projection
    known = {
        (origin[:3], *span[:2]): span.score
        for origin, span in zip(base.origins, base.spans, strict=False)
    }
    spans, origins = [], []
    for e, start, end, _ in chosen:
        picked = e in verdicts and verdicts[e].place == (start, end)
        for origin in draft.spans[e]:
            score = verdicts[e].sure if picked else known.get((origin[:3], start, end))
            origins.append(origin)
            spans.append(Span(start, end, origin.label, score))
    reached = {candidate.entity for candidate in chosen}
    reasons = {span[:3]: reason for span, reason in base.dropped}
    dropped: list[tuple[Span, str]] = []
    for e, same in enumerate(draft.spans):
        if e not in reached:
            none = e in verdicts and verdicts[e].place is None
            counts[TAKEN] += none and e in draft.found
            dropped += [(span, ABSENT if none else reasons.get(span[:3], LOST)) for span in same]
    lines = tuple(_lines(draft, verdicts))
    explain = partial(_explained, draft, lines)
    return Projection(tuple(spans), tuple(dropped), tuple(origins), (), explain)


def verdict(draft: Draft, doubt: Doubt, pick: Pick, reliability: float) -> Verdict:
    """What is made of a pick, by what the base believes and how sure the model is.

    Both are taken as independent witnesses: the odds of the base's belief in a place, times the
    probability that the model gives its answer if that place is right, over that if it is not. So
    the base's own place stays where it is surer of it than the model is of another.

    Args:
        draft: the base's projection.
        doubt: what was asked about.
        pick: what was answered.
        reliability: probability that the model answers right, where the server does not tell how
            sure it was.
    """
    n = len(doubt.options) or OTHERS  # answers besides this one
    own, believed = draft.found.get(doubt.entity, (None, CORRECTLY_DROPPED))
    right = min(max(reliability if pick.certainty is None else pick.certainty, 0.02), 0.98)
    wrong = (1 - right) / n
    prior = believed if pick.place == own else (1 - believed) / n
    said, other = prior * right, (1 - prior) * wrong
    place = pick.place
    if place != own and believed * wrong > said:
        place, said, other = own, believed * wrong, said + (1 - believed - prior) * wrong
    return Verdict(pick.place, place, min(max(said / (said + other), 0.001), 0.999))


def _lines(draft: Draft, verdicts: Mapping[int, Verdict]) -> Iterator[str]:
    """What the model said of each place that it was asked about."""
    source, target = draft.row[0].source, draft.row[0].target

    def shown(place: Place | None) -> str:
        return "none" if place is None else f"[{target.text_of(*place)}]"

    for e, (said, place, sure) in sorted(verdicts.items()):
        words = source.text_of(*draft.spans[e][0][:2])
        kept = "" if place == said else f", less sure than {shown(place)}, which stays"
        yield f"  the chat model: [{words}] -> {shown(said)}{kept}, confidence {sure:.3f}"


def _explained(draft: Draft, lines: Sequence[str], of: Projection, least: float) -> Iterator[str]:
    base = draft.projection
    if base.explain is not None:
        yield from base.explain(base, least)
    yield from lines
