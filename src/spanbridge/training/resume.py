"""Saved state of a training, from which an interrupted one is resumed.

No pickles: tensors as safetensors, the rest as JSON, which is the record of both. A state replaces
the previous one only once it is complete.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError
from spanbridge.core.files import reason
from spanbridge.core.records import FILES, read_record, write_record
from spanbridge.core.temporary import unfinished

FOLDER = "resume"
_RECORD = "state.json"


def save_state(folder: Path, tensors: Mapping[str, Any], rest: Mapping[str, Any]) -> None:
    """Write a state into a training's output folder: torch tensors by name, and JSON values.

    Raises InputError if it cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    place = folder / FOLDER
    path = place / f"state-{secrets.token_hex(8)}.safetensors"  # beside the one before
    try:
        place.mkdir(exist_ok=True)
        with unfinished(path) as temporary:
            save_file({k: t.detach().cpu().contiguous() for k, t in tensors.items()}, temporary)
    except (OSError, SafetensorError) as error:
        raise InputError(path, None, f"cannot be written ({reason(error)})") from error
    write_record(place / _RECORD, rest, [path])
    for older in place.glob("state-*.safetensors"):
        if older != path:
            older.unlink(missing_ok=True)


def load_state(folder: Path) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Tensors and other values of the last state, or None.

    Raises InputError if a file is damaged or missing.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / FOLDER / _RECORD
    if not path.exists():
        return None
    remedy = f"delete {folder} to begin anew"
    content = read_record(path, remedy)
    tensors: dict[str, Any] = {}
    for name in content.get(FILES, {}):
        try:
            tensors |= load_file(path.parent / name)
        except (OSError, SafetensorError) as error:
            why = f"cannot be read ({error}); {remedy}"
            raise InputError(path.parent / name, None, why) from error
    return tensors, content


def drop_state(folder: Path) -> None:
    """Delete the state of a finished training."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
