"""Scripts that are written without spaces between words."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_UNSPACED = (
    "CJK ",
    "HALFWIDTH KATAKANA",
    "HIRAGANA",
    "IDEOGRAPHIC",
    "KATAKANA",
    "KHMER",
    "LAO ",
    "MYANMAR",
    "THAI ",
    "TIBETAN",
)


@lru_cache(maxsize=100_000)
def is_unspaced(char: str) -> bool:
    """Check if a character belongs to a script written without spaces (Han, Kana, Thai ...)."""
    return unicodedata.name(char, "").startswith(_UNSPACED)
