"""Two opinions on the spans of a sentence, put together."""

from __future__ import annotations

from collections.abc import Sequence

from spanbridge.core.spans import Span
from spanbridge.project.candidates import Option
from spanbridge.project.solvers import exact
from spanbridge.tag.base import Tagged, span_probability


def agree(
    projected: Sequence[Span],
    tagged: Tagged,
    classes: Sequence[str],
    weight: float,
    threshold: float,
) -> tuple[Span, ...]:
    """The disjoint spans whose averaged probabilities exceed the threshold by most in total.

    Every span that either side has is considered. One that was not projected is worth 0 there; of
    one that was, the tagger's probability is that of its classes, found or not.

    Args:
        projected: with probabilities as scores; a span without one counts as certain.
        tagged: the tagger's opinion of the same words.
        classes: the tagger's; empty where it gives no probabilities of classes.
        weight: of the projected spans, in [0, 1]; the tagger has the rest.
        threshold: in [0, 1].

    Returns:
        Spans in order, the averaged probability as score.
    """
    worth: dict[tuple[int, int, str], float] = {}
    for start, end, label, score in projected:
        worth[start, end, label] = weight * (1.0 if score is None else score)
    found = {span[:3]: 1.0 if span.score is None else span.score for span in tagged.spans}
    for place in {**worth, **found}:
        said = found.get(place)
        if said is None:
            said = 0.0
            if tagged.probabilities is not None and f"B-{place[2]}" in classes:
                said = span_probability(tagged.probabilities, classes, *place)
        worth[place] = worth.get(place, 0.0) + (1 - weight) * said
    places = sorted(worth)
    options = [
        Option(n, *place[:2], worth[place] - threshold)
        for n, place in enumerate(places)
        if worth[place] > threshold
    ]
    return tuple(Span(*places[n], min(worth[places[n]], 1.0)) for n, *_ in exact(options))
