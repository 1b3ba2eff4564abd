"""Several taggers as one, by hand."""

import numpy as np
import pytest

from spanbridge import Span, SpanbridgeError
from spanbridge.tagging.base import Tagged, Tagger, decode, iob2_classes
from spanbridge.tagging.ensemble_tagger import EnsembleTagger
from spanbridge.tagging.labels import RelabellingTagger


class Says(Tagger):
    """A tagger that gives the same probabilities for any sentence."""

    def __init__(self, probabilities, labels=("A",), licence="unknown"):
        self.classes = iob2_classes(labels)
        self.licence = licence
        self._p = np.array(probabilities, np.float32)

    def describe(self):
        return "says"

    def tag(self, sentences):
        spans = decode(self._p, self.classes)
        return [Tagged(len(self._p), spans, self._p) for _ in sentences]


SURE = [[0.1, 0.9, 0.0], [0.2, 0.0, 0.8]]
SHORT = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
NONE = [[0.8, 0.2, 0.0], [0.9, 0.1, 0.0]]
ALL_A, ALL_B = [0, 1, 0, 0, 0], [0, 0, 0, 1, 0]


def test_the_mean_by_hand():
    """B-A (.9 + 1 + .2) / 3; the second word's I-A is .8 / 3, O .7."""
    ensemble = EnsembleTagger([Says(SURE), Says(SHORT), Says(NONE)])
    [found] = ensemble.tag([("x", "y")])
    np.testing.assert_allclose(found.probabilities, np.mean([SURE, SHORT, NONE], 0), rtol=1e-6)
    assert found.spans == (Span(0, 1, "A", pytest.approx(0.7 * (1 - 0.8 / 3))),)


def test_one_is_itself():
    [alone], [found] = Says(SURE).tag([("x", "y")]), EnsembleTagger([Says(SURE)]).tag([("x", "y")])
    assert alone.spans == found.spans


def test_agreement_by_hand():
    ensemble = EnsembleTagger([Says(SURE), Says(SURE), Says(SHORT)], "agreement")
    assert ensemble.tag([("x", "y")])[0].spans == (Span(0, 2, "A", pytest.approx(2 / 3)),)
    ensemble = EnsembleTagger([Says(SURE), Says(SHORT)], "agreement")
    assert ensemble.tag([("x", "y")])[0].spans == ()


def test_classes_in_another_order():
    one = Says([[0.1, 0.9, 0, 0, 0]], ["A", "B"])
    other = Says([[0.2, 0, 0, 0.8, 0]], ["B", "A"])
    ensemble = EnsembleTagger([one, other])
    [found] = ensemble.tag([("x",)])
    assert found.spans == (Span(0, 1, "A", pytest.approx(0.85)),)


@pytest.mark.parametrize(
    ("licences", "joint"),
    [(["mit"], "mit"), (["mit", "mit"], "mit"), (["mit", "unknown", "mit"], "mit+unknown")],
)
def test_the_licence_is_that_of_all(licences, joint):
    assert EnsembleTagger([Says(SURE, licence=each) for each in licences]).licence == joint


def test_spans_that_the_taggers_drop_are_counted():
    taggers = [
        RelabellingTagger(Says(p, ["A", "B"]), {"B": "C"}, "drop") for p in ([ALL_A], [ALL_B])
    ]
    ensemble = EnsembleTagger(taggers)
    assert ensemble.dropped == {}
    ensemble.tag([("x",), ("y",)])
    assert ensemble.dropped == {"A": 2}


@pytest.mark.parametrize(
    ("taggers", "how", "why"),
    [
        ([], "mean", "at least one"),
        ([Says(SURE)], "vote", "no combination is named 'vote'"),
        ([Says(SURE), Says([[1, 0, 0]], ["B"])], "mean", "different classes"),
    ],
)
def test_refusals(taggers, how, why):
    with pytest.raises(SpanbridgeError, match=why):
        EnsembleTagger(taggers, how)
