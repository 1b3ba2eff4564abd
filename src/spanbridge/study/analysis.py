"""What the results of a study say: scores, intervals, differences and curves, for every view."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np

from spanbridge.core.errors import SpanbridgeError
from spanbridge.evaluation import Comparison, compare_systems
from spanbridge.study.plan import Plan
from spanbridge.study.results import Integers, Result


@dataclass(frozen=True)
class Scored:
    """One data set of a study, as it is.

    Attributes:
        title: name of the data set, with its split.
        systems: the systems that have results, the baseline first.
        languages: the languages that have results, in the order of the study.
        results: of each system in each language, by seed.
        comparison: intervals and tests; None if there are not two systems.
        boundaries: the same, whatever the labels.
        domain: name under which it is taken together with others.
        seen: systems that have seen its rows.
        note: why there is no comparison.
    """

    title: str
    systems: tuple[str, ...]
    languages: tuple[str, ...]
    results: Mapping[tuple[str, str], Sequence[Result]]
    comparison: Comparison | None
    boundaries: Comparison | None
    domain: str
    seen: frozenset[str]
    note: str = ""

    def f1(self, system: str, language: str) -> float | None:
        """Micro F1, mean over seeds; None if there is no result."""
        found = self.results.get((system, language))
        return fmean(one.f1 for one in found) if found else None

    def whole(self, system: str) -> list[str]:
        """Languages in which a system has results."""
        return [one for one in self.languages if (system, one) in self.results]


@dataclass(frozen=True)
class Point:
    """A point of a curve.

    Attributes:
        dataset: title of the data set.
        curve: name of the curve: a system, or a group of systems.
        kind: what changes along the curve.
        at: its value.
        f1: mean over languages and seeds, in [0, 1].
        n: number of languages.
    """

    dataset: str
    curve: str
    kind: str
    at: float
    f1: float
    n: int


@dataclass(frozen=True)
class Analysis:
    """What the results say.

    Attributes:
        scored: every data set as it is.
        curves: F1 against the strength of perturbations, and against the numbers of groups.
        done: cells with results.
        failed: cells without, and why.
        n_open: cells that are still to be run.
        notes: what is to be known beside the tables.
    """

    scored: Sequence[Scored]
    curves: Sequence[Point]
    done: Sequence[Result]
    failed: Sequence[Result]
    n_open: int
    notes: Sequence[str] = field(default_factory=list)


def analyse(plan: Plan, results: Sequence[Result]) -> Analysis:
    """Score and compare; deterministic."""
    done = [one for one in results if one.status == "done"]
    scored = [_scored(plan, title, own) for title, own in _by_title(done).items()]
    return Analysis(
        scored,
        [*_strengths(done), *_groups(plan, scored)],
        done,
        [one for one in results if one.status == "failed"],
        sum(one.status == "open" for one in results),
    )


def title_of(result: Result) -> str:
    """Name of a cell's data set, with its split."""
    data = result.cell.text.input.data
    return f"{data.title} ({data.split})" if data.split else data.title


def _by_title(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Results on text as it is, by data set."""
    found: dict[str, list[Result]] = {}
    for one in results:
        if one.cell.text.change is None:
            found.setdefault(title_of(one), []).append(one)
    return found


def _scored(plan: Plan, title: str, results: Sequence[Result]) -> Scored:
    by: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for one in results:
        by[one.cell.system, one.cell.text.input.language].append(one)
    order = list(plan.study.systems)
    if (baseline := plan.study.report.baseline) is not None:
        order.sort(key=lambda name: name != baseline)
    systems = tuple(name for name in order if any(system == name for system, _ in by))
    data = results[0].cell.text.input.data
    domain = data.domain or data.title
    seen = frozenset(name for name in systems if data.title in plan.system(name).saw)
    languages = tuple(dict.fromkeys(one.cell.text.input.language for one in results))

    def compared(counts: Callable[[Result], Integers]) -> Comparison:
        cells = {
            system: {
                language: counts_of(by[system, language], counts)
                for language in languages
                if (system, language) in by
            }
            for system in systems
        }
        return compare_systems(cells, resamples=plan.study.scores.resamples)

    try:
        whole = compared(lambda one: one.counts)
        boundaries = compared(lambda one: one.boundary_counts)
    except SpanbridgeError as error:
        return Scored(title, systems, languages, dict(by), None, None, domain, seen, str(error))
    return Scored(title, systems, languages, dict(by), whole, boundaries, domain, seen)


def counts_of(
    results: Sequence[Result], counts: Callable[[Result], Integers] = lambda one: one.counts
) -> Integers:
    """Counts of each row by each seed, shape (seeds, rows, 3)."""
    return np.stack([counts(one) for one in results])


def _strengths(results: Sequence[Result]) -> list[Point]:
    """Curves of each system over the strengths of each perturbation, from the text as it is.

    Curves are over the languages in which all systems have results at every strength; if there are
    none, each is over those of its own.
    """
    found: dict[tuple[str, str, str], dict[float, dict[str, list[float]]]] = {}
    kinds: dict[str, dict[str, None]] = {}
    for one in results:
        if (change := one.cell.text.change) is not None:
            kinds.setdefault(title_of(one), {})[change.title] = None
    for one in results:
        title, change = title_of(one), one.cell.text.change
        for kind in kinds.get(title, {}) if change is None else (change.title,):
            by = found.setdefault((title, one.cell.system, kind), {})
            of = by.setdefault(one.cell.text.strength, {})
            of.setdefault(one.cell.text.input.language, []).append(one.f1)
    points = []
    whole = {key: set.intersection(*map(set, by.values())) for key, by in found.items()}
    for (title, system, kind), by in found.items():
        shared = (own for (t, _, k), own in whole.items() if (t, k) == (title, kind))
        common = set.intersection(*shared) or whole[title, system, kind]
        for strength in sorted(by) if common and len(by) > 1 else ():
            mean = fmean(fmean(by[strength][language]) for language in sorted(common))
            points.append(Point(title, system, kind, strength, mean, len(common)))
    return points


def _groups(plan: Plan, scored: Sequence[Scored]) -> list[Point]:
    """Curves of groups of systems that differ in a number."""
    points = []
    for one in scored:
        groups: dict[tuple[str, str], list[tuple[float, str]]] = {}
        for name in one.systems:
            system = plan.system(name)
            if system.group is not None and system.at is not None:
                key = (system.group, system.against or system.group)
                groups.setdefault(key, []).append((system.at, name))
        for (group, against), members in groups.items():
            common = sorted(set.intersection(*(set(one.whole(name)) for _, name in members)))
            for at, name in sorted(members) if common and len(members) > 1 else ():
                values = [one.f1(name, language) for language in common]
                mean = fmean(value for value in values if value is not None)
                points.append(Point(one.title, group, against, at, mean, len(common)))
    return points
