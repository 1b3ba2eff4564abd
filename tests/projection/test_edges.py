"""What corrected rows teach of the ends of spans."""

import numpy as np
import pytest
from soft_samples import pair

from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Span
from spanbridge.projection.candidates import Intervals
from spanbridge.projection.edges import Edges, Example, Trial, features_of, learn_edges
from spanbridge.projection.pool import Pool, Scored
from spanbridge.projection.score_input import ScoreInput
from spanbridge.projection.teaching import chosen, examples_of

NOTHING = np.zeros(0)


def given(source, target, spans=(), found=()):
    one = pair(source, target, spans)
    one = one._replace(target=one.target.with_spans(tuple(Span(*span) for span in found)))
    n, m = len(one.source.words), len(one.target.words)
    return ScoreInput(one, SoftAlignment(np.zeros((n, m)), np.zeros((n, m))))


def example(group, chosen, excess=(0.2, 0.1)):
    """Two candidates: of a bare name, which is ahead, and with the word before it."""
    features = [["start\tinside\tX"], ["start\tinside\tarticle"]]
    return Example(group, np.array(excess), features, "PER", chosen)


def test_a_convention_is_learned_and_tried_on_rows_left_out():
    edges, without = learn_edges([example(n % 5, 1) for n in range(20)])
    assert edges is not None
    lead = edges.weights["start\tinside\tarticle"] - edges.weights["start\tinside\tX"]
    assert lead > 0.1  # more than the lead of the other candidate
    assert sorted(without) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "examples",
    [
        [],
        [example(0, 1) for _ in range(20)],  # nothing to try it on
        [example(n % 5, 0) for n in range(20)],  # nothing to mend
        [example(n % 5, n // 5 % 2) for n in range(20)],  # as many for it as against
    ],
)
def test_nothing_is_learned_where_nothing_is_mended(examples):
    assert learn_edges(examples) == (None, {})


@pytest.mark.parametrize(
    ("mended", "broken", "loss", "stronger", "clear"),
    [
        (1, 0, 5, None, False),  # 1 is less than 1.25
        (2, 0, 5, None, True),  # 2 > 1.25 * 1.41
        (3, 1, 5, None, False),  # 2 < 1.25 * 2
        (8, 3, 5, None, True),  # 5 > 1.25 * 3.32
        (18, 6, 5, (12, 5, 9), False),  # 12 is less than twice 7
        (21, 6, 5, (12, 5, 9), True),  # 15 is more
        (12, 5, 5, (2, 0, 9), True),
        (7, 0, 5, (7, 0, 9), True),  # nobody speaks against it
        (7, 0, 9, (7, 0, 9), False),  # but it is no likelier
        (6, 0, 5, (7, 0, 9), False),
    ],
)
def test_what_is_clear(mended, broken, loss, stronger, clear):
    def trial(mended, broken, loss):
        return Trial(loss, mended, broken, np.zeros(1), {})

    assert trial(mended, broken, loss).is_clear(stronger and trial(*stronger)) is clear


def test_the_score_is_the_sum_of_features():
    one = given("Ann goes", "die Anna geht")
    entity, places = Span(0, 1, "PER"), Intervals.of([(0, 2), (1, 2)])
    (first, second) = features_of(one, entity, places, [0, 1])
    assert "start\tword\tdie" in first
    assert "PER\tstart\tbeside\tdie" in second
    assert "longer\t1" in first
    weights = {feature: 0.01 * n for n, feature in enumerate([*first, *second], 1)}
    edges = Edges(weights)
    sums = [sum(weights[f] for f in some) for some in (first, second)]
    assert edges.of(one, entity, places) == pytest.approx(np.clip(sums, -1, 1))
    assert Edges({"none": 0.5}).of(one, entity, places).tolist() == [-0.5, -0.5]


def pool(one, totals):
    """Every interval of the target is a candidate."""
    n = len(one.pair.target.words)
    places = Intervals.of([(a, b) for a in range(n) for b in range(a + 1, n + 1)])
    made = Pool.of(one, False)
    for e in range(len(made.entities)):
        total = np.zeros(len(places))
        for (start, end), value in totals[e].items():
            total[(places.start == start) & (places.end == end)] = value
        made.scored.append(Scored(places, {}, total))
    return made


def test_each_right_span_goes_to_the_entity_that_it_suits_best():
    spans = [(0, 1, "PER"), (1, 2, "PER"), (2, 3, "LOC")]
    one = given("A B C", "x y z", spans, [(0, 1, "PER"), (2, 3, "PER")])
    made = pool(one, [{(0, 1): 0.5}, {(0, 1): 0.9, (2, 3): 0.1}, {}])
    found = chosen(made, one.pair.target.spans)
    starts = made.scored[0].intervals.start
    # the second is surer of (0, 1); the third has no span of its label
    assert [starts[n] for n in found[:2]] == [2, 0]
    assert found[2] == -1


def test_examples_of_a_row():
    one = given("A B", "x y", [(0, 1, "PER"), (1, 2, "LOC")], [(0, 2, "PER")])
    examples = examples_of(pool(one, [{(0, 1): 0.9, (0, 2): 0.4}, {}]), 3, 0.3)
    assert [(e.group, e.label, e.chosen) for e in examples] == [(3, "PER", 1), (3, "LOC", 3)]
    assert examples[0].excess[:2] == pytest.approx([0.6, 0.1])


def test_the_word_none_is_a_word_as_others_are():
    """Its feature ends as that of no projection does, whose ridge is another."""
    weights = []
    for word in ("none", "nona"):
        features = [["end\tword\tX"], [f"end\tword\t{word}"]]
        examples = [Example(n % 5, np.array((0.2, 0.1)), features, "PER", 1) for n in range(20)]
        edges, _ = learn_edges(examples)
        assert edges is not None
        weights.append(edges.weights[f"end\tword\t{word}"])
    assert weights[0] == weights[1] > 0
