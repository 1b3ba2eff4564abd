"""Comparisons of systems: hand-worked cases, properties, order, seeds, refusals."""

import json
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Span
from spanbridge.evaluation import bootstrap_interval, compare_systems, score_cell


def some_counts(n, accuracy, rng, gold=None):
    gold = rng.integers(0, 4, n) if gold is None else gold
    tp = rng.binomial(gold, accuracy)
    return np.column_stack([tp, gold, tp + rng.binomial(2, 0.2, n)])


def some_cells(accuracies, n_languages=5, n=60, seed=0):
    rng = np.random.default_rng(seed)
    golds = {f"l{k}": rng.integers(0, 4, n) for k in range(n_languages)}
    return {
        system: {language: some_counts(n, accuracy, rng, gold) for language, gold in golds.items()}
        for system, accuracy in accuracies.items()
    }


def test_two_sentences_by_hand():
    # F1: a 1/2, b 1. Swapping the first sentence only makes a perfect and b 1/2; swapping the
    # second one changes nothing: every swap differs by 1/2, so p is 1.
    cells = {"a": {"x": [(0, 1, 1), (1, 1, 1)]}, "b": {"x": [(1, 1, 1), (1, 1, 1)]}}
    [found] = compare_systems(cells, resamples=4000).differences
    assert (found.f1_first, found.f1_second, found.difference) == (0.5, 1.0, 0.5)
    assert found.p["randomisation"] == 1.0
    # resamples of {differs, same}: the difference is 0, 1/2, 1 with probabilities 1/4, 1/2, 1/4
    assert found.intervals["sentences"] == (0.0, 1.0)
    assert found.p["bootstrap"] == pytest.approx(0.5, abs=0.03)


def test_randomisation_equals_the_exact_test():
    """With six sentences all 64 swaps can be counted."""
    a = np.array([(0, 1, 1), (1, 2, 1), (0, 1, 0), (1, 1, 1), (0, 0, 1), (2, 2, 3)])
    b = np.array([(1, 1, 1), (2, 2, 2), (0, 1, 1), (0, 1, 2), (0, 0, 0), (2, 2, 2)])

    def difference(swaps):
        swapped = np.array(swaps, bool)[:, None]
        sums = [np.where(swapped, x, y).sum(axis=0) for x, y in ((a, b), (b, a))]
        return np.subtract(*(2 * tp / (gold + predicted) for tp, gold, predicted in sums))

    every = [difference(swaps) for swaps in product((0, 1), repeat=6)]
    exact = np.mean(np.abs(every) >= abs(every[0]) - 1e-12)
    [found] = compare_systems({"a": {"x": a}, "b": {"x": b}}, resamples=20_000).differences
    assert found.p["randomisation"] == pytest.approx(exact, abs=0.01)


def pair(a, b, **settings):
    """The difference of two systems in one language."""
    [found] = compare_systems({"a": {"": a}, "b": {"": b}}, **settings).differences
    return found


def test_what_says_little_is_told():
    enough, few, none = [(1, 1, 1)] * 10, [(1, 1, 1)] * 9 + [(0, 0, 0)] * 90, [(0, 0, 1)] * 10
    groups = {"x": enough, "y": few, "z": none}
    found = compare_systems({"a": groups, "b": groups}, resamples=200)
    assert found.notes[1:] == (
        "there are no gold spans, and F1 counts as 0, in z",
        "fewer than 10 sentences have spans in y: "
        "intervals and p of so few are not to be relied on",
    )
    assert not compare_systems({"a": {"x": enough}, "b": {"x": enough}}, resamples=200).notes


@pytest.mark.parametrize(
    "counts", [[(2, 1, 2)], [(2, 2, 1)], [(-1, 1, 1)], [(0.5, 1, 1)], [(float("nan"), 1, 1)]]
)
def test_what_cannot_be_counts_is_refused(counts):
    with pytest.raises(SpanbridgeError, match="a, x: counts must be .* tp is the least"):
        compare_systems({"a": {"x": counts}, "b": {"x": [(1, 1, 1)]}}, resamples=100)
    with pytest.raises(SpanbridgeError, match="rows: counts must be"):
        bootstrap_interval(counts)


def test_a_system_better_on_every_row():
    found = pair([(1, 2, 2)] * 50, [(2, 2, 2)] * 50, resamples=999)
    assert found.difference == pytest.approx(0.5)
    assert found.intervals["sentences"] == pytest.approx((0.5, 0.5))
    assert found.p == {"bootstrap": 2 / 1000, "randomisation": 1 / 1000}


def test_the_bootstrap_p_agrees_with_the_interval():
    rng = np.random.default_rng(5)
    gold = rng.integers(0, 4, 400)
    base = some_counts(400, 0.7, rng, gold)
    for accuracy in (0.70, 0.72, 0.75, 0.80, 0.9):
        found = pair(base, some_counts(400, accuracy, rng, gold), resamples=2000)
        low, high = found.intervals["sentences"]
        if abs(found.p["bootstrap"] - 0.05) > 0.01:
            assert (found.p["bootstrap"] < 0.05) == (not low <= 0 <= high)
        assert low <= found.difference <= high


def test_under_equal_quality_few_differences_are_significant():
    n_significant = Counter()
    for seed in range(200):
        rng = np.random.default_rng(seed)
        gold = rng.integers(0, 4, 150)
        found = pair(*(some_counts(150, 0.7, rng, gold) for _ in "ab"), resamples=400)
        n_significant.update(test for test, p in found.p.items() if p < 0.05)
    assert all(2 <= n_significant[test] <= 22 for test in ("bootstrap", "randomisation"))  # of 10


def test_swapping_the_systems_turns_signs_only():
    cells = some_cells({"a": 0.7, "b": 0.75})
    one = compare_systems(cells, resamples=300)
    other = compare_systems(dict(reversed(cells.items())), resamples=300)
    pairs = [*zip(one.differences, other.differences, strict=True)]
    pairs += zip(one.macro_differences, other.macro_differences, strict=True)
    for x, y in pairs:
        assert x.difference == -y.difference
        assert x.p == y.p
        for kind, (low, high) in x.intervals.items():
            assert y.intervals[kind] == pytest.approx((-high, -low))
        assert (x.n_better, x.n_worse) == (y.n_worse, y.n_better)


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_order_changes_nothing(seed, random):
    cells = some_cells({"a": 0.6, "b": 0.7, "c": 0.7}, n_languages=3, n=12, seed=seed)
    orders = {language: random.sample(range(12), 12) for language in cells["a"]}
    languages = random.sample(sorted(orders), 3)
    shuffled = {
        system: {language: of[language][orders[language]] for language in languages}
        for system, of in cells.items()
    }
    one, other = (compare_systems(c, resamples=50, all_pairs=True) for c in (cells, shuffled))
    assert {(d.first, d.second, d.group): d for d in one.differences} == {
        (d.first, d.second, d.group): d for d in other.differences
    }
    for x, y in zip(one.macro_differences, other.macro_differences, strict=True):
        assert x.p == y.p
        assert x.difference == pytest.approx(y.difference)


def test_equal_systems():
    cells = some_cells({"a": 0.7})
    found = compare_systems({"a": cells["a"], "b": cells["a"]}, resamples=100)
    for each in (*found.differences, *found.macro_differences):
        assert each.difference == 0
        assert set(each.p.values()) == set(each.p_holm.values()) == {1.0}
        assert set(each.intervals.values()) == {(0.0, 0.0)}


def test_cells_of_spans():
    gold = [[Span(0, 1, "PER")], [Span(2, 4, "LOC")], []]
    found = [[Span(0, 1, "LOC", 0.3)], [Span(2, 4, "LOC")], [Span(0, 1, "PER")]]
    cell = score_cell(gold, found)
    assert cell.rows == ((0, 1, 1), (1, 1, 1), (0, 0, 1))
    assert cell.boundary_rows == ((1, 1, 1), (1, 1, 1), (0, 0, 1))
    assert (cell.micro.tp, cell.boundaries.tp) == (1, 2)
    assert score_cell(gold, gold).micro.f1 == 1
    compared = compare_systems({"a": {"": cell.rows}, "b": {"": score_cell(gold, gold).rows}})
    assert compared.macro_differences == ()
    assert json.loads(json.dumps(compared.to_dict())) == compared.to_dict()


def test_refusals():
    with pytest.raises(SpanbridgeError, match="there are no two systems"):
        compare_systems({"a": {"x": [(1, 1, 1)]}})
    with pytest.raises(SpanbridgeError, match="no group"):
        compare_systems({"a": {"x": [(1, 1, 1)]}, "b": {"y": [(1, 1, 1)]}})
    with pytest.raises(SpanbridgeError, match="b, x: counts must be"):
        compare_systems({"a": {"x": [(1, 1, 1)]}, "b": {"x": []}})
    with pytest.raises(SpanbridgeError, match="x: a was scored on 1 rows and b on 2"):
        compare_systems({"a": {"x": [(1, 1, 1)]}, "b": {"x": [(1, 1, 1)] * 2}})
    with pytest.raises(SpanbridgeError, match="x, row 1: a .* against 1 gold spans and b .* 2"):
        compare_systems({"a": {"x": [(1, 1, 1)]}, "b": {"x": [(1, 2, 1)]}})


def test_seeds_are_averaged():
    rng = np.random.default_rng(7)
    gold = rng.integers(0, 4, 80)
    a = [some_counts(80, 0.65, rng, gold) for _ in range(3)]
    b = [some_counts(80, 0.75, rng, gold) for _ in range(2)]
    found = compare_systems({"a": {"": a}, "b": {"": b}}, resamples=500)
    first, second = found.scores
    f1 = [2 * tp / (g + p) for tp, g, p in (each.sum(axis=0) for each in (*a, *b))]
    assert first.seeds == pytest.approx(f1[:3])
    assert (first.f1, second.f1) == pytest.approx((np.mean(f1[:3]), np.mean(f1[3:])))
    assert first.seed_sd == pytest.approx(np.std(f1[:3], ddof=1))
    [difference] = found.differences
    assert difference.difference == pytest.approx(second.f1 - first.f1)
    low, high = difference.intervals["sentences"]
    assert low < difference.difference < high
    # the same seed three times is that seed
    one = pair(a[0], b[0], resamples=500)
    three = pair([a[0]] * 3, b[0], resamples=500)
    assert three.intervals["sentences"] == pytest.approx(one.intervals["sentences"])
    assert three.p["bootstrap"] == one.p["bootstrap"]
    assert three.p["randomisation"] == pytest.approx(one.p["randomisation"], abs=0.05)


def test_groups_that_a_system_lacks():
    cells = some_cells({"a": 0.6, "b": 0.7, "c": 0.8}, n_languages=4)
    del cells["b"]["l1"], cells["c"]["l3"]
    found = compare_systems(cells, resamples=50)
    assert (found.common, found.missing["b"], found.missing["c"]) == (
        ("l0", "l2"),
        ("l1",),
        ("l3",),
    )
    assert [d.second for d in found.differences if d.group == "l1"] == ["c"]
    assert [d.n_better + d.n_worse for d in found.macro_differences] == [2, 2]
    assert len(found.scores) == 10
    # what else is compared changes nothing but the draws
    alone = compare_systems({s: cells[s] for s in "ab"}, resamples=50)
    assert alone.common == ("l0", "l2", "l3")
    assert {d.difference for d in alone.differences} <= {d.difference for d in found.differences}
