"""The user's cache of converted models: atomic, locked, versioned, checksummed."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from spanbridge.core.errors import InputError, RepairWarning, SpanbridgeError
from spanbridge.core.files import reason
from spanbridge.core.records import read_record, write_record
from spanbridge.core.temporary import claimed, remove_folder, sweep, unfinished_folder

# Increase when the converted files change: older entries are then ignored and made again.
FORMAT_VERSION = 2
_RECORD = "manifest.json"


def cache_folder() -> Path:
    """``$SPANBRIDGE_CACHE``, or the platform's user cache folder for spanbridge."""
    given = os.environ.get("SPANBRIDGE_CACHE")
    if given:
        return Path(given)
    from platformdirs import user_cache_path

    return user_cache_path("spanbridge")


def model_folder() -> Path:
    """The folder of the cache entries of this version."""
    return cache_folder() / f"v{FORMAT_VERSION}"


def cached(key: str, make: Callable[[Path], None]) -> Path:
    """The folder of a cache entry, made on first use.

    Every file is checked against its SHA-256 on each use; a damaged entry is made again. Concurrent
    processes wait for the one that makes the entry; an interrupted one leaves nothing that could be
    taken for an entry. Several users can share a cache whose folder they may all write to: an entry
    of another user that cannot be read or mended is left as it is, and made once more beside it.

    Args:
        key: name of the entry; must contain everything that its content depends on.
        make: function that writes the entry's files into the empty folder it is given.

    Raises:
        SpanbridgeError: the cache folder cannot be written to.
    """
    root = model_folder()
    places = [root / key, root / f"{key}-of-{_user()}"]
    sweep(root)  # also where the entry is there: one may have been killed right after making it
    for entry in places:
        if _intact(entry):
            return entry
    try:
        root.mkdir(parents=True, exist_ok=True)
        with claimed(root / key, wait=True):
            for entry in places:
                if _intact(entry, tell=True):  # another process was faster
                    return entry
            entry = next(entry for entry in places if entry == places[-1] or _cleared(entry))
            with unfinished_folder(entry) as work:
                make(work)
                write_record(work / _RECORD, {}, sorted(work.iterdir()))
            return entry
    except (OSError, ValueError) as error:
        raise SpanbridgeError(
            f"cannot write the model cache in {root}: {reason(error)}; set SPANBRIDGE_CACHE to a "
            "folder that you can write"
        ) from error


def _cleared(entry: Path) -> bool:
    """Remove a damaged entry, unless it is another user's."""
    try:
        remove_folder(entry)
    except PermissionError:
        return False
    return True


def _intact(entry: Path, tell: bool = False) -> bool:
    if tell and not os.path.lexists(entry):
        return False
    try:
        # an entry without files is none
        return "files" in read_record(entry / _RECORD, "made anew")
    except InputError as error:
        if tell:
            warnings.warn(str(error), RepairWarning, stacklevel=3)
        return False


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
