"""Evidence: what a row itself shows of how far a projected span can be trusted.

Each is a feature of :class:`spanbridge.projection.confidence.Calibration`: 0 at best, less where
there is reason to doubt. They look at the row only, never at its label or language.
"""

from __future__ import annotations

from math import log, log1p

from spanbridge.projection.candidates import Candidate, Intervals, soft_score
from spanbridge.projection.pool import Pool
from spanbridge.projection.score_input import ScoreInput

# Lack of a score that halves its odds: most scores lie close to the best one.
EPSILON = 0.01
# Leads above the first count as this, those below the second as that.
MAX_LEAD, MIN_LEAD = 0.5, 0.01
# More links from other words than this count as so many.
MAX_STRAY = 3
# Characters added to each length, so that short spans may differ by one or two.
SLACK = 2


def closeness(score: float) -> float:
    """Closeness of a score to the best, 1: -log(1 + lack / EPSILON), from 0 down to -4.6."""
    return -log1p(max(0.0, 1 - score) / EPSILON)


def lead(margin: float, words: int) -> float:
    """Lead over the entity's next best candidate, or over none, on a logarithmic scale, at most 0.

    Margins shrink as spans grow, since a word more or less matters less: they are multiplied by the
    root of ``words``, the length of the longer span.
    """
    return log(min(max(margin * words**0.5, MIN_LEAD), MAX_LEAD) / MAX_LEAD)


def outside(given: ScoreInput, chosen: Candidate, first: int, last: int) -> float:
    """Mass of the entity's words [first, last) on target words outside: -log(1 + mass), at most 0.

    The mass of each target word is the share of it that came from the entity (backward); small
    words weigh little.
    """
    came = given.soft.backward[first:last].sum(0)
    if (small := given.boundaries.weights) is not None:
        came = came * small
    return -log1p(max(0.0, float(came.sum() - came[chosen.start : chosen.end].sum())))


def stray(given: ScoreInput, chosen: Candidate, first: int, last: int) -> float:
    """Minus the number of links into the span from words other than the entity's, [first, last)."""
    n = sum(chosen.start <= j < chosen.end and not first <= i < last for i, j in given.links.pairs)
    return -float(min(n, MAX_STRAY))


def length(given: ScoreInput, chosen: Candidate, first: int, last: int) -> float:
    """Length of the span in characters against the entity's, at the ratio of the row: at most 0.

    Minus the absolute logarithm: 0 if it is as long as was to be expected.
    """
    pair = given.pair
    s, t = pair.source.words[first:last], pair.target.words[chosen.start : chosen.end]
    of_row = given.characters
    lengths = [SLACK + sum(map(len, words)) for words in (s, t)]
    return -abs(log(lengths[1] / lengths[0] * (SLACK + of_row[0]) / (SLACK + of_row[1])))


def capitals(given: ScoreInput, chosen: Candidate, first: int) -> float:
    """0 if both spans begin with a capital, as names do; else -1."""
    words = given.pair.source.words[first], given.pair.target.words[chosen.start]
    return 0.0 if all(word[:1].isupper() for word in words) else -1.0


def of_mass(pool: Pool, chosen: Candidate, min_score: float) -> tuple[float, ...]:
    """All evidence on a chosen candidate, where there is a soft alignment.

    Closeness of its soft score, lead, mass outside, stray links, length, capitals.
    """
    given, scored = pool.given, pool.scored[chosen.entity]
    entity = pool.entities[chosen.entity]
    first, last = entity.start, entity.end
    words = max(last - first, chosen.end - chosen.start)
    number = scored.number(chosen.start, chosen.end)
    soft = soft_score(given, entity, Intervals.of([(chosen.start, chosen.end)]))
    return (
        closeness(float(soft[0])),
        lead(scored.margin(number, min_score), words),
        outside(given, chosen, first, last),
        stray(given, chosen, first, last),
        length(given, chosen, first, last),
        capitals(given, chosen, first),
    )
