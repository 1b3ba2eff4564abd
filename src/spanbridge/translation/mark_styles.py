"""Styles of marks: how they are written, how they are told in a translation, what they can hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from string import ascii_lowercase
from typing import Literal, get_args
from unicodedata import normalize

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.marks import StyleName
from spanbridge.core.similar import not_named

STYLES: tuple[str, ...] = get_args(StyleName)

Place = tuple[int, int]
# What may lie beside each other: apart, in each other, across each other.
Holds = Literal["disjoint", "nested", "crossing"]


@dataclass(frozen=True)
class MarkStyle:
    """A way to write marks around spans.

    Attributes:
        left, right: marks before and after a span, with the name of the span for ``{}``.
        holds: the spans of one text that it can mark together: ``disjoint`` ones only, also
            ``nested`` ones, or also ``crossing`` ones.
        signs: what a translation may have of its marks: other brackets and quotes, full width,
            spaces inside, escapes. The marks of named spans have two groups, slash and name.
        openers, closers: the signs that may open and close, of marks without names.
        names: names of spans in reading order; empty if marks do not tell spans apart.
    """

    left: str
    right: str
    holds: Holds
    signs: re.Pattern[str]
    openers: frozenset[str] = frozenset()
    closers: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: n for n, name in enumerate(self.names)}

    def pair(self, n: int) -> tuple[str, str]:
        """The marks before and after the n-th span in reading order, from 0."""
        name = self.names[n] if self.names else ""
        return self.left.format(name), self.right.format(name)

    def number(self, mark: re.Match[str]) -> int:
        """Number of the span that a mark names; -1 if it names none."""
        return self._numbers.get(normalize("NFKC", mark[2]).lower(), -1) if self.names else -1

    def held(self, places: Sequence[Place]) -> list[int]:
        """Indices of the places that it can mark together, in reading order, outer ones first.

        Of two that it cannot hold together the longer one is marked, of equally long ones the
        first; and of more places than it has names the first ones.
        """
        taken: list[int] = []
        for n in sorted(range(len(places)), key=lambda n: places[n][0] - places[n][1]):
            if all(self._holds(places[n], places[k]) for k in taken):
                taken.append(n)
        taken.sort(key=lambda n: (places[n][0], -places[n][1], n))
        return taken[: len(self.names)] if self.names else taken

    def _holds(self, one: Place, other: Place) -> bool:
        apart = one[1] <= other[0] or other[1] <= one[0]
        if self.holds == "nested":
            return apart or contains(one, other) or contains(other, one)
        return apart or self.holds == "crossing"


def contains(outer: Place, inner: Place) -> bool:
    """Check if a place holds all of another, or is the same."""
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def alike(sources: tuple[Place, Place], targets: tuple[Place, Place]) -> bool:
    """Check that two places overlap in a translation only as the spans that they are of do.

    They are apart, or one contains the other as its span does, or their spans cross.
    """
    (a, b), (x, y) = sources, targets
    if x[1] <= y[0] or y[1] <= x[0]:
        return True
    if contains(a, b) or contains(b, a):
        return (contains(a, b) and contains(x, y)) or (contains(b, a) and contains(y, x))
    return a[0] < b[1] and b[0] < a[1]


def style_of(name: str) -> MarkStyle:
    """The style of a name. Raises SpanbridgeError if there is none."""
    if name not in _STYLES:
        raise SpanbridgeError(not_named("style of marks", name, STYLES))
    return _STYLES[name]


def _signs(left: str, right: str, pair: tuple[str, str], holds: Holds) -> MarkStyle:
    """A style whose marks are single signs: these, with "|" between them."""
    openers, closers = frozenset(left.split("|")), frozenset(right.split("|"))
    pattern = re.compile("|".join(map(re.escape, sorted(openers | closers))))
    return MarkStyle(*pair, holds, pattern, openers, closers)


def _tags(left: str, right: str, brackets: tuple[str, str], name: str, names: str) -> MarkStyle:
    """A style whose marks are tags that name the spans: signs of brackets, and of a name."""
    opening, closing = brackets
    pattern = re.compile(
        rf"(?:[<\uff1c\u3008\u2039{opening}]|&lt;)\s*([/\uff0f\\]?)\s*{name}"
        rf"\s*(?:[>\uff1e\u3009\u203a{closing}]|&gt;)",
        re.IGNORECASE,
    )
    return MarkStyle(left, right, "crossing", pattern, names=tuple(names.split()))


_STYLES = {
    "brackets": _signs(
        "[|\u3010|\uff3b|&#91;", "]|\u3011|\uff3d|&#93;", ("[ ", " ]"), holds="nested"
    ),
    "quotes": _signs(
        '"|\u201c|\u201d|\u00ab|\u201e|\uff02|\u300c|\u300e|&quot;',
        '"|\u201c|\u201d|\u00bb|\uff02|\u300d|\u300f|&quot;',
        ('" ', ' "'),
        holds="disjoint",
    ),
    "xml": _tags(
        *("<e{}> ", " </e{}>", ("\u00ab\u300a\\[", "\u00bb\u300b\\]")),
        r"[e\uff45\u0435]\s*0*(\d{1,4})",
        " ".join(map(str, range(10_000))),
    ),
    # as LabelPigeon writes them (Thennal et al. 2026): no spaces inside, a to z
    "letters": _tags("<{}>", "</{}>", ("", ""), "([a-z\uff41-\uff5a])", " ".join(ascii_lowercase)),
}
