"""Layouts of CoNLL files: which columns hold words and tags, and how the tags are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.tags import split_tag

# How tags are written: B-PER, B_PER, PER-B, b-per, PER alone (with O outside), or brackets.
Spelling = Literal["B-PER", "B_PER", "PER-B", "b-per", "PER", "(PER*)"]
Row = Sequence[str]  # the columns of a token line

# Before every word of PAN-X: the code of a Wikipedia, as in en:Paris or zh-min-nan:Paris.
_LANGUAGE = re.compile(r"(?:[a-z]{2,3}(?:-[a-z]+)*|simple):")
_RANGE = re.compile(r"\d+[-.]\d+")
_MAX_DIGITS = 9
_FEW = 3  # words that are enough to tell a code before each from a word with a colon
_BARE = re.compile(r"[A-Z][A-Za-z_]*[A-Za-z]")  # one letter is what is left of a tag
_MAX_BARE_LABELS = 30
_BRACKETS = re.compile(r"\*(\))?|\(([^()*]+)(?:\*(\))?|(\)))")
_CONLL_2012 = 12, 3, 10  # at least so many columns; those of words and of names
# Labels of CoNLL-2000.
_CHUNKS = frozenset(
    ("ADJP", "ADVP", "CONJP", "INTJ", "LST", "NP", "PP", "PRT", "SBAR", "UCP", "VP")
)
# What may stand in place of O in a column that has none.
OUTSIDE = frozenset(("", "0", "_", "-", "None", "none", "NONE", "null", "NULL", "nan", "NaN"))
_TWO_TAGS = re.compile(r"[;|,/+][BIESLUMW][-_]")


@dataclass(frozen=True, slots=True)
class Layout:
    """Layout of a file.

    Attributes:
        word, tag: indices of the columns.
        spelling: how tags are written.
        prefix: language code before every word, which is left out.
        also: index of another column of tags, which is not read.
        outside: what stands in place of O.
        numbered: the first column numbers the words, so that lines of several (``3-4``) or no words
            (``3.1``) of CoNLL-U are known.
    """

    word: int = 0
    tag: int = -1
    spelling: Spelling = "B-PER"
    prefix: str = ""
    also: int | None = None
    outside: frozenset[str] = frozenset()
    numbered: bool = False

    def is_word(self, number: str) -> bool:
        """Check if a line is a word's, given its first column."""
        return not (self.numbered and _RANGE.fullmatch(number))

    def words(self, column: Sequence[str]) -> tuple[str, ...]:
        """The words of a row, given their column."""
        return tuple(word.removeprefix(self.prefix) for word in column)

    def tags(self, column: Sequence[str]) -> Sequence[str]:
        """The tags of a row as B-PER, I-PER, O."""
        if self.outside:
            column = _with_o(column, self.outside)
        if self.spelling == "B-PER":
            return column
        if self.spelling == "(PER*)":
            return _from_brackets(column)
        if self.spelling != "PER":
            return list(map(_STANDARD[self.spelling], column))
        labels = ["", *("" if tag in "oO" else tag for tag in column)]
        return [
            f"{'I' if label == before else 'B'}-{label}" if label else "O"
            for before, label in pairwise(labels)
        ]

    def told(self, n_columns: int, named: bool = False) -> list[str]:
        """What was guessed, in words; empty for the usual layout.

        Args:
            n_columns: number of columns.
            named: the columns were not guessed.
        """
        found = []
        if not named and (self.word, self.tag % n_columns) != (0, n_columns - 1):
            found.append(f"words in column {self.word + 1}, tags in {self.tag % n_columns + 1}")
        if self.also is not None:
            found.append(f"tags in column {self.also + 1} too, not read (--tag-column reads them)")
        if self.spelling != "B-PER":
            found.append(f"tags written as {self.spelling}")
        if self.outside:
            shown = " or ".join(repr(tag) if tag else "nothing" for tag in sorted(self.outside))
            found.append(f"{shown} in place of a tag read as O")
        if self.prefix:
            found.append(f"{self.prefix} before every word left out")
        return found


def check_tag(tag: str) -> None:
    """Raise SpanbridgeError for a tag that holds two, or white space that cannot be seen."""
    if _TWO_TAGS.search(tag):
        raise SpanbridgeError(f"{tag!r} holds more than one tag; keep one of them")
    if any(map(str.isspace, tag.replace(" ", ""))):
        raise SpanbridgeError(f"{tag!r} has white space in it, such as a no-break space; remove it")


def find_layout(
    blocks: Sequence[Sequence[Row]], tags: bool, word: int | None = None, tag: int | None = None
) -> Layout:
    """Find the layout of a file by its first rows.

    Columns that are not named are the usual ones (words in the first, tags in the last) unless the
    lines plainly have others: the first column numbers the words of every row, or names the row or
    its document; it is CoNLL-2012; or no more than half of the last column are tags, in no known
    spelling, but all of another column.

    Args:
        blocks: columns of the token lines of each row, all of the same number.
        tags: the tags are wanted.
        word, tag: indices of the columns that are named.
    """
    lines = [line for block in blocks for line in block]
    n = len(lines[0]) if lines else 0
    numbered = n > 2 and len(lines) > 1 and _are_numbered(blocks)
    words = [line for line in lines if not (numbered and _RANGE.fullmatch(line[0]))]
    if word is None and not numbered and n > 2 and _are_names(blocks):
        found = _of_words(words, numbered, tags, None, tag)
        wordy = (c for c in range(1, n - 1) if not all(line[c].isdecimal() for line in lines))
        return found if found.word else _of_words(words, numbered, tags, next(wordy, 0), tag)
    return replace(_of_words(words, numbered, tags, word, tag), numbered=numbered)


def _of_words(
    lines: Sequence[Row], numbered: bool, tags: bool, word: int | None, tag: int | None
) -> Layout:
    """The layout of the lines of words; see :func:`find_layout`."""
    n = len(lines[0]) if lines else 0
    columns = list(zip(*lines, strict=True))
    least, words, names = _CONLL_2012
    if word is None and tag is None and n >= least and _spelling(columns[names]) == "(PER*)":
        word, tag = words, names
    word = int(numbered) if word is None else word
    prefix = _prefix(columns[word]) if n > word else ""
    if not tags or n < 2:
        return Layout(word, -1 if tag is None else tag, prefix=prefix)
    if tag is not None:
        outside = _outside(columns[tag])
        named = _spelling(_with_o(columns[tag], outside)) or "B-PER"
        return Layout(word, tag, named, prefix, outside=outside)
    others = [c for c in range(word + 1, n - 1) if all(map(is_tag, columns[c]))]
    outside = frozenset() if others else _outside(columns[-1])
    last = _with_o(columns[-1], outside)
    if outside and (set(last) == {"O"} or _spelling(last) is None):
        outside, last = frozenset(), columns[-1]
    spelling = _spelling(last)
    if others and (spelling is None or (numbered and all(map(is_tag, columns[-1])))):
        tag = others[0] if numbered else others[-1]  # the outer layer comes first
        return Layout(word, tag, prefix=prefix)
    also = next((c for c in others if _holds_names(columns[c])), None)
    return Layout(word, -1, spelling or "B-PER", prefix, also, outside)


def _outside(column: Sequence[str]) -> frozenset[str]:
    """What stands in a column in place of O, which then is not in it."""
    found = set(column)
    return frozenset() if {"O", "o"} & found else OUTSIDE & found


def _with_o(column: Sequence[str], outside: frozenset[str]) -> Sequence[str]:
    return ["O" if tag in outside else tag for tag in column] if outside else column


def _spelling(column: Sequence[str]) -> Spelling | None:
    """How the tags of a column are written; None if they are no tags."""
    inside = [tag for tag in column if tag != "O"]
    if "o" in inside and all(is_tag(_from_lower(tag)) for tag in inside):
        return "b-per"
    if not inside or 2 * sum(map(is_tag, inside)) > len(inside):
        return "B-PER"
    for spelling, standard in _STANDARD.items():
        if all(is_tag(standard(tag)) for tag in column):
            return spelling
    if all(cell.startswith(("(", "*")) for cell in column):
        return "(PER*)"
    bare = set(column) - {"O", "o"}
    outside = len(bare) < len(set(column))
    if outside and len(bare) <= _MAX_BARE_LABELS and all(map(_BARE.fullmatch, bare)):
        return "PER"
    return None


def _holds_names(column: Sequence[str]) -> bool:
    """Check if there are tags in a column other than O and those of chunks."""
    return any(tag != "O" and tag[2:] not in _CHUNKS for tag in column)


def _are_numbered(blocks: Sequence[Sequence[Row]]) -> bool:
    """Check if the first column numbers the words, from 0 or 1 in every row or through the file.

    Lines of CoNLL-U that stand for several words (``3-4``) or none (``5.1``) have no number.
    """
    due = -1
    for block in blocks:
        cells = [line[0] for line in block if not _RANGE.fullmatch(line[0])]
        if not all(cell.isdecimal() and len(cell) < _MAX_DIGITS for cell in cells):
            return False
        numbers = list(map(int, cells))
        first = numbers[0] if numbers else due
        if first not in (0, 1, due) or numbers != list(range(first, first + len(numbers))):
            return False
        due = first + len(numbers)
    return True


def _are_names(blocks: Sequence[Sequence[Row]]) -> bool:
    """Check if the first column has one value in all lines of a row, as names of rows do."""
    n_more = sum(map(len, blocks)) - len(blocks)
    return n_more >= _FEW - 1 and all(len({line[0] for line in block}) == 1 for block in blocks)


def _prefix(words: Sequence[str]) -> str:
    """The language code before every word, if all have the same."""
    found = _LANGUAGE.match(words[0]) if len(words) >= _FEW else None
    if found is None or not all(w.startswith(found[0]) and w != found[0] for w in words):
        return ""
    return found[0]


def is_tag(tag: str) -> bool:
    """Check if this is a tag of any scheme."""
    try:
        split_tag(tag, "bioes")  # its prefixes include those of all others
    except SpanbridgeError:
        return False
    return True


def _from_suffix(tag: str) -> str:
    label, hyphen, prefix = tag.rpartition("-")
    return f"{prefix}-{label}" if hyphen else tag.upper() if tag == "o" else tag


def _from_lower(tag: str) -> str:
    return tag[:1].upper() + tag[1:]


def _from_brackets(column: Sequence[str]) -> list[str]:
    """Tags of ``(PER*``, ``*``, ``*)`` and ``(PER)``, as CoNLL-2012 writes them."""
    found, label = [], ""
    for cell in column:
        parts = _BRACKETS.fullmatch(cell)
        if parts is None:
            raise SpanbridgeError(f"{cell!r} is not in brackets as (PER*, * or *) are")
        prefix = "B" if parts[2] else "I"
        label = parts[2] or label
        found.append(f"{prefix}-{label}" if label else "O")
        if parts[1] or parts[3] or parts[4]:
            label = ""
    return found


_STANDARD: dict[Spelling, Callable[[str], str]] = {
    "b-per": _from_lower,
    "B_PER": lambda tag: tag if tag == "O" else tag.replace("_", "-", 1),
    "PER-B": _from_suffix,
}
