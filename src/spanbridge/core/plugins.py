"""Plug-ins: parts of other packages, checked when they are loaded and named when they fail."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import TracebackType
from typing import Any

from spanbridge.core.errors import SpanbridgeError

# Kind -> the class that parts of the kind inherit.
_BASES = {
    "aligner": "alignment.base:Aligner",
    "format": "formats.base:Format",
    "method": "projection.method:Method",
    "score": "projection.scores:Score",
    "step": "steps.base:Step",
    "tagger": "tagging.base:Tagger",
    "translator": "translation.base:Translator",
}
# Module of each plug-in that has been loaded -> its name, package and version.
_loaded: dict[str, str] = {}


@cache
def plugins(kind: str) -> dict[str, EntryPoint]:
    """Entry points of a kind, by name."""
    return {point.name: point for point in entry_points(group=f"spanbridge.{kind}")}


def load_plugin(kind: str, point: EntryPoint) -> Any:
    """Import the class of an entry point.

    Raises:
        SpanbridgeError: it cannot be imported, or is no complete part of that kind.
    """
    package = f"{point.dist.name} {point.dist.version}" if point.dist else point.module
    where = f"the {kind} {point.name!r} of the package {package}"
    try:
        made = point.load()
    except Exception as error:
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
    _loaded[point.module] = where
    return made


def foreign(part: object) -> bool:
    """Check if a part, or the class of one, comes from another package."""
    return not _module(part).startswith("spanbridge.")


def origins(parts: Iterable[object]) -> list[str]:
    """Package, version and digest of the code of all parts that come from other packages.

    Signatures and the keys of shards have them, since a plug-in changes without this package.
    """
    found = set()
    for part in parts:
        module = sys.modules.get(_module(part))
        if foreign(part) and module is not None:
            file = getattr(module, "__file__", None)
            digest = sha256(Path(file).read_bytes()).hexdigest()[:8] if file else "unknown"
            found.add(f"{module.__name__}@{digest}")
    return sorted(found)


def blame(error: BaseException) -> str | None:
    """The plug-in in whose code an error arose, or None."""
    places: list[TracebackType | None] = [error.__traceback__]
    found = None
    for place in places:
        if place is not None:
            found = _loaded.get(place.tb_frame.f_globals.get("__name__", ""), found)
            places.append(place.tb_next)
    return found


def _module(part: object) -> str:
    made = part if inspect.isclass(part) else type(part)
    return made.__module__
