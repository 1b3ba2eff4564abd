"""Scores of several systems in several languages, or other groups of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.files import check_rereadable
from spanbridge.core.signature import extended, signature
from spanbridge.core.similar import not_named
from spanbridge.evaluation.cells import Cell, Values, mean_of, spread
from spanbridge.evaluation.comparing import compare_systems
from spanbridge.evaluation.comparison import Comparison
from spanbridge.evaluation.score_table import score_table
from spanbridge.evaluation.scoring import (
    OF_SPANS,
    Labelled,
    Row,
    Scored,
    Scoring,
    grouped,
    score,
)
from spanbridge.evaluation.span_choice import SpanChoice
from spanbridge.evaluation.span_report import SpanReport


@dataclass(frozen=True)
class Scores:
    """Scores of systems, as :func:`score_systems` returns them.

    Attributes:
        systems, groups: their names, in order.
        cells: in order of groups, then systems; a system may lack a group.
        notes: what is to be said of the files.
        parts: how the spans were scored, for signatures.
        by: what rows or spans are grouped by; None groups by file (language).
    """

    systems: tuple[str, ...]
    groups: tuple[str, ...]
    cells: tuple[Cell, ...]
    notes: tuple[str, ...]
    parts: Mapping[str, str]
    by: str | None = None

    @property
    def signature(self) -> str:
        """One line that says how the numbers came about."""
        sizes = {"groups": len(self.groups), "average": "micro"}
        return signature({"metric": "span-f1", **self.parts, **sizes})

    @property
    def common(self) -> tuple[str, ...]:
        """Groups that all systems have, over which means are taken."""
        found = {(cell.system, cell.group) for cell in self.cells}
        return tuple(g for g in self.groups if all((s, g) in found for s in self.systems))

    def compare(self, **settings: Any) -> Comparison:
        """Differences between the systems; settings as of :func:`compare_systems`.

        Groups of spans have sentences in common, so that nothing is said of means over them.

        Raises:
            SpanbridgeError: as :func:`compare_systems`.
        """
        cells: dict[str, dict[str, Any]] = {system: {} for system in self.systems}
        for cell in self.cells:
            cells[cell.system][cell.group] = np.array([report.rows for report in cell.reports])
        found = compare_systems(cells, over_groups=self.by not in OF_SPANS, **settings)
        line = found.signature
        for name, value in self.parts.items():
            if name != "rows":
                line = extended(line, name, value)
        return replace(found, signature=line)

    def macro(self) -> dict[str, list[Values]]:
        """Means over the common groups, of each system by seed (one if their numbers differ)."""
        found = {}
        for system in self.systems:
            own = [c.values() for c in self.cells if c.system == system and c.group in self.common]
            if len({len(seeds) for seeds in own}) > 1:
                own = [[mean_of(seeds)] for seeds in own]
            found[system] = [mean_of(of_seed) for of_seed in zip(*own, strict=True)]
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in a fixed order."""
        macro = [
            {
                "system": system,
                "groups": len(self.common),
                **mean_of(seeds),
                "seeds": spread([values["f1"] for values in seeds]),
            }
            for system, seeds in self.macro().items()
            if seeds
        ]
        return {
            "signature": self.signature,
            "systems": list(self.systems),
            "groups": list(self.groups),
            "by": self.by,
            "predictions": [each for cell in self.cells for each in cell.to_dicts()],
            "macro": macro if len(self.groups) > 1 else [],
            "notes": list(self.notes),
        }

    def table(self, resamples: int | None = None) -> str:
        """Plain text: a line for each cell, then for the means over groups, then the signature.

        Args:
            resamples: number of resamples for 95 % intervals of F1; None for no intervals.
        """
        return score_table(
            self.cells,
            self.macro() if len(self.groups) > 1 else None,
            self.by or ("language" if any(self.groups) else None),
            f"{len(self.common)} that all systems have",
            self.signature,
            resamples,
        )


def score_systems(
    gold: Mapping[str, Labelled],
    systems: Mapping[str, Mapping[str, Sequence[Labelled]]],
    scoring: Scoring,
    *,
    source: Mapping[str, Labelled] | None = None,
    notes: Iterable[str] = (),
) -> Scores:
    """Score systems in each language, or by what ``scoring`` groups rows by.

    Grouped rows are taken of all languages that all systems have, together.

    Args:
        gold: language -> file or rows.
        systems: system -> language -> predictions, one of each seed.
        scoring: settings.
        source: language -> labelled sentences that labels were projected from, for cap and agree.
        notes: what is to be said beside.

    Raises:
        InputError, SpanbridgeError: as :func:`score`; a label of ``scoring`` is in no file; to be
            grouped, a system has not as many seeds in each language.
    """
    if source is not None and scoring.by is not None:
        raise SpanbridgeError(
            "cap and agree are of whole files; leave out what rows are grouped by"
        )
    for language, given in gold.items():
        times = sum(len(files.get(language, ())) for files in systems.values())
        if times > 1 and isinstance(given, str):
            check_rereadable(given)  # it is read once with each prediction
    scored: dict[tuple[str, str], list[Scored]] = {}
    for language, right in gold.items():
        if source is not None and language not in source:
            raise SpanbridgeError(f"there is no source for {language}, for its cap")
        left = None if source is None else source[language]
        for system, files in systems.items():
            for predicted in files.get(language, ()):
                one = score(right, predicted, scoring, left)
                scored.setdefault((language, system), []).append(one)
    _check_labels(scoring.choice, [one for cell in scored.values() for one in cell])
    told = dict.fromkeys(notes)
    told |= dict.fromkeys(note for cell in scored.values() for one in cell for note in one.notes)
    told |= dict.fromkeys(_other_labels(scoring.choice, systems, scored))
    if scoring.by is None:
        cells = [_cell(*key, systems[key[1]][key[0]], of) for key, of in scored.items()]
    else:
        cells = _by(scoring, gold, systems, scored)
    groups = tuple(dict.fromkeys(cell.group for cell in cells))
    n_rows = {language: len(of[0].report.rows) for (language, _), of in scored.items()}
    parts = {
        "protocol": scoring.protocol,
        "scheme": scoring.reading.scheme,
        **scoring.choice.parts(),
        **({} if scoring.by is None else {"by": scoring.by}),
        "rows": str(sum(n_rows.values())),
    }
    return Scores(tuple(systems), groups, tuple(cells), tuple(told), parts, scoring.by)


def _cell(language: str, system: str, files: Sequence[Labelled], of: Sequence[Scored]) -> Cell:
    paths = tuple(str(file) if isinstance(file, str | Path) else "" for file in files)
    protocols = tuple(one.protocols for one in of)
    return Cell(system, language, paths, tuple(one.report for one in of), protocols)


def _by(
    scoring: Scoring,
    gold: Iterable[str],
    systems: Iterable[str],
    scored: Mapping[tuple[str, str], Sequence[Scored]],
) -> list[Cell]:
    """Cells of rows of all common languages by their groups."""
    common = [x for x in gold if all((x, system) in scored for system in systems)]
    found: dict[tuple[str, str], list[SpanReport]] = {}
    names: dict[str, None] = {}
    for system in systems:
        of_seeds = [scored[language, system] for language in common]
        if len({len(of) for of in of_seeds}) > 1:
            raise SpanbridgeError(
                f"{system} has different numbers of seeds in its languages; give as many for each"
            )
        for seed in zip(*of_seeds, strict=True):
            rows: list[Row] = [row for one in seed for row in one.rows]
            for group, report in grouped(rows, scoring).items():
                names.setdefault(group)
                found.setdefault((group, system), []).append(report)
    return [
        Cell(system, group, (), tuple(found[group, system]))
        for group in names
        for system in systems
        if (group, system) in found
    ]


def _check_labels(choice: SpanChoice, scored: Sequence[Scored]) -> None:
    """Raise SpanbridgeError if a label that was named is in no file."""
    found = {label for one in scored for label in one.found}
    after = {label for one in scored for side in one.labels for label in side}
    if unknown := sorted(choice.mapping.keys() - found):
        raise SpanbridgeError(
            f"map: {not_named('label of these files', unknown[0], sorted(found))}"
        )
    if unknown := sorted({*(choice.labels or ())} - after):
        why = not_named("label of these files", unknown[0], sorted(after))
        raise SpanbridgeError(f"labels: {why}")


def _other_labels(
    choice: SpanChoice,
    systems: Iterable[str],
    scored: Mapping[tuple[str, str], Sequence[Scored]],
) -> Iterator[str]:
    """How the label sets of gold and systems differ."""
    if choice.boundaries:
        return
    renamed = ", ".join(f"{old} counts as {new}" for old, new in choice.mapping.items())
    for system in systems:
        sides = [one.labels for (_, name), of in scored.items() if name == system for one in of]
        gold, predicted = (
            {label for each in side for label in each} for side in zip(*sides, strict=True)
        )
        if choice.labels is not None:
            gold, predicted = gold & {*choice.labels}, predicted & {*choice.labels}
        parts = [
            f"labels only in {side}: {', '.join(sorted(lost))}"
            for side, lost in (("gold", gold - predicted), ("the prediction", predicted - gold))
            if lost
        ]
        if parts and gold and predicted:
            told = "; ".join(parts).replace("; labels only", "; only")
            yield f"{system}: {told}" + (f" ({renamed})" if renamed else "")
