"""The scores of candidates.

Each score is a small class with a name, its range and its source; ``weights.py`` holds the weights,
and a candidate's score is the weighted sum. An entity E is a range of source words, a candidate C
one of target words. P[i, j] is the forward mass of the soft alignment (share of source word i that
went to target word j), Q[i, j] the backward mass (share of j that came from i); see
:class:`spanbridge.core.soft_alignment.SoftAlignment`.

Other packages add a score by an entry point in the group ``spanbridge.score``; any method then
takes it by a weight (``--weight NAME=VALUE``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from spanbridge.core import registry
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.plugins import told
from spanbridge.core.requirements import Part
from spanbridge.core.scripts import plain_spelling
from spanbridge.core.similar import not_named
from spanbridge.core.spans import Span
from spanbridge.projection.candidates import Intervals, Vector, cumulate, harmonic, soft_score
from spanbridge.projection.score_input import ScoreInput

# Factor of a tagger's score for each further word of the same entity, so that long names do not
# lose to their parts.
LENGTH_FACTOR = 1.15
# One query of an expensive score: the pair, an entity, and a candidate's words [start, end).
Question = tuple[ScoreInput, Span, tuple[int, int]]


class Score(Part, ABC):
    """One score: a value for every candidate of an entity.

    Attributes:
        name: name in weights.
        low, high: range of its values.
        needs: ``corpus`` (statistics of the bitext), ``states`` or ``words`` (a tagger learned from
            the first pass), ``tagger`` (a tagger of the target), ``scorer`` (a translator that
            scores), or empty.
        expensive: True if :meth:`ask` computes its values, for many candidates at once, and only
            for those that can still change the choice.
    """

    name: str
    low: float
    high: float
    needs: str = ""
    expensive: ClassVar[bool] = False

    @abstractmethod
    def of(self, given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
        """Values of all candidates of an entity, [n_candidates], each in [low, high]."""

    def ask(self, questions: Sequence[Question]) -> Sequence[float]:
        """Values of single candidates of any sentences, if the score is expensive."""
        raise NotImplementedError(f"{self.name} is not an expensive score")

    def forget(self) -> None:
        """Clear the cache of earlier queries; called after each batch of rows."""


class ExpensiveScore(Score):
    """A score that runs a model for each candidate, such as a translator's."""

    expensive = True

    def of(self, given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
        """Values of all candidates of an entity, [n_candidates]."""
        both = zip(intervals.start.tolist(), intervals.end.tolist(), strict=True)
        return np.array(self.ask([(given, entity, interval) for interval in both]), np.float64)

    @abstractmethod
    def ask(self, questions: Sequence[Question]) -> Sequence[float]:
        """Values of single candidates, each in [low, high]."""


class AlignmentScore(Score):
    """Share of linked words: ``2 * links / (words of E + words of C)``.

    The paper's alignment score (arXiv 2501.18750, section 3.3); above 1 only where a word has
    several links.

    Args:
        capped: values above 1 count as 1.
    """

    name, low, high = "alignment", 0.0, 1.0

    def __init__(self, capped: bool = False) -> None:
        self.capped = capped

    def of(self, given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
        """Share of linked words of every candidate."""
        counts = np.zeros(len(given.pair.target.words))
        for _, j in given.links.from_source(entity.start, entity.end):
            counts[j] += 1
        words = entity.end - entity.start + intervals.end - intervals.start
        scores: Vector = 2 * intervals.sums(cumulate(counts)) / words
        return np.minimum(scores, 1.0) if self.capped else scores


class Brevity(Score):
    """Brevity of the entity, ``1 / words of E``: of two that claim a word, the shorter keeps it."""

    name, low, high = "brevity", 0.0, 1.0

    def of(self, given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
        """Brevity, the same for every candidate."""
        return np.full(len(intervals), 1 / (entity.end - entity.start))


class NerScore(Score):
    """Fit of a candidate's classes to the entity's label, by a tagger of the target.

    The mean of the probabilities of B-label for the first word and I-label for the others. If these
    are the most probable classes of all the words, it is multiplied by ``LENGTH_FACTOR`` for each
    word but the first, and cut at 1.

    Args:
        per_class: use the score of the entity's own label, if the tagger knows it; else the
            greatest of all labels.
    """

    name, low, high, needs = "ner", 0.0, 1.0, "tagger"

    def __init__(self, per_class: bool = True) -> None:
        self.per_class = per_class

    def of(self, given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
        """Mean probability of every candidate."""
        assert given.opinion is not None  # checked before any work
        p, classes = given.opinion.probabilities, given.classes
        begins = range(1, len(classes), 2)
        own = [begin for begin in begins if classes[begin][2:] == entity.label]
        wanted = own if own and self.per_class else begins
        best = p.argmax(1)
        greatest: Vector = np.max([_ner_score(p, best, begin, intervals) for begin in wanted], 0)
        return greatest


def _ner_score(p: Vector, best: Vector, begin: int, intervals: Intervals) -> Vector:
    """Score of one label; ``begin`` is the index of its B- class, which its I- class follows."""
    starts, stops = intervals.start, intervals.end
    n = stops - starts
    inside = np.append(0.0, p[:, begin + 1].cumsum())
    agree = np.append(0, (best == begin + 1).cumsum())
    total = p[starts, begin] + inside[stops] - inside[starts + 1]
    whole = (best[starts] == begin) & (agree[stops] - agree[starts + 1] == n - 1)
    score: Vector = np.minimum(total / n * np.where(whole, LENGTH_FACTOR ** (n - 1.0), 1.0), 1.0)
    return score


@runtime_checkable
class PhraseScorer(Protocol):
    """Model of how well two phrases translate each other.

    :class:`spanbridge.translation.scoring.TranslationScorer` is one.
    """

    def describe(self) -> str:
        """Name and everything that scores depend on."""
        ...

    def score(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        """Values in [0, 1] for pairs of a source and a target phrase."""
        ...

    def forget(self) -> None:
        """Clear the cache of phrases, to bound memory."""
        ...


class TranslationScore(ExpensiveScore):
    """Degree to which candidate and entity translate each other, by a translator (NMTScore)."""

    name, low, high, needs = "translation", 0.0, 1.0, "scorer"

    def __init__(self, scorer: PhraseScorer) -> None:
        self.scorer = scorer

    def ask(self, questions: Sequence[Question]) -> Sequence[float]:
        """Translation scores of single candidates."""
        return self.scorer.score(
            [
                (given.pair.source.text_of(e.start, e.end), given.pair.target.text_of(*interval))
                for given, e, interval in questions
            ]
        )

    def forget(self) -> None:
        """Clear the cache of phrases."""
        self.scorer.forget()


class SoftScore(Score):
    """Soft form of the alignment score: F of the mass between entity and candidate.

    F = 2 r p / (r + p); r = mean over E of P's mass inside C, p = mean over C of Q's mass inside E.
    For hard one-to-one links it is 2 * links / (words of E + words of C).
    """

    name, low, high = "soft", 0.0, 1.0

    def of(self, given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
        """F of every candidate."""
        return soft_score(given, entity, intervals) if intervals.soft is None else intervals.soft


class RareWords(Score):
    """Soft score whose means are weighted by inverse document frequency: names count most."""

    name, low, high, needs = "rare_words", 0.0, 1.0, "corpus"

    def of(self, given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
        """Weighted F of every candidate."""
        own = given.rarity("source")[entity.start : entity.end]
        recall = intervals.sums(cumulate(given.arrived(entity, own / own.sum())))
        return harmonic(recall, given.share_of_rare(entity, intervals))


class Recall(Score):
    """Part of the entity's mass that arrived in the candidate: r of the soft score alone."""

    name, low, high = "recall", 0.0, 1.0

    def of(self, given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
        """r of every candidate."""
        return given.arrived_in(entity, intervals)


class CommonBoundary(Score):
    """Excess frequency of the candidate's boundary words over the entity's, in the corpus.

    max(0, max(df of first, df of last word of C) - max(df of first, df of last word of E)), where
    df is the share of sentences with the word. Detects articles and prepositions included by
    mistake.
    """

    name, low, high, needs = "common_boundary", 0.0, 1.0, "corpus"

    def of(self, given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
        """Excess frequency of every candidate."""
        source, target = given.frequency("source"), given.frequency("target")
        own = max(source[entity.start], source[entity.end - 1])
        theirs = np.maximum(target[intervals.start], target[intervals.end - 1])
        excess: Vector = np.maximum(theirs - own, 0.0)
        return excess


class BadBoundary(Score):
    """Number of flaws of the candidate's boundaries, whatever the alignment says.

    One for each end inside a word of a dictionary (scripts without spaces); for each that is a
    small word or a mark, and for brackets that do not match, unless the entity has the like (less
    if it has over four words, nothing from eight on); for 省 left out. Ten against a convention.
    """

    name, low, high = "bad_boundary", 0.0, 100.0

    def of(self, given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
        """Number of flaws of every candidate."""
        return given.boundaries.flaws(entity, intervals)


class BoundaryPolicy(Score):
    """Tendency of the words at the candidate's boundaries to start and end spans in the corpus.

    tanh(log(n / n') / 2) = (n - n') / (n + n'), where n and n' are 1 + the number of projected
    spans in the corpus that the word begins (ends), and that it directly precedes (follows).
    ``inside`` sums it over the first and the last word of C; ``outside`` sums it, negated, over the
    two words around C. The pair's own contribution is left out.
    """

    low, high, needs = -2.0, 2.0, "corpus"

    def __init__(self, where: str) -> None:
        self.where = where
        self.name = f"policy_{where}"

    def of(self, given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
        """Sum of both boundaries of every candidate."""
        policy = given.boundary_policy
        if self.where == "inside":
            total: Vector = policy["start"][intervals.start] + policy["end"][intervals.end - 1]
        else:  # index -1 is the edge of the sentence
            total = -policy["start"][intervals.start - 1] - policy["end"][intervals.end]
        return total


class TaggerScore(Score):
    """Fit of the candidate to a tagger of the target that was trained on projections.

    ``inside``: mean log-probability that its words are in a span of the entity's label;
    ``outside``: sum of the log-probabilities that the words around it are not of the same span;
    ``borders``: log p(B) of the first and log p(E) of the last word. Probabilities below exp(-4)
    are raised to that. 0 if the tagger does not know the label or has no input (a pair with given
    links has no states), and for an entity inside another, since the taggers learn outer ones.
    """

    def __init__(self, tagger: str, aspect: str) -> None:
        self.needs = tagger
        self.aspect = aspect
        self.name = f"{tagger}_{aspect}"
        self.low, self.high = (-4.0 if aspect == "inside" else -8.0), 0.0

    def of(self, given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
        """Log-probabilities of every candidate."""
        tags = given.tags.get(self.needs)
        if tags is None or entity[:2] in given.inner:
            return np.zeros(len(intervals.start))
        if self.aspect == "outside":
            around: Vector = tags.closes[intervals.start - 1] + tags.opens[intervals.end]
            return around
        if not tags.knows(entity.label):
            return np.zeros(len(intervals.start))
        if self.aspect == "borders":
            return tags.borders(entity.label, intervals)
        return intervals.sums(tags.inside(entity.label)) / (intervals.end - intervals.start)


class Spelling(Score):
    """Similarity of the two spans as strings, transliterated: 1 - edits / total length (Indel).

    For names that are copied or respelt; translated words have about .3.
    """

    name, low, high = "spelling", 0.0, 1.0

    def of(self, given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
        """Similarity of every candidate."""
        from rapidfuzz.distance import Indel

        words = given.spellings
        whole = " ".join(map(plain_spelling, given.pair.source.words[entity.start : entity.end]))
        spans = zip(intervals.start.tolist(), intervals.end.tolist(), strict=True)
        return np.array(
            [Indel.normalized_similarity(whole, " ".join(words[a:b])) for a, b in spans]
        )


TAGGERS = ("states", "words")
_CHEAP: list[Score] = [
    AlignmentScore(),
    Brevity(),
    SoftScore(),
    RareWords(),
    Recall(),
    CommonBoundary(),
    BadBoundary(),
    BoundaryPolicy("inside"),
    BoundaryPolicy("outside"),
    *(TaggerScore(t, aspect) for t in TAGGERS for aspect in ("inside", "outside", "borders")),
    Spelling(),
    NerScore(),
]
SCORES = {score.name: score for score in _CHEAP}


def find_score(name: str, scorer: PhraseScorer | None = None) -> Score:
    """The score of a name, from this package or a plug-in.

    Args:
        name: name in weights.
        scorer: scorer for the score ``translation``.

    Raises:
        SpanbridgeError: no score has that name, or it needs a scorer and there is none.
    """
    if name == TranslationScore.name:
        if scorer is None:
            raise SpanbridgeError(
                "the score 'translation' needs a translator of many languages that scores; name "
                "one (translator, --translator-model)"
            )
        return TranslationScore(scorer)
    if name in SCORES:
        return SCORES[name]
    plugins = registry.names("score")
    if name not in plugins:
        known = [*SCORES, TranslationScore.name, *plugins]
        raise SpanbridgeError(not_named("score", name, known))
    found: Score = registry.build("score", name, {})
    if found.name != name:
        raise SpanbridgeError(
            f"{told('score', name, found)} calls itself {found.name!r}; name it alike"
        )
    return found
