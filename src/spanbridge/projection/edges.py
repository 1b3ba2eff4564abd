"""Edges of spans as corrections show them: a score that is learned from corrected rows.

A candidate is described by the words at both of its ends and just outside of them: their forms,
their classes (articles, particles, titles, marks, digits, capitals), the same beside the ends of
the source's span, and how much longer it is, each for all labels together and for its own. A
conditional logit model of which candidate the annotator took, with the other scores' sum as a
fixed part, gives each feature a weight. Its ridge is chosen on corrected rows left out in turn: the
strongest under which the score clearly mends more of their spans than it breaks, or a weaker one
that mends far more. Where there is none such, there is no score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spanbridge.core.spans import Span
from spanbridge.formats.closed_classes import ARTICLE, every_article, every_word, normal
from spanbridge.projection.candidates import Intervals, Vector
from spanbridge.projection.score_input import ScoreInput
from spanbridge.projection.scores import Score

Numbers = npt.NDArray[np.int64]
# Ridges of edges that are tried, the strongest first.
RIDGES = (128.0, 32.0, 8.0, 2.0)
# Standard deviations of chance by which more of the spans that were left out has to be mended than
# broken. A weaker ridge, whose weights do harm elsewhere unless corrections agree, has to gain so
# many times as many as a stronger one, or to break none. Chosen by what other rows gain and lose on
# 32 sets (``python -m benchmarks corrections``).
CLEARLY, FURTHER = 1.25, 2.0
# Ridges of leaving a label out; np.inf learns nothing of that.
OF_NONE = (np.inf, 4.0)
# Log-odds that a difference of 1 in the sum of scores stands for: those that are tried.
STEEPNESS = (5.0, 10.0, 20.0, 40.0)
# Best candidates of each entity that are compared.
COMPARED = 40
# A candidate is at most so many words longer or shorter than the source's span, as a feature.
LONGER = 3
STEPS = 40  # of descent
_OUTSIDE = "<>"
_NONE = "none"  # the feature of no projection


class Example(NamedTuple):
    """What an annotator chose for a source span.

    Attributes:
        group: number of the part of the corrected rows that it is left out with.
        excess: sum of the other scores above ``min_score``, for each of the best candidates.
        features: of each of them.
        label: of the span.
        chosen: index of the candidate that is right; their number if none is.
    """

    group: int
    excess: Vector
    features: list[list[str]]
    label: str
    chosen: int


@dataclass
class Edges:
    """Weights of features, in the unit of the sum of scores.

    Attributes:
        weights: by feature.
    """

    weights: Mapping[str, float]

    def of(self, given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
        """Score of every candidate of an entity, in [-1, 1]."""
        known = self.weights
        starts, ends, lengths = _described(given, entity)
        both = [
            np.array([sum(known.get(f, 0.0) for f in one) for one in some])
            for some in (starts, ends)
        ]
        by_length = np.array([sum(known.get(f, 0.0) for f in one) for one in lengths])
        none = sum(known.get(f, 0.0) for f in _with_label([_NONE], entity.label))
        total = both[0][intervals.start] + both[1][intervals.end - 1] - none
        total += by_length[_length(entity, intervals)]
        clipped: Vector = np.clip(total, -1.0, 1.0)
        return clipped


class CorrectedEdges(Score):
    """Fit of a candidate's ends to those of corrected spans, learned by ``corpus`` from them."""

    name, low, high, needs = "corrected_edges", -1.0, 1.0, "corpus"

    def __init__(self, edges: Edges) -> None:
        self.edges = edges

    def of(self, given: ScoreInput, entity: Span, intervals: Intervals) -> Vector:
        """Fit of every candidate."""
        return self.edges.of(given, entity, intervals)


def features_of(
    given: ScoreInput, entity: Span, intervals: Intervals, numbers: Iterable[int]
) -> list[list[str]]:
    """Features of some of an entity's candidates."""
    starts, ends, lengths = _described(given, entity)
    by_length = _length(entity, intervals)
    return [
        starts[intervals.start[n]] + ends[intervals.end[n] - 1] + lengths[by_length[n]]
        for n in numbers
    ]


def _length(entity: Span, intervals: Intervals) -> Numbers:
    difference = intervals.end - intervals.start - (entity.end - entity.start)
    return np.asarray(np.clip(difference, -LONGER, LONGER) + LONGER)


def _described(
    given: ScoreInput, entity: Span
) -> tuple[list[list[str]], list[list[str]], list[list[str]]]:
    """Features of a start at each word, of an end after each word, and of each length."""
    words, source = given.pair.target.words, given.pair.source.words
    lowered = [word.lower() for word in words] + [_OUTSIDE]
    classes = [*map(_class, words, given.boundaries.classes), _OUTSIDE]
    kinds = [*map(_source_class, source), _OUTSIDE]
    first, before = kinds[entity.start], kinds[entity.start - 1]
    last, after = kinds[entity.end - 1], kinds[entity.end]
    starts, ends = [], []
    for n in range(len(words)):  # index -1 is the edge of the sentence
        inside, left, right = classes[n], classes[n - 1], classes[n + 1]
        starts.append(_of_end("start", inside, left, lowered[n], lowered[n - 1]))
        ends.append(_of_end("end", inside, right, lowered[n], lowered[n + 1]))
        starts[n] += _beside("start", first, before, inside, left)
        ends[n] += _beside("end", last, after, inside, right)
    lengths = [[f"longer\t{n}"] for n in range(-LONGER, LONGER + 1)]
    label = entity.label
    found = ([_with_label(one, label) for one in some] for some in (starts, ends, lengths))
    return next(found), next(found), next(found)


def _of_end(end: str, inside: str, outside: str, word: str, beside: str) -> list[str]:
    return [
        f"{end}\tboth\t{inside}\t{outside}",
        f"{end}\tinside\t{inside}",
        f"{end}\toutside\t{outside}",
        f"{end}\tword\t{word}",
        f"{end}\tbeside\t{beside}",
    ]


def _beside(end: str, own: str, beside: str, inside: str, outside: str) -> list[str]:
    """An article that the source has not, and the like."""
    return [f"{end}\tsource\t{own}\t{inside}", f"{end}\taround\t{beside}\t{inside}\t{outside}"]


def _with_label(features: Sequence[str], label: str) -> list[str]:
    return [*features, *(f"{label}\t{feature}" for feature in features)]


def _class(word: str, closed: str) -> str:
    """Closed class of a word; or the mark that it is; or digits, a capital, small letters."""
    if closed:
        return closed
    if not any(map(str.isalnum, word)):
        return word if len(word) == 1 else "marks"
    return "0" if word[0].isdigit() else "X" if word[0].isupper() else "x"


def _source_class(word: str) -> str:
    form = normal(word)
    if form in every_word():
        return ARTICLE if form in every_article() else "small"
    return "word" if any(map(str.isalnum, word)) else "mark"


class _Design:
    """Examples as one sparse matrix: a line per candidate, and one per example for none."""

    def __init__(self, examples: Sequence[Example]) -> None:
        from scipy.sparse import csr_array

        self.ids: dict[str, int] = {}
        columns: list[int] = []
        ends, lines = [0], [0]
        for one in examples:
            for features in (*one.features, _with_label([_NONE], one.label)):
                columns += [self.ids.setdefault(f, len(self.ids)) for f in features]
                ends.append(len(columns))
            lines.append(len(ends) - 1)
        shape = (len(ends) - 1, len(self.ids))
        self.matrix: Any = csr_array((np.ones(len(columns)), columns, ends), shape=shape)
        self.excess = np.concatenate([np.append(one.excess, 0.0) for one in examples])
        self.lines = np.array(lines)
        self.chosen = self.lines[:-1] + [one.chosen for one in examples]
        self.groups = np.array([one.group for one in examples])
        of_none = {f for one in examples for f in _with_label([_NONE], one.label)}
        self.is_none = np.array([f in of_none for f in self.ids])

    def part(self, kept: npt.NDArray[np.bool_]) -> tuple[Any, Vector, Numbers, Numbers]:
        """Matrix, excess, first lines and chosen lines of some examples."""
        sizes = np.diff(self.lines)
        at = np.flatnonzero(np.repeat(kept, sizes))
        starts = np.concatenate([[0], np.cumsum(sizes[kept])])[:-1]
        chosen = (self.chosen - self.lines[:-1])[kept] + starts
        return self.matrix[at], self.excess[at], starts, chosen

    def ridge(self, of_edges: float, of_none: float) -> Vector:
        """The ridge of each feature."""
        return np.where(self.is_none, of_none, of_edges)


def learn_edges(examples: Sequence[Example]) -> tuple[Edges | None, dict[int, Edges]]:
    """Edges learned from examples, and for each group those learned without it.

    None, and no edges, unless the choices of examples that were left out are likelier by them, and
    clearly more of them are mended than broken.
    """
    groups = sorted({one.group for one in examples})
    if len(groups) < 2:
        return None, {}
    design = _Design(examples)
    whole = np.ones(len(examples), bool)
    nothing = np.zeros(len(design.ids))
    steep = min(STEEPNESS, key=lambda s: _loss(*design.part(whole), nothing, s))
    before = _right(*design.part(whole), nothing, steep)
    loss = _loss(*design.part(whole), nothing, steep)
    best: Trial | None = None
    for of_edges in RIDGES:
        trials = [_try(design, before, design.ridge(of_edges, none), steep) for none in OF_NONE]
        good = [trial for trial in trials if trial.loss < loss and trial.is_clear(best)]
        best = min(good, key=lambda trial: trial.loss, default=best)
    if best is None:
        return None, {}
    own = _fit(*design.part(whole), best.ridge, steep)
    return _edges(design, own, steep), {
        group: _edges(design, weights, steep) for group, weights in best.without.items()
    }


class Trial(NamedTuple):
    """What a ridge does to examples that were left out.

    Attributes:
        loss: minus the log-probability of their choices.
        mended, broken: how many of them become right, and wrong.
        ridge: of each feature.
        without: weights learned without each group.
    """

    loss: float
    mended: int
    broken: int
    ridge: Vector
    without: dict[int, Vector]

    @property
    def gained(self) -> int:
        """How many more are mended than broken."""
        return self.mended - self.broken

    def is_clear(self, stronger: Trial | None) -> bool:
        """Check if it clearly mends more than it breaks, and is worth it beside a stronger one."""
        if self.gained <= CLEARLY * float(self.mended + self.broken) ** 0.5:
            return False
        if stronger is None or self.gained > FURTHER * stronger.gained:
            return True
        return not self.broken and self.gained >= stronger.gained and self.loss < stronger.loss


def _try(design: _Design, before: npt.NDArray[np.bool_], ridge: Vector, steep: float) -> Trial:
    """Learn without each group in turn, and look at what that does to it."""
    after, loss, without = before.copy(), 0.0, {}
    for group in sorted(set(design.groups.tolist())):
        left_out = design.groups == group
        weights = without[group] = _fit(*design.part(~left_out), ridge, steep)
        after[left_out] = _right(*design.part(left_out), weights, steep)
        loss += _loss(*design.part(left_out), weights, steep)
    mended, broken = int((after & ~before).sum()), int((before & ~after).sum())
    return Trial(loss, mended, broken, ridge, without)


def _edges(design: _Design, weights: Vector, steep: float) -> Edges:
    values = (round(float(weights[n]) / steep, 4) for n in range(len(weights)))
    return Edges({f: v for f, v in zip(design.ids, values, strict=True) if v})


def _sums(
    matrix: Any, excess: Vector, starts: Numbers, weights: Vector, steep: float
) -> tuple[Vector, Vector, Vector]:
    """Log-odds of each line, and for its example the log of the sum of all and the greatest."""
    z = steep * excess + matrix @ weights
    sizes = np.diff(np.append(starts, len(z)))
    greatest = np.maximum.reduceat(z, starts)
    whole = np.log(np.add.reduceat(np.exp(z - np.repeat(greatest, sizes)), starts)) + greatest
    return z, np.repeat(whole, sizes), greatest


def _loss(
    matrix: Any, excess: Vector, starts: Numbers, chosen: Numbers, weights: Vector, steep: float
) -> float:
    z, whole, _ = _sums(matrix, excess, starts, weights, steep)
    return float((whole - z)[chosen].sum())


def _right(
    matrix: Any, excess: Vector, starts: Numbers, chosen: Numbers, weights: Vector, steep: float
) -> npt.NDArray[np.bool_]:
    """Whether each example's own candidate is the best one."""
    z, _, greatest = _sums(matrix, excess, starts, weights, steep)
    return np.asarray(z[chosen] >= greatest)


def _fit(
    matrix: Any, excess: Vector, starts: Numbers, chosen: Numbers, ridge: Vector, steep: float
) -> Vector:
    """The weights under which the choices are most likely, with a ridge; 0 where it is infinite."""
    from scipy.optimize import minimize

    free = np.flatnonzero(np.isfinite(ridge))
    some, strength = matrix[:, free], ridge[free]
    transposed = some.T.tocsr()

    def loss(weights: Vector) -> tuple[float, Vector]:
        z, whole, _ = _sums(some, excess, starts, weights, steep)
        p = np.exp(z - whole)
        p[chosen] -= 1
        value = float((whole - z)[chosen].sum() + (strength * weights) @ weights / 2)
        return value, transposed @ p + strength * weights

    begin: Any = np.zeros(len(free))
    found: Vector = np.zeros(matrix.shape[1])
    done = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    found[free] = done.x
    return found
