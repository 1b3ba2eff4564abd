"""Plug-ins: parts of other packages, checked when they are loaded, and named in errors."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from spanbridge.core.errors import SpanbridgeError

# Base class of each kind of part.
_BASES = {
    "aligner": "alignment.base:Aligner",
    "format": "formats.base:Format",
    "method": "projection.method:Method",
    "perturbation": "perturbation.base:Perturbation",
    "score": "projection.scores:Score",
    "step": "steps.base:Step",
    "tagger": "tagging.base:Tagger",
    "translator": "translation.base:Translator",
}
# Top-level module of each plug-in that has been loaded -> its package, with the version.
_loaded: dict[str, str] = {}


@cache
def plugins(kind: str) -> dict[str, EntryPoint]:
    """Entry points of a kind, by name; of equal names the first one found."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"spanbridge.{kind}"):
        found.setdefault(point.name, point)
    return found


def origin(point: EntryPoint) -> str:
    """Package and version of an entry point, or its module if it belongs to no package."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.module


def load_plugin(kind: str, point: EntryPoint) -> Any:
    """Import the class of an entry point.

    Raises:
        SpanbridgeError: it cannot be imported, is not a complete part of that kind, or two packages
            give one of that name.
    """
    package = origin(point)
    where = f"the {kind} {point.name!r} of the package {package}"
    same = [other for other in entry_points(group=point.group) if other.name == point.name]
    if others := sorted({origin(other) for other in same} - {package}):
        raise SpanbridgeError(f"{where} is given by {others[0]} too; uninstall one, or rename it")
    if ":" not in point.value:
        raise SpanbridgeError(f"{where} is {point.value!r}, but must be MODULE:CLASS")
    try:
        made = point.load()
    except (Exception, SystemExit) as error:
        raise SpanbridgeError(
            f"{where} cannot be imported ({type(error).__name__}: {error}); mend the package, or "
            "uninstall it"
        ) from error
    if kind in _BASES:
        module, _, name = _BASES[kind].partition(":")
        base = getattr(import_module(f"spanbridge.{module}"), name)
        if not (inspect.isclass(made) and issubclass(made, base)):
            raise SpanbridgeError(f"{where} is no {name}; inherit spanbridge.{module}.{name}")
        if missing := sorted(getattr(made, "__abstractmethods__", ())):
            raise SpanbridgeError(f"{where} lacks {', '.join(missing)}; write them")
    _loaded[_top(point.module)] = package
    return made


def is_foreign(part: object) -> bool:
    """Check if a part, or its class, comes from another package."""
    return _top(_module(part)) != "spanbridge"


def told(kind: str, name: str, part: object) -> str:
    """A part in messages: its kind and name, and the package if it comes from another one."""
    package = _loaded.get(_top(_module(part)))
    return f"the {kind} {name!r}" + (f" of the package {package}" if package else "")


def code_digests(parts: Iterable[object]) -> list[str]:
    """Name and digest of the code of all parts that come from other packages.

    Signatures and the keys of shards hold them, since other packages change without this one. The
    code is all of a package, or else the module of the part alone.
    """
    found = set()
    for part in filter(is_foreign, parts):
        top = sys.modules.get(_top(_module(part)))
        home = getattr(top, "__file__", None)
        if home is not None and Path(home).name == "__init__.py":
            files = sorted(Path(home).parent.rglob("*.py"))
        else:
            home = getattr(sys.modules.get(_module(part)), "__file__", None)
            files = [Path(home)] if home else []
        digest = sha256(b"".join(sha256(file.read_bytes()).digest() for file in files))
        code = digest.hexdigest()[:8] if files else "unknown"
        found.add(f"{_top(_module(part))}@{code}")
    return sorted(found)


def plugin_at_fault(error: BaseException) -> str | None:
    """One line on an error that arose in the code of a plug-in; None for all others."""
    found = None
    place = error.__traceback__
    while place is not None:
        package = _loaded.get(_top(place.tb_frame.f_globals.get("__name__", "")))
        if package is not None:
            file = Path(place.tb_frame.f_code.co_filename).name
            found = f"the package {package} failed at {file}:{place.tb_lineno}"
        place = place.tb_next
    said = " ".join(str(error).split())
    return None if found is None else f"{found} ({type(error).__name__}: {said})"


def _module(part: object) -> str:
    made = part if inspect.isclass(part) else type(part)
    return made.__module__


def _top(module: str) -> str:
    return module.partition(".")[0]
