"""Pictures over all data sets of a study: kinds of text, and languages by their resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spanbridge.study.analysis import Scored
from spanbridge.study.figures import Figure, by_name, figure
from spanbridge.study.overview import systems_of
from spanbridge.study.resources import CLASSES, Resources
from spanbridge.study.tables import mean_of

# Languages beyond which a map would be longer than a page.
_MOST_ROWS = 80
# Headings of panels, above them.
_OVER = {"labelAngle": 0, "labelAlign": "left", "labelOrient": "top", "labelAnchor": "start"}


def data_set_figures(scored: Sequence[Scored]) -> Iterator[Figure]:
    """Boundaries by data set."""
    values = [
        {"data": one.title, "system": system, "F1": round(100 * f1, 1)}
        for one in scored
        for system in one.systems
        if (f1 := mean_of(one, system, "boundaries", "f1")) is not None
    ]
    yield figure(
        "boundaries",
        "F1 of boundaries by data set and system",
        "boundaries-by-data",
        values,
        width=420,
        height={"step": 30},
        layer=_dots("data", [one.title for one in scored], systems_of(scored)),
    )


def resource_figures(found: Sequence[Resources]) -> Iterator[Figure]:
    """The map: a line for each language, in the order of resources; and a plane of differences."""
    if len(found) <= _MOST_ROWS:
        yield _map(found)
    if values := list(_differences(found)):
        yield _plane(values)


def _map(found: Sequence[Resources]) -> Figure:
    several = len({one.scored.title for one in found}) > 1
    values = [
        {
            "language": _named(one, several),
            "level": _level(one),
            "system": system,
            "F1": round(100 * f1, 1),
        }
        for one in found
        for system in one.scored.systems
        if (f1 := one.scored.f1(system, one.language)) is not None
    ]
    rows = [_named(one, several) for one in found]
    levels = list(dict.fromkeys(_level(one) for one in found))
    layer = _dots("language", rows, systems_of([one.scored for one in found]))
    return figure(
        "map",
        "Languages by resources: F1 of each system. Panels: class of Joshi et al. 2020, with most "
        "data first. Numbers: subwords per word of the embedded encoder; *: it was not trained on "
        "the language",
        "resources",
        values,
        facet={"row": {"field": "level", "sort": levels, "title": None, "header": _OVER}},
        spec={"width": 420, "height": {"step": 18}, "layer": layer},
        resolve={"scale": {"y": "independent"}},
        spacing=6,
    )


def _level(one: Resources) -> str:
    return "class unknown" if one.level is None else f"class {one.level}"


def _named(one: Resources, several: bool) -> str:
    """A language as the map calls it."""
    name = f"{one.language}{'' if one.known else '*'}"
    data = one.scored.title.partition(" (")[0] if several else ""
    return " ".join(filter(None, (name, data, f"{one.pieces:.2f}" if one.pieces else "")))


def _dots(field: str, rows: Sequence[str], systems: Sequence[str]) -> list[dict[str, Any]]:
    """Layers: a line for each row, from the lowest F1 to the highest, and a dot for each system."""
    y = {
        "field": field,
        "type": "nominal",
        "sort": list(rows),
        "axis": {"title": None, "labelLimit": 260},
    }
    x = {"field": "F1", "type": "quantitative", "title": "F1", "scale": {"zero": False}}
    rule = {"y": y, "x": {**x, "aggregate": "min"}, "x2": {"field": "F1", "aggregate": "max"}}
    dot = {
        "y": y,
        "x": x,
        "color": by_name("system", systems, "color"),
        "shape": by_name("system", systems, "shape"),
    }
    return [
        {"mark": {"type": "rule", "color": "#bbbbbb"}, "encoding": rule},
        {"mark": {"type": "point", "filled": True, "size": 60, "opacity": 1}, "encoding": dot},
    ]


def _differences(found: Sequence[Resources]) -> Iterator[dict[str, Any]]:
    """Each system beside the baseline, where that is and the subwords were counted."""
    baseline = systems_of([one.scored for one in found])[0]
    for one in found:
        first = one.scored.f1(baseline, one.language)
        for system in one.scored.systems:
            f1 = one.scored.f1(system, one.language)
            if system == baseline or one.pieces is None:
                continue
            if first is not None and f1 is not None:
                yield {
                    "language": one.language,
                    "system": system,
                    "baseline": baseline,
                    "level": one.level,
                    "pieces": one.pieces,
                    "trained": "yes" if one.known else "no",
                    "difference": round(100 * (f1 - first), 1),
                }


def _plane(values: Sequence[Mapping[str, Any]]) -> Figure:
    baseline = values[0]["baseline"]
    x = {
        "field": "pieces",
        "type": "quantitative",
        "title": "subwords per word",
        "scale": {"zero": False},
    }
    y = {"field": "difference", "type": "quantitative", "title": f"points over {baseline}"}
    shape = {
        "field": "trained",
        "type": "nominal",
        "scale": {"domain": ["yes", "no"], "range": ["circle", "triangle-up"]},
        "legend": {"title": "in the encoder's training"},
    }
    level = {
        "field": "level",
        "type": "ordinal",
        "scale": {"domain": list(CLASSES), "scheme": "viridis"},
        "legend": {"title": "class"},
    }
    name = {"x": x, "y": y, "text": {"field": "language"}}
    systems = list(dict.fromkeys(value["system"] for value in values))
    return figure(
        "plane",
        f"Differences of F1 to {baseline}, by subwords per word (the farther right, the less the "
        "encoder has seen of the language) and by class (Joshi et al. 2020)",
        "resources",
        values,
        facet={"field": "system", "type": "nominal", "sort": systems, "title": None},
        columns=3,
        spec={
            "width": 190,
            "height": 150,
            "layer": [
                {"mark": {"type": "rule", "color": "#777777"}, "encoding": {"y": {"datum": 0}}},
                {
                    "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                    "encoding": {"x": x, "y": y, "shape": shape, "color": level},
                },
                {
                    "mark": {"type": "text", "dx": 7, "align": "left", "fontSize": 10},
                    "encoding": name,
                },
            ],
        },
    )
