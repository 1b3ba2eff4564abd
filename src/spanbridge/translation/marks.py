"""Marks for mark-then-translate: spans are marked in a sentence, and found in its translation.

EasyProject (Chen, Jiang, Ritter and Xu 2023, "Frustratingly Easy Label Projection for
Cross-lingual Transfer"): ``[ ]`` around every span, translation, and a fuzzy match of the bracketed
text with the translation of each span by itself, since translators move brackets about. XML tags
number the spans, so that no matching is needed where they survive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process
from scipy.optimize import linear_sum_assignment

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Span

Similarities = npt.NDArray[np.float64]
STYLES = ("brackets", "xml", "quotes")
_OPEN_CLOSE = {"brackets": ("[", "]"), "quotes": ('"', '"')}
# Translators change the marks: other brackets, other quotes, spaces inside tags.
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
        raise SpanbridgeError(f"no marks are named {style!r}; there are: {', '.join(STYLES)}")
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
        _by_tag(pieces, len(spans))
        if style == "xml"
        else _by_similarity(plain, pieces, alone, min_score)
    )
    matched.sort(key=lambda match: pieces[match[1]][:2])
    made = tuple(Span(*pieces[k][:2], spans[n].label, score) for n, k, score in matched)
    origins = tuple(n for n, _, _ in matched)
    return Recovered(plain, made, origins, tuple(sorted(set(range(len(spans))) - set(origins))))


def _by_tag(pieces: Sequence[tuple[int, int, str]], n_spans: int) -> list[tuple[int, int, float]]:
    """(span, piece, score) of each match; a number that comes twice names no span."""
    names = [int(name) for _, _, name in pieces]
    return [
        (name, k, 1.0) for k, name in enumerate(names) if names.count(name) == 1 and name < n_spans
    ]


def _by_similarity(
    plain: str, pieces: Sequence[tuple[int, int, str]], alone: Sequence[str], min_score: float
) -> list[tuple[int, int, float]]:
    """(span, piece, score) of each match: the assignment of the greatest total similarity."""
    if not pieces or not alone:
        return []
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


def _unmarked(text: str, style: str) -> str:
    return " ".join(_MARKS[style].sub(" ", text).split())


def _joined(left: str, right: str) -> str:
    """Both texts with a space between, but none before closing punctuation."""
    if not left or not right:
        return left + right
    return f"{left}{right}" if right[0] in ".,;:!?)%\u3002\uff0c" else f"{left} {right}"
