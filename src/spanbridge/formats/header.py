"""First lines that name the columns of words and tags: of CSV with a word per row, or of CoNLL."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from spanbridge.core.errors import InputError
from spanbridge.core.files import LONGEST
from spanbridge.formats.layout import is_tag

# Names of columns, in small letters and without anything else: Token, NER_tag, Sentence #. Of
# several columns of tags the one whose name comes first here is read; others may be of other kinds.
_WORDS = ("word", "words", "token", "tokens", "form", "wordform")
_TAGS = (
    *("nertag", "nertags", "ner", "nerlabel", "netag", "ne", "namedentity", "entity", "entitytag"),
    *("iob", "iobtag", "bio", "biotag", "biolabel", "label", "labels", "tag", "tags"),
)
_SENTENCES = re.compile(r"sent(ence)?(id|idx|index|no|num|number)?")
_NO_LETTER = re.compile(r"[\W\d_]+")
_DELIMITERS = "\t,;| "

Block = tuple[int, list[str], bool]


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a file of words.

    Attributes:
        names: of the columns.
        delimiter: what separates columns.
        word, tag: indices of columns; None if none is named so.
        sentence: index of the column whose value changes, or stands at all, where a sentence
            begins; None if blank lines alone end sentences.
    """

    names: tuple[str, ...]
    delimiter: str
    word: int
    tag: int | None
    sentence: int | None

    def told(self, word: int, tag: int) -> str:
        """What was found, in words."""
        return (
            f"rows with words and tags in the columns {self.names[word]!r} and {self.names[tag]!r}"
        )


def find_header(line: str, named: Sequence[str] = ()) -> Header | None:
    """The header that a line is, if it names columns of words and of tags.

    Args:
        line: the first line of a file.
        named: names of columns, each of which makes a line a header, whatever else it says.
    """
    for delimiter in "" if line.startswith("#") else _DELIMITERS:  # that is a comment
        names = tuple(_cells(line, delimiter))
        if len(names) < 2 or len(set(names)) < len(names):
            continue
        kinds = [_NO_LETTER.sub("", name).lower() for name in names]
        word, tag = _first(_WORDS, kinds), _first(_TAGS, kinds)
        if any(map(is_tag, names)):  # a word and its tags
            continue
        if set(named) & set(names) or None not in (word, tag):
            sentence = next((n for n, kind in enumerate(kinds) if _SENTENCES.fullmatch(kind)), None)
            return Header(names, delimiter, word or 0, tag, sentence)
    return None


def records(
    path: str | Path, rows: Iterable[str], delimiter: str
) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row of a table (RFC 4180), with the 1-based number of its first line.

    Args:
        path: the file, for errors.
        rows: its lines.
        delimiter: what separates cells.

    Raises:
        InputError: a quote is wrong.
    """
    csv.field_size_limit(LONGEST)  # the library's own limit is 131,072 characters
    table = csv.reader((f"{row}\n" for row in rows), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = next(table, None)
        except csv.Error as error:
            why = f"is no row of a table ({error}; quotes inside quoted cells are doubled)"
            raise InputError(path, line, why) from error
        if cells is None:
            return
        yield line, cells
        line = table.line_num + 1


def blocks(path: str | Path, rows: Iterable[str], header: Header) -> Iterator[Block]:
    """Rows of the lines of a file with a header, as lines whose columns are separated by tabs.

    A row ends at a line without cells, and where the column of sentences has another value (it may
    stand on first words only). A line with a value there, but neither word nor tag, is a row
    without words.

    Yields:
        For each row the 1-based number of its first line, its lines, and False: no blank line ends
        it.

    Raises:
        InputError: a cell holds a tab or a line end, a quote is wrong, or a row is too long.
    """
    block: list[str] = []
    first, length, current = 0, 0, ""
    for number, cells in islice(_plain_records(path, rows, header.delimiter), 1, None):
        begins = header.sentence is not None and len(cells) > header.sentence
        value = cells[header.sentence or 0] if begins else ""
        if block and (not any(cells) or value not in ("", current)):
            yield first, block, False
            block, length = [], 0
        current = value or current
        if value and sum(map(bool, cells)) == 1:
            yield number, [], True
        elif any(cells):
            line = "\t".join(cells)
            if line.count("\t") >= len(cells) or "\n" in line:
                raise InputError(path, number, "a word has a tab or a line end in it; remove it")
            first = first if block else number
            block.append(line)
            length += len(line)
            if length > LONGEST:
                why = f"the row has more than {LONGEST} characters; end sentences with a blank line"
                raise InputError(path, first, f"{why}, or number them in a column 'sentence'")
    if block:
        yield first, block, False


def _plain_records(
    path: str | Path, rows: Iterable[str], delimiter: str
) -> Iterator[tuple[int, list[str]]]:
    """Cells without the spaces around them; quotes are quotes only beside commas and the like."""
    if delimiter in "\t ":
        yield from ((n, _cells(line, delimiter)) for n, line in enumerate(rows, 1))
    else:
        for number, cells in records(path, rows, delimiter):
            yield number, [cell.strip(" ") for cell in cells]


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split()
    if delimiter == "\t":
        return [cell.strip(" ") for cell in line.split("\t")]
    try:
        return [cell.strip(" ") for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _first(names: Sequence[str], kinds: Sequence[str]) -> int | None:
    return next((kinds.index(name) for name in names if name in kinds), None)
