"""Probabilities of `projection/confidence.py`: fitted on all sets, each kind and language left out.

Prints: for each method its coefficients as they stand in that file, and for each set, with the
    curve fitted without its kind of text and, beside it, without its target's language: spans, mean
    probability, share that is right, the expected calibration error (ten bins), and precision and
    share of what has a probability of .9 or more. Then the same of rows by their confidence. Of few
    spans an error is noisy, and never 0: *true* is the mean error that the same probabilities would
    have if they held. *like* is the share of spans in rows that are like the other sets' (see
    `Domain`); others are told to be uncalibrated, and count in the set's line but not in the sums
    below. At the end, the limits of that, and the share of source spans rightly left out.
Takes: about ten minutes of one core, most of it for `corpus`.
Data: all pairs with gold spans on both sides, the first `--rows` rows of each set (a quarter of the
    paragraphs) whose labels are equal in number on both sides: where they are not, the annotators
    did not mean the same. Korean opinion terms take in their particles (`--boundary particle=in`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from benchmarks.held_out import aligner_for, scored
from benchmarks.real_data import DIRECTIONS, PAIR_SETS, gold_pairs, language_of
from spanbridge import Projector, SentencePair
from spanbridge.alignment.base import Aligner
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.alignment.statistical import FusedAligner, StatisticalAligner
from spanbridge.core import registry
from spanbridge.evaluation.calibration import calibration_error
from spanbridge.projection.confidence import (
    CALIBRATIONS,
    CORRECTLY_DROPPED,
    Calibration,
    Domain,
    Traits,
    traits,
)
from spanbridge.projection.scores import BadBoundary
from spanbridge.steps.calibrating import places

RIDGE = 1e-3  # weight of the squared norm: steadies the fit, too little to flatten the curve
SURE = 0.9
# Fewer spans of a set tell nothing of precision.
MIN_SPANS = 50
DIGITS = 2
LEAST_WIDTH = 0.1
CONVENTIONS: Mapping[str, Mapping[str, str]] = {"mabsa-ko": {"particle": "in"}}
# An index by which a span is found again, as a probability.
INDEX = 2.0**-40


class Observed(NamedTuple):
    """Projected spans of a set.

    Attributes:
        features: the method's features of every span.
        right: whether each is exactly a gold span.
        rows: the row that each stands in, by its index.
        traits: of every row, as :func:`~spanbridge.projection.confidence.traits` gives them.
        whole: whether all of each row is right.
        dropped: number of source spans of each row that were left out.
        n_dropped, n_rightly: source spans left out in all rows, whatever their labels; those that
            had no gold span left either.
    """

    features: Any
    right: Any
    rows: Any
    traits: Sequence[Traits]
    whole: Any
    dropped: Any
    n_dropped: int
    n_rightly: int


@dataclass(frozen=True)
class Recording(Calibration):
    """A calibration that keeps all features, and whose probabilities are their indices."""

    seen: list[tuple[float, ...]] = field(default_factory=list)

    def __call__(self, *features: float) -> float:
        """The index of the features, as a probability."""
        self.seen.append(features)
        return (len(self.seen) - 1) * INDEX

    def features(self, p: float | None) -> tuple[float, ...]:
        """The features of a span, by its probability."""
        assert p is not None
        return self.seen[round(p / INDEX)]

    def max_confidence(self) -> float:
        """No bound."""
        return 1.0


def labels(pair: SentencePair, side: str) -> Counter[str]:
    """Number of spans of each label on a side."""
    return Counter(span.label for span in getattr(pair, side).spans)


def observe(
    name: str,
    pairs: Sequence[SentencePair],
    encoder: EncoderAligner,
    counted: set[int],
    **settings: Any,
) -> Observed:
    """Project a set and look at every span of the rows that count and whose labels agree."""
    method = registry.build("method", name.partition(",")[0], {})
    aligner: Aligner = encoder
    if name.endswith("no encoder"):
        aligner = StatisticalAligner()
    elif method.aligner == "fused":
        aligner = FusedAligner(encoder)
    recording = Recording(0.0, ())
    method.calibration = lambda: recording
    projector = Projector(method, aligner, **settings).fit(pairs)
    spans: list[tuple[tuple[float, ...], bool, int]] = []
    ends: list[tuple[Traits, bool, int]] = []
    n_dropped = n_rightly = 0
    for n, (pair, found) in enumerate(zip(pairs, projector.run(pairs), strict=True)):
        if n not in counted:
            continue
        gold, got = places(pair.target), places(found.target)
        lost = labels(pair, "source") - labels(found, "target")
        n_dropped += lost.total()
        n_rightly += (lost - (labels(pair, "target") - labels(found, "target"))).total()
        if labels(pair, "source") == labels(pair, "target"):
            spans += [(recording.features(p), place in gold, len(ends)) for place, p in got.items()]
            ends.append((traits(found), {*gold} == {*got}, lost.total()))
    return Observed(
        np.array([one[0] for one in spans]),
        np.array([one[1] for one in spans]),
        np.array([one[2] for one in spans]),
        [one[0] for one in ends],
        np.array([one[1] for one in ends]),
        np.array([one[2] for one in ends]),
        n_dropped,
        n_rightly,
    )


def kind(name: str) -> str:
    """The kind of text of a set."""
    return "europarl" if name in DIRECTIONS else name.partition("-")[0]


def observe_all(name: str, sets: Sequence[str], rows: int) -> dict[str, Observed]:
    """All sets as a method projects them, but those whose convention it does not read."""
    found = {}
    reads = BadBoundary.name in registry.build("method", name.partition(",")[0], {}).score_names()
    for one in sets:
        if one in CONVENTIONS and not reads:
            continue
        pairs = gold_pairs(one)[: rows // 4 if kind(one) == "xquad" else rows]
        languages, boundary = {"target": language_of(one)}, CONVENTIONS.get(one, {})
        counted = set(scored(one, pairs))
        settings = {"languages": languages, "boundary": boundary}
        seen = observe(name, pairs, aligner_for(one), counted, **settings)
        if len(seen.right):
            found[one] = seen
    return found


def fit(features, right, weights=None):
    """Coefficients, the constant first; the others at least 0, so that the curve never falls."""
    from scipy.optimize import minimize

    x = np.c_[np.ones(len(right)), features]
    share = np.ones(len(right)) if weights is None else weights
    share = share / share.sum()

    def loss(w):
        z = x @ w
        value = share @ (np.logaddexp(0, -z) * right + np.logaddexp(0, z) * ~right)
        p = 1 / (1 + np.exp(-z))
        penalty = RIDGE * (w[1:] ** 2).sum()
        return value + penalty, x.T @ (share * (p - right)) + 2 * RIDGE * np.r_[0, w[1:]]

    bounds = [(None, None), *[(0, None)] * (x.shape[1] - 1)]
    return minimize(loss, np.zeros(x.shape[1]), jac=True, bounds=bounds, method="L-BFGS-B").x


def fit_sets(sets: Iterable[Observed]):
    """Coefficients; a set counts by the root of its number of spans, so that none rules."""
    sets = list(sets)
    features, right = (np.concatenate([one[k] for one in sets]) for k in (0, 1))
    return fit(features, right, np.concatenate([np.full(n, n**-0.5) for n in _numbers(sets)]))


def _numbers(sets: Iterable[Observed]) -> list[int]:
    return [len(one.right) for one in sets]


def apply(w, features):
    """Probabilities."""
    return 1 / (1 + np.exp(-(w[0] + features @ w[1:])))


def error_if_true(p, repeats=200):
    """Mean error of probabilities that hold exactly."""
    random = np.random.default_rng(0)
    return np.mean([calibration_error(p, random.random(len(p)) < p) for _ in range(repeats)])


def domain_of(sets: Iterable[Observed]) -> Domain:
    """What rows of sets are like."""
    seen = [one for each in sets for one in each.traits]
    sources = sorted({one.scripts[0] for one in seen} - {""})
    words: dict[str, int] = {}
    for one in sorted(seen, key=lambda one: one.scripts[1]):
        if target := one.scripts[1]:
            words[target] = max(words.get(target, 0), one.words)
    linked = float(np.floor(100 * np.quantile([one.linked for one in seen], 0.01)) / 100)
    return Domain(tuple(sources), words, max(one.span for one in seen), linked)


def like(domain: Domain, seen: Observed):
    """Whether each span stands in a row that is like a domain's."""
    inside = np.array([domain.unlike(one) is None for one in seen.traits])
    return inside[seen.rows]


def confidence(p, seen: Observed):
    """Confidence of each row with spans, and whether all of it is right."""
    logs = np.log(CORRECTLY_DROPPED) * seen.dropped
    np.add.at(logs, seen.rows, np.log(p))
    having = np.unique(seen.rows)
    return np.exp(logs[having]), seen.whole[having]


class Judged(NamedTuple):
    """How far probabilities of one set are from what is right, its like left out of the fit.

    Attributes:
        p, right: probability of each span, and whether it holds.
        like: whether each stands in a row that is like the others'.
        rows: calibration error of rows.
    """

    p: Any
    right: Any
    like: Any
    rows: float


def left_out(sets: Mapping[str, Observed], group: Callable[[str], str]) -> dict[str, Judged]:
    """Each set judged by a curve that was fitted without its group."""
    groups = defaultdict(list)
    for name in sets:
        groups[group(name)].append(name)
    found = {}
    for held in groups.values():
        others = [one for name, one in sets.items() if name not in held]
        if not others:
            continue
        w, domain = fit_sets(others), domain_of(others)
        for name in held:
            one = sets[name]
            p = apply(w, one.features)
            error = calibration_error(*confidence(p, one))
            found[name] = Judged(p, one.right, like(domain, one), error)
    return found


def offset(p, right) -> tuple[float, float]:
    """How much, in log-odds, probabilities are off as a whole, and its standard error."""
    z, at = np.log(p / (1 - p)), 0.0
    for _ in range(20):  # Newton's method, with a weak prior at 0
        q = 1 / (1 + np.exp(-(z + at)))
        weight = (q * (1 - q)).sum() + 0.5
        at += ((right - q).sum() - 0.5 * at) / weight
    return at, weight**-0.5


def width(judged: Iterable[Judged]) -> float:
    """Standard deviation of sets' offsets in log-odds, beyond what chance makes of so few spans.

    At least ``LEAST_WIDTH``: so few sets cannot tell less from nothing.
    """
    offsets = [offset(one.p[one.like], one.right[one.like]) for one in judged if one.like.any()]
    variance = np.mean([at**2 - error**2 for at, error in offsets]) if offsets else 0.0
    return float(max(variance, LEAST_WIDTH**2) ** 0.5)


def precision(p, right) -> tuple[float, float]:
    """Precision and share of what is sure; a precision of 1 if nothing is."""
    sure = p >= SURE
    return (right[sure].mean() if sure.any() else 1.0), sure.mean()


def print_sets(by_kind: Mapping[str, Judged], by_language: Mapping[str, Judged]) -> None:
    """The table of all sets."""
    heads = ("mean p", "right", "error", "true", f"p>={SURE:g}", "share", "rows", "like")
    print(f"{'':12}{'':>6}{'without its kind of text':^64}  without its language")
    print(f"{'':12}{'spans':>6}" + "".join(f"{h:>8}" for h in heads), end="")
    print("".join(f"{h:>8}" for h in (heads[2], heads[4], heads[6], heads[7])))
    nan = float("nan")
    for name, one in by_kind.items():
        other = by_language.get(name)
        sure, share = precision(one.p, one.right)
        cells = (
            *(one.p.mean(), one.right.mean(), calibration_error(one.p, one.right)),
            *(error_if_true(one.p), sure, share, one.rows, one.like.mean()),
            nan if other is None else calibration_error(other.p, other.right),
            nan if other is None else precision(other.p, other.right)[0],
            nan if other is None else other.rows,
            nan if other is None else other.like.mean(),
        )
        print(f"{name:12}{len(one.p):>6}" + "".join(f"{cell:>8.3f}" for cell in cells))
    for about, judged in (("kind", by_kind), ("language", by_language)):
        print_sum(about, judged)


def print_sum(about: str, judged: Mapping[str, Judged]) -> None:
    """Mean and greatest error over sets, least precision; of rows that are like the others'."""
    some = {
        name: Judged(one.p[one.like], one.right[one.like], one.like, one.rows)
        for name, one in judged.items()
        if one.like.sum() >= MIN_SPANS
    }
    if not some:
        return
    errors = {name: calibration_error(one.p, one.right) for name, one in some.items()}
    rows = np.mean([one.rows for one in some.values()])
    true = np.mean([error_if_true(one.p) for one in some.values()])
    sure = {name: precision(one.p, one.right)[0] for name, one in some.items()}
    shares = np.mean([precision(one.p, one.right)[1] for one in some.values()])
    worst, least = max(errors, key=errors.__getitem__), min(sure, key=sure.__getitem__)
    print(
        f"  without its {about}, {len(some)} sets of {MIN_SPANS} such spans: error "
        f"{np.mean(list(errors.values())):.3f} ({true:.3f} if they were true), at most "
        f"{errors[worst]:.3f} ({worst}), above .05 in {sum(e > 0.05 for e in errors.values())}; "
        f"precision at {SURE:g} {np.mean([*sure.values()]):.3f} of {shares:.3f} of the spans, at "
        f"least {sure[least]:.3f} ({least}), below {SURE:g} in "
        f"{sum(p < SURE for p in sure.values())}; error of rows {rows:.3f}",
        flush=True,
    )


def main(
    methods: Sequence[str] = tuple(CALIBRATIONS), sets: Sequence[str] = PAIR_SETS, rows: int = 240
) -> None:
    """For each method: coefficients, and how far they hold on what was left out."""
    every: list[Observed] = []
    names: set[str] = set()
    for name in methods:
        seen = observe_all(name, sets, rows)
        by_kind, by_language = (left_out(seen, group) for group in (kind, language_of))
        intercept, *weights = (round(float(w), DIGITS) for w in fit_sets(seen.values()))
        far = round(max(width(one.values()) for one in (by_kind, by_language)), DIGITS)
        print(f'\n    "{name}": Calibration({intercept}, {tuple(weights)}, {far}),')
        print_sets(by_kind, by_language)
        every += seen.values()
        names |= seen.keys()
    n_dropped, n_rightly = sum(o.n_dropped for o in every), sum(o.n_rightly for o in every)
    kinds, languages = {*map(kind, names)}, {*map(language_of, names)}
    print(f"\nFITTED_ON: {len(kinds)} kinds, {len(languages)} languages")
    print(f"LIKE = {domain_of(every)}")
    print(
        f"CORRECTLY_DROPPED: {n_rightly} of {n_dropped} source spans left out had no gold span of "
        f"their label left, {n_rightly / max(n_dropped, 1):.2f}"
    )
