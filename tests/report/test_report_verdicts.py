import pytest

from spanbridge.core.spans import Span
from spanbridge.report.verdicts import judge


@pytest.mark.parametrize(
    ("projected", "gold", "verdicts"),
    [
        ([Span(0, 2, "A")], [Span(0, 2, "A")], ["right"]),
        ([Span(0, 2, "A")], [Span(0, 2, "B")], ["wrong label"]),
        ([Span(0, 2, "A")], [Span(1, 3, "A")], ["wrong boundary"]),
        ([Span(0, 2, "A")], [Span(1, 3, "B")], ["wrong label and boundary"]),
        ([Span(0, 2, "A")], [Span(2, 3, "A")], ["spurious", "missed"]),
        ([], [Span(2, 3, "A")], ["missed"]),
        # a gold span goes to the one that is right, not to the first that touches it
        ([Span(0, 3, "A"), Span(0, 2, "A")], [Span(0, 2, "A")], ["spurious", "right"]),
        # equal spans are one span said twice
        ([Span(0, 2, "A"), Span(0, 2, "A")], [Span(0, 2, "A")], ["right", "right"]),
        # the larger overlap wins
        ([Span(0, 4, "A")], [Span(0, 1, "A"), Span(1, 4, "A")], ["wrong boundary", "missed"]),
    ],
)
def test_judge(projected, gold, verdicts):
    assert [entry.verdict for entry in judge(projected, gold)] == verdicts


def test_scores_do_not_matter_and_order_is_kept():
    spans = [Span(3, 4, "B", 0.2), Span(0, 2, "A", 0.9)]
    judged = judge(spans, [Span(0, 2, "A"), Span(3, 4, "B")])
    assert [entry.span for entry in judged] == spans
    assert {entry.verdict for entry in judged} == {"right"}
    assert judge([Span(0, 4, "A")], [Span(0, 1, "A"), Span(1, 4, "A")])[0].gold == Span(1, 4, "A")
