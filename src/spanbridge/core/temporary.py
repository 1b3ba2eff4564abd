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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_HOST = re.sub(r"\W", "_", socket.gethostname(), flags=re.ASCII)[:40] or "host"
_PREFIX = ".spanbridge-"
_BUSY = (errno.EWOULDBLOCK, errno.EACCES)


class BusyError(OSError):
    """Another process holds the claim."""


def is_temporary(name: str) -> bool:
    """Check if a name is one of those that this module gives."""
    return name.startswith(_PREFIX)


@contextmanager
def unfinished(destination: Path) -> Iterator[Path]:
    """An empty file beside its destination, which it replaces if the block succeeds.

    It gets the mode of the file that it replaces, or else the usual one. Raises OSError.
    """
    temporary = _name(destination)
    with _held(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL):
        try:
            yield temporary
            with suppress(OSError):
                temporary.chmod(stat.S_IMODE(destination.stat().st_mode))
            temporary.replace(destination)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def scratch_folder(destination: Path) -> Iterator[Path]:
    """An empty folder beside a destination, which is gone after the block. Raises OSError."""
    temporary = _name(destination)
    temporary.mkdir(parents=True)
    with _held(temporary, os.O_RDONLY):
        try:
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def unfinished_folder(destination: Path) -> Iterator[Path]:
    """An empty folder beside its destination, which it replaces if the block succeeds.

    If another process puts the same in that place meanwhile, that is left there. Raises OSError.
    """
    with scratch_folder(destination) as temporary:
        yield temporary
        remove_folder(destination)
        try:
            temporary.rename(destination)
        except OSError:
            if not destination.is_dir():
                raise


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
    number = _opened(path, flags)
    try:
        while not _lock(number, wait, sure) or not _still(path, number):
            # its owner or a sweeper has removed it since it was opened
            os.close(number)
            number = _opened(path, flags)
        yield
    finally:
        os.close(number)


def _opened(path: Path, flags: int) -> int:
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        return os.open(path, flags, 0o666)
    except PermissionError:
        if not flags & os.O_RDWR or flags & os.O_EXCL:
            raise
        return os.open(path, flags & ~(os.O_RDWR | os.O_CREAT))  # another user's claim


def _lock(number: int, wait: bool, sure: bool) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno in _BUSY:
            raise BusyError(error.errno, "another process holds it") from error
        if sure:
            raise
    return True


def _still(path: Path, number: int) -> bool:
    try:
        return fcntl is None or os.path.samestat(os.lstat(path), os.fstat(number))
    except FileNotFoundError:
        return False
