"""Published results beside those of a study."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import lines
from spanbridge.datasets.places import VARIABLE, data_folders
from spanbridge.formats.languages import find_language
from spanbridge.study.analysis import Scored
from spanbridge.study.settings import Published, Study
from spanbridge.study.tables import Table, percent

_LANGUAGE, _F1, _SUPPORT = "lang", "overall_f1", "_number"


def published_tables(study: Study, scored: Scored) -> Iterator[Table]:
    """A table of a data set's published results beside those of the study, if there are any.

    Raises:
        InputError: the file is wrong.
    """
    name = scored.title.partition(" (")[0]
    if (given := study.report.published.get(name)) is not None:
        yield _table(given, scored)


def _table(given: Published, scored: Scored) -> Table:
    theirs, n_entities = read_published(given.file)
    ours = {_code(language): language for language in scored.languages}
    shared = [code for code in ours if any(code in of for of in theirs.values())]
    head = ["", *(ours[code] for code in shared), "mean"]
    rows = []
    for system in scored.systems:
        values = [scored.f1(system, ours[code]) for code in shared]
        rows.append([f"{system} (this study)", *map(percent, values), percent(_mean(values))])
    for method, of in theirs.items():
        values = [of.get(code) for code in shared]
        rows.append([method, *map(percent, values), percent(_mean(values))])
    told = [f"F1 as in {given.name} beside this study's."]
    told += [f"What differs: {given.differs}."] if given.differs else []
    for code in shared:
        cells = [one for (_, x), of in scored.results.items() if x == ours[code] for one in of]
        own = cells[0].record["scores"]["micro"]["support"]
        if code in n_entities and n_entities[code] != own:
            told.append(f"{ours[code]}: {n_entities[code]} entities there, {own} here.")
    return Table("published", f"Beside {given.name}", head, rows, " ".join(told))


def _mean(values: list[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return fmean(there) if there and len(there) == len(values) else None


def read_published(path: str) -> tuple[dict[str, dict[str, float]], dict[str, int]]:
    """F1 by method and language, and the number of gold entities by language.

    Raises:
        InputError: the file cannot be read, or a row is wrong, with its line.
    """
    rows = csv.DictReader(lines(_found(path)))
    names = rows.fieldnames or []
    if _LANGUAGE not in names or _F1 not in names:
        why = f"has no columns {_LANGUAGE} and {_F1}; there is: {', '.join(names)}"
        raise InputError(path, 1, why)
    # what stands before the first score tells methods apart
    telling = [name for name in names[: names.index(_F1)] if name != _LANGUAGE]
    found: dict[str, dict[str, float]] = {}
    n_entities: dict[str, int] = {}
    for row in rows:
        method = " ".join(row[name] for name in telling if row[name]) or "published"
        try:
            code = _code(row[_LANGUAGE])
            found.setdefault(method, {})[code] = float(row[_F1])
            sizes = [float(row[n]) for n in names if n.endswith(_SUPPORT) and row[n]]
        except (ValueError, TypeError, SpanbridgeError) as error:
            raise InputError(path, rows.line_num, f"is no row of results ({error})") from error
        if sizes:
            n_entities[code] = round(sum(sizes))
    return found, n_entities


def _found(path: str) -> str:
    """The path, or that below a folder of data. Raises InputError if there is no such file."""
    for place in (Path(path), *(folder / path for folder in data_folders())):
        if place.is_file():
            return str(place)
    why = f"no such file, nor below a folder that {VARIABLE} names; put it there, or leave it out"
    raise InputError(path, None, why)


def _code(language: str) -> str:
    return find_language(language).iso3
