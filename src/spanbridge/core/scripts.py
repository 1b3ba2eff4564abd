"""Characters: scripts written without spaces, what cannot be seen, and words in Latin letters."""

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


# Soft hyphen, Arabic letter mark, Mongolian vowel separator; zero-width space; directional marks,
# embeddings and isolates; word joiner and invisible operators; byte order mark. Not among them:
# joiners (ZWJ, ZWNJ), tags of flags and signs such as the Arabic number sign, which change what is
# seen.
_INVISIBLE = frozenset(
    map(
        chr,
        (
            *(0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF),
            *range(0x202A, 0x202F),
            *range(0x2060, 0x2070),
        ),
    )
)


def is_invisible(char: str) -> bool:
    """Check if a character cannot be seen and changes nothing in the characters beside it."""
    return char in _INVISIBLE


@lru_cache(maxsize=100_000)
def is_unspaced(char: str) -> bool:
    """Check if a character belongs to a script written without spaces (Han, Kana, Thai ...)."""
    return unicodedata.name(char, "").startswith(_UNSPACED)


@lru_cache(maxsize=100_000)
def script_prefix(char: str) -> str:
    """First word of a character's name, which for letters is their script: ``LATIN``, ``CJK``."""
    return unicodedata.name(char, "").partition(" ")[0]


@lru_cache(2**13)
def plain_spelling(word: str) -> str:
    """A word in small Latin letters, to compare its spelling with others."""
    from anyascii import anyascii

    return anyascii(word).lower()
