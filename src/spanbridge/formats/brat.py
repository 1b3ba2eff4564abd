"""brat standoff: spans in ``DOC.ann``, their text in ``DOC.txt``, of which each line is a row."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TextIO

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import atomic_output, lines, open_bytes
from spanbridge.core.rows import SentencePair, Side
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.base import (
    DEFAULT_READING,
    Counts,
    Format,
    Reading,
    Write,
    one_side,
    row_writer,
)
from spanbridge.formats.document_folder import document_text
from spanbridge.formats.json_objects import parse_object
from spanbridge.formats.json_spans import with_given_text, without_given_text
from spanbridge.formats.json_values import shown
from spanbridge.formats.offsets import (
    is_inclusive,
    locate_spans,
    place_spans,
    placed_by_line,
    same_text,
)
from spanbridge.formats.tokens import spans_in_text, tokenize, with_text

_SPAN = re.compile(r"(T\d+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)(?:\t(.*))?")
_ATTRIBUTE = re.compile(r"[AM]\d+\t(\S+) (T\d+)(?: (\S+))?\s*")
_NOTE = re.compile(r"#\d+\tAnnotatorNotes (T\d+)\t(.*)")
_OTHER = re.compile(r"[A-Z#*][^\t]*\t")  # relations, events and the like
# Keys of spans that brat has lines of their own for, and that of the parts of a span with gaps: of
# each its place in characters, counted from the beginning of the span.
_ATTRIBUTES, _NOTES, _FRAGMENTS = "attributes", "notes", "fragments"
# Keys that say who made a span and when: brat has no lines for them, and gets a note of JSON.
_WHO = frozenset({"by", "at"})
Fragments = list[tuple[int, int]]


class Brat(Format):
    """One document: one side of each row; spans may overlap, and have attributes and notes."""

    name = "brat"
    suffixes: ClassVar[tuple[str, ...]] = (".ann",)
    sides = "one"
    holds_spans = True
    holds_nested = True
    keeps = frozenset({"text"})

    def keeps_span_key(self, key: str) -> bool:
        """Attributes, notes, the parts of spans, and who made them are written."""
        return key in (_ATTRIBUTES, _NOTES, _FRAGMENTS, *_WHO)

    def beside(self, path: str | Path) -> tuple[Path, ...]:
        """The file of the text."""
        path = Path(path)
        if path.suffix.lower() != ".ann":
            raise SpanbridgeError(
                f"{path}: name the .ann file of brat, whose text is the .txt beside; the format of "
                "a folder of documents is brat-folder"
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

        A span with gaps goes from its first part to its last; where the parts are is a key of it.
        Spans of several lines, relations and all else are left out, and counted.

        Raises InputError if a file is missing, or a line is none of brat's.
        """
        counts = Counts() if counts is None else counts
        (beside,) = self.beside(path)
        text = document_text(beside)
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
                    inside.append((path, line, here))
            place = partial(place_spans, piece.removesuffix("\r"), side=side, offsets="characters")
            sentence = placed_by_line(place, inside)
            counts.n_rows += 1
            yield number, one_side(str(number), _finished(sentence, start), side)

    @contextmanager
    def open(
        self, path: str | Path, side: Side = "target", *, scores: bool = False
    ) -> Iterator[Write]:
        """Open both files for rows."""
        with document_output(path) as write:
            yield row_writer(lambda pair: write(line_of(pair.side(side))))


class Line(NamedTuple):
    """A row as a line of a document: its text, and its spans in characters of it, in order."""

    text: str
    spans: Sequence[Span]


def line_of(sentence: Sentence) -> Line:
    """The line of a sentence. Raises SpanbridgeError if brat cannot hold it."""
    whole = with_text(sentence)
    text = whole.text or ""
    if "\n" in text or "\r" in text:
        raise SpanbridgeError("the text has a line end in it, which ends a row of brat")
    spans = sorted(spans_in_text(whole), key=lambda span: span[:3])
    for span in spans:
        if re.search(r"\s", span.label):
            raise SpanbridgeError(f"the label {span.label!r} has white space in it")
        _fragments(span)  # which checks them
        list(_lines_about(span, ""))
    return Line(text, spans)


@contextmanager
def document_output(
    path: str | Path, open_file: Callable[[Path], AbstractContextManager[TextIO]] = atomic_output
) -> Iterator[Callable[[Line], None]]:
    """Open both files of a document for its lines, each by ``open_file``."""
    (beside,) = Brat().beside(path)
    at, n_spans, n_more = 0, 0, 0
    with open_file(beside) as text_out, open_file(Path(path)) as out:

        def write(line: Line) -> None:
            nonlocal at, n_spans, n_more
            for n, span in enumerate(line.spans, n_spans + 1):
                parts = _fragments(span)
                places = ";".join(f"{at + start} {at + end}" for start, end in parts)
                covered = " ".join(line.text[start:end] for start, end in parts)
                out.write(f"T{n}\t{span.label} {places}\t{covered}\n")
                for kind, rest in _lines_about(span, f"T{n}"):
                    n_more += 1
                    out.write(f"{kind}{n_more}\t{rest}\n")
            text_out.write(line.text + "\n")
            at, n_spans = at + len(line.text) + 1, n_spans + len(line.spans)

        yield write


def _lines_about(span: Span, name: str) -> Iterator[tuple[str, str]]:
    """The kinds and contents of the lines about a span. Raises SpanbridgeError for other values."""
    given = {} if span.extra is None else json.loads(span.extra)
    attributes, notes = given.get(_ATTRIBUTES, {}), given.get(_NOTES, [])
    if not isinstance(attributes, Mapping) or not isinstance(notes, list):
        raise SpanbridgeError("attributes of brat are an object, and notes a list")
    for key, value in attributes.items():
        words = [key] if value is True else [key, value]
        if not all(isinstance(word, str) and re.fullmatch(r"\S+", word) for word in words):
            why = "a name and true, or a name and a value without white space"
            raise SpanbridgeError(f"the attribute {shown({key: value})} is not {why}")
        yield "A", " ".join((words[0], name, *words[1:]))
    if who := {key: value for key, value in given.items() if key in _WHO}:
        notes = [*notes, json.dumps(who, ensure_ascii=False)]
    for note in notes:
        if not isinstance(note, str) or re.search(r"[\n\r]", note):
            raise SpanbridgeError(f"the note {shown(note)} is not one line")
        yield "#", f"AnnotatorNotes {name}\t{note}"


def _who(note: str) -> dict[str, Any]:
    """Who made a span and when, if a note says nothing else."""
    try:
        found = parse_object(note)
    except SpanbridgeError:
        return {}
    return found if found.keys() <= _WHO else {}


def _fragments(span: Span) -> Fragments:
    """The parts of a span in characters: itself if it has no gaps.

    Raises SpanbridgeError if they do not fit it.
    """
    given = None if span.extra is None else json.loads(span.extra).get(_FRAGMENTS)
    if given is None:
        return [(span.start, span.end)]
    pairs = isinstance(given, list) and all(isinstance(one, list) for one in given)
    edges = list(chain.from_iterable(given)) if pairs else []
    fit = set(map(type, edges)) == {int} and all(len(one) == 2 and one[0] < one[1] for one in given)
    if not fit or edges != sorted(edges) or (edges[0], edges[-1]) != (0, span.end - span.start):
        why = "are not the parts of its span, from 0 to its length; leave that key out"
        raise SpanbridgeError(f"{_FRAGMENTS} {shown(given)} {why}")
    return [(span.start + start, span.start + end) for start, end in given]


def _finished(sentence: Sentence, start: int) -> Sentence:
    """The sentence of a line that begins at ``start``: its spans without what their places tell."""
    spans = []
    for span in sentence.spans:
        span = without_given_text(span, sentence.text_of(*span[:2]))
        keys = {} if span.extra is None else json.loads(span.extra)
        if _FRAGMENTS in keys and sentence.offsets is not None:
            first, end = sentence.offsets[span.start][0], sentence.offsets[span.end - 1][1]
            moved = [[at - start - first for at in place] for place in keys[_FRAGMENTS]]
            # a span may have been widened to whole words, or lost spaces at its ends
            parts = [
                [max(0, a), min(end - first, b)] for a, b in moved if a < end - first and b > 0
            ]
            parts[0][0], parts[-1][1] = 0, end - first
            keys[_FRAGMENTS] = parts
            span = span._replace(extra=json.dumps(keys, ensure_ascii=False))
        spans.append(span)
    return sentence.with_spans(tuple(spans))


def _located(
    path: str | Path, text: str, side: Side, how: Reading, counts: Counts
) -> list[tuple[int, Span]]:
    """The spans in characters of the text, in their order, each with the number of its line."""
    given = _given(path, how, counts) if how.tags and _has_any(path) else []
    locate = partial(locate_spans, text, offsets=how.offsets, words=tokenize(text)[1])
    lined = [(path, line, span) for line, span in given]
    spans = list(placed_by_line(locate, lined, places=counts.places[side]))
    for n, (line, span) in enumerate(given):
        keys = {} if span.extra is None else json.loads(span.extra)
        if _FRAGMENTS in keys:
            in_file, joined = keys[_FRAGMENTS]
            parts = [(path, line, Span(place[0], place[1], span.label)) for place in in_file]
            places = [part[:2] for part in placed_by_line(locate, parts)]
            covered = " ".join(text[start:end] for start, end in places)
            told = span._replace(extra=with_given_text(joined))
            counts.places[side].n_other_text += not same_text(told, covered)
            extra = json.dumps({**keys, _FRAGMENTS: places}, ensure_ascii=False)
            spans[n] = spans[n]._replace(extra=extra)
            counts.guess("spans with gaps, read from their first part to their last")
    numbered = zip((line for line, _ in given), spans, strict=True)
    return sorted(numbered, key=lambda one: one[1][:2])


def _has_any(path: str | Path) -> bool:
    with open_bytes(path) as file:
        return bool(file.read(1))


def _given(path: str | Path, how: Reading, counts: Counts) -> list[tuple[int, Span]]:
    """The spans of a file, half-open, in its own units, in the text of the whole document."""
    found: dict[str, tuple[int, Span]] = {}
    about: dict[str, dict[str, Any]] = {}  # keys of spans, by name
    told: list[tuple[str, str, Any]] = []  # name of a span, key of its own or "" for a note, value
    for number, line in enumerate(lines(path), 1):
        if not line.strip():
            continue
        if (parts := _SPAN.fullmatch(line)) is None:
            if attribute := _ATTRIBUTE.fullmatch(line):
                told.append((attribute[2], attribute[1], attribute[3] or True))
            elif note := _NOTE.fullmatch(line):
                told.append((note[1], "", note[2]))
            elif line[0] == "T" or not _OTHER.match(line):
                why = "is no line of brat; write T1, a tab, LABEL START END, a tab, TEXT"
                raise InputError(path, number, why)
            else:
                counts.leave_out("relations, events, attributes and notes left out")
        else:
            places = [tuple(map(int, part.split(" "))) for part in parts[3].split(";")]
            places = [(start, end + is_inclusive(how.offsets)) for start, end in places]
            edges = [*chain.from_iterable(places)]
            if edges != sorted(edges):
                raise InputError(path, number, "has parts that are not in the order of the text")
            found[parts[1]] = (number, Span(edges[0], edges[-1], parts[2]))
            if len(places) > 1:
                about[parts[1]] = {_FRAGMENTS: (places, parts[4])}
            else:
                about[parts[1]] = {} if parts[4] is None else {"text": parts[4]}
    for name, key, value in sorted(told, key=lambda one: not one[1]):  # notes last
        if name not in found:
            counts.leave_out("relations, events, attributes and notes left out")
        elif key:
            about[name].setdefault(_ATTRIBUTES, {})[key] = value
        elif (who := _who(value)) and not who.keys() & about[name].keys():
            about[name] |= who
        else:
            about[name].setdefault(_NOTES, []).append(value)
    return [
        (line, span._replace(extra=json.dumps(keys, ensure_ascii=False) if keys else None))
        for (line, span), keys in zip(found.values(), about.values(), strict=True)
    ]
