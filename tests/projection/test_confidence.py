"""Probabilities of spans and of sentences."""

from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import linked

from spanbridge.core import registry
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.projection.confidence import (
    CALIBRATIONS,
    CORRECTLY_DROPPED,
    Calibration,
    Domain,
    sentence_confidence,
    traits,
)
from spanbridge.projection.corpus import CorpusMethod, Learned
from spanbridge.projection.method import NO_LINK, UNSURE, Projection
from spanbridge.projection.presets import SoftMethod

probabilities = st.floats(0, 1)


def test_calibration_by_hand():
    """z = 2 + 1.5 * -1 + 4 * -.25 = -.5."""
    assert Calibration(2, (1.5, 4))(-1, -0.25) == pytest.approx(1 / (1 + exp(0.5)))
    assert Calibration(2, (1.5, 4)).max_confidence() == pytest.approx(1 / (1 + exp(-2)))
    assert 0 < Calibration(0, (1e6,))(-1e6) < 1e-300
    with pytest.raises(ValueError, match="zip"):
        Calibration(0, (1,))(1, 1)


def test_width_by_hand():
    """Odds of 9, halved and doubled."""
    assert Calibration(0, (), log(2)).around(0.9) == pytest.approx((4.5 / 5.5, 18 / 19))
    assert "0.9 stands for 0.82 to 0.95" in Calibration(0, (), log(2)).told()
    assert Calibration(0, ()).around(0.3) == pytest.approx((0.3, 0.3))


@pytest.mark.parametrize("name", CALIBRATIONS)
@given(st.lists(st.floats(-10, 0), min_size=12, max_size=12))
def test_more_evidence_is_never_less_probable(name, drawn):
    calibration = CALIBRATIONS[name]
    n = len(calibration.weights)
    low, high = (
        [pick(p) for p in zip(drawn[:n], drawn[6 : 6 + n], strict=True)] for pick in (min, max)
    )
    assert 0 < calibration(*low) <= calibration(*high) <= calibration.max_confidence() < 1
    below, above = calibration.around(calibration(*low))
    assert below <= calibration(*low) <= above


def test_each_method_has_a_calibration_of_its_evidence():
    assert SoftMethod().calibration() is CALIBRATIONS["soft"]
    method = CorpusMethod()
    for states, key in ((True, "corpus, encoder"), (False, "corpus, no encoder")):
        method.settle(Learned(has_states=states))
        assert method.calibration() is CALIBRATIONS[key]


KNOWN = Domain(("LATIN",), {"CYRILLIC": 3, "LATIN": 5}, 2, 0.5)


@pytest.mark.parametrize(
    ("source", "target", "span", "links", "reason"),
    [
        ("a b", "x y", (0, 2), "0-0 1-1", None),
        ("a b c d e", "x y", (0, 1), "0-0 1-1 2-1 3-1 4-1", None),
        ("1 2", "3 4", (0, 1), "0-0 1-1", None),  # no letters, no script
        ("a b", "x \u03b1\u03b2", (0, 1), "0-0 1-1", "a script that"),
        ("\u0430 b", "x y", (0, 1), "0-0 1-1", "a script that"),
        ("a b c", "\u0430 \u0431", (0, 1), "0-0 1-1 2-1", None),
        ("a b c d", "\u0430 \u0431", (0, 1), "0-0 1-1 2-1 3-1", "rows longer than"),
        ("a b c d e f", "x y", (0, 1), "0-0 1-1 2-1", "rows longer than"),
        ("a b c", "x y z", (0, 3), "0-0 1-1 2-2", "spans longer than"),
        ("a b", "x y", (0, 1), "0-0", None),  # half of the words
        ("a b c", "x y", (0, 1), "0-0", "rows with fewer links"),
        ("a", "x y", (0, 1), "", "rows with fewer links"),
    ],
)
def test_rows_unlike_all_that_it_was_fitted_on(source, target, span, links, reason):
    words = source.split(), target.split()
    alignment = linked(links, *map(len, words))
    pair = SentencePair(
        "1", Sentence(tuple(words[0]), (Span(*span, "X"),)), Sentence(tuple(words[1])), alignment
    )
    found = KNOWN.unlike(traits(pair))
    assert found is None if reason is None else found.startswith(reason)


def test_a_row_without_links_or_words_is_like_others():
    bare = SentencePair("1", Sentence(("a",)), Sentence(("b",)))
    assert traits(bare) == (("LATIN", "LATIN"), 1, 0, 1.0)
    assert traits(SentencePair("1", Sentence(()), Sentence(()))) == (("", ""), 0, 0, 1.0)


def test_sentences():
    assert sentence_confidence([], 0) == 1
    assert sentence_confidence([0.5, 0.8], 0) == pytest.approx(0.4)
    assert sentence_confidence([0.5], 2) == pytest.approx(0.5 * CORRECTLY_DROPPED**2)


# chat, codec and t-projection depend on their models
@pytest.mark.parametrize(
    "name", sorted(registry.names("method").keys() - {"chat", "codec", "t-projection"})
)
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
