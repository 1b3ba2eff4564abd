"""The interface of taggers, and the decoding of class probabilities into spans."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spanbridge.core.requirements import Part
from spanbridge.core.spans import Span
from spanbridge.core.tags import Scheme, split_tag, tags_from_spans
from spanbridge.tagging.class_names import standard_names

Probabilities = npt.NDArray[np.float32]
Words = Sequence[str]
IMPOSSIBLE = -1e9


@dataclass(frozen=True)
class Tagged:
    """The spans that a tagger finds in a sentence.

    Attributes:
        n_words: length of the sentence.
        spans: disjoint, in order. Scores lie in (0, 1]; None where the tagger gives none.
        probabilities: each word's probabilities of the tagger's classes, [n_words, n_classes]; None
            where the tagger gives none.
        fault: why nothing is known of the sentence; None if it was read.
    """

    n_words: int
    spans: tuple[Span, ...]
    probabilities: Probabilities | None = None
    fault: str | None = None

    @property
    def tags(self) -> list[str]:
        """The spans in IOB2."""
        return tags_from_spans(self.spans, self.n_words)

    @property
    def empty_probability(self) -> float | None:
        """The probability that there is no span, in [0, 1], where none was found.

        Words are taken as independent, so it is the product of their probabilities of O: 1 for a
        sentence without words. None where a span was found or probabilities are not known.
        """
        if self.spans or self.probabilities is None:
            return None
        outside = np.clip(self.probabilities[:, 0], 0, 1)  # a mean may round to more than 1
        return float(outside.prod(dtype=np.float64))


class Tagger(Part, ABC):
    """Finds spans in tokenised sentences.

    Attributes:
        classes: IOB2 classes, O first, then B- and I- of each label; empty where not known
            beforehand.
        gives_probabilities: True if opinions come with the probabilities of all classes.
        gives_scores: True if spans may have scores.
        licence: of the model or the file, ``unknown`` where nobody says.
        unsettled: number of sentences that got no answer of a server, and may get one another time.
    """

    classes: tuple[str, ...] = ()
    gives_probabilities: bool = True
    gives_scores: bool = True
    licence: str = "unknown"
    unsettled: int = 0

    @property
    def counts(self) -> Counter[str]:
        """Further counts for the account so far; most taggers have none."""
        return Counter()

    @property
    def dropped(self) -> Counter[str]:
        """Number of spans dropped so far, by label; most taggers drop none."""
        return Counter()

    @abstractmethod
    def describe(self) -> str:
        """Name and every setting that the tags depend on, for the signature."""

    @abstractmethod
    def tag(self, sentences: Sequence[Words]) -> list[Tagged]:
        """Tag sentences of any length, empty ones too; the result is in their order."""


def iob2_classes(labels: Sequence[str]) -> tuple[str, ...]:
    """O, then B- and I- of each label, in the given order."""
    return ("O", *(f"{prefix}-{label}" for label in labels for prefix in "BI"))


class SchemeMap:
    """Mapping from class probabilities in any tag scheme to IOB2.

    BIOES: the probability of S- goes to B-, that of E- to I-. IOB1 (and models that know I- only):
    an I- begins a span as far as the word before it is, by its probabilities, not of that label.

    Args:
        classes: the model's classes, in its order.
        scheme: their scheme; None finds out: BIOES if a class begins with E, S, L, U, M or W, IOB1
            if some label has no B-, else IOB2.
        named: names for the classes, in order, separated by commas, in place of the model's.

    Attributes:
        classes: the classes in IOB2.
        description: the scheme, and the names of the classes where they are not the model's own.

    Raises:
        SpanbridgeError: a class is no tag of the scheme, or there is no O.
    """

    def __init__(
        self, classes: Sequence[str], scheme: Scheme | None = None, named: str | None = None
    ) -> None:
        own, classes = classes, standard_names(classes, named)
        self.scheme = scheme or find_scheme(classes)
        said = "" if list(own) == classes else f",classes={','.join(classes)}"
        self.description = f"{self.scheme}{said}"
        parts = [split_tag(name, self.scheme) for name in classes]
        labels = list(dict.fromkeys(label for _, label in parts if label))
        self.classes = iob2_classes(labels)
        as_iob2 = {"S": "B", "E": "I"}
        names = [f"{as_iob2.get(p, p)}-{label}" if label else "O" for p, label in parts]
        self._matrix = np.zeros((len(classes), len(self.classes)), np.float32)
        for n, name in enumerate(names):
            self._matrix[n, self.classes.index(name)] = 1

    def __call__(self, probabilities: Probabilities) -> Probabilities:
        """Map [n_words, classes of the model] to [n_words, IOB2 classes]."""
        mapped: Probabilities = probabilities @ self._matrix
        if self.scheme == "iob1" and len(mapped):
            begin, inside = mapped[:, 1::2], mapped[:, 2::2]
            before = np.zeros_like(begin)
            before[1:] = begin[:-1] + inside[:-1]
            mapped[:, 1::2] = begin + inside * (1 - before)
            mapped[:, 2::2] = inside * before
        return mapped


def find_scheme(classes: Sequence[str]) -> Scheme:
    """The tag scheme of class names; see :class:`SchemeMap`."""
    prefixes = {name.partition("-")[0] for name in classes if "-" in name}
    if prefixes & set("ESLUMW"):
        return "bioes"
    begun = {name[2:] for name in classes if name.startswith("B-")}
    return "iob2" if begun >= {name[2:] for name in classes if name.startswith("I-")} else "iob1"


def decode(probabilities: Probabilities, classes: Sequence[str]) -> tuple[Span, ...]:
    """The most probable valid IOB2 sequence, as spans with scores.

    Valid: I-X only after B-X or I-X. A span's score is the probability that exactly it is there,
    words taken as independent: that of its B-, of each I-, and that no I- follows.

    Args:
        probabilities: [n_words, n_classes], rows sum to 1.
        classes: as :func:`iob2_classes` orders them.
    """
    if not len(probabilities):
        return ()
    best = probabilities.argmax(1)
    if _orphans(best):
        best = _viterbi(np.log(np.maximum(probabilities, 1e-30)))
    spans = []
    n_words = len(best)
    for start in np.flatnonzero(best % 2 == 1).tolist():
        begin = int(best[start])
        end = start + 1
        while end < n_words and best[end] == begin + 1:
            end += 1
        label = classes[begin][2:]
        score = span_probability(probabilities, classes, start, end, label)
        spans.append(Span(start, end, label, min(1.0, max(score, 1e-12))))
    return tuple(spans)


def span_probability(
    probabilities: Probabilities, classes: Sequence[str], start: int, end: int, label: str
) -> float:
    """Probability that exactly this span is there: its B-, each I-, and no I- after it.

    Args:
        probabilities: [n_words, n_classes].
        classes: as :func:`iob2_classes` orders them; the label is among them.
        start, end: words [start, end).
        label: label of the span.
    """
    begin = classes.index(f"B-{label}")
    score = float(probabilities[start, begin])
    score *= float(probabilities[start + 1 : end, begin + 1].prod(dtype=np.float64))
    if end < len(probabilities):
        score *= 1 - float(probabilities[end, begin + 1])
    return score


def _orphans(best: npt.NDArray[np.int64]) -> bool:
    """Check if some I- (even numbers from 2) follows neither its B- (one less) nor itself."""
    before = np.append(0, best[:-1])
    inside = (best > 0) & (best % 2 == 0)
    return bool((inside & (before != best) & (before != best - 1)).any())


def _viterbi(scores: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    n_words, n_classes = scores.shape
    allowed = np.zeros((n_classes, n_classes))
    for inside in range(2, n_classes, 2):
        allowed[:, inside] = IMPOSSIBLE
        allowed[[inside - 1, inside], inside] = 0
    total = scores[0] + allowed[0]
    back = np.zeros((n_words, n_classes), np.int64)
    for n in range(1, n_words):
        ways = total[:, None] + allowed
        back[n] = ways.argmax(0)
        total = ways.max(0) + scores[n]
    path = np.empty(n_words, np.int64)
    path[-1] = total.argmax()
    for n in range(n_words - 1, 0, -1):
        path[n - 1] = back[n, path[n]]
    return path
