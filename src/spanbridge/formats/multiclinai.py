"""MultiClinAI: a table of spans, and a folder of the texts that their positions count."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import first_lines, lines
from spanbridge.core.rows import SentencePair, Side
from spanbridge.core.spans import Span
from spanbridge.formats.base import (
    DEFAULT_READING,
    Counts,
    Format,
    Reading,
    Write,
    one_side,
    row_writer,
)
from spanbridge.formats.document_folder import (
    document_text,
    documents,
    file_name,
    name_of,
    new_folder,
)
from spanbridge.formats.header import records
from spanbridge.formats.json_spans import with_given_text, without_given_text
from spanbridge.formats.offsets import FoundSpan, is_inclusive, place_spans, placed_by_line
from spanbridge.formats.tokens import spans_in_text, with_text

_COLUMNS = ("filename", "label", "start_span", "end_span", "text")
_TEXTS, _TABLE = "txt", "run.tsv"


class MultiClinAI(Format):
    """One side of each row, a document: the spans of all are in tables with a column of names.

    A folder is read with all its tables (``.tsv``) and texts (``.txt``), or one table with the
    texts that lie in its folder. A new folder is written, with the table ``run.tsv`` and the texts
    in ``txt``.
    """

    name = "multiclinai"
    sides = "one"
    holds_spans = True
    holds_nested = True
    files_by_id = True
    keeps = frozenset({"ids", "text"})

    def is_folder(self, path: Path) -> bool:
        """Check for a table with the columns of these."""
        return any(set(_COLUMNS) <= set(_header(table)) for table in islice(path.rglob("*.tsv"), 1))

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read a row for each document, with its number.

        Raises InputError if there are no texts, a table lacks a column, or a span has no text.
        """
        counts = Counts() if counts is None else counts
        folder, tables = _folder_of(Path(path))
        texts = _texts(folder)
        given = _spans_of(tables, how, counts) if how.tags else {}
        for name in given:
            if name not in texts:
                table, line, _ = given[name][0]
                why = f"is about {name}.txt, which is not in {folder} or its folders"
                raise InputError(table, line, why)
        for number, (name, text) in enumerate(texts.items(), 1):
            whole = document_text(text) if text.stat().st_size else ""
            place = partial(place_spans, whole, side=side, offsets=how.offsets)
            found = placed_by_line(place, given.get(name, ()), places=counts.places[side])
            bare = (without_given_text(one, found.text_of(*one[:2])) for one in found.spans)
            counts.n_rows += 1
            identity = name_of(text, text.parent)
            yield number, one_side(identity, found.with_spans(tuple(bare)), side)

    @contextmanager
    def open(
        self, path: str | Path, side: Side = "target", *, scores: bool = False
    ) -> Iterator[Write]:
        """Open a new folder for rows. Raises InputError if there is something in it."""
        with new_folder(path) as folder:
            (folder / _TEXTS).mkdir()
            with (folder / _TABLE).open("w", encoding="utf-8", newline="") as out:
                table = csv.writer(out, delimiter="\t", lineterminator="\n")
                table.writerow(_COLUMNS)

                def write(pair: SentencePair) -> None:
                    whole = with_text(pair.side(side))
                    text, file = whole.text or "", folder / _TEXTS / f"{file_name(pair.id)}.txt"
                    if file.exists():
                        raise SpanbridgeError("another row has this id, and so the same file")
                    file.write_text(text, encoding="utf-8", newline="")
                    for start, end, label, *_ in sorted(spans_in_text(whole), key=lambda s: s[:3]):
                        table.writerow((file.name, label, start, end, text[start:end]))

                yield row_writer(write)


def _folder_of(path: Path) -> tuple[Path, list[Path]]:
    """The folder that holds the texts, and the tables."""
    if path.is_dir():
        return path, sorted(path.rglob("*.tsv"))
    if not path.exists():
        raise InputError(path, None, "is no folder or table; check the path")
    return (path.parent.parent if path.parent.name == "tsv" else path.parent), [path]


def _header(table: Path) -> list[str]:
    """The names of a table's columns; none if it cannot be read."""
    try:
        return first_lines(table, 1)[0].split("\t")
    except InputError:
        return []


def _texts(folder: Path) -> dict[str, Path]:
    """The texts in a folder and those in it, by name. Raises InputError if two have one name."""
    found: dict[str, Path] = {}
    for text in documents(folder, ".txt"):
        if text.stem in found:
            why = (
                f"is called as {found[text.stem]} is; name a folder in which each name is one text"
            )
            raise InputError(text, None, why)
        found[text.stem] = text
    if not found:
        raise InputError(folder, None, "holds no texts (.txt), which the tables are about")
    return found


def _spans_of(tables: list[Path], how: Reading, counts: Counts) -> dict[str, list[FoundSpan]]:
    """The spans of each document. Raises InputError for a table of other columns."""
    found: dict[str, list[FoundSpan]] = defaultdict(list)
    for path in tables:
        columns: list[int] = []
        for line, cells in records(path, lines(path), "\t"):
            if not columns:
                if not set(_COLUMNS) <= set(cells):
                    wanted = ", ".join(_COLUMNS)
                    raise InputError(path, line, f"lacks columns; there must be {wanted}")
                columns = [cells.index(name) for name in _COLUMNS]
                counts.leave_out("other columns of tables left out", len(cells) - len(columns))
                continue
            if not cells:
                continue
            try:
                name, label, start, end, text = (cells[n] for n in columns)
                span = Span(int(start), int(end) + is_inclusive(how.offsets), label)
            except (IndexError, ValueError) as error:
                why = "has too few cells, or positions that are no integers"
                raise InputError(path, line, why) from error
            if not label:
                raise InputError(path, line, "has no label")
            span = span._replace(extra=with_given_text(text or None))
            found[name.removesuffix(".txt")].append((path, line, span))
    return found
