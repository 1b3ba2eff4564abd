"""The table of scores of several systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from spanbridge.core.signature import extended
from spanbridge.evaluation._common import aligned
from spanbridge.evaluation.cells import Cell, Values, mean_of, spread
from spanbridge.evaluation.span_report import SpanReport
from spanbridge.evaluation.span_scores import SPAN_PROTOCOLS

# Titles of columns of a table of scores; others have their own name.
_TITLES = {"f1": "F1", "f1_strict": "F1 strict", "f1_default": "F1 default"}
_TITLES |= {"f1_over_types": "over types"}
_TITLES |= {"boundary_precision": "boundary P", "boundary_recall": "boundary R"}
_PROTOCOLS = {f"f1_{name}" for name in SPAN_PROTOCOLS}


def score_table(
    cells: Sequence[Cell],
    macro: Mapping[str, Sequence[Values]] | None,
    grouped: str | None,
    common: str,
    signature: str,
    resamples: int | None,
) -> str:
    """Plain text: a line for each cell, then for the means over groups, then the signature.

    Args:
        cells: in order.
        macro: means over groups, of each system by seed; None if there is one group.
        grouped: what the groups are; None if there is one without a name.
        common: what the means are over.
        signature: of the scores.
        resamples: number of resamples for 95 % intervals of F1; None for no intervals.
    """
    shown, interval = _columns(cells), resamples is not None
    several = any(len(cell.reports) > 1 for cell in cells)
    head = [grouped or "", "system", *(_TITLES.get(name, name) for name in shown)]
    head += ["support", "predicted", *["95% interval"] * interval]
    lines = [head + ["seeds", "sd", "min", "max"] * several]
    for cell in cells:
        seeds = cell.values()
        line = [cell.group, cell.system, *_numbers(seeds, shown), *_sizes(cell.reports)]
        line += [_interval(cell.reports, resamples)] if resamples is not None else []
        lines.append(line + (_seeds(seeds) if several else []))
    told = "over types: macro F1 of the labels; boundary P, R: whatever the label"
    if macro is not None:
        told += f"; macro: mean of the {common}"
        lines.append([])
        for system, of_seeds in macro.items():
            blank, more = [""] * (2 + interval), _seeds(of_seeds) if several else []
            lines.append(["macro", system, *_numbers(of_seeds, shown), *blank, *more])
    if grouped is None:
        lines = [line[1:] for line in lines]
    if resamples is not None:
        how = f"bootstrap,level 0.95,n {resamples},seed 12345"
        signature = extended(signature, "interval", how)
    return "\n\n".join(["\n".join(aligned(lines)), told, signature])


def _columns(cells: Sequence[Cell]) -> list[str]:
    """Names of the scores that all cells have; F1 by another protocol only where it differs."""
    every = [values for cell in cells for values in cell.values()]
    return [
        name
        for name in every[0]
        if all(name in values for values in every)
        and (name not in _PROTOCOLS or any(values[name] != values["f1"] for values in every))
    ]


def _numbers(seeds: Sequence[Values], shown: Sequence[str]) -> list[str]:
    found = mean_of(seeds) if seeds else {}
    return [f"{found[name]:.4f}" if name in found else "" for name in shown]


def _sizes(reports: Sequence[SpanReport]) -> list[str]:
    predicted = np.mean([report.micro.predicted for report in reports])
    return [str(reports[0].micro.support), f"{predicted:.10g}"]


def _interval(reports: Sequence[SpanReport], n: int) -> str:
    if len(reports) > 1:
        return ""  # an interval of a mean over seeds is given where systems are compared
    found = reports[0].interval(n=n)
    return f"[{found.low:.4f}, {found.high:.4f}]"


def _seeds(seeds: Sequence[Values]) -> list[str]:
    if not seeds:
        return [""] * 4
    found = spread([values["f1"] for values in seeds])
    return [str(found["n"]), *(f"{found[name]:.4f}" for name in ("sd", "min", "max"))]
