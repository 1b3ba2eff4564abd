"""Names -> parts: back-ends are named here as text and imported only when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from spanbridge.core.errors import MissingExtraError, SpanbridgeError


@dataclass(frozen=True)
class Entry:
    """Where a named part lives, and which extra brings what it needs."""

    target: str  # "module:Attribute"
    extra: str | None = None
    summary: str = ""


_PARTS: dict[str, dict[str, Entry]] = {
    "aligner": {
        "encoder": Entry(
            "spanbridge.align.encoder:EncoderAligner",
            summary="similarity of multilingual encoder states (default; about 100 languages)",
        ),
        "statistical": Entry(
            "spanbridge.align.statistical:StatisticalAligner",
            summary="trained on the given bitext itself (any language; wants a few hundred pairs)",
        ),
        "lexical": Entry(
            "spanbridge.align.lexical:LexicalAligner",
            summary="equal and nearly equal words, numbers, names (no model at all)",
        ),
    },
    "method": {
        "greedy": Entry(
            "spanbridge.project.projector:GreedyProjector",
            summary="n-gram candidates, best pair first (default)",
        ),
        "exact": Entry(
            "spanbridge.project.projector:ExactProjector",
            summary="n-gram candidates, the integer programme solved to its optimum",
        ),
        "heuristic": Entry(
            "spanbridge.project.heuristic:HeuristicProjector",
            summary="the aligned words, gaps merged, short pieces dropped",
        ),
    },
}


def names(kind: str) -> dict[str, str]:
    """The names of a kind of part (``aligner`` or ``method``), each with its one-line summary.

    Other packages add parts by an entry point in the group ``spanbridge.KIND``.
    """
    known = {name: entry.summary for name, entry in _PARTS[kind].items()}
    for point in entry_points(group=f"spanbridge.{kind}"):
        known.setdefault(point.name, f"from {point.value}")
    return known


def load(kind: str, name: str) -> Any:
    """Import the class that a name stands for.

    Raises:
        SpanbridgeError: nobody goes by that name.
        MissingExtraError: the part needs a package that is not installed.
    """
    entry = _PARTS[kind].get(name)
    if entry is None:
        for point in entry_points(group=f"spanbridge.{kind}"):
            if point.name == name:
                return point.load()
        raise SpanbridgeError(f"no {kind} is named {name!r}; there are: {', '.join(names(kind))}")
    module, _, attribute = entry.target.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] == "spanbridge":
            raise
        how = f"spanbridge[{entry.extra}]" if entry.extra else str(error.name)
        raise MissingExtraError(
            f"the {kind} {name!r} needs {error.name}; install it with: pip install '{how}'"
        ) from error
