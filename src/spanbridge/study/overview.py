"""Tables over all data sets of a study: kinds of text, languages by resources, curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from spanbridge.study.analysis import Point, Scored
from spanbridge.study.resources import Resources
from spanbridge.study.tables import NONE, Table, best_of, mean_of, percent

_SIDE_BY_SIDE = (
    "Means over the languages of each data set. Data sets differ in what they annotate: compare "
    "systems in a column, and columns only in how systems differ there."
)


def systems_of(scored: Sequence[Scored]) -> list[str]:
    """All systems, in the order of the data set that has most of them."""
    longest = max(scored, key=lambda one: len(one.systems)).systems
    return list(dict.fromkeys([*longest, *(name for one in scored for name in one.systems)]))


def data_set_tables(scored: Sequence[Scored]) -> Iterator[Table]:
    """Systems by data sets: boundaries apart from types."""
    yield _side_by_side(scored)
    rows = [
        [system, *(_precision_recall(one, system) for one in scored)]
        for system in systems_of(scored)
    ]
    head = ["system", *(one.title for one in scored)]
    note = "Boundaries apart from types: precision / recall, in percent."
    yield Table("boundaries-pr", "Precision and recall of boundaries by data set", head, rows, note)


def _precision_recall(scored: Scored, system: str) -> str:
    both = [mean_of(scored, system, "boundaries", x) for x in ("precision", "recall")]
    return NONE if None in both else " / ".join(map(percent, both))


def _side_by_side(scored: Sequence[Scored]) -> Table:
    systems = systems_of(scored)
    columns = {
        n: [mean_of(one, system, "boundaries", "f1") for system in systems]
        for n, one in enumerate(scored, 1)
    }
    head, note = ["system", *(one.title for one in scored)], _SIDE_BY_SIDE
    whole = [n for n, one in enumerate(scored, 1) if set(one.systems) == set(systems)]
    if len(whole) > 1:
        head.append("mean")
        columns[len(head) - 1] = [
            fmean(columns[n][k] or 0.0 for n in whole) for k in range(len(systems))
        ]
        if left := [one.title for n, one in enumerate(scored, 1) if n not in whole]:
            note += f" The mean leaves out {', '.join(left)}, where some systems are missing."
    rows = [[x, *(percent(columns[n][k]) for n in columns)] for k, x in enumerate(systems)]
    title = "F1 of boundaries by data set"
    return Table("boundaries-by-data", title, head, rows, note, best_of(columns))


def resource_table(found: Sequence[Resources]) -> Table:
    """Languages by what there is of them, with the F1 of every system."""
    systems = systems_of([one.scored for one in found])
    rows = [
        [
            one.language,
            one.scored.title,
            NONE if one.level is None else str(one.level),
            "yes" if one.known else "no",
            NONE if one.pieces is None else f"{one.pieces:.2f}",
            percent(one.unknown),
            *(percent(one.scored.f1(system, one.language)) for system in systems),
        ]
        for one in found
    ]
    head = (
        *("language", "data", "class", "in the encoder's training", "subwords per word"),
        *("% of words in part unknown", *systems),
    )
    note = (
        "Class: how much data there is of a language, labelled and not, 0 to 5 (Joshi et al. "
        "2020); – where it is not known here. Training: that of the embedded encoder (CC-100). "
        "Subwords: of its vocabulary in these texts; words of a language of which it has seen "
        "little are cut into more. Then F1 of each system."
    )
    return Table("resources", "Languages by resources", head, rows, note)


def curve_tables(points: Sequence[Point]) -> Iterator[Table]:
    """A table for each data set and each thing that changes along a curve."""
    by: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        by.setdefault((point.dataset, point.kind), []).append(point)
    for (dataset, kind), own in by.items():
        steps = sorted({point.at for point in own})
        curves = dict.fromkeys(point.curve for point in own)
        found = {(point.curve, point.at): point for point in own}
        rows = [
            [
                curve,
                *(percent(found[curve, at].f1) if (curve, at) in found else NONE for at in steps),
            ]
            for curve in curves
        ]
        n = {point.n for point in own}
        over = f"Mean over {n.pop()} languages." if len(n) == 1 and n != {1} else ""
        head = ["", *(f"{at:g}" for at in steps)]
        name = curve_name(dataset, kind)
        yield Table(name, f"{dataset}: F1 against {kind}", head, rows, over)


def curve_name(dataset: str, kind: str) -> str:
    """Name of a data set's curves, by which their files differ."""
    return f"{dataset} {kind}"
