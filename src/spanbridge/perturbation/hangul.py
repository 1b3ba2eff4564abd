"""Hangul syllables, taken apart into the jamo of keyboards and put together again."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

# Initials and finals of syllables in the order of Unicode, as the jamo of keyboards.
_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
# Code point of the first of each in a decomposed syllable.
_PARTS = ((0x1100, _INITIALS), (0x1161, _VOWELS), (0x11A8, _FINALS))


def jamo_of(syllable: str) -> str:
    """The conjoining jamo of a syllable; empty for anything else."""
    apart = unicodedata.normalize("NFD", syllable)
    whole = 1 < len(apart) <= len(_PARTS)
    fits = whole and all(
        0 <= ord(s) - a < len(of) for s, (a, of) in zip(apart, _PARTS, strict=False)
    )
    return apart if fits else ""


def with_other_jamo(syllable: str, like: Mapping[str, Iterable[str]]) -> list[str]:
    """Syllables in which one jamo has become another one; none for what is no syllable.

    Args:
        syllable: one grapheme.
        like: jamo of keyboards that may take the place of each one.
    """
    apart = jamo_of(syllable)
    made = []
    for n, (sign, (first, of)) in enumerate(zip(apart, _PARTS, strict=False)):
        for other in like.get(of[ord(sign) - first], ()):
            if other in of:
                changed = f"{apart[:n]}{chr(first + of.index(other))}{apart[n + 1 :]}"
                made.append(unicodedata.normalize("NFC", changed))
    return made


def ends_in_consonant(word: str) -> bool:
    """Check if a word's last syllable has a final, which decides the form of particles."""
    return len(jamo_of(word[-1:])) == len(_PARTS)
