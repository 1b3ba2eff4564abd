"""Rule-based tokenizer: raw text to words with their offsets, in any script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from spanbridge.core.scripts import is_unspaced
from spanbridge.core.spans import Sentence

# Kinds of characters: s(pace), w(ord: letters and digits), c (a letter of a script written without
# spaces), m(ark, or an invisible joiner), a(postrophe or hyphen), o(ther).
_TOKEN = re.compile(r"w[wm]*(?:aw[wm]*)*|[cmao]m*")
_INSIDE_WORDS = frozenset("'\u2019-\u2010\u2011")
# Articles, prepositions and pronouns that lose their vowel before the next word (French, Catalan,
# Italian, Occitan): l'Ajuntament, qu'Anna, dell'Unione. Capitalised, only at the beginning of a
# sentence: O'Brien and N'Djamena are whole.
_ELIDED = re.compile(
    r"(?<![\w'\u2019-])(?:[cdjlmnst]|qu|un|all|dall|dell|nell|sull|quell|quest|jusqu|lorsqu|puisqu)"
    r"['\u2019](?=\w)",
    re.IGNORECASE,
)
_BEFORE_SENTENCES = frozenset('.!?:\u2026"([\u00ab\u00bb\u201c\u201d\u2014-')


def tokenize(
    text: str, boundaries: Iterable[int] = ()
) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """Cut text into words; every character that is not white space lies in exactly one.

    A word is a run of letters, marks and digits, with apostrophes and hyphens inside it
    (``Ankara'da``), except after elided articles and the like (``l'|Ajuntament``); in scripts
    written without spaces, each character with its marks is a word; so is any other single
    character.

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


# Brackets and quotes as the Penn Treebank writes them, and what they stand for.
_TREEBANK = {
    "-LRB-": "(",
    "-RRB-": ")",
    "-LSB-": "[",
    "-RSB-": "]",
    "-LCB-": "{",
    "-RCB-": "}",
    "``": '"',
    "''": '"',
    "`": "'",
}
_OPENED = frozenset(("-LRB-", "-LSB-", "-LCB-", "``", "`"))
_CLOSED = frozenset(("-RRB-", "-RSB-", "-RCB-", "''"))
_CLITIC = re.compile("(?:n['\u2019]t|['\u2019](?:s|m|d|ll|re|ve))", re.IGNORECASE)


def running_text(words: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Tokenised words as text for a translator, and each word's characters in it.

    Words stand with spaces between them, but the tokens of the Penn Treebank become what they
    stand for: ``-LRB- do n't -RRB-`` is ``(don't)``.
    """
    text, open_before = "", True
    offsets: list[tuple[int, int]] = []
    for word in words:
        # an apostrophe's clitic only after a word: 's in "the 's-Hertogenbosch" is none
        glued = word in _CLOSED or (_CLITIC.fullmatch(word) is not None and text[-1:].isalnum())
        if text and not open_before and not glued:
            text += " "
        written = _TREEBANK.get(word, word)
        offsets.append((len(text), len(text) + len(written)))
        text += written
        open_before = word in _OPENED
    return text, tuple(offsets)


def raw_sentence(text: str) -> Sentence:
    """Cut a raw text into the words of a sentence, which keeps the text and their offsets."""
    words, offsets = tokenize(text)
    return Sentence(words, (), text, offsets)


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
    if char.isspace():
        return "s"
    if char in _INSIDE_WORDS:
        return "a"
    if category[0] == "M" or category == "Cf":
        return "m"
    if category[0] == "L" and is_unspaced(char):
        return "c"
    return "w" if category[0] in "LN" else "o"
