"""Tables (CSV, TSV): a header that names the columns, a row of the table for each row."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import atomic_output, lines
from spanbridge.core.rows import REVIEW, SIDES, SentencePair, Side
from spanbridge.core.temporary import private_folder
from spanbridge.formats.base import DEFAULT_READING, Counts, Format, Reading, Write, row_writer
from spanbridge.formats.header import records
from spanbridge.formats.json_objects import parse_object
from spanbridge.formats.json_spans import write_spans
from spanbridge.formats.json_values import encode
from spanbridge.formats.jsonl import SPANS_KEY, TEXT_KEY, RowReader
from spanbridge.formats.plain_fields import ALL_PLAIN_FIELDS
from spanbridge.formats.tokens import spans_in_text, with_text

DELIMITERS = ",;\t|"
_TEXTS = frozenset({TEXT_KEY, *(f"{side}_text" for side in SIDES)})
_WRITTEN = tuple(field for field in ALL_PLAIN_FIELDS if field.key in ("status", "confidence"))
_OWN = ("id", TEXT_KEY, SPANS_KEY, *(field.key for field in _WRITTEN))
# Columns whose cells are JSON.
_JSON = frozenset(
    {SPANS_KEY, "links", "link_scores"}
    | {f"{side}_{part}" for side in SIDES for part in ("words", "spans", "word_offsets")}
    | {field.key for field in ALL_PLAIN_FIELDS if field.type is not str}
)
_NAME = re.compile(r"\w[\w .-]{0,40}")
_TAG = re.compile(r"[oO]|[BIESLU]-.*")
_MANY = 3  # names on a line that no sentence begins a text with


class Table(Format):
    """Rows of a table, whose columns have the names of the keys of JSON lines.

    Written tables hold one side: ``id``, ``text``, ``spans`` (JSON, in characters of the text),
    ``status``, ``confidence``, and a column for each other key that any row has.
    """

    name = "csv"
    suffixes = (".csv", ".tsv")
    sides = "both"
    writes_one_side = True
    holds_spans = True
    holds_nested = True
    keeps = frozenset({"ids", "text", "scores", "span_keys", "keys"} | {f.key for f in _WRITTEN})

    def sniff(self, head: Sequence[str], strict: bool = True) -> bool:
        """Check if the first line names columns, one of them a text's, which the next row has."""
        if not head:
            return False
        delimiter = _delimiter(head[0], TEXT_KEY)
        try:
            table = csv.reader((f"{line}\n" for line in head), delimiter=delimiter)
            header, first = next(table), next(table, None)
        except csv.Error:
            return False
        if first is None or len(first) != len(header) or len(set(header)) < len(header):
            return False
        if len(header) == 1 or not all(_NAME.fullmatch(name) for name in header if name):
            return False
        if any(_TAG.fullmatch(name) for name in header):
            return False
        return bool(_TEXTS & set(header)) or (strict and len(header) >= _MANY)

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read rows; see :func:`read_table`."""
        return read_table(path, side, how, counts, told=self.by_lines(path, how))

    def keeps_key(self, key: str) -> bool:
        """All are written, but for those that are named like a column."""
        return key not in _TEXTS | _DECLARED

    @contextmanager
    def open(
        self, path: str | Path, side: Side = "target", *, scores: bool = False
    ) -> Iterator[Write]:
        """Open a file for one side of rows; see :class:`Table`.

        Rows wait in ``TMPDIR`` as JSON lines, since every key of one of them is a column.
        """
        with atomic_output(path) as out, private_folder() as folder:
            waiting = folder / "rows.jsonl"
            others: dict[str, None] = {}  # in the order in which they are met
            with waiting.open("w", encoding="utf-8", newline="\n") as rows:

                def write(pair: SentencePair) -> None:
                    whole = with_text(pair.side(side))
                    own = (pair.id, whole.text, write_spans(spans_in_text(whole)))
                    plain = [
                        None if f.of(pair) is None else encode(f.of(pair), f) for f in _WRITTEN
                    ]
                    kept = {k: _cell(v) for k, v in pair.extra.items() if self.keeps_key(k)}
                    others.update(dict.fromkeys(kept))
                    rows.write(f"{json.dumps([[*map(_cell, (*own, *plain))], kept])}\n")

                yield row_writer(write)
            table = csv.writer(out, lineterminator="\n")
            with waiting.open(encoding="utf-8", newline="\n") as rows:
                for n, line in enumerate(rows):
                    if n == 0:
                        table.writerow((*_OWN, *others))
                    cells, kept = json.loads(line)
                    table.writerow((*cells, *(kept.get(key, "") for key in others)))


def read_table(
    path: str | Path,
    side: Side = "target",
    how: Reading = DEFAULT_READING,
    counts: Counts | None = None,
    told: str | None = None,
) -> Iterator[tuple[int, SentencePair]]:
    """Read rows of a table (RFC 4180; the header tells what separates columns: ``, ; | tab``).

    Columns are as the keys of :func:`~spanbridge.formats.jsonl.read_jsonl`, with JSON in the cells
    of all but texts and statuses; an empty cell of theirs, or of ``review``, is no value. Other
    columns are kept: objects of JSON as such, and all else as strings. Line ends inside quoted
    cells become newlines.

    Yields:
        The 1-based number of each row's first line, and the row.

    Raises:
        InputError: there is no row; or a column has no name of its own; or a row has more or fewer
            cells, a wrong quote, or what a row of JSON lines cannot have.
    """
    counts = Counts() if counts is None else counts
    read = RowReader(path, side, how, counts, told)
    header: list[str] = []
    text = how.text_column or TEXT_KEY
    rows = lines(path)
    first = next(rows)
    for line, cells in records(path, chain([first], rows), _delimiter(first, text)):
        if not header:
            header = _header(cells, path, line)
            continue
        if not cells:  # a blank line
            continue
        if len(cells) != len(header):
            why = f"{len(cells)} cells, but the header has {len(header)}; quote texts that hold "
            raise InputError(path, line, f"{why}separators, as {_EXAMPLE}")
        try:
            row = {
                name: _value(cell) if name in _JSON else cell if name in _DECLARED else _own(cell)
                for name, cell in zip(header, cells, strict=True)
                if cell or name not in _DECLARED | {REVIEW}
            }
        except SpanbridgeError as error:
            raise InputError(path, line, f"a cell that should hold JSON {error}") from error
        yield line, read(row, line)
    if not read.n_rows:
        raise InputError(path, None, "has no row below its header; write one row for each text")


_EXAMPLE = '"one, two"'
_DECLARED = _JSON | {"id", *(field.key for field in ALL_PLAIN_FIELDS)}


def _value(cell: str) -> Any:
    found = parse_object(f'{{"cell": {cell}}}')
    if len(found) > 1:
        raise SpanbridgeError("holds more than one value")
    return found["cell"]


def _own(cell: str) -> Any:
    """A cell of another column: an object if it is one of JSON, as it was written; or a string."""
    if cell.startswith("{"):
        with suppress(SpanbridgeError):
            return parse_object(cell)
    return cell


def _delimiter(header: str, text: str) -> str:
    """What separates the names of columns: what makes the text's one a column, or else the most."""

    def worth(delimiter: str) -> tuple[bool, int]:
        names = [name.strip('"') for name in header.split(delimiter)]
        return text in names or bool(_TEXTS & set(names)), len(names)

    return max(DELIMITERS, key=worth)


def _header(names: list[str], path: str | Path, line: int) -> list[str]:
    for n, name in enumerate(names):
        if name in names[:n]:
            raise InputError(path, line, f"the column {name!r} is named twice; rename one")
    return names


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
