"""Unfinished files and folders: named apart, locked while their writer lives, swept afterwards.

The lock is the kernel's (``flock``): it ends with the process, however that ends. So what can be
locked is surely nobody's, on this machine; others' files are left to them. On systems without such
locks nothing is swept, and two runs are not kept apart.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_HOST = re.sub(r"\W", "_", socket.gethostname(), flags=re.ASCII)[:40] or "host"
_PREFIX = ".spanbridge-"


class BusyError(OSError):
    """Another process holds the claim."""


def is_temporary(name: str) -> bool:
    """Check if a name is one of those that this module gives."""
    return name.startswith(_PREFIX)


@contextmanager
def scratch_folder(destination: Path) -> Iterator[Path]:
    """An empty folder beside a destination, which is gone after the block. Raises OSError."""
    with ExitStack() as stack:
        while True:
            temporary = _name(destination)
            temporary.mkdir()
            try:
                stack.enter_context(_held(temporary, os.O_RDONLY, wait=True))
                break
            except FileNotFoundError:  # swept before it was locked
                continue
        try:
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def private_folder() -> Iterator[Path]:
    """An empty folder that only its user can read, which is gone after the block. Raises OSError.

    It lies where the system keeps temporary files (``TMPDIR``).
    """
    place = Path(tempfile.gettempdir())
    sweep(place)
    with scratch_folder(place / "private") as folder:
        folder.chmod(0o700)
        yield folder


@contextmanager
def unfinished(destination: Path) -> Iterator[Path]:
    """Path of a new file near its destination, which it replaces if the block succeeds.

    It gets the mode of the file that it replaces, or else the usual one. Raises OSError.
    """
    with scratch_folder(destination) as folder:
        temporary = folder / "unfinished"
        yield temporary
        place(temporary, destination)


@contextmanager
def unfinished_folder(destination: Path) -> Iterator[Path]:
    """An empty folder beside its destination, which it replaces if the block succeeds.

    If another process puts the same in that place meanwhile, that is left there. Raises OSError.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(destination) as temporary:
        yield temporary
        for path in temporary.rglob("*"):
            if path.is_file():
                path.chmod(_usual_mode(temporary))
        remove_folder(destination)
        try:
            temporary.rename(destination)
        except OSError:
            if not destination.is_dir():
                raise


def place(path: Path, destination: Path) -> None:
    """Move a file out of a scratch folder into its place. Raises OSError."""
    try:
        mode = stat.S_IMODE(destination.stat().st_mode)
    except OSError:
        mode = _usual_mode(path.parent)
    path.chmod(mode)
    path.replace(destination)


def _usual_mode(folder: Path) -> int:
    """Mode of a new file, from that of a new folder: libraries may have given it another one."""
    return folder.stat().st_mode & 0o666


def remove_folder(folder: Path) -> None:
    """Remove a folder if it is there, at once under its name. Raises OSError."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder.rename(_name(folder)), ignore_errors=True)


@contextmanager
def claimed(destination: Path, *, wait: bool = False) -> Iterator[None]:
    """Keep other processes from claiming the same destination, whether it exists or not.

    Args:
        destination: a file or a folder.
        wait: wait for another process that holds the claim.

    Raises:
        BusyError: another process holds it.
        OSError: its folder cannot be written to.
    """
    place = Path(os.path.realpath(destination))
    name = sha256(os.fsencode(place.name)).hexdigest()[:16]
    lock = place.with_name(f"{_PREFIX}{name}.lock")
    with _held(lock, os.O_RDWR | os.O_CREAT, wait=wait):
        try:
            yield
        finally:
            with suppress(OSError):  # of another user, who alone may remove it
                lock.unlink()


def sweep(folder: Path, *, deep: bool = False) -> None:
    """Remove what processes of this machine that no longer live have left unfinished."""
    pattern = f"{_PREFIX}*"
    with suppress(OSError):
        for path in list(folder.rglob(pattern) if deep else folder.glob(pattern)):
            if path.name.endswith(".lock") or path.name.startswith(f"{_PREFIX}{_HOST}-"):
                _sweep_one(path)


def _sweep_one(path: Path) -> None:
    if fcntl is None:
        return
    with suppress(OSError), _held(path, os.O_RDONLY | os.O_NONBLOCK, sure=True):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _name(destination: Path) -> Path:
    return destination.with_name(f"{_PREFIX}{_HOST}-{secrets.token_hex(8)}.tmp")


@contextmanager
def _held(path: Path, flags: int, *, wait: bool = False, sure: bool = False) -> Iterator[None]:
    """Open and lock a file or folder.

    Raises:
        BusyError: another process has locked it.
        OSError: it cannot be opened; with ``sure``, also if it cannot be locked.
    """
    if fcntl is None and not flags & os.O_CREAT:
        yield
        return
    number = _opened(path, flags)
    try:
        while not _lock(number, wait, sure) or not _still(path, number):
            # its owner or a sweeper has removed it since it was opened
            os.close(number)
            number = -1
            number = _opened(path, flags)
        yield
    finally:
        if number >= 0:
            os.close(number)


def _opened(path: Path, flags: int) -> int:
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        return os.open(path, flags, 0o666)
    except PermissionError:
        if not flags & os.O_RDWR or flags & os.O_EXCL:
            raise
        return os.open(path, flags & ~(os.O_RDWR | os.O_CREAT))  # another user's claim


def try_lock(number: int, *, wait: bool = False) -> bool | None:
    """Lock an open file, until it is closed; None where nothing can be locked."""
    if fcntl is None:
        return None
    try:
        return _lock(number, wait, sure=True)
    except BusyError:
        return False
    except OSError:
        return None


def _lock(number: int, wait: bool, sure: bool) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno == errno.EWOULDBLOCK:
            raise BusyError(error.errno, "another process holds it") from error
        if sure:
            raise
    return True


def _still(path: Path, number: int) -> bool:
    try:
        return fcntl is None or os.path.samestat(os.lstat(path), os.fstat(number))
    except FileNotFoundError:
        return False
