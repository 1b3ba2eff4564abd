"""Rule-based tokenizer: raw text to words with their offsets, in any script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

from spanbridge.core.scripts import is_invisible, is_unspaced
from spanbridge.core.spans import Sentence, Span

# Kinds of characters: s(pace), w(ord: letters and digits), c (a letter of a script written without
# spaces), m(ark, or a joiner), i(nvisible), a(postrophe or hyphen), o(ther).
_TOKEN = re.compile(r"w[wm]*(?:i+[wm]+|aw[wm]*)*|[cmao]m*")
_INSIDE_WORDS = frozenset("'\u2019-\u2010\u2011")
# Articles, prepositions and pronouns that lose their vowel before the next word (French, Catalan,
# Italian, Occitan): l'Ajuntament, qu'Anna, dell'Unione. Capitalised, only at the beginning of a
# sentence: O'Brien and N'Djamena are whole.
_ELIDED = re.compile(
    r"(?<![\w'\u2019-])(?:[cdjlmnst]|qu|un|all|dall|dell|nell|sull|quell|quest|jusqu|lorsqu|puisqu)"
    r"['\u2019](?=\w)",
    re.IGNORECASE,
)
_ZERO_WIDTH_SPACE = "\u200b"
_BEFORE_SENTENCES = frozenset('.!?:\u2026"([\u00ab\u00bb\u201c\u201d\u2014-')


def tokenize(
    text: str, boundaries: Iterable[int] = ()
) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """Cut text into words; every character that can be seen lies in exactly one.

    A word is a run of letters, marks and digits, with apostrophes and hyphens inside it
    (``Ankara'da``), except after elided articles and the like (``l'|Ajuntament``); in scripts
    written without spaces, each character with its marks is a word; so is any other single
    character. Invisible characters (soft hyphens, directional marks, a byte order mark) belong to a
    word inside it, but not at its ends; a zero-width space separates words.

    Args:
        text: the raw text.
        boundaries: character positions where words end too, so that labelled spans are whole words.

    Returns:
        The words, and for each its half-open range of characters (code points).
    """
    kinds = text.translate(_KINDS)
    elided = set(_elided(text)) if "a" in kinds else set()
    cuts = sorted({0, len(text), *boundaries, *elided})
    offsets: list[tuple[int, int]] = []
    for start, end in pairwise(cuts):
        offsets += (match.span() for match in _TOKEN.finditer(kinds, start, end))
        if end in elided and end - start > 1:  # an elided word ends with its apostrophe
            offsets[-2:] = [(offsets[-2][0], end)]
    return tuple(text[start:end] for start, end in offsets), tuple(offsets)


def raw_sentence(text: str) -> Sentence:
    """Cut a raw text into the words of a sentence, which keeps the text and their offsets."""
    words, offsets = tokenize(text)
    return Sentence(words, (), text, offsets)


def in_characters(sentence: Sentence) -> tuple[str, tuple[Span, ...]]:
    """Text of a sentence, and its spans in characters of that text."""
    if sentence.text is not None and sentence.offsets is not None:
        text, offsets = sentence.text, sentence.offsets
    else:
        text, offsets = " ".join(sentence.words), ()
        at = 0
        for word in sentence.words:
            offsets += ((at, at + len(word)),)
            at += len(word) + 1
    spans = (
        s._replace(start=offsets[s.start][0], end=offsets[s.end - 1][1]) for s in sentence.spans
    )
    return text, tuple(spans)


def _elided(text: str) -> Iterator[int]:
    for match in _ELIDED.finditer(text):
        word, start = match.group(), match.start()
        before = text[max(0, start - 3) : start].rstrip()
        begins = not before or before[-1] in _BEFORE_SENTENCES
        if word.islower() or (begins and word[1:] == word[1:].lower()):
            yield match.end()


class _Kinds(dict[int, str]):
    """Kind of each code point, computed on first use."""

    def __missing__(self, code: int) -> str:
        kind = self[code] = _kind(chr(code))
        return kind


_KINDS = _Kinds()


def _kind(char: str) -> str:
    category = unicodedata.category(char)
    if char.isspace() or char == _ZERO_WIDTH_SPACE:
        return "s"
    if char in _INSIDE_WORDS:
        return "a"
    if is_invisible(char):
        return "i"
    if category[0] == "M" or category == "Cf":
        return "m"
    if category[0] == "L" and is_unspaced(char):
        return "c"
    return "w" if category[0] in "LN" else "o"
