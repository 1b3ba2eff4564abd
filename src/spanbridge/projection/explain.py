"""Explanations: why a span was projected to its place, and the next best candidates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Span
from spanbridge.projection.candidates import Candidate
from spanbridge.projection.method import Projection
from spanbridge.projection.weights import Weights

if TYPE_CHECKING:
    from spanbridge.projection.pool import Scored

RUNNERS_UP = 3


def explain(
    pair: SentencePair,
    spans: Sequence[Sequence[Span]],
    scored: Sequence[Scored],
    weights: Weights,
    chosen: Sequence[Candidate],
    reasons: Mapping[int, str],
    projection: Projection,
    min_confidence: float,
) -> Iterator[str]:
    """Lines of text: each source span, its chosen candidates and the best of the others.

    Each candidate is shown with its score, then each part as value * weight.

    Args:
        pair, spans: the sentence pair, and its source spans in order, those of a place together.
        scored: the scores of each entity's candidates.
        weights: the weights in use.
        chosen: the candidates that were chosen.
        reasons: for each entity without a chosen candidate, the reason.
        projection: projection made of ``chosen``, with confidences.
        min_confidence: spans with a lower confidence are shown as left out.
    """
    sure = {
        (origin[:2], s.start, s.end): s.score
        for origin, s in zip(projection.origins, projection.spans, strict=True)
    }
    for e, (same, found) in enumerate(zip(spans, scored, strict=True)):
        place = same[0][:2]
        words, labels = pair.source.words[slice(*place)], [span.label for span in same]
        yield (
            f"row {pair.id}, {', '.join(labels)} [{' '.join(words)}], "
            f"min_score {weights.min_score:g}"
        )
        taken = []
        if e in reasons:
            yield f"  not projected: {reasons[e]}"
        for _, start, end, _ in (c for c in chosen if c.entity == e):
            number, confidence = found.number(start, end), sure.get((place, start, end))
            taken.append(number)
            if confidence is not None and confidence < min_confidence:
                yield f"  left out: confidence {confidence:.3f} is below {min_confidence:g}"
            yield _line("->", found, number, weights, pair.target.words, confidence)
        order = [int(k) for k in np.argsort(-found.total, kind="stable") if k not in taken]
        for number in order[:RUNNERS_UP]:
            yield _line("  ", found, number, weights, pair.target.words, None)


def _line(
    mark: str,
    scored: Scored,
    number: int,
    weights: Weights,
    words: Sequence[str],
    confidence: float | None,
) -> str:
    start, end = int(scored.intervals.start[number]), int(scored.intervals.end[number])
    parts = ", ".join(
        f"{name} {_value(scored.parts[name][number])}*{weight:g}"
        for name, weight in weights.parts.items()
    )
    sure = "" if confidence is None else f", confidence {confidence:.3f}"
    text = " ".join(words[start:end])
    total = _value(scored.total[number], 3)
    return f"  {mark} [{text}] {start}-{end} score {total}{sure} = {parts}"


def _value(value: float, decimals: int = 2) -> str:
    return f"{value:.{decimals}f}" if np.isfinite(value) else "not asked for"
