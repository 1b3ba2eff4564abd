"""Whole files under names, in folders of this machine or on other stores: the work that many share.

Each file is written as a whole or not at all, and none is changed in part. What is listed of other
stores is asked for rarely, since each request there costs time and money.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from spanbridge.core import remote
from spanbridge.core.addresses import is_remote
from spanbridge.core.errors import InputError
from spanbridge.core.files import open_bytes, reason
from spanbridge.core.temporary import unfinished

# Seconds for which another store is not asked again whether a file is there by now.
LOOK = 2.0
# Files of which a store is asked at once.
_AT_ONCE = 1000
# Lists of names that are kept; bounds memory (some 10 MB).
_LISTS = 64
# Digits by which the numbers of files differ that are listed by one request.
_DIGITS = 3


def read(path: Path) -> bytes:
    """The whole of a file. Raises InputError, OSError."""
    if is_remote(path):
        return remote.read(path)
    with open_bytes(path) as file:
        return file.read()


def read_many(paths: Sequence[Path]) -> Iterator[bytes | None]:
    """The whole of several files that lie together; None for those that cannot be read."""
    if not (paths and is_remote(paths[0])):
        for path in paths:
            data = None
            with suppress(OSError):
                data = read(path)
            yield data
        return
    for first in range(0, len(paths), _AT_ONCE):
        yield from remote.read_many(paths[first : first + _AT_ONCE])


def write(path: Path, data: bytes) -> None:
    """Write a whole file; its folder is made. Raises InputError."""
    if is_remote(path):
        remote.write(path, data)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished(path) as place:
            place.write_bytes(data)
    except OSError as error:
        raise InputError(path, None, f"cannot be written ({reason(error)})") from error


def names(folder: Path) -> list[str]:
    """Names of what is in a folder, which need not be there. Raises InputError, OSError."""
    if is_remote(folder):
        return list(remote.listed(folder))
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def absolute(folder: Path) -> Path:
    """A folder's path for processes that are elsewhere; an address is one for all."""
    return folder if is_remote(folder) else folder.absolute()


class Listing:
    """Which files are there.

    In folders of this machine each is asked for. On another store files are listed whose names
    begin alike: of numbered ones, a thousand numbers. What has been seen is taken to stay; what has
    not is looked for again after a while.

    Args:
        seconds: how long that is; None for ``LOOK``.
        clock: seconds that never go back.
    """

    def __init__(
        self, seconds: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds, self._clock = LOOK if seconds is None else seconds, clock
        self._seen: dict[tuple[Path, str], tuple[set[str], float]] = {}  # names, and since when

    def __reduce__(self) -> tuple[Any, ...]:
        """For other processes, which look for themselves."""
        return Listing, (self._seconds,)

    def has(self, path: Path) -> bool:
        """Check if a file is there. Raises InputError if its store cannot be asked."""
        if not is_remote(path):
            return path.is_file()
        found, since = self._seen.get(_alike(path), (set(), float("-inf")))
        if path.name not in found and self._clock() - since >= self._seconds:
            self.look(path)
            found, _ = self._seen[_alike(path)]
        return path.name in found

    def look(self, path: Path) -> None:
        """Look anew for a file and those with names like its own."""
        if is_remote(path):
            alike = _alike(path)
            self._seen.pop(alike, None)
            if len(self._seen) >= _LISTS:
                del self._seen[next(iter(self._seen))]  # the oldest
            self._seen[alike] = set(remote.listed(*alike)), self._clock()

    def forget(self) -> None:
        """Look for all files anew."""
        self._seen.clear()

    def add(self, path: Path) -> None:
        """Note a file that was written."""
        if (found := self._seen.get(_alike(path))) is not None:
            found[0].add(path.name)

    def remove(self, path: Path) -> None:
        """Note a file that was removed."""
        if (found := self._seen.get(_alike(path))) is not None:
            found[0].discard(path.name)


def _alike(path: Path) -> tuple[Path, str]:
    """The folder of a file, and what the names begin with that are listed with its own."""
    return path.parent, path.name.partition("-")[0][:-_DIGITS]
