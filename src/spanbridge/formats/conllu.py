"""CoNLL-U whose MISC column holds names: ``NER=B-PER``, ``Name=B-PER``, ``Entity=(e1-person-1``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import ClassVar, NamedTuple, TextIO

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import first_lines, lines
from spanbridge.core.rows import REVIEW, SentencePair, Side
from spanbridge.core.spans import Sentence, Span
from spanbridge.core.tags import spans_from_tags, tags_from_spans
from spanbridge.formats.base import (
    DEFAULT_READING,
    SNIFFED_LINES,
    Counts,
    Format,
    Reading,
    Write,
    one_side,
    row_writer,
)
from spanbridge.formats.conll import Conll
from spanbridge.formats.layout import check_tag
from spanbridge.formats.reviews import review_text, with_review

_N_COLUMNS, _FORM, _MISC = 10, 1, 9
_ID = "sent_id"
_NUMBER = re.compile(r"\d+")
_NO_WORD = re.compile(r"\d+-\d+|\d+\.\d+")  # several words in one, and words that are not there
_KEYS = ("ner", "name", "ne", "entity")
_HEAD = 200  # rows by which the key of names is found
_MENTION = re.compile(r"\(([^()]+)(\))?|([^()]+)\)")
_DEFAULT_FIELDS = "eid-etype-head-other"  # of CorefUD

Block = list[str]


class Columns(NamedTuple):
    """Where a file has what: indices of columns.

    Attributes:
        n: number of columns.
        number: of the words' numbers; None if there are none.
        form: of the words.
        names: of the tags, or of pairs that hold them; None if there are none.
        key: key of the tags among pairs ``KEY=VALUE``; None if the column has nothing but tags.
    """

    n: int
    number: int | None
    form: int
    names: int | None
    key: str | None = None


class ConllU(Format):
    """CoNLL-U: one side of each row, with its comments ``# sent_id`` and ``# review``."""

    name = "conllu"
    suffixes = (".conllu",)
    sides = "one"
    holds_spans: ClassVar[bool] = True
    blank_row = 2
    keeps = frozenset({"ids", "words"})

    def keeps_key(self, key: str) -> bool:
        """A review is a comment of its row."""
        return key == REVIEW

    def sniff(self, head: Sequence[str], strict: bool = True) -> bool:
        """Check for ten columns, numbered words and KEY=VALUE in the last column."""
        rows = [line.split("\t") for line in head if line.strip() and line[0] != "#"]
        return bool(rows) and all(
            len(row) == _N_COLUMNS
            and (_NUMBER.fullmatch(row[0]) or _NO_WORD.fullmatch(row[0])) is not None
            and (row[_MISC].strip() in ("_", "") or "=" in row[_MISC])
            for row in rows
        )

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read rows; lines of other columns are those of :class:`~spanbridge.formats.conll.Conll`.

        Lines of several words (``3-4``) or none (``3.1``) are no words.

        Raises InputError for other lines than those of CoNLL-U, for wrong tags, and if labels are
        wanted, but the file has none.
        """
        counts = Counts() if counts is None else counts
        if not self.sniff(first_lines(path, SNIFFED_LINES)):
            yield from Conll().read(path, side, how, counts)
            return
        blocks = blocks_of(path)
        head = list(islice(blocks, _HEAD))
        key = names_key(head) if how.tags else None
        if how.tags and key is None and any(block for _, block in head):
            known = ", ".join(f"{key.upper()}=" for key in _KEYS)
            raise InputError(
                path,
                None,
                f"holds no labels: no MISC column has {known} (--format conll reads tags "
                "in a column of their own)",
            )
        columns = Columns(_N_COLUMNS, 0, _FORM, None if key is None else _MISC, key)
        yield from read_blocks(path, columns, chain(head, blocks), side, how, counts)

    def writer(self, out: TextIO, side: Side = "target", *, scores: bool = False) -> Write:
        """Return a function that writes one side of a row, with ``NER=`` on every word.

        It raises SpanbridgeError for overlapping spans, and for words, labels and ids that the
        format cannot hold.
        """

        def cells(word: str, tag: str, joined: bool) -> str:
            return f"{word}{'	_' * 7}\tNER={tag}{'|SpaceAfter=No' if joined else ''}"

        def write(pair: SentencePair) -> None:
            out.write(block_of(pair, side, cells))

        return row_writer(write)


def block_of(pair: SentencePair, side: Side, cells: Callable[[str, str, bool], str]) -> str:
    """The lines of a row, with the blank one after them; one alone is a row without words.

    Args:
        pair: the row.
        side: the side that is written.
        cells: makes the cells after the number of a word, its tag, and whether the next word
            follows without a space.

    Raises:
        SpanbridgeError: spans overlap, or a word, a label or the id cannot be written.
    """
    sentence = pair.side(side)
    text = sentence.plain_text()
    if "\n" in pair.id or any(re.search(r"[\t\n]", w) or not w for w in sentence.words):
        raise SpanbridgeError("a word or the id is empty, or has a tab or a line end in it")
    tags = tags_from_spans(sentence.spans, len(sentence.words))
    for tag in tags:
        check_tag(tag)
        if re.search(r"[\s|]", tag):
            raise SpanbridgeError(f"the label {tag[2:]!r} has white space or | in it")
    rows = [f"# {_ID} = {pair.id}", f"# text = {' '.join(text.split())}"]
    if (review := review_text(pair)) is not None:
        rows.append(f"# {REVIEW} = {review}")
    for n, (word, tag) in enumerate(zip(sentence.words, tags, strict=True)):
        rows.append(f"{n + 1}\t{cells(word, tag, _is_joined(sentence, n))}")
    return "\n".join(rows) + "\n\n" if sentence.words else "\n"


def read_blocks(
    path: str | Path,
    columns: Columns,
    blocks: Iterable[tuple[int, Block]],
    side: Side,
    how: Reading,
    counts: Counts,
) -> Iterator[tuple[int, SentencePair]]:
    """The rows of blocks of lines; see :meth:`ConllU.read`."""
    reader = _Reader(path, columns, how, counts)
    for number, (line, block) in enumerate(blocks, 1):
        comments, sentence = reader.sentence(line, block)
        counts.n_rows += 1
        extra = with_review(comments.get(REVIEW), counts)
        yield line, one_side(comments.get(_ID) or str(number), sentence, side, extra)


def _is_joined(sentence: Sentence, n: int) -> bool:
    """Check if a word of raw text is followed by the next one without white space."""
    places = sentence.offsets if sentence.text is not None else None
    return places is not None and n + 1 < len(places) and places[n][1] == places[n + 1][0]


def blocks_of(path: str | Path) -> Iterator[tuple[int, Block]]:
    """The lines of each row, with the number of the first one; a blank line ends a row."""
    block: Block = []
    first = 1
    for number, line in enumerate(lines(path), 1):
        if line.strip():
            block.append(line)
            continue
        yield first, block
        block, first = [], number + 1
    if block:
        yield first, block


def _values(misc: str) -> dict[str, str]:
    """The values of a MISC column by key, in lower case."""
    pairs = (part.partition("=") for part in misc.split("|"))
    return {key.strip().lower(): value.strip() for key, sign, value in pairs if sign}


def names_key(
    head: Sequence[tuple[int, Block]], n_columns: int = _N_COLUMNS, misc: int = _MISC
) -> str | None:
    """The key of names, of several the usual one first."""
    cells = (line.split("\t") for _, block in head for line in block if line[0] != "#")
    found = {key for row in cells if len(row) == n_columns for key in _values(row[misc])}
    return next((key for key in _KEYS if key in found), None)


class _Reader:
    """State of reading a file: its columns, and what its comments say of all rows."""

    def __init__(self, path: str | Path, columns: Columns, how: Reading, counts: Counts) -> None:
        self._path, self._columns, self._how, self._counts = path, columns, how, counts
        self._type = _DEFAULT_FIELDS.split("-").index("etype")

    def sentence(self, line: int, block: Block) -> tuple[dict[str, str], Sentence]:
        """Comments ``# name = value`` and sentence of a row."""
        comments: dict[str, str] = {}
        words: list[str] = []
        values: list[str] = []
        of = self._columns
        for at, text in enumerate(block, line):
            cells = text.split("\t")
            # without numbers, the word of a line may be #
            if text[0] == "#" and (of.number is not None or len(cells) != of.n):
                name, value = map(str.strip, text[1:].partition("=")[::2])
                comments[name] = value
                if name == "global.Entity" and "etype" in value:
                    self._type = value.split("-").index("etype")
                continue
            if len(cells) != of.n:
                why = f"has {len(cells)} columns; each line of this file has {of.n}, between tabs"
                raise InputError(self._path, at, why)
            if of.number is not None and _NO_WORD.fullmatch(cells[of.number]):
                kind = "several words (3-4)" if "-" in cells[of.number] else "no word (3.1)"
                self._counts.leave_out(f"lines of {kind} left out")
                continue
            words.append(cells[of.form])
            value = "O" if of.names is None else cells[of.names]
            values.append(value if of.key is None else _values(value).get(of.key, "O"))
        try:
            return comments, Sentence(tuple(words), self._spans(values))
        except SpanbridgeError as error:
            raise InputError(self._path, line, str(error)) from error

    def _spans(self, values: Sequence[str]) -> tuple[Span, ...]:
        if self._columns.names is None:
            return ()
        if any(mark in value for value in values for mark in "()"):
            return self._mentions(values)
        tags = ["O" if value in ("_", "*", "o") else value for value in values]
        for tag in tags:
            check_tag(tag)
        spans, n_orphans = spans_from_tags(tags, self._how.scheme, self._how.orphans)
        self._counts.n_orphans += n_orphans
        return spans

    def _mentions(self, values: Sequence[str]) -> tuple[Span, ...]:
        """Spans of ``(e1-person-1`` ... ``e1)``, which may lie in each other."""
        spans = []
        opened: dict[str, list[tuple[int, str]]] = {}
        for n, value in enumerate(values):
            for given, closed, ended in _MENTION.findall("" if value == "O" else value):
                if given:
                    fields = given.split("-")
                    label = fields[self._type] if len(fields) > self._type else ""
                    opened.setdefault(fields[0], []).append((n, label))
                if not (closed or ended):
                    continue
                mention = fields[0] if closed else ended
                if not opened.get(mention):
                    raise SpanbridgeError(f"{value!r} ends a mention that has not begun")
                start, label = opened[mention].pop()
                if "[" in mention or not label:
                    what = (
                        "parts of mentions with gaps" if "[" in mention else "mentions of no type"
                    )
                    self._counts.leave_out(f"{what} left out")
                else:
                    spans.append(Span(start, n + 1, label))
        left = sum(map(len, opened.values()))
        self._counts.leave_out("mentions left out that end in no word of their row", left)
        return tuple(sorted(spans, key=lambda span: span[:3]))
