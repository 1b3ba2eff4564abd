"""Folders that hold what an aligner, a method and a judge learned together, and their settings.

``parts.json`` names the first two with their options; each saves its own state in a subfolder. It
is the record of all, written last: without it, a folder holds no fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from spanbridge.core import registry
from spanbridge.core.errors import InputError
from spanbridge.core.files import real_path, reason
from spanbridge.core.learned import (
    FILES,
    FORMAT,
    REMEDY,
    Learner,
    check_folder,
    digest_of,
)
from spanbridge.core.records import read_record, write_record
from spanbridge.steps.base import PartSettings

FIRST = ("first-aligner", "first-method")  # of a first look at each row
# Methods without corrections: that of a first look, and the other one.
UNTAUGHT = ("untaught-1", "untaught-2")
NAMES = ("parts.json", "aligner", "method", "judge", *FIRST, *UNTAUGHT)
_OF_PART = ("name", "options")


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
    weights: Mapping[str, float] | None = None,
    judge: Learner | None = None,
    language: str = "",
    speed: str = "full",
    first: Sequence[Learner | None] = (),
    untaught: Sequence[Learner] = (),
) -> None:
    """Save what all have learned, in place of any earlier fit in the folder.

    Args:
        folder: place of the fit.
        aligner_settings, aligner, method_settings, method: both parts, None where there is none.
        weights: weights that were added to the method's own.
        judge: what judges rows, if it has learned.
        language: of the target, as far as it is known.
        speed: as in the step ``project``.
        first: aligner and method of the first look at each row, if there is one.
        untaught: methods that learned the same without corrections.

    Raises InputError if the folder cannot be written to.
    """
    path = Path(folder)
    try:
        (path / NAMES[0]).unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise InputError(path, None, f"cannot be written to ({reason(error)})") from error
    parts: dict[str, Any] = {"format": FORMAT, "weights": dict(weights or {})}
    records = []
    for kind, settings, part in (
        ("aligner", aligner_settings, aligner),
        ("method", method_settings, method),
    ):
        parts[kind] = None if settings is None or part is None else _named(settings)
        if part is not None:
            part.save(path / kind)
            records.append(path / kind / FILES[0])
    parts |= {"judge": judge is not None, "language": language, "speed": speed}
    others = [*zip(("judge", *FIRST), (judge, *first), strict=False)]
    others += zip(UNTAUGHT, untaught, strict=False)
    for name, part in others:
        if part is not None:
            part.save(path / name)
            records.append(path / name / FILES[0])
    write_record(path / NAMES[0], parts, records)


def _named(settings: PartSettings) -> dict[str, Any]:
    # threads do not affect what is learned, and depend on the machine
    options = {key: value for key, value in settings.options.items() if key != "threads"}
    if isinstance(options.get("encoder"), str) and Path(options["encoder"]).is_dir():
        options["encoder"] = str(real_path(options["encoder"]))
    return {"name": settings.name, "options": options}


def load(
    folder: str | Path,
    aligner: Learner | None,
    method: Learner | None,
    judge: Learner | None = None,
    first: Sequence[Learner | None] = (),
    untaught: Sequence[Learner] = (),
) -> None:
    """Restore what :func:`save` saved, for parts made with the same settings.

    Raises InputError if something is missing or damaged.
    """
    parts = _read(Path(folder))
    given = judge if parts.get("judge") else None
    kinds = ("aligner", "method", "judge", *FIRST)
    each = [*zip(kinds, (aligner, method, given, *first), strict=False)]
    each += zip(UNTAUGHT, untaught, strict=False)
    for kind, part in each:
        if part is not None:
            part.load(Path(folder) / kind)


def language_of(folder: str | Path) -> str:
    """ISO 639-3 of the target's language, as far as a fit knows it.

    Raises InputError as :func:`recipe`.
    """
    found = _read(Path(folder)).get("language")
    if not isinstance(found, str):
        raise InputError(Path(folder) / NAMES[0], None, f"is damaged; {REMEDY}")
    return found


class Recipe(NamedTuple):
    """How the parts of a fit were made.

    Attributes:
        digest: first digits of the digest of what was learned.
        method, aligner: settings of the parts.
        weights: weights that were added to the method's own.
        speed: as in the step ``project``.
    """

    digest: str
    method: PartSettings
    aligner: PartSettings | None
    weights: dict[str, float]
    speed: str


def recipe(folder: str | Path, links: str = "keep") -> Recipe:
    """How the parts of a fit were made.

    Args:
        folder: the fit.
        links: use of given links, as in the step ``project``; ``only`` needs no aligner.

    Raises:
        InputError: the folder is not a fit, is damaged, or its parts were passed from Python.
    """
    parts = _read(Path(folder))
    made = {kind: _part(Path(folder), kind, parts.get(kind)) for kind in ("aligner", "method")}
    method = made["method"]
    if method is None:
        why = "holds no method; make it with project --fit"
        raise InputError(Path(folder) / NAMES[0], None, why)
    reads = registry.load("method", method.name).reads
    if made["aligner"] is None and reads != "nothing" and links != "only":
        why = "holds no aligner; fit again (or apply it with links: only, if it was fitted so)"
        raise InputError(Path(folder) / NAMES[0], None, why)
    there = {**made, "judge": parts.get("judge")}
    if parts.get("speed") == "fast":
        there |= dict.fromkeys(FIRST, True)
    kinds = [kind for kind in NAMES[1:] if there.get(kind)]
    digests = [digest_of(Path(folder) / kind) for kind in kinds]
    whole = sha256("|".join([*digests, str(parts.get("language"))]).encode()).hexdigest()[:12]
    weights = parts.get("weights")
    if not isinstance(weights, dict) or not all(
        type(weight) in (int, float) and isfinite(weight) for weight in weights.values()
    ):
        raise InputError(Path(folder) / NAMES[0], None, f"is damaged; {REMEDY}")
    return Recipe(whole, method, made["aligner"], weights, str(parts.get("speed")))


def _read(folder: Path) -> dict[str, Any]:
    """The names of the parts. Raises InputError as :func:`recipe`."""
    path = folder / NAMES[0]
    if not folder.is_dir():
        why = "is a file, but a fit is a folder" if folder.exists() else "no such folder"
        raise InputError(folder, None, f"{why}; make it with project --fit")
    if not path.exists():
        raise InputError(folder, None, f"holds no fit ({NAMES[0]}); make it with project --fit")
    return read_record(path, REMEDY, FORMAT)


def _part(folder: Path, kind: str, given: Any) -> PartSettings | None:
    """Settings of a part, or None. Raises InputError as :func:`recipe`."""
    path = folder / NAMES[0]
    if given is None:
        return None
    name, options = (given.get(key) if isinstance(given, dict) else None for key in _OF_PART)
    if not isinstance(name, str) or not isinstance(options, dict):
        raise InputError(path, None, f"is damaged; {REMEDY}")
    if not name:
        why = f"the {kind} was made in Python, so it is not known here; fit again with a named one"
        raise InputError(path, None, why)
    try:
        return PartSettings.parse(kind, {name: options})
    except ValueError as error:
        raise InputError(path, None, str(error)) from error
