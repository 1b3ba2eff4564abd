"""Rows of a result found again by their number: where each begins, and how sure it is.

The file is read once, and of each row only what lists are made of is looked at; a row is parsed
strictly when somebody looks at it. So 100,000 rows open in a second or two.
"""

from __future__ import annotations

import codecs
from array import array
from collections.abc import Iterator
from hashlib import sha256
from threading import Lock
from typing import Any, BinaryIO

import msgspec

from spanbridge.core.addresses import is_remote
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import LONGEST, first_lines, is_gzip, open_bytes, reason
from spanbridge.core.rows import EMPTY, SentencePair
from spanbridge.core.standard import is_standard
from spanbridge.formats import find_format
from spanbridge.formats.base import DEFAULT_READING, Counts
from spanbridge.formats.json_objects import parse_object
from spanbridge.formats.json_spans import read_spans
from spanbridge.formats.jsonl import JsonLines, RowReader
from spanbridge.formats.parquet import is_parquet
from spanbridge.review.journal import STATUSES, Status

# Sureness of rows of which nothing is known, which come last among the most doubtful first.
UNKNOWN = 2.0


class _Head(msgspec.Struct):
    """What lists need of a row."""

    id: str | int | None = None
    status: str | None = None
    confidence: float | None = None
    target_empty_probability: float | None = None
    source_spans: list[Any] | None = None
    target_spans: list[Any] | None = None
    spans: list[Any] | None = None
    review: Any = None


class _Texts(msgspec.Struct):
    """The words of a row, as they are searched and listed."""

    id: str | int | None = None
    source_text: str | None = None
    source_words: list[str] | None = None
    target_text: str | None = None
    target_words: list[str] | None = None
    text: str | None = None

    def of_source(self) -> str:
        return self.source_text or " ".join(self.source_words or ())

    def of_target(self) -> str:
        return self.target_text or " ".join(self.target_words or ()) or self.text or ""


_HEADS, _TEXTS = msgspec.json.Decoder(_Head), msgspec.json.Decoder(_Texts)


class RowIndex:
    """The rows of a file of JSON lines, by their number from 0.

    Args:
        path: the file, which stays open: who puts another one in its place does not change it.

    Attributes:
        path: the file.
        digest: SHA-256 of its bytes.
        sureness: of each row, what its step says of it, in [0, 1]: its confidence, or the least
            score of its spans, or 0 if spans of the source have no counterpart; ``UNKNOWN`` else.
        labels: for each label, the rows that have spans of it on either side, in order.
        reviews: what rows say themselves of an earlier review of theirs.
        unknown_reviews: the rows of which what they say is no review.
        has_source_spans: any row has spans of the source.

    Raises:
        InputError: the file is no JSON lines, or a row is not one that could be read.
    """

    def __init__(self, path: str) -> None:
        _check_lines(path)
        self.path = path
        self._file: BinaryIO = open_bytes(path)  # type: ignore[assignment]
        self._lock = Lock()
        self._places, self._lines = array("Q"), array("Q")
        self.sureness = array("f")
        self.labels: dict[str, array[int]] = {}
        self.reviews: dict[int, Any] = {}
        self.has_source_spans = False
        self._reader = RowReader(path, "target", DEFAULT_READING, Counts(), None)
        self._digest = sha256()
        self._read_all()
        self.digest = self._digest.hexdigest()
        self.unknown_reviews = [n for n, told in self.reviews.items() if not _is_review(told)]
        if not self.sureness:
            raise InputError(path, None, "has only blank lines; write an object per line")
        self.row(0)  # so that the first row tells which sides there are

    def __len__(self) -> int:
        return len(self.sureness)

    def row(self, n: int) -> SentencePair:
        """Row number ``n``, from 0. Raises InputError if it is wrong."""
        return self._parsed(self.line_of(n), n, self._lines[n])

    def __iter__(self) -> Iterator[SentencePair]:
        return map(self.row, range(len(self)))

    def line(self, n: int) -> int:
        """The 1-based line on which a row stands."""
        return self._lines[n]

    def texts(self, n: int) -> tuple[str, str, str]:
        """Id, source and target of a row as they are listed and searched; else empty texts."""
        try:
            found = _TEXTS.decode(self.line_of(n))
        except msgspec.MsgspecError:
            return str(n + 1), "", ""
        return str(n + 1 if found.id is None else found.id), found.of_source(), found.of_target()

    def _read_all(self) -> None:
        at, number = 0, 0
        try:
            for number, line in enumerate(self._file, 1):
                if len(line) > LONGEST:
                    why = f"the line is longer than {LONGEST} bytes; cut its text into rows"
                    raise InputError(self.path, number, why)
                self._digest.update(line)
                if line.strip():
                    self._enter(line, at, number)
                at += len(line)
        except OSError as error:
            raise InputError(self.path, None, f"cannot be read ({reason(error)})") from error

    def _enter(self, line: bytes, at: int, number: int) -> None:
        n = len(self.sureness)
        self._places.append(at)
        self._lines.append(number)
        if not at:
            line = line.removeprefix(codecs.BOM_UTF8)
        try:
            head = _HEADS.decode(line)
        except (msgspec.MsgspecError, RecursionError):
            head = self._strict_head(line, n, number)
        given = head.target_spans or head.spans or []
        if head.review is not None:
            self.reviews[n] = head.review
        self.has_source_spans |= bool(head.source_spans)
        self.sureness.append(_sureness(head, given))
        for span in (*(head.source_spans or ()), *given):
            label = span.get("label") if isinstance(span, dict) else None
            for one in (label,) if isinstance(label, str) else _labels(span):
                rows = self.labels.setdefault(one, array("Q"))
                if not rows or rows[-1] != n:
                    rows.append(n)

    def _strict_head(self, line: bytes, n: int, number: int) -> _Head:
        """The same of a row that is unusual. Raises InputError if it is wrong."""
        pair = self._parsed(line, n, number)
        spans = [[list(one[:3]) for one in side.spans] for side in (pair.source, pair.target)]
        empty = pair.target.empty_probability
        return _Head(pair.id, pair.status, pair.confidence, empty, *spans)

    def line_of(self, n: int) -> bytes:
        """Row ``n`` as its file has it."""
        with self._lock:
            self._file.seek(self._places[n])
            return self._file.readline().removeprefix(codecs.BOM_UTF8)

    def _parsed(self, line: bytes, n: int, number: int) -> SentencePair:
        try:
            row = parse_object(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            why = f"invalid UTF-8 (byte 0x{line[error.start]:02x}); save the file as UTF-8"
            raise InputError(self.path, number, why) from error
        except SpanbridgeError as error:
            raise InputError(self.path, number, str(error)) from error
        with self._lock:
            self._reader.n_rows = n  # which is the id of a row without one
            return self._reader(row, number)


def status_of(told: Any) -> tuple[Status, str]:
    """Status and annotator of an earlier review, by what a row says of it; empty for none."""
    if not _is_review(told):
        return "", ""
    by = told.get("by")
    return told["status"], by if isinstance(by, str) else ""


def _is_review(told: Any) -> bool:
    """Check if what a row says of a review of it has a status that there is."""
    return isinstance(told, dict) and told.get("status") in STATUSES


def _check_lines(path: str) -> None:
    reads = "review reads JSON lines, an object per line and not packed"
    why = f"{reads}; first: spanbridge convert {path} rows.jsonl"
    if is_standard(path):
        raise SpanbridgeError("review goes back and forth in its rows; name a file, not -")
    if is_remote(path):
        raise InputError(path, None, "review reads files of this machine; copy it here first")
    named = find_format(path, default="jsonl")  # by its suffix alone
    if not isinstance(named, JsonLines) or is_gzip(path) or is_parquet(path):
        raise InputError(path, None, why)
    head = first_lines(path, 20)
    held = find_format(path, sniff=True, default="text")
    if not isinstance(held, JsonLines) or "".join(head).lstrip().startswith("["):
        raise InputError(path, None, why)


def _sureness(head: _Head, spans: list[Any]) -> float:
    """How sure a row is, as the page of ``view`` orders its rows, too."""
    known = head.target_empty_probability if head.confidence is None else head.confidence
    if known is not None:
        return known
    scores = [one.get("score") for one in spans if isinstance(one, dict)]
    given = [score for score in scores if isinstance(score, int | float)]
    if given:
        return min(given)
    return 0.0 if (head.status or "").startswith(EMPTY) and head.source_spans else UNKNOWN


def _labels(span: Any) -> list[str]:
    """Labels of a span with keys of other programs; none if it is wrong, which its row tells."""
    try:
        return [one.label for one in read_spans([span], "spans")]
    except SpanbridgeError:
        return []
