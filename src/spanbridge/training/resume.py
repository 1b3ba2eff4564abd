"""Saved state of a training, from which an interrupted one is resumed.

No pickles: tensors as safetensors, the rest as JSON, which also holds the SHA-256 of the tensors. A
state replaces the previous one only once it is complete.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError

FOLDER = "resume"
_TENSORS, _REST = "state.safetensors", "state.json"


def save_state(folder: Path, tensors: Mapping[str, Any], rest: Mapping[str, Any]) -> None:
    """Write a state into a training's output folder: torch tensors by name, and JSON values."""
    from safetensors.torch import save_file

    place, work, old = (folder / f"{FOLDER}{end}" for end in ("", ".tmp", ".old"))
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    save_file({k: t.detach().cpu().contiguous() for k, t in tensors.items()}, work / _TENSORS)
    content = {**rest, "sha256": _digest(work / _TENSORS)}
    with (work / _REST).open("w", encoding="utf-8") as out:
        json.dump(content, out)
        out.flush()
        os.fsync(out.fileno())
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    work.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def load_state(folder: Path) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Tensors and other values of the last state, or None.

    Raises InputError if a file is damaged or missing.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    place, old = folder / FOLDER, folder / f"{FOLDER}.old"
    if not place.exists() and old.exists():  # interrupted between the two renames
        old.rename(place)
    if not place.exists():
        return None
    remedy = f"delete {folder} to begin anew"
    try:
        rest = json.loads((place / _REST).read_text("utf-8"))
        wanted = rest.pop("sha256")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError(place / _REST, None, f"is damaged ({error!r}); {remedy}") from error
    try:
        if _digest(place / _TENSORS) != wanted:
            raise InputError(place / _TENSORS, None, f"is damaged; {remedy}")
        return load_file(place / _TENSORS), rest
    except (OSError, SafetensorError) as error:
        raise InputError(place / _TENSORS, None, f"cannot be read ({error}); {remedy}") from error


def drop_state(folder: Path) -> None:
    """Delete the state of a finished training."""
    for end in ("", ".tmp", ".old"):
        shutil.rmtree(folder / f"{FOLDER}{end}", ignore_errors=True)


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
