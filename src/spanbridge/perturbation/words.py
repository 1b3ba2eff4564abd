"""Perturbations that leave letters as they are: casing and punctuation."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Literal

from spanbridge.perturbation.base import EditingPerturbation, Given
from spanbridge.perturbation.edits import Edit

Case = Literal["lower", "upper", "swap"]
# Languages with a dotless i beside the dotted one.
_DOTLESS = ("tur", "aze", "azj", "crh", "tat", "kaz")


class Casing(EditingPerturbation):
    """Words in small letters, in capitals, or with both exchanged.

    Args:
        to: ``lower``, ``upper`` or ``swap``.
    """

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
