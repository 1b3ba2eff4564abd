"""Why a span was projected where it was: the parts of its score, and what came next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from spanbridge.core.evidence import Evidence
from spanbridge.core.spans import SentencePair
from spanbridge.project.projector import in_order
from spanbridge.project.soft import Scored, SoftProjector, solve
from spanbridge.project.weights import Weights

RUNNERS_UP = 3


def explain(
    method: SoftProjector, pair: SentencePair, evidence: Evidence, min_confidence: float = 0.0
) -> Iterator[str]:
    """Lines for a person: each source span, the chosen candidate and the best of the others.

    Each candidate has its score, then each part as value * weight.
    """
    weights = method.weights()
    entities = in_order(pair.source.spans)
    projection = method.project(pair, evidence)
    chosen, scored = solve(method.view(pair, evidence), entities, weights, method.solver)
    taken = {
        option.entity: (scored[option.entity].place(option.start, option.end), span.score)
        for option, span in zip(chosen, projection.spans, strict=True)
    }
    for e, entity in enumerate(entities):
        words = " ".join(pair.source.words[entity.start : entity.end])
        yield f"row {pair.id}, {entity.label} [{words}], threshold {weights.threshold:g}"
        place, confidence = taken.get(e, (None, None))
        if place is None:
            yield f"  not projected: {scored[e].why_not(weights.threshold)}"
        else:
            if confidence is not None and confidence < min_confidence:
                yield f"  left out: confidence {confidence:.3f} is below {min_confidence:g}"
            yield _line("->", scored[e], place, weights, pair.target.words, confidence)
        order = [int(k) for k in np.argsort(-scored[e].total, kind="stable") if k != place]
        for k in order[:RUNNERS_UP]:
            yield _line("  ", scored[e], k, weights, pair.target.words, None)


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
