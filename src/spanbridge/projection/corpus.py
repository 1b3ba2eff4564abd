"""Projection with statistics of a whole bitext, in two passes.

The first pass projects the bitext (or a sample of it) with the corpus's word frequencies; span
boundaries and taggers are learned from its result, leaving out the sentence at hand; a second pass
projects with these. They count as far as they can be trusted: by how much of the first pass's tags
each tagger foretells in sentences that it did not learn from. Where that is nothing (few rows,
labels that the words do not tell), the first pass's weights are all that is left.

Corrected rows take the place of their projections in all that is learned, and
teach a score of their own (:mod:`~spanbridge.projection.edges`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b, sha256
from typing import Any

import numpy as np

from spanbridge.core.errors import RowError
from spanbridge.core.learned import Arrays
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.projection.confidence import CALIBRATIONS, Calibration
from spanbridge.projection.corpus_statistics import POSITIONS, CorpusStatistics, Span3
from spanbridge.projection.edges import CorrectedEdges, Edges, learn_edges
from spanbridge.projection.learned_taggers import FOLDS, StatesTagger, WordsTagger, bioes
from spanbridge.projection.method import Row
from spanbridge.projection.pool import Pool
from spanbridge.projection.presets import SoftMethod, SolverName
from spanbridge.projection.regression import Floats, Indices
from spanbridge.projection.score_input import ScoreInput, TagProbabilities
from spanbridge.projection.scores import Score
from spanbridge.projection.teaching import examples_of
from spanbridge.projection.weights import FIRST, SECOND, Weights

# A tagger that takes away this share of the uncertainty about tags counts in full (parliament with
# four labels: .63 to .69); less counts with its square.
FULL = 0.6
# Least probability of a tag, so that one word cannot outweigh everything.
LEAST = 1e-9


@dataclass
class Learned:
    """State learned in earlier passes over a corpus.

    Attributes:
        statistics: word frequencies and boundaries.
        members: projected spans of the pairs that were learned from, by the pairs' digest.
        labels: labels that the taggers know, sorted.
        has_states: True if an encoder gave states.
        states, words: the taggers; None without encoder, or if they foretell nothing.
        told: for each tagger, the share of the uncertainty about the first pass's tags that it
            takes away in sentences that it did not learn from, in [0, 1].
        edges: what corrected rows taught of the ends of spans; None if nothing.
        curve: intercept and slope by which they changed log-odds of confidences, and what they
            were; None if they did not.
    """

    statistics: CorpusStatistics = field(default_factory=CorpusStatistics)
    members: dict[int, list[Span3]] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    has_states: bool = True
    states: StatesTagger | None = None
    words: WordsTagger | None = None
    told: dict[str, float] = field(default_factory=dict)
    edges: Edges | None = None
    curve: tuple[float, float, str] | None = None

    @property
    def which(self) -> str:
        """Which weights and calibrations are used."""
        return "encoder" if self.has_states else "no encoder"

    def trust(self) -> tuple[dict[str, float], float]:
        """Share of the second pass's weights for each tagger's scores, and for all others."""
        names = ("states", "words") if self.has_states else ("words",)
        shares = {name: min(1.0, self.told.get(name, 0.0) / FULL) ** 2 for name in names}
        return shares, sum(shares.values()) / len(shares)


class CorpusMethod(SoftMethod):
    """Two passes over a bitext, with statistics and taggers learned from the first; the default.

    Args:
        solver: ``greedy`` (best candidate first) or ``exact`` (greatest total).

    Attributes:
        state: result of :meth:`fit`; can be saved and applied to other text.
    """

    name = "corpus"
    aligner = "fused"
    learns = True
    _whole = False  # its scores do not pay for cutting a name
    provides = frozenset({"corpus", "states", "words"})

    def __init__(self, solver: SolverName = "greedy") -> None:
        super().__init__(solver)
        self._gold: list[tuple[SentencePair, SoftAlignment]] = []
        self._trials: list[tuple[float, bool]] = []
        self.settle(Learned())

    def settle(self, state: Learned) -> None:
        """Take up what was learned, with the weights that follow from it."""
        self.state = state
        shares, share = state.trust()
        self._preset = FIRST[state.which].towards(SECOND[state.which], shares, share)
        if state.edges is not None:
            self._preset = self._preset.changed({CorrectedEdges.name: 1.0})
            self._known = {**self._known, CorrectedEdges.name: CorrectedEdges(state.edges)}

    def find_score(self, name: str) -> Score:
        """The score of a name; that of corrected rows if they taught one."""
        if name == CorrectedEdges.name:
            return CorrectedEdges(self.state.edges or Edges({}))
        return super().find_score(name)

    def describe_weights(self) -> str:
        """Digest of both passes' presets, changed weights, and what the taggers told."""
        presets = sha256(repr((FIRST, SECOND)).encode()).hexdigest()[:8]
        changes = (f"{weight:+g}*{name}" for name, weight in self.changes.items())
        told = [f",{name}={share:.3f}" for name, share in self.state.told.items()]
        for name, one in (("edges", self.state.edges), ("curve", self.state.curve)):
            if one is not None:
                told.append(f",{name}@{sha256(repr(one).encode()).hexdigest()[:8]}")
        return f"weights@{presets}{''.join(changes)}{''.join(told)}"

    def teach(self, rows: Sequence[Row]) -> None:
        """Take corrected rows for the next fit."""
        self._gold = _usable(rows)

    def trials(self) -> list[tuple[float, bool]]:
        """Confidence of each span found in corrected rows, and whether it is right."""
        return self._trials

    def recalibrate(self, intercept: float, slope: float, fitted_on: str) -> None:
        """Change the log-odds of confidences."""
        self.state.curve = intercept, slope, fitted_on

    def fit(self, rows: Sequence[Row]) -> None:
        """First pass: learn frequencies, boundaries and taggers from (a sample of) a bitext."""
        taught = {digest(pair) for pair, _ in self._gold}
        bare = [row for row in _usable(rows) if digest(row[0]) not in taught]
        kept = bare + self._gold
        state = Learned(has_states=any(soft.target_states is not None for _, soft in kept))
        for pair, _ in kept:
            state.statistics.add_words(pair)
        labels = {s.label for pair, _ in kept for s in pair.source.spans}
        labels |= {s.label for pair, _ in self._gold for s in pair.target.spans}
        state.labels = tuple(sorted(labels))
        self.settle(state)
        # copies of a pair share a fold; if there is one fold only, nothing is left to learn from
        if len({digest(pair) % FOLDS for pair, _ in kept}) > 1 and state.labels:
            spans = [
                [] if isinstance(found, RowError) else [span[:3] for span in found.spans]
                for row in bare
                for found in self.project([row])
            ]
            gold = [[span[:3] for span in pair.target.spans] for pair, _ in self._gold]
            _learn(state, kept, spans + gold)
            self.settle(state)
        self._learn_edges()

    def _learn_edges(self) -> None:
        """Learn from corrected rows how spans end, and try that on each of them without it."""
        self._trials = []
        if not self._gold:
            return
        weights = self.weights()
        groups = [digest(pair) % FOLDS for pair, _ in self._gold]
        pools = self._pools(self._gold, weights)
        examples = [
            example
            for pool, group in zip(pools, groups, strict=True)
            if isinstance(pool, Pool) and pool.scored
            for example in examples_of(pool, group, weights.min_score)
        ]
        edges, without = learn_edges(examples)
        for row, group in zip(self._gold, groups, strict=True):
            self.settle(replace(self.state, edges=without.get(group)))
            right = {span[:3] for span in row[0].target.spans}
            (found,) = self.project([row])
            if not isinstance(found, RowError):
                self._trials += [(s.score or 0.0, s[:3] in right) for s in found.spans]
        self.settle(replace(self.state, edges=edges))
        self._gold = []  # with their alignments they are large

    def score_input(
        self, pair: SentencePair, alignment: WordAlignment | SoftAlignment
    ) -> ScoreInput:
        """The pair with statistics and tags, without its own contribution to them."""
        state = self.state
        if not state.told or not pair.target.words:
            return ScoreInput(pair, alignment, state.statistics)
        number = digest(pair)
        own = CorpusStatistics()
        own.add_spans(pair.target.words, state.members.get(number, ()))
        fold = number % FOLDS
        probabilities = {}
        if state.words is not None:
            probabilities["words"] = state.words.probabilities(pair.target.words, fold)
        if (
            state.states is not None
            and isinstance(alignment, SoftAlignment)
            and alignment.target_states is not None
        ):
            probabilities["states"] = state.states.probabilities(alignment.target_states, fold)
        tags = {name: TagProbabilities(p, state.labels) for name, p in probabilities.items()}
        return ScoreInput(pair, alignment, state.statistics, tags, own.boundaries)

    def calibration(self) -> Calibration:
        """Calibration with or without an encoder, the same for both passes; or by corrections."""
        own = CALIBRATIONS[f"corpus, {self.state.which}"]
        return own if self.state.curve is None else own.through(*self.state.curve)

    def preset(self) -> Weights:
        """The mean of both passes' weights, by what the taggers told."""
        return self._preset

    def learned(self) -> tuple[dict[str, Any], Arrays]:
        """State for :meth:`restore`."""
        state, statistics = self.state, self.state.statistics
        content: dict[str, Any] = {
            "labels": state.labels,
            "statistics": {
                "n_pairs": statistics.n_pairs,
                "source": dict(sorted(statistics.source.items())),
                "target": dict(sorted(statistics.target.items())),
                "boundaries": {
                    p: dict(sorted(c.items())) for p, c in statistics.boundaries.items()
                },
            },
            "members": [[str(number), spans] for number, spans in state.members.items()],
            "word_features": None if state.words is None else list(state.words.ids),
            "has_states": state.has_states,
            "told": state.told,
            "edges": None if state.edges is None else dict(state.edges.weights),
            "curve": state.curve,
        }
        arrays: Arrays = {}
        if state.words is not None:
            arrays |= {f"words.{n}": w for n, w in enumerate(state.words.weights)}
        if state.states is not None:
            arrays |= {f"states.{n}": w for n, w in enumerate(state.states.weights)}
            arrays["states.basis"] = state.states.basis
        return content, arrays

    def restore(self, content: Mapping[str, Any], arrays: Arrays) -> None:
        """Restore what was learned before."""
        counts = content["statistics"]
        statistics = CorpusStatistics(
            counts["n_pairs"],
            Counter(counts["source"]),
            Counter(counts["target"]),
            {position: Counter(counts["boundaries"][position]) for position in POSITIONS},
        )
        members = {
            int(number): [(start, end, label) for start, end, label in spans]
            for number, spans in content["members"]
        }
        state = Learned(statistics, members, tuple(content["labels"]), content["has_states"])
        state.told = content["told"]
        if (edges := content.get("edges")) is not None:
            state.edges = Edges(edges)
        if (curve := content.get("curve")) is not None:
            intercept, slope, about = curve
            state.curve = intercept, slope, about
        if content["word_features"] is not None:
            ids = {feature: n for n, feature in enumerate(content["word_features"])}
            state.words = WordsTagger(ids, [arrays[f"words.{n}"] for n in range(FOLDS)])
        if "states.basis" in arrays:
            weights = [arrays[f"states.{n}"] for n in range(FOLDS)]
            state.states = StatesTagger(arrays["states.basis"], weights)
        self.settle(state)


def _usable(rows: Sequence[Row]) -> list[tuple[SentencePair, SoftAlignment]]:
    """Rows with words on both sides."""
    return [
        (pair, soft) for pair, soft in rows if isinstance(soft, SoftAlignment) and soft.forward.size
    ]


def digest(pair: SentencePair) -> int:
    """Number for the words of a pair, the same in every run."""
    text = "\n".join([*pair.source.words, "\n", *pair.target.words])
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def _learn(
    state: Learned,
    rows: Sequence[tuple[SentencePair, SoftAlignment]],
    projected: Sequence[list[Span3]],
) -> None:
    """Learn from a pass; the tagger on states also learns from the source's labels."""
    pairs = [pair for pair, _ in rows]
    for pair, spans in zip(pairs, projected, strict=True):
        state.statistics.add_spans(pair.target.words, spans)
    numbers = [digest(pair) for pair in pairs]
    for number, spans in zip(numbers, projected, strict=True):
        # both contributions of a pair that occurs twice are left out
        state.members.setdefault(number, []).extend(spans)
    folds = [number % FOLDS for number in numbers]
    n_classes = 1 + 4 * len(state.labels)
    targets = [
        bioes(len(pair.target.words), spans, state.labels)
        for pair, spans in zip(pairs, projected, strict=True)
    ]
    words = [(pair.target.words, tags) for pair, tags in zip(pairs, targets, strict=True)]
    on_words = WordsTagger.train(words, folds, n_classes)
    found = [on_words.probabilities(one, fold) for (one, _), fold in zip(words, folds, strict=True)]
    if told := foretold(found, targets):
        state.words, state.told["words"] = on_words, told
    with_states = [
        (fold, pair, soft.source_states, soft.target_states, tags)
        for fold, (pair, soft), tags in zip(folds, rows, targets, strict=True)
        if soft.source_states is not None and soft.target_states is not None
    ]
    if len({fold for fold, *_ in with_states}) < 2:
        return
    both = [side for _, _, source, target, _ in with_states for side in (source, target)]
    basis = StatesTagger.principal_components(both)
    sentences: list[tuple[Floats, Any]] = []
    state_folds = []
    for fold, pair, source, target, tags in with_states:
        spans = [span[:3] for span in pair.source.spans]
        sentences.append((source @ basis, bioes(len(source), spans, state.labels)))
        sentences.append((target @ basis, tags))
        state_folds += [fold] * 2
    on_states = StatesTagger.train(basis, sentences, state_folds, n_classes)
    found = [on_states.probabilities(states, fold) for fold, _, _, states, _ in with_states]
    if told := foretold(found, [tags for *_, tags in with_states]):
        state.states, state.told["states"] = on_states, told


def foretold(found: Sequence[Floats], tags: Sequence[Indices]) -> float:
    """Share of the uncertainty about tags that a tagger takes away (Theil's U), in [0, 1].

    1 - cross-entropy of the tags by its probabilities / entropy of the tags' own frequencies; 0 if
    it foretells less than these do, or if there is nothing to foretell.

    Args:
        found: its probabilities for each sentence, which it did not learn from, [words, classes].
        tags: classes of each sentence's words.
    """
    classes = np.concatenate(tags)
    frequencies = np.bincount(classes) / len(classes)
    entropy = -np.log(frequencies[classes]).mean()
    p = np.concatenate(
        [one[np.arange(len(own)), own] for one, own in zip(found, tags, strict=True)]
    )
    cross = -np.log(np.maximum(p, LEAST)).mean()
    return max(0.0, float(1 - cross / entropy)) if entropy > 0 else 0.0
