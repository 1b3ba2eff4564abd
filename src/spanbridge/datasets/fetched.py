"""What was fetched has a record with its SHA-256 beside it, and is checked whenever it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError
from spanbridge.core.records import FILES, read_record, write_record

_SUFFIX, _OF_FOLDER = ".fetched.json", "folder.fetched.json"
# Records that were checked before by this process: sizes and times of change of their files.
_sound: dict[Path, list[tuple[int, int]]] = {}


def record_path(path: Path) -> Path:
    """Path of the record of a file, or of the files of a folder (``*`` in the name)."""
    return path.with_name(_OF_FOLDER if "*" in path.name else f"{path.name}{_SUFFIX}")


def record(path: Path, files: Sequence[Path], about: Mapping[str, Any]) -> dict[str, str]:
    """Write the record of files; returns the digest of each. Raises InputError."""
    written = record_path(path)
    write_record(written, about, files)
    found: dict[str, str] = read_record(written, "fetch it again", alone=True)[FILES]
    return found


def is_sound(path: Path) -> bool:
    """Check if a file, or the files of a folder, are as they were fetched."""
    try:
        return bool(read_record(record_path(path), "").get(FILES))
    except InputError:
        return False


def check(paths: Sequence[Path], name: str) -> None:
    """Check fetched files; others, which have no record, are the user's own.

    Raises InputError for a file that was changed since.
    """
    beside: dict[Path, list[tuple[int, int]]] = {}
    for path in paths:
        for place in (record_path(path), path.with_name(_OF_FOLDER)):
            if place.is_file():
                stamp = path.stat()
                beside.setdefault(place, []).append((stamp.st_size, stamp.st_mtime_ns))
    for place, stamps in beside.items():
        if _sound.get(place) != stamps:
            remedy = f"fetch it again (spanbridge data get {name}), or remove {place.name}"
            read_record(place, f"{remedy} if the change is yours")
            _sound[place] = stamps
