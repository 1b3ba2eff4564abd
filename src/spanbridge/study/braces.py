"""Names in braces, such as ``{language}``: what stands for something else in each cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# What is filled in, in settings and paths.
PLACEHOLDERS = ("language", "source", "dataset", "split", "seed", "model", "made")
# Those of which there may be several, each with a name: taggers of other systems, and data.
NAMED = ("model", "made")
_IN_BRACES = re.compile(r"\{(\w+(?:\.[\w.+-]+)?)\}")


def texts(given: Any) -> Iterator[str]:
    """All texts in settings."""
    if isinstance(given, str):
        yield given
    elif isinstance(given, Mapping):
        for key, value in given.items():
            yield from texts(key)
            yield from texts(value)
    elif isinstance(given, list | tuple):
        for value in given:
            yield from texts(value)


def filled(given: Any, values: Mapping[str, Any]) -> Any:
    """Settings with the values of a cell in place of names in braces.

    A text that is nothing but one name becomes the value itself, such as a seed, a number.
    """
    if isinstance(given, str):
        if (alone := _IN_BRACES.fullmatch(given)) and alone[1] in values:
            return values[alone[1]]
        return _IN_BRACES.sub(lambda found: str(values.get(found[1], found[0])), given)
    if isinstance(given, Mapping):
        return {filled(key, values): filled(value, values) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return [filled(value, values) for value in given]
    return given


def names_in(given: Any) -> set[str]:
    """Names in braces that settings contain."""
    return {name for text in texts(given) for name in _IN_BRACES.findall(text)}


def named(given: Any, kind: str) -> list[str]:
    """The NAMEs of all ``{kind.NAME}`` in settings; the empty one for ``{kind}``."""
    found = (name.partition(".") for name in sorted(names_in(given)))
    return [name for head, _, name in found if head == kind]
