"""Standard input and standard output as files, both under the name ``-``.

Most commands read their input twice, and no output is half-written. So standard input is kept in a
temporary file, and a result goes to standard output once it is whole.
"""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.temporary import private_folder

STANDARD = "-"
_kept = ExitStack()


def is_standard(path: str | Path) -> bool:
    """Check if a name stands for standard input or output; ``./-`` is a file of that name."""
    return str(path) == STANDARD


def on_disk(path: str | Path) -> Path:
    """Path of a file's bytes: those of standard input stand in a temporary file.

    Raises:
        InputError: there is no standard input, or it never ends.
        OSError: it cannot be read or kept.
    """
    return _kept_input() if is_standard(path) else Path(path)


def check_one_input(*paths: str | Path | None) -> None:
    """Raise SpanbridgeError if several files are to be read from standard input."""
    if sum(path is not None and is_standard(path) for path in paths) > 1:
        raise SpanbridgeError("standard input (-) is one file only; give the others by name")


@cache
def _kept_input() -> Path:
    stream = _bytes_of(sys.stdin, "input")
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except OSError:  # not one of the system's files, but memory
        mode = 0
    if stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and not stream.isatty()):
        raise InputError(STANDARD, None, "standard input is a device; give a file or a pipe")
    path = _kept.enter_context(private_folder()) / "input"
    with path.open("xb") as copy:
        shutil.copyfileobj(stream, copy)
    return path


def forget_input() -> None:
    """Remove what was kept of standard input."""
    _kept.close()
    _kept_input.cache_clear()


atexit.register(forget_input)


@contextmanager
def standard_output() -> Iterator[Path]:
    """Path of a new file that goes to standard output if the block succeeds. Raises OSError."""
    stream = _bytes_of(sys.stdout, "output")
    with private_folder() as folder:
        path = folder / "output"
        yield path
        with path.open("rb") as whole:
            sys.stdout.flush()
            shutil.copyfileobj(whole, stream)
            stream.flush()


def _bytes_of(stream: Any, name: str) -> IO[bytes]:
    found: IO[bytes] | None = getattr(stream, "buffer", None)
    if found is None or found.closed:
        raise InputError(STANDARD, None, f"there is no standard {name} here; name a file")
    return found
