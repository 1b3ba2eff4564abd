"""What scores look at: one sentence pair with its evidence and, in corpus mode, the statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from spanbridge.core.evidence import Evidence
from spanbridge.core.spans import SentencePair

Vector = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Span3 = tuple[int, int, str]

# Beyond the words with mass of an entity, how many neighbours a candidate may still take in.
REACH = 2
# Words at which candidates of one entity begin and end, at most: a few thousand candidates.
MAX_PLACES = 128
# Words with less mass of the entity than this hold nothing of it.
LEAST_MASS = 0.01
EDGE = ""  # stands beside the first and the last word
PLACES = ("first", "before", "last", "after")


@dataclass
class CorpusStatistics:
    """Counts over a bitext; those of its parts add up (:meth:`merge`).

    Attributes:
        n_pairs: sentence pairs counted.
        source, target: pairs in which a lower-cased word occurs, for each side.
        policy: for each of ``first``, ``before``, ``last``, ``after``: how often a target word was
            the first or last of a projected span, or stood just outside.
    """

    n_pairs: int = 0
    source: Counter[str] = field(default_factory=Counter)
    target: Counter[str] = field(default_factory=Counter)
    policy: dict[str, Counter[str]] = field(
        default_factory=lambda: {place: Counter() for place in PLACES}
    )

    def add_words(self, pair: SentencePair) -> None:
        """Count the words of a pair."""
        self.n_pairs += 1
        self.source.update({word.lower() for word in pair.source.words})
        self.target.update({word.lower() for word in pair.target.words})

    def add_spans(self, words: Sequence[str], spans: Iterable[Span3]) -> None:
        """Count the boundaries of projected spans."""
        for start, end, _ in spans:
            for place, word in boundary_words(words, start, end).items():
                self.policy[place][word] += 1

    def merge(self, other: CorpusStatistics) -> None:
        """Add the counts of another part of the corpus."""
        self.n_pairs += other.n_pairs
        self.source.update(other.source)
        self.target.update(other.target)
        for place in PLACES:
            self.policy[place].update(other.policy[place])


def boundary_words(words: Sequence[str], start: int, end: int) -> dict[str, str]:
    """The words at and just outside a span's boundaries, lower-cased."""
    return {
        "first": words[start].lower(),
        "before": words[start - 1].lower() if start else EDGE,
        "last": words[end - 1].lower(),
        "after": words[end].lower() if end < len(words) else EDGE,
    }


def digest(pair: SentencePair) -> int:
    """A number for the words of a pair, the same in every run."""
    text = "\n".join([*pair.source.words, "\n", *pair.target.words])
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


@dataclass(frozen=True)
class Candidates:
    """Target spans that one entity may be projected to; parallel arrays.

    Attributes:
        start, end: target words [start, end).
    """

    start: Indices
    end: Indices

    def sums(self, cumulative: Vector) -> Vector:
        """Sum over each candidate, given cumulative sums with a leading 0."""
        total: Vector = cumulative[self.end] - cumulative[self.start]
        return total

    def where(self, mask: npt.NDArray[np.bool]) -> Candidates:
        """Those that the mask keeps."""
        return Candidates(self.start[mask], self.end[mask])


def cumulate(values: npt.NDArray[np.floating]) -> Vector:
    """Cumulative sums with a leading 0."""
    sums: Vector = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    return sums


@lru_cache(maxsize=128)
def _triangle(n: int) -> tuple[Indices, Indices]:
    rows, columns = np.triu_indices(n)
    return rows.astype(np.int64), columns.astype(np.int64)


class View:
    """One sentence pair as the scores see it.

    Attributes:
        pair, evidence: the sentences, and where their words went.
        corpus: statistics of the bitext, or None when sentences are projected one by one.
        tags: of each tagger, what it makes of the target's words.
        own: boundary words that this pair itself put into the statistics, to be left out.
    """

    def __init__(
        self,
        pair: SentencePair,
        evidence: Evidence,
        corpus: CorpusStatistics | None = None,
        tags: Mapping[str, TagView] | None = None,
        own: Mapping[str, Counter[str]] | None = None,
    ) -> None:
        self.pair = pair
        self.evidence = evidence
        self.corpus = corpus
        self.tags = tags or {}
        self.own: Mapping[str, Counter[str]] = own or {}

    def candidates(self, start: int, end: int) -> Candidates:
        """Spans of any length whose boundaries lie near words with mass of the entity."""
        mass = np.maximum(
            self.evidence.forward[start:end].max(0), self.evidence.backward[start:end].sum(0)
        )
        near = mass > LEAST_MASS
        for _ in range(REACH):
            near[1:] |= near[:-1].copy()
            near[:-1] |= near[1:].copy()
        places = np.flatnonzero(near)
        if len(places) > MAX_PLACES:  # the words with most mass, the first of equals
            places = np.sort(np.argsort(-mass, kind="stable")[:MAX_PLACES])
        rows, columns = _triangle(len(places))
        return Candidates(places[rows], places[columns] + 1)

    def frequency(self, side: str) -> Vector:
        """Share of the pairs that hold each word, in (0, 1]."""
        return self._frequencies[side]

    def rarity(self, side: str) -> Vector:
        """Inverse document frequency of each word, log(1 + 1 / frequency): at least log 2."""
        return self._rarities[side]

    @cached_property
    def _frequencies(self) -> dict[str, Vector]:
        assert self.corpus is not None
        n = max(self.corpus.n_pairs, 1)
        return {
            side: np.array([max(counts[word.lower()], 1) / n for word in sentence.words])
            for side, counts, sentence in (
                ("source", self.corpus.source, self.pair.source),
                ("target", self.corpus.target, self.pair.target),
            )
        }

    @cached_property
    def _rarities(self) -> dict[str, Vector]:
        return {side: np.log1p(1 / value) for side, value in self._frequencies.items()}

    @cached_property
    def policy(self) -> dict[str, Vector]:
        """What the corpus says of each word at each place, in (-1, 1): see ``BoundaryPolicy``."""
        assert self.corpus is not None
        words = [word.lower() for word in self.pair.target.words]
        counts = {}
        for place in PLACES:
            of_corpus, own = self.corpus.policy[place], self.own.get(place, Counter[str]())
            counts[place] = np.array([1.0 + of_corpus[word] - own[word] for word in [*words, EDGE]])
        starts = np.tanh(0.5 * np.log(counts["first"] / counts["before"]))
        ends = np.tanh(0.5 * np.log(counts["last"] / counts["after"]))
        return {"start": starts, "end": ends}


class TagView:
    """Probabilities of one tagger for one sentence, ready for spans of any label.

    Args:
        probabilities: [n_words, 1 + 4 * labels]: O, then B, I, E, S of each label.
        labels: in the order of the columns.
    """

    FLOOR = -4.0  # of log-probabilities: one impossible word must not outweigh everything

    def __init__(self, probabilities: npt.NDArray[np.floating], labels: Sequence[str]) -> None:
        self._p = probabilities
        self._columns = {label: 1 + 4 * n for n, label in enumerate(labels)}
        outside = self._p[:, 0]
        begins, ends, singles = (self._p[:, k::4].sum(1) for k in (1, 3, 4))
        # log-probability that a span may start after this word, or that one may end before it
        self.closes = np.append(self._log(outside + ends + singles), 0.0)
        self.opens = np.append(self._log(outside + begins + singles), 0.0)
        self._inside: dict[str, Vector] = {}

    def _log(self, p: npt.NDArray[np.floating]) -> Vector:
        logs: Vector = np.log(np.maximum(p, np.exp(self.FLOOR))).astype(np.float64)
        return logs

    def knows(self, label: str) -> bool:
        """Whether the label was seen in training."""
        return label in self._columns

    def inside(self, label: str) -> Vector:
        """Cumulative log-probability of being in a span of the label."""
        if label not in self._inside:
            at = self._columns[label]
            self._inside[label] = cumulate(self._log(self._p[:, at : at + 4].sum(1)))
        return self._inside[label]

    def label_share(self, label: str, start: int, end: int) -> float:
        """Log-probability of the label among all labels, mean over the words [start, end).

        In [FLOOR, 0].
        """
        of_labels = self._p[start:end, 1:].reshape(end - start, -1, 4).sum(2)
        share = of_labels[:, self._columns[label] // 4] / np.maximum(of_labels.sum(1), 1e-30)
        return float(self._log(share).mean())

    def borders(self, label: str, candidates: Candidates) -> Vector:
        """Log p(B) of the first word and log p(E) of the last; twice log p(S) of a lone one."""
        at = self._columns[label]
        begin, end, single = (self._log(self._p[:, at + k]) for k in (0, 2, 3))
        last = candidates.end - 1
        alone = candidates.start == last
        both: Vector = np.where(
            alone, 2 * single[candidates.start], begin[candidates.start] + end[last]
        )
        return both
