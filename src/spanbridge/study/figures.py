"""Pictures of a study's report, as Vega-Lite (https://vega.github.io/vega-lite) and as SVG.

Colours are those of Okabe and Ito (2008), which colour-blind people can tell apart, and Viridis;
curves differ in shape, too. Nothing is fetched: the text of a picture is in the reader's own font.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spanbridge.core.errors import MissingExtraError
from spanbridge.core.requirements import require
from spanbridge.study.analysis import Analysis, Point, Scored
from spanbridge.study.overview import curve_name
from spanbridge.study.tables import fates

_COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"),
    "#8C6D1F",
)
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
_PALER = (*(1.0 for _ in _COLOURS), *(0.4 for _ in _COLOURS))
# Languages and systems beyond which differences in each language are not drawn.
_MOST_LANGUAGES, _MOST_SYSTEMS = 60, 6
_STYLE: dict[str, Any] = {
    "background": "white",
    "padding": 14,  # a reader's font may be wider than the one by which labels were measured
    "font": "sans-serif",
    "axis": {
        "labelFontSize": 11,
        "labelSeparation": 6,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
    "legend": {
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titleLimit": 0,
    },
    # as wide as the narrowest panel: names do not run into each other
    "header": {"labelFontSize": 12, "titleFontSize": 12, "labelLimit": 150},
    "view": {"stroke": None},
}

# What the gold spans of a table are told apart by, in the scores.
_FATES = {"lengths": "lengths", "types": "labels"}
# Names of clip paths and gradients in an SVG.
_NUMBERED = re.compile(r"\b(clip|gradient_)(\d+)\b")


@dataclass(frozen=True)
class Figure:
    """A picture.

    Attributes:
        name: for names of files.
        title: what it shows, also for those who cannot see it.
        after: name of the table that it stands beside.
        spec: Vega-Lite.
    """

    name: str
    title: str
    after: str
    spec: Mapping[str, Any]


def drawn(figure: Figure) -> str:
    """SVG of a picture.

    Raises:
        MissingExtraError: what draws is not installed.
    """
    require("vl_convert", by="drawing")
    import vl_convert

    svg = str(vl_convert.vegalite_to_svg(dict(figure.spec), vl_version="5.20"))
    # Vega numbers what it draws on from one picture to the next: the same picture, the same bytes
    numbers: dict[str, str] = {}
    return _NUMBERED.sub(
        lambda found: found[1] + numbers.setdefault(found[0], str(len(numbers))), svg
    )


def why_not() -> str | None:
    """Why nothing can be drawn here, with the way out; None if it can."""
    try:
        require("vl_convert", by="drawing")
    except MissingExtraError as error:
        return str(error)
    return None


def figures_of(scored: Scored) -> Iterator[Figure]:
    """Pictures of one data set."""
    if len(scored.languages) > 1:
        yield _heat_map(scored)
    if scored.comparison is not None and len(scored.systems) > 1:
        yield _forest(scored)
        few = len(scored.systems) - 1 <= _MOST_SYSTEMS
        if few and 1 < len(scored.languages) <= _MOST_LANGUAGES:
            yield _forest_of_languages(scored)
    for table, by in (("lengths", "length in words"), ("types", "type")):
        found = [fates(scored, system, _FATES[table]).values() for system in scored.systems]
        if any(wrong for of in found for _, wrong in of):
            yield _bars(scored, table, by)


def curves_of(analysis: Analysis) -> Iterator[Figure]:
    """A picture for each data set and each thing that changes along a curve."""
    by: dict[tuple[str, str], list[Point]] = {}
    for point in analysis.curves:
        by.setdefault((point.dataset, point.kind), []).append(point)
    for (dataset, kind), points in by.items():
        yield _curves(dataset, kind, points)


def figure(name: str, title: str, after: str, values: Sequence[Any], **spec: Any) -> Figure:
    """A picture in the style of all of them."""
    whole = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "description": title,
        "data": {"values": values},
        **spec,
        "config": _STYLE,
    }
    return Figure(name, title, after, whole)


def _heat_map(scored: Scored) -> Figure:
    values: list[dict[str, Any]] = [
        {"language": language, "system": system, "F1": round(100 * f1, 1)}
        for system in scored.systems
        for language in scored.languages
        if (f1 := scored.f1(system, language)) is not None
    ]
    top = max((value["F1"] for value in values), default=100.0)
    low = min((value["F1"] for value in values), default=0.0)
    middle = (top + low) / 2
    place = {
        "x": {
            "field": "system",
            "type": "nominal",
            "sort": list(scored.systems),
            "axis": {"orient": "top", "labelAngle": -40, "title": None},
        },
        "y": {
            "field": "language",
            "type": "nominal",
            "sort": list(scored.languages),
            "axis": {"title": None},
        },
    }
    colour = {
        "field": "F1",
        "type": "quantitative",
        "scale": {"scheme": "viridis", "zero": False},
        "legend": {"title": "F1"},
    }
    dark = {"condition": {"test": f"datum.F1 > {middle}", "value": "black"}, "value": "white"}
    return figure(
        "heat-map",
        f"{scored.title}: F1 by language and system",
        "languages",
        values,
        width={"step": 46},
        height={"step": 18},
        encoding=place,
        layer=[
            {"mark": "rect", "encoding": {"color": colour}},
            {
                "mark": {"type": "text", "fontSize": 10},
                "encoding": {
                    "text": {"field": "F1", "type": "quantitative", "format": ".1f"},
                    "color": dark,
                },
            },
        ],
    )


def _forest(scored: Scored) -> Figure:
    comparison = scored.comparison
    assert comparison is not None
    found = comparison.macro_differences or comparison.differences
    values = []
    for one in found:
        low, high = one.intervals["sentences"]
        wide = one.intervals.get("two-level", (low, high))
        values.append(
            {
                "system": one.second,
                "difference": 100 * one.difference,
                "low": 100 * low,
                "high": 100 * high,
                "lower": 100 * wide[0],
                "higher": 100 * wide[1],
            }
        )
    y = {
        "field": "system",
        "type": "nominal",
        "sort": [one.second for one in found],
        "axis": {"title": None, "labelLimit": 260},
    }
    title = f"difference of F1 to {scored.systems[0]}, points"
    x = {"field": "lower", "type": "quantitative", "title": title}
    thick = {"field": "low", "type": "quantitative"}
    return figure(
        "forest",
        f"{scored.title}: differences of F1 to {scored.systems[0]}, with 95% intervals "
        "(thick: sentences; thin: languages too)",
        "differences" if comparison.macro_differences else "in-languages",
        values,
        width=420,
        height={"step": 24},
        layer=[
            {"mark": {"type": "rule", "color": "#777777"}, "encoding": {"x": {"datum": 0}}},
            {"mark": "rule", "encoding": {"y": y, "x": x, "x2": {"field": "higher"}}},
            {
                "mark": {"type": "rule", "strokeWidth": 4, "color": _COLOURS[0]},
                "encoding": {"y": y, "x": thick, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "color": _COLOURS[1]},
                "encoding": {"y": y, "x": {"field": "difference", "type": "quantitative"}},
            },
        ],
    )


def _forest_of_languages(scored: Scored) -> Figure:
    comparison = scored.comparison
    assert comparison is not None
    values = [
        {
            "system": one.second,
            "language": one.group,
            "difference": 100 * one.difference,
            "low": 100 * one.intervals["sentences"][0],
            "high": 100 * one.intervals["sentences"][1],
        }
        for one in comparison.differences
    ]
    y = {
        "field": "language",
        "type": "nominal",
        "sort": list(scored.languages),
        "axis": {"title": None},
    }
    x = {"field": "low", "type": "quantitative", "title": "points"}
    return figure(
        "forest-languages",
        f"{scored.title}: differences of F1 to {scored.systems[0]} in each language, "
        "with 95% intervals (sentences)",
        "in-languages",
        values,
        facet={
            "column": {"field": "system", "sort": list(scored.systems[1:]), "title": None},
        },
        spec={
            "width": 150,
            "height": {"step": 14},
            "layer": [
                {"mark": {"type": "rule", "color": "#777777"}, "encoding": {"x": {"datum": 0}}},
                {
                    "mark": {"type": "rule", "strokeWidth": 2, "color": _COLOURS[0]},
                    "encoding": {"y": y, "x": x, "x2": {"field": "high"}},
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 40, "color": _COLOURS[1]},
                    "encoding": {"y": y, "x": {"field": "difference", "type": "quantitative"}},
                },
            ],
        },
    )


def _bars(scored: Scored, table: str, by: str) -> Figure:
    """Wrong boundaries by something of the gold spans that a table has, too."""
    values = [
        {"system": system, "of": name, "share": round(100 * wrong, 2)}
        for system in scored.systems
        for name, (_, wrong) in fates(scored, system, _FATES[table]).items()
    ]
    return figure(
        table,
        f"{scored.title}: gold spans found with wrong boundaries, by {by}",
        table,
        values,
        width={"step": 12},
        height=180,
        mark="bar",
        encoding={
            "x": {
                "field": "of",
                "type": "nominal",
                "title": by,
                "axis": {"labelAngle": 0 if table == "lengths" else -40},
            },
            "xOffset": {"field": "system", "sort": list(scored.systems)},
            "y": {"field": "share", "type": "quantitative", "title": "wrong boundaries, %"},
            "color": by_name("system", scored.systems, "color"),
            "opacity": by_name("system", scored.systems, "opacity"),
        },
    )


def _curves(dataset: str, kind: str, points: Sequence[Point]) -> Figure:
    curves = list(dict.fromkeys(point.curve for point in points))
    values = [{"curve": p.curve, "at": p.at, "F1": round(100 * p.f1, 2)} for p in points]
    name = curve_name(dataset, kind)
    return figure(
        name,
        f"{dataset}: F1 against {kind}",
        name,
        values,
        width=420,
        height=280,
        mark={"type": "line", "point": {"size": 60, "filled": True}},
        encoding={
            "x": {
                "field": "at",
                "type": "quantitative",
                "title": kind,
                "axis": {"values": sorted({point.at for point in points}), "format": "~g"},
            },
            "y": {"field": "F1", "type": "quantitative", "scale": {"zero": False}},
            "color": by_name("curve", curves, "color"),
            "shape": by_name("curve", curves, "shape"),
        },
    )


def by_name(field: str, names: Sequence[str], what: str) -> dict[str, Any]:
    """A colour, a shape or an opacity for each of some names.

    Of names that have a colour in common, each has a shape and an opacity of its own.
    """
    known: Sequence[Any] = {"color": _COLOURS, "shape": _SHAPES}.get(what, _PALER)
    chosen = [known[n % len(known)] for n in range(len(names))]
    scale = {"domain": list(names), "range": chosen}
    legend = {"title": None, "labelLimit": 260}
    return {"field": field, "type": "nominal", "scale": scale, "legend": legend}
