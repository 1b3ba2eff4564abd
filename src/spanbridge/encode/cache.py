"""The user's cache of converted models: atomic, locked, versioned, checksummed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from spanbridge.core.errors import SpanbridgeError

# Increase when the converted files change: older entries are then ignored and made again.
FORMAT_VERSION = 1
_MANIFEST = "manifest.json"


def cache_folder() -> Path:
    """``$SPANBRIDGE_CACHE``, or the platform's user cache folder for spanbridge."""
    given = os.environ.get("SPANBRIDGE_CACHE")
    if given:
        return Path(given)
    from platformdirs import user_cache_path

    return user_cache_path("spanbridge")


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _intact(entry: Path) -> bool:
    try:
        digests = json.loads((entry / _MANIFEST).read_text("utf-8"))["sha256"]
        return bool(digests) and all(
            file_digest(entry / name) == digest for name, digest in digests.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def cached(key: str, make: Callable[[Path], None]) -> Path:
    """The folder of a cache entry, made on first use.

    Every file is checked against its SHA-256 on each use; a damaged entry is made again. Concurrent
    processes wait for the one that makes the entry; an interrupted one leaves nothing that could be
    taken for an entry.

    Args:
        key: name of the entry; must contain everything that its content depends on.
        make: function that writes the entry's files into the empty folder it is given.

    Raises:
        SpanbridgeError: the cache folder cannot be written to.
    """
    from filelock import FileLock

    root = cache_folder() / f"v{FORMAT_VERSION}"
    entry = root / key
    if _intact(entry):
        return entry
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f"{key}.lock"):
            if _intact(entry):  # another process was faster
                return entry
            work = Path(tempfile.mkdtemp(prefix=f"{key}.", dir=root))
            try:
                make(work)
                digests = {f.name: file_digest(f) for f in sorted(work.iterdir())}
                (work / _MANIFEST).write_text(json.dumps({"sha256": digests}, indent=1), "utf-8")
                shutil.rmtree(entry, ignore_errors=True)
                work.rename(entry)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise SpanbridgeError(
            f"cannot write the model cache in {root}: {error}; set SPANBRIDGE_CACHE to a folder "
            "that you can write"
        ) from error
    return entry
