"""Perturbations of letters: typing errors, lost diacritics, errors of character recognition."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

from anyascii import anyascii

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.scripts import is_unspaced, script_prefix
from spanbridge.core.similar import not_named
from spanbridge.perturbation.base import EditingPerturbation, Given, pick
from spanbridge.perturbation.edits import Edit
from spanbridge.perturbation.hangul import with_other_jamo
from spanbridge.perturbation.layouts import layout_names, neighbours


def is_letter(text: str) -> bool:
    """Check if a grapheme begins with a letter."""
    return unicodedata.category(text[0])[0] == "L"


class Typos(EditingPerturbation):
    """Typing errors: a key beside the right one, a letter too many or too few, or two exchanged.

    The four kinds (Damerau 1964) are as frequent as each other. Letters of scripts without a
    keyboard here, such as Han, are left out, doubled or exchanged.

    Args:
        layout: keyboard of ``layouts.tsv``, where the letter is on it; None takes that of the
            language, or the usual one of the script.
    """

    name = "typos"

    def __init__(self, layout: str | None = None) -> None:
        if layout is not None and layout not in layout_names():
            raise SpanbridgeError(not_named("layout", layout, layout_names()))
        self._layout = layout

    def describe(self) -> str:
        """Name, layout and language."""
        spoken = "" if self.language is None else self.language.iso3
        told = ",".join(filter(None, (self._layout, spoken)))
        return f"typos({told or 'usual layouts'})"

    def edits(self, given: Given) -> Iterator[Edit]:
        """One for each letter."""
        text = given.text
        letters = [
            (n, k, start, end, len(places) == 1)
            for n, places in given.letters()
            for k, (start, end) in enumerate(places)
        ]
        following = dict(pairwise((start, end) for _, _, start, end, _ in letters))
        for n, k, start, end, alone in letters:
            letter = text[start:end]
            if not is_letter(letter):
                continue
            at, *numbers = given.draw(n, k)
            kind = ("beside", "too many", "too few", "exchanged")[int(4 * numbers[0])]
            other = self._beside(letter, numbers[1])
            after = following.get((start, end), (end, end))
            next_one = text[end : after[1]] if after[0] == end else ""
            if kind == "exchanged" and next_one not in ("", letter) and is_letter(next_one):
                yield Edit(start, after[1], next_one + letter, at)
            elif kind == "too few" and (not alone or is_unspaced(letter[0])):
                yield Edit(start, end, "", at)
            elif kind == "too many" or other is None:
                yield Edit(start, end, letter + (other or letter), at)
            else:
                yield Edit(start, end, other, at)

    def _beside(self, letter: str, number: float) -> str | None:
        """The grapheme typed with a key beside the right one; None if no key is known."""
        plain = unicodedata.normalize("NFC", letter)
        language = "" if self.language is None else self.language.iso3
        for base, marks in ((plain[:1], plain[1:]), _parted(plain)):
            small = base.lower() if len(base.lower()) == 1 else base
            if keys := neighbours(small, language, self._layout):
                key = pick(number, keys)
                key = key.upper() if base.isupper() and len(key.upper()) == 1 else key
                return unicodedata.normalize("NFC", key + marks)
        return None


def _parted(letter: str) -> tuple[str, str]:
    apart = unicodedata.normalize("NFD", letter)
    return apart[0], apart[1:]


# Combining classes of marks that people leave out: nukta, points of Hebrew and Arabic, and what is
# written above, below or through letters; not the vowels of Thai or of Indic scripts, which have
# other classes, nor the marks that make other kana.
_LOST = {7, *range(10, 37), *range(200, 235), 240}
_BREVE = "\u0306"


class LostDiacritics(EditingPerturbation):
    """Letters without their diacritics: Yoruba tones, Arabic and Hebrew points, ``ł``, ``ñ``."""

    name = "diacritics"

    def describe(self) -> str:
        """Name."""
        return "diacritics"

    def edits(self, given: Given) -> Iterator[Edit]:
        """One for each letter with diacritics."""
        for n, places in given.letters():
            for k, (start, end) in enumerate(places):
                letter = given.text[start:end]
                if not letter.isascii() and is_letter(letter):
                    yield Edit(start, end, bare(letter), given.draw(n, k)[0])


@cache
def bare(letter: str) -> str:
    """A grapheme without diacritics; in Latin letters those of ASCII, as far as there are any."""
    base, marks = _parted(letter)
    kept = "".join(
        mark
        for mark in marks
        if unicodedata.combining(mark) not in _LOST
        or (mark == _BREVE and script_prefix(base) == "CYRILLIC")  # й is no и
    )
    if script_prefix(base) == "LATIN" and not base.isascii():
        plain = anyascii(base)
        plain = plain.upper() if base == "ẞ" else plain  # it is "Ss" there
        base = plain if plain.isalpha() else base
    found = unicodedata.normalize("NFC", base + kept)
    return letter if found == unicodedata.normalize("NFC", letter) else found


class Ocr(EditingPerturbation):
    """Errors of character recognition: letters taken for others of a like shape.

    The shapes are in ``shapes.tsv``, by script.

    Args:
        spaces: also lose spaces, so that words run together; never at the edge of a span.
    """

    name = "ocr"

    def __init__(self, spaces: bool = False) -> None:
        self._spaces = spaces

    def describe(self) -> str:
        """Name, and whether spaces are lost."""
        return "ocr(spaces)" if self._spaces else "ocr"

    def edits(self, given: Given) -> Iterator[Edit]:
        """One for each letter or pair of letters that has a like shape."""
        text = given.text
        known = _shapes(frozenset(map(script_prefix, text)))
        for n, places in given.letters():
            for k, (start, end) in enumerate(places):
                at, number, *_ = given.draw(n, k)
                pair = text[start : places[k + 1][1]] if k + 1 < len(places) else ""
                if pair in known:
                    yield Edit(start, start + len(pair), pick(number, known[pair]), at)
                elif like := _like(text[start:end], known):
                    yield Edit(start, end, pick(number, like), at)
        if self._spaces:
            for n, ((_, end), (start, _)) in enumerate(pairwise(given.places)):
                if end < start:
                    yield Edit(end, start, "", given.draw(n, -1)[0])


def _like(letter: str, known: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Graphemes of a shape like that of one; marks stay."""
    if found := known.get(letter) or with_other_jamo(letter, known):
        return found
    base, marks = _parted(letter)
    others = [other for other in known.get(base, ()) if is_letter(other) and len(other) == 1]
    return [unicodedata.normalize("NFC", other + marks) for other in others]


@cache
def _shapes(scripts: frozenset[str]) -> dict[str, list[str]]:
    """What has a shape like each letter or pair of letters of some scripts."""
    found: dict[str, list[str]] = {}
    for line in Path(__file__).with_name("shapes.tsv").read_text("utf-8").splitlines()[1:]:
        script, *groups = line.split("\t")
        for group in groups if script in scripts | {"COMMON"} else ():
            for one in group.split(" "):
                others = [other for other in group.split(" ") if other != one]
                found[one] = [*found.get(one, ()), *others]
    return found
