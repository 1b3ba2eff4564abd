"""Confidence: the probability that a projected span is exactly right.

Logistic regression on what the row itself shows of it (:mod:`spanbridge.projection.evidence`).
Fitted by ``python -m benchmarks calibration`` on all sets of pairs with gold spans on both sides
that the benchmarks know: every set alike, rows whose labels are equal in number on both sides (in
others, the annotators did not mean the same). That command leaves each kind of text and each
language out in turn and prints how far the probabilities then are from what is right, and the
numbers below.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from spanbridge.core.rows import SentencePair
from spanbridge.core.scripts import script_prefix

# What they were fitted on.
FITTED_ON = "8 kinds of text in 16 languages"
EUROPARL = "Europarl-NER, English into German and Spanish"
FEW = "4 kinds of text, English into German and Spanish"


@dataclass(frozen=True)
class Calibration:
    """1 / (1 + exp(-(intercept + sum of weight * feature))), and how far that may be off.

    Attributes:
        intercept: log-odds if every feature has its best value, which is 0.
        weights: weight of each feature; none is negative, so that more evidence never lowers the
            probability.
        width: standard deviation, in log-odds, of sets of rows that it was not fitted on: two in
            three such sets are off by less, as a whole.
        fitted_on: what it was fitted on.
    """

    intercept: float
    weights: tuple[float, ...]
    width: float = 0.0
    fitted_on: str = FITTED_ON

    def __call__(self, *features: float) -> float:
        """Probability, in (0, 1), for features of at most 0."""
        both = zip(self.weights, features, strict=True)
        total = self.intercept + sum(weight * feature for weight, feature in both)
        # features may be of any size; exp() of more than 709 overflows
        return 1 / (1 + math.exp(min(-total, 700.0)))

    def through(self, intercept: float, slope: float, fitted_on: str) -> Calibration:
        """The calibration whose log-odds are intercept + slope * these, fitted on some rows."""
        weights = tuple(slope * weight for weight in self.weights)
        return Calibration(intercept + slope * self.intercept, weights, 0.0, fitted_on)

    def around(self, p: float) -> tuple[float, float]:
        """What a probability may stand for on other text: one width less and more."""
        odds = p / (1 - p)
        low, high = (odds * math.exp(sign * self.width) for sign in (-1, 1))
        return low / (1 + low), high / (1 + high)

    def max_confidence(self) -> float:
        """Probability for the best value of every feature."""
        return self(*(0.0 for _ in self.weights))

    def told(self) -> str:
        """What it was fitted on, and how far that carries."""
        if not self.width:
            return f"calibrated on {self.fitted_on}"
        low, high = self.around(0.9)
        return (
            f"calibrated on {self.fitted_on}; on other text 0.9 stands for {low:.2f} to "
            f"{high:.2f} as a rule"
        )


class Traits(NamedTuple):
    """What can be seen of any projected row.

    Attributes:
        scripts: script of most letters of the source, and of the target; empty without letters.
        words: words of the longer side.
        span: words of the longest source span.
        linked: share of words with a link, of both sides together, in [0, 1]; 1 without links.
    """

    scripts: tuple[str, str]
    words: int
    span: int
    linked: float


@dataclass(frozen=True)
class Domain:
    """Rows that probabilities were fitted on, by the bounds of their :class:`Traits`.

    Attributes:
        sources: the scripts of sources, in order.
        words: the scripts of targets, in order, with the most words of a row in each.
        span: the greatest number.
        linked: the least share, but for one row in a hundred.
    """

    sources: tuple[str, ...]
    words: Mapping[str, int]
    span: int
    linked: float

    def unlike(self, seen: Traits) -> str | None:
        """Why a row is unlike all of them; None if it is not."""
        source, target = seen.scripts
        most = self.words.get(target, 0) if target else max(self.words.values(), default=0)
        if not most or (source and source not in self.sources):
            return "a script that they were not fitted on"
        if seen.words > most:
            return "rows longer than those they were fitted on"
        if seen.span > self.span:
            return "spans longer than those they were fitted on"
        if seen.linked < self.linked:
            return "rows with fewer links than those they were fitted on"
        return None


@lru_cache(2**13)
def _scripts(word: str) -> tuple[tuple[str, int], ...]:
    """Number of letters of each script."""
    return tuple(Counter(script_prefix(char) for char in word if char.isalpha()).items())


def traits(pair: SentencePair) -> Traits:
    """What can be seen of any projected row, as :class:`Domain` bounds it."""
    sides = pair.source, pair.target
    letters: list[Counter[str]] = [Counter() for _ in sides]
    for counts, one in zip(letters, sides, strict=True):
        for of_word, words in Counter(map(_scripts, one.words)).items():
            for script, number in of_word:
                counts[script] += number * words
    source, target = (max(sorted(counts), key=counts.__getitem__, default="") for counts in letters)
    lengths = [len(one.words) for one in sides]
    total, linked = sum(lengths), 1.0
    if pair.links is not None and total:
        sources, targets = ({link[side] for link in pair.links.pairs} for side in (0, 1))
        linked = (len(sources) + len(targets)) / total
    span = max((span.end - span.start for span in pair.source.spans), default=0)
    return Traits((source, target), max(lengths), span, linked)


LIKE = Domain(
    ("LATIN",),
    {
        "ARABIC": 17,
        "CJK": 370,
        "CYRILLIC": 243,
        "DEVANAGARI": 184,
        "HANGUL": 157,
        "HIRAGANA": 332,
        "KATAKANA": 61,
        "LATIN": 255,
    },
    88,
    0.6,
)
# Those of hard links are of fewer sets, and the widths are what they show on all the sets.
# Features of soft methods: evidence.of_mass(). Of `match`: closeness to the greatest sum, lead; of
# the other link methods: closeness of support (see candidates.py).
CALIBRATIONS = {
    "soft": Calibration(4.91, (0.6, 0.68, 2.15, 0.22, 0.61, 0.53), 0.12),
    "corpus, encoder": Calibration(4.93, (0.6, 0.82, 1.67, 0.44, 0.75, 0.55), 0.1),
    "corpus, no encoder": Calibration(4.35, (0.36, 0.58, 0.69, 0.96, 2.22, 1.73), 1.04),
    "greedy": Calibration(2.92, (0.75,), 0.92, EUROPARL),
    "exact": Calibration(2.96, (0.79,), 0.92, EUROPARL),
    "heuristic": Calibration(3.01, (0.6,), 0.92, EUROPARL),
    "match": Calibration(4.01, (0.25, 1.34), 0.92, FEW),
}
# Share of unprojected source spans that have no gold span, in the same sets.
CORRECTLY_DROPPED = 0.55


def sentence_confidence(spans: Iterable[float], n_dropped: int) -> float:
    """Probability that a sentence's whole projection is right, with its spans taken as independent.

    ``spans`` are the probabilities of the projected spans; ``n_dropped`` source spans were not
    projected.
    """
    return math.prod(spans) * CORRECTLY_DROPPED**n_dropped
