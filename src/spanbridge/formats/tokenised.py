"""Tells tokenised text from raw text: by where its commas and full stops stand, and by scripts
that are written without spaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spanbridge.core.scripts import is_unspaced

# Note of rows that were found to be raw text.
TEXT_CUT = "rows of raw text, cut into words (--tokenised if spaces separate all words)"

_CLOSERS = "\"'\u2019\u201c\u201d\u00bb\u203a)]}\u300d\u300f\uff09"
# A full stop also ends abbreviations, so it counts at the end of a line only; a question mark after
# a space is good French, so it says nothing.
_SIGNS = ",\u060c\u06d4\u0964\u0965\u1362\u1363\u3001\u3002\uff0c\u104a\u104b"
_STOPS = ".\u2026"
_CRIES = "!?\u061f\uff01\uff1f"
_PUNCTUATION = _SIGNS + _STOPS + _CRIES + _CLOSERS
# Words of Chinese and Japanese have some two characters, of Thai and Burmese four to six.
_LONGEST_MEAN = 8
# Abbreviations that names begin or end with, in lower case.
_ABBREVIATIONS = frozenset(
    "bros cie co corp dept dr inc jr ltd mr mrs ms prof sr st univ".split()  # noqa: SIM905
)
_SEVERAL = 3  # such words in a row: somebody has put spaces between them


def is_abbreviated(word: str) -> bool:
    """Check if a full stop after a word is likely to be part of it: ``U.S``, ``J``, ``Inc``."""
    return len(word) == 1 or "." in word or word.lower() in _ABBREVIATIONS


def is_tokenised(rows: Iterable[Sequence[str]]) -> bool | None:
    """Check if texts have been cut into words already, so that spaces separate all of them.

    They are raw if scripts without spaces form words of a mean length that no language has, or if
    more commas, and stops at the ends of rows, touch the word before them than stand alone.

    Args:
        rows: the pieces between spaces of each text.

    Returns:
        True or False; None if nothing tells, as in texts without punctuation.
    """
    n_glued = n_alone = n_rows = n_unspaced = n_characters = 0
    for row in rows:
        n_rows += 1
        for n, piece in enumerate(row, 1):
            length = sum(map(is_unspaced, piece))
            if 2 * length > len(piece):
                n_unspaced += 1
                n_characters += length
            ending = piece.rstrip(_CLOSERS)[-1:]
            if ending and ending in (_PUNCTUATION if n == len(row) else _SIGNS + _CRIES):
                if bare := piece.rstrip(_PUNCTUATION):
                    n_glued += not (ending == "." and is_abbreviated(bare))
                elif ending not in _CRIES:
                    n_alone += 1
    if 2 * n_unspaced >= n_rows and n_characters > _LONGEST_MEAN * n_unspaced:
        return False
    if n_unspaced and n_unspaced >= _SEVERAL * n_rows:
        return True
    if n_glued > n_alone:
        return False
    return True if n_alone else None
