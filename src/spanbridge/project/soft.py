"""Projection by weighted scores over the evidence of soft alignments, one pass or two.

``soft`` projects each sentence by itself. ``corpus`` reads the bitext (or an evenly spread sample of
it) first: a first pass projects with the corpus's word frequencies; boundaries and taggers are
learned from its result, the sentence at hand always left out; a second pass projects with these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.evidence import Evidence
from spanbridge.core.spans import SentencePair, Span
from spanbridge.project.candidates import Option
from spanbridge.project.projector import BELOW, NO_LINK, Projection, in_order
from spanbridge.project.scores import PARTS
from spanbridge.project.solvers import exact, greedy
from spanbridge.project.tagger import FOLDS, Floats, StatesTagger, WordsTagger, bioes
from spanbridge.project.view import (
    Candidates,
    CorpusStatistics,
    Span3,
    TagView,
    Vector,
    View,
    digest,
)
from spanbridge.project.weights import FIRST, ONE_BY_ONE, SECOND, Weights

SOLVERS = {"greedy": greedy, "exact": exact}
# Candidates with less of the soft score than this are not scored further.
FAINT = 0.12
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


def score(view: View, entity: Span, weights: Weights) -> Scored:
    """Score the candidates of an entity that any mass supports."""
    candidates = view.candidates(entity.start, entity.end)
    soft = PARTS["soft"].of(view, entity, candidates)
    candidates = candidates.where(soft > FAINT)
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


class SoftProjector:
    """Sentence by sentence: soft alignment score, candidates of any length.

    Args:
        solver: ``greedy`` (best candidate first) or ``exact`` (greatest total).

    Raises:
        SpanbridgeError: no such solver.
    """

    name = "soft"
    needs_fit = False

    def __init__(self, solver: str = "greedy") -> None:
        if solver not in SOLVERS:
            raise SpanbridgeError(f"no solver is named {solver!r}; there are: {', '.join(SOLVERS)}")
        self.solver = solver

    def describe(self) -> str:
        """Method, solver and weights."""
        return f"{self.name}({self.solver},{self._weights().describe()})"

    def project(self, pair: SentencePair, evidence: Evidence) -> Projection:
        """Target spans, and the source spans that found none."""
        entities = in_order(pair.source.spans)
        view = self.view(pair, evidence)
        chosen, scored = solve(view, entities, self._weights(), self.solver)
        return _conclude(entities, chosen, scored)

    def view(self, pair: SentencePair, evidence: Evidence) -> View:
        """What the scores look at."""
        return View(pair, evidence)

    def _weights(self) -> Weights:
        return ONE_BY_ONE


def _conclude(
    entities: Sequence[Span], chosen: Sequence[Option], scored: Sequence[Scored]
) -> Projection:
    spans = tuple(
        Span(start, end, entities[e].label, min(1.0, gain)) for e, start, end, gain in chosen
    )
    reached = {option.entity for option in chosen}
    dropped = []
    for e, entity in enumerate(entities):
        if e in reached:
            continue
        found = scored[e]
        if not len(found.total):
            dropped.append((entity, NO_LINK))
        else:
            dropped.append((entity, BELOW))
    return Projection(spans, tuple(dropped))


@dataclass
class Learned:
    """What the first pass over a corpus left behind.

    Attributes:
        statistics: word frequencies and boundaries.
        members: digests of the pairs that were learned from.
        labels: that the taggers know, sorted.
        states, words: the taggers; None without encoder, or where the corpus was too small.
    """

    statistics: CorpusStatistics = field(default_factory=CorpusStatistics)
    members: set[int] = field(default_factory=set)
    labels: tuple[str, ...] = ()
    states: StatesTagger | None = None
    words: WordsTagger | None = None


class CorpusProjector(SoftProjector):
    """Two passes over a bitext; see the module's docstring.

    Attributes:
        learned: what :meth:`fit` found out; can be saved and applied to other text.
    """

    name = "corpus"
    needs_fit = True

    def __init__(self, solver: str = "greedy") -> None:
        super().__init__(solver)
        self.learned = Learned()

    def describe(self) -> str:
        """Method, solver, weights, and how much was learned from."""
        return (
            f"corpus({self.solver},{self._weights().describe()},"
            f"fitted_on={self.learned.statistics.n_pairs}_pairs)"
        )

    def fit(self, rows: Iterable[tuple[SentencePair, Evidence]]) -> None:
        """First pass: learn frequencies, boundaries and taggers.

        Args:
            rows: pairs of the bitext or of a sample of it; states are kept in reduced form, so
                memory grows by about 1 kB a word and 16 bytes a cell of evidence.
        """
        kept = list(rows)
        learned = Learned()
        for pair, _ in kept:
            learned.statistics.add_words(pair)
        self.learned = learned
        if len(kept) < MIN_PAIRS:
            return
        projected = [self._first_pass(pair, evidence) for pair, evidence in kept]
        for (pair, _), spans in zip(kept, projected, strict=True):
            learned.statistics.add_spans(pair.target.words, spans)
            learned.members.add(digest(pair))
        labels = {span.label for pair, _ in kept for span in pair.source.spans}
        learned.labels = tuple(sorted(labels))
        if labels:
            _train(learned, kept, projected)

    def view(self, pair: SentencePair, evidence: Evidence) -> View:
        """The pair with statistics and tags, less what it contributed itself."""
        learned = self.learned
        if learned.words is None or not pair.target.words:
            return View(pair, evidence, learned.statistics)
        number = digest(pair)
        own: dict[str, Counter[str]] = {}
        if number in learned.members:
            alone = CorpusStatistics()
            alone.add_spans(pair.target.words, self._first_pass(pair, evidence))
            own = alone.policy
        fold = number % FOLDS
        probabilities = {"words": learned.words.probabilities(pair.target.words, fold)}
        if learned.states is not None and evidence.target_states is not None:
            probabilities["states"] = learned.states.probabilities(evidence.target_states, fold)
        tags = {name: TagView(p, learned.labels) for name, p in probabilities.items()}
        return View(pair, evidence, learned.statistics, tags, own)

    def _first_pass(self, pair: SentencePair, evidence: Evidence) -> list[Span3]:
        entities = in_order(pair.source.spans)
        view = View(pair, evidence, self.learned.statistics)
        chosen, _ = solve(view, entities, FIRST, self.solver)
        return [(start, end, entities[e].label) for e, start, end, _ in chosen]

    def _weights(self) -> Weights:
        if self.learned.words is None:
            return FIRST
        return SECOND["no encoder" if self.learned.states is None else "encoder"]


def _train(
    learned: Learned,
    rows: Sequence[tuple[SentencePair, Evidence]],
    projected: Sequence[Sequence[Span3]],
) -> None:
    """Train the taggers on the first pass, and on the source's labels where there are states."""
    n_classes = 1 + 4 * len(learned.labels)
    folds = [digest(pair) % FOLDS for pair, _ in rows]
    targets = [
        bioes(len(pair.target.words), spans, learned.labels)
        for (pair, _), spans in zip(rows, projected, strict=True)
    ]
    words = [(pair.target.words, tags) for (pair, _), tags in zip(rows, targets, strict=True)]
    learned.words = WordsTagger.train(words, folds, n_classes)
    if any(e.source_states is None or e.target_states is None for _, e in rows):
        return
    states: list[tuple[Floats, Floats]] = [
        (e.source_states, e.target_states)
        for _, e in rows
        if e.source_states is not None and e.target_states is not None
    ]
    basis = StatesTagger.principal_components([side for both in states for side in both])
    sources = [
        bioes(
            len(pair.source.words),
            sorted((s[:3] for s in pair.source.spans), key=lambda s: s[0] - s[1]),
            learned.labels,
        )
        for pair, _ in rows
    ]
    sentences = [(s @ basis, tags) for (s, _), tags in zip(states, sources, strict=True)]
    sentences += [(t @ basis, tags) for (_, t), tags in zip(states, targets, strict=True)]
    learned.states = StatesTagger.train(basis, sentences, [*folds, *folds], n_classes)


