"""What was meant by a mistyped name: the same words in all messages."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like another one, whatever the case; None if none is alike."""
    folded = {other.casefold(): other for other in known}
    near = get_close_matches(name.casefold(), folded, 1)
    return folded[near[0]] if near else None


def meant(name: str, known: Iterable[str]) -> str:
    """`` (did you mean X?)``, or nothing where no known name is alike."""
    near = closest(name, known)
    return f" (did you mean {near}?)" if near else ""


def not_named(kind: str, name: object, known: Iterable[str]) -> str:
    """The message that nothing of a kind has a name, with the names that there are."""
    names = list(map(str, known))
    there = ", ".join(names) or "none"
    return f"no {kind} is named {name!r}{meant(str(name), names)}; there are: {there}"
