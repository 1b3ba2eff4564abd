"""Projection with statistics of a whole bitext, in two passes.

The first pass projects the bitext (or a sample of it) with the corpus's word frequencies; span
boundaries and taggers are learned from its result, leaving out the sentence at hand; a second pass
projects with these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from typing import Any

from spanbridge.core.errors import RowError
from spanbridge.core.learned import Arrays
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.projection.candidates import Candidate
from spanbridge.projection.corpus_statistics import POSITIONS, CorpusStatistics, Span3
from spanbridge.projection.learned_taggers import FOLDS, Floats, StatesTagger, WordsTagger, bioes
from spanbridge.projection.method import Row
from spanbridge.projection.pool import Pool
from spanbridge.projection.presets import SoftMethod, SolverName
from spanbridge.projection.score_input import ScoreInput, TagProbabilities
from spanbridge.projection.weights import FIRST, SECOND, Weights

# With fewer pairs the second pass has too little to learn from.
MIN_PAIRS = 100


@dataclass
class Learned:
    """State learned in earlier passes over a corpus.

    Attributes:
        statistics: word frequencies and boundaries.
        members: projected spans of the pairs that were learned from, by the pairs' digest.
        labels: labels that the taggers know, sorted.
        has_states: True if an encoder gave states.
        states, words: the taggers; None without encoder, or if the corpus was too small.
    """

    statistics: CorpusStatistics = field(default_factory=CorpusStatistics)
    members: dict[int, list[Span3]] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    has_states: bool = True
    states: StatesTagger | None = None
    words: WordsTagger | None = None


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
        self.state = Learned()
        super().__init__(solver)

    def describe_weights(self) -> str:
        """Digest of both passes' presets, since either may be used, and changed weights."""
        presets = sha256(repr((FIRST, SECOND)).encode()).hexdigest()[:8]
        changes = (f"{weight:+g}*{name}" for name, weight in self.changes.items())
        return f"weights@{presets}{''.join(changes)}"

    def fit(self, rows: Sequence[Row]) -> None:
        """First pass: learn frequencies, boundaries and taggers from (a sample of) a bitext."""
        kept = [
            (pair, soft)
            for pair, soft in rows
            if isinstance(soft, SoftAlignment) and soft.forward.size
        ]
        self.state = Learned(has_states=any(soft.target_states is not None for _, soft in kept))
        for pair, _ in kept:
            self.state.statistics.add_words(pair)
        self.state.labels = tuple(sorted({s.label for pair, _ in kept for s in pair.source.spans}))
        # copies of a pair share a fold; if there is one fold only, nothing is left to learn from
        n_folds = len({digest(pair) % FOLDS for pair, _ in kept})
        if len(kept) >= MIN_PAIRS and n_folds > 1 and self.state.labels:
            spans = [
                [] if isinstance(found, RowError) else [span[:3] for span in found.spans]
                for row in kept
                for found in self.project([row])
            ]
            _learn(self.state, kept, spans)

    def score_input(
        self, pair: SentencePair, alignment: WordAlignment | SoftAlignment
    ) -> ScoreInput:
        """The pair with statistics and tags, without its own contribution to them."""
        state = self.state
        if state.words is None or not pair.target.words:
            return ScoreInput(pair, alignment, state.statistics)
        number = digest(pair)
        own = CorpusStatistics()
        own.add_spans(pair.target.words, state.members.get(number, ()))
        fold = number % FOLDS
        probabilities = {"words": state.words.probabilities(pair.target.words, fold)}
        if (
            state.states is not None
            and isinstance(alignment, SoftAlignment)
            and alignment.target_states is not None
        ):
            probabilities["states"] = state.states.probabilities(alignment.target_states, fold)
        tags = {name: TagProbabilities(p, state.labels) for name, p in probabilities.items()}
        return ScoreInput(pair, alignment, state.statistics, tags, own.boundaries)

    def confidence_features(self, pool: Pool, chosen: Candidate) -> tuple[float, ...]:
        """Score and margin; in a second pass also the word tagger's confidence in the label."""
        confidence_features = super().confidence_features(pool, chosen)
        tagger = pool.given.tags.get("words")
        if tagger is None:
            return confidence_features if self.state.words is None else (*confidence_features, 0.0)
        entity = pool.entities[chosen.entity]
        if entity[:2] in pool.given.inner:
            return *confidence_features, 0.0
        label = entity.label
        return *confidence_features, tagger.label_share(label, chosen.start, chosen.end)

    def calibration_name(self) -> str:
        """Name of the calibration: first or second pass, with or without encoder."""
        which = "encoder" if self.state.has_states else "no encoder"
        return f"corpus, {'first pass, ' if self.state.words is None else ''}{which}"

    def preset(self) -> Weights:
        """Weights of the second pass if there was a first, else of the first."""
        which = "encoder" if self.state.has_states else "no encoder"
        return (FIRST if self.state.words is None else SECOND)[which]

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
        if content["word_features"] is not None:
            ids = {feature: n for n, feature in enumerate(content["word_features"])}
            state.words = WordsTagger(ids, [arrays[f"words.{n}"] for n in range(FOLDS)])
        if "states.basis" in arrays:
            weights = [arrays[f"states.{n}"] for n in range(FOLDS)]
            state.states = StatesTagger(arrays["states.basis"], weights)
        self.state = state


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
    state.words = WordsTagger.train(words, folds, n_classes)
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
    state.states = StatesTagger.train(basis, sentences, state_folds, n_classes)
