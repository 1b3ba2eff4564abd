"""Folders that are there as a whole or not at all, on this machine or on another store.

Another store has no renaming. There a record of all files is written last; a folder without it is
not whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spanbridge.core import remote
from spanbridge.core.addresses import is_remote
from spanbridge.core.errors import InputError
from spanbridge.core.files import reason
from spanbridge.core.records import FILES, read_record, write_record
from spanbridge.core.store import Listing
from spanbridge.core.temporary import private_folder, unfinished_folder

_RECORD, _REMEDY = "whole.json", "made anew"


@contextmanager
def new_folder(destination: Path, listing: Listing) -> Iterator[Path]:
    """An empty folder of this machine, which gets a name as a whole if the block succeeds.

    Raises InputError, OSError if it cannot be written there.
    """
    if not is_remote(destination):
        with unfinished_folder(destination) as folder:
            yield folder
        return
    with private_folder() as folder:
        yield folder
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        write_record(folder / _RECORD, {}, files)
        for path in (*files, folder / _RECORD):
            remote.put(path, destination / path.relative_to(folder))
        listing.add(destination / _RECORD)


@contextmanager
def folder_here(folder: Path, listing: Listing) -> Iterator[Path | None]:
    """A folder of :func:`new_folder`, or its copy on this machine; None if it is not there.

    Raises InputError if a file of it is damaged; OSError.
    """
    if not is_remote(folder):
        yield folder if folder.is_dir() else None
        return
    if not listing.has(folder / _RECORD):
        yield None
        return
    with private_folder() as here:
        try:
            _fetch(folder, here)
        except (OSError, InputError) as error:
            why = (
                error.why if isinstance(error, InputError) else f"cannot be read ({reason(error)})"
            )
            raise InputError(folder, None, why) from error
        yield here


def _fetch(folder: Path, here: Path) -> None:
    """Copy a folder's files, and check them."""
    record = here / _RECORD
    record.write_bytes(remote.read(folder / _RECORD))
    for name in read_record(record, _REMEDY, alone=True).get(FILES, {}):
        path = here / name
        if ".." in path.parts or not path.is_relative_to(here):
            raise InputError(folder, None, f"names a file elsewhere ({name}); {_REMEDY}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(remote.read(folder / name))
    read_record(record, _REMEDY)
