"""Marks for mark-then-translate: spans are marked in a sentence, and found in its translation.

EasyProject (Chen, Jiang, Ritter and Xu 2023, "Frustratingly Easy Label Projection for
Cross-lingual Transfer"): ``[ ]`` around every span, translation, and a fuzzy match of the bracketed
text with the translation of each span by itself, since translators move brackets about. XML tags
number the spans, so that no matching is needed where they survive.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.scripts import is_unspaced
from spanbridge.core.similar import not_named
from spanbridge.core.spans import Span

Similarities = npt.NDArray[np.float64]
STYLES = ("brackets", "xml", "quotes")
_OPEN_CLOSE = {"brackets": ("[", "]"), "quotes": ('"', '"')}
# Translators change the marks: other brackets and quotes, full width, spaces inside, escapes.
_LEFT = {
    "brackets": "[|\u3010|\uff3b|&#91;",
    "quotes": '"|\u201c|\u201d|\u00ab|\u201e|\uff02|\u300c|\u300e|&quot;',
}
_RIGHT = {
    "brackets": "]|\u3011|\uff3d|&#93;",
    "quotes": '"|\u201c|\u201d|\u00bb|\uff02|\u300d|\u300f|&quot;',
}
# What brackets may come back as, but what may be the text's own too.
_OTHERS = re.compile(
    r"\(([^()]*)\)|\uff08([^\uff08\uff09]*)\uff09|\u300c([^\u300c\u300d]*)\u300d"
    r"|\u300e([^\u300e\u300f]*)\u300f|\u3014([^\u3014\u3015]*)\u3015|\u300a([^\u300a\u300b]*)\u300b"
)


def _signs(style: str) -> re.Pattern[str]:
    signs = {*_LEFT[style].split("|"), *_RIGHT[style].split("|")}
    return re.compile("|".join(map(re.escape, sorted(signs))))


_MARKS = {
    "brackets": _signs("brackets"),
    "quotes": _signs("quotes"),
    "xml": re.compile(
        r"(?:[<\uff1c\u3008\u2039\u00ab\u300a\[]|&lt;)\s*([/\uff0f\\]?)\s*[e\uff45\u0435]\s*(\d{1,4})\s*(?:[>\uff1e\u3009\u203a\u00bb\u300b\]]|&gt;)",
        re.IGNORECASE,
    ),
}
# White space that is collapsed; a no-break space is typography.
_SPACE = re.compile(r"[ \t\r\n\v\f]+")
_CLOSING = frozenset(".,;:!?)]}%\u060c\u061b\u061f\u0964\u2026")
_OPENING = frozenset("([{\u00bf\u00a1\u201e")


@dataclass(frozen=True)
class Recovered:
    """A translation without its marks.

    Attributes:
        text: with single spaces, and none that the marks alone brought.
        spans: in characters of ``text``, disjoint, in order; a score is the similarity of the
            marked text to the span's own translation, in [0, 1] (1 where a tag names the span).
        origins: index of the marked span that each of ``spans`` comes from.
        lost: indices of the marked spans that were not found again.
    """

    text: str
    spans: tuple[Span, ...]
    origins: tuple[int, ...]
    lost: tuple[int, ...]


def markable(text: str, spans: Sequence[Span], style: str) -> str | None:
    """The reason why a text cannot be marked in a style, or None.

    Raises:
        SpanbridgeError: no such style.
    """
    if style not in STYLES:
        raise SpanbridgeError(not_named("style of marks", style, STYLES))
    if _MARKS[style].search(text):
        return "it holds such marks already"
    ordered = sorted(spans, key=lambda span: span[:2])
    if any(b.start < a.end for a, b in pairwise(ordered)):
        return "its spans cross"
    return None


def mark(text: str, spans: Sequence[Span], style: str) -> str:
    """Put marks around each span; tags number the spans.

    Args:
        text: a text that :func:`markable` has no objection to.
        spans: in characters, disjoint.
        style: one of ``STYLES``.
    """
    parts, at = [], 0
    for n in sorted(range(len(spans)), key=lambda n: spans[n].start):
        start, end = spans[n].start, spans[n].end
        left, right = _OPEN_CLOSE.get(style, (f"<e{n}>", f"</e{n}>"))
        parts += [text[at:start], f"{left} {text[start:end]} {right}"]
        at = end
    return "".join([*parts, text[at:]])


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
    plain, pieces = _without_marks(translated, style)
    matched = (
        _by_tag(pieces, len(spans))
        if style == "xml"
        else _by_similarity(plain, pieces, alone, min_score)
    )
    matched.sort(key=lambda match: pieces[match[1]][:2])
    made = tuple(Span(*pieces[k][:2], spans[n].label, score) for n, k, score in matched)
    origins = tuple(n for n, _, _ in matched)
    return Recovered(plain, made, origins, tuple(sorted(set(range(len(spans))) - set(origins))))


def _restore(found: re.Match[str], wanted: Sequence[str], min_score: float) -> str:
    """Brackets about what is much like a span that was lost, in place of other signs."""
    inside = found.group(found.lastindex or 1).strip()
    like = max(fuzz.ratio(inside.lower(), text.lower()) for text in wanted) / 100
    return f"\u3010{inside}\u3011" if inside and like >= min_score else found.group()


def _without_marks(translated: str, style: str) -> tuple[str, list[tuple[int, int, str]]]:
    """The text without marks; and of each marked piece the characters [start, end), its tag."""
    marks = list(_MARKS[style].finditer(translated))
    ends = _pairs(marks, style)
    closing = set(ends.values())
    pieces: list[tuple[int, int, str]] = []
    opened: dict[int, int] = {}  # closing mark -> where its piece begins
    plain, at, gap, wide = "", 0, False, False
    for n in range(len(marks) + 1):
        mark = marks[n] if n < len(marks) else None
        segment = translated[at : mark.start() if mark else None]
        text = _SPACE.sub(" ", segment).strip(" ")
        if text:
            # beside a mark, the spaces outside it count; those inside were put there by mark()
            inner = (n - 1) in ends
            before = gap or (not inner and _SPACE.match(segment[:1]) is not None and n > 0)
            joined = _joined(plain, text, before, wide)
            start = len(joined) - len(text)
            if n - 1 in ends:
                opened[ends[n - 1]] = start
            plain, gap, wide = joined, False, False
        if mark is None:
            break
        if n in closing:
            if n in opened:
                name = mark.group(2) if style == "xml" else ""
                pieces.append((opened[n], len(plain), name))
        else:
            gap = gap or _SPACE.match(segment[-1:]) is not None
        wide = wide or unicodedata.east_asian_width(mark.group()[0]) in "WF"
        at = mark.end()
    return plain, pieces


def _pairs(marks: Sequence[re.Match[str]], style: str) -> dict[int, int]:
    """Opening marks -> closing ones. A tag is closed by the next of its number, slash or not."""
    pairs: dict[int, int] = {}
    n = 0
    while n < len(marks):
        if style == "xml":
            if marks[n].group(1):
                n += 1
                continue
            number = int(marks[n].group(2))
            later = range(n + 1, len(marks))
            end = next((k for k in later if int(marks[k].group(2)) == number), None)
        else:
            opens = marks[n].group() in _LEFT[style].split("|")
            closes = n + 1 < len(marks) and marks[n + 1].group() in _RIGHT[style].split("|")
            end = n + 1 if opens and closes else None
        if end is not None:
            pairs[n] = end
            n = end
        n += 1
    return pairs


def _by_tag(pieces: Sequence[tuple[int, int, str]], n_spans: int) -> list[tuple[int, int, float]]:
    """(span, piece, score) of each match; a number that comes twice names no span."""
    names = [int(name or -1) for _, _, name in pieces]
    return [
        (name, k, 1.0) for k, name in enumerate(names) if names.count(name) == 1 and name < n_spans
    ]


def _by_similarity(
    plain: str, pieces: Sequence[tuple[int, int, str]], alone: Sequence[str], min_score: float
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
