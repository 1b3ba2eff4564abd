"""How much there is of a language: its class, and how well the embedded encoder knows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from spanbridge.formats.languages import find_language
from spanbridge.routes.table import knows
from spanbridge.study.analysis import Scored

CLASSES = range(6)
# Fewer languages are no order.
_FEWEST = 3


@dataclass(frozen=True)
class Resources:
    """A language in a data set.

    Attributes:
        scored: the data set.
        language: the language, as the study names it.
        level: its class by Joshi et al. 2020, 0 to 5; None if it is not in the list here.
        known: the embedded encoder was trained on it.
        pieces: subwords per word of the embedded encoder in this text; None if they were not
            counted.
        unknown: share of the words with a part that is in no subword, in [0, 1], likewise.
    """

    scored: Scored
    language: str
    level: int | None
    known: bool
    pieces: float | None
    unknown: float | None


def resources_of(scored: Iterable[Scored]) -> list[Resources]:
    """All languages in all data sets, those with most resources first; none if there are few.

    That is by class, and within one by subwords per word.
    """
    found = [_of(one, language) for one in scored for language in one.languages]
    if len({find_language(one.language) for one in found}) < _FEWEST:
        return []
    return sorted(found, key=_order)


def _order(one: Resources) -> tuple[int, float, str]:
    return -(-1 if one.level is None else one.level), one.pieces or 0.0, one.language


def _of(scored: Scored, language: str) -> Resources:
    own = find_language(language)
    results = (of for (_, code), of in scored.results.items() if code == language)
    seen = next((one.coverage for of in results for one in of), {})
    pieces, unknown = seen.get("pieces"), seen.get("unknown")
    return Resources(scored, language, level_of(own.iso1), knows(own), pieces, unknown)


def level_of(code: str) -> int | None:
    """Class of a language by Joshi et al. 2020, by its ISO 639-1 code, or 639-3 if it has none."""
    return _levels().get(code)


@cache
def _levels() -> Mapping[str, int]:
    text = (files("spanbridge.study") / "resource_classes.tsv").read_text("utf-8")
    lines = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {code: int(level) for level, codes in lines for code in codes.split()}
