"""Matching by alignment, tagger and translator: hand-worked values, reasons, and what it needs."""

from math import log

import numpy as np
import pytest
from project_instances import linked, placed, project

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Span
from spanbridge.projection.confidence import CALIBRATIONS
from spanbridge.projection.evidence import MAX_LEAD
from spanbridge.projection.method import BELOW, LOST, NO_LINK
from spanbridge.projection.presets import MatchMethod
from spanbridge.tagging.base import Tagged

CLASSES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


class FixedTagger:
    """The same opinion of every sentence."""

    classes = CLASSES

    def __init__(self, spans=(), probabilities=None):
        self.spans = tuple(spans)
        self.probabilities = None if probabilities is None else np.array(probabilities)
        self.gives_probabilities = probabilities is not None

    def describe(self):
        return "fixed()"

    def tag(self, sentences):
        return [Tagged(len(words), self.spans, self.probabilities) for words in sentences]


class Table:
    """Translations by a table of target phrases; 0 for all others."""

    def __init__(self, **values):
        self.values = values
        self.asked = []

    def describe(self):
        return "table()"

    def score(self, pairs):
        self.asked += pairs
        return [self.values.get(target.replace(" ", "_"), 0.0) for _, target in pairs]

    def forget(self):
        pass


def equipped(method, **helpers):
    method.add_scores(**helpers)
    return method


def test_confidence_by_hand():
    """One word linked to one of two: 1, and 2/3 with the other one, so a lead of 1/3."""
    found = project(MatchMethod(), [Span(0, 1, "PER")], linked("0-0", 1, 2))
    assert placed(found) == [(0, 1, "PER")]
    assert found.raw_scores == (1.0,)
    expected = CALIBRATIONS["match"](0.0, log(1 / 3 / MAX_LEAD))
    assert found.spans[0].score == pytest.approx(expected)


def test_per_class_and_class_free():
    """Word 0 is a LOC to the tagger (.7), a PER hardly (.2); the weight of that is 2."""
    tagger = FixedTagger((), [[0.1, 0.2, 0.0, 0.7, 0.0], [0.9, 0.1, 0.0, 0.0, 0.0]])
    links = linked("0-0", 1, 2)
    for label, per_class, expected in (
        ("PER", True, 1 + 2 * 0.2),
        ("PER", False, 1 + 2 * 0.7),
        ("LOC", True, 1 + 2 * 0.7),
        ("MISC", True, 1 + 2 * 0.7),
    ):
        method = equipped(MatchMethod(ner=2, per_class=per_class), tagger=tagger)
        found = project(method, [Span(0, 1, label)], links)
        assert placed(found) == [(0, 1, label)]
        assert found.raw_scores == pytest.approx((expected,))


def test_a_taggers_spans_as_candidates():
    """The entity is linked to word 0, but the tagger sees spans elsewhere: [2, 4) and [3, 4)."""
    tagger = FixedTagger([Span(2, 4, "LOC")], np.full((4, 5), 0.2))
    method = equipped(MatchMethod("tagger"), tagger=tagger)
    found = project(method, [Span(0, 2, "LOC")], linked("0-0 1-3", 2, 4))
    # [2, 4) = 2*1/(2+2) = 1/2, [3, 4) = 2*1/(2+1)
    assert placed(found) == [(3, 4, "LOC")]
    found = project(method, [Span(0, 1, "LOC")], linked("0-0", 1, 4))
    assert found.dropped == ((Span(0, 1, "LOC"), LOST),)
    method = equipped(MatchMethod("tagger"), tagger=FixedTagger())
    found = project(method, [Span(0, 1, "LOC")], linked("0-0", 1, 4))
    assert found.dropped == ((Span(0, 1, "LOC"), LOST),)


def test_what_is_not_projected_says_why():
    links = linked("0-0 1-0", 3, 2)
    spans = [Span(0, 1, "A"), Span(1, 2, "B"), Span(2, 3, "C")]
    found = project(MatchMethod(max_words=1), spans, links)
    assert found.dropped == ((spans[1], LOST), (spans[2], NO_LINK))
    # .9 of a greatest sum of 2: one word that is linked has 1
    tagger = FixedTagger((), np.full((2, 5), 0.2))
    method = equipped(MatchMethod(ner=1.0, min_score=0.9), tagger=tagger)
    found = project(method, spans[:1], links)
    assert found.dropped == ((spans[0], BELOW),)
    assert method.weights().min_score == pytest.approx(1.8)


def test_a_share_of_one_leaves_nothing():
    """A score must exceed it, and none does."""
    assert project(MatchMethod(min_score=1.0), [Span(0, 1, "A")], linked("0-0", 1, 1)).spans == ()


def test_a_translation_may_outweigh_the_links():
    """Linked to word 2; the translator prefers [0, 2): .9 * 2 > 1 + .1 * 2."""
    scorer = Table(t0_t1=0.9, t2=0.1)
    method = equipped(MatchMethod(translation=2.0), scorer=scorer)
    found = project(method, [Span(0, 1, "PER")], linked("0-2", 1, 3))
    assert placed(found) == [(0, 2, "PER")]
    assert found.raw_scores == pytest.approx((1.8,))
    assert {source for source, _ in scorer.asked} == {"s0"}


def test_what_cannot_win_is_not_asked_for():
    """One word linked to one word: all that is longer and not much better stays unscored."""
    scorer = Table(t2=0.9, t0=0.1, t1=0.1, t3=0.1, t4=0.1, t5=0.1)
    method = equipped(MatchMethod(translation=0.2, max_words=6), scorer=scorer)
    found = project(method, [Span(0, 1, "PER")], linked("0-2", 1, 6))
    assert placed(found) == [(2, 3, "PER")]
    n_candidates = 6 * 7 // 2
    assert len(scorer.asked) < n_candidates / 2
    assert method.counts["translation scores"] == len(scorer.asked)


@pytest.mark.parametrize(
    ("options", "helpers", "why"),
    [
        ({"ner": 1.0}, {}, "the score 'ner' needs a tagger of the target; name one"),
        ({"candidates": "tagger"}, {}, "match needs a tagger; name one"),
        ({"translation": 1.0}, {}, "the score 'translation' needs a translator"),
        ({}, {"tagger": FixedTagger()}, "the tagger would do nothing"),
        ({}, {"scorer": Table()}, "the scorer would do nothing"),
        (
            {"ner": 1.0},
            {"tagger": FixedTagger((), [[1.0, 0.0, 0.0, 0.0, 0.0]]), "scorer": Table()},
            "the scorer would do nothing",
        ),
        ({"alignment": 0.0}, {}, "all weights are 0"),
        ({}, {"weights": {"alignment": 0.0}}, "all weights are 0"),
    ],
)
def test_what_it_needs_and_only_that(options, helpers, why):
    method = MatchMethod(**options)
    with pytest.raises(SpanbridgeError, match=why):
        method.add_scores(**helpers)
    if not helpers:
        with pytest.raises(SpanbridgeError, match=why):
            MatchMethod(**options).check()


def test_helpers_stand_in_the_signature():
    method = MatchMethod("tagger", ner=0.5, translation=0.25)
    method.add_scores(tagger=FixedTagger((), [[1.0, 0.0, 0.0, 0.0, 0.0]]), scorer=Table())
    assert method.describe() == (
        "match(tagger,greedy,n_proj<=1,+1*alignment+0.5*ner+0.25*translation>0,fixed(),table(),"
        "per_class=True,capped=True)"
    )


def test_a_tagger_that_gives_no_probabilities():
    with pytest.raises(
        SpanbridgeError, match="gives no probabilities, which the score 'ner' needs"
    ):
        equipped(MatchMethod(ner=1.0), tagger=FixedTagger())
    # as a source of candidates it serves
    equipped(MatchMethod("tagger"), tagger=FixedTagger()).check()
