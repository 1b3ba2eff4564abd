"""The input of scores: one sentence pair with its alignment and other information."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.scripts import plain_spelling
from spanbridge.core.soft_alignment import SoftAlignment, too_long
from spanbridge.core.spans import Span, nesting
from spanbridge.projection.boundaries import Boundaries, Conventions
from spanbridge.projection.candidates import Intervals, Vector, cumulate
from spanbridge.projection.corpus_statistics import EDGE, POSITIONS, CorpusStatistics

# Least score of a hard link that is cut out of a soft alignment.
LINK_SCORE = 0.45


_NOTHING: dict[str, Any] = {}


class Opinion(Protocol):
    """A tagger's result for one sentence: disjoint spans, and class probabilities."""

    @property
    def spans(self) -> tuple[Span, ...]:
        """The spans, in order."""
        ...

    @property
    def probabilities(self) -> Any:
        """[n_words, n_classes]; None if the tagger gives none."""
        ...


@runtime_checkable
class TargetTagger(Protocol):
    """A tagger of target sentences, such as :class:`spanbridge.tagging.base.Tagger`."""

    classes: tuple[str, ...]
    gives_probabilities: bool

    def describe(self) -> str:
        """Name and every setting that the tags depend on."""
        ...

    def tag(self, sentences: Sequence[Sequence[str]]) -> Sequence[Opinion]:
        """Opinions on tokenised sentences, in their order."""
        ...


class ScoreInput:
    """Input of the scores for one sentence pair.

    Attributes:
        pair: the sentences.
        corpus: statistics of the bitext; None if sentences are projected one by one.
        tags: each learned tagger's probabilities for the target's words.
        own: boundary words that this pair contributed to the statistics, to be left out.
        opinion: result of a tagger of the target; None if none is used.
        classes: classes of that tagger.
        conventions: what is known of boundaries in the target's language.
    """

    def __init__(
        self,
        pair: SentencePair,
        alignment: WordAlignment | SoftAlignment,
        corpus: CorpusStatistics | None = None,
        tags: Mapping[str, TagProbabilities] | None = None,
        own: Mapping[str, Counter[str]] | None = None,
    ) -> None:
        self.pair = pair
        self._alignment = alignment
        self.corpus = corpus
        self.tags = _NOTHING if tags is None else tags
        self.own: Mapping[str, Counter[str]] = _NOTHING if own is None else own
        self.opinion: Opinion | None = None
        self.classes: Sequence[str] = ()
        self.conventions = Conventions()
        self._arrived: dict[tuple[int, int], Vector] = {}
        self._came: dict[tuple[int, int], Vector] = {}

    @cached_property
    def links(self) -> WordAlignment:
        """The hard links given, or those cut out of the soft alignment."""
        given = self._alignment
        return given.links(LINK_SCORE) if isinstance(given, SoftAlignment) else given

    @cached_property
    def soft(self) -> SoftAlignment:
        """The soft alignment given, or the links with each word's mass shared among them.

        Raises RowError if the links are of too many words for that.
        """
        given = self._alignment
        if isinstance(given, SoftAlignment):
            return given
        if (reason := too_long(given.n_source, given.n_target)) is not None:
            raise reason
        return SoftAlignment.from_links(given)

    @cached_property
    def characters(self) -> tuple[int, int]:
        """Number of characters of the source's words, and of the target's."""
        source, target = (sum(map(len, one.words)) for one in (self.pair.source, self.pair.target))
        return source, target

    @cached_property
    def boundaries(self) -> Boundaries:
        """The boundaries of names in the target."""
        pair = self.pair
        return Boundaries(pair.target.words, pair.source.words, self.conventions)

    def arrived(self, entity: Span, weights: Vector | None = None) -> Vector:
        """Mass of an entity on each target word, [n_target]: little of it on small words.

        What small words lose goes to the others, in proportion.

        Args:
            entity: the source span.
            weights: of its words, summing up to 1; None for a plain mean.
        """
        inside = self.soft.forward[entity.start : entity.end]
        mass: Vector = inside.mean(0) if weights is None else weights @ inside
        if (small := self.boundaries.weights) is None:
            return mass
        weighted: Vector = mass * small
        weighted *= mass.sum() / max(weighted.sum(), 1e-12)
        return weighted

    def arrived_in(self, entity: Span, intervals: Intervals) -> Vector:
        """Mass of an entity in each candidate, by a plain mean of its words."""
        place = entity.start, entity.end
        if place not in self._arrived:
            self._arrived[place] = cumulate(self.arrived(entity))
        return intervals.sums(self._arrived[place])

    def share_from(self, entity: Span, intervals: Intervals) -> Vector:
        """Share of each candidate's words that came from an entity, the mean of Q.

        Small words weigh less.
        """
        place, small = (entity.start, entity.end), self.boundaries.weights
        if place not in self._came:
            came = self._came_from(entity)
            self._came[place] = cumulate(came if small is None else small * came)
        of_words = intervals.end - intervals.start if small is None else intervals.sums(self._small)
        return intervals.sums(self._came[place]) / of_words

    def share_of_rare(self, entity: Span, intervals: Intervals) -> Vector:
        """The same with the target's words weighted by their rarity, too."""
        rarity, small = self.rarity("target"), self.boundaries.weights
        whole = rarity if small is None else rarity * small
        sums = cumulate(whole * self._came_from(entity)), cumulate(whole)
        return intervals.sums(sums[0]) / intervals.sums(sums[1])

    def _came_from(self, entity: Span) -> Vector:
        came: Vector = self.soft.backward[entity.start : entity.end].sum(0)
        return came

    @cached_property
    def _small(self) -> Vector:
        assert self.boundaries.weights is not None
        return cumulate(self.boundaries.weights)

    @cached_property
    def spellings(self) -> list[str]:
        """The target's words in small Latin letters."""
        return [plain_spelling(word) for word in self.pair.target.words]

    @cached_property
    def tagged_intervals(self) -> Intervals:
        """The spans that the tagger found, and every interval within one of them."""
        found = () if self.opinion is None else self.opinion.spans
        return Intervals.of(
            sorted(
                {
                    (start, end)
                    for span in found
                    for start in range(span.start, span.end)
                    for end in range(start + 1, span.end + 1)
                }
            )
        )

    @cached_property
    def inner(self) -> set[tuple[int, int]]:
        """Places of source spans that lie inside another, of which flat taggers know nothing."""
        places = sorted({span[:2] for span in self.pair.source.spans})
        return {place for place, outer in zip(places, nesting(places)[0], strict=True) if outer}

    def frequency(self, side: str) -> Vector:
        """Share of the pairs that contain each word, in (0, 1]."""
        return self._frequencies[side]

    def rarity(self, side: str) -> Vector:
        """Inverse document frequency of each word, log(1 + 1 / frequency): at least log 2."""
        return self._rarities[side]

    @cached_property
    def _frequencies(self) -> dict[str, Vector]:
        assert self.corpus is not None
        n = max(self.corpus.n_pairs, 1)
        return {
            side: np.array([max(counts.get(word.lower(), 1), 1) for word in sentence.words]) / n
            for side, counts, sentence in (
                ("source", self.corpus.source, self.pair.source),
                ("target", self.corpus.target, self.pair.target),
            )
        }

    @cached_property
    def _rarities(self) -> dict[str, Vector]:
        return {side: np.log1p(1 / value) for side, value in self._frequencies.items()}

    @cached_property
    def boundary_policy(self) -> dict[str, Vector]:
        """Tendency of each word to start and to end spans, in (-1, 1); see ``BoundaryPolicy``."""
        assert self.corpus is not None
        words = [*(word.lower() for word in self.pair.target.words), EDGE]
        counts = {}
        for at in POSITIONS:
            # by get(): a Counter takes several times as long for what it lacks
            of_corpus, own = self.corpus.boundaries[at].get, self.own.get(at, Counter[str]()).get
            counts[at] = np.array([1.0 + of_corpus(word, 0) - own(word, 0) for word in words])
        starts = np.tanh(0.5 * np.log(counts["first"] / counts["before"]))
        ends = np.tanh(0.5 * np.log(counts["last"] / counts["after"]))
        return {"start": starts, "end": ends}


class TagProbabilities:
    """Probabilities of one learned tagger for one sentence, prepared for spans of any label.

    Args:
        probabilities: [n_words, 1 + 4 * labels]: O, then B, I, E, S of each label.
        labels: labels in the order of the columns.
    """

    FLOOR = -4.0  # least log-probability, so that one word cannot outweigh everything

    def __init__(self, probabilities: npt.NDArray[np.floating], labels: Sequence[str]) -> None:
        self._p = probabilities
        self._columns = {label: 1 + 4 * n for n, label in enumerate(labels)}
        outside = self._p[:, 0]
        begins, ends, singles = (self._p[:, k::4].sum(1) for k in (1, 3, 4))
        # log-probability that a span may start after a word, or end before it
        self.closes = np.append(self._log(outside + ends + singles), 0.0)
        self.opens = np.append(self._log(outside + begins + singles), 0.0)
        self._inside: dict[str, Vector] = {}

    def _log(self, p: npt.NDArray[np.floating]) -> Vector:
        logs: Vector = np.log(np.maximum(p, np.exp(self.FLOOR))).astype(np.float64)
        return logs

    def knows(self, label: str) -> bool:
        """Check if the label was seen in training."""
        return label in self._columns

    def inside(self, label: str) -> Vector:
        """Cumulative log-probability of being in a span of the label."""
        if label not in self._inside:
            at = self._columns[label]
            self._inside[label] = cumulate(self._log(self._p[:, at : at + 4].sum(1)))
        return self._inside[label]

    def borders(self, label: str, intervals: Intervals) -> Vector:
        """Log p(B) of the first word plus log p(E) of the last; 2 log p(S) for a single word."""
        at = self._columns[label]
        begin, end, single = (self._log(self._p[:, at + k]) for k in (0, 2, 3))
        last = intervals.end - 1
        alone = intervals.start == last
        both: Vector = np.where(
            alone, 2 * single[intervals.start], begin[intervals.start] + end[last]
        )
        return both
