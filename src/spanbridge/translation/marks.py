"""Marks for mark-then-translate: spans are marked in a sentence, and found in its translation.

EasyProject (Chen, Jiang, Ritter and Xu 2023, "Frustratingly Easy Label Projection for
Cross-lingual Transfer"): ``[ ]`` around every span, translation, and a fuzzy match of the bracketed
text with the translation of each span by itself, since translators move brackets about. Tags name
the spans, so that no matching is needed where they survive: by numbers (``<e0>``), or by letters
(``<a>``), which LabelPigeon was trained on (Thennal, Biemann and Hatzel 2026, arXiv 2603.12021).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

from spanbridge.core.scripts import is_unspaced
from spanbridge.core.spans import Span
from spanbridge.translation.mark_styles import MarkStyle, alike, style_of

Similarities = npt.NDArray[np.float64]
# Characters [start, end) between two marks, and the number of the span that they name, or -1.
Piece = tuple[int, int, int]
# What brackets may come back as, but what may be the text's own too.
_OTHERS = re.compile(
    r"\(([^()]*)\)|\uff08([^\uff08\uff09]*)\uff09|\u300c([^\u300c\u300d]*)\u300d"
    r"|\u300e([^\u300e\u300f]*)\u300f|\u3014([^\u3014\u3015]*)\u3015|\u300a([^\u300a\u300b]*)\u300b"
)
# White space that is collapsed; a no-break space is typography.
_SPACE = re.compile(r"[ \t\r\n\v\f]+")
_CLOSING = frozenset(".,;:!?)]}%\u060c\u061b\u061f\u0964\u2026")
_OPENING = frozenset("([{\u00bf\u00a1\u201e")


@dataclass(frozen=True)
class Recovered:
    """A translation without its marks.

    Attributes:
        text: with single spaces, and none that the marks alone brought.
        spans: in characters of ``text``, by start, then outer ones first; two overlap only as the
            marked spans do. A score is the similarity of the marked text to the span's own
            translation, in [0, 1] (1 where a tag names the span).
        origins: index of the marked span that each of ``spans`` comes from.
        lost: indices of the marked spans that were not found again.
    """

    text: str
    spans: tuple[Span, ...]
    origins: tuple[int, ...]
    lost: tuple[int, ...]


def markable(text: str, style: str) -> str | None:
    """The reason why a text cannot be marked in a style, or None.

    Raises:
        SpanbridgeError: no such style.
    """
    return "it holds such marks already" if style_of(style).signs.search(text) else None


def mark(text: str, spans: Sequence[Span], style: str) -> str:
    """Put marks around each span; tags name the spans in reading order, outer ones first.

    Args:
        text: a text that :func:`markable` has no objection to.
        spans: in characters; those that the style can hold (:meth:`MarkStyle.held`).
        style: one of ``STYLES``.
    """
    writes = style_of(style)
    # at one place: inner spans end first, then outer ones, then outer spans begin, then inner ones
    marks: list[tuple[tuple[int, int, int, int], str]] = []
    for n, k in enumerate(in_reading_order(spans)):
        start, end = spans[k].start, spans[k].end
        left, right = writes.pair(n)
        marks += [((start, 1, -end, n), left), ((end, 0, -start, -n), right)]
    parts, at = [], 0
    for (place, *_), sign in sorted(marks):
        parts += [text[at:place], sign]
        at = place
    return "".join([*parts, text[at:]])


def in_reading_order(spans: Sequence[Span]) -> list[int]:
    """Indices of spans by start, then outer ones first."""
    return sorted(range(len(spans)), key=lambda n: (spans[n].start, -spans[n].end, n))


def recover(
    translated: str,
    spans: Sequence[Span],
    alone: Sequence[str],
    style: str,
    min_score: float = 0.5,
) -> Recovered:
    """Take the marks out of a translation, and find the spans that they marked.

    Args:
        translated: the translation of a text from :func:`mark`.
        spans: the marked spans, for their labels.
        alone: translation of each span by itself.
        style: style of the marks.
        min_score: least similarity at which a bracketed text is taken for a span, in [0, 1].
    """
    found = _recover(translated, spans, alone, style, min_score)
    if style == "brackets" and found.lost:
        wanted = [alone[n] for n in found.lost]
        restored = _OTHERS.sub(lambda m: _restore(m, wanted, min_score), translated)
        if restored != translated:
            again = _recover(restored, spans, alone, style, min_score)
            found = again if len(again.lost) < len(found.lost) else found
    return found


def _recover(
    translated: str, spans: Sequence[Span], alone: Sequence[str], style: str, min_score: float
) -> Recovered:
    plain, pieces = _without_marks(translated, style_of(style))
    matched = (
        _by_tag(pieces, in_reading_order(spans))
        if style_of(style).names
        else _by_similarity(plain, pieces, alone, min_score)
    )
    kept: dict[int, tuple[int, int, float]] = {}
    for n, k, score in sorted(matched, key=lambda match: _outer_first(*pieces[match[1]][:2])):
        place = pieces[k][:2]
        if all(
            alike((spans[m][:2], spans[n][:2]), (other[:2], place)) for m, other in kept.items()
        ):
            kept[n] = (*place, score)
    made = tuple(Span(a, b, spans[n].label, score) for n, (a, b, score) in kept.items())
    return Recovered(plain, made, tuple(kept), tuple(sorted(set(range(len(spans))) - set(kept))))


def _outer_first(start: int, end: int) -> tuple[int, int]:
    return start, -end


def _restore(found: re.Match[str], wanted: Sequence[str], min_score: float) -> str:
    """Brackets about what is much like a span that was lost, in place of other signs."""
    inside = found.group(found.lastindex or 1).strip()
    like = max(fuzz.ratio(inside.lower(), text.lower()) for text in wanted) / 100
    return f"\u3010{inside}\u3011" if inside and like >= min_score else found.group()


def _without_marks(translated: str, style: MarkStyle) -> tuple[str, list[Piece]]:
    """The text without marks, and its marked pieces."""
    marks = list(style.signs.finditer(translated))
    ends = _pairs(marks, style)
    begins = {end: n for n, end in ends.items()}
    pieces: list[Piece] = []
    opened: dict[int, int] = {}  # opening mark -> where its piece begins
    waiting: list[int] = []  # opening marks that no text has followed yet
    plain, at, gap, wide = "", 0, False, False
    for n in range(len(marks) + 1):
        mark = marks[n] if n < len(marks) else None
        segment = translated[at : mark.start() if mark else None]
        text = _SPACE.sub(" ", segment).strip(" ")
        # beside a mark, the spaces outside it count; those inside were put there by mark()
        inner = (n - 1) in ends
        if text:
            before = gap or (not inner and _SPACE.match(segment[:1]) is not None and n > 0)
            joined = _joined(plain, text, before, wide)
            opened |= dict.fromkeys(waiting, len(joined) - len(text))
            plain, gap, wide, waiting = joined, False, False, []
        if mark is None:
            break
        if n not in begins:
            waiting += [n] if n in ends else []
            outside = bool(text) or not inner
            gap = gap or (outside and _SPACE.match(segment[-1:]) is not None)
        elif begins[n] in opened:
            pieces.append((opened[begins[n]], len(plain), style.number(marks[begins[n]])))
        else:  # nothing stands between the two
            waiting.remove(begins[n])
        wide = wide or unicodedata.east_asian_width(mark.group()[0]) in "WF"
        at = mark.end()
    return plain, pieces


def _pairs(marks: Sequence[re.Match[str]], style: MarkStyle) -> dict[int, int]:
    """Opening marks -> closing ones.

    A tag is closed by the next of its name, slash or not. A sign that can close closes the last one
    that is open; else it opens, if it can.
    """
    pairs: dict[int, int] = {}
    closing: set[int] = set()
    opened: list[int] = []
    for n, mark in enumerate(marks):
        if style.names:
            if mark[1] or n in closing:
                continue
            number = style.number(mark)
            later = (k for k in range(n + 1, len(marks)) if k not in closing)
            end = next((k for k in later if style.number(marks[k]) == number), None)
            if end is not None:
                pairs[n] = end
                closing.add(end)
        elif mark.group() in style.closers and opened:
            pairs[opened.pop()] = n
        elif mark.group() in style.openers:
            opened.append(n)
    return pairs


def _by_tag(pieces: Sequence[Piece], order: Sequence[int]) -> list[tuple[int, int, float]]:
    """(span, piece, score) of each match; a name that comes twice names no span."""
    numbers = [number for _, _, number in pieces]
    return [
        (order[number], k, 1.0)
        for k, number in enumerate(numbers)
        if numbers.count(number) == 1 and 0 <= number < len(order)
    ]


def _by_similarity(
    plain: str, pieces: Sequence[Piece], alone: Sequence[str], min_score: float
) -> list[tuple[int, int, float]]:
    """(span, piece, score) of each match: the assignment of the greatest total similarity."""
    if not pieces or not alone:
        return []
    from scipy.optimize import linear_sum_assignment

    texts = [plain[start:end] for start, end, _ in pieces]
    scores = similarities(alone, texts)
    rows, columns = linear_sum_assignment(np.where(scores >= min_score, scores, 0.0), maximize=True)
    return [
        (int(n), int(k), float(scores[n, k]))
        for n, k in zip(rows, columns, strict=True)
        if scores[n, k] >= min_score
    ]


def similarities(some: Sequence[str], others: Sequence[str]) -> Similarities:
    """Similarity of each text to each of the others, in [0, 1]: 1 - edits / total length."""
    found: Similarities = process.cdist(some, others, scorer=fuzz.ratio, processor=str.lower) / 100
    return found


def _joined(left: str, right: str, gap: bool, wide: bool) -> str:
    """Both texts, with a space between if the translator would have written one without marks.

    Args:
        left, right: texts on both sides of a mark.
        gap: True if there was white space outside the mark.
        wide: True if the mark was of full width, which leaves no room for a space.
    """
    if not left or not right:
        return left + right
    a, b = left[-1], right[0]
    dense = (_is_dense(a), _is_dense(b))
    if gap and (b in _CLOSING or a in _OPENING or all(dense)):
        gap = False
    elif wide and a.isalnum() and b.isalnum() and not any(dense):
        gap = True
    return f"{left} {right}" if gap else left + right


def _is_dense(char: str) -> bool:
    """Check if a character has no spaces about it: Han, Kana, Thai, full-width marks."""
    if is_unspaced(char):
        return True
    wide = unicodedata.east_asian_width(char) in "WF"
    return wide and not unicodedata.name(char, "").startswith("HANGUL")
