"""Files on other stores, by fsspec: ``s3://``, ``gs://``, ``hf://``, ``memory://`` and the like.

Where a store is, and who asks, the libraries find out by themselves (``AWS_ENDPOINT_URL``,
``AWS_PROFILE``, ``GOOGLE_APPLICATION_CREDENTIALS``, ...): no key passes through this package.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, Any

from spanbridge.core.addresses import address, scheme_of, told
from spanbridge.core.errors import InputError, MissingExtraError
from spanbridge.core.installation import install_command
from spanbridge.core.requirements import require
from spanbridge.core.secrets import shown

# Bytes that are asked for at a time.
_BLOCK = 1 << 22
# What stores call the state of a file, if they tell it.
_STATES = (
    *("ETag", "etag", "generation", "sha256", "blob_id", "md5", "mtime"),
    *("LastModified", "last_modified", "modified", "created"),
)


def opened(path: str | Path) -> IO[bytes]:
    """Open a file for reading, from any place in it. Raises InputError, OSError."""
    store, name = _store(path)
    with _plainly():
        file = store.open(name, "rb", block_size=_BLOCK)
    return BufferedReader(_Reader(file), _BLOCK)


def put(source: Path, path: str | Path) -> None:
    """Write a file of this machine to a store, as whole as that keeps it. Raises InputError."""
    store, name = _store(path)
    try:
        with _plainly():
            store.put_file(str(source), name)
    except OSError as error:
        why = f"cannot be written ({error}); is its place there, and may you write to it?"
        raise InputError(path, None, why) from error


def state(path: str | Path) -> tuple[int, str] | None:
    """Size of a file, and what else tells that it is the same; None if there is none.

    Raises InputError if the store cannot be asked.
    """
    store, name = _store(path)
    try:
        with _plainly():
            store.invalidate_cache()
            about = store.info(name)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(path, None, f"cannot be asked for ({error}); check the address") from error
    if about.get("type") == "directory":
        return None
    return int(about.get("size") or 0), " ".join(
        f"{key}={about[key]}" for key in _STATES if about.get(key) is not None
    )


def remove(path: str | Path) -> None:
    """Remove a file if it is there. Raises InputError."""
    store, name = _store(path)
    try:
        with _plainly():
            if store.exists(name):
                store.rm_file(name)
    except OSError as error:
        raise InputError(path, None, f"cannot be removed ({error})") from error


def _store(path: str | Path) -> tuple[Any, str]:
    """The file system of an address, and the name of the file in it."""
    require("fsspec", by=told(path))
    from fsspec.core import url_to_fs
    from fsspec.registry import known_implementations

    scheme = scheme_of(path).rpartition("::")[2]
    try:
        with _plainly():
            store, name = url_to_fs(address(path))
    except ImportError as error:
        module = known_implementations.get(scheme, {}).get("class", scheme).partition(".")[0]
        why = f"{told(path)} needs {module}, which is not installed"
        raise MissingExtraError(why, install_command(module)) from error
    except OSError as error:
        raise InputError(path, None, f"is no address that fsspec knows ({error})") from error
    return store, str(name)


@contextmanager
def _plainly() -> Iterator[None]:
    """Give errors of any library as OSError, without secrets."""
    try:
        yield
    except (FileNotFoundError, ImportError):
        raise
    except Exception as error:  # noqa: BLE001  # each library has its own
        said = shown(str(error)) or type(error).__name__
        raise OSError(said) from None


class _Reader(RawIOBase):
    """A file of a store as Python's own."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any) -> int:
        with _plainly():
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
