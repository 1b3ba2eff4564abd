"""The scores of alignment, tagger and translator, worked by hand; and scores by name."""

import numpy as np
import pytest
from project_instances import linked
from soft_samples import pair

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.projection.candidates import Intervals
from spanbridge.projection.presets import GreedyMethod, MatchMethod
from spanbridge.projection.score_input import ScoreInput
from spanbridge.projection.scores import (
    SCORES,
    NerScore,
    PhraseScorer,
    TranslationScore,
    find_score,
)
from spanbridge.tagging.base import Tagged

CLASSES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def test_alignment_by_hand():
    """Entity of 2 words, links to 1 and 2: (1, 3) has 2 * 2 / (2 + 2); of word 2 none counts."""
    given_ = ScoreInput(pair("a b c", "w x y z"), linked("0-1 1-2 2-0", 3, 4))
    intervals = Intervals.of([(1, 3), (1, 2), (0, 3), (3, 4)])
    found = SCORES["alignment"].of(given_, Span(0, 2, "PER"), intervals)
    np.testing.assert_allclose(found, [1.0, 2 / 3, 4 / 5, 0.0])
    # one word with two links has 2 * 2 / (1 + 2), which match caps at 1
    given_ = ScoreInput(pair("a", "x y"), linked("0-0 0-1", 1, 2))
    question = given_, Span(0, 1, "PER"), Intervals.of([(0, 2)])
    assert SCORES["alignment"].of(*question) == [4 / 3]
    assert MatchMethod().find_score("alignment").of(*question) == [1.0]
    assert MatchMethod(capped=False).find_score("alignment").of(*question) == [4 / 3]


def opined(probabilities, target):
    given_ = ScoreInput(pair("a", target), linked("0-0", 1, len(target.split())))
    given_.opinion = Tagged(len(probabilities), (), np.array(probabilities))
    given_.classes = CLASSES
    return given_


def test_ner_by_hand():
    given_ = opined(
        [
            [0.1, 0.8, 0.1, 0.0, 0.0],
            [0.2, 0.1, 0.6, 0.0, 0.1],
            [0.7, 0.0, 0.1, 0.2, 0.0],
        ],
        "x y z",
    )
    intervals = Intervals.of([(0, 1), (0, 2), (0, 3), (1, 2), (2, 3)])
    # B .8; B .8, I .6, all the most probable: mean .7 * 1.15; with a third word they are not
    per = SCORES["ner"].of(given_, Span(0, 1, "PER"), intervals)
    np.testing.assert_allclose(per, [0.8, 0.7 * 1.15, 1.5 / 3, 0.1, 0.0])
    loc = SCORES["ner"].of(given_, Span(0, 1, "LOC"), intervals)
    np.testing.assert_allclose(loc, [0.0, 0.1 / 2, 0.1 / 3, 0.0, 0.2])
    # of a label that the tagger does not know, or if labels do not count: the greatest
    for found in (
        SCORES["ner"].of(given_, Span(0, 1, "MISC"), intervals),
        NerScore(per_class=False).of(given_, Span(0, 1, "LOC"), intervals),
    ):
        np.testing.assert_allclose(found, np.maximum(per, loc))
    # cut at 1
    sure = opined([[0.0, 1.0, 0.0, 0.0, 0.0], *[[0.0, 0.0, 1.0, 0.0, 0.0]] * 5], "u v w x y z")
    assert SCORES["ner"].of(sure, Span(0, 1, "PER"), Intervals.of([(0, 6)])) == [1.0]


class Lengths:
    """A scorer that remembers what it was asked, and says how alike two phrases are in length."""

    def __init__(self):
        self.asked = []

    def describe(self):
        return "lengths()"

    def score(self, pairs):
        self.asked += pairs
        return [1 / (1 + abs(len(a) - len(b))) for a, b in pairs]

    def forget(self):
        self.asked.clear()


def test_translation_asks_for_the_text_of_both():
    """As it stands in the raw text, where there is any."""
    source = Sentence(("New", "York"), (), "New-York", ((0, 3), (4, 8)))
    given_ = ScoreInput(
        SentencePair("1", source, Sentence(("Nueva", "York", "y"))), linked("0-0", 2, 3)
    )
    scorer = Lengths()
    assert isinstance(scorer, PhraseScorer)
    score = find_score("translation", scorer)
    assert isinstance(score, TranslationScore)
    assert score.expensive
    asked = [("New-York", "Nueva York"), ("New-York", "York y")]
    found = score.of(given_, Span(0, 2, "LOC"), Intervals.of([(0, 2), (1, 3)]))
    assert found == pytest.approx([1 / 3, 1 / 3])
    assert scorer.asked == asked
    assert score.ask([(given_, Span(1, 2, "LOC"), (0, 1))]) == [1 / 2]
    score.forget()
    assert scorer.asked == []


def test_scores_by_name():
    assert all(find_score(name) is score for name, score in SCORES.items())
    with pytest.raises(SpanbridgeError, match=r"no score is named 'sofd'.*soft.*translation"):
        find_score("sofd")
    with pytest.raises(SpanbridgeError, match="'translation' needs a translator"):
        find_score("translation")
    with pytest.raises(NotImplementedError, match="soft is not an expensive score"):
        SCORES["soft"].ask([])


def test_a_refused_equipment_changes_nothing():
    method = GreedyMethod()
    for weights in ({"spelling": float("nan")}, {"no such score": 1.0}, {"policy_inside": 1.0}):
        with pytest.raises(SpanbridgeError):
            method.add_scores(weights=weights)
        assert method.changes == {}
