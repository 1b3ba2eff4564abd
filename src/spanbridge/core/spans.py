"""Spans, and sentences that hold them: immutable values that all steps share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, NamedTuple, get_args

from spanbridge.core.errors import SpanbridgeError

# Spans that are kept where there is room for one layer: the outer or the inner ones.
Nested = Literal["outer", "inner"]


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


def nesting(places: Sequence[tuple[int, int]]) -> tuple[list[tuple[int, ...]], set[int]]:
    """How places [start, end) lie in each other.

    Returns:
        For each place, the indices of those that contain it (of equal places, the later ones lie in
        the earlier ones); and the indices of places that cross another: that overlap it, but
        neither contains the other.
    """
    around: list[tuple[int, ...]] = [()] * len(places)
    crossing: set[int] = set()
    last: list[int] = []  # places before that end after the start of the present one
    for n in sorted(range(len(places)), key=lambda n: (places[n][0], -places[n][1], n)):
        start, end = places[n]
        last = [m for m in last if places[m][1] > start]
        around[n] = tuple(m for m in last if places[m][1] >= end)
        if len(around[n]) < len(last):
            crossing |= {n, *(m for m in last if places[m][1] < end)}
        last.append(n)
    return around, crossing


def one_layer(spans: Sequence[Span], keep: Nested = "outer") -> tuple[Span, ...]:
    """Spans without overlaps, in their order, for what holds one layer only.

    Of two spans that overlap, the longer one is kept (``outer``) or the shorter one (``inner``); of
    equally long ones, the first. Raises SpanbridgeError for another ``keep``.
    """
    if keep not in get_args(Nested):
        raise SpanbridgeError(f"nested is {keep!r}, but must be outer or inner")
    if len(spans) < 2:
        return tuple(spans)
    sign = -1 if keep == "outer" else 1
    places = [span[:2] for span in spans]
    order = sorted(range(len(spans)), key=lambda n: sign * (places[n][1] - places[n][0]))
    taken: set[int] = set()
    words: set[int] = set()
    for n in order:
        own = range(*places[n])
        if words.isdisjoint(own):
            taken.add(n)
            words.update(own)
    return tuple(span for n, span in enumerate(spans) if n in taken)


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

    def characters(self) -> str:
        """The characters without spaces: the same however the text is cut into words."""
        return "".join(self.plain_text().split())

    def over_words_of(self, given: Sentence) -> Sentence:
        """This raw text in the words of a tokenised sentence of the same characters.

        It stays as it is if a span begins or ends inside one of them.
        """
        if self.text is None or self.offsets is None or given.text is not None:
            return self
        ends = [0, *accumulate(len("".join(word.split())) for word in given.words)]
        places = {end: n for n, end in enumerate(ends)}
        spans = []
        for span in self.spans:
            edges = self.offsets[span.start][0], self.offsets[span.end - 1][1]
            first, last = (places.get(len("".join(self.text[:at].split()))) for at in edges)
            if first is None or last is None or first >= last:
                return self
            spans.append(span._replace(start=first, end=last))
        return Sentence(given.words, tuple(spans), empty_probability=self.empty_probability)

    def text_of(self, start: int, end: int) -> str:
        """Text of the words [start, end): from the raw text, or the words with spaces between."""
        if self.text is not None and self.offsets is not None:
            return self.text[self.offsets[start][0] : self.offsets[end - 1][1]]
        return " ".join(self.words[start:end])


def concatenated(
    parts: Sequence[Sentence], text: str | None = None, starts: Sequence[int] = ()
) -> Sentence:
    """Sentences one after the other, as one.

    Args:
        parts: the sentences.
        text: the text of which they are pieces; None puts their texts together, if all have one,
            with spaces between them.
        starts: where each begins in ``text``.
    """
    if text is None:
        starts, at = [], 0
        for sentence in parts:
            starts.append(at)
            at += len(sentence.text or "") + 1
        if all(sentence.text is not None for sentence in parts):
            text = " ".join(sentence.text or "" for sentence in parts)
    words: list[str] = []
    spans: list[Span] = []
    offsets: list[tuple[int, int]] = []
    for sentence, start in zip(parts, starts, strict=True):
        n = len(words)
        spans += (span._replace(start=span.start + n, end=span.end + n) for span in sentence.spans)
        offsets += ((a + start, b + start) for a, b in sentence.offsets or ())
        words += sentence.words
    known = text is not None and len(offsets) == len(words)
    return Sentence(
        tuple(words),
        tuple(spans),
        text if known else None,
        tuple(offsets) if known else None,
        None if spans else joint_probability([sentence.empty_probability for sentence in parts]),
    )


def joint_probability(values: Sequence[float | None]) -> float | None:
    """Probability that independent things all hold; None if that of any is unknown."""
    product = 1.0
    for value in values:
        if value is None:
            return None
        product *= value
    return round(product, 4)


# The other side of a row that has only one.
ABSENT = Sentence(())
