"""Why a span was projected where it was: the parts of its score, and what came next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from spanbridge.core.spans import SentencePair
from spanbridge.project.soft import Decision, Scored
from spanbridge.project.weights import Weights

RUNNERS_UP = 3


def explain(pair: SentencePair, decision: Decision, min_confidence: float = 0.0) -> Iterator[str]:
    """Lines for a person: each source span, the chosen candidate and the best of the others.

    Each candidate has its score, then each part as value * weight.

    Args:
        pair: the one that was decided on.
        decision: of :meth:`~spanbridge.project.soft.SoftProjector.decide`.
        min_confidence: spans less probable than this are marked as left out.
    """
    weights, target = decision.weights, pair.target.words
    sure = dict(zip(decision.chosen, (s.score for s in decision.projection.spans), strict=True))
    for e, (entity, scored) in enumerate(zip(decision.entities, decision.scored, strict=True)):
        words = " ".join(pair.source.words[entity.start : entity.end])
        yield f"row {pair.id}, {entity.label} [{words}], threshold {weights.threshold:g}"
        place, confidence = decision.chosen.get(e), sure.get(e)
        if place is None:
            yield f"  not projected: {scored.why_not(weights.threshold)}"
        else:
            if confidence is not None and confidence < min_confidence:
                yield f"  left out: confidence {confidence:.3f} is below {min_confidence:g}"
            yield _line("->", scored, place, weights, target, confidence)
        order = [int(k) for k in np.argsort(-scored.total, kind="stable") if k != place]
        for k in order[:RUNNERS_UP]:
            yield _line("  ", scored, k, weights, target, None)


def _line(
    mark: str,
    scored: Scored,
    at: int,
    weights: Weights,
    words: Sequence[str],
    confidence: float | None,
) -> str:
    start, end = int(scored.candidates.start[at]), int(scored.candidates.end[at])
    parts = ", ".join(
        f"{name} {scored.parts[name][at]:.2f}*{weight:g}" for name, weight in weights.parts.items()
    )
    sure = "" if confidence is None else f", confidence {confidence:.3f}"
    text = " ".join(words[start:end])
    return f"  {mark} [{text}] {start}-{end} score {scored.total[at]:.3f}{sure} = {parts}"
