"""Edits of a sentence's text, and the sentence after some of them, with its spans in place."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.scripts import is_invisible
from spanbridge.core.spans import Sentence
from spanbridge.formats.tokens import plain_sentence, with_text

_BETWEEN_SPACES = re.compile("[^ ]+")


class Edit(NamedTuple):
    """A piece of text that another one may take the place of.

    Attributes:
        start, end: characters of the sentence's text, half-open, not empty; the text of a sentence
            without raw text is its words with a space between them.
        text: what takes their place; a space in it ends a word.
        at: strength above which it does so, in [0, 1): a random number.
    """

    start: int
    end: int
    text: str
    at: float


def chosen(sentence: Sentence, edits: Iterable[Edit], strength: float) -> list[Edit]:
    """The edits that are made at a strength, in the order of the text.

    Of edits that cannot be made together, the one with the smallest ``at`` is made. So those of
    a smaller strength are among those of a greater one. An edit is not made that would leave a
    word without a visible character, unless it takes all of it, a span without a word, or the
    sentence without one; nor one that would join words across the edge of a span.

    Args:
        sentence: a sentence with text.
        edits: all edits that there are, whatever the strength.
        strength: in [0, 1]; at 0 none is made, at 1 all that can be.

    Raises:
        SpanbridgeError: an edit lies outside the text, or is empty.
    """
    room = _Room(sentence)
    return sorted(edit for edit in sorted(edits, key=_order) if edit.at < strength and room(edit))


def _order(edit: Edit) -> tuple[float, int, int, str]:
    return edit.at, edit.start, edit.end, edit.text


class _Room:
    """Takes edits one after the other, and refuses those for which there is no room."""

    def __init__(self, sentence: Sentence) -> None:
        self._places = _Places(sentence)
        self._text = sentence.text or ""
        self._taken = bytearray(len(self._text))
        self._visible = [_n_visible(self._text[a:b]) for a, b in sentence.offsets or ()]
        self._total = sum(self._visible)
        self._around: dict[int, list[range]] = {}  # spans around each word
        for start, end, *_ in sentence.spans:
            for n in range(start, end):
                self._around.setdefault(n, []).append(range(start, end))

    def __call__(self, edit: Edit) -> bool:
        start, end, text, _ = edit
        if not 0 <= start < end <= len(self._text):
            raise SpanbridgeError(
                f"edit {start}-{end} lies outside its text of {len(self._text)} characters; edits "
                "are [start, end) with start < end"
            )
        if self._text[start:end] == text or any(self._taken[start:end]):
            return False
        first, last = self._places.touched(edit)
        if any(self._places.is_edge(n) for n in range(first, last)):
            return False
        now: dict[int, int] = {}  # visible characters of the words that it touches
        for n in range(first, last + 1):
            a, b = self._places.offsets[n]
            now[n] = self._visible[n] - _n_visible(self._text[max(a, start) : min(b, end)])
            whole = start <= a and b <= end
            if not whole and now[n] + _n_visible(text) <= 0:
                return False
        if now:
            now[first] += _n_visible(text)
        total = self._total + sum(now.values()) - sum(self._visible[n] for n in now)
        spans = {span for n in now for span in self._around.get(n, ())}
        if not total or any(not sum(now.get(n, self._visible[n]) for n in s) for s in spans):
            return False
        for n, count in now.items():
            self._visible[n] = count
        self._total = total
        self._taken[start:end] = b"\1" * (end - start)
        return True


class _Places:
    """Places of words in a text, and the edges of spans between them."""

    def __init__(self, sentence: Sentence) -> None:
        self.offsets = sentence.offsets or ()
        self._starts = [a for a, _ in self.offsets]
        self._ends = [b for _, b in self.offsets]
        spans = sentence.spans
        self._edges = {s.start - 1 for s in spans} | {s.end - 1 for s in spans}

    def touched(self, edit: Edit) -> tuple[int, int]:
        """The first and the last word that an edit changes or joins; (0, -1) for none."""
        first, last = bisect_right(self._ends, edit.start), bisect_left(self._starts, edit.end) - 1
        between = first > last
        if between and last >= 0 and first < len(self.offsets):
            whole = (self._ends[last], self._starts[first]) == edit[:2]
            return (last, first) if whole and " " not in edit.text else (0, -1)
        return (0, -1) if between else (first, last)

    def is_edge(self, n: int) -> bool:
        """Check if a span begins or ends between the n-th word and the next."""
        return n in self._edges


def _n_visible(text: str) -> int:
    return sum(not (char.isspace() or is_invisible(char)) for char in text)


def edited(sentence: Sentence, edits: Sequence[Edit]) -> Sentence:
    """A sentence after edits.

    Words that an edit reaches across become one, and are cut at the spaces that edits bring; a
    word of which nothing is left is gone, with one of the spaces around it. Spans keep their
    labels and hold what their words have become. Raw text whose words were those of the tokenizer
    is cut into words anew.

    Args:
        sentence: a sentence, with or without text.
        edits: of :func:`chosen`, for the same sentence with text.
    """
    if not edits:
        return sentence
    whole = with_text(sentence)
    before, old = whole.text or "", whole.offsets or ()
    text, after = _new_text(before, edits)
    words: list[str] = []
    offsets: list[tuple[int, int]] = []
    n_before = []  # new words before each former one
    for first, last, changed in _groups(_Places(whole), edits):
        n_before += [len(words)] * (last - first + 1)
        a, b = old[first][0], old[last][1]
        start, end = after(a, False), after(b, True)
        pieces = [(start, end)] if start < end else []
        if first < last or text.count(" ", start, end) > before.count(" ", a, b):
            pieces = list(_cut(text, start, end))
        offsets += pieces
        same = not changed and first == last
        words += [whole.words[first]] if same else [text[c:d] for c, d in pieces]
    n_before.append(len(words))
    spans = tuple(
        span._replace(start=n_before[span.start], end=n_before[span.end]) for span in whole.spans
    )
    if sentence.text is None:
        return Sentence(tuple(words), spans)
    made = Sentence(tuple(words), spans, text, tuple(offsets))
    return plain_sentence(made)[0] if plain_sentence(sentence)[1] is None else made


def _groups(places: _Places, edits: Sequence[Edit]) -> Iterator[tuple[int, int, list[Edit]]]:
    """First and last word of what becomes one piece of text, with the edits in it."""
    joined: set[int] = set()
    changed: dict[int, list[Edit]] = {}
    for edit in edits:
        first, last = places.touched(edit)
        joined.update(range(first, last))
        for n in range(first, last + 1):
            changed.setdefault(n, []).append(edit)
    first = 0
    for n in range(len(places.offsets)):
        if n not in joined:
            yield first, n, [edit for k in range(first, n + 1) for edit in changed.get(k, ())]
            first = n + 1


def _new_text(text: str, edits: Sequence[Edit]) -> tuple[str, Callable[[int, bool], int]]:
    """The text after edits, and where a former beginning or end of a word now is in it."""
    pieces: list[str] = []
    places: list[tuple[int, int, int, int]] = []  # start and end before, and now
    at = length = 0
    for edit in edits:
        pieces += (text[at : edit.start], edit.text)
        start = length + max(edit.start - at, 0)
        at, length = max(edit.end, at), start + len(edit.text)
        before = next((piece[-1] for piece in reversed(pieces) if piece), " ")
        if not edit.text and before.isspace() and text[at : at + 1].isspace():
            at += 1
        places.append((edit.start, at, start, length))
    rest = text[at:]
    whole = "".join(pieces) + rest
    if edits and not (rest or edits[-1].text or text[-1:].isspace()):
        whole = whole.rstrip(" ")

    def after(place: int, is_end: bool) -> int:
        n = bisect_left(places, (place,)) - 1
        if n < 0:
            return place
        _, end, new_start, new_end = places[n]
        if place < end:
            return new_end if is_end else new_start
        return place - end + new_end

    return whole, after


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The pieces between spaces of a part of a text."""
    for match in _BETWEEN_SPACES.finditer(text, start, end):
        yield match.span()
