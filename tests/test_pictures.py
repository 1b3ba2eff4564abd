"""The pictures of the docs: what they must not need, and that the method's is what it says."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from pictures import method

IMAGES = Path(__file__).parents[1] / "docs" / "images"
TAG = "{http://www.w3.org/2000/svg}"


def test_the_drawing_stands_alone_and_says_what_it_shows():
    drawn = method.SVG.read_text("utf-8")
    assert len(drawn.encode()) < 20_000
    assert "prefers-color-scheme:dark" in drawn
    assert not re.search(r"@font-face|@import|url\(|href|<script", drawn)
    root = ET.fromstring(drawn)
    names = {child.get("id"): child for child in root if child.tag in (f"{TAG}title", f"{TAG}desc")}
    assert root.get("aria-labelledby").split() == list(names)
    assert all(child.text.strip() for child in names.values())


def test_the_screenshot_is_small():
    assert (IMAGES / "page.png").stat().st_size < 250_000


def test_candidates_in_one_lane_do_not_overlap():
    places = [
        [method.Place("A", 3, 5, 1, 1), method.Place("A", 3, 6, 0.8, None)],
        [method.Place("B", 6, 7, 1, 1), method.Place("B", 5, 7, 0.6, None)],
    ]
    assert [(n, p.start, p.end) for n, p in method.lanes(places)] == [
        (0, 3, 5),
        (0, 6, 7),
        (1, 3, 6),
        (2, 5, 7),
    ]


@pytest.mark.slow
def test_the_drawing_is_what_the_method_says():
    shown, now = (
        re.findall(r">([^<>]+)</text>", drawn)
        for drawn in (method.SVG.read_text("utf-8"), method.drawing())
    )
    figure = re.compile(r"\d?\.\d\d$")
    assert [figure.sub("", said) for said in shown] == [figure.sub("", said) for said in now]
    values = [
        [float(at[0]) for said in side if (at := figure.search(said))] for side in (shown, now)
    ]
    assert len(values[0]) == 12  # three spans, each with three candidates and a probability
    assert values[1] == pytest.approx(values[0], abs=0.05)  # int8 differs among processors
