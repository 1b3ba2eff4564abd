"""Sentences of a text, and words of scripts that are written without spaces, by others' libraries.

Other packages add a splitter or a segmenter by an entry point in the group ``spanbridge.splitter``
or ``spanbridge.segmenter``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any, Protocol

from spanbridge.core.errors import MissingExtraError
from spanbridge.core.scripts import is_unspaced
from spanbridge.data.tokens import tokenize

Range = tuple[int, int]
# Scripts (ISO 15924) that are written without spaces, and that ICU has dictionaries for.
DICTIONARIES = frozenset({"Hans", "Hant", "Jpan", "Khmr", "Laoo", "Mymr", "Thai"})


class Cutter(Protocol):
    """Cuts text into ranges of characters (code points), half-open, in order, without gaps."""

    def describe(self) -> str:
        """Name, and version of the data."""
        ...

    def __call__(self, text: str, language: str) -> Sequence[Range]:
        """The ranges; ``language`` is a BCP-47 code."""
        ...


class Sentencex:
    """Sentences by Wikimedia's ``sentencex`` (rules and abbreviations of some 240 languages)."""

    def __init__(self) -> None:
        self._library = _library("sentencex")

    def describe(self) -> str:
        """Name and version."""
        return f"sentencex({version('sentencex')})"

    def __call__(self, text: str, language: str) -> Sequence[Range]:
        """Sentences; a language that it does not know is cut as its nearest relative is."""
        code = language.partition("-")[0]
        # no-break and thin spaces can make the library (1.0.32) panic, as Rust calls it
        plain = "".join(" " if char.isspace() and char != "\n" else char for char in text)
        return _ranges(self._library.segment(code, plain), plain)


class _Icu:
    breaker = ""

    def __init__(self) -> None:
        self._breaker = getattr(_library("icu4py.breakers"), self.breaker)

    def describe(self) -> str:
        """Name and version."""
        return f"icu({version('icu4py')})"

    def __call__(self, text: str, language: str) -> Sequence[Range]:
        """The ranges between boundaries."""
        return _ranges(list(self._breaker(text, language)), text)


class IcuSentences(_Icu):
    """Sentences by the rules of Unicode (UAX 29), through ICU."""

    breaker = "SentenceBreaker"


class IcuWords(_Icu):
    """Words by ICU: dictionaries of Chinese, Japanese, Thai, Lao, Khmer and Burmese."""

    breaker = "WordBreaker"


def _ranges(pieces: Sequence[str], text: str) -> list[Range]:
    found, at = [], 0
    for piece in pieces:
        found.append((at, at + len(piece)))
        at += len(piece)
    # a library that changes the text that it was to cut is not believed
    return found if "".join(pieces) == text else [(0, len(text))]


def _library(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0]
        raise MissingExtraError(
            f"{package} is not installed; it comes with: pip install 'spanbridge[pipeline]'"
        ) from error


def sentences(text: str, language: str, splitter: Cutter) -> list[Range]:
    """Ranges of sentences, without the white space about them; blank ones are left out."""
    found = []
    for start, end in splitter(text, language):
        piece = text[start:end]
        left = len(piece) - len(piece.lstrip())
        if piece.strip():
            found.append((start + left, start + len(piece.rstrip())))
    return found


def words(text: str, language: str, segmenter: Cutter) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    """As :func:`~spanbridge.data.tokens.tokenize`, with words in scripts written without spaces."""
    offsets: list[Range] = []
    for start, end in _runs(text):
        if is_unspaced(text[start]):
            cut = segmenter(text[start:end], language)
            offsets += ((start + a, start + b) for a, b in cut)
        else:
            offsets.append((start, end))
    return tuple(text[a:b] for a, b in offsets), tuple(offsets)


def _runs(text: str) -> Iterator[Range]:
    """Words, those of scripts without spaces run together as far as they touch."""
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
