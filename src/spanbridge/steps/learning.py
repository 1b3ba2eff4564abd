"""Folders that hold what an aligner and a method learned together, and their settings.

``parts.json`` names both with their options; each saves its own state in a subfolder.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import atomic_output
from spanbridge.core.learned import FORMAT, Learner, check_folder, digest_of
from spanbridge.steps.base import PartSettings

NAMES = ("parts.json", "aligner", "method")


def check_place(folder: str | Path) -> None:
    """Check, before the long work, that a fit can be saved in a folder.

    Raises:
        InputError: the folder cannot be made or written to, or holds something else.
    """
    check_folder(folder, NAMES)


def save(
    folder: str | Path,
    aligner_settings: PartSettings | None,
    aligner: Learner | None,
    method_settings: PartSettings | None,
    method: Learner | None,
) -> None:
    """Save what both have learned, in place of any earlier fit in the folder.

    Raises InputError if the folder cannot be written to.
    """
    path = Path(folder)
    parts: dict[str, Any] = {"format": FORMAT}
    for kind, settings, part in (
        ("aligner", aligner_settings, aligner),
        ("method", method_settings, method),
    ):
        parts[kind] = None if settings is None or part is None else _named(settings)
        if part is not None:
            part.save(path / kind)
    with atomic_output(path / NAMES[0]) as out:
        json.dump(parts, out, ensure_ascii=False, indent=1)
        out.write("\n")


def _named(settings: PartSettings) -> dict[str, Any]:
    # threads do not affect what is learned, and depend on the machine
    options = {key: value for key, value in settings.options.items() if key != "threads"}
    if isinstance(options.get("encoder"), str) and Path(options["encoder"]).is_dir():
        options["encoder"] = str(Path(options["encoder"]).resolve())
    return {"name": settings.name, "options": options}


def load(folder: str | Path, aligner: Learner | None, method: Learner | None) -> None:
    """Restore what :func:`save` saved, for parts made with the same settings.

    Raises InputError if something is missing or damaged.
    """
    for kind, part in (("aligner", aligner), ("method", method)):
        if part is not None:
            part.load(Path(folder) / kind)


def recipe(folder: str | Path) -> tuple[str, PartSettings, PartSettings | None]:
    """Settings of the method and the aligner of a fit.

    Returns:
        The first digits of the digest of what was learned, the method's settings, and the
        aligner's.

    Raises:
        InputError: the folder is not a fit, or its parts were passed from Python.
    """
    path = Path(folder) / NAMES[0]
    try:
        parts = json.loads(path.read_text("utf-8"))
        if parts["format"] != FORMAT:
            raise InputError(path, None, "is not of this version's format; fit again")
        if parts["method"] is None:
            raise InputError(path, None, "holds no method; make it with project --fit")
        made = {
            kind: None
            if parts[kind] is None
            else PartSettings.parse(kind, {parts[kind]["name"]: parts[kind]["options"]})
            for kind in ("aligner", "method")
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"cannot be read ({error}); make it with project --fit"
        raise InputError(path, None, why) from error
    except SpanbridgeError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(path, None, str(error)) from error
    digests = [digest_of(Path(folder) / kind) for kind, part in made.items() if part is not None]
    whole = sha256("|".join(digests).encode()).hexdigest()[:12]
    method = made["method"]
    assert method is not None
    return whole, method, made["aligner"]
