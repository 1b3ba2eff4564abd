"""What a comparison of systems says: scores, differences, intervals, p-values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spanbridge.evaluation._common import aligned

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SystemScore:
    """Micro F1 of a system in a group (a language), or its mean over the groups.

    Attributes:
        system: name of the system.
        group: name of the group; None for the mean over groups.
        precision, recall, f1: in [0, 1]; means over the seeds.
        intervals: of F1: ``sentences``, by drawing these; of the mean also ``two-level``, for the
            mean of all groups of which these are some.
        seeds: F1 by each seed.
    """

    system: str
    group: str | None
    precision: float
    recall: float
    f1: float
    intervals: Mapping[str, Interval]
    seeds: tuple[float, ...]

    @property
    def seed_sd(self) -> float:
        """Standard deviation of F1 over the seeds (n - 1); 0 if there is one."""
        return float(np.std(self.seeds, ddof=1)) if len(self.seeds) > 1 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in a fixed order."""
        seeds = {
            "f1": list(self.seeds),
            "sd": self.seed_sd,
            "min": min(self.seeds, default=self.f1),
            "max": max(self.seeds, default=self.f1),
        }
        return {
            "system": self.system,
            "group": self.group,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "intervals": {name: list(ends) for name, ends in self.intervals.items()},
            "seeds": seeds,
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference of two systems' F1 in a group, or of the means over groups.

    Attributes:
        first, second: names of the systems.
        group: name of the group; None for the means over groups.
        f1_first, f1_second: in [0, 1].
        difference: ``f1_second - f1_first``.
        intervals: of the difference: ``sentences``, by drawing these; of means also ``two-level``,
            for the mean of all groups of which these are some.
        p: two-sided p-values in [0, 1] by test: ``bootstrap``, ``randomisation``; of means also
            ``two-level``, ``wilcoxon``.
        p_holm: the same, corrected for all comparisons of groups, or all of means.
        n_better, n_worse: groups in which the second system has the higher, or lower, F1.
        spread: standard deviation of the difference between groups, beyond the chance of their
            sentences; 0 for a single group.
    """

    first: str
    second: str
    group: str | None
    f1_first: float
    f1_second: float
    difference: float
    intervals: Mapping[str, Interval]
    p: Mapping[str, float]
    p_holm: Mapping[str, float] = field(default_factory=dict)
    n_better: int = 0
    n_worse: int = 0
    spread: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in a fixed order."""
        found: dict[str, Any] = {
            "first": self.first,
            "second": self.second,
            "group": self.group,
            "f1_first": self.f1_first,
            "f1_second": self.f1_second,
            "difference": self.difference,
            "intervals": {name: list(ends) for name, ends in self.intervals.items()},
            "p": dict(self.p),
            "p_holm": dict(self.p_holm),
        }
        if self.group is None:
            counts = {"n_better": self.n_better, "n_worse": self.n_worse, "spread": self.spread}
            found |= counts
        return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """Scores of systems and differences between them, as :func:`compare_systems` returns them.

    Attributes:
        systems, groups: their names, in the order given.
        common: the groups that all systems have, over which means are taken.
        missing: the groups that a system does not have, by system.
        scores: each system's in each group.
        macro: each system's mean over the common groups; none if there is only one.
        differences: of each pair of systems in each group.
        macro_differences: of each pair's means over the common groups.
        level: share of the resamples within an interval.
        notes: what keeps the tests from saying more.
        signature: metric, methods, level, number of resamples, seed, groups and rows.
    """

    systems: tuple[str, ...]
    groups: tuple[str, ...]
    common: tuple[str, ...]
    missing: Mapping[str, tuple[str, ...]]
    scores: tuple[SystemScore, ...]
    macro: tuple[SystemScore, ...]
    differences: tuple[Difference, ...]
    macro_differences: tuple[Difference, ...]
    level: float
    notes: tuple[str, ...]
    signature: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in a fixed order."""
        return {
            "signature": self.signature,
            "systems": list(self.systems),
            "groups": list(self.groups),
            "common": list(self.common),
            "missing": {system: list(groups) for system, groups in self.missing.items()},
            "level": self.level,
            "scores": [score.to_dict() for score in self.scores],
            "macro": [score.to_dict() for score in self.macro],
            "differences": [difference.to_dict() for difference in self.differences],
            "macro_differences": [d.to_dict() for d in self.macro_differences],
            "notes": list(self.notes),
        }

    def table(self) -> str:
        """Plain text: F1 with intervals, differences of means, of groups, notes, signature."""
        parts = [self._scores(), self._over_groups(), self._in_groups(), self._legend()]
        return "\n\n".join([*filter(None, parts), self.signature])

    def _scores(self) -> str:
        """F1 of each system with its intervals: the means, if there are several groups."""
        shown = self.macro or self.scores
        several = any(len(score.seeds) > 1 for score in shown)
        intervals = [_INTERVALS[kind].format(self.level) for kind in shown[0].intervals]
        named = not self.macro and len(self.groups) > 1
        head = ["macro F1" if self.macro else "F1", *["group"] * named, "", *intervals]
        lines = [head + ["seeds", "sd", "min", "max"] * several]
        for score in shown:
            line = [score.system, *[score.group or ""] * named, f"{score.f1:.4f}"]
            line += [f"[{low:.4f}, {high:.4f}]" for low, high in score.intervals.values()]
            if several and score.seeds:
                ends = (score.seed_sd, min(score.seeds), max(score.seeds))
                line += [str(len(score.seeds)), *(f"{value:.4f}" for value in ends)]
            lines.append(line + [""] * (len(lines[0]) - len(line)))
        return "\n".join(aligned(lines))

    def _over_groups(self) -> str:
        if not self.macro_differences:
            return ""
        kinds = self.macro_differences[0].intervals
        tests = self.macro_differences[0].p
        intervals = [_INTERVALS[kind].format(self.level) for kind in kinds]
        head = ["difference of macro F1", "", *intervals, "+", "-", "spread"]
        lines = [[*head, *(f"p {test}" for test in tests)]]
        for each in self.macro_differences:
            line = [f"{each.second} - {each.first}", f"{each.difference:+.4f}", *_ends(each)]
            line += [str(each.n_better), str(each.n_worse), f"{each.spread:.4f}"]
            lines.append([*line, *(_p(each, test) for test in tests)])
        return "\n".join(aligned(lines))

    def _in_groups(self) -> str:
        if not self.differences:
            return ""
        tests = self.differences[0].p
        interval = _INTERVALS["sentences"].format(self.level)
        named = len(self.groups) > 1
        head = [
            "difference of F1",
            *["group"] * named,
            "",
            interval,
            *(f"p {test}" for test in tests),
        ]
        lines = [head]
        for each in self.differences:
            line = [f"{each.second} - {each.first}", *[each.group or ""] * named]
            line += [f"{each.difference:+.4f}", *_ends(each)]
            lines.append([*line, *(_p(each, test) for test in tests)])
        return "\n".join(aligned(lines))

    def _legend(self) -> str:
        told = "p: as found / corrected for all comparisons of its table (Holm)"
        if self.macro:
            told += (
                "; +, -: groups in which the first named is better, worse; spread: of the "
                "differences between groups, beyond chance"
            )
        return "\n".join([told, *(f"note: {note}" for note in self.notes)])


_INTERVALS = {"sentences": "{:.0%} interval", "two-level": "{:.0%}, two-level"}


def _ends(of: Difference) -> list[str]:
    return [f"[{low:+.4f}, {high:+.4f}]" for low, high in of.intervals.values()]


def _p(of: Difference, test: str) -> str:
    return f"{of.p[test]:.4f} / {of.p_holm[test]:.4f}"
