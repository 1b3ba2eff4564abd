"""Agreement of two annotators: F1 of their spans, and Cohen's kappa of the labels of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from spanbridge.core.signature import signature
from spanbridge.core.spans import Sentence, one_layer
from spanbridge.evaluation._common import aligned, ratio
from spanbridge.evaluation.span_report import SpanReport
from spanbridge.evaluation.span_scores import evaluate_spans
from spanbridge.formats.tokens import in_same_words

_OUTSIDE = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two annotators of the same rows agree in.

    Attributes:
        names: both annotators.
        n_rows: rows that both have annotated.
        n_equal: rows of them with equal spans.
        spans: the spans of the second one scored against those of the first; F1 is the same the
            other way round.
        n_words: words of these rows.
        observed: share of words to which both give the same label, or none, in [0, 1]; of nested
            spans the outer one counts.
        kappa: ``(observed - expected) / (1 - expected)``, at most 1, where ``expected`` is the
            share by chance (Cohen 1960); None if all words have one and the same label.
    """

    names: tuple[str, str]
    n_rows: int
    n_equal: int
    spans: SpanReport
    n_words: int
    observed: float
    kappa: float | None

    @property
    def f1(self) -> float:
        """F1 of spans with label, over all of them."""
        return self.spans.micro.f1

    @property
    def signature(self) -> str:
        """One line that says how the numbers came about."""
        return signature(
            {"metric": "agreement", "spans": "exact", "kappa": "Cohen, labels of words, outer"}
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in a fixed order."""
        labels = {name: counts.f1 for name, counts in self.spans.per_label.items()}
        return {
            "signature": self.signature,
            "annotators": list(self.names),
            "rows": self.n_rows,
            "equal_rows": self.n_equal,
            "f1": self.f1,
            "f1_of_labels": labels,
            "f1_of_boundaries": self.spans.boundaries.f1,
            "words": self.n_words,
            "observed": self.observed,
            "kappa": self.kappa,
            "differences": self.spans.errors.to_dict(),
        }

    def table(self) -> str:
        """Plain text: F1 by label, kappa, what differs, signature."""
        one, other = self.names
        lines = [
            ["", "F1", one, other],
            *(
                [label, f"{found.f1:.4f}", str(found.support), str(found.predicted)]
                for label, found in (
                    *self.spans.per_label.items(),
                    ("all spans", self.spans.micro),
                    ("boundaries", self.spans.boundaries),
                )
            ),
        ]
        kappa = "not defined" if self.kappa is None else f"{self.kappa:.4f}"
        told = (
            f"{self.n_rows} rows annotated by both, {self.n_equal} with equal spans\n"
            f"kappa {kappa} on {self.n_words} words, of which {self.observed:.2%} have equal labels"
        )
        return "\n\n".join([told, "\n".join(aligned(lines)), self.signature])


def agreement(
    pairs: Iterable[tuple[Sentence, Sentence]], names: tuple[str, str] = ("first", "second")
) -> Agreement:
    """Compare two annotators of the same rows.

    Args:
        pairs: for each row that both have annotated, the sentence of the first and of the second;
            where they cut words of one text otherwise, the words are split.
        names: names of both.

    Raises:
        SpanbridgeError: the sentences of a row differ in words.
    """
    rows = [in_same_words(one, other) for one, other in pairs]
    report = evaluate_spans([one for one, _ in rows], [other for _, other in rows])
    both: Counter[tuple[str, str]] = Counter()
    n_equal = 0
    for one, other in rows:
        n_equal += {span[:3] for span in one.spans} == {span[:3] for span in other.spans}
        both.update(zip(_labels(one), _labels(other), strict=True))
    n = both.total()
    firsts, seconds = Counter[str](), Counter[str]()
    for (first, second), number in both.items():
        firsts[first] += number
        seconds[second] += number
    observed = ratio(sum(number for (a, b), number in both.items() if a == b), n)
    expected = ratio(sum(firsts[label] * seconds[label] for label in firsts), n * n)
    kappa = (observed - expected) / (1 - expected) if n and expected < 1 else None
    return Agreement(names, len(rows), n_equal, report, n, observed, kappa)


def _labels(sentence: Sentence) -> list[str]:
    labels = [_OUTSIDE] * len(sentence.words)
    for start, end, label, _, _ in one_layer(sentence.spans):
        labels[start:end] = [label] * (end - start)
    return labels
