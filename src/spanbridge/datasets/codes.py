"""Languages of data sets: found whatever the code, and spelt as in their paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.similar import not_named
from spanbridge.formats.languages import find_language


def listed(code: str, known: Sequence[str], of: str, *, paired: bool) -> str:
    """The one of several codes, or of pairs ``en-de``, that names the same language or languages.

    One of just that country comes first, then one of the language at large, then the only one of
    any country. A single language names the pair of which it is the target, or which it is in, if
    there is one of these only. Raises SpanbridgeError if there is none.
    """
    if code in known:
        return code
    for ours, theirs in ((True, True), (False, True), (False, False)):
        wanted = {*_read(code, paired, ours)}
        fitting = [one for one in known if not wanted.isdisjoint(_read(one, paired, theirs))]
        if len(fitting) == 1 or (fitting and theirs):
            return fitting[0]
    if paired and (near := with_language(code, known, paired=True)):
        into = [one for one in near if {*_read(code, False, True)} & {(_target(one),)}]
        for some in (into, near):
            if len(some) == 1:
                return some[0]
        raise SpanbridgeError(f"{of}: {code} is in several pairs; name one of {', '.join(near)}")
    raise SpanbridgeError(f"{of}: {not_named('language of it', code, known)}")


def _target(pair: str) -> tuple[str, str]:
    """Language and country of a pair's target."""
    return next((reading[1] for reading in _read(pair, True, exactly=True)), ("", ""))


def with_language(code: str, known: Sequence[str], *, paired: bool) -> list[str]:
    """Those of several codes that name a language; of pairs those that it is in, or the same."""
    if code in known:
        return [code]
    if paired:
        pairs = {*_read(code, True, exactly=False)}
        if same := [one for one in known if not pairs.isdisjoint(_read(one, True, exactly=False))]:
            return same
    alone = {language for reading in _read(code, False, exactly=False) for language in reading}
    return [
        other
        for other in known
        if any(alone & {*reading} for reading in _read(other, paired, exactly=False))
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


def _read(code: str, paired: bool, exactly: bool) -> Iterator[tuple[tuple[str, str], ...]]:
    """What a code can mean: one language, or a source and a target; each with its variety."""
    cuts = [n for n, char in enumerate(code) if char == "-"] if paired else [len(code)]
    for n in cuts:
        with suppress(SpanbridgeError):
            parts = (code[:n], code[n + 1 :]) if paired else (code,)
            yield tuple((find_language(one).tag, _variety(one) * exactly) for one in parts)


def _variety(code: str) -> str:
    """What a code says beyond the language and its script: a country, or anything else."""
    found = find_language(code)
    if found.region or "-" in found.tag:
        return found.region or ""
    return code.replace("_", "-").partition("-")[2]
