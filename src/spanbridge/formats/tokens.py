"""Rule-based tokenizer: raw text to words with their offsets, in any script."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from spanbridge.core.scripts import is_invisible, is_unspaced
from spanbridge.core.spans import Sentence, Span

# Kinds of characters: s(pace), w(ord: letters and digits), c (a letter of a script written without
# spaces), m(ark, a skin tone, or a joiner but for j, which joins emoji, too), r (a letter of a
# flag), i(nvisible), a(postrophe or hyphen), o(ther).
_TOKEN = re.compile(r"w[wmj]*(?:i+[wmj]+|aw[wmj]*)*|o[mj]*(?:(?<=j)o[mj]*)*|rr?[mj]*|[cmaj][mj]*")
_JOINER, _FLAGS, _SKINS = "\u200d", range(0x1F1E6, 0x1F200), range(0x1F3FB, 0x1F400)
_JOINTS = ("wa", "aw", "ma", "ja")
_INSIDE_WORDS = frozenset("'\u2019-\u2010\u2011")
# Articles, prepositions and pronouns that lose their vowel before the next word (French, Catalan,
# Italian, Occitan): l'Ajuntament, qu'Anna, dell'Unione. Capitalised, only at the beginning of a
# sentence: O'Brien and N'Djamena are whole.
_ELIDED = re.compile(
    r"(?<![\w'\u2019-])(?:[cdjlmnst]|qu|un|all|dall|dell|nell|sull|quell|quest|jusqu|lorsqu|puisqu)"
    r"['\u2019](?=\w)",
    re.IGNORECASE,
)
# Web addresses, without the punctuation that may follow them.
_ADDRESS = re.compile(r"(?:https?://|www\.)[!#-&(-;=?-~]*[\w/=&#~+-]", re.ASCII | re.IGNORECASE)
_SUFFIX = re.compile(r"(?<=[^\W_])['\u2019]([^\W\d_]+)(?![\w'\u2019-])")
_ZERO_WIDTH_SPACE = "\u200b"
_BEFORE_SENTENCES = frozenset('.!?:\u2026"([\u00ab\u00bb\u201c\u201d\u2014-')


def tokenize(
    text: str, boundaries: Iterable[int] = ()
) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """Cut text into words; every character that can be seen lies in exactly one.

    A word is a run of letters, marks and digits, with apostrophes and hyphens inside it
    (``Ankara'da``), except after elided articles and the like (``l'|Ajuntament``); in scripts
    written without spaces, each character with its marks is a word; so is any other single
    character, and an emoji of several (with a skin tone, joined, a flag). A web address is one
    word. Invisible characters (soft hyphens, directional marks, a byte order mark) belong to a word
    inside it, but not at its ends; a zero-width space separates words.

    Args:
        text: the raw text.
        boundaries: character positions where words end too, so that labelled spans are whole words.

    Returns:
        The words, and for each its half-open range of characters (code points).
    """
    asked = frozenset(boundaries)
    return (_remembered if len(text) <= _SHORT else _tokenized)(text, asked)


def _tokenized(
    text: str, asked: frozenset[int]
) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    kinds = text.translate(_KINDS)
    elided = set(_elided(text)) if "a" in kinds else set()
    whole = {} if "w." not in text.lower() and "://" not in text else _addresses(text, asked)
    cuts = sorted({0, len(text), *asked, *elided, *whole, *whole.values()})
    offsets: list[tuple[int, int]] = []
    for start, end in pairwise(cuts):
        if whole.get(start) == end:
            offsets.append((start, end))
            continue
        offsets += (match.span() for match in _TOKEN.finditer(kinds, start, end))
        if end in elided and end - start > 1:  # an elided word ends with its apostrophe
            offsets[-2:] = [(offsets[-2][0], end)]
    return tuple(text[start:end] for start, end in offsets), tuple(offsets)


# A text is cut again and again on its way through a pipeline, mostly soon after the last time.
_SHORT = 500  # characters; no more memory than a few megabytes
_remembered = lru_cache(1024)(_tokenized)

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


def with_text(sentence: Sentence, *, treebank: bool = False) -> Sentence:
    """The sentence with text and the places of its words: its own, or its words joined by spaces.

    Args:
        sentence: the sentence.
        treebank: where the words are joined, tokens of the Penn Treebank become what they stand
            for: ``-LRB- do n't -RRB-`` is ``(don't)``. Else each word stays as it is.
    """
    if sentence.text is not None and sentence.offsets is not None:
        return sentence
    text, open_before = "", True
    offsets: list[tuple[int, int]] = []
    for word in sentence.words:
        # an apostrophe's clitic only after a word: 's in "the 's-Hertogenbosch" is none
        glued = treebank and (
            word in _CLOSED or (_CLITIC.fullmatch(word) is not None and text[-1:].isalnum())
        )
        if text and not open_before and not glued:
            text += " "
        written = _TREEBANK.get(word, word) if treebank else word
        offsets.append((len(text), len(text) + len(written)))
        text += written
        open_before = treebank and word in _OPENED
    return replace(sentence, text=text, offsets=tuple(offsets))


def spans_in_text(sentence: Sentence) -> tuple[Span, ...]:
    """The spans of a sentence with text, in characters of it."""
    offsets = sentence.offsets or ()
    return tuple(
        span._replace(start=offsets[span.start][0], end=offsets[span.end - 1][1])
        for span in sentence.spans
    )


def raw_sentence(text: str) -> Sentence:
    """Cut a raw text into the words of a sentence, which keeps the text and their offsets."""
    words, offsets = tokenize(text)
    return Sentence(words, (), text, offsets)


def at_joints(text: str, edges: Iterable[int]) -> list[int]:
    """Those of some character positions that lie beside an apostrophe or hyphen inside a word."""
    kinds = text.translate(_KINDS)
    return [edge for edge in edges if kinds[max(0, edge - 1) : edge + 1] in _JOINTS]


def suffix_starts(text: str, known: frozenset[str] | None = None) -> list[int]:
    """Positions of the apostrophes before the suffixes of words (``Ankara|'da``).

    A suffix is what follows the last apostrophe of a word in small letters, if no elided article
    stands before it (``l'ajuntament``).

    Args:
        text: raw text.
        known: the suffixes that there are; None for any.
    """
    if not any(sign in text for sign in "'\u2019"):
        return []
    elided = set(_elided(text))
    return [
        match.start()
        for match in _SUFFIX.finditer(text)
        if match[1].islower()
        and match.start() + 1 not in elided
        and (known is None or match[1] in known)
    ]


def split_words(sentence: Sentence, edges: Iterable[int]) -> Sentence:
    """A sentence with raw text whose words also end at some positions of it; spans stay."""
    text, offsets = sentence.text, sentence.offsets
    if text is None or offsets is None:
        return sentence
    cuts = sorted(edges)
    ranges: list[tuple[int, int]] = []
    firsts, lasts = [], []  # of each former word
    for start, end in offsets:
        firsts.append(len(ranges))
        inside = cuts[bisect_right(cuts, start) : bisect_left(cuts, end)]
        ranges += pairwise([start, *dict.fromkeys(inside), end])
        lasts.append(len(ranges))
    if len(ranges) == len(offsets):
        return sentence
    spans = tuple(s._replace(start=firsts[s.start], end=lasts[s.end - 1]) for s in sentence.spans)
    words = tuple(text[start:end] for start, end in ranges)
    return Sentence(words, spans, text, tuple(ranges), sentence.empty_probability)


def plain_sentence(sentence: Sentence) -> tuple[Sentence, list[list[int]] | None]:
    """A sentence with the words of the tokenizer wherever it has raw text; spans keep their places.

    Returns:
        The sentence, and the indices of the words that make up each former word: None if it is as
        it was.
    """
    if sentence.text is None or sentence.offsets is None:
        return sentence, None
    starts = {sentence.offsets[span.start][0] for span in sentence.spans}
    ends = {sentence.offsets[span.end - 1][1] for span in sentence.spans}
    words, offsets = tokenize(sentence.text, starts | ends)
    same = offsets == sentence.offsets
    # no plain word ends with what cannot be seen, but a restored name can: Hait\u00c3\u00ad
    if same or not (starts <= {a for a, _ in offsets} and ends <= {b for _, b in offsets}):
        return sentence, None
    firsts, lasts = [a for a, _ in offsets], [b for _, b in offsets]
    inside = [
        list(range(bisect_right(lasts, start), bisect_left(firsts, end)))
        for start, end in sentence.offsets
    ]
    spans = tuple(
        span._replace(start=inside[span.start][0], end=inside[span.end - 1][-1] + 1)
        for span in sentence.spans
    )
    return (
        Sentence(words, spans, sentence.text, offsets, sentence.empty_probability),
        inside,
    )


def in_same_words(one: Sentence, other: Sentence) -> tuple[Sentence, Sentence]:
    """Two sentences over the same text, each split where words of the other end.

    At least one has a text; of the other it may be the words joined by spaces.
    """
    if one.words == other.words or one.text is other.text is None:
        return one, other
    texts = with_text(one), with_text(other)
    if texts[0].text != texts[1].text:
        return one, other
    one, other = texts
    both = [[edge for place in s.offsets or () for edge in place] for s in (one, other)]
    return split_words(one, both[1]), split_words(other, both[0])


def _addresses(text: str, boundaries: Collection[int]) -> dict[int, int]:
    """Start and end of each web address in which no word has to end."""
    found = (match.span() for match in _ADDRESS.finditer(text))
    return {a: b for a, b in found if not any(a < boundary < b for boundary in boundaries)}


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
    if char == _JOINER or ord(char) in _FLAGS:
        return "j" if char == _JOINER else "r"
    if category[0] == "M" or category == "Cf" or ord(char) in _SKINS:
        return "m"
    if category[0] == "L" and is_unspaced(char):
        return "c"
    return "w" if category[0] in "LN" else "o"
