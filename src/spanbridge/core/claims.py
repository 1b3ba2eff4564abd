"""Claims: who does which part of a work that several processes and machines share.

A claim is advice, not a lock. Whatever is claimed gives the same bytes whoever makes it, so two who
do it lose time and nothing else, and one who dies or hangs holds nobody up for long: the lease
ends. What is made is told by what is there, never by who claimed it.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from spanbridge.core.temporary import try_lock

# Seconds after which a lease that nobody has renewed is over, and between two renewals.
LEASE, BEAT = 120.0, 10.0
# What names of leases begin with.
LEASES = "claim-"
# Seconds of processor time between two renewals below which a process is taken to hang.
_IDLE = 0.02


class Lease(Protocol):
    """A claim that is held."""

    def renew(self) -> None:
        """Say that its holder lives and works."""

    def release(self) -> None:
        """Give it back."""


class Claims(Protocol):
    """Claims of one work, over whatever its processes and machines share."""

    def take(self, key: str) -> Lease | None:
        """Claim a part of the work; None if somebody else holds it. Raises OSError."""

    def clear(self) -> None:
        """Remove the claims of processes of this machine that no longer live."""


@contextmanager
def holding(claims: Claims, key: str) -> Iterator[bool]:
    """Hold a claim in a block; tells whether it could be taken. Raises OSError."""
    lease = claims.take(key)
    try:
        yield lease is not None
    finally:
        if lease is not None:
            lease.release()


class Heart:
    """Renews the leases that a process holds, unless it has done nothing since the last time.

    Args:
        seconds: length of a lease.
    """

    def __init__(self, seconds: float) -> None:
        self._pause = min(BEAT, seconds / 4)
        self._held: set[Lease] = set()
        self._beating = False

    def hold(self, lease: Lease) -> None:
        """Renew a lease from now on."""
        self._held.add(lease)
        if not self._beating:
            self._beating = True
            threading.Thread(target=self.beat, daemon=True).start()

    def drop(self, lease: Lease) -> None:
        """Renew a lease no more."""
        self._held.discard(lease)

    def beat(self) -> None:
        """Renew leases for ever."""
        before = time.process_time()
        while True:
            time.sleep(self._pause)
            now = time.process_time()
            if now - before >= _IDLE:
                before = now
                for lease in list(self._held):
                    lease.renew()


class FileClaims:
    """Claims as files of a folder that all share; each is made only if there is none.

    The holder has its file locked by the kernel, and renews it (its time of change) as long as the
    process does anything. So on the same machine a dead process's claim is free at once, and
    elsewhere, or if the process hangs, once nobody has renewed it for the length of a lease by the
    clock of the one who looks. No two clocks are compared.

    Args:
        folder: the folder, which is made.
        seconds: length of a lease.
        clock: seconds that never go back.
    """

    def __init__(
        self, folder: Path, seconds: float = LEASE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder, self._seconds, self._clock = folder, seconds, clock
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}  # state, and since when
        self._heart = Heart(seconds)

    def __reduce__(self) -> tuple[Any, ...]:
        """For other processes, which hold claims of their own."""
        return FileClaims, (self._folder, self._seconds)

    def take(self, key: str) -> Lease | None:
        """Claim a part of the work; None if somebody else holds it. Raises OSError."""
        path = self._folder / lease_name(key)
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            number, new = _opened(path)
            if number is None:
                continue
            try:
                locked = try_lock(number, wait=new)
                if not new and not self._is_free(path, number, locked):
                    os.close(number)
                    return None
                if _is_still(path, number):
                    os.pwrite(number, this_machine(), 0)
                    break
            except BaseException:
                os.close(number)
                raise
            os.close(number)  # it was removed since it was opened
        self._seen.pop(path, None)
        lease = _FileLease(path, number, self._heart)
        lease.renew()
        self._heart.hold(lease)
        return lease

    def clear(self) -> None:
        """Remove the files of processes of this machine that no longer live."""
        with suppress(OSError):
            for path in list(self._folder.glob("*.lease")):
                with suppress(OSError):
                    self._clear(path)

    def _clear(self, path: Path) -> None:
        number = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
        try:
            if try_lock(number) and os.pread(number, 200, 0) == this_machine():
                path.unlink()
        finally:
            os.close(number)

    def _is_free(self, path: Path, number: int, locked: bool | None) -> bool:
        """Check if a file's holder is dead or hangs; one that hangs is put out of the way."""
        if locked and os.pread(number, 200, 0) == this_machine():
            return True
        found = os.fstat(number)
        state = found.st_ino, found.st_mtime_ns
        before, since = self._seen.get(path, (None, 0.0))
        if before != state:
            self._seen[path] = state, self._clock()
            return False
        if self._clock() - since < self._seconds:
            return False
        if not locked and _is_still(path, number):
            with suppress(OSError):
                path.unlink()  # the loop in take makes another
        return True


class _FileLease:
    """A locked file."""

    def __init__(self, path: Path, number: int, heart: Heart) -> None:
        self._path, self._number, self._heart = path, number, heart
        self._lock = threading.Lock()  # a number that was closed may be another file's

    def renew(self) -> None:
        """Change the file's time."""
        with self._lock, suppress(OSError):
            if self._number >= 0:
                os.utime(self._number)

    def release(self) -> None:
        """Remove the file, unless it is another's by now."""
        self._heart.drop(self)
        with self._lock:
            number, self._number = self._number, -1
        with suppress(OSError):
            if number >= 0 and _is_still(self._path, number):
                self._path.unlink()
        if number >= 0:
            os.close(number)


def lease_name(key: str) -> str:
    """Name of the file that stands for a claim."""
    return f"{LEASES}{sha256(key.encode()).hexdigest()[:32]}.lease"


def _opened(path: Path) -> tuple[int | None, bool]:
    """Number of the open file, and whether it is new; None if it was there and is gone."""
    flags = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666), True
    except FileExistsError:
        pass
    try:
        return os.open(path, flags), False
    except FileNotFoundError:
        return None, False


def _is_still(path: Path, number: int) -> bool:
    try:
        return os.path.samestat(os.lstat(path), os.fstat(number))
    except FileNotFoundError:
        return False


def this_machine() -> bytes:
    """This machine since its last start, among whose processes the kernel's locks hold."""
    try:
        start = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        start = ""
    return f"{socket.gethostname()[:100]} {start}\n".encode()
