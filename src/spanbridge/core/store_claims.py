"""Claims on another store, which has neither locks nor renaming: leases that are put if absent.

A holder overwrites its lease with a higher number now and then. One that has not changed for the
length of a lease, by the clock of the one who looks, is removed, and whoever puts the next one
first holds it. Two may hold the same claim for a while, as in :mod:`spanbridge.core.claims`: they
lose time.
"""

from __future__ import annotations

import atexit
import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from spanbridge.core import remote, store
from spanbridge.core.addresses import is_remote
from spanbridge.core.claims import (
    LEASE,
    LEASES,
    Claims,
    FileClaims,
    Heart,
    Lease,
    lease_name,
    this_machine,
)
from spanbridge.core.errors import InputError
from spanbridge.core.temporary import private_folder, sweep


def claims_in(folder: Path) -> Claims:
    """The claims of all that share a folder, on this machine or on another store."""
    return StoreClaims(folder) if is_remote(folder) else FileClaims(folder)


class StoreClaims:
    """Claims as files of a folder on another store.

    All leases there are listed by one request (there are no more than processes), and for a moment
    that answer is believed.

    Args:
        folder: the folder's address.
        seconds: length of a lease.
        clock: seconds that never go back.
    """

    def __init__(
        self, folder: Path, seconds: float = LEASE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder, self._seconds, self._clock = folder, seconds, clock
        self._seen: dict[str, tuple[str, float]] = {}  # states of leases, and since when
        self._asked: set[tuple[str, str]] = set()  # leases and states whose holders lived
        self._looked = float("-inf")
        self._heart = Heart(seconds)
        self._home: Path | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """For other processes, which hold claims of their own."""
        return StoreClaims, (self._folder, self._seconds)

    def take(self, key: str) -> Lease | None:
        """Claim a part of the work; None if somebody else holds it. Raises InputError, OSError."""
        if self._home is None:
            self._home = _home()
            self.clear()
        name = lease_name(key)
        self._look()
        if name in self._seen:
            if not self._is_over(name):
                return None
            remote.remove(self._folder / name)
            del self._seen[name]
        lease = _StoreLease(self._folder / name, self._home, self._released)
        if not remote.create(self._folder / name, lease.content()):
            self._looked = float("-inf")
            return None
        self._heart.hold(lease)
        return lease

    def clear(self) -> None:
        """Remove the leases of processes of this machine that no longer live."""
        with suppress(InputError, OSError):
            for name in remote.listed(self._folder, LEASES):
                with suppress(InputError, OSError):
                    if self._is_dead(name):
                        remote.remove(self._folder / name)

    def _is_over(self, name: str) -> bool:
        """Check if the time of a lease is over, or its holder is a dead process of this machine.

        That is asked once of a lease that has not been renewed for a while.
        """
        state, since = self._seen[name]
        idle = self._clock() - since
        if idle >= self._seconds:
            return True
        if idle < self._seconds / 3 or (name, state) in self._asked:
            return False
        self._asked.add((name, state))
        return self._is_dead(name)

    def _is_dead(self, name: str) -> bool:
        """Check if the holder of a lease is a process of this machine that no longer lives."""
        try:
            machine, home, _ = remote.read(self._folder / name).split(b"\n")
        except (OSError, ValueError):
            return False
        return machine == _machine() and not _lives(Path(os.fsdecode(home)))

    def _released(self, lease: _StoreLease) -> None:
        self._heart.drop(lease)
        self._seen.pop(lease.path.name, None)

    def _look(self) -> None:
        """List all leases, unless that was done just now."""
        now = self._clock()
        if now - self._looked < store.LOOK:
            return
        self._looked = now
        found = remote.listed(self._folder, LEASES)
        self._seen = {
            name: self._seen[name] if self._seen.get(name, ("",))[0] == state else (state, now)
            for name, state in found.items()
        }


class _StoreLease:
    """A lease: the machine of its holder, a folder there that is locked as long as it lives, and
    how often it was renewed.
    """

    def __init__(self, path: Path, home: Path, released: Callable[[_StoreLease], None]) -> None:
        self.path, self._home, self._released = path, home, released
        self._n, self._over = 0, False
        self._lock = threading.Lock()  # what was given back is not to be renewed

    def content(self) -> bytes:
        """What stands in its file."""
        return b"\n".join((_machine(), os.fsencode(self._home), str(self._n).encode()))

    def renew(self) -> None:
        """Write its file anew."""
        with self._lock, suppress(InputError, OSError):
            if not self._over:
                self._n += 1
                remote.write(self.path, self.content())

    def release(self) -> None:
        """Remove its file. If that is another's by now, the work is done all the same."""
        self._released(self)
        with self._lock, suppress(InputError, OSError):
            if not self._over:
                self._over = True
                remote.remove(self.path)


def _machine() -> bytes:
    """This machine since its last start; of its containers, those that share temporary files."""
    about = Path(tempfile.gettempdir()).stat()
    return this_machine().strip() + f" {about.st_dev}:{about.st_ino}".encode()


def _home() -> Path:
    """A folder that is locked as long as this process lives."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(private_folder())


def _lives(home: Path) -> bool:
    """Check if a process of this machine lives, by its folder."""
    sweep(home.parent)
    return home.is_dir()
