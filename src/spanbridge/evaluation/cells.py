"""The score of a system in a group, of each seed; means and spread over seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spanbridge.evaluation.span_report import SpanReport

# Scores by their names.
Values = dict[str, float]


@dataclass(frozen=True)
class Cell:
    """The score of a system in a group.

    Attributes:
        system: name of the system.
        group: name of the group; empty if there is one only.
        files: the predictions, one of each seed.
        reports: of each seed.
        protocols: micro F1 by protocol of each seed, where rows are not grouped by a key.
    """

    system: str
    group: str
    files: tuple[str, ...]
    reports: tuple[SpanReport, ...]
    protocols: tuple[Mapping[str, float], ...] = ()

    def values(self) -> list[Values]:
        """Of each seed: all scores by their names."""
        return [self._values(seed) for seed in range(len(self.reports))]

    def _values(self, seed: int) -> Values:
        report = self.reports[seed]
        micro, limits = report.micro, {"cap": report.cap, "agree": report.agree}
        protocols = self.protocols[seed] if self.protocols else {}
        used = next(iter(protocols), None)
        return {
            "precision": micro.precision,
            "recall": micro.recall,
            "f1": micro.f1,
            **{f"f1_{name}": f1 for name, f1 in protocols.items() if name != used},
            "f1_over_types": report.macro.f1,
            "boundary_precision": report.boundaries.precision,
            "boundary_recall": report.boundaries.recall,
            **{name: counts.f1 for name, counts in limits.items() if counts is not None},
        }

    def to_dicts(self) -> Iterator[dict[str, Any]]:
        """The report of each seed, for JSON."""
        for seed, report in enumerate(self.reports):
            named: dict[str, Any] = {"system": self.system, "group": self.group, "seed": seed + 1}
            if self.files and self.files[seed]:
                named["file"] = self.files[seed]
            if self.protocols:
                named["protocols"] = dict(self.protocols[seed])
            yield {**named, **report.to_dict()}


def mean_of(seeds: Sequence[Values]) -> Values:
    """Means of the scores that all have."""
    names = [name for name in seeds[0] if all(name in values for values in seeds)]
    return {name: float(np.mean([values[name] for values in seeds])) for name in names}


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Mean, standard deviation (n - 1; 0 of one value), least and greatest, and all of them."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    ends = {"min": min(values), "max": max(values)}
    return {"n": len(values), "mean": float(np.mean(values)), "sd": sd, **ends, "f1": [*values]}
