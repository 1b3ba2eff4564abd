"""Text files: streamed reading with exact line numbers, and atomic writing."""

from __future__ import annotations

import codecs
import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from io import BufferedWriter, FileIO, TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import IO, Any, TextIO

from spanbridge.core import remote
from spanbridge.core.addresses import is_remote
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.standard import is_standard, on_disk, standard_output
from spanbridge.core.temporary import BusyError, claimed, private_folder, sweep, unfinished

_BATCH_BYTES = 1 << 20
# Longest line in bytes, and longest row of several lines in characters: some hundred times as long
# as the longest that a method can take. Longer ones are other files, or compressed traps.
LONGEST = 10_000_000
# Likewise of a file that is one value of JSON, which is held whole: many programs write it in one
# line.
LONGEST_JSON = 1_000_000_000
_ARROW = "a file of Arrow; save it as Parquet (of the package datasets: to_parquet)"
# First bytes of files that are not text; they are named if the bytes are no UTF-8.
_PACKED = {
    b"\x1f\x8b": "a gzip file; name it .gz, or unpack it",
    b"\x28\xb5\x2f\xfd": "a zstd file; unpack it",
    b"\xfd7zXZ": "an xz file; unpack it",
    b"BZh": "a bzip2 file; unpack it",
    b"PK\x03\x04": "a zip file, as Word and Excel write them; save it there as plain text or CSV, "
    "in UTF-8, or unpack it",
    b"\xd0\xcf\x11\xe0": "a file of Word or Excel; save it there as plain text or CSV, in UTF-8",
    b"%PDF-": "a PDF; save its text as plain text, in UTF-8",
    b"PAR1": "a Parquet file; give it by a name that ends in .parquet",
    b"ARROW1": _ARROW,
    b"\xff\xff\xff\xff": _ARROW,  # a stream, as the package datasets saves it
    b"\xff\xfe": "UTF-16; save it as UTF-8",
    b"\xfe\xff": "UTF-16; save it as UTF-8",
}


def is_gzip(path: str | Path) -> bool:
    """Check if the name ends in ``.gz``; such files are read and written compressed."""
    return str(path).lower().endswith(".gz")


def lines(path: str | Path, one_value: bytes = b"") -> Iterator[str]:
    r"""Read the lines of a UTF-8 file, without line ends, in constant memory.

    Only ``\n`` (and ``\r\n``) ends a line, since other line separators occur inside tokens. A byte
    order mark at the start of the file is dropped.

    Args:
        path: the file.
        one_value: ``[`` or ``{``, if a file that begins with it is one value of JSON, whose lines
            may have ``LONGEST_JSON`` bytes.

    Raises:
        InputError: the file cannot be read, is empty, is named ``.gz`` but is no gzip file, or has
            a line that is not UTF-8 or longer than ``LONGEST`` bytes.
    """
    return chain.from_iterable(line_batches(path, one_value))


def text_of(path: str | Path) -> str:
    r"""Read a whole UTF-8 file, ``\r`` included, without a byte order mark.

    Raises InputError as :func:`lines`.
    """
    return "".join(_batches(path))


def has_blank_lines(path: str | Path, n: int) -> bool:
    """Check for ``n`` empty lines in a row, or an empty line at the beginning.

    Raises InputError as :func:`lines`.
    """
    before = "\n" * n
    for text in _batches(path):
        whole = before + text.replace("\r\n", "\n")
        if "\n" * (n + 1) in whole:
            return True
        before = whole[-n:]
    return False


def check_rereadable(path: str | Path) -> None:
    """Raise InputError for a pipe, such as ``<(command)``, which can be read only once.

    Raises SpanbridgeError for something that is no path.
    """
    if not isinstance(path, str | Path):
        raise SpanbridgeError(f"{path!r} is no path of a file")
    if is_standard(path):
        return
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        raise InputError(
            path, None, "is a pipe or a device, but is read twice; write it to a file first"
        )


def real_path(path: str | Path) -> Path:
    """The path without symbolic links, as far as that can be found."""
    if is_remote(path):
        return Path(path)
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return Path(path).absolute()


def check_named(path: str | Path, what: str = "file") -> None:
    """Raise InputError for ``-``, where it cannot stand for standard output."""
    if is_standard(path):
        raise InputError(path, None, f"this cannot go to standard output; name a {what}")


def check_there(path: str | Path) -> None:
    """Raise InputError if there is no such file."""
    if not (is_standard(path) or is_there(path)):
        raise InputError(path, None, "no such file")


def is_there(path: str | Path) -> bool:
    """Check if there is a file of a name. Raises InputError if its store cannot be asked."""
    if is_remote(path):
        return remote.state(path) is not None
    return os.path.exists(path)  # neither for a name that is too long


def remove(path: str | Path) -> None:
    """Remove a file if it is there. Raises InputError, OSError."""
    if is_remote(path):
        remote.remove(path)
    else:
        Path(path).unlink(missing_ok=True)


def first_lines(path: str | Path, n: int) -> list[str]:
    """The first ``n`` lines of a file, or fewer if they are very long; too long ones are cut."""
    return next(_split(_batches(path, cut=True)))[:n]


def line_batches(path: str | Path, one_value: bytes = b"") -> Iterator[list[str]]:
    """Read lines as :func:`lines` does, in lists of about a megabyte."""
    return _split(_batches(path, one_value))


def _split(texts: Iterator[str]) -> Iterator[list[str]]:
    """The lines of texts that end with whole ones."""
    for text in texts:
        batch = text.replace("\r\n", "\n").split("\n")
        if not batch[-1]:
            batch.pop()  # the text after the last "\n" is not a line
        yield batch


def _batches(path: str | Path, one_value: bytes = b"", *, cut: bool = False) -> Iterator[str]:
    """Read whole lines, about a megabyte at a time.

    ``one_value`` is as in :func:`lines`; with ``cut`` a line that is too long is the last one, and
    only its beginning is read.
    """
    n_lines, longest = 0, LONGEST
    with reading(path) as handle:
        # A batch ends with a whole line, so neither a character nor a "\r\n" is cut in two.
        while data := handle.read(_BATCH_BYTES):
            if not n_lines and one_value:
                begins = data.removeprefix(codecs.BOM_UTF8).lstrip().startswith(one_value)
                longest = LONGEST_JSON if begins else LONGEST
            data += handle.readline(longest + 1)
            if not n_lines:
                data = data.removeprefix(codecs.BOM_UTF8)
                if not data:
                    break
            if len(data) > longest and len(data) - data.rfind(b"\n", 0, -1) - 1 > longest:
                if cut:
                    yield _decode(_whole_characters(data), path, n_lines)
                    return
                why = f"the line is longer than {longest} bytes; cut its text into rows"
                raise InputError(path, n_lines + data.count(b"\n", 0, -1) + 1, why)
            yield _decode(data, path, n_lines)
            n_lines += data.count(b"\n") or 1
    if not n_lines:
        raise InputError(path, None, "is empty; check that the step that made it has worked")


def _whole_characters(data: bytes) -> bytes:
    """UTF-8 that was cut anywhere, without its last character."""
    end = len(data) - 1
    while end and data[end] & 0xC0 == 0x80:
        end -= 1
    return data[:end]


@contextmanager
def reading(path: str | Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """Open a file for reading, unpacked if its name ends in ``.gz``.

    Raises InputError if it cannot be opened, or in the block read, or is no whole gzip file.
    """
    try:
        with (
            open_bytes(path) as raw,
            gzip.open(raw) if is_gzip(path) else nullcontext(raw) as handle,
        ):
            yield handle
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(
            path, None, f"is no whole gzip file ({error}); compress it again, or drop .gz"
        ) from error
    except IsADirectoryError as error:
        raise InputError(path, None, "is a folder; name a file in it") from error
    except (OSError, ValueError) as error:  # ValueError for a zero byte in the path
        raise InputError(path, None, f"cannot be read ({reason(error)}); check the path") from error


def open_bytes(path: str | Path) -> IO[bytes]:
    """Open a file for reading. Raises InputError for a device; OSError and ValueError."""
    if is_remote(path):
        return remote.opened(path)
    handle = on_disk(path).open("rb")
    if _is_device(handle.fileno()):
        handle.close()
        raise InputError(path, None, "is a device, not a file; check the path")
    return handle


def _is_device(number: int) -> bool:
    """Check for ``/dev/zero`` and the like, which have no end; a terminal has one."""
    mode = os.fstat(number).st_mode
    return (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)) and not os.isatty(number)


def _decode(data: bytes, path: str | Path, n_before: int) -> str:
    """Decode whole lines; ``n_before`` lines came before them (for the line number of an error)."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if (kind := next((k for k in _PACKED if data.startswith(k)), None)) and not n_before:
            raise InputError(path, None, f"is not text, but {_PACKED[kind]}") from error
        line_start = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[line_start : error.start].decode("utf-8")) + 1
        raise InputError(
            path,
            n_before + data.count(b"\n", 0, error.start) + 1,
            f"invalid UTF-8 (byte 0x{data[error.start]:02x} at column {column}); "
            "save the file as UTF-8 (Excel: CSV UTF-8; a shell: iconv -f WINDOWS-1252 -t UTF-8)",
        ) from error


@contextmanager
def atomic_output(path: str | Path) -> Iterator[TextIO]:
    r"""Open a UTF-8 file for writing that appears under its name only if the block succeeds.

    It is written as by :func:`atomic_bytes`. Line ends are ``\n``; equal content gives equal bytes,
    also in a ``.gz`` file.

    Raises:
        InputError: as :func:`atomic_bytes`.
    """
    with ExitStack() as stack:
        binary: IO[bytes] | gzip.GzipFile = stack.enter_context(atomic_bytes(path))
        if is_gzip(path):
            # No name and no time in the header: equal content gives equal bytes.
            packed = gzip.GzipFile("", "wb", compresslevel=6, fileobj=binary, mtime=0)
            binary = stack.enter_context(packed)
        yield stack.enter_context(TextIOWrapper(binary, encoding="utf-8", newline="\n"))


@contextmanager
def atomic_bytes(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that appears under its name only if the block succeeds.

    It is written beside its destination and moved there at the end. If the block raises, nothing is
    left behind and an older file of that name is unchanged. What killed processes have left there
    is swept. The name ``-`` stands for standard output, which gets all of it at the end.

    Raises:
        InputError: the path is a folder or lies in one that cannot be written to, or the disk is
            full.
    """
    with ExitStack() as stack:
        try:
            raw = _Raw(stack.enter_context(_new_file(path)), path)
        except (OSError, ValueError) as error:
            raise unwritable(path, error) from error
        yield stack.enter_context(BufferedWriter(raw))


@contextmanager
def _new_file(path: str | Path) -> Iterator[Path]:
    """Path of an unfinished file."""
    if is_standard(path):
        with standard_output() as temporary:
            yield temporary
        return
    if is_remote(path):
        with private_folder() as folder:
            yield folder / "unfinished"
            remote.put(folder / "unfinished", path)
        return
    destination = Path(os.path.realpath(path))  # a symbolic link is kept, its file written
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(destination.stat().st_mode):  # also fails if the name is long
            raise InputError(path, None, "is not a file, so cannot be written; name a file")
    sweep(destination.parent)
    with unfinished(destination) as temporary:
        yield temporary


class _Raw(FileIO):
    """A file that reports a full disk under the name that the user gave."""

    def __init__(self, temporary: Path, path: str | Path) -> None:
        super().__init__(temporary, "wb")
        self._path = path

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            why = f"cannot be written ({reason(error)}); make room, or write elsewhere"
            raise InputError(self._path, None, why) from error


@contextmanager
def alone(path: str | Path, *, wait: bool = False) -> Iterator[None]:
    """Keep other processes from writing the same file or folder, with all that belongs to it.

    Args:
        path: it need not exist; standard output (``-``) is nobody else's, and on other stores
            nobody is kept from anything: the last one to finish wins.
        wait: wait for another process that writes it.

    Raises:
        InputError: another process writes it, or its folder cannot be written to.
    """
    with ExitStack() as stack:
        try:
            if not (is_standard(path) or is_remote(path)):
                stack.enter_context(claimed(Path(path), wait=wait))
        except BusyError as error:
            why = "another run is writing it; wait for that one, or name another"
            raise InputError(path, None, why) from error
        except (OSError, ValueError) as error:
            raise unwritable(path, error) from error
        yield


def unwritable(path: str | Path, error: OSError | ValueError) -> InputError:
    """The error for a file that cannot be made."""
    why = f"cannot be written ({reason(error)}); is its folder there, and writable?"
    return InputError(path, None, why)


def reason(error: Exception) -> str:
    """What the system says of an error, in lower case."""
    return (getattr(error, "strerror", None) or str(error)).lower()
