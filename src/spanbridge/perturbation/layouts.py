"""Keyboards: which letters lie beside a letter. ``layouts.tsv`` holds their rows of keys.

A row stands below the one before it, shifted as on common keyboards; ``·`` is a key without a
letter. The keys with the shift key held are a second line of the same layout. The first layout of a
script serves all its languages that have none of their own.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from spanbridge.perturbation.hangul import with_other_jamo

_NO_KEY = "·"
# Where the last four rows begin, in widths of a key; the topmost are the digits of Western layouts.
_SHIFTS = (-0.5, 0.0, 0.25, 0.75)
_NEAR = 1.3  # distance of neighbours, in widths of a key
# InScript has the same sounds on the same keys, and the blocks of these scripts the same order.
_INSCRIPT, _DEVANAGARI = "inscript", 0x900
_BLOCKS = {0x980, 0xA00, 0xA80, 0xB00, 0xB80, 0xC00, 0xC80, 0xD00}
_BLOCK = 0x80
# Ethiopic has no keys of its own: a syllable is typed as consonant and vowel. A wrong vowel is
# another syllable of the same eight.
_ETHIOPIC, _VOWELS = range(0x1200, 0x1380), 8

Neighbours = dict[str, str]


@cache
def layouts() -> dict[str, tuple[frozenset[str], Neighbours]]:
    """Languages (ISO 639-3) of each layout, and the neighbours of each of its letters."""
    found: dict[str, tuple[frozenset[str], Neighbours]] = {}
    lines = Path(__file__).with_suffix(".tsv").read_text("utf-8").splitlines()[1:]
    for line in lines:
        name, languages, keys = line.split("\t")
        known = found.setdefault(name, (frozenset(filter(None, languages.split(","))), {}))
        known[1].update(_neighbours(keys.split(" ")))
    return found


def _neighbours(rows: list[str]) -> Neighbours:
    places = {
        key: (n + shift, float(y))
        for y, (row, shift) in enumerate(zip(rows, _SHIFTS[-len(rows) :], strict=True))
        for n, key in enumerate(row)
        if key != _NO_KEY
    }
    return {
        key: "".join(
            other
            for other, (c, d) in places.items()
            if other != key and (a - c) ** 2 + (b - d) ** 2 < _NEAR**2
        )
        for key, (a, b) in places.items()
    }


def layout_names() -> tuple[str, ...]:
    """Names of all layouts."""
    return tuple(layouts())


def _serving(letter: str, language: str, layout: str | None) -> Neighbours:
    """The keyboard on which a letter is typed; empty if there is none."""
    known = layouts()
    if layout is not None and letter in known[layout][1]:
        return known[layout][1]
    holding = [(spoken, keys) for spoken, keys in known.values() if letter in keys]
    own = next((keys for spoken, keys in holding if language in spoken), None)
    return own or next((keys for spoken, keys in holding if not spoken), {})


@cache
def neighbours(letter: str, language: str = "", layout: str | None = None) -> str:
    """Letters that are typed in a letter's place by the keys beside its own.

    Args:
        letter: one code point, in small letters where its script has them.
        language: ISO 639-3, or empty.
        layout: layout that comes before the language's own; None for none.
    """
    code = ord(letter)
    if code in _ETHIOPIC:
        series = range(code - code % _VOWELS, code - code % _VOWELS + _VOWELS)
        beside = "".join(chr(c) for c in series if c != code)
    elif syllables := with_other_jamo(letter, layouts()["dubeolsik"][1]):
        beside = "".join(syllables)
    elif (block := code - code % _BLOCK) in _BLOCKS:
        keys = layouts()[_INSCRIPT][1].get(chr(code - block + _DEVANAGARI), "")
        beside = "".join(chr(ord(key) - _DEVANAGARI + block) for key in keys)
    else:
        beside = _serving(letter, language, layout).get(letter, "")
    kind = unicodedata.category(letter)[0]
    return "".join(key for key in beside if unicodedata.category(key)[0] == kind)
