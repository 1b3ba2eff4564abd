"""Probabilities of spans and of sentences."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import often

from spanbridge.core import registry
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Span
from spanbridge.projection.confidence import (
    CALIBRATIONS,
    CORRECTLY_DROPPED,
    MAX_MARGIN,
    Calibration,
    closeness,
    sentence_confidence,
)
from spanbridge.projection.corpus import CorpusMethod, Learned
from spanbridge.projection.method import NO_LINK, UNSURE, Projection
from spanbridge.projection.presets import SoftMethod
from spanbridge.projection.scores import SCORES

probabilities = st.floats(0, 1)


def test_calibration_by_hand():
    """closeness = -log(1 - 1 / 2 + .01) = -log(.51); z = -1 - 2 * log(.51) + 4 * .25."""
    assert closeness(1, 2) == pytest.approx(-log(0.51))
    odds = 1 / 0.51**2
    assert Calibration(2, -1, (2, 4))(1, 0.25) == pytest.approx(odds / (1 + odds))
    assert Calibration(1, 0, (0.5,))(1) == pytest.approx(10 / 11)  # a lack of nothing counts as .01
    with pytest.raises(ValueError, match="zip"):
        Calibration(1, 0, (1,))(1, 1)


@pytest.mark.parametrize("name", CALIBRATIONS)
@often
@given(st.lists(probabilities, min_size=6, max_size=6))
def test_more_evidence_is_never_less_probable(name, drawn):
    calibration = CALIBRATIONS[name]
    n = len(calibration.weights)
    low, high = (
        [pick(p) for p in zip(drawn[:n], drawn[3 : 3 + n], strict=True)] for pick in (min, max)
    )
    low[0], high[0] = low[0] * calibration.best, high[0] * calibration.best
    assert 0 < calibration(*low) <= calibration(*high) < 1
    # a label's log-probability is at most 0, a margin at most MARGIN
    within = [
        min(high[0], calibration.best),
        *(x * MAX_MARGIN for x in high[1:2]),
        *([0.0] * (n - 2)),
    ]
    assert calibration(*within[:n]) <= calibration.max_confidence()


@pytest.mark.parametrize("name", ["greedy", "exact", "heuristic"])
def test_methods_on_links_have_one_feature(name):
    assert len(CALIBRATIONS[name].weights) == 1
    assert CALIBRATIONS[name].best == 1


def best_score(weights):
    """With the best value for every score."""
    ends = ((w * SCORES[name].low, w * SCORES[name].high) for name, w in weights.parts.items())
    return sum(max(both) for both in ends)


def test_every_state_of_the_soft_methods_has_a_calibration_for_its_scores():
    soft, method = SoftMethod(), CorpusMethod()
    assert CALIBRATIONS["soft"].best == best_score(soft.weights())
    for states in (True, False):
        for told in (0.0, 0.3, 1.0):
            method.settle(Learned(has_states=states, told={"words": told, "states": told}))
            assert method.calibration().best == pytest.approx(best_score(method.weights()))
            assert len(method.calibration().weights) == 3
            ends = "first pass, " if told == 0 else ""
            name = f"corpus, {ends}{'encoder' if states else 'no encoder'}"
            if told != 0.3:
                assert method.calibration().best == pytest.approx(CALIBRATIONS[name].best)


def test_sentences():
    assert sentence_confidence([], 0) == 1
    assert sentence_confidence([0.5, 0.8], 0) == pytest.approx(0.4)
    assert sentence_confidence([0.5], 2) == pytest.approx(0.5 * CORRECTLY_DROPPED**2)


@pytest.mark.parametrize("name", registry.names("method"))
def test_the_surest_confidence_of_a_method(name):
    method = registry.build("method", name, {})
    assert method.max_confidence() == method.calibration().max_confidence() < 1


A, B, C = Span(0, 1, "A"), Span(1, 2, "B"), Span(2, 3, "C")


def projected(*scores):
    return tuple(Span(k, k + 1, "L", score) for k, score in enumerate(scores))


def test_above_keeps_what_reaches_the_least_probability():
    found = Projection(projected(0.2, 0.5, 0.9), ((C, NO_LINK),), (A, B, A))
    assert found.above(0) is found
    assert found.above(0.2) is found
    middle = found.above(0.5)
    # A was projected twice, and once is left: it is not dropped
    assert middle == Projection(found.spans[1:], ((C, NO_LINK),), (B, A))
    high = found.above(0.6)
    assert high == Projection(found.spans[2:], ((C, NO_LINK), (B, UNSURE)), (A,))
    nothing = found.above(0.95)
    # A lost both of its spans, and counts once
    assert nothing == Projection((), ((C, NO_LINK), (A, UNSURE), (B, UNSURE)), ())


def test_equal_source_spans_are_not_the_same():
    """Two entities on the same words with the same label, one span each."""
    one, other = Span(0, 1, "A"), Span(*A)
    assert one == other
    found = Projection(projected(0.2, 0.9), (), (one, other)).above(0.5)
    assert found.dropped == ((A, UNSURE),)
    assert found.origins == (A,)


@often
@given(
    st.lists(st.tuples(probabilities, st.integers(0, 2)), max_size=6),
    st.lists(probabilities, min_size=2, max_size=2),
)
def test_above_twice_is_above_the_higher(drawn, leasts):
    origins = tuple((A, B, C)[k] for _, k in drawn)
    found = Projection(projected(*(score for score, _ in drawn)), (), origins)
    first, second = leasts
    twice, once = found.above(first).above(second), found.above(max(leasts))
    assert twice.spans == once.spans == tuple(s for s in found.spans if s.score >= max(leasts))
    assert set(twice.dropped) == set(once.dropped)
    assert {span for span, _ in once.dropped} == set(origins) - set(once.origins)


def test_raw_scores_go_with_their_spans():
    found = Projection(projected(0.2, 0.9), (), (A, B), (3.0, 4.0)).above(0.5)
    assert (found.spans, found.raw_scores) == (projected(0.2, 0.9)[1:], (4.0,))


def test_a_method_without_scores_has_no_minimum():
    found = Projection((Span(0, 1, "L"), Span(1, 2, "L", 0.2)), (), (A, B))
    with pytest.raises(SpanbridgeError, match="gives no confidence; leave out the minimum"):
        found.above(1.0)


def test_spans_of_unknown_origin():
    found = Projection(projected(0.2, 0.9), ((C, NO_LINK),)).above(0.5)
    assert found == Projection(projected(0.2, 0.9)[1:], ((C, NO_LINK),))


def test_a_span_is_as_sure_as_its_source_and_its_place():
    sure, unsure, given = A._replace(score=0.5), B._replace(score=0.25), C
    found = Projection(
        (*projected(0.8, 0.4, 0.6), Span(4, 5, "L")), (), (sure, unsure, given, sure)
    )
    scores = [span.score for span in found.with_source_scores().spans]
    assert scores == pytest.approx([0.4, 0.1, 0.6, None])
    assert [span[:3] for span in found.with_source_scores().spans] == [s[:3] for s in found.spans]
    # given labels say nothing, nor do origins that are not known
    for unchanged in (Projection(projected(0.8), (), (C,)), Projection(projected(0.8))):
        assert unchanged.with_source_scores() is unchanged
