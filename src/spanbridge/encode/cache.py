"""The user's cache of converted models: atomic, locked, versioned, checksummed, limited."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from spanbridge.core.errors import InputError, NoteWarning, RepairWarning, SpanbridgeError
from spanbridge.core.files import reason
from spanbridge.core.records import read_record, write_record
from spanbridge.core.temporary import claimed, remove_folder, sweep, unfinished_folder

# Increase when the converted files change: older entries are then ignored and made again.
FORMAT_VERSION = 2
_RECORD = "manifest.json"
_LIMIT, _USUAL_LIMIT = "SPANBRIDGE_CACHE_GB", 20.0
# Seconds for which an entry stays after its last use: some process may just be loading it.
_KEPT = 3600.0


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


def limit() -> float:
    """Bytes above which entries are removed: ``$SPANBRIDGE_CACHE_GB``, or 20 GB.

    Raises SpanbridgeError if that is no number above 0.
    """
    given = os.environ.get(_LIMIT)
    try:
        gigabytes = float(given) if given else _USUAL_LIMIT
    except ValueError:
        gigabytes = 0.0
    if not gigabytes > 0:
        raise SpanbridgeError(
            f"the environment variable {_LIMIT} is {given!r}; give the size of the model cache in "
            "GB, such as 50, or inf for no limit"
        )
    return gigabytes * 1e9


def cached(key: str, make: Callable[[Path], None]) -> Path:
    """The folder of a cache entry, made on first use.

    Every file is checked against its SHA-256 on each use; a damaged entry is made again. Concurrent
    processes wait for the one that makes the entry; an interrupted one leaves nothing that could be
    taken for an entry. Several users can share a cache whose folder they may all write to: an entry
    of another user that cannot be read or mended is left as it is, and made once more beside it.
    A new entry that makes the cache larger than :func:`limit` removes those not used for longest.

    Args:
        key: name of the entry; must contain everything that its content depends on.
        make: function that writes the entry's files into the empty folder it is given.

    Raises:
        SpanbridgeError: the cache folder cannot be written to, or its limit is no size.
    """
    root, most = model_folder(), limit()
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
    except (OSError, ValueError) as error:
        raise SpanbridgeError(
            f"cannot write the model cache in {root}: {reason(error)}; set SPANBRIDGE_CACHE to a "
            "folder that you can write"
        ) from error
    _shrink(root, most)
    return entry


def _shrink(root: Path, most: float) -> None:
    """Remove the entries that were not used for longest until all have at most so many bytes."""
    uses: list[tuple[float, int, Path]] = []
    for entry in root.iterdir():
        with suppress(OSError):  # not an entry, or removed meanwhile
            used = (entry / _RECORD).stat().st_mtime
            uses.append((used, sum(path.stat().st_size for path in entry.iterdir()), entry))
    size, removed = sum(own for _, own, _ in uses), list[int]()
    for used, own, entry in sorted(uses):
        if size - sum(removed) <= most or time.time() - used < _KEPT:
            break
        if _cleared(entry):
            removed.append(own)
    if removed:
        warnings.warn(
            f"the cache of converted models in {root} was over {most / 1e9:g} GB ({_LIMIT}): "
            f"{len(removed)} that were not used for longest were removed "
            f"({sum(removed) / 1e9:.1f} GB); they are converted again when they are needed",
            NoteWarning,
            stacklevel=3,
        )


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
        intact = "files" in read_record(entry / _RECORD, "made anew")
        with suppress(OSError):  # of another user
            os.utime(entry / _RECORD)  # its last use
        return intact
    except InputError as error:
        if tell:
            warnings.warn(str(error), RepairWarning, stacklevel=3)
        return False


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
