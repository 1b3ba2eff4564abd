"""brat standoff: spans in ``DOC.ann``, their text in ``DOC.txt``, of which each line is a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TextIO, TypeVar

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import atomic_output, lines, open_bytes, text_of
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
from spanbridge.formats.json_spans import with_given_text
from spanbridge.formats.offsets import is_inclusive, locate_spans, place_spans
from spanbridge.formats.tokens import spans_in_text, tokenize, with_text

_T = TypeVar("_T")
_SPAN = re.compile(r"(T\d+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)(?:\t(.*))?")
_OTHER = re.compile(r"[A-Z#*][^\t]*\t")  # relations, events, attributes, notes and the like


class Brat(Format):
    """One document: one side of each row; spans may overlap."""

    name = "brat"
    suffixes = (".ann",)
    sides = "one"
    holds_spans = True
    holds_nested = True

    def beside(self, path: str | Path) -> tuple[Path, ...]:
        """The file of the text."""
        path = Path(path)
        if path.suffix.lower() != ".ann":
            raise SpanbridgeError(
                f"{path}: name the .ann file of brat; its text is the .txt beside"
            )
        return (path.with_suffix(".txt"),)

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read a row for each line of the text, whose number is yielded with it.

        Spans with gaps or of several lines, relations and all else are left out, and counted.

        Raises InputError if a file is missing, or a line is none of brat's.
        """
        counts = Counts() if counts is None else counts
        (beside,) = self.beside(path)
        text = text_of(beside)
        spans = _located(path, text, side, how, counts)
        pieces = text.removesuffix("\n").split("\n")
        starts = [0, *accumulate(len(piece) + 1 for piece in pieces)]
        at = 0
        for number, (start, piece) in enumerate(zip(starts, pieces, strict=False), 1):
            inside = []
            while at < len(spans) and spans[at][1].start < start + len(piece) + 1:
                line, span = spans[at]
                at += 1
                if span.end > start + len(piece):
                    counts.leave_out("spans over several lines left out")
                else:
                    here = span._replace(start=span.start - start, end=span.end - start)
                    inside.append((line, here))
            place = partial(place_spans, piece.removesuffix("\r"), side=side, offsets="characters")
            sentence = _with_line(path, place, inside)
            counts.n_rows += 1
            yield number, one_side(str(number), sentence, side)

    def writer(self, out: TextIO, side: Side = "target", *, scores: bool = False) -> Write:
        """There are two files; see :meth:`open`."""
        raise SpanbridgeError("brat has two files, which open_writer writes")

    @contextmanager
    def open(
        self, path: str | Path, side: Side = "target", *, scores: bool = False
    ) -> Iterator[Write]:
        """Open both files for rows."""
        (beside,) = self.beside(path)
        at, n_spans = 0, 0
        with atomic_output(beside) as text_out, atomic_output(path) as out:

            def write(pair: SentencePair) -> None:
                nonlocal at, n_spans
                whole = with_text(pair.side(side))
                text = whole.text or ""
                if "\n" in text or "\r" in text:
                    raise SpanbridgeError("the text has a line end in it, which ends a row of brat")
                spans = sorted(spans_in_text(whole), key=lambda span: span[:3])
                for span in spans:
                    if re.search(r"\s", span.label):
                        raise SpanbridgeError(f"the label {span.label!r} has white space in it")
                for n, (start, end, label, *_) in enumerate(spans, n_spans + 1):
                    out.write(f"T{n}\t{label} {at + start} {at + end}\t{text[start:end]}\n")
                text_out.write(text + "\n")
                at, n_spans = at + len(text) + 1, n_spans + len(spans)

            yield row_writer(write)


def _located(
    path: str | Path, text: str, side: Side, how: Reading, counts: Counts
) -> list[tuple[int, Span]]:
    """The spans in characters of the text, in their order, each with the number of its line."""
    given = _given(path, how, counts) if how.tags and _has_any(path) else []
    locate = partial(locate_spans, text, offsets=how.offsets, words=tokenize(text)[1])
    spans = _with_line(path, partial(locate, places=counts.places[side]), given)
    numbered = zip((line for line, _ in given), spans, strict=True)
    return sorted(numbered, key=lambda one: one[1][:2])


def _with_line(path: str | Path, place: Callable[..., _T], spans: Sequence[tuple[int, Span]]) -> _T:
    """What a function makes of spans; its errors name the line of the first span that has one."""
    try:
        return place(given=[span for _, span in spans], key="spans")
    except SpanbridgeError as error:
        for line, span in spans:
            try:
                place(given=[span], key="spans")
            except SpanbridgeError:
                raise InputError(path, line, str(error)) from error
        raise InputError(path, None, str(error)) from error


def _has_any(path: str | Path) -> bool:
    with open_bytes(path) as file:
        return bool(file.read(1))


def _given(path: str | Path, how: Reading, counts: Counts) -> list[tuple[int, Span]]:
    """The spans of a file, half-open, in its own units, in the text of the whole document."""
    found = []
    for number, line in enumerate(lines(path), 1):
        if not line.strip():
            continue
        parts = _SPAN.fullmatch(line)
        if parts is None:
            if line[0] == "T" or not _OTHER.match(line):
                why = "is no line of brat; write T1, a tab, LABEL START END, a tab, TEXT"
                raise InputError(path, number, why)
            counts.leave_out("relations, events, attributes and notes left out")
        elif ";" in parts[3]:
            counts.leave_out("spans with gaps left out")
        else:
            start, end = map(int, parts[3].split(" "))
            end += is_inclusive(how.offsets)
            found.append((number, Span(start, end, parts[2], extra=with_given_text(parts[4]))))
    return found
