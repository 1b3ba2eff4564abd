"""Languages of data sets: found whatever the code, and spelt as in their paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.similar import not_named
from spanbridge.formats.languages import find_language


def listed(code: str, known: Sequence[str], of: str) -> str:
    """The one of several codes (or pairs ``en-de``) that names the same language (or languages).

    Raises SpanbridgeError if there is none.
    """
    if code in known:
        return code
    wanted = {*_read(code)}
    for other in known:
        if not wanted.isdisjoint(_read(other)):
            return other
    raise SpanbridgeError(f"{of}: {not_named('language of it', code, known)}")


def with_language(code: str, known: Sequence[str]) -> list[str]:
    """Those of several codes, or pairs, in which a language occurs, or that are the same pair."""
    wanted = {*_read(code)}
    alone = {language for reading in wanted if len(reading) == 1 for language in reading}
    return [
        other
        for other in known
        if any(reading in wanted or alone & {*reading} for reading in _read(other))
    ]


def in_paths(code: str, names: Mapping[str, str], *, paired: bool) -> dict[str, str]:
    """What ``{language}``, or ``{source}`` and ``{target}``, stand for."""
    given = {"language": names.get(code, code)}
    if paired:
        source, target = sides(code)
        given |= {"source": names.get(source, source), "target": names.get(target, target)}
    return given


def sides(pair: str) -> tuple[str, str]:
    """The languages of a pair; the source's code has no hyphen."""
    source, _, target = pair.partition("-")
    return source, target


def _read(code: str) -> Iterator[tuple[str, ...]]:
    """What a code can mean: a language, or a source and a target."""
    with suppress(SpanbridgeError):
        yield (find_language(code).tag,)
    for n, char in enumerate(code):
        if char in "-_" and n and code[n + 1 :]:
            with suppress(SpanbridgeError):
                yield find_language(code[:n]).tag, find_language(code[n + 1 :]).tag
