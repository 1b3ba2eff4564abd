"""Perturbations of the script: words in Latin letters, or in those of another script."""

from __future__ import annotations

import unicodedata
from abc import abstractmethod
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

from anyascii import anyascii

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.scripts import script_prefix
from spanbridge.core.similar import not_named
from spanbridge.perturbation.base import EditingPerturbation, Given
from spanbridge.perturbation.edits import Edit


class _OtherScript(EditingPerturbation):
    """Words in other letters."""

    @abstractmethod
    def _written(self, word: str) -> str:
        """A word in the other letters."""

    def edits(self, given: Given) -> Iterator[Edit]:
        """One for each word of other letters than those wanted."""
        for n, (start, end) in enumerate(given.places):
            if made := self._written(given.text[start:end]):
                yield Edit(start, end, made, given.draw(n)[0])


class Romanise(_OtherScript):
    """Words in Latin letters, by ``anyascii``; words that have no others stay as they are."""

    name = "romanise"

    def describe(self) -> str:
        """Name, and version of the library."""
        return f"romanise(anyascii {version('anyascii')})"

    def _written(self, word: str) -> str:
        return "" if _scripts(word) <= {"LATIN"} else _ascii(word)


class Transliterate(_OtherScript):
    """Words in the letters of another script, one for each sound of their Latin spelling.

    ``scripts.tsv`` holds the letters.

    Args:
        to: the script, by ISO 15924.
    """

    name = "transliterate"

    def __init__(self, to: str = "Cyrl") -> None:
        if to not in _letters():
            raise SpanbridgeError(not_named("script", to, _letters()))
        self._to = to
        self._known = _letters()[to]
        self._own = script_prefix(self._known["a"])

    def describe(self) -> str:
        """Name, script, and version of the library that spells words in Latin letters."""
        return f"transliterate({self._to},anyascii {version('anyascii')})"

    def _written(self, word: str) -> str:
        if _scripts(word) <= {self._own}:
            return ""
        small = _ascii(word).lower()
        made, at = "", 0
        while at < len(small):
            size = next((n for n in (4, 3, 2) if small[at : at + n] in self._known), 1)
            piece = small[at : at + size]
            made += self._known.get(piece, piece)
            at += size
        if word.isupper() and len(word) > 1:
            return made.upper()
        if self._own == "GREEK" and made.endswith("σ"):
            made = f"{made[:-1]}ς"
        # Georgian has capitals, which are not those of Latin words
        capital = word[:1].isupper() and made[:1].title() == made[:1].upper()
        return made[:1].upper() + made[1:] if capital else made


def _scripts(word: str) -> set[str]:
    """Scripts of a word's letters; without any, the word stays in all scripts."""
    return {script_prefix(char) for char in word if unicodedata.category(char)[0] == "L"}


def _ascii(word: str) -> str:
    """A word in Latin letters; empty if they would not be one word."""
    return "".join(anyascii(word).split())


@cache
def _letters() -> dict[str, dict[str, str]]:
    found = {}
    for line in Path(__file__).with_name("scripts.tsv").read_text("utf-8").splitlines()[1:]:
        script, letters = line.split("\t")
        found[script] = dict(pair.split("=") for pair in letters.split(" "))
    return found
