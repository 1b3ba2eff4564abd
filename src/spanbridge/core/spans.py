"""Spans, and sentences that hold them: immutable values that all steps share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from spanbridge.core.errors import SpanbridgeError


class Span(NamedTuple):
    """A labelled range of words.

    Attributes:
        start: index of the first word, 0-based.
        end: index one past the last word (half-open); ``start < end``.
        label: the label without B-/I- prefix; may contain hyphens.
        score: support of the span, in [0, 1]; None for given labels.
        extra: JSON object of the other keys that the input gave the span; None for none.
    """

    start: int
    end: int
    label: str
    score: float | None = None
    extra: str | None = None


def check_spans(spans: tuple[Span, ...], n_words: int) -> None:
    """Raise SpanbridgeError if a span is empty, lies outside, has no label or a wrong score."""
    for start, end, label, score, _ in spans:
        if not 0 <= start < end <= n_words:
            raise SpanbridgeError(
                f"span {start}-{end} ({label or 'no label'}) lies outside its sentence of "
                f"{n_words} words; spans are [start, end) with 0 <= start < end <= {n_words}"
            )
        if not label:
            raise SpanbridgeError(f"span {start}-{end} has no label; give every span one")
        if score is not None and not 0 <= score <= 1:  # nor NaN
            raise SpanbridgeError(f"span {start}-{end} has the score {score}; scores lie in [0, 1]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words and the spans over them.

    Attributes:
        words: the tokens, in order; may be empty.
        spans: in any order; may overlap (a format that cannot hold that raises on writing).
        text: the raw text if the input had any, else None.
        offsets: for raw text, one half-open character range per word; else None.
        empty_probability: the tagger's probability that there is no span where it found none, in
            [0, 1]; None if there are spans or no tagger was used.

    Raises:
        SpanbridgeError: a span lies outside the sentence, or has no label or a wrong score; or
            ``words`` is one string.
    """

    words: tuple[str, ...]
    spans: tuple[Span, ...] = ()
    text: str | None = None
    offsets: tuple[tuple[int, int], ...] | None = None
    empty_probability: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.words, str):
            raise SpanbridgeError(f"words is the string {self.words[:20]!r}; give a tuple of words")
        if self.spans:
            check_spans(self.spans, len(self.words))

    def with_spans(
        self, spans: tuple[Span, ...], empty_probability: float | None = None
    ) -> Sentence:
        """The same words with other spans."""
        return Sentence(self.words, spans, self.text, self.offsets, empty_probability)

    def plain_text(self) -> str:
        """The raw text, or the words with spaces between them."""
        return self.text if self.text is not None else " ".join(self.words)

    def text_of(self, start: int, end: int) -> str:
        """Text of the words [start, end): from the raw text, or the words with spaces between."""
        if self.text is not None and self.offsets is not None:
            return self.text[self.offsets[start][0] : self.offsets[end - 1][1]]
        return " ".join(self.words[start:end])
