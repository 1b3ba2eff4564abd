"""Spans, sentences and sentence pairs: frozen values that travel between all stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment


class Span(NamedTuple):
    """A labelled range of words.

    Attributes:
        start: index of the first word, 0-based.
        end: index one past the last word (half-open); ``start < end``.
        label: the label without any B-/I- prefix; may contain hyphens.
        score: in [0, 1], how well the span is supported; None for given labels.
    """

    start: int
    end: int
    label: str
    score: float | None = None


def check_spans(spans: tuple[Span, ...], n_words: int) -> None:
    """Raise SpanbridgeError if a span is empty, has no label, or leaves ``[0, n_words]``."""
    for start, end, label, _ in spans:
        if not 0 <= start < end <= n_words:
            raise SpanbridgeError(
                f"span {start}-{end} ({label or 'no label'}) lies outside its sentence of "
                f"{n_words} words; spans are [start, end) with 0 <= start < end <= {n_words}"
            )
        if not label:
            raise SpanbridgeError(f"span {start}-{end} has no label; give every span one")


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words and the spans over them.

    Attributes:
        words: the tokens, in order; may be empty.
        spans: in any order; may overlap (a format that cannot hold that says so on writing).
        text: the raw text where the input had any, else None.
        offsets: for raw text, one half-open character range per word; else None.

    Raises:
        SpanbridgeError: a span leaves the sentence or has no label.
    """

    words: tuple[str, ...]
    spans: tuple[Span, ...] = ()
    text: str | None = None
    offsets: tuple[tuple[int, int], ...] | None = None

    def __post_init__(self) -> None:
        if self.spans:
            check_spans(self.spans, len(self.words))

    def with_spans(self, spans: tuple[Span, ...]) -> Sentence:
        """The same words with other spans."""
        return Sentence(self.words, spans, self.text, self.offsets)


@dataclass(frozen=True, slots=True)
class SentencePair:
    """A source sentence (labels known), its translation, and what has been found out so far.

    Attributes:
        id: unique within its file; the 1-based row number where the input had none.
        source: the sentence whose labels are known.
        target: the sentence that receives them.
        links: the word alignment, or None while there is none.
        status: how projection ended: ``projected``, ``empty: reason`` or ``rejected: reason``.
        extra: further fields of the input row, carried through unchanged.
    """

    id: str
    source: Sentence
    target: Sentence
    links: WordAlignment | None = None
    status: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
