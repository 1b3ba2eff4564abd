"""Which spans count; what a projection could reach."""

import pytest

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Span
from spanbridge.evaluation import RowCounts, SpanChoice, cap_row, score_cell


def spans(labels):
    return [Span(n, n + 1, label) for n, label in enumerate(labels)]


def test_labels_are_renamed_before_they_are_chosen():
    given = [Span(0, 1, "person", 0.5), Span(1, 3, "ORG"), Span(1, 3, "MISC")]
    choice = SpanChoice(["PER", "ORG", "MISC"], {"person": "PER"})
    assert choice.of(given) == {Span(0, 1, "PER"), Span(1, 3, "ORG"), Span(1, 3, "MISC")}
    assert choice.parts() == {"labels": "MISC,ORG,PER", "map": "person=PER"}
    # without labels, both spans of the same words are one
    assert SpanChoice(boundaries=True).of(given) == {Span(0, 1, "any"), Span(1, 3, "any")}
    assert SpanChoice(["ORG"], boundaries=True).of(given) == {Span(1, 3, "any")}
    with pytest.raises(SpanbridgeError, match="at least one label"):
        SpanChoice([])


def test_what_can_be_reached_where_sides_differ():
    """Two labels of three in common, and a row that agrees: 2 * 3 / (4 + 3)."""
    rows = [("AAB", "AB"), ("A", "A"), ("", "")]
    caps = [cap_row(spans(source), spans(gold)) for source, gold in rows]
    assert caps == [RowCounts(2, 2, 3), RowCounts(1, 1, 1), RowCounts(0, 0, 0)]
    golds = [spans(gold) for _, gold in rows]
    report = score_cell(golds, [[], *golds[1:]]).with_cap(caps)
    assert report.cap.f1 == 2 * 3 / 7
    assert report.agree.f1 == 1  # the first row does not agree
