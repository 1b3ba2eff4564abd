"""Folders of documents, one file for each, whose names are the ids of rows."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import open_bytes, text_of, unwritable
from spanbridge.core.standard import is_standard
from spanbridge.core.temporary import unfinished_folder

# Characters that names of files cannot have everywhere; they are written as %2F.
_FORBIDDEN = re.compile(r'[%/\\:*?"<>|\x00-\x1f\x7f]|^\.|[. ]$')
_ESCAPED = re.compile(r"%([0-9A-F]{2})")
_LONGEST = 200  # bytes of a name


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Open a new folder, which appears once the block has succeeded.

    Raises InputError if there is something in it already, or it cannot be made.
    """
    if is_standard(path):
        raise InputError(path, None, "standard output is no folder; name a new folder")
    destination = Path(path)
    try:
        if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
            raise InputError(path, None, "is there already; name a new folder, or remove it")
        with unfinished_folder(destination) as folder:
            yield folder
    except OSError as error:
        raise unwritable(path, error) from error


def documents(folder: Path, suffix: str) -> list[Path]:
    """The files of a folder and of those in it, by their names, with numbers by value."""
    return sorted(folder.rglob(f"*{suffix}"), key=lambda one: _natural(one, folder))


def name_of(document: Path, folder: Path) -> str:
    """The name of a document, which :func:`file_name` makes that of its file."""
    escaped = document.relative_to(folder).with_suffix("").as_posix()
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), escaped)


def file_name(name: str) -> str:
    """The name of a document's file, without a suffix.

    Raises SpanbridgeError if it is empty, or too long.
    """
    escaped = _FORBIDDEN.sub(lambda found: f"%{ord(found[0]):02X}", name)
    if not escaped or len(escaped.encode()) > _LONGEST:
        raise SpanbridgeError("the id is empty, or too long for the name of a file")
    return escaped


def document_text(path: Path) -> str:
    """The text of a document as other programs count its characters: with a byte order mark.

    Raises InputError as :func:`spanbridge.core.files.text_of`.
    """
    text = text_of(path)
    with open_bytes(path) as file:
        marked = file.read(len(BOM_UTF8)) == BOM_UTF8
    return f"\ufeff{text}" if marked else text


def _natural(document: Path, folder: Path) -> list[tuple[int, str]]:
    name = document.relative_to(folder).as_posix()
    return [(int(part[:18]) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", name)]
