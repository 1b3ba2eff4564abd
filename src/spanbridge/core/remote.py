"""Files on other stores, by fsspec: ``s3://``, ``gs://``, ``hf://``, ``memory://`` and the like.

Where a store is, and who asks, the libraries find out by themselves (``AWS_ENDPOINT_URL``,
``AWS_PROFILE``, ``GOOGLE_APPLICATION_CREDENTIALS``, ...): no key passes through this package.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, Any

from spanbridge.core.addresses import address, scheme_of, told
from spanbridge.core.errors import InputError, MissingExtraError
from spanbridge.core.installation import install_command
from spanbridge.core.requirements import require
from spanbridge.core.secrets import shown

# Bytes that are asked for at a time: little at first, since many only look at the beginning.
_FIRST, _BLOCK = 1 << 18, 1 << 22
# What stores call the state of a file, if they tell it.
_STATES = (
    *("ETag", "etag", "generation", "sha256", "blob_id", "md5", "mtime"),
    *("LastModified", "last_modified", "modified", "created"),
)


def opened(path: str | Path) -> IO[bytes]:
    """Open a file for reading, from any place in it. Raises InputError, OSError."""
    store, name = _store(path)
    with _plainly():
        file = store.open(name, "rb", block_size=_BLOCK, cache_type="none")  # it is kept here
    return BufferedReader(_Reader(file), _BLOCK)


def put(source: Path, path: str | Path) -> None:
    """Write a file of this machine to a store, as whole as that keeps it. Raises InputError."""
    store, name = _store(path)
    try:
        with _plainly():
            store.put_file(str(source), name)
    except OSError as error:
        raise _unwritten(path, error) from error


def read(path: str | Path) -> bytes:
    """The whole of a file, by one request. Raises InputError, OSError."""
    store, name = _store(path)
    with _plainly():
        return bytes(store.cat_file(name, start=0))  # without it, S3 is asked for the size first


def read_many(paths: Sequence[str | Path]) -> list[bytes | None]:
    """The whole of several files of one store, at once; None for those that cannot be read.

    Raises InputError if the store cannot be asked.
    """
    if not paths:
        return []
    names = [_store(path)[1] for path in paths]
    try:
        with _plainly():
            found = _store(paths[0])[0].cat_ranges(names, 0, None, on_error="return")
    except OSError as error:
        raise _unasked(paths[0], error) from error
    return [None if isinstance(data, BaseException) else bytes(data) for data in found]


def write(path: str | Path, data: bytes) -> None:
    """Write a whole file, by one request if the store has such. Raises InputError."""
    store, name = _store(path)
    try:
        with _plainly():
            store.pipe_file(name, data)
    except OSError as error:
        raise _unwritten(path, error) from error


def create(path: str | Path, data: bytes) -> bool:
    """Write a whole file unless there is one of its name; tells whether it was written.

    On S3, GCS and the like exactly one of several that try does it. Raises InputError.
    """
    store, name = _store(path)
    try:
        with _plainly():
            store.pipe_file(name, data, mode="create")
    except FileExistsError:
        return False
    except OSError as error:
        if "Conflict" in str(error):  # another is at it, says S3
            return False
        raise _unwritten(path, error) from error
    return True


def listed(folder: str | Path, prefix: str = "") -> dict[str, str]:
    """Names in a folder that begin so, with what tells that their files are the same.

    Without a prefix, folders in it are among them. Raises InputError if it cannot be asked for.
    """
    store, name = _store(folder)
    try:
        with _plainly():
            store.invalidate_cache(name)
            if prefix:
                found = store.find(name, detail=True, prefix=prefix).values()
            else:
                found = store.ls(name, detail=True)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unasked(folder, error) from error
    whole = name.rstrip("/") + "/"
    inside = [(about["name"].rpartition(whole)[2].rstrip("/"), about) for about in found]
    return {
        own: f"{about.get('size')} {_told(about)}"
        for own, about in inside
        if own and "/" not in own and own.startswith(prefix)
    }


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
        raise _unasked(path, error) from error
    if about.get("type") == "directory":
        return None
    return int(about.get("size") or 0), _told(about)


def remove(path: str | Path) -> None:
    """Remove a file if it is there. Raises InputError."""
    store, name = _store(path)
    try:
        with _plainly(), suppress(FileNotFoundError):
            store.rm_file(name)
    except OSError as error:
        raise InputError(path, None, f"cannot be removed ({error})") from error


def _told(about: dict[str, Any]) -> str:
    """What a store tells of a file's state."""
    return " ".join(f"{key}={about[key]}" for key in _STATES if about.get(key) is not None)


def _unasked(path: str | Path, error: OSError) -> InputError:
    return InputError(path, None, f"cannot be asked for ({error}); check the address")


def _unwritten(path: str | Path, error: OSError) -> InputError:
    why = f"cannot be written ({error}); is its place there, and may you write to it?"
    return InputError(path, None, why)


def _store(path: str | Path) -> tuple[Any, str]:
    """The file system of an address, and the name of the file in it."""
    require("fsspec", by=told(path))
    from fsspec.core import url_to_fs
    from fsspec.registry import known_implementations

    scheme = scheme_of(path)
    # elsewhere there are no folders
    made: dict[str, Any] = {"auto_mkdir": True} if scheme in ("file", "local") else {}
    scheme = scheme.rpartition("::")[2]
    try:
        with _plainly():
            store, name = url_to_fs(address(path), **made)
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
    except (FileNotFoundError, FileExistsError, ImportError):
        raise
    except Exception as error:  # noqa: BLE001  # each library has its own
        said = shown(str(error)) or type(error).__name__
        raise OSError(said) from None


class _Reader(RawIOBase):
    """A file of a store as Python's own."""

    def __init__(self, file: Any) -> None:
        self._file, self._n = file, _FIRST

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
            data = self._file.read(min(len(buffer), self._n))
        self._n = min(2 * self._n, _BLOCK)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
