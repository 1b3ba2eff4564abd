"""Positions of spans in raw text: units, inclusive ends, and the likely cause of wrong ones."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import Side
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.closed_classes import by_script, closed_classes
from spanbridge.formats.json_spans import given_text
from spanbridge.formats.tokens import at_joints, tokenize

# Unit in which positions are counted (code points, UTF-16 code units as in Java, JavaScript and C#,
# UTF-8 bytes), and whether an end is the last position rather than one past it.
Offsets = Literal[
    "characters",
    "utf16",
    "bytes",
    "characters-inclusive",
    "utf16-inclusive",
    "bytes-inclusive",
]
OFFSETS: tuple[Offsets, ...] = get_args(Offsets)
_INCLUSIVE = "-inclusive"
# Share of spans, at most, that may not fit words where an explanation is to be believed.
_EXCEPTIONS = 0.05

Ranges = tuple[tuple[int, int], ...]
# A span with the file and the line that it stands on.
FoundSpan = tuple[str | Path, int, Span]
_T = TypeVar("_T")


def is_inclusive(offsets: Offsets) -> bool:
    """Check if ends are inclusive."""
    return offsets.endswith(_INCLUSIVE)


@dataclass(slots=True)
class Places:
    """How the given spans of one side lie in its texts.

    Attributes:
        n_spans: spans in characters.
        n_inside: of these, spans that begin or end inside a word.
        n_other_text: spans beside which the input gives another text than the one at their place.
        read: offsets by which they were read.
        fits: for each kind of offsets, spans that would have the text given beside them, or else
            begin and end where words do.
    """

    n_spans: int = 0
    n_inside: int = 0
    n_other_text: int = 0
    read: Offsets = "characters"
    fits: Counter[Offsets] = field(default_factory=Counter)

    def cause(self) -> str:
        """The option by which (nearly) all spans would fit words, in words; else nothing."""
        best = max(OFFSETS, key=lambda offsets: self.fits[offsets])
        n = self.fits[best]
        if n <= self.fits[self.read] or n < (1 - _EXCEPTIONS) * self.n_spans:
            return ""
        fit = f"{self.fits[self.read]} of {self.n_spans} fit words, {n} would"
        return f" ({fit} with --offsets {best})"


def place_spans(
    text: str,
    given: Sequence[Span],
    side: Side,
    key: str,
    offsets: Offsets,
    places: Places | None = None,
    known: Ranges | None = None,
) -> Sentence:
    """Cut a text into words, and put its spans over them.

    Words of a source text end at the ends of spans. Words of a target text do so beside an
    apostrophe or hyphen and before Korean particles only: elsewhere a span that ends inside a word
    is widened to all of it.

    Args:
        text: the raw text.
        given: its spans, half-open, in the unit of ``offsets``.
        side: side of the sentence.
        key: name of the spans, for messages.
        offsets: how their positions are counted.
        places: counts to update, if any.
        known: characters of each word, in place of cutting the text.

    Raises:
        SpanbridgeError: a span lies outside the text, begins or ends inside a character, or has no
            word.
    """
    words, ranges = tokenize(text) if known is None else (tuple(text[a:b] for a, b in known), known)
    if not given:
        return Sentence(words, (), text, ranges)
    spans = locate_spans(text, given, key, offsets, places, ranges)
    n_inside = sum(_cuts(span, ranges) for span in spans)
    if n_inside and known is None:
        edges = [edge for span in spans for edge in span[:2]]
        words, ranges = tokenize(text, edges) if side == "source" else cut_at_joints(text, edges)
        if side == "target" and places is not None:  # those are not widened
            places.n_inside -= n_inside - sum(_cuts(span, ranges) for span in spans)
    firsts, lasts = [start for start, _ in ranges], [end for _, end in ranges]
    in_words = []
    for span in spans:
        first, last = bisect_right(lasts, span.start), bisect_left(firsts, span.end)
        if first == last:
            where = f"{span.start}-{span.end} ({span.label})"
            raise SpanbridgeError(f"{key}: {where} covers only whitespace or what cannot be seen")
        in_words.append(span._replace(start=first, end=last))
    return Sentence(words, tuple(in_words), text, ranges)


def cut_at_joints(text: str, edges: Sequence[int]) -> tuple[tuple[str, ...], Ranges]:
    """Words of a target text, and their ranges: cut at those edges of spans where parts meet.

    That is beside an apostrophe or hyphen, and before the particles of a language that glues them.
    """
    joints = at_joints(text, edges)
    closed = closed_classes(by_script(text))
    for start, end in tokenize(text)[1] if closed.glued else ():
        glued = {start + at for at in closed.starts(text[start:end])}
        inside = (edge for edge in edges if start < edge < end)
        joints += (edge for edge in inside if edge in glued or text[edge:end] in closed.glued)
    return tokenize(text, joints)


def locate_spans(
    text: str,
    given: Sequence[Span],
    key: str,
    offsets: Offsets,
    places: Places | None = None,
    words: Ranges | None = None,
) -> Sequence[Span]:
    """The spans in characters, with the arguments of :func:`place_spans`, whose errors are raised.

    Ranges of the text's words may be given, if they are known.
    """
    words = tokenize(text)[1] if words is None else words
    spans = _in_characters(text, given, offsets, key, words)
    if places is not None:
        starts, ends = {start for start, _ in words}, {end for _, end in words}
        places.read = offsets
        places.n_spans += len(spans)
        places.n_inside += sum(_cuts(span, words) for span in spans)
        places.n_other_text += sum(not same_text(s, text[s.start : s.end]) for s in spans)
        places.fits.update(_fitting(text, given, offsets, starts, ends))
    return spans


def placed_by_line(place: Callable[..., _T], found: Sequence[FoundSpan], **more: Any) -> _T:
    """What :func:`place_spans` or :func:`locate_spans` makes of spans that stand on lines.

    Their errors become InputError, with the file and the line of the first span that has one.

    Args:
        place: one of them, with all arguments but the spans.
        found: the spans.
        more: further arguments, such as counts, that only the first call gets.
    """
    try:
        return place(given=[span for *_, span in found], key="spans", **more)
    except SpanbridgeError as error:
        for path, line, span in found:
            try:
                place(given=[span], key="spans")
            except SpanbridgeError:
                raise InputError(path, line, str(error)) from error
        raise InputError(found[0][0], None, str(error)) from error


def in_unit(text: str, spans: Sequence[Span], offsets: Offsets) -> Sequence[Span]:
    """The spans of a text, which are in characters, half-open, in another unit."""
    index = _characters(text, offsets.removesuffix(_INCLUSIVE))
    more = is_inclusive(offsets)
    if index is None and not more:
        return spans
    at = range(len(text) + 1) if index is None else list(index)
    return [span._replace(start=at[span.start], end=at[span.end] - more) for span in spans]


def place_in_words(
    words: Sequence[str], spans: Sequence[Span], key: str, places: Places, **more: Any
) -> Sentence:
    """A sentence of given words with spans, half-open, in words; see :func:`place_spans`."""
    try:
        found = Sentence(tuple(words), tuple(spans), **more)
    except SpanbridgeError as error:
        hint = "; if ends are the last words of spans: --offsets characters-inclusive"
        empty = any(span.start == span.end for span in spans)
        raise SpanbridgeError(f"{key}: {error}{hint if empty else ''}") from error
    places.n_other_text += sum(not same_text(s, found.text_of(s.start, s.end)) for s in spans)
    return found


def same_text(span: Span, text: str) -> bool:
    """Check if a text is the one that the input gave a span; white space does not count."""
    given = given_text(span)
    return given is None or _bare(given) == _bare(text)


def _bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).split())


def _in_characters(
    text: str, given: Sequence[Span], offsets: Offsets, key: str, words: Ranges
) -> Sequence[Span]:
    """The spans in characters. Raises SpanbridgeError if one does not lie in the text."""
    unit = offsets.removesuffix(_INCLUSIVE)
    index = _characters(text, unit)
    length = len(text) if index is None else max(index)
    spans = []
    for span in given:
        start, end = span[:2] if index is None else map(index.get, span[:2])
        if not 0 <= span.start < span.end <= length:
            why = f"lies outside the text of {length} {unit}; spans are [start, end) in {unit} "
            why += "where text is given"
        elif start is None or end is None:
            why = f"begins or ends inside a character, so its positions are not in {unit}"
        else:
            spans.append(span._replace(start=start, end=end))
            continue
        starts, ends = {start for start, _ in words}, {end for _, end in words}
        fits = _fitting(text, given, offsets, starts, ends)
        likely = [one for one in OFFSETS if fits[one] == len(given)]
        hint = f"; with --offsets {likely[0]} the spans of this row would fit" if likely else ""
        raise SpanbridgeError(f"{key}: {span.start}-{span.end} ({span.label}) {why}{hint}")
    return spans


def _characters(text: str, unit: str) -> Mapping[int, int] | None:
    """Index of the character at each position of a unit; None if the positions are the same."""
    if unit == "characters" or text.isascii() or (unit == "utf16" and max(text) <= "\uffff"):
        return None
    if unit == "bytes":
        starts = [
            at
            for at, byte in enumerate(text.encode("utf-8", "surrogatepass"))
            if byte & 0xC0 != 0x80
        ]
        starts.append(starts[-1] + len(text[-1].encode("utf-8", "surrogatepass")))
    else:
        starts = list(accumulate((1 + (char > "\uffff") for char in text), initial=0))
    return dict(zip(starts, range(len(text) + 1), strict=True))


def _fitting(
    text: str, given: Sequence[Span], read: Offsets, starts: set[int], ends: set[int]
) -> Counter[Offsets]:
    """For each kind of offsets, the number of spans that it puts where words or their texts are."""
    fits: Counter[Offsets] = Counter()
    indices = {unit: _characters(text, unit) for unit in ("characters", "utf16", "bytes")}
    raw = [(span, span.start, span.end - is_inclusive(read), given_text(span)) for span in given]
    for offsets in OFFSETS:
        index = indices[offsets.removesuffix(_INCLUSIVE)]
        more = is_inclusive(offsets)
        for _, first, last, wanted in raw:
            start, end = first, last + more
            if index is not None:
                start, end = index.get(start, -1), index.get(end, -1)
            if not 0 <= start < end <= len(text):
                continue
            if wanted is not None:
                fits[offsets] += _bare(wanted) == _bare(text[start:end])
            else:
                fits[offsets] += start in starts and end in ends
    return fits


def _cuts(span: Span, words: Ranges) -> bool:
    """Check if a span in characters begins or ends inside a word."""
    return _is_inside(span.start, words) or _is_inside(span.end, words)


def _is_inside(at: int, words: Ranges) -> bool:
    """Check if a position lies inside one of the words, which are in order."""
    n = bisect_left(words, (at, at)) - 1
    return n >= 0 and words[n][0] < at < words[n][1]


def notes_of(sides: Mapping[Side, Places]) -> Iterator[tuple[str, int]]:
    """Notes for the account: each with the number of spans that it speaks of."""
    for side, places in sides.items():
        cause = places.cause()
        if cause:
            n_misfits = places.n_spans - places.fits[places.read]
            yield f"{side} spans that do not begin and end where words do{cause}", n_misfits
        else:
            also = "" if side == "source" else ", and are widened to whole words"
            yield f"{side} spans that begin or end inside a word{also}", places.n_inside
        what = f"{side} spans beside which stands another text than at their place"
        yield what, places.n_other_text
