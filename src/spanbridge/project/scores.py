"""The parts that a candidate's score is made of.

Each part is a small class with a name, its range and its source. ``weights.py`` says what each is
worth; a candidate's score is the weighted sum. An entity E is a range of source words, a candidate
C one of target words. P[i, j] is the forward mass of evidence (where source word i went), Q[i, j]
the backward mass (where target word j came from); see :class:`spanbridge.core.evidence.Evidence`.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from spanbridge.core.spans import Span
from spanbridge.project.view import Candidates, Vector, View, cumulate


class Score(Protocol):
    """One part: a value for every candidate of an entity."""

    name: str
    low: float
    high: float
    needs: str  # "" nothing but evidence, "corpus" statistics, or the name of a tagger

    def of(self, view: View, entity: Span, candidates: Candidates) -> Vector:
        """[n_candidates], each in [low, high]."""
        ...


def _f(recall: Vector, precision: Vector) -> Vector:
    harmonic: Vector = 2 * recall * precision / np.maximum(recall + precision, 1e-12)
    return harmonic


class SoftAlignment:
    """F = 2 r p / (r + p); r = mean over E of P's mass inside C, p = mean over C of Q's inside E.

    The soft form of the paper's alignment score (arXiv 2501.18750, section 3.3): with hard
    one-to-one links it is 2 * links / (words of E + words of C).
    """

    name, low, high, needs = "soft", 0.0, 1.0, ""

    def of(self, view: View, entity: Span, candidates: Candidates) -> Vector:
        """F of every candidate."""
        inside = slice(entity.start, entity.end)
        recall = candidates.sums(cumulate(view.evidence.forward[inside].mean(0)))
        came = candidates.sums(cumulate(view.evidence.backward[inside].sum(0)))
        return _f(recall, came / (candidates.end - candidates.start))


class RareWords:
    """The same F, its means weighted by inverse document frequency, so that names count most."""

    name, low, high, needs = "rare_words", 0.0, 1.0, "corpus"

    def of(self, view: View, entity: Span, candidates: Candidates) -> Vector:
        """Weighted F of every candidate."""
        inside = slice(entity.start, entity.end)
        weights = view.rarity("source")[inside] / view.rarity("source")[inside].sum()
        recall = candidates.sums(cumulate(weights @ view.evidence.forward[inside]))
        rarity = view.rarity("target")
        came = candidates.sums(cumulate(rarity * view.evidence.backward[inside].sum(0)))
        return _f(recall, came / candidates.sums(cumulate(rarity)))


class Recall:
    """r of :class:`SoftAlignment` alone: what of the entity arrived in the candidate."""

    name, low, high, needs = "recall", 0.0, 1.0, ""

    def of(self, view: View, entity: Span, candidates: Candidates) -> Vector:
        """r of every candidate."""
        mass = view.evidence.forward[entity.start : entity.end].mean(0)
        return candidates.sums(cumulate(mass))


class CommonBoundary:
    """How much commoner the candidate's boundary words are than the entity's, in the corpus.

    max(0, max(df of first, df of last word of C) - max(df of first, df of last word of E)), df
    being the share of sentences with the word. Catches articles and prepositions taken in.
    """

    name, low, high, needs = "common_boundary", 0.0, 1.0, "corpus"

    def of(self, view: View, entity: Span, candidates: Candidates) -> Vector:
        """Excess frequency of every candidate."""
        source, target = view.frequency("source"), view.frequency("target")
        own = max(source[entity.start], source[entity.end - 1])
        theirs = np.maximum(target[candidates.start], target[candidates.end - 1])
        excess: Vector = np.maximum(theirs - own, 0.0)
        return excess


class BoundaryPolicy:
    """How often the words at the candidate's boundaries start or end spans, against stand outside.

    tanh(log(n / n') / 2) = (n - n') / (n + n'), n and n' being 1 + the number of projected spans in
    the corpus that the word begins (ends), and that it stands just before (after). ``inside`` sums
    it over the first and the last word of C; ``outside`` takes it, negated, of the two words around
    C. What the pair itself contributed is left out.
    """

    low, high, needs = -2.0, 2.0, "corpus"

    def __init__(self, where: str) -> None:
        self.where = where
        self.name = f"policy_{where}"

    def of(self, view: View, entity: Span, candidates: Candidates) -> Vector:
        """Sum of both boundaries of every candidate."""
        policy = view.policy
        if self.where == "inside":
            total: Vector = policy["start"][candidates.start] + policy["end"][candidates.end - 1]
        else:  # index -1 is the edge of the sentence
            total = -policy["start"][candidates.start - 1] - policy["end"][candidates.end]
        return total


class TaggerScore:
    """What a tagger of the target language, trained on projections, makes of the candidate.

    ``inside``: mean log-probability of its words to be in a span of the entity's label;
    ``outside``: sum of the log-probabilities that the words around it are not of the same span;
    ``borders``: log p(B) of the first and log p(E) of the last word. Probabilities below exp(-4)
    count as that. 0 where the tagger does not know the label, or has nothing to go by (a pair with
    given links has no states).
    """

    def __init__(self, tagger: str, aspect: str) -> None:
        self.needs = tagger
        self.aspect = aspect
        self.name = f"{tagger}_{aspect}"
        self.low, self.high = (-4.0 if aspect == "inside" else -8.0), 0.0

    def of(self, view: View, entity: Span, candidates: Candidates) -> Vector:
        """Log-probabilities of every candidate."""
        tags = view.tags.get(self.needs)
        if tags is None:
            return np.zeros(len(candidates.start))
        if self.aspect == "outside":
            around: Vector = tags.closes[candidates.start - 1] + tags.opens[candidates.end]
            return around
        if not tags.knows(entity.label):
            return np.zeros(len(candidates.start))
        if self.aspect == "borders":
            return tags.borders(entity.label, candidates)
        return candidates.sums(tags.inside(entity.label)) / (candidates.end - candidates.start)


class Spelling:
    """Similarity of the two spans as strings, transliterated: 1 - edits / total length (Indel).

    For names that are copied or respelt; words that are translated have about .3.
    """

    name, low, high, needs = "spelling", 0.0, 1.0, ""

    def of(self, view: View, entity: Span, candidates: Candidates) -> Vector:
        """Similarity of every candidate."""
        from anyascii import anyascii
        from rapidfuzz.distance import Indel

        words = [anyascii(word).lower() for word in view.pair.target.words]
        whole = anyascii(" ".join(view.pair.source.words[entity.start : entity.end])).lower()
        spans = zip(candidates.start.tolist(), candidates.end.tolist(), strict=True)
        return np.array(
            [Indel.normalized_similarity(whole, " ".join(words[a:b])) for a, b in spans]
        )


TAGGERS = ("states", "words")
_ALL: list[Score] = [
    SoftAlignment(),
    RareWords(),
    Recall(),
    CommonBoundary(),
    BoundaryPolicy("inside"),
    BoundaryPolicy("outside"),
    *(TaggerScore(t, aspect) for t in TAGGERS for aspect in ("inside", "outside", "borders")),
    Spelling(),
]
PARTS = {part.name: part for part in _ALL}
