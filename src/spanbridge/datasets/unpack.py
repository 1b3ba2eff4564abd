"""Files out of archives: only those that were asked for, each under a name that we give it."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, Any

from spanbridge.core.errors import InputError
from spanbridge.core.files import reason
from spanbridge.core.similar import meant
from spanbridge.core.temporary import private_folder, unfinished

_LARGEST = 8 << 30  # bytes of an unpacked file; more is a compressed trap
_MOST = 100_000  # files for a pattern
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError)
_INNER = "//"
# Name in the archive -> function that opens it.
_Members = dict[str, Callable[[], IO[bytes]]]


def unpack(archive: Path, member: str, destination: Path) -> list[Path]:
    """Write a file of an archive, or all that fit a pattern.

    The names in the archive choose what is written, never where: a single file becomes
    ``destination``, the files of a pattern go into its folder under the last parts of their names.

    Args:
        archive: a zip file, or tar, compressed or not.
        member: name in it, ``*`` for any letters but ``/``; ``INNER//FILE`` for one in an archive
            within.
        destination: the file; with ``*`` in its name, any file of its folder.

    Returns:
        The files that were written.

    Raises:
        InputError: it is no such archive, has no such file, or one that is too large; or it cannot
            be written here.
    """
    inner, _, last = member.rpartition(_INNER)
    with ExitStack() as stack:
        opened, shown = archive, archive
        if inner:
            folder = stack.enter_context(private_folder())
            opened = folder / PurePosixPath(inner).name
            unpack(archive, inner, opened)
            shown = Path(f"{archive}, {inner}")
        try:
            members = stack.enter_context(_opened(opened))
            several = "*" in destination.name
            names = _chosen(members, last, shown, _MOST if several else 1)
            if not several:
                _write(members[names[0]], destination, shown, names[0])
                return [destination]
            written = []
            for name in names:
                path = destination.with_name(_plain(name, shown))
                if path in written:
                    raise InputError(shown, None, f"holds {path.name} in several folders")
                _write(members[name], path, shown, name)
                written.append(path)
            return written
        except _BROKEN as error:
            raise InputError(shown, None, f"is no whole archive ({reason(error)})") from error
        except OSError as error:
            raise InputError(shown, None, f"cannot be unpacked ({reason(error)})") from error


@contextmanager
def _opened(path: Path) -> Iterator[_Members]:
    """The regular files of an archive: neither links nor devices."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            yield {
                _bare(info.filename): _opener(packed.open, info)
                for info in packed.infolist()
                if not info.is_dir()
            }
        return
    with tarfile.open(path) as tar:  # the names are looked at, nothing is extracted by them
        yield {_bare(info.name): _opener(tar.extractfile, info) for info in tar if info.isfile()}


def _bare(name: str) -> str:
    """A name without the ``./`` that some programs put before all of them."""
    return name.removeprefix("./")


def _opener(open_one: Callable[[Any], IO[bytes] | None], info: Any) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        file = open_one(info)
        if file is None:
            raise ValueError("a file in it has no content")
        return file

    return opened


def _chosen(members: _Members, pattern: str, archive: Path, most: int) -> list[str]:
    """The names that fit. Raises InputError if there is none, or too many."""
    depth = pattern.count("/")
    found = sorted(
        name
        for name in members
        if name.count("/") == depth and (name == pattern or fnmatchcase(name, _literal(pattern)))
    )
    if not found:
        raise InputError(archive, None, f"holds no file {pattern}{meant(pattern, members)}")
    if len(found) > most:
        raise InputError(
            archive, None, f"holds {len(found):,} files {pattern}, of {most:,} at most"
        )
    return found


def _literal(pattern: str) -> str:
    """A pattern in which only ``*`` stands for something."""
    return pattern.replace("[", "[[]").replace("?", "[?]")


def _plain(name: str, archive: Path) -> str:
    last = PurePosixPath(name).name
    if not last or last.startswith(".") or set(last) & set('\\:\0"<>|') or not last.isprintable():
        raise InputError(archive, None, f"holds a file {name!r}, whose name is not taken over")
    return last


def _write(opened: Callable[[], IO[bytes]], destination: Path, archive: Path, name: str) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    with unfinished(destination) as temporary, opened() as file, temporary.open("wb") as out:
        left = _LARGEST
        while chunk := file.read(min(1 << 20, left + 1)):
            left -= len(chunk)
            if left < 0:
                why = f"holds {name} of more than {_LARGEST:,} bytes; is it a trap?"
                raise InputError(archive, None, why)
            out.write(chunk)
