"""Perturbations of how words are written: casing, punctuation, spelling as in social media."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Literal

from spanbridge.core.scripts import is_unspaced
from spanbridge.perturbation.base import EditingPerturbation, Given, pick
from spanbridge.perturbation.edits import Edit

Case = Literal["lower", "upper", "swap"]
# Languages with a dotless i beside the dotted one.
_DOTLESS = ("tur", "aze", "azj", "crh", "tat", "kaz")


class Casing(EditingPerturbation):
    """Words in small letters, in capitals, or with both exchanged.

    Args:
        to: ``lower``, ``upper`` or ``swap``.
    """

    name = "casing"

    def __init__(self, to: Case = "lower") -> None:
        self._to = to

    def describe(self) -> str:
        """Name, case, and whether the language has a dotless i."""
        return f"casing({self._to}{',dotless' if self._dotless else ''})"

    @property
    def _dotless(self) -> bool:
        return self.language is not None and self.language.iso3 in _DOTLESS

    def edits(self, given: Given) -> Iterator[Edit]:
        """One for each word that has such letters."""
        for n, (start, end) in enumerate(given.places):
            yield Edit(start, end, self._cased(given.text[start:end]), given.draw(n)[0])

    def _cased(self, word: str) -> str:
        if self._to == "swap":
            return "".join(self._upper(c) if c.islower() else self._lower(c) for c in word)
        return self._lower(word) if self._to == "lower" else self._upper(word)

    def _lower(self, text: str) -> str:
        return (text.replace("I", "ı").replace("İ", "i") if self._dotless else text).lower()

    def _upper(self, text: str) -> str:
        return (text.replace("i", "İ") if self._dotless else text).upper()


class Punctuation(EditingPerturbation):
    """Punctuation that is left out, but inside words."""

    name = "punctuation"

    def describe(self) -> str:
        """Name."""
        return "punctuation"

    def edits(self, given: Given) -> Iterator[Edit]:
        """One for each mark."""
        text = given.text
        for n, (start, end) in enumerate(given.places):
            for at in range(start, end):
                inside = text[start:at].strip() and text[at + 1 : end].strip()
                word_inside = inside and text[at - 1].isalnum() and text[at + 1].isalnum()
                if unicodedata.category(text[at])[0] == "P" and not word_inside:
                    yield Edit(at, at + 1, "", given.draw(n, at - start)[0])


_VOWELS = frozenset("aeiouAEIOUаеёиоуыэюяіїєАЕЁИОУЫЭЮЯІЇЄαεηιουωΑΕΗΙΟΥΩ")
_REPEATED, _MARKS = 3, "!?\u2026"
_SHORTENED = 6  # letters of a word that is cut short, at least


class SocialMedia(EditingPerturbation):
    """Spelling as in posts: letters and marks repeated, vowels left out, words cut short.

    ``so`` becomes ``sooo``, ``because`` ``bcs`` or ``beca``. Only alphabets with vowels (Latin,
    Cyrillic, Greek) lose any; the last letter is repeated in every script that is written with
    spaces.
    """

    name = "social"

    def describe(self) -> str:
        """Name."""
        return "social"

    def edits(self, given: Given) -> Iterator[Edit]:
        """One for each word, and for each mark that can be repeated."""
        text = given.text
        for n, places in given.letters():
            start, end = given.places[n]
            word = [text[a:b] for a, b in places]
            at, number, *_ = given.draw(n)
            if (made := _as_posted(word, number)) is not None:
                yield Edit(start, end, made, at)


def _as_posted(word: Sequence[str], number: float) -> str | None:
    """A word, in graphemes, in one of the spellings that it can have; None if it has none."""
    plain = "".join(word)
    last = word[-1]
    if plain in _MARKS:
        return plain * _REPEATED
    if not all(unicodedata.category(letter[0])[0] == "L" for letter in word):
        return None
    vowel = unicodedata.category(last[-1])[0] == "M" and not unicodedata.combining(last[-1])
    repeated = last[-1] if vowel else last  # of Indic letters the vowel sign alone
    found = [] if is_unspaced(last[0]) else [plain + repeated * (_REPEATED - 1)]
    bases = [unicodedata.normalize("NFD", letter)[0] for letter in word]
    inner = [n for n in range(1, len(word)) if bases[n] in _VOWELS]
    if inner and len(word) > len(inner) + 1:
        found.append("".join(letter for n, letter in enumerate(word) if n not in inner))
    if len(word) >= _SHORTENED:
        found.append("".join(word[: len(word) // 2 + 1]))
    return pick(number, found) if found else None
