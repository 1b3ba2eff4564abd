"""Figures of routes in the docs are those of the tables that come with the package."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import spanbridge.routes
from spanbridge.formats.languages import language_names

DATA = Path(spanbridge.routes.__file__).parent / "data"
ROOT = Path(__file__).parents[1]
WHICH = (ROOT / "docs" / "which.md").read_text("utf-8")
CODES = {name: code for code, name in language_names().items()} | {"Luganda": "lg"}
CLEAR = 0.05


def rows(name: str) -> list[dict[str, str]]:
    """A table of the package."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def figures(language: str, route: str) -> set[str]:
    """What was measured for a language, as the docs write it."""
    return {
        row["f1"].removeprefix("0")
        for row in rows("measured")
        if (row["language"], row["route"]) == (CODES[language], route)
    }


def cells(line: str) -> list[str]:
    """The cells of a line of a table."""
    return [cell.strip(" *") for cell in line.strip("|").split("|")]


def test_routes_that_were_measured():
    lines = re.findall(r"^\| \w+ \| [^|]+ \| [^|]+ \|(?: [*.\d]+ \|){3}$", WHICH, re.MULTILINE)
    assert len(lines) == 6
    for line in lines:
        language, _, translator, *shown = cells(line)
        names = {
            row["translator"] for row in rows("measured") if row["language"] == CODES[language]
        }
        assert translator.lower() in names
        for route, value in zip(("direct", "translate", "ensemble"), shown, strict=True):
            assert value in figures(language, route), (language, route)
        best = re.findall(r"\*\*(.\d+)\*\*", line)
        assert best == [max(shown)]


def test_languages_that_are_read_directly():
    told = re.findall(r"([A-Z]\w+) (\.\d{3})(?=[, |])", WHICH.split("More languages")[1])
    assert len(told) > 12
    for language, value in told:
        assert value in figures(language, "direct"), language


def test_the_readme_names_three():
    readme = (ROOT / "README.md").read_text("utf-8")
    [said] = re.findall(r"reads Spanish news with F1 (\S+), Swahili (\S+), Yoruba ([.\d]+)", readme)
    for language, value in zip(("Spanish", "Swahili", "Yoruba"), said, strict=True):
        assert value.strip(",;") in figures(language, "direct"), language


def compared(data: str) -> tuple[int, int, int]:
    """Languages; those where the best way through a translation is clearly better; and worse."""
    gains = [
        max(float(value) for way, value in row.items() if way.startswith("translate"))
        - float(row["direct"])
        for row in rows("published")
        if row["data"] == data
    ]
    return len(gains), sum(gain > CLEAR for gain in gains), sum(gain < -CLEAR for gain in gains)


def test_how_often_a_translation_is_better():
    said = re.search(
        r"of (\d+) languages of MasakhaNER2, .* by more than \.05 in (\d+); of (\d+) languages of "
        r"PAN-X, .*, in (\d+), and loses by more than \.05 in (\d+)\.",
        WHICH.replace("\n", " "),
    )
    assert said is not None
    numbers = tuple(map(int, said.groups()))
    masakhaner, panx = compared("MasakhaNER2 test"), compared("PAN-X test")
    assert masakhaner[2] == 0
    assert numbers == (*masakhaner[:2], *panx)
