"""Reading of CoNLL: rows of a file whose layout is found by the first ones."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import LONGEST, line_batches
from spanbridge.core.spans import Sentence, Span
from spanbridge.core.tags import OrphanTagError, spans_from_tags, split_tag
from spanbridge.formats.base import DEFAULT_READING, Counts, Reading
from spanbridge.formats.glued import cut
from spanbridge.formats.header import Block, Header, find_header
from spanbridge.formats.header import blocks as header_blocks
from spanbridge.formats.layout import OUTSIDE, Layout, check_tag, find_layout, is_tag
from spanbridge.formats.tokenised import TEXT_CUT, is_tokenised

DOCSTART = "-DOCSTART-"
_ATTACHED = "words with punctuation attached, which spans take in (--raw cuts it off)"
_HEAD, _HEAD_LINES = 200, 20_000  # rows and lines by which a file's layout is found


def read_conll(
    path: str | Path, how: Reading = DEFAULT_READING, counts: Counts | None = None
) -> Iterator[tuple[int, Sentence]]:
    """Read rows: the first column of a line is the token, the last one its tag.

    Other layouts are found by the first rows (:mod:`spanbridge.formats.layout`), or by a first line
    that names columns (:mod:`spanbridge.formats.header`), or named by ``how``. Columns are
    separated by tabs, or by spaces on a line without tabs. A blank line ends a row; one that
    follows no token line is a row without words. ``-DOCSTART-`` lines and comments (``#``) belong
    to no row. A line that starts with ``#`` but has the columns of all others and a valid tag is a
    token, not a comment.

    Args:
        path: the file.
        how: scheme of the tags, and treatment of orphans; if ``how.tags`` is False, sentences have
            no spans, and one column is enough.
        counts: counts of rows, orphans and comments to update, if any.

    Yields:
        The 1-based number of each row's first line, and the row.

    Raises:
        InputError: a line has no token, no tag, an unknown tag or another number of columns than
            those before it; or there is an orphan and ``orphans`` is ``error``; or a row or a line
            is longer than ``LONGEST``.
    """
    batches = line_batches(path)  # opened once, since it may be a pipe
    first = next(batches)
    batches = chain([first], batches)
    named = [one for one in (how.word_column, how.tag_column) if isinstance(one, str)]
    header = find_header(first[0], named)
    reader = _Reader(path, how, Counts() if counts is None else counts, header)
    blocks = _blocks(path, batches)
    if header is not None:
        blocks = header_blocks(path, chain.from_iterable(batches), header)
    head: list[tuple[int, list[str], bool]] = []
    n_lines = 0
    while len(head) < _HEAD and n_lines < _HEAD_LINES and (found := next(blocks, None)):
        head.append(found)
        n_lines += len(found[1])
    reader.learn(
        [part for number, block, closed in head for _, part in _parts(number, block, closed)]
    )
    for number, block, closed in chain(head, blocks):
        sentence = reader.plain(block) if block else Sentence(())
        if sentence is not None:
            reader.counted()
            yield number, sentence
            continue
        for at, part in _parts(number, block, closed):
            sentence = reader.row(at, part)
            if sentence is not None:
                reader.counted()
                yield at, sentence


def columns(line: str) -> list[str]:
    """Split a line that is not blank into columns: at tabs, or at spaces if there are none."""
    if "\t" not in line:
        return [column for column in line.split(" ") if column]
    cells = line.split("\t")
    cells[-1] = cells[-1].strip(" ")  # otherwise "B-LOC " would be another label
    return cells


def is_blank(line: str) -> bool:
    """Check if the line is empty, or only spaces and tabs."""
    return not line.strip(" \t")


def _blocks(path: str | Path, batches: Iterable[list[str]]) -> Iterator[Block]:
    """Runs of lines between empty ones: first line number, lines, and if an empty one follows."""
    number = 1
    carried: list[str] = []  # the first lines of a block that continues in the next batch
    for batch in batches:
        start = 0
        while True:
            try:
                end = batch.index("", start)
            except ValueError:
                break
            block = carried + batch[start:end] if carried else batch[start:end]
            yield number, block, True
            number += len(block) + 1
            carried = []
            start = end + 1
        carried += batch[start:]
        if sum(map(len, carried)) > LONGEST:
            blank = [n for n, line in enumerate(carried) if is_blank(line)]
            if not blank:
                why = f"the row has more than {LONGEST} characters; end sentences with a blank line"
                raise InputError(path, number, why)
            yield number, carried[: blank[-1]], True
            number, carried = number + blank[-1] + 1, carried[blank[-1] + 1 :]
    if carried:
        yield number, carried, False


def _parts(number: int, block: list[str], closed: bool) -> Iterator[tuple[int, list[str]]]:
    """Parts of a block between its whitespace-only lines, each with its first line number."""
    start = 0
    for end, line in enumerate(block):
        if is_blank(line):
            yield number + start, block[start:end]
            start = end + 1
    if closed or start < len(block):
        yield number + start, block[start:]


@dataclass(slots=True)
class _Reader:
    """State of reading a file: its settings and columns."""

    path: str | Path
    how: Reading
    counts: Counts
    header: Header | None = None
    separator: str = ""  # on the first token line: "\t" or " "; "" before it
    n_columns: int = 0  # on every token line
    known: set[str] = field(default_factory=set)  # valid tags met so far
    layout: Layout = field(default_factory=Layout)
    raw: bool = False  # words are pieces of raw text, and are cut
    guessed: list[str] = field(default_factory=list)

    def learn(self, blocks: Sequence[Sequence[str]]) -> None:
        """Find separator, columns and layout by the file's first rows."""
        for block in blocks:
            self._learn_shape(list(block))
        how, kept = self.how, []
        for block in blocks:
            lines = (columns(line) for line in block if line[0] != "#")
            row = [cells for cells in lines if len(cells) == self.n_columns]
            kept += [row] if row and row[0][0] != DOCSTART else []
        word, tag = self._named()
        self.layout = find_layout(kept, how.tags, word, tag)
        named = (word, tag) != (None, None)
        self.guessed = self.layout.told(self.n_columns, named) if kept else []
        if self.header is not None:
            self.guessed.append(self.header.told(self.layout.word, self.layout.tag))
        column = self.layout.word
        tokenised = is_tokenised([line[column] for line in row] for row in kept) is not False
        self.raw = how.tokenised is False or (how.tokenised is None and not tokenised)
        if self.raw:
            self.guessed.append(TEXT_CUT)
        elif how.tags and not tokenised:
            self.guessed.append(_ATTACHED)

    def counted(self) -> None:
        """Count a row."""
        self.counts.n_rows += 1
        for guess in self.guessed:
            self.counts.guess(guess)

    def plain(self, block: list[str]) -> Sentence | None:
        """Read a row if all its lines are plain token lines with known tags; else return None.

        This holds for nearly every row and is tested in bulk; :meth:`row` defines the result.
        """
        separator, width = self.separator, self.n_columns + 1
        if not separator:
            return None
        # All cells of all lines in one list, with line ends in between: if these are equidistant,
        # every line has the same number of columns.
        joined = f"{separator}\n{separator}".join(block)
        cells = joined.split(separator)
        words = cells[self.layout.word :: width]
        tags = cells[self.layout.tag % self.n_columns :: width]
        if (
            len(cells) != width * len(block) - 1
            or cells[width - 1 :: width].count("\n") != len(block) - 1
            or not self.known.issuperset(tags)
            or "" in cells
            or cells[0] == DOCSTART
            or (self.layout.numbered and not all(map(self.layout.is_word, cells[::width])))
            or (separator == " " and "\t" in joined)
        ):
            return None
        try:
            return self._sentence(words, tags)
        except OrphanTagError:
            return None

    def row(self, number: int, block: list[str]) -> Sentence | None:
        """Read a row from non-blank lines from line ``number`` on; None if it has no token."""
        words: list[str] = []
        tags: list[str] = []
        places: list[int] = []
        self._learn_shape(block)
        for at, line in enumerate(block, number):
            cells = columns(line)
            if line[0] == "#" and not self._is_token_line(line, cells):
                self.counts.n_comments += 1
                continue
            if cells[0] == DOCSTART and not words:
                continue
            if not self.layout.is_word(cells[0]):
                self.counts.leave_out("lines of several words or of none left out (3-4, 3.1)")
                continue
            if self.how.wordless == "drop" and self._is_wordless(line, cells):
                self.counts.leave_out("lines without a word left out")
                continue
            self._check(at, cells)
            words.append(cells[self.layout.word])
            tags.append(cells[self.layout.tag])
            places.append(at)
        if not words:
            return None if block else Sentence(())
        try:
            return self._sentence(words, tags)
        except OrphanTagError as error:
            orphan = bisect_left(range(1, len(tags)), True, key=lambda n: self._fails(tags[:n]))
            raise InputError(self.path, places[orphan], str(error)) from error

    def _sentence(self, column: Sequence[str], tags: Sequence[str]) -> Sentence:
        words = self.layout.words(column) if self.layout.prefix else tuple(column)
        spans: tuple[Span, ...] = ()
        if self.how.tags and tags.count("O") < len(tags):
            standard = self.layout.tags(tags)
            spans, n_orphans = spans_from_tags(standard, self.how.scheme, self.how.orphans)
            self.counts.n_orphans += n_orphans
        if not self.raw:
            return Sentence(words, spans)
        sentence, n_bare = cut(words, spans)
        self.counts.leave_out("spans without the punctuation attached to their words", n_bare)
        return sentence

    def _fails(self, tags: Sequence[str]) -> bool:
        try:
            spans_from_tags(self.layout.tags(tags), self.how.scheme, self.how.orphans)
        except OrphanTagError:
            return True
        return False

    def _learn_shape(self, block: list[str]) -> None:
        """Set separator and number of columns from the file's first token line."""
        if self.separator:
            return
        lines = [line for line in block if columns(line)[0] != DOCSTART]
        # In a block in which all lines start with "#", "# O" is a token and its tag.
        first = next((line for line in lines if line[0] != "#"), None) or next(
            (line for line in lines if len(cells := columns(line)) == 2 and is_tag(cells[1])), None
        )
        if first is not None:
            self.separator = "\t" if "\t" in first else " "
            self.n_columns = len(columns(first))
            named = [one + 1 for one in self._named() if one is not None]
            if not all(1 <= one <= self.n_columns for one in named):
                why = f"there is no column {max(named)}; the lines have {self.n_columns}"
                raise InputError(self.path, None, why)

    def _named(self) -> tuple[int | None, int | None]:
        """Indices of the columns of words and tags that options or the header name."""
        head, how = self.header, self.how
        usual = (None, None) if head is None else (head.word, head.tag)
        word, tag = map(self._index, (how.word_column, how.tag_column), usual)
        return word, tag

    def _index(self, column: int | str | None, usual: int | None) -> int | None:
        """Index of a column, given by its number from 1 or by its name."""
        if not isinstance(column, str):
            return usual if column is None else column - 1
        names = () if self.header is None else self.header.names
        if column not in names:
            there = ", ".join(map(repr, names)) or "none"
            why = f"the first line names no column {column!r}; there are: {there}"
            raise InputError(self.path, 1, why)
        return names.index(column)

    def _is_token_line(self, line: str, cells: list[str]) -> bool:
        """Check if a line that starts with ``#`` has the shape of the file's token lines."""
        return (
            len(cells) == self.n_columns
            and ("\t" in line) == (self.separator == "\t")
            and (self._is_tag(cells[self.layout.tag]) or (len(cells) == 1 and not self.how.tags))
        )

    def _is_wordless(self, line: str, cells: list[str]) -> bool:
        """Check if a line has the tag O, and nothing in place of its word."""
        if self.separator == "\t":
            there = len(cells) == self.n_columns and not cells[self.layout.word]
        else:
            there = line[0] == " " and len(cells) == self.n_columns - 1
        return there and cells[-1] == "O"

    def _hint(self, tag: str) -> str:
        where = self.layout.tag % self.n_columns + 1
        if tag not in OUTSIDE or where - 1 in self._named():
            return ""
        return f", or this one, if {tag!r} stands for O and no O is in it: --tag-column {where}"

    def _is_tag(self, cell: str) -> bool:
        return cell in self.known or cell in self.layout.outside or is_tag(cell)

    def _check(self, at: int, cells: list[str]) -> None:
        """Raise InputError unless the columns are those of a token line."""
        token, tag = cells[0], cells[-1]
        if len(cells) == self.n_columns:
            token, tag = cells[self.layout.word], cells[self.layout.tag]
        if not token:
            raise InputError(self.path, at, "there is no token (an empty cell)")
        if self.how.tags and (len(cells) == 1 or not (tag or tag in self.layout.outside)):
            why = f"token {token!r} has no tag; write TOKEN, a tab, TAG on each line"
            if "," in token[1:-1]:
                why += " (columns are separated by commas only below a line that names them: "
                why += "--word-column NAME --tag-column NAME)"
            raise InputError(self.path, at, why)
        if len(cells) != self.n_columns:
            raise InputError(
                self.path,
                at,
                f"token {token!r} has {len(cells)} columns, but the lines before it have "
                f"{self.n_columns}; write the same number on every line",
            )
        if tag in self.known:
            return
        if self.how.tags:
            try:
                for one in self.layout.tags([tag]):
                    check_tag(one)
                    split_tag(one, self.how.scheme)
            except SpanbridgeError as error:
                where = self.layout.tag % self.n_columns + 1
                hint = f"--tag-column names another{self._hint(tag)}"
                if at == 1:
                    hint += "; if line 1 names columns: --word-column NAME --tag-column NAME"
                    hint += "; text without tags is for `spanbridge tag` or `label`"
                why = f"{error} (column {where} is the tag; {hint})"
                raise InputError(self.path, at, why) from error
        elif not is_tag(tag):
            return
        self.known.add(tag)
