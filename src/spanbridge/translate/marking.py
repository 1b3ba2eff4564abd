"""Mark-then-translate: spans are marked in the sentence, and found again in its translation.

EasyProject (Chen, Jiang, Ritter and Xu 2023, "Frustratingly Easy Label Projection for
Cross-lingual Transfer"): ``[ ]`` around every span, translation, and a fuzzy match of what stands
in brackets with the translation of each span by itself, since translators move brackets about. XML
tags number the spans, so that no matching is needed where they survive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from rapidfuzz import fuzz, process
from scipy.optimize import linear_sum_assignment

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Span

STYLES = ("brackets", "xml", "quotes")
_OPEN_CLOSE = {"brackets": ("[", "]"), "quotes": ('"', '"')}
# What translators make of the marks: other brackets, other quotes, spaces inside tags.
_SIGNS = {
    "brackets": (r"\[\u3010\uff3b", r"\]\u3011\uff3d"),
    "quotes": (r"\"\u201c\u201d\u00ab\u201e", r"\"\u201c\u201d\u00bb"),
}
_MARKS = {
    **{style: re.compile(f"[{left}{right}]") for style, (left, right) in _SIGNS.items()},
    "xml": re.compile(r"<\s*/?\s*e\s*\d+\s*>", re.IGNORECASE),
}
_FOUND = {
    **{
        style: re.compile(rf"[{left}]([^{left}{right}]*)[{right}]")
        for style, (left, right) in _SIGNS.items()
    },
    "xml": re.compile(r"<\s*e\s*(\d+)\s*>(.*?)<\s*/\s*e\s*\1\s*>", re.IGNORECASE | re.DOTALL),
}


@dataclass(frozen=True)
class Recovered:
    """A translation without its marks.

    Attributes:
        text: with single spaces.
        spans: in characters of ``text``, disjoint, in order; scores are the similarity of what was
            marked with the span's own translation, in [0, 1] (1 where a tag names the span).
        lost: which of the marked spans were not found again.
    """

    text: str
    spans: tuple[Span, ...]
    lost: tuple[int, ...]


def markable(text: str, spans: Sequence[Span], style: str) -> str | None:
    """Why a text cannot be marked in a style, or None.

    Raises:
        SpanbridgeError: no such style.
    """
    if style not in STYLES:
        raise SpanbridgeError(f"no marks are named {style!r}; there are: {', '.join(STYLES)}")
    if _MARKS[style].search(text):
        return "it holds such marks already"
    ordered = sorted(spans, key=lambda span: span[:2])
    if any(b.start < a.end for a, b in pairwise(ordered)):
        return "its spans overlap"
    return None


def mark(text: str, spans: Sequence[Span], style: str) -> str:
    """The text with marks about each span; tags number the spans.

    Args:
        text: that :func:`markable` lets pass.
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
    least: float = 0.5,
) -> Recovered:
    """Take the marks out of a translation, and say what they marked.

    Args:
        translated: the translation of what :func:`mark` made.
        spans: that were marked, for their labels.
        alone: translation of each span by itself.
        style: of the marks.
        least: similarity below which what stands in brackets is not taken for a span.
    """
    pieces: list[tuple[int, int, str]] = []  # character range in the plain text, name of the tag
    plain = ""
    at = 0
    for found in _FOUND[style].finditer(translated):
        inside = found.group(found.lastindex or 1)
        plain = _joined(plain, _unmarked(translated[at : found.start()], style))
        inner = _unmarked(inside, style)
        plain = _joined(plain, inner)
        if inner:
            pieces.append((len(plain) - len(inner), len(plain), found.group(1)))
        at = found.end()
    plain = _joined(plain, _unmarked(translated[at:], style))
    matched = (
        _by_tag(pieces, len(spans)) if style == "xml" else _by_likeness(plain, pieces, alone, least)
    )
    made = tuple(
        Span(pieces[k][0], pieces[k][1], spans[n].label, score) for n, k, score in sorted(matched)
    )
    lost = tuple(sorted(set(range(len(spans))) - {n for n, _, _ in matched}))
    return Recovered(plain, tuple(sorted(made, key=lambda span: span[:2])), lost)


def _by_tag(pieces: Sequence[tuple[int, int, str]], n_spans: int) -> list[tuple[int, int, float]]:
    """Span, piece, score; a number that comes twice names nothing."""
    names = [int(name) for _, _, name in pieces]
    return [
        (name, k, 1.0) for k, name in enumerate(names) if names.count(name) == 1 and name < n_spans
    ]


def _by_likeness(
    plain: str, pieces: Sequence[tuple[int, int, str]], alone: Sequence[str], least: float
) -> list[tuple[int, int, float]]:
    """Span, piece, score: the assignment of the greatest total similarity."""
    if not pieces or not alone:
        return []
    texts = [plain[start:end] for start, end, _ in pieces]
    like = process.cdist(alone, texts, scorer=fuzz.ratio, processor=str.lower) / 100
    rows, columns = linear_sum_assignment(np.where(like >= least, like, 0.0), maximize=True)
    return [
        (int(n), int(k), float(like[n, k]))
        for n, k in zip(rows, columns, strict=True)
        if like[n, k] >= least
    ]


def _unmarked(text: str, style: str) -> str:
    return " ".join(_MARKS[style].sub(" ", text).split())


def _joined(left: str, right: str) -> str:
    """With a space between, but none before a sign that ends something."""
    if not left or not right:
        return left + right
    return f"{left}{right}" if right[0] in ".,;:!?)%\u3002\uff0c" else f"{left} {right}"
