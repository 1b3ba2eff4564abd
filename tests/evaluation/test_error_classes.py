"""Error classes: hand-worked rows, and sums that hold for any spans."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.spans import Span
from spanbridge.evaluation import (
    BOUNDARY_KINDS,
    BOUNDARY_SIDES,
    ERROR_CLASSES,
    boundary_error,
    count_errors,
    match_spans,
)


def spans(*given: tuple[int, int, str]) -> list[Span]:
    return [Span(*span) for span in given]


def classes(gold, predicted) -> list[str]:
    return [match.error for match in match_spans(spans(*gold), spans(*predicted))]


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ([(0, 2, "A")], [(0, 2, "A")], ["correct"]),
        ([(0, 2, "A")], [(0, 2, "B")], ["type"]),
        ([(0, 2, "A")], [(1, 2, "A")], ["boundary"]),
        ([(0, 2, "A")], [(1, 3, "B")], ["type+boundary"]),
        ([(0, 2, "A")], [], ["missed"]),
        ([], [(0, 2, "A")], ["spurious"]),
        ([(0, 2, "A")], [(2, 4, "A")], ["missed", "spurious"]),  # touching is not overlapping
        # One prediction over two gold spans explains one of them, here the longer.
        ([(0, 1, "A"), (1, 3, "A")], [(0, 3, "A")], ["missed", "boundary"]),
        # Two predictions in one gold span: the longer explains it. (Listed by position.)
        ([(0, 3, "A")], [(0, 1, "A"), (1, 3, "A")], ["spurious", "boundary"]),
        # More shared words go before an equal label.
        ([(0, 4, "A")], [(0, 1, "A"), (1, 4, "B")], ["spurious", "type+boundary"]),
        # As many shared words: the pair that covers fewer goes first, then the equal label.
        ([(0, 2, "A")], [(0, 2, "B"), (0, 3, "A")], ["type", "spurious"]),
        ([(0, 2, "A")], [(0, 3, "B"), (0, 3, "A")], ["boundary", "spurious"]),
        # A correct span explains nothing else, however much it overlaps.
        ([(0, 2, "A"), (0, 3, "A")], [(0, 3, "A")], ["missed", "correct"]),
    ],
)
def test_classes(gold, predicted, expected):
    assert classes(gold, predicted) == expected


def test_leftmost_of_equals_goes_first():
    first, second = match_spans(
        spans((1, 3, "A")),
        spans((0, 2, "A"), (2, 4, "A")),
    )
    assert (first.error, first.predicted) == ("boundary", Span(0, 2, "A"))
    assert (second.error, second.predicted) == ("spurious", Span(2, 4, "A"))


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        ((1, 5), ("too long", "left")),
        ((2, 6), ("too long", "right")),
        ((1, 6), ("too long", "both")),
        ((3, 5), ("too short", "left")),
        ((2, 4), ("too short", "right")),
        ((3, 4), ("too short", "both")),
        ((1, 4), ("shifted", "both")),
        ((3, 6), ("shifted", "both")),
    ],
)
def test_boundary_kinds(predicted, expected):
    assert boundary_error(Span(2, 5, "A"), Span(*predicted, "A")) == expected


def test_examples_are_the_first_of_each_class_with_their_rows():
    rows = [(spans((0, 1, "A")), []) for _ in range(4)] + [([], spans((0, 1, "B")))]
    report = count_errors(rows, max_examples=2)
    assert [(e.row, e.error) for e in report.examples] == [
        (1, "missed"),
        (2, "missed"),
        (5, "spurious"),
    ]
    assert report.counts["missed"] == 4
    assert count_errors(rows, max_examples=0).examples == ()


def test_no_rows():
    report = count_errors([])
    assert (report.n_gold, report.n_predicted) == (0, 0)
    assert list(report.counts) == list(ERROR_CLASSES)
    assert list(report.kinds) == list(BOUNDARY_KINDS)
    assert list(report.sides) == list(BOUNDARY_SIDES)


some_spans = st.lists(
    st.builds(
        lambda start, size, label: Span(start, start + size, label),
        st.integers(0, 9),
        st.integers(1, 5),
        st.sampled_from("ABC"),
    ),
    max_size=8,
)


@given(st.lists(st.tuples(some_spans, some_spans), max_size=4))
def test_every_span_is_counted_exactly_once(rows):
    report = count_errors(rows)
    assert report.n_gold == sum(len(set(gold)) for gold, _ in rows)
    assert report.n_predicted == sum(len(set(predicted)) for _, predicted in rows)
    assert report.counts["correct"] == sum(len(set(g) & set(p)) for g, p in rows)
    assert sum(report.kinds.values()) == report.counts["boundary"] == sum(report.sides.values())


@given(some_spans, some_spans, st.randoms(use_true_random=False))
def test_matching_is_one_to_one_true_to_its_names_and_blind_to_order(gold, predicted, random):
    matches = match_spans(gold, predicted)
    assert sorted(m.gold for m in matches if m.gold) == sorted(set(gold))
    assert sorted(m.predicted for m in matches if m.predicted) == sorted(set(predicted))
    for error, g, p in matches:
        if g is None or p is None:
            assert error == ("spurious" if g is None else "missed")
            continue
        assert g.start < p.end
        assert p.start < g.end
        same = (g[:2] == p[:2], g.label == p.label)
        assert (
            error
            == {
                (True, True): "correct",
                (True, False): "type",
                (False, True): "boundary",
                (False, False): "type+boundary",
            }[same]
        )
    left_gold = [m.gold for m in matches if m.error == "missed"]
    left_predicted = [m.predicted for m in matches if m.error == "spurious"]
    assert not any(g.start < p.end and p.start < g.end for g in left_gold for p in left_predicted)
    random.shuffle(gold)
    random.shuffle(predicted)
    assert match_spans(gold, predicted) == matches


def test_thousands_of_spans_in_a_row():
    gold = [Span(2 * n, 2 * n + 1, "PER") for n in range(3_000)]
    found = [Span(2 * n, 2 * n + 2, "PER") for n in range(3_000)]  # each one word too long
    assert {match.error for match in match_spans(gold, found)} == {"boundary"}
    whole = Span(0, 6_000, "PER")
    assert [match.error for match in match_spans(gold, [whole])].count("boundary") == 1


@given(*[st.lists(st.tuples(st.integers(0, 9), st.integers(1, 6), st.sampled_from("AB")))] * 2)
def test_spans_that_overlap_are_all_considered(left, right):
    sides = [{Span(a, a + n, label) for a, n, label in side} for side in (left, right)]
    matches = match_spans(*sides)
    missed = [match.gold for match in matches if match.error == "missed"]
    spurious = [match.predicted for match in matches if match.error == "spurious"]
    for g in missed:  # what overlaps is matched, unless with another one
        assert all(g.end <= p.start or p.end <= g.start for p in spurious)
