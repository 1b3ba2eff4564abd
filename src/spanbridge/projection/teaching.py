"""What corrected rows say of the candidates of their spans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from spanbridge.core.spans import Span
from spanbridge.projection.edges import COMPARED, Example, features_of
from spanbridge.projection.pool import Pool

# Index of a candidate: there is none, since the span is not in the target; or it is not among them.
_NONE, _ELSEWHERE = -1, -2


def examples_of(pool: Pool, group: int, min_score: float) -> list[Example]:
    """What the annotator of a row chose for each source span, as far as that is a candidate.

    Args:
        pool: candidates of the row, whose target spans are right.
        group: number of the part of the corrected rows that the row is left out with.
        min_score: least sum of scores.
    """
    found = []
    for e, n in enumerate(chosen(pool, pool.given.pair.target.spans)):
        entity, scored = pool.entities[e], pool.scored[e]
        order = np.argsort(-scored.total, kind="stable")[:COMPARED].tolist()
        if n == _ELSEWHERE or not order or (n != _NONE and n not in order):
            continue
        features = features_of(pool.given, entity, scored.intervals, order)
        right = len(order) if n == _NONE else order.index(n)
        excess = scored.total[order] - min_score
        found.append(Example(group, excess, features, entity.label, right))
    return found


def chosen(pool: Pool, spans: Iterable[Span]) -> list[int]:
    """Index of each entity's candidate that is one of the right spans, each for one entity.

    Of several spans of a label, entities get those that suit them best. -1 if none is left for an
    entity, -2 if one is left that is no candidate.
    """
    free = {span[:3] for span in spans}
    options = []
    for e, (same, scored) in enumerate(zip(pool.spans, pool.scored, strict=True)):
        labels = {span.label for span in same}
        starts, ends = scored.intervals.start, scored.intervals.end
        for place in sorted(free):
            at = np.flatnonzero((starts == place[0]) & (ends == place[1]))
            if place[2] in labels and len(at):
                options.append((-float(scored.total[at[0]]), e, place, int(at[0])))
    found: dict[int, int] = {}
    for _, e, place, n in sorted(options):
        if e not in found and place in free:
            found[e] = n
            free -= {(*place[:2], span.label) for span in pool.spans[e]}
    return [found.get(e, _left(pool.spans[e], free)) for e in range(len(pool.spans))]


def _left(same: Sequence[Span], free: Iterable[tuple[int, int, str]]) -> int:
    labels = {span.label for span in same}
    return _ELSEWHERE if any(place[2] in labels for place in free) else _NONE
