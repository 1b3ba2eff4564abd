"""Which rows to correct first: doubt, and no kind of mistake twice before the others."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge import Sentence, SentencePair, Span, SpanbridgeError
from spanbridge.evaluation.choosing import choose, doubts_of


def row(*scores, label="PER", confidence=..., status="projected", lost=0):
    """A row with a span of each score, over words of their own between others."""
    words, spans = ["sagt"], []
    for p in scores:
        spans.append(Span(len(words), len(words) + 1, label, p))
        words += ["Ann", "sagt"]
    source = Sentence(
        ("x",) * (len(scores) + lost),
        tuple(Span(n, n + 1, label) for n in range(len(scores) + lost)),
    )
    sure = math.prod(scores) * 0.5**lost if confidence is ... else confidence
    target = Sentence(tuple(words), tuple(spans))
    return SentencePair("1", source, target, status=status, confidence=sure)


def test_doubts_sum_up_to_that_of_the_row():
    (one, a), (two, b), (lost, c) = doubts_of(row(0.9, 0.5, lost=1))
    assert one == two == ("PER", "word", "word", "word", "word")
    assert (a, b, c) == pytest.approx((-math.log(0.9), -math.log(0.5), math.log(2)))
    assert lost == ("not projected", "PER")


def test_by_doubt_and_by_mixture():
    """The third PER is worth .69 / sqrt(3), less than the surer LOC."""
    rows = [row(0.5), row(0.5), row(0.5), row(0.6, label="LOC"), row(0.99, label="ORG")]
    assert choose(rows, by="doubt") == [0, 1, 2, 3, 4]
    assert choose(rows) == [0, 3, 1, 2, 4]
    assert choose(rows, 2) == [0, 3]


def test_rows_that_are_left_out():
    rows = [
        row(0.5, status="corrected"),
        row(confidence=None, status="rejected: x"),
        row(confidence=1.0),
        row(1.0),
    ]
    assert choose(rows) == [3]


@given(st.lists(st.tuples(st.floats(0.01, 1), st.sampled_from("AB")), max_size=12))
def test_every_open_row_once(drawn):
    """And the greedy choice is that of comparing all rows each time."""
    rows = [row(p, label=label) for p, label in drawn]
    found = choose(rows)
    assert sorted(found) == list(range(len(rows)))
    seen = {"A": 0, "B": 0}
    left = list(range(len(rows)))
    for k in found:
        worth = {n: -math.log(drawn[n][0]) / (1 + seen[drawn[n][1]]) ** 0.5 for n in left}
        assert worth[k] == pytest.approx(max(worth.values()))
        seen[drawn[k][1]] += 1
        left.remove(k)


@pytest.mark.parametrize(("n", "by"), [(0, "doubt"), (3, "luck")])
def test_what_is_refused(n, by):
    with pytest.raises(SpanbridgeError):
        choose([], n, by)
