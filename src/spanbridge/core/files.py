"""Text files: streamed reading with exact line numbers, and output that is whole or not there."""

from __future__ import annotations

import codecs
import gzip
import os
import secrets
import stat
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedWriter, FileIO, TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import IO, Any, TextIO

from spanbridge.core.errors import InputError

_BATCH_BYTES = 1 << 20


def is_gzip(path: str | Path) -> bool:
    """Check if the name ends in ``.gz``: such files are read and written compressed."""
    return str(path).lower().endswith(".gz")


def lines(path: str | Path) -> Iterator[str]:
    r"""Read the lines of a UTF-8 file, without their ends.

    Only ``\n`` (and ``\r\n``) ends a line, since other line separators occur inside tokens. A byte
    order mark at the file's start is dropped. Memory does not grow with the file.

    Raises:
        InputError: the file cannot be read, is empty, is no gzip file though named ``.gz``, or
            holds a line that is not UTF-8.
    """
    return chain.from_iterable(line_batches(path))


def check_rereadable(path: str | Path) -> None:
    """Raise InputError for a pipe, such as ``<(command)``: read again, it would be empty."""
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise InputError(
            path, None, "is a pipe or a device, but is read twice; write it to a file first"
        )


def line_batches(path: str | Path) -> Iterator[list[str]]:
    """Read lines as :func:`lines` does, in lists of about a megabyte, for work on many at once."""
    n_lines = 0
    try:
        with gzip.open(path, "rb") if is_gzip(path) else open(path, "rb") as handle:
            # A batch is cut after a whole line, so neither a character nor a "\r\n" is cut in two.
            while data := handle.read(_BATCH_BYTES) + handle.readline():
                if not n_lines:
                    data = data.removeprefix(codecs.BOM_UTF8)
                    if not data:
                        break
                batch = _decode(data, path, n_lines).split("\n")
                if not batch[-1]:
                    batch.pop()  # what follows the last "\n" is no line
                n_lines += len(batch)
                yield batch
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(
            path, None, f"is no whole gzip file ({error}); compress it again, or drop .gz"
        ) from error
    except OSError as error:
        raise InputError(
            path, None, f"cannot be read ({_reason(error)}); check the path"
        ) from error
    if not n_lines:
        raise InputError(path, None, "is empty; check that the step that made it has worked")


def _decode(data: bytes, path: str | Path, n_before: int) -> str:
    """Decode whole lines; an error names the line, ``n_before`` lines having gone before."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line_start = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[line_start : error.start].decode("utf-8")) + 1
        raise InputError(
            path,
            n_before + data.count(b"\n", 0, error.start) + 1,
            f"invalid UTF-8 (byte 0x{data[error.start]:02x} at column {column}); "
            "save the file as UTF-8",
        ) from error
    return text.replace("\r\n", "\n")


@contextmanager
def atomic_output(path: str | Path) -> Iterator[TextIO]:
    r"""Open a UTF-8 file for writing that appears under its name only when the block has succeeded.

    It is written beside its destination and moved there at the end; when the block raises, nothing
    is left and an older file of that name stays as it was. Line ends are ``\n``; a ``.gz`` file
    has the same bytes on every run.

    Raises:
        InputError: the path is no place for a file: a folder, or in one that cannot be written to;
            or there is no room for the file.
    """
    destination = Path(os.path.realpath(path))  # a link stays a link: what it points to is written
    temporary = destination.with_name(f".spanbridge-{secrets.token_hex(8)}.tmp")
    try:
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(destination.stat().st_mode):  # also fails if the name is too long
                raise InputError(path, None, "is not a file, so cannot be written; name a file")
        raw = _Raw(temporary, path)
    except OSError as error:
        why = f"cannot be written ({_reason(error)}); is its folder there, and writable?"
        raise InputError(path, None, why) from error
    try:
        with ExitStack() as stack:
            binary: IO[bytes] | gzip.GzipFile = stack.enter_context(BufferedWriter(raw))
            if is_gzip(path):
                # No name and no time in the header: equal content gives equal bytes.
                packed = gzip.GzipFile("", "wb", compresslevel=6, fileobj=binary, mtime=0)
                binary = stack.enter_context(packed)
            yield stack.enter_context(TextIOWrapper(binary, encoding="utf-8", newline="\n"))
        temporary.replace(destination)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


class _Raw(FileIO):
    """A new file whose full disk is reported under the name that the user has given."""

    def __init__(self, temporary: Path, path: str | Path) -> None:
        super().__init__(temporary, "xb")
        self._path = path

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            why = f"cannot be written ({_reason(error)}); make room, or write elsewhere"
            raise InputError(self._path, None, why) from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
