"""Differences between systems: in each language, and over languages.

In each language, both systems are scored on the same sentences:

- paired bootstrap (Koehn 2004) gives the interval of the difference: sentences are drawn with
  replacement, as many as there are, and both systems are scored on each resample;
- approximate randomisation (Noreen 1989; Yeh 2000) tests it: if the systems do not differ, their
  answers to any sentence may be swapped.

Over languages there are two questions. *These languages*: the same two methods for macro F1, the
languages being fixed. *Languages like these*: the Wilcoxon signed-rank test over the languages'
differences (Demšar 2006), which does not ask how large they are, and a two-level model, in which
differences vary between languages and, within each, by the chance of its sentences
(:class:`~spanbridge.evaluation.significance.TwoLevels`). Ten thousand sentences of five languages
are thus five languages. It is a mixed model of the languages' scores, not of sentences', since F1
is no mean over sentences. A bootstrap that draws languages, then sentences within them, was not
taken: it counts the chance of sentences twice, and of few languages it draws too much alike.

p-values are corrected for the number of comparisons in a table by the method of Holm (1979).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.signature import signature
from spanbridge.evaluation.comparison import Comparison, Difference, Interval, SystemScore
from spanbridge.evaluation.resampling import (
    Floats,
    Integers,
    f1,
    f1_resamples,
    generator,
    swapped_differences,
)
from spanbridge.evaluation.significance import (
    ROUNDING,
    TwoLevels,
    check_resampling,
    checked_counts,
    holm,
    interval,
    p_of_resamples,
    p_of_swaps,
    wilcoxon,
)

# Sentences with spans below which resamples say little of what other sentences would show.
_FEW = 10
# (tp, gold spans, predicted spans) of each sentence: shape (sentences, 3), or (seeds, sentences, 3)
# of a system that was trained several times.
Counts = Sequence[tuple[int, int, int]] | npt.NDArray[np.integer[Any]]


def compare_systems(
    cells: Mapping[str, Mapping[str, Counts]],
    *,
    resamples: int = 10_000,
    seed: int = 12345,
    level: float = 0.95,
    all_pairs: bool = False,
    over_groups: bool = True,
) -> Comparison:
    """Compare systems in each group (language) and over groups; see this module.

    Nothing depends on the order of sentences or groups, and that of systems only decides which
    pairs are compared in which direction.

    Args:
        cells: system -> group -> counts of each sentence, (tp, gold spans, predicted spans), as
            ``SpanReport.rows``; of several seeds, one such list each. A group may be missing.
        resamples: of each kind, from 1 to a million.
        seed: random seed; equal seeds give equal results.
        level: share of the resamples within an interval, in (0, 1).
        all_pairs: compare each system with each; else each with the first.
        over_groups: False if groups have sentences in common (labels, say), so that they are no
            sample of groups: nothing is said of means then.

    Raises:
        SpanbridgeError: there are not two systems, or no group that all have; the sentences of a
            group, or their gold spans, differ between systems; a number is out of range.
    """
    check_resampling(resamples, level)
    tables, groups, common = _checked(cells)
    names = tuple(cells)
    chosen = [
        (a, b) for k, a in enumerate(names if all_pairs else names[:1]) for b in names[k + 1 :]
    ]
    drawn = {g: _Group(g, tables, chosen, resamples, seed) for g in sorted(groups)}
    scores = [drawn[g].score(s, level) for g in groups for s in names if g in tables[s]]
    single = [drawn[g].difference(pair, level) for g in groups for pair in drawn[g].pairs]
    over = _Means([drawn[g] for g in sorted(common)] if over_groups else [], level)
    macro = over.scores(names)
    macro_differences = over.differences(chosen)
    families = (single, macro_differences)
    sizes = [len(group.gold) for group in drawn.values()]
    counted = {"groups": len(sizes), "rows": sum(sizes) if over_groups else max(sizes)}
    return Comparison(
        systems=names,
        groups=groups,
        common=common,
        missing={s: tuple(g for g in groups if g not in tables[s]) for s in names},
        scores=tuple(scores),
        macro=tuple(macro),
        differences=_corrected(single),
        macro_differences=_corrected(macro_differences),
        level=level,
        notes=(*_notes(families, len(common), resamples), *_group_notes(drawn)),
        signature=_signature(counted, families, resamples, seed, level),
    )


def _checked(
    cells: Mapping[str, Mapping[str, Counts]],
) -> tuple[dict[str, dict[str, Integers]], tuple[str, ...], tuple[str, ...]]:
    """Counts as tables, by system and group; all groups; and those that all systems have."""
    if len(cells) < 2:
        raise SpanbridgeError("there are no two systems to compare; give two or more")
    tables = {system: _tables(system, groups) for system, groups in cells.items()}
    groups = tuple(dict.fromkeys(group for of in tables.values() for group in of))
    common = tuple(group for group in groups if all(group in of for of in tables.values()))
    if not common:
        raise SpanbridgeError("no group (language) has results of all systems")
    return tables, groups, common


def _tables(system: str, groups: Mapping[str, Counts]) -> dict[str, Integers]:
    """Counts by group, shape (seeds, sentences, 3)."""
    found = {}
    for group, counts in groups.items():
        table = checked_counts(counts, f"{system}, {group}")
        found[group] = table[None] if table.ndim == 2 else table
    return found


class _Group:
    """Resampled scores and differences of the systems in one group.

    Systems are taken in the order of their names, so that their own order changes nothing.
    """

    def __init__(
        self,
        name: str,
        tables: Mapping[str, Mapping[str, Integers]],
        pairs: Iterable[tuple[str, str]],
        n: int,
        seed: int,
    ) -> None:
        self.name = name
        self.tables = {s: tables[s][name] for s in sorted(tables) if name in tables[s]}
        self.pairs = [(a, b) for a, b in pairs if a in self.tables and b in self.tables]
        self.gold = self._gold()
        systems = [table[..., [0, 2]] for table in self.tables.values()]
        place = {system: k for k, system in enumerate(self.tables)}
        resamples = f1_resamples(self.gold, systems, n, generator(seed, "bootstrap", name))
        self.resamples = {system: resamples[:, k] for system, k in place.items()}
        ordered = sorted({(min(pair), max(pair)) for pair in self.pairs})
        self.swapped = {}
        if ordered:
            places = [(place[a], place[b]) for a, b in ordered]
            rng = generator(seed, "randomisation", name)
            swapped = swapped_differences(self.gold, systems, places, n, rng)
            self.swapped = {pair: swapped[:, k] for k, pair in enumerate(ordered)}
        self.seeds = {s: _f1(table.sum(axis=1)) for s, table in self.tables.items()}

    def _gold(self) -> Integers:
        (first, table), *others = self.tables.items()
        gold = table[0, :, 1]
        for system, other in [(first, table), *others]:
            if other.shape[1] != len(gold):
                raise SpanbridgeError(
                    f"{self.name}: {first} was scored on {len(gold)} rows and {system} on "
                    f"{other.shape[1]}; compare them on the same rows"
                )
            if len(wrong := np.argwhere(other[..., 1] != gold)):
                seed, row = wrong[0]
                raise SpanbridgeError(
                    f"{self.name}, row {row + 1}: {first} was scored against {gold[row]} gold "
                    f"spans and {system} against {other[seed, row, 1]}; compare them on the same "
                    "gold"
                )
        return gold

    @property
    def n_telling(self) -> int:
        """Number of sentences that have gold spans, or any that a system found."""
        found = [table[..., 2].any(axis=0) for table in self.tables.values()]
        return int(np.any([self.gold > 0, *found], axis=0).sum())

    def f1(self, system: str) -> float:
        """Mean over the seeds."""
        return float(self.seeds[system].mean())

    def f1_difference(self, pair: tuple[str, str]) -> float:
        return self.f1(pair[1]) - self.f1(pair[0])

    def precision_recall(self, system: str) -> tuple[float, float]:
        tp, gold, predicted = self.tables[system].sum(axis=1).T
        precision, recall = tp / np.maximum(predicted, 1), tp / np.maximum(gold, 1)
        return float(precision.mean()), float(recall.mean())

    def score(self, system: str, level: float) -> SystemScore:
        values = (*self.precision_recall(system), self.f1(system))
        drawn = {"sentences": interval(self.resamples[system], level)}
        return SystemScore(system, self.name, *values, drawn, tuple(self.seeds[system].tolist()))

    def drawn_differences(self, pair: tuple[str, str]) -> Floats:
        return self.resamples[pair[1]] - self.resamples[pair[0]]

    def difference(self, pair: tuple[str, str], level: float) -> Difference:
        drawn, swapped = self.drawn_differences(pair), self.swapped[min(pair), max(pair)]
        found = self.f1_difference(pair)
        p = {"bootstrap": p_of_resamples(drawn, found), "randomisation": p_of_swaps(swapped, found)}
        f1s = self.f1(pair[0]), self.f1(pair[1])
        return Difference(*pair, self.name, *f1s, found, {"sentences": interval(drawn, level)}, p)


class _Means:
    """Means over groups, of scores and of their resamples; there are none over a single group."""

    def __init__(self, groups: Sequence[_Group], level: float) -> None:
        self._groups, self._level = groups, level

    def scores(self, systems: Iterable[str]) -> list[SystemScore]:
        """The mean score of each system."""
        return [self._score(system) for system in systems] if len(self._groups) > 1 else []

    def differences(self, pairs: Iterable[tuple[str, str]]) -> list[Difference]:
        """The mean difference of each pair of systems."""
        return [self._difference(pair) for pair in pairs] if len(self._groups) > 1 else []

    def _intervals(self, two: TwoLevels, drawn: Floats, least: float) -> dict[str, Interval]:
        of_sentences = interval(drawn.mean(axis=0), self._level)
        return {"sentences": of_sentences, "two-level": two.interval(self._level, least)}

    def _score(self, system: str) -> SystemScore:
        of_groups = [(*g.precision_recall(system), g.f1(system)) for g in self._groups]
        precision, recall, f1_mean = np.mean(of_groups, axis=0).tolist()
        seeds = [group.seeds[system] for group in self._groups]
        same = len({len(each) for each in seeds}) == 1  # else there is no macro F1 of a seed
        means = tuple(np.mean(seeds, axis=0).tolist()) if same else ()
        of_each = np.array([group.f1(system) for group in self._groups])
        drawn = np.array([group.resamples[system] for group in self._groups])
        intervals = self._intervals(TwoLevels.of(of_each, drawn), drawn, 0)
        return SystemScore(system, None, precision, recall, f1_mean, intervals, means)

    def _difference(self, pair: tuple[str, str]) -> Difference:
        each = np.array([group.f1_difference(pair) for group in self._groups])
        drawn = np.array([group.drawn_differences(pair) for group in self._groups])
        f1_first, f1_second = (
            float(np.mean([group.f1(system) for group in self._groups])) for system in pair
        )
        two = TwoLevels.of(each, drawn)
        key = min(pair), max(pair)
        swapped = np.mean([group.swapped[key] for group in self._groups], axis=0)
        p = {
            "bootstrap": p_of_resamples(drawn.mean(axis=0), two.mean),
            "randomisation": p_of_swaps(swapped, two.mean),
            "two-level": two.p_value(),
            "wilcoxon": wilcoxon(each.tolist()),
        }
        return Difference(
            *pair,
            None,
            f1_first,
            f1_second,
            two.mean,
            self._intervals(two, drawn, -1),
            p,
            n_better=int((each > ROUNDING).sum()),
            n_worse=int((each < -ROUNDING).sum()),
            spread=two.spread,
        )


def _f1(sums: Integers) -> Floats:
    """F1 of sums (tp, gold, predicted), shape (seeds, 3)."""
    return f1(sums[:, 0], sums[:, 1] + sums[:, 2])


def _corrected(family: Sequence[Difference]) -> tuple[Difference, ...]:
    """With p-values corrected for the whole family, by test."""
    by_test = {test: holm([d.p[test] for d in family]) for test in (family[0].p if family else ())}
    return tuple(
        replace(difference, p_holm={test: values[k] for test, values in by_test.items()})
        for k, difference in enumerate(family)
    )


def _group_notes(groups: Mapping[str, _Group]) -> Iterable[str]:
    """Groups whose numbers say little."""
    if none := [name for name, group in groups.items() if not group.gold.any()]:
        yield f"there are no gold spans, and F1 counts as 0, in {_listed(none)}"
    if few := [name for name, group in groups.items() if group.n_telling < _FEW]:
        yield (
            f"fewer than {_FEW} sentences have spans in {_listed(few)}: intervals and p of so few "
            "are not to be relied on"
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name or "the file" for name in names)


def _notes(
    families: Sequence[Sequence[Difference]], n_common: int, resamples: int
) -> Iterable[str]:
    for family in families:
        least = len(family) / (resamples + 1)
        if least >= 0.05:
            enough = 50 * len(family)
            yield (
                f"{len(family)} comparisons by {resamples} resamples cannot give a corrected p "
                f"below {least:.2f}; {enough} resamples or more could"
            )
    if families[1] and n_common < 6:
        yield (
            f"over {n_common} groups the Wilcoxon test cannot give a p below {2 / 2**n_common:.3g}"
        )


def _signature(
    counted: Mapping[str, int],
    families: Sequence[Sequence[Difference]],
    n: int,
    seed: int,
    level: float,
) -> str:
    means = bool(families[1])
    parts = {
        "metric": "span-f1",
        "average": "micro,macro-over-groups" if means else "micro",
        "method": "paired-bootstrap,approximate-randomisation"
        + (",two-level-t,wilcoxon" if means else ""),
        "correction": "holm-over-" + ",".join(str(len(family)) for family in families if family),
        "level": level,
        "n": n,
        "seed": seed,
        **counted,
    }
    return signature(parts)
