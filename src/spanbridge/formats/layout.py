"""Layouts of CoNLL files: which columns hold words and tags, and how the tags are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.tags import split_tag

# How tags are written: B-PER, B_PER, PER-B, b-per, or PER alone (with O outside).
Spelling = Literal["B-PER", "B_PER", "PER-B", "b-per", "PER"]
Row = Sequence[str]  # the columns of a token line

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z]+)?:")  # before every word of PAN-X, as in en:Paris
_RANGE = re.compile(r"\d+[-.]\d+")
_MAX_DIGITS = 9
_FEW = 3  # words that are enough to tell a code before each from a word with a colon
_BARE = re.compile(r"[A-Z][A-Za-z_]*[A-Za-z]")  # one letter is what is left of a tag
_MAX_BARE_LABELS = 30
_TWO_TAGS = re.compile(r"[;|,/+][BIESLUMW][-_]")


@dataclass(frozen=True, slots=True)
class Layout:
    """Layout of a file.

    Attributes:
        word, tag: indices of the columns.
        spelling: how tags are written.
        prefix: language code before every word, which is left out.
    """

    word: int = 0
    tag: int = -1
    spelling: Spelling = "B-PER"
    prefix: str = ""

    def words(self, column: Sequence[str]) -> tuple[str, ...]:
        """The words of a row, given their column."""
        return tuple(word.removeprefix(self.prefix) for word in column)

    def tags(self, column: Sequence[str]) -> Sequence[str]:
        """The tags of a row as B-PER, I-PER, O."""
        if self.spelling == "B-PER":
            return column
        if self.spelling != "PER":
            return list(map(_STANDARD[self.spelling], column))
        labels = ["", *("" if tag in "oO" else tag for tag in column)]
        return [
            f"{'I' if label == before else 'B'}-{label}" if label else "O"
            for before, label in pairwise(labels)
        ]

    def told(self, n_columns: int) -> list[str]:
        """What was guessed, in words; empty for the usual layout."""
        found = []
        if (self.word, self.tag % n_columns) != (0, n_columns - 1):
            found.append(f"words in column {self.word + 1}, tags in {self.tag % n_columns + 1}")
        if self.spelling != "B-PER":
            found.append(f"tags written as {self.spelling}")
        if self.prefix:
            found.append(f"{self.prefix} before every word left out")
        return found


def check_tag(tag: str) -> None:
    """Raise SpanbridgeError for a tag that holds two, or white space that cannot be seen."""
    if _TWO_TAGS.search(tag):
        raise SpanbridgeError(f"{tag!r} holds more than one tag; keep one of them")
    if any(map(str.isspace, tag.replace(" ", ""))):
        raise SpanbridgeError(f"{tag!r} has white space in it, such as a no-break space; remove it")


def find_layout(blocks: Sequence[Sequence[Row]], tags: bool) -> Layout:
    """Find the layout of a file by its first rows.

    It is the usual one (words in the first column, tags in the last) unless the lines plainly have
    another: the first column numbers the words of every row; or no more than half of the last
    column are tags, but all of them are written in another way, or all of another column are tags.

    Args:
        blocks: columns of the token lines of each row, all of the same number.
        tags: the tags are wanted.
    """
    lines = [line for block in blocks for line in block]
    n = len(lines[0]) if lines else 0
    numbered = n > 2 and len(lines) > 1 and _are_numbered(blocks)
    word = int(numbered)
    prefix = _prefix([line[word] for line in lines]) if n > word else ""
    if not tags or n < 2:
        return Layout(word, prefix=prefix)

    def column(c: int) -> list[str]:
        return [line[c] for line in lines]

    inside = [tag for tag in column(n - 1) if tag != "O"]
    share = sum(map(is_tag, inside)) / len(inside) if inside else 1.0
    others = [c for c in range(word + 1, n - 1) if all(map(is_tag, column(c)))]
    if numbered and share == 1 and others:
        return Layout(word, others[0], prefix=prefix)  # the outer layer comes first
    if "o" in inside and all(is_tag(_from_lower(tag)) for tag in inside):
        return Layout(word, -1, "b-per", prefix)
    if share > 0.5:
        return Layout(word, prefix=prefix)
    for spelling, standard in _STANDARD.items():
        if all(is_tag(standard(tag)) for tag in column(n - 1)):
            return Layout(word, -1, spelling, prefix)
    bare = set(column(n - 1)) - {"O", "o"}
    outside = len(bare) < len(set(column(n - 1)))
    if outside and 0 < len(bare) <= _MAX_BARE_LABELS and all(map(_BARE.fullmatch, bare)):
        return Layout(word, -1, "PER", prefix)
    if others:
        return Layout(word, others[0] if numbered else others[-1], prefix=prefix)
    return Layout(word, prefix=prefix)


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


_STANDARD: dict[Spelling, Callable[[str], str]] = {
    "b-per": _from_lower,
    "B_PER": lambda tag: tag if tag == "O" else tag.replace("_", "-", 1),
    "PER-B": _from_suffix,
}
