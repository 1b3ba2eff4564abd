"""Projection by weighted scores over the evidence of soft alignments, one pass or two.

``soft`` projects each sentence by itself. ``corpus`` reads the bitext (or an evenly spread sample
of it) first: a first pass projects with the corpus's word frequencies; boundaries and taggers are
learned from its result, the sentence at hand always left out; a second pass projects with these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.evidence import Evidence
from spanbridge.core.spans import SentencePair, Span
from spanbridge.project.candidates import Option
from spanbridge.project.confidence import CALIBRATIONS, MARGIN
from spanbridge.project.projector import BELOW, LOST, NO_LINK, Projection, in_order
from spanbridge.project.scores import PARTS
from spanbridge.project.solvers import exact, greedy
from spanbridge.project.tagger import FOLDS, Floats, StatesTagger, WordsTagger, bioes
from spanbridge.project.view import (
    Candidates,
    CorpusStatistics,
    Indices,
    Span3,
    TagView,
    Vector,
    View,
    digest,
)
from spanbridge.project.weights import FIRST, ONE_BY_ONE, SECOND, Weights

SOLVERS = {"greedy": greedy, "exact": exact}
# Candidates with less of the soft score than this are not scored further.
LEAST_SOFT = 0.12
# With fewer pairs the second pass has too little to learn from.
MIN_PAIRS = 100


@dataclass(frozen=True)
class Scored:
    """All candidates of one entity with their scores.

    Attributes:
        parts: of each part, its value for each candidate.
        total: weighted sum.
    """

    candidates: Candidates
    parts: dict[str, Vector]
    total: Vector

    def place(self, start: int, end: int) -> int:
        """Number of a candidate."""
        same = (self.candidates.start == start) & (self.candidates.end == end)
        return int(np.flatnonzero(same)[0])

    def why_not(self, threshold: float) -> str:
        """Why nothing was chosen."""
        if not len(self.total):
            return NO_LINK
        return LOST if self.total.max() > threshold else BELOW

    def margin(self, at: int, threshold: float) -> float:
        """By how much a candidate beats the entity's next best, or projecting nothing."""
        others = np.delete(self.total, at)
        return float(self.total[at] - others.max(initial=threshold))


def score(view: View, entity: Span, weights: Weights) -> Scored:
    """Score the candidates of an entity that any mass supports."""
    candidates = view.candidates(entity.start, entity.end)
    soft = PARTS["soft"].of(view, entity, candidates)
    candidates = candidates.where(soft > LEAST_SOFT)
    parts = {name: PARTS[name].of(view, entity, candidates) for name in weights.parts}
    total = np.zeros(len(candidates.start))
    for name, weight in weights.parts.items():
        total += weight * parts[name]
    return Scored(candidates, parts, total)


def solve(
    view: View, entities: Sequence[Span], weights: Weights, solver: str
) -> tuple[list[Option], list[Scored]]:
    """Choose spans for the entities.

    An option's score is what exceeds the threshold, so that leaving an entity out is worth 0.
    """
    scored = [score(view, entity, weights) for entity in entities]
    options = []
    for e, found in enumerate(scored):
        gain = found.total - weights.threshold
        for k in np.flatnonzero(gain > 0).tolist():
            start, end = int(found.candidates.start[k]), int(found.candidates.end[k])
            options.append(Option(e, start, end, float(gain[k])))
    return SOLVERS[solver](options), scored


@dataclass(frozen=True)
class Decision:
    """How a projection came about.

    Attributes:
        weights: of the scores' parts.
        entities: source spans, in order.
        scored: of each entity, its candidates with their scores.
        chosen: of each entity that was projected, the number of the chosen candidate.
        grounds: of each of these, what its confidence comes from: its score, its margin, and in a
            second pass what the tagger on word forms says of its label, as a log-probability.
        projection: the result.
    """

    weights: Weights
    entities: Sequence[Span]
    scored: Sequence[Scored]
    chosen: Mapping[int, int]
    grounds: Mapping[int, tuple[float, ...]]
    projection: Projection


class SoftProjector:
    """Sentence by sentence: soft alignment score, candidates of any length.

    Args:
        solver: ``greedy`` (best candidate first) or ``exact`` (greatest total).

    Raises:
        SpanbridgeError: no such solver.
    """

    name = "soft"

    def __init__(self, solver: str = "greedy") -> None:
        if solver not in SOLVERS:
            raise SpanbridgeError(f"no solver is named {solver!r}; there are: {', '.join(SOLVERS)}")
        self.solver = solver

    def describe(self) -> str:
        """Method, solver and weights."""
        return f"{self.name}({self.solver},{self.weights().describe()})"

    def project(self, pair: SentencePair, evidence: Evidence) -> Projection:
        """Target spans, and the source spans that found none."""
        return self.decide(pair, evidence).projection

    def decide(self, pair: SentencePair, evidence: Evidence) -> Decision:
        """Project, and keep what led there."""
        entities = in_order(pair.source.spans)
        weights = self.weights()
        view = self.view(pair, evidence)
        options, scored = solve(view, entities, weights, self.solver)
        tagger = view.tags.get("words")
        calibration = CALIBRATIONS[self.regime]
        spans = []
        chosen: dict[int, int] = {}
        grounds: dict[int, tuple[float, ...]] = {}
        for e, start, end, _ in options:
            label = entities[e].label
            chosen[e] = at = scored[e].place(start, end)
            margin = min(scored[e].margin(at, weights.threshold), MARGIN)
            grounds[e] = (float(scored[e].total[at]), margin)
            if tagger is not None:
                known = tagger.knows(label)
                grounds[e] += (tagger.label_share(label, start, end) if known else 0.0,)
            spans.append(Span(start, end, label, calibration(*grounds[e])))
        dropped = tuple(
            (entity, scored[e].why_not(weights.threshold))
            for e, entity in enumerate(entities)
            if e not in chosen
        )
        projection = Projection(tuple(spans), dropped, tuple(entities[e] for e in chosen))
        return Decision(weights, entities, scored, chosen, grounds, projection)

    @property
    def regime(self) -> str:
        """Which calibration holds."""
        return "soft"

    def surest(self) -> float:
        """The confidence of a span with the best value in every part."""
        ends = (
            (weight * PARTS[name].low, weight * PARTS[name].high)
            for name, weight in self.weights().parts.items()
        )
        calibration = CALIBRATIONS[self.regime]
        none_left = (0.0,) * (len(calibration.weights) - 2)  # no doubt of the label
        return calibration(sum(max(both) for both in ends), MARGIN, *none_left)

    def view(self, pair: SentencePair, evidence: Evidence) -> View:
        """What the scores look at."""
        return View(pair, evidence)

    def weights(self) -> Weights:
        """What the parts are worth now."""
        return ONE_BY_ONE


@dataclass
class Learned:
    """What earlier passes over a corpus left behind.

    Attributes:
        statistics: word frequencies and boundaries.
        members: what was projected in the pairs that were learned from, by their digest.
        labels: that the taggers know, sorted.
        has_states: whether an encoder gave states.
        states, words: the taggers; None without encoder, or where the corpus was too small.
    """

    statistics: CorpusStatistics = field(default_factory=CorpusStatistics)
    members: dict[int, list[Span3]] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    has_states: bool = True
    states: StatesTagger | None = None
    words: WordsTagger | None = None


class CorpusProjector(SoftProjector):
    """Two passes over a bitext; see the module's docstring.

    Attributes:
        learned: what :meth:`fit` found out; can be saved and applied to other text.
    """

    name = "corpus"

    def __init__(self, solver: str = "greedy") -> None:
        super().__init__(solver)
        self.learned = Learned()

    def describe(self) -> str:
        """Method, solver, weights, and how much was learned from."""
        n_pairs = self.learned.statistics.n_pairs
        learned = f",fitted_on={n_pairs}_pairs" if n_pairs else ""
        return f"corpus({self.solver},{self.weights().describe()}{learned})"

    def fit(self, rows: Iterable[tuple[SentencePair, Evidence]]) -> None:
        """The first pass: learn frequencies, boundaries and taggers.

        Args:
            rows: pairs of the bitext, or of a sample of it; kept in memory while learning.
        """
        kept = [row for row in rows if row[1].forward.size]
        self.learned = Learned(has_states=any(found.target_states is not None for _, found in kept))
        for pair, _ in kept:
            self.learned.statistics.add_words(pair)
        self.learned.labels = tuple(
            sorted({s.label for pair, _ in kept for s in pair.source.spans})
        )
        # copies of a pair all stand in one fold; nothing would be left to learn from without it
        n_folds = len({digest(pair) % FOLDS for pair, _ in kept})
        if len(kept) >= MIN_PAIRS and n_folds > 1 and self.learned.labels:
            projected = [[span[:3] for span in self.project(*row).spans] for row in kept]
            _learn(self.learned, kept, projected)

    def view(self, pair: SentencePair, evidence: Evidence) -> View:
        """The pair with statistics and tags, less what it contributed itself."""
        learned = self.learned
        if learned.words is None or not pair.target.words:
            return View(pair, evidence, learned.statistics)
        number = digest(pair)
        own = CorpusStatistics()
        own.add_spans(pair.target.words, learned.members.get(number, ()))
        fold = number % FOLDS
        probabilities = {"words": learned.words.probabilities(pair.target.words, fold)}
        if learned.states is not None and evidence.target_states is not None:
            probabilities["states"] = learned.states.probabilities(evidence.target_states, fold)
        tags = {name: TagView(p, learned.labels) for name, p in probabilities.items()}
        return View(pair, evidence, learned.statistics, tags, own.policy)

    @property
    def regime(self) -> str:
        """Which calibration holds."""
        which = "encoder" if self.learned.has_states else "no encoder"
        return f"corpus, {'first pass, ' if self.learned.words is None else ''}{which}"

    def weights(self) -> Weights:
        """What the parts are worth: in the second pass, if there was a first."""
        which = "encoder" if self.learned.has_states else "no encoder"
        return (FIRST if self.learned.words is None else SECOND)[which]


def _learn(
    learned: Learned,
    rows: Sequence[tuple[SentencePair, Evidence]],
    projected: Sequence[list[Span3]],
) -> None:
    """Learn from a pass; taggers on states learn from the source's labels too."""
    pairs = [pair for pair, _ in rows]
    for pair, spans in zip(pairs, projected, strict=True):
        learned.statistics.add_spans(pair.target.words, spans)
    numbers = [digest(pair) for pair in pairs]
    learned.members = {}
    for number, spans in zip(numbers, projected, strict=True):
        # a pair that stands in the bitext twice leaves both of its votes out
        learned.members.setdefault(number, []).extend(spans)
    folds = [number % FOLDS for number in numbers]
    n_classes = 1 + 4 * len(learned.labels)
    targets = [
        bioes(len(pair.target.words), spans, learned.labels)
        for pair, spans in zip(pairs, projected, strict=True)
    ]
    words = [(pair.target.words, tags) for pair, tags in zip(pairs, targets, strict=True)]
    learned.words = WordsTagger.train(words, folds, n_classes)
    with_states = [
        (number, pair, found.source_states, found.target_states, tags)
        for number, (pair, found), tags in zip(numbers, rows, targets, strict=True)
        if found.source_states is not None and found.target_states is not None
    ]
    if len({number % FOLDS for number, *_ in with_states}) < 2:
        return
    states = [side for _, _, source, target, _ in with_states for side in (source, target)]
    basis = StatesTagger.principal_components(states)
    sentences: list[tuple[Floats, Indices]] = []
    state_folds = []
    for number, pair, source, target, tags in with_states:
        # of nested spans the longest
        spans = sorted((span[:3] for span in pair.source.spans), key=lambda s: s[0] - s[1])
        sentences.append((source @ basis, bioes(len(source), spans, learned.labels)))
        sentences.append((target @ basis, tags))
        state_folds += [number % FOLDS] * 2
    learned.states = StatesTagger.train(basis, sentences, state_folds, n_classes)
