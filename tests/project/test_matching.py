"""Candidate matching by several scores: hand-worked values, brute force, and what is not asked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import Span
from spanbridge.project.matching import (
    Matching,
    ScoreWeights,
    alignment_scores,
    matched,
    ner_scores,
    ngrams,
    subspans,
)


def match(matching, solver, translation=None):
    """One sentence by itself, its questions answered by a function."""
    steps = matched(matching, solver)
    try:
        wanted = next(steps)
        while True:
            wanted = steps.send(translation(wanted))
    except StopIteration as end:
        return end.value


CLASSES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def test_candidates():
    assert ngrams(3, 2) == [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]
    assert ngrams(0, 5) == []
    found = subspans([Span(1, 3, "PER"), Span(2, 3, "LOC")])
    assert found == [(1, 2), (1, 3), (2, 3)]


def test_alignment_score_is_the_papers():
    """Section 3.3: entity of 2 words, links to 1 and 2; (1, 3) has 2 * 2 / (2 + 2)."""
    links = WordAlignment.of([(0, 1), (1, 2), (2, 0)], 3, 4)
    places = [(1, 3), (1, 2), (0, 3), (3, 4)]
    scores = alignment_scores(Span(0, 2, "PER"), places, links)
    np.testing.assert_allclose(scores, [1.0, 2 / 3, 4 / 5, 0.0])


def test_ner_score_by_hand():
    probabilities = np.array(
        [
            [0.1, 0.8, 0.1, 0.0, 0.0],
            [0.2, 0.1, 0.6, 0.0, 0.1],
            [0.7, 0.0, 0.1, 0.2, 0.0],
        ]
    )
    places = [(0, 1), (0, 2), (0, 3), (1, 2), (2, 3)]
    found = ner_scores(probabilities, CLASSES, places)
    # B .8; B .8, I .6, all the most probable: mean .7 * 1.15; with a third word they are not
    np.testing.assert_allclose(found["PER"], [0.8, 0.7 * 1.15, 1.5 / 3, 0.1, 0.0])
    np.testing.assert_allclose(found["LOC"], [0.0, 0.1 / 2, 0.1 / 3, 0.0, 0.2])
    # cut at 1
    sure = np.tile([0.0, 0.0, 1.0, 0.0, 0.0], (6, 1))
    sure[0] = [0.0, 1.0, 0.0, 0.0, 0.0]
    assert ner_scores(sure, CLASSES, [(0, 6)])["PER"] == [1.0]


def test_per_class_and_class_free():
    links = WordAlignment.of([(0, 0)], 1, 2)
    probabilities = np.array([[0.1, 0.2, 0.0, 0.7, 0.0], [0.9, 0.1, 0.0, 0.0, 0.0]])
    places = ngrams(2, 2)
    ner = ner_scores(probabilities, CLASSES, places)
    weights = ScoreWeights(1.0, 2.0)
    own = Matching.of([Span(0, 1, "PER")], places, links, weights, ner)
    free = Matching.of([Span(0, 1, "PER")], places, links, weights, ner, per_class=False)
    other = Matching.of([Span(0, 1, "MISC")], places, links, weights, ner)
    assert own.cheap[0, 0] == pytest.approx(1 + 2 * 0.2)
    assert free.cheap[0, 0] == other.cheap[0, 0] == pytest.approx(1 + 2 * 0.7)
    found = match(free, "exact")
    assert [span[:3] for span in found.spans] == [(0, 1, "PER")]
    assert found.spans[0].score == pytest.approx((1 + 2 * 0.7) / 3)


def test_what_is_not_projected_says_why():
    links = WordAlignment.of([(0, 0), (1, 0)], 3, 2)
    spans = [Span(0, 1, "A"), Span(1, 2, "B"), Span(2, 3, "C")]
    found = match(Matching.of(spans, [(0, 1)], links, ScoreWeights()), "greedy")
    assert [(span.label, why) for span, why in found.dropped] == [
        ("B", "no candidate left"),
        ("C", "no link"),
    ]
    found = match(Matching.of(spans[:1], ngrams(2, 2), links, ScoreWeights(1, 1, 0, 0.9)), "exact")
    assert found.dropped[0][1] == "score below the threshold"
    found = match(Matching.of(spans[:1], [], links, ScoreWeights()), "exact")
    assert found.dropped[0][1] == "no candidate left"


@st.composite
def sentences(draw):
    n_source, n_target = draw(st.integers(1, 6)), draw(st.integers(1, 7))
    pairs = st.tuples(st.integers(0, n_source - 1), st.integers(0, n_target - 1))
    links = WordAlignment.of(draw(st.sets(pairs)), n_source, n_target)
    ends = sorted(draw(st.sets(st.integers(0, n_source), min_size=2)))
    spans = [Span(a, b, "PER") for a, b in zip(ends, ends[1:], strict=False)]
    weights = ScoreWeights(1.0, 0.0, draw(st.sampled_from([0.1, 0.5, 1.0, 4.0])))
    matching = Matching.of(spans, ngrams(n_target, 5), links, weights)
    seed = draw(st.integers(0, 2**16))
    return matching, np.random.default_rng(seed).random(matching.cheap.shape)


@pytest.mark.parametrize("solver", ["greedy", "exact"])
@given(case=sentences())
def test_what_is_not_asked_for_does_not_change_the_answer(solver, case):
    """All scores known beforehand, as part of those that cost nothing, give the same choice."""
    matching, scores = case
    number = {place: k for k, place in enumerate(matching.places)}
    asked = []

    def translation(wanted):
        asked.extend(wanted)
        return [scores[e, number[place]] for e, place in wanted]

    lazy = match(matching, solver, translation)
    weight = matching.weights.translation
    whole = Matching(
        matching.entities,
        matching.places,
        matching.cheap + weight * scores,
        ScoreWeights(1.0 + weight),
        matching.linked,
    )
    full = match(whole, solver)
    assert len(asked) == len(set(asked)) <= scores.size
    total = sum(span.score for span in lazy.spans)
    assert total == pytest.approx(sum(span.score for span in full.spans))
    if solver == "greedy":
        assert [span[:3] for span in lazy.spans] == [span[:3] for span in full.spans]


def test_what_cannot_win_is_not_asked_for():
    """One word linked to one word: all that is longer and not much better stays unscored."""
    links = WordAlignment.of([(0, 2)], 1, 6)
    matching = Matching.of([Span(0, 1, "PER")], ngrams(6, 6), links, ScoreWeights(1, 0, 0.2))
    asked = []

    def translation(wanted):
        asked.extend(wanted)
        return [0.9 if place == (2, 3) else 0.1 for _, place in wanted]

    found = match(matching, "exact", translation)
    assert [span[:2] for span in found.spans] == [(2, 3)]
    assert len(asked) < len(matching.places) / 2


def test_a_generator_asks_round_after_round():
    links = WordAlignment.of([(0, 0)], 1, 1)
    steps = matched(Matching.of([Span(0, 1, "X")], [(0, 1)], links, ScoreWeights(1, 0, 1)), "exact")
    assert next(steps) == [(0, (0, 1))]
    with pytest.raises(StopIteration) as end:
        steps.send([0.5])
    assert end.value.value.spans == (Span(0, 1, "X", 0.75),)


@pytest.mark.parametrize("numbers", [(-1.0,), (0.0,), (1.0, 0.0, 0.0, 1.5)])
def test_weights_out_of_range(numbers):
    with pytest.raises(SpanbridgeError):
        ScoreWeights(*numbers)
