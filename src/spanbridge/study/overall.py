"""Tables over all data sets of a study, and its scores as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean, stdev
from typing import TextIO

from spanbridge.evaluation import compare_systems
from spanbridge.study.analysis import Scored, counts_of
from spanbridge.study.plan import Plan
from spanbridge.study.results import Integers
from spanbridge.study.settings import About
from spanbridge.study.tables import NONE, SAW, Table, best_of, interval, percent, saw_note

# A data set in one of its languages, as it is.
Text = tuple[Scored, str]
# A mean F1, with its interval, for which there have to be systems to compare.
_Mean = tuple[float, tuple[float, float] | None]
_COLUMNS = (
    *("dataset", "split", "domain", "language", "system", "saw_it", "rows", "spans"),
    *("precision", "recall", "f1", "low", "high", "seeds", "seed_sd", "cap", "agree"),
)


def overall_tables(plan: Plan, scored: Sequence[Scored]) -> Iterator[Table]:
    """F1 over all data sets and in each, if there are several; what is known of the systems."""
    texts = [(one, language) for one in scored for language in one.languages]
    names = [name for name in plan.study.systems if any(name in one.systems for one in scored)]
    if len(scored) > 1:
        yield _means(plan, texts, names)
        yield _each(texts, names)
    if any(plan.system(name).about != About() for name in names):
        yield _about(plan, names)


def _means(plan: Plan, texts: Sequence[Text], names: Sequence[str]) -> Table:
    domains: dict[str, list[Text]] = {}
    for one, language in texts:
        domains.setdefault(one.domain, []).append((one, language))
    of_all = _mean_scores(plan, texts, names)
    of_domain = {name: _mean_scores(plan, own, names) for name, own in domains.items()}
    whole = [name for name in names if name in of_all]
    whole.sort(key=lambda name: -of_all[name][0])
    order = [*whole, *(name for name in names if name not in of_all)]
    rows = []
    values: dict[int, list[float | None]] = {n: [] for n in range(1, len(domains) + 3)}
    for name in order:
        scores = [of_all.get(name), *(of_domain[domain].get(name) for domain in domains)]
        means: list[float | None] = [None if one is None else one[0] for one in scores]
        there = [one for one in means[1:] if one is not None]
        means.insert(1, fmean(there) if len(there) == len(domains) else None)
        for n, value in enumerate(means, 1):
            values[n].append(value)
        told = [_told(one) for one in scores]
        told.insert(1, percent(means[1]))
        for n, own in enumerate(domains.values(), 2):
            told[n] += SAW if any(name in one.seen for one, _ in own) else ""
        rows.append([name, *told])
    note = (
        f"Micro F1 in each of {len(texts)} sets (a data set in a language), in percent. The first "
        f"mean is over the sets, the second over the {len(domains)} domains, whose own means are "
        "over their sets. Intervals (95%) draw the sentences of these sets. A system that lacks "
        f"sets has no mean over them.{saw_note(one for one, _ in texts)}"
    )
    head = ["system", "mean of sets", "mean of domains", *domains]
    return Table("all", "F1 over all data sets", head, rows, note, best_of(values))


def _told(score: _Mean | None) -> str:
    if score is None:
        return NONE
    f1, ends = score
    return percent(f1) if ends is None else f"{percent(f1)} {interval(ends)}"


def _mean_scores(plan: Plan, texts: Sequence[Text], names: Iterable[str]) -> Mapping[str, _Mean]:
    """Mean F1 of the systems that have results for all these texts, with intervals if several."""
    cells: dict[str, dict[str, Integers]] = {}
    for name in names:
        own = {f"{one.title} {x}": one.results.get((name, x)) for one, x in texts}
        found = {text: counts_of(results) for text, results in own.items() if results}
        if len(found) == len(own):
            cells[name] = found
    if len(cells) < 2:
        f1s = {name: [one.f1(name, x) or 0.0 for one, x in texts] for name in cells}
        return {name: (fmean(of), None) for name, of in f1s.items()}
    comparison = compare_systems(cells, resamples=plan.study.scores.resamples)
    scores = comparison.macro or comparison.scores
    return {one.system: (one.f1, one.intervals["sentences"]) for one in scores}


def _each(texts: Sequence[Text], names: Sequence[str]) -> Table:
    rows, best = [], set()
    for n, (one, language) in enumerate(texts):
        f1s = [one.f1(name, language) for name in names]
        there = [value for value in f1s if value is not None]
        if there and min(there) < max(there):
            best |= {(n, k) for k, value in enumerate(f1s, 4) if value == max(there)}
        told = [
            percent(value) + (SAW if value is not None and name in one.seen else "")
            for name, value in zip(names, f1s, strict=True)
        ]
        scores = next(of[0].record["scores"] for (_, x), of in one.results.items() if x == language)
        size = [str(scores["rows"]), str(scores["micro"]["support"])]
        rows.append([f"{one.title} {language}", *size, percent(scores.get("cap")), *told])
    head = ["set", "rows", "spans", "cap", *names]
    note = (
        "F1 in each set, in percent; the CSV file beside this page has its intervals. Cap: the "
        "best that any projection of the source's labels could reach, given how often each label "
        f"occurs on both sides of each row.{saw_note(one for one, _ in texts)}"
    )
    return Table("sets", "F1 in each set", head, rows, note, frozenset(best))


def _about(plan: Plan, names: Sequence[str]) -> Table:
    rows = []
    for name in names:
        about = plan.system(name).about
        told = (about.authors, about.trained_on, about.licence, about.link)
        rows.append([name, *(one or NONE for one in told)])
    head = ("system", "authors", "trained on", "licence", "link")
    return Table("systems", "The systems", head, rows)


def write_scores(out: TextIO, scored: Iterable[Scored]) -> None:
    """Write the scores of each system in each set as CSV, F1 with its 95 % interval."""
    write = csv.writer(out, lineterminator="\n")
    write.writerow(_COLUMNS)
    for one in scored:
        found = () if one.comparison is None else one.comparison.scores
        ends = {(of.system, of.group): of.intervals["sentences"] for of in found}
        for language in one.languages:
            for system in one.systems:
                if (system, language) in one.results:
                    write.writerow(_row(one, language, system, ends))


def _row(
    one: Scored,
    language: str,
    system: str,
    ends: Mapping[tuple[str, str | None], tuple[float, float]],
) -> list[str]:
    results = one.results[system, language]
    data = results[0].cell.text.input.data
    scores = [result.record["scores"] for result in results]
    means = [fmean(of["micro"][name] for of in scores) for name in ("precision", "recall", "f1")]
    f1s = [result.f1 for result in results]
    spread = stdev(f1s) if len(f1s) > 1 else None
    caps = [
        scores[0].get("cap"),
        fmean(of["agree"] for of in scores) if "agree" in scores[0] else None,
    ]
    numbers = [*means, *ends.get((system, language), (None, None))]
    size = [scores[0]["rows"], scores[0]["micro"]["support"]]
    named = [data.title, data.split or "", one.domain, language, system]
    saw = "yes" if system in one.seen else "no"
    told = ["" if x is None else f"{x:.4f}" for x in numbers]
    last = ["" if x is None else f"{x:.4f}" for x in (spread, *caps)]
    return [*named, saw, *map(str, size), *told, str(len(f1s)), *last]
