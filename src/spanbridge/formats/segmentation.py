"""Sentence splitting, and word segmentation of scripts without spaces, by external libraries.

Other packages add a splitter or a segmenter by an entry point in the group ``spanbridge.splitter``
or ``spanbridge.segmenter``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import version

from spanbridge.core.requirements import Part
from spanbridge.core.scripts import is_unspaced
from spanbridge.formats.closed_classes import ClosedClasses
from spanbridge.formats.tokens import tokenize

Range = tuple[int, int]
# Scripts (ISO 15924) written without spaces for which ICU has dictionaries.
DICTIONARIES = frozenset({"Hans", "Hant", "Jpan", "Khmr", "Laoo", "Mymr", "Thai"})


class Cutter(Part, ABC):
    """Splitter of text into half-open ranges of characters (code points), in order, gapless."""

    @abstractmethod
    def describe(self) -> str:
        """Name, and version of the rules or the data."""

    @abstractmethod
    def __call__(self, text: str, language: str) -> Sequence[Range]:
        """Return the ranges; ``language`` is a BCP-47 code."""


class Sentencex(Cutter):
    """Sentences by Wikimedia's ``sentencex`` (rules and abbreviations of some 240 languages)."""

    requires = ("sentencex",)

    def __init__(self) -> None:
        import sentencex

        self._segment = sentencex.segment

    def describe(self) -> str:
        """Name and version."""
        return f"sentencex({version('sentencex')})"

    def __call__(self, text: str, language: str) -> Sequence[Range]:
        """Return ranges of sentences; unknown languages are cut as their nearest relative."""
        code = language.partition("-")[0]
        # no-break and thin spaces can make the library (1.0.32) panic
        plain = "".join(" " if char.isspace() and char != "\n" else char for char in text)
        return _ranges(self._segment(code, plain), plain)


class _Icu(Cutter):
    requires = ("icu4py",)
    breaker = ""

    def __init__(self) -> None:
        from icu4py import breakers

        self._breaker = getattr(breakers, self.breaker)

    def describe(self) -> str:
        return f"icu({version('icu4py')})"

    def __call__(self, text: str, language: str) -> Sequence[Range]:
        return _ranges(list(self._breaker(text, language)), text)


class IcuSentences(_Icu):
    """Sentences by the rules of Unicode (UAX 29), through ICU."""

    breaker = "SentenceBreaker"


class IcuWords(_Icu):
    """Words by ICU: dictionaries of Chinese, Japanese, Thai, Lao, Khmer and Burmese."""

    breaker = "WordBreaker"


def graphemes(text: str) -> list[Range]:
    """Characters as they are seen, letters with their marks (UAX 29), by ICU."""
    if text.isascii():
        return [(n, n + 1) for n in range(len(text))]
    from icu4py.breakers import CharacterBreaker

    return _ranges(list(CharacterBreaker(text, "und")), text)


def _ranges(pieces: Sequence[str], text: str) -> list[Range]:
    found, at = [], 0
    for piece in pieces:
        found.append((at, at + len(piece)))
        at += len(piece)
    # the result is ignored if the library has changed the text
    return found if "".join(pieces) == text else [(0, len(text))]


def sentences(text: str, language: str, splitter: Cutter) -> list[Range]:
    """Ranges of sentences without surrounding white space; blank ones are left out."""
    found = []
    for start, end in splitter(text, language):
        piece = text[start:end]
        left = len(piece) - len(piece.lstrip())
        if piece.strip():
            found.append((start + left, start + len(piece.rstrip())))
    return found


def words(text: str, language: str, segmenter: Cutter) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    """Cut text as ``tokens.tokenize`` does, but scripts without spaces into words too."""
    offsets: list[Range] = []
    for start, end in _runs(text):
        if is_unspaced(text[start]):
            cut = segmenter(text[start:end], language)
            offsets += ((start + a, start + b) for a, b in cut)
        else:
            offsets.append((start, end))
    return tuple(text[a:b] for a, b in offsets), tuple(offsets)


def word_edges(text: str, closed: ClosedClasses | None) -> set[int]:
    """Character positions where words of ICU's dictionaries begin or end, or particles in them."""
    edges: set[int] = set()
    for start, end in words(text, "und", icu_words())[1]:
        glued = () if closed is None else closed.starts(text[start:end])
        edges |= {start, end, *(start + at for at in glued)}
    return edges


@cache
def icu_words() -> IcuWords:
    """The dictionaries of ICU, loaded once."""
    return IcuWords()


def _runs(text: str) -> Iterator[Range]:
    """Yield words; adjacent ones in scripts without spaces are joined."""
    begun: Range | None = None
    for start, end in tokenize(text)[1]:
        joins = is_unspaced(text[start])
        if begun is not None and joins and begun[1] == start:
            begun = (begun[0], end)
            continue
        if begun is not None:
            yield begun
            begun = None
        if joins:
            begun = (start, end)
        else:
            yield start, end
    if begun is not None:
        yield begun
