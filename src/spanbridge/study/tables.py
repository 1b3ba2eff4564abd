"""Tables of a study's report, in the order in which a reader asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from spanbridge.core.rows import FAILED, REJECTED
from spanbridge.evaluation import BOUNDARY_KINDS, Comparison, Difference, SystemScore
from spanbridge.study.analysis import Analysis, Scored
from spanbridge.study.results import Result
from spanbridge.study.scoring import LENGTHS

NONE = "–"
# Figures are shorter.
_MOST_SIGNS = 40
# What marks a system's scores on rows that it has seen.
SAW = "†"


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        name: for names of files.
        title: heading.
        head: names of columns.
        rows: cells.
        note: what is to be known to read it.
        best: (row, column) of cells to emphasise.
    """

    name: str
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    best: frozenset[tuple[int, int]] = field(default_factory=frozenset)

    @property
    def words(self) -> frozenset[int]:
        """Numbers of the columns that hold words, as the first one does, and no figures."""
        columns = enumerate(set(cells) - {NONE} for cells in zip(*self.rows, strict=True))
        words = {
            k
            for k, of in columns
            if of and (all(text[:1].isalpha() for text in of) or max(map(len, of)) > _MOST_SIGNS)
        }
        return frozenset({0} | words)


def tables_of(scored: Scored) -> Iterator[Table]:
    """Tables of one data set."""
    yield _macro(scored)
    if len(scored.languages) > 1:
        yield _by_language(scored)
    if scored.comparison is not None:
        if scored.comparison.macro_differences:
            yield _over_languages(scored)
        yield _in_languages(scored)
    yield _boundaries(scored)
    yield _lengths(scored)
    yield _labels(scored)


def percent(value: float | None, digits: int = 1) -> str:
    """A share as a percentage without a sign."""
    return NONE if value is None else f"{100 * value:.{digits}f}"


def interval(ends: Sequence[float] | None, signed: bool = False) -> str:
    """An interval in percent, or in points of difference."""
    if ends is None:
        return NONE
    return "[" + ", ".join(f"{100 * end:{'+' if signed else ''}.1f}" for end in ends) + "]"


def saw_note(scored: Iterable[Scored]) -> str:
    """What the mark of seen rows means, for a table that has it."""
    return f" {SAW}: it has seen these rows." if any(one.seen for one in scored) else ""


def _p(value: float | None) -> str:
    return NONE if value is None else "<.001" if value < 0.001 else f"{value:.3f}"


def _common(scored: Scored, system: str) -> list[str]:
    """The languages over which a system's means are taken: those that all systems have, if any."""
    if scored.comparison is not None:
        return list(scored.comparison.common)
    return scored.whole(system)


def _cells(scored: Scored, system: str) -> list[Result]:
    return [one for x in _common(scored, system) for one in scored.results.get((system, x), ())]


def mean_of(scored: Scored, system: str, *path: str) -> float | None:
    """Mean of a number in a system's scores, over the languages that all systems have."""
    return _mean(_cells(scored, system), *path)


def _mean(cells: Iterable[Result], *path: str) -> float | None:
    """Mean of a number in the scores, over languages of means over seeds."""
    by: dict[str, list[float]] = {}
    for one in cells:
        value: Any = one.record["scores"]
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            by.setdefault(one.cell.text.input.language, []).append(float(value))
    return fmean(map(fmean, by.values())) if by else None


def best_of(columns: Mapping[int, Sequence[float | None]]) -> frozenset[tuple[int, int]]:
    """Cells with the highest value of their column, if values differ."""
    found = set()
    for column, values in columns.items():
        there = [value for value in values if value is not None]
        if len(there) > 1 and min(there) < max(there):
            found |= {(n, column) for n, value in enumerate(values) if value == max(there)}
    return frozenset(found)


def _macro(scored: Scored) -> Table:
    comparison = scored.comparison
    found = {} if comparison is None else {one.system: one for one in comparison.macro}
    if comparison is not None and not found:  # a single language
        found = {one.system: one for one in comparison.scores if one.group in comparison.common}
    rows = [_mean_row(scored, system, found.get(system)) for system in scored.systems]
    values = [mean_of(scored, system, "micro", "f1") for system in scored.systems]
    head = (
        *("system", "languages", "P", "R", "F1", "95%: sentences", "95%: languages too"),
        *("SD of seeds", "cap", "F1 where both sides agree"),
    )
    told = [one for system in scored.systems for one in _cells(scored, system)]
    capped = any(one.record["scores"].get("cap", 1.0) < 1 for one in told)
    keep = [
        n
        for n in range(len(head))
        if n < 6 or (any(row[n] != NONE for row in rows) and (n < 8 or capped))
    ]
    title = "F1, mean over languages" if len(scored.languages) > 1 else "F1"
    cut, names = [[row[n] for n in keep] for row in rows], [head[n] for n in keep]
    return Table("macro", title, names, cut, _mean_note(scored, capped), best_of({4: values}))


def _mean_row(scored: Scored, system: str, score: SystemScore | None) -> list[str]:
    """A system's means; its intervals are those of the comparison, if it is in one."""
    cells = _cells(scored, system)
    ends: Mapping[str, Any] = {} if score is None else score.intervals
    if score is None and len(cells) == 1 and (own := cells[0].record["scores"].get("interval")):
        ends = {"sentences": (own["low"], own["high"])}
    return [
        system + (SAW if system in scored.seen else ""),
        str(len(_common(scored, system))),
        *(percent(_mean(cells, "micro", name)) for name in ("precision", "recall", "f1")),
        interval(ends.get("sentences")),
        interval(ends.get("two-level")),
        percent(None if score is None or len(score.seeds) < 2 else score.seed_sd),
        *(percent(_mean(cells, name)) for name in ("cap", "agree")),
    ]


def _mean_note(scored: Scored, capped: bool) -> str:
    """What is to be known to read the table of means."""
    note = (
        "Micro F1 of entities in each language, and the mean over languages, in percent. The first "
        "interval draws sentences (these languages), the second one languages too (languages like "
        "these)."
    )
    if capped:
        note += (
            " Cap: the best that any projection of the source's labels could reach, where others "
            "annotated the source; both sides agree in sentences that have each label as often."
        )
    comparison = scored.comparison
    if comparison is not None and (missing := {s: m for s, m in comparison.missing.items() if m}):
        left = ", ".join(f"{system}: {', '.join(of)}" for system, of in missing.items())
        note += f" Means are over languages that all systems have; missing: {left}."
    note += saw_note([scored])
    note += f" {scored.note}" if scored.note and len(scored.systems) > 1 else ""
    for text in comparison.notes if comparison is not None else ():
        note += f" {text[:1].upper()}{text[1:]}.".replace("groups", "languages")
    return note


def _by_language(scored: Scored) -> Table:
    columns = {
        n: [scored.f1(system, language) for system in scored.systems]
        for n, language in enumerate(scored.languages, 1)
    }
    rows = [
        [system, *(percent(columns[n][k]) for n in columns)]
        for k, system in enumerate(scored.systems)
    ]
    if len(scored.languages) <= len(scored.systems):
        return Table(
            "languages",
            "F1 by language",
            ["system", *scored.languages],
            rows,
            best=best_of(columns),
        )
    head, *turned = map(list, zip(["language", *scored.languages], *rows, strict=True))
    best = frozenset((n - 1, k + 1) for k, n in best_of(columns))
    return Table("languages", "F1 by language", head, turned, best=best)


def _over_languages(scored: Scored) -> Table:
    comparison = scored.comparison
    assert comparison is not None
    rows = [
        [
            one.second,
            f"{100 * one.difference:+.1f}",
            interval(one.intervals.get("sentences"), True),
            interval(one.intervals.get("two-level"), True),
            f"{one.n_better}/{one.n_worse}",
            _p(one.p_holm.get("randomisation")),
            _p(one.p_holm.get("wilcoxon")),
            _p(one.p_holm.get("two-level")),
        ]
        for one in comparison.macro_differences
    ]
    head = (
        *("system", "difference", "95%: sentences", "95%: languages too", "better/worse"),
        *("p these languages", "p Wilcoxon", "p two-level"),
    )
    note = (
        f"Differences of mean F1 to {scored.systems[0]}, in points. p-values are corrected for the "
        "number of systems (Holm): by approximate randomisation of sentences (these languages), "
        "and over languages like these by the Wilcoxon signed-rank test and a two-level t test."
    )
    return Table("differences", f"Difference to {scored.systems[0]}", head, rows, note)


def _in_languages(scored: Scored) -> Table:
    comparison = scored.comparison
    assert comparison is not None

    def told(one: Difference) -> list[str]:
        return [
            one.group or "",
            one.second,
            f"{100 * one.difference:+.1f}",
            interval(one.intervals.get("sentences"), True),
            _p(one.p_holm.get("randomisation")),
        ]

    head = ("language", "system", "difference", "95%", "p")
    note = (
        f"Differences of F1 to {scored.systems[0]}, in points; interval by paired bootstrap, p by "
        "approximate randomisation, corrected for all lines of this table (Holm)."
    )
    title = f"Difference to {scored.systems[0]} in each language"
    return Table("in-languages", title, head, [told(one) for one in comparison.differences], note)


def _boundaries(scored: Scored) -> Table:
    rows, values = [], []
    found = {} if scored.boundaries is None else _to_baseline(scored.boundaries)
    for system in scored.systems:
        cells = _cells(scored, system)
        errors: Counter[str] = Counter()
        for one in cells:
            errors.update(one.record["scores"]["errors"]["boundary_kinds"])
        values.append(_mean(cells, "boundaries", "f1"))
        scores = (percent(_mean(cells, "boundaries", x)) for x in ("precision", "recall", "f1"))
        to_first = found.get(system)
        told = (
            [NONE, NONE, NONE]
            if to_first is None
            else [
                f"{100 * to_first.difference:+.1f}",
                interval(to_first.intervals.get("sentences"), True),
                _p(to_first.p_holm.get("randomisation")),
            ]
        )
        rows.append([system, *scores, *told, *(str(errors[kind]) for kind in BOUNDARY_KINDS)])
    note = (
        "Boundaries apart from types: spans count as right if their words are, with the difference "
        f"of F1 to {scored.systems[0]} as above. Then the spans of the right type whose boundaries "
        "are wrong, by the kind of the error, in all languages."
    )
    head = ("system", "P", "R", "F1", "difference", "95%: sentences", "p", *BOUNDARY_KINDS)
    return Table("boundaries", "Boundaries", head, rows, note, best_of({3: values}))


def _to_baseline(comparison: Comparison) -> dict[str, Difference]:
    """Differences of systems to the first one: of means, or of the only language."""
    single = [one for one in comparison.differences if one.group in comparison.common]
    return {one.second: one for one in comparison.macro_differences or single}


def fates(scored: Scored, system: str, by: str) -> dict[str, tuple[float, float]]:
    """Shares of the gold spans that are found as they are, or with other boundaries.

    Args:
        scored: the data set; all languages together.
        system: the system.
        by: ``lengths`` or ``labels`` of the gold spans; those that no gold span has are left out.
    """
    of: dict[str, Counter[str]] = {length: Counter() for length in LENGTHS if by == "lengths"}
    for one in _cells(scored, system):
        for name, counts in one.record["scores"][by].items():
            of.setdefault(name, Counter()).update(counts)
    return {
        name: (
            counts["correct"] / counts.total(),
            (counts["boundary"] + counts["type+boundary"]) / counts.total(),
        )
        for name, counts in of.items()
        if counts.total()
    }


def _lengths(scored: Scored) -> Table:
    rows = []
    for system in scored.systems:
        found = fates(scored, system, "lengths")
        shares = [
            f"{percent(found[n][0])} ({percent(found[n][1])})" if n in found else NONE
            for n in LENGTHS
        ]
        rows.append([system, *shares])
    head = ("system", *(f"{n} word{'' if n == '1' else 's'}" for n in LENGTHS))
    note = (
        "Share of gold spans that are found as they are, and in brackets of those found with wrong "
        "boundaries, by their length, in percent of all of that length in all languages."
    )
    return Table("lengths", "By length", head, rows, note)


def _labels(scored: Scored) -> Table:
    labels = sorted(
        {
            x
            for of in scored.results.values()
            for one in of
            for x in one.record["scores"]["per_label"]
        }
    )
    columns: dict[int, list[float | None]] = {
        n: [_mean(_cells(scored, system), "per_label", label, "f1") for system in scored.systems]
        for n, label in enumerate(labels, 1)
    }
    rows = []
    for k, system in enumerate(scored.systems):
        found = fates(scored, system, "labels")
        wrong = (f" ({percent(found[x][1])})" if x in found else "" for x in labels)
        values = (percent(columns[n][k]) for n in columns)
        rows.append([system, *(f"{f1}{share}" for f1, share in zip(values, wrong, strict=True))])
    note = (
        "F1 of each type, mean over the languages that have it, and in brackets the share of its "
        "gold spans that are found with wrong boundaries, in percent of all in all languages."
    )
    return Table("types", "By type", ["system", *labels], rows, note, best_of(columns))


def failures(analysis: Analysis) -> Iterator[Table]:
    """Cells and rows without results, and why."""
    if analysis.failed:
        rows = [[one.cell.name, one.why] for one in analysis.failed]
        yield Table("failed", "Cells that failed", ["cell", "why"], rows)
    lost: dict[tuple[str, str, str], int] = {}
    sizes: Counter[tuple[str, str]] = Counter()
    for one in analysis.done:
        text = one.cell.text
        named = f"{text.input.data.title}" + (
            f", {text.change.title} {text.strength:g}" if text.change else ""
        )
        sizes[one.cell.system, named] += one.record["scores"]["rows"]
        for status, n in ((one.record.get("account") or {}).get("status") or {}).items():
            if n and status.startswith((FAILED, REJECTED)):
                key = (one.cell.system, named, status)
                lost[key] = lost.get(key, 0) + n
    if lost:
        told = [[s, t, f"{n} of {sizes[s, t]}", why] for (s, t, why), n in lost.items()]
        note = "Rows for which a system gave nothing; their gold spans count as missed."
        head = ["system", "data", "rows", "why"]
        yield Table("lost-rows", "Rows that failed or were rejected", head, told, note)
