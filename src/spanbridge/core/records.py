"""Records: JSON files with the digest of their own content and of files beside them.

Whatever is kept and read again has one: shards, fits, the cache, the state of a training, results.
It is written last, so that files without a record are not whole, and checked before they are used.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spanbridge.core.addresses import is_remote, told
from spanbridge.core.errors import InputError
from spanbridge.core.files import open_bytes, reason
from spanbridge.core.store import read, write

_BLOCK = 1 << 20
DIGEST, FILES = "sha256", "files"


def file_digest(path: Path) -> str:
    """SHA-256 of a file or of standard input (``-``), in hexadecimal; of a folder, of its files."""
    digest = hashlib.sha256()
    if not is_remote(path) and path.is_dir():
        for inside in sorted(one for one in path.rglob("*") if one.is_file()):
            name = inside.relative_to(path).as_posix()
            digest.update(f"{name} {file_digest(inside)}\n".encode())
        return digest.hexdigest()
    with open_bytes(path) as file:
        while data := file.read(_BLOCK):
            digest.update(data)
    return digest.hexdigest()


def write_record(
    path: Path,
    content: Mapping[str, Any],
    files: Iterable[Path] | Mapping[Path, str] = (),
    indent: int | None = 1,
) -> None:
    """Write a record.

    Args:
        path: its path.
        content: JSON values under names other than ``sha256`` and ``files``.
        files: files in the record's folder or below it, or on other stores; with their digests if
            these are known.
        indent: of the JSON; None writes one line.

    Raises:
        InputError: it cannot be written, or a file cannot be read.
    """
    try:
        known = files if isinstance(files, Mapping) else {file: file_digest(file) for file in files}
    except (OSError, ValueError) as error:
        raise InputError(path, None, f"cannot be written ({reason(error)})") from error
    digests = {_name(file, path.parent): digest for file, digest in known.items()}
    whole = {**content, **({FILES: digests} if digests else {})}
    whole = json.loads(json.dumps(whole))
    whole[DIGEST] = _digest(whole)
    text = json.dumps(whole, ensure_ascii=False, indent=indent)
    write(path, f"{text}\n".encode())


def read_record(
    path: Path,
    remedy: str,
    version: int | None = None,
    *,
    alone: bool = False,
    data: bytes | None = None,
) -> dict[str, Any]:
    """Read a record, and check it and its files.

    Args:
        path: its path.
        remedy: what to do if it is damaged.
        version: number that it has to have under ``format``.
        alone: do not check its files.
        data: its bytes, if they have been read.

    Raises:
        InputError: the record or one of its files is missing, cannot be read, or is not as it was
            written; or it is of another version.
    """
    try:
        content = json.loads((read(path) if data is None else data).decode("utf-8"))
    except OSError as error:
        raise InputError(path, None, f"cannot be read ({reason(error)}); {remedy}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(path, None, f"is damaged; {remedy}") from error
    if not isinstance(content, dict) or version not in (None, content.get("format", version)):
        raise InputError(path, None, f"is not of this version's format; {remedy}")
    if content.get(DIGEST) != _digest(content):
        raise InputError(path, None, f"is damaged, or was changed by hand; {remedy}")
    for name, digest in () if alone else content.get(FILES, {}).items():
        file = Path(name) if is_remote(name) else path.parent / name
        try:
            found = file_digest(file)
        except (OSError, ValueError) as error:
            raise InputError(file, None, f"cannot be read ({reason(error)}); {remedy}") from error
        if found != digest:
            why = f"is damaged, or not the file that {path.name} is about; {remedy}"
            raise InputError(file, None, why)
    return content


def _name(file: Path, folder: Path) -> str:
    """A file as a record calls it: as seen from its folder, or by its address elsewhere."""
    if is_remote(file) and not is_remote(folder):
        return told(file)
    return str(os.path.relpath(file, folder))


def _digest(content: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in content.items() if key != DIGEST}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
