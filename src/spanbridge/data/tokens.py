"""Raw text -> words with their places, in any script, without a model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

from spanbridge.core.scripts import is_unspaced

# Every character is given a kind: s(pace), w(ord: letters and digits), c (a letter of a script
# written without spaces), m(ark, or an invisible joiner), a(postrophe or hyphen), o(ther).
_TOKEN = re.compile(r"w[wm]*(?:aw[wm]*)*|[cmao]m*")
_INSIDE_WORDS = frozenset("'\u2019-\u2010\u2011")


def tokenize(
    text: str, boundaries: Iterable[int] = ()
) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """Cut text into words; every character that is not whitespace lies in exactly one.

    A word is a run of letters, marks and digits, with apostrophes and hyphens inside it
    (``Ankara'da``); of scripts written without spaces, each character with its marks is a word;
    so is any other single character.

    Args:
        text: the raw text.
        boundaries: character positions where words end too, so that labelled spans are whole words.

    Returns:
        The words, and for each its half-open range of characters (code points).
    """
    kinds = text.translate(_KINDS)
    cuts = sorted({0, len(text), *boundaries})
    offsets = tuple(
        match.span()
        for start, end in pairwise(cuts)
        for match in _TOKEN.finditer(kinds, start, end)
    )
    return tuple(text[start:end] for start, end in offsets), offsets


class _Kinds(dict[int, str]):
    """Kind of each code point, found out when first met."""

    def __missing__(self, code: int) -> str:
        kind = self[code] = _kind(chr(code))
        return kind


_KINDS = _Kinds()


def _kind(char: str) -> str:
    category = unicodedata.category(char)
    if char.isspace():
        return "s"
    if char in _INSIDE_WORDS:
        return "a"
    if category[0] == "M" or category == "Cf":
        return "m"
    if category[0] == "L" and is_unspaced(char):
        return "c"
    return "w" if category[0] in "LN" else "o"
