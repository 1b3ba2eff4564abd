"""Candidate matching by several scores: word alignment, translation, a tagger's opinion.

The programme of the paper (arXiv 2501.18750, section 3.3) with candidates that are n-grams or come
from a tagger, and scores that are added up with weights (the scores of the thesis behind it):

    score(s, t) = w_a alignment(s, t) + w_n ner(class of s, t) + w_t translation(s, t)

Translation scores cost a model's run each; :func:`matched` asks only for those that can change the
answer.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import Span
from spanbridge.project.candidates import Option
from spanbridge.project.projector import BELOW, LOST, NO_LINK, Projection, in_order
from spanbridge.project.solvers import exact, greedy

Place = tuple[int, int]
Floats = npt.NDArray[np.floating]
SOLVERS = {"greedy": greedy, "exact": exact}
# By which a tagger's score of a candidate grows for each further word that it sees as the same
# entity: long names are not to lose against their parts.
LENGTH_FACTOR = 1.15


@dataclass(frozen=True)
class ScoreWeights:
    """What the scores are worth.

    Attributes:
        alignment, ner, translation: at least 0, not all 0.
        least: total score, as a share of what all weights add up to, below which nothing is
            projected, in [0, 1].

    Raises:
        SpanbridgeError: a number is out of range.
    """

    alignment: float = 1.0
    ner: float = 0.0
    translation: float = 0.0
    least: float = 0.0

    def __post_init__(self) -> None:
        if min(self.alignment, self.ner, self.translation) < 0 or not self.total:
            raise SpanbridgeError(f"{self}: weights are at least 0, and not all of them 0")
        if not 0 <= self.least <= 1:
            raise SpanbridgeError(f"{self}: the least score lies in [0, 1]")

    @property
    def total(self) -> float:
        """Of all weights."""
        return self.alignment + self.ner + self.translation

    def describe(self) -> str:
        """For the signature."""
        parts = (self.alignment, self.ner, self.translation, self.least)
        return "alignment={!r},ner={!r},translation={!r},least={!r}".format(*parts)


def ngrams(n_words: int, max_words: int) -> list[Place]:
    """Every n-gram of at most so many words."""
    return [
        (start, end)
        for start in range(n_words)
        for end in range(start + 1, min(start + max_words, n_words) + 1)
    ]


def subspans(spans: Iterable[Span]) -> list[Place]:
    """Spans that a tagger has found, and every span within one of them."""
    return sorted(
        {
            (start, end)
            for span in spans
            for start in range(span.start, span.end)
            for end in range(start + 1, span.end + 1)
        }
    )


def alignment_scores(entity: Span, places: Sequence[Place], links: WordAlignment) -> Floats:
    """``2 * links / (words of both)`` (section 3.3), cut at 1; [n_places]."""
    counts = np.zeros(links.n_target + 1)
    for _, j in links.from_source(entity.start, entity.end):
        counts[j + 1] += 1
    up_to = counts.cumsum()
    ends = np.array(places, np.int64).reshape(-1, 2)
    inside = up_to[ends[:, 1]] - up_to[ends[:, 0]]
    words = entity.end - entity.start + ends[:, 1] - ends[:, 0]
    scores: Floats = np.minimum(2 * inside / words, 1.0)
    return scores


def ner_scores(
    probabilities: Floats, classes: Sequence[str], places: Sequence[Place]
) -> dict[str, Floats]:
    """What a tagger says of each place: label -> [n_places], in [0, 1].

    The mean of the probabilities of B-label for the first word and I-label for the others. Where
    these are the most probable classes of all the words, it is multiplied by ``LENGTH_FACTOR`` for
    each word but the first, and cut at 1.

    Args:
        probabilities: [n_words, n_classes].
        classes: O, then B- and I- of each label.
        places: spans of words.
    """
    ends = np.array(places, np.int64).reshape(-1, 2)
    starts, stops = ends[:, 0], ends[:, 1]
    n = stops - starts
    best = probabilities.argmax(1)
    found = {}
    for begin in range(1, len(classes), 2):
        inside = np.append(0.0, probabilities[:, begin + 1].cumsum())
        agree = np.append(0, (best == begin + 1).cumsum())
        total = probabilities[starts, begin] + inside[stops] - inside[starts + 1]
        whole = (best[starts] == begin) & (agree[stops] - agree[starts + 1] == n - 1)
        score = total / n * np.where(whole, LENGTH_FACTOR ** (n - 1.0), 1.0)
        found[classes[begin][2:]] = np.minimum(score, 1.0)
    return found


@dataclass(frozen=True)
class Matching:
    """A sentence's entities and candidates, with the scores that cost nothing.

    Attributes:
        entities: source spans in order.
        places: candidates in the target.
        cheap: weighted sum of all scores but the translation's, [n_entities, n_places].
        weights: of the scores.
        linked: whether each entity has any link.
    """

    entities: Sequence[Span]
    places: Sequence[Place]
    cheap: Floats
    weights: ScoreWeights
    linked: Sequence[bool]

    @classmethod
    def of(
        cls,
        spans: Sequence[Span],
        places: Sequence[Place],
        links: WordAlignment,
        weights: ScoreWeights,
        ner: Mapping[str, Floats] | None = None,
        per_class: bool = True,
    ) -> Matching:
        """Score all pairs of an entity and a candidate.

        Args:
            spans: of the source.
            places: candidates.
            links: between both sentences.
            weights: of the scores.
            ner: as :func:`ner_scores` gives it; None where there is no tagger.
            per_class: take the score of the entity's own label, where the tagger knows it; else the
                greatest of all labels.
        """
        entities = in_order(spans)
        cheap = np.zeros((len(entities), len(places)))
        for e, entity in enumerate(entities):
            cheap[e] = weights.alignment * alignment_scores(entity, places, links)
            if ner:
                own = ner.get(entity.label) if per_class else None
                cheap[e] += weights.ner * (np.max(list(ner.values()), 0) if own is None else own)
        linked = [bool(links.from_source(x.start, x.end)) for x in entities]
        return cls(entities, places, cheap, weights, linked)


def matched(
    matching: Matching, solver: str
) -> Generator[list[tuple[int, Place]], Sequence[float], Projection]:
    """Choose candidates, asking for the translation scores that it takes.

    Those are left unscored that cannot be chosen: a candidate that is worth less than another one
    of the same entity inside it, whatever its translation score in [0, 1] may be. Neither solver
    would take it while the inner one fits, and the inner one fits wherever it does.

    Yields:
        Pairs of an entity's number and a place, whose scores have to be sent.

    Returns:
        The projection; scores are shares of what all weights add up to.
    """
    weights, total = matching.weights, matching.cheap
    if weights.translation and len(matching.places):
        total = yield from _translated(matching)
    floor = weights.least * weights.total
    options = [
        Option(int(e), matching.places[k][0], matching.places[k][1], float(total[e, k]))
        for e, k in np.argwhere((total > 0) & (total >= floor))
    ]
    chosen = SOLVERS[solver](options)
    spans = tuple(
        Span(start, end, matching.entities[e].label, min(score / weights.total, 1.0))
        for e, start, end, score in chosen
    )
    taken = {e for e, *_ in chosen}
    dropped = tuple(
        (entity, _why(matching, e, options, total, floor))
        for e, entity in enumerate(matching.entities)
        if e not in taken
    )
    return Projection(spans, dropped, tuple(matching.entities[e] for e, *_ in chosen))


def _why(matching: Matching, e: int, options: Sequence[Option], total: Floats, floor: float) -> str:
    if any(option.entity == e for option in options):
        return LOST
    if floor and total.size and total[e].max() > 0:
        return BELOW
    return LOST if matching.linked[e] else NO_LINK


def _translated(
    matching: Matching,
) -> Generator[list[tuple[int, Place]], Sequence[float], Floats]:
    """Total scores, minus infinity where one was not worth asking for."""
    weight = matching.weights.translation
    low = matching.cheap.copy()
    high = matching.cheap + weight
    inside = _inside(matching.places)
    known = np.zeros(low.shape, bool)
    while True:
        wanted = []
        for e in range(len(matching.entities)):
            open_ = np.flatnonzero(~known[e] & ~_dominated(low[e], high[e], inside))
            # the most promising first: what they are worth may settle the others
            wanted += [(e, int(k)) for k in open_[np.argsort(-high[e, open_], kind="stable")][:4]]
        if not wanted:
            return np.where(known, low, -np.inf)
        found = yield [(e, matching.places[k]) for e, k in wanted]
        for (e, k), value in zip(wanted, found, strict=True):
            low[e, k] = high[e, k] = matching.cheap[e, k] + weight * min(max(value, 0.0), 1.0)
            known[e, k] = True


def _inside(places: Sequence[Place]) -> npt.NDArray[np.bool_]:
    """Whether place j lies within another place i, [i, j]."""
    ends = np.array(places, np.int64).reshape(-1, 2)
    within = (ends[:, None, 0] <= ends[None, :, 0]) & (ends[:, None, 1] >= ends[None, :, 1])
    np.fill_diagonal(within, False)
    return within


def _dominated(low: Floats, high: Floats, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which places are worth less than one inside them, come what may."""
    best_inside = np.where(inside, low[None, :], -np.inf).max(1, initial=-np.inf)
    worse: npt.NDArray[np.bool_] = best_inside > high
    return worse
