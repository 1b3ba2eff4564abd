"""WebAnno TSV 3, which INCEpTION and WebAnno export: words with any number of layers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import lines
from spanbridge.core.rows import Side
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.base import (
    DEFAULT_READING,
    Counts,
    Reading,
    SentenceFormat,
    Write,
    row_writer,
)
from spanbridge.formats.tokens import with_text

_FORMAT = "#FORMAT=WebAnno TSV 3"
_LAYER = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
_FIRST = 3  # index of the first column of a layer, after number, positions and word
_OF_NAMES = re.compile(r"NamedEntity|\bNER\b|entit", re.IGNORECASE)
_TOKEN = re.compile(r"\d+-\d+(\.\d+)?")
_NUMBERED = re.compile(r"(.*)\[(\d+)\]", re.DOTALL)
_ESCAPED = re.compile(r"\\(->|.)", re.DOTALL)
_ESCAPED_TEXT = re.compile(r"\\([\\tnr])")
_SPECIAL = re.compile(r"->|[\\\[\]|_;*]")
_BAR = re.compile(r"(?<!\\)((?:\\\\)*)\|")


class WebAnno(SentenceFormat):
    """One side of each row; spans may overlap."""

    name = "webanno"
    suffixes = (".tsv",)
    holds_spans = True
    holds_nested = True
    keeps = frozenset({"words"})

    def sniff(self, head: Sequence[str], strict: bool = True) -> bool:
        """Check the first line."""
        return bool(head) and head[0].startswith(_FORMAT)

    def sentences(
        self, path: str | Path, how: Reading = DEFAULT_READING, counts: Counts | None = None
    ) -> Iterator[tuple[int, Sentence]]:
        """Read sentences; of several layers that of named entities, or that of ``tag_column``.

        Raises InputError for lines of other formats, and if no layer is plainly meant.
        """
        counts = Counts() if counts is None else counts
        reader = _Reader(path, how, counts)
        for number, line in enumerate(lines(path), 1):
            if (done := reader.line(number, line)) is not None:
                yield done
        if (done := reader.row()) is not None:
            yield done

    def write_sentence(self, sentence: Sentence, out: TextIO) -> None:
        """A file has a head and positions that run through it; see :meth:`writer`."""
        raise SpanbridgeError("WebAnno TSV is written by writer alone")

    def writer(self, out: TextIO, side: Side = "target", *, scores: bool = False) -> Write:
        """Write the head, and return a function that writes one side of a row."""
        out.write(f"{_FORMAT}.3\n#T_SP={_LAYER}|value\n\n")
        n_rows = n_spans = at = 0

        def write(sentence: Sentence) -> None:
            nonlocal n_rows, n_spans, at
            whole = with_text(sentence)
            text = whole.text or ""
            if any(re.search(r"[\t\n\r]", word) or not word for word in whole.words):
                raise SpanbridgeError("a word is empty, or has a tab or a line end in it")
            cells: list[list[str]] = [[] for _ in whole.words]
            overlap = _overlapping(whole.spans)
            for n, span in enumerate(sorted(whole.spans, key=lambda span: span[:3])):
                value = _escaped(span.label)
                if span.end - span.start > 1 or overlap:
                    value += f"[{n_spans + n + 1}]"
                for cell in cells[span.start : span.end]:
                    cell.append(value)
            rows = [f"\n#Text={_one_line(text)}"]
            for n, (word, place, cell) in enumerate(
                zip(whole.words, whole.offsets or (), cells, strict=True), 1
            ):
                start, end = (at + _utf16(text[:position]) for position in place)
                values = "|".join(cell) or "_"
                rows.append(f"{n_rows + 1}-{n}\t{start}-{end}\t{_one_line(word)}\t{values}\t")
            out.write("\n".join(rows) + "\n")
            n_rows, n_spans, at = n_rows + 1, n_spans + len(whole.spans), at + _utf16(text) + 1

        return row_writer(lambda pair: write(pair.side(side)))


def _overlapping(spans: Sequence[Span]) -> bool:
    ordered = sorted(span[:2] for span in spans)
    return any(start < end for (_, end), (start, _) in pairwise(ordered))


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _one_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")


def _escaped(label: str) -> str:
    if re.search(r"[\t\n\r]", label):
        raise SpanbridgeError(f"the label {label!r} has a tab or a line end in it")
    return _SPECIAL.sub(lambda found: "\\" + found[0], label)


def _unescaped(value: str) -> str:
    return _ESCAPED.sub(_character, value)


def _character(escaped: re.Match[str]) -> str:
    """The character of an escape sequence."""
    return {"t": "\t", "n": "\n", "r": "\r"}.get(escaped[1], escaped[1])


@dataclass
class _Reader:
    """State of reading a file: its layers, and the row that is being read."""

    path: str | Path
    how: Reading
    counts: Counts
    columns: list[tuple[str, str]] = field(default_factory=list)  # layer and feature of each
    column: int | None = None
    first: int = 0  # line of the row; 0 before it
    words: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)

    def line(self, number: int, line: str) -> tuple[int, Sentence] | None:
        """Take a line; return the row that ends before it, if one does."""
        if number == 1 and not line.startswith(_FORMAT):
            raise InputError(
                self.path, 1, f"does not begin with {_FORMAT}; it is of another format"
            )
        if not line.strip():
            return self.row()
        if line.startswith("#T_"):
            layer, *features = line.partition("=")[2].split("|")
            kind = line[3:5]
            self.columns += [(layer if kind == "SP" else "", one) for one in features or [""]]
        elif line.startswith("#Text="):
            done = self.row()
            self.first = number
            return done
        elif _TOKEN.match(line):
            self._token(number, line.split("\t"))
        elif line[0] != "#":
            raise InputError(self.path, number, "is no line of WebAnno TSV; export it again")
        return None

    def row(self) -> tuple[int, Sentence] | None:
        """The row that was read; None if there is none."""
        if not self.first:
            return None
        spans = self._spans() if self.how.tags else ()
        done = self.first, Sentence(tuple(self.words), spans)
        self.first, self.words, self.values = 0, [], []
        self.counts.n_rows += 1
        return done

    def _token(self, number: int, cells: list[str]) -> None:
        self.first = self.first or number
        if self.how.tags and self.column is None:
            self.column = self._choose()
        if len(cells) < _FIRST + len(self.columns):
            why = f"has {len(cells)} columns; its head names {_FIRST + len(self.columns)}"
            raise InputError(self.path, number, why)
        value = "_" if self.column is None else cells[self.column]
        if "." in cells[0]:
            self.counts.leave_out("annotations of parts of words left out", value != "_")
            return
        self.words.append(_ESCAPED_TEXT.sub(_character, cells[2]))
        self.values.append(value)

    def _choose(self) -> int:
        """The column of the layer that is read."""
        layers = list(dict.fromkeys(layer for layer, _ in self.columns if layer))
        listed = ", ".join(
            f"{_FIRST + n + 1}: {layer}|{feature}"
            for n, (layer, feature) in enumerate(self.columns)
        )
        if self.how.tag_column is not None:
            wanted = self.how.tag_column
            names = [name for one in self.columns for name in ("|".join(one), *one)]
            if isinstance(wanted, str):  # LAYER|FEATURE, or one of them
                wanted = _FIRST + 1 + names.index(wanted) // 3 if wanted in names else 0
            chosen = wanted - 1
            if not _FIRST <= chosen < _FIRST + len(self.columns):
                why = f"there is no layer in column {self.how.tag_column}"
                why += f"; there are {listed or 'none'}"
                raise InputError(self.path, None, why)
        else:
            named = [layer for layer in layers if _OF_NAMES.search(layer)] or layers
            if len(named) != 1:
                why = f"holds several layers or none; name the column: --tag-column N ({listed})"
                raise InputError(self.path, None, why)
            own = [n for n, (layer, _) in enumerate(self.columns) if layer == named[0]]
            values = [n for n in own if self.columns[n][1] == "value"] or own
            chosen = _FIRST + values[0]
        n_others = len({one for one in self.columns if one[0] != self.columns[chosen - _FIRST][0]})
        self.counts.leave_out(f"columns of other layers left out ({listed})", n_others)
        return chosen

    def _spans(self) -> tuple[Span, ...]:
        spans: list[Span] = []
        opened: dict[str, int] = {}  # number of an annotation -> index of its span
        for n, cell in enumerate(self.values):
            if cell == "_":
                continue
            for value in _BAR.sub("\\1\0", cell).split("\0"):
                found = _NUMBERED.fullmatch(value)
                label, mark = (found[1], found[2]) if found else (value, "")
                if label in ("*", "_"):
                    self.counts.leave_out("annotations without a label left out")
                elif mark in opened and spans[opened[mark]].end == n:
                    spans[opened[mark]] = spans[opened[mark]]._replace(end=n + 1)
                else:
                    if mark:
                        opened[mark] = len(spans)
                    spans.append(Span(n, n + 1, _unescaped(label)))
        return tuple(spans)
