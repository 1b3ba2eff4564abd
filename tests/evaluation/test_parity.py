"""Scores and tests beside independent implementations: seqeval, nervaluate, scipy."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

from spanbridge.core.spans import Span
from spanbridge.core.tags import spans_from_tags
from spanbridge.evaluation import compare_systems, score_cell
from spanbridge.evaluation.significance import TwoLevels, holm, wilcoxon

LENGTH = 6


@st.composite
def layers(draw):
    """Spans of a row, none of which overlap."""
    edges = sorted(draw(st.sets(st.integers(0, LENGTH), min_size=0, max_size=LENGTH + 1)))
    labels = st.sampled_from(["LOC", "PER", None])
    spans = [(a, b, draw(labels)) for a, b in zip(edges, edges[1:], strict=False)]
    return [Span(*span) for span in spans if span[2] is not None]


def tags(spans):
    found = ["O"] * LENGTH
    for start, end, *_ in spans:
        found[start:end] = ["B-any", *["I-any"] * (end - start - 1)]
    return found


@settings(max_examples=30)
@given(st.lists(st.tuples(layers(), layers()), min_size=1, max_size=5))
def test_boundaries_and_labels_as_in_nervaluate(rows):
    nervaluate = pytest.importorskip("nervaluate", reason="install requirements/dev.txt anew")
    golds, predictions = zip(*rows, strict=True)
    report = score_cell(golds, predictions)
    sides = [
        [[{"start": s.start, "end": s.end - 1, "label": s.label} for s in row] for row in side]
        for side in (golds, predictions)
    ]
    found = nervaluate.Evaluator(*sides, tags=["LOC", "PER"], loader="dict").evaluate()["overall"]
    assert found["strict"].correct == report.micro.tp
    assert found["exact"].correct == report.boundaries.tp
    for strategy, ours in (("strict", report.micro), ("exact", report.boundaries)):
        assert found[strategy].actual == ours.predicted
        assert found[strategy].precision == pytest.approx(ours.precision)
    counts = report.errors.counts
    assert found["exact"].correct == counts["correct"] + counts["type"]


@settings(max_examples=30)
@given(st.lists(st.tuples(layers(), layers()), min_size=1, max_size=5))
@pytest.mark.filterwarnings("ignore")
def test_boundaries_are_seqevals_scores_of_one_label(rows):
    golds, predictions = zip(*rows, strict=True)
    report = score_cell(golds, predictions)
    sides = [[tags(row) for row in side] for side in (golds, predictions)]
    assert [spans_from_tags(row)[0] for row in sides[0]] == [
        tuple(span._replace(label="any") for span in row) for row in golds
    ]
    expected = precision_recall_fscore_support(*sides, average="micro", zero_division=0)
    ours = report.boundaries
    assert (ours.precision, ours.recall, ours.f1) == pytest.approx(expected[:3])


def some_systems(n, seed):
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, 4, n)
    return [
        np.column_stack([tp := rng.binomial(gold, accuracy), gold, tp + rng.binomial(1, 0.3, n)])
        for accuracy in (0.6, 0.75)
    ]


def f1(rows, axis=-1):
    return 2 * rows[0].sum(axis) / np.maximum((rows[1] + rows[2]).sum(axis), 1)


def test_the_bootstrap_interval_is_scipys():
    a, b = some_systems(120, 1)
    columns = (*a.T, *b.T)

    def difference(*columns, axis=-1):
        return f1(columns[3:], axis) - f1(columns[:3], axis)

    theirs = stats.bootstrap(
        columns, difference, paired=True, n_resamples=4000, method="percentile", rng=1
    ).confidence_interval
    [ours] = compare_systems({"a": {"": a}, "b": {"": b}}, resamples=4000).differences
    assert ours.difference == pytest.approx(difference(*columns))
    assert ours.intervals["sentences"] == pytest.approx(tuple(theirs), abs=0.005)


def test_randomisation_is_scipys_paired_permutation_test():
    a, b = some_systems(40, 2)
    packed = [(rows * [10_000, 100, 1]).sum(axis=1) for rows in (a, b)]  # one number a sentence

    def difference(x, y, axis=-1):
        (fx, fy) = (f1((z // 10_000, z // 100 % 100, z % 100), axis) for z in (x, y))
        return fy - fx

    theirs = stats.permutation_test(
        packed, difference, permutation_type="samples", n_resamples=4000, vectorized=True, rng=1
    )
    [ours] = compare_systems({"a": {"": a}, "b": {"": b}}, resamples=4000).differences
    assert 0.001 < ours.p["randomisation"] < 0.5
    assert ours.p["randomisation"] == pytest.approx(theirs.pvalue, abs=0.02)


def test_wilcoxon_by_counting_all_signs():
    differences = [0.01, 0.03, -0.02, 0.05, 0.04, 0.07]
    ranks = np.abs(differences).argsort().argsort() + 1
    sums = [ranks[np.array(signs, bool)].sum() for signs in product((0, 1), repeat=6)]
    found = ranks[np.array(differences) > 0].sum()
    least = min(found, ranks.sum() - found)
    exact = np.mean([min(s, ranks.sum() - s) <= least for s in sums])
    assert wilcoxon([*differences, 0.0]) == pytest.approx(exact)
    assert wilcoxon([0.0, 1e-16]) == 1


def test_holm_by_hand():
    # sorted .01 .02 .03 .04, times 4 3 2 1: .04 .06 .06 .06 (never falling)
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1, 1]
    assert holm([]) == []


def test_two_levels_are_students_t_if_languages_differ_by_more_than_chance():
    rng = np.random.default_rng(3)
    found = rng.normal(0.01, 0.03, 15)
    drawn = found[:, None] + rng.normal(0, 0.01, (15, 1000))
    two, theirs = TwoLevels.of(found, drawn), stats.ttest_1samp(found, 0)
    assert two.interval(0.9, -1) == pytest.approx(tuple(theirs.confidence_interval(0.9)))
    assert two.p_value() == pytest.approx(theirs.pvalue)
    assert two.spread == pytest.approx(np.sqrt(found.var(ddof=1) - 0.01**2), rel=0.01)


def test_languages_that_are_alike_do_not_make_a_mean_surer_than_their_sentences():
    found = np.array([0.02, 0.02, 0.02, 0.021])
    drawn = found[:, None] + np.array([-0.05, 0.05])
    two = TwoLevels.of(found, drawn)
    assert two.error == pytest.approx(0.05 / 2)
    assert two.spread == 0
    assert two.interval(0.95, -1)[0] < 0 < 0.2 < two.p_value()


@pytest.mark.slow
@pytest.mark.parametrize(("n_languages", "between"), [(4, 0.06), (12, 0.03)])
def test_two_level_intervals_hold_the_mean_of_all_languages(n_languages, between):
    n_inside, n_tries = 0, 120
    for seed in range(n_tries):
        rng = np.random.default_rng([n_languages, seed])
        cells = {"a": {}, "b": {}}
        for k in range(n_languages):
            gold, base = rng.integers(0, 4, 100), rng.uniform(0.5, 0.7)
            for system, accuracy in (("a", base), ("b", base + rng.normal(0, between))):
                tp = rng.binomial(gold, accuracy)
                cells[system][str(k)] = np.column_stack([tp, gold, gold])
        [macro] = compare_systems(cells, resamples=200, seed=seed).macro_differences
        low, high = macro.intervals["two-level"]
        n_inside += low <= 0 <= high
    assert n_inside / n_tries >= 0.92
