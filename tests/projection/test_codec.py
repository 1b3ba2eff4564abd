"""Insertions of marks become spans: nested ones inside of each other, none across."""

import math

import pytest

from spanbridge import Sentence, SentencePair, Span, SpanbridgeError
from spanbridge.core import registry
from spanbridge.core.errors import RowError
from spanbridge.projection.codec import CodecMethod

LOG = {0.5: math.log(0.5), 0.25: math.log(0.25), 0.1: math.log(0.1)}


class Inserts:
    """Has insertions for the text of each span."""

    def __init__(self, found):
        self.found, self.asked = found, []

    def describe(self):
        return "inserts"

    def insert(self, questions, style, n_best, exact, counts):
        counts["insertions"] += len(questions)
        self.asked = list(questions)
        return [self.found[text[slice(*span)]] for text, span, _, _ in questions]


def project(found, spans, source="Bank of China hired Ann", target="a b c d e", method=None):
    method = method or CodecMethod("xml")
    inserter = Inserts(found)
    method.add_scores(scorer=inserter)
    method.check()
    row = SentencePair("1", Sentence(tuple(source.split()), spans), Sentence(tuple(target.split())))
    [done] = method.project([(row, None)])
    return done, inserter, method


def test_nested_spans_labels_and_confidences_by_hand():
    spans = (Span(4, 5, "PER"), Span(0, 3, "ORG"), Span(2, 3, "LOC"), Span(4, 5, "STAFF"))
    found = {
        "Bank of China": [(1, 4, LOG[0.5] - 40), (0, 4, LOG[0.25] - 40)],
        "China": [(3, 5, LOG[0.5] - 900), (1, 2, LOG[0.25] - 900), (3, 4, LOG[0.25] - 900)],
        "Ann": [(1, 2, LOG[0.25]), (4, 5, LOG[0.1]), (3, 4, LOG[0.1])],
    }
    done, inserter, method = project(found, spans)
    # the best ones of "China" and of "Ann" cross the bank, or lie in it
    assert [span[:3] for span in done.spans] == [
        (1, 4, "ORG"),
        (1, 2, "LOC"),
        (4, 5, "PER"),
        (4, 5, "STAFF"),
    ]
    assert [span.score for span in done.spans] == [0.6667, 0.25, 0.2222, 0.2222]
    assert [origin.label for origin in done.origins] == ["ORG", "LOC", "PER", "STAFF"]
    assert done.raw_scores[0] == LOG[0.5] - 40
    assert done.dropped == ()
    # each place by itself, once
    assert [text[slice(*span)] for text, span, *_ in inserter.asked] == [
        "Bank of China",
        "China",
        "Ann",
    ]
    assert method.counts == {"insertions": 3}
    lines = list(done.explain(done, 0.24))
    assert lines[0] == "row 1, ORG [Bank of China]"
    assert lines[1].startswith("  -> [b c d] 1-4 log-probability -40.693, confidence 0.667")
    assert "  left out: confidence 0.222 is below 0.24" in lines


def test_what_others_take_is_dropped_with_the_reason():
    spans = (Span(0, 3, "ORG"), Span(4, 5, "PER"))
    found = {"Bank of China": [(0, 5, -1.0)], "Ann": [(1, 2, -1.0), (3, 4, -1.5)]}
    done, _, _ = project(found, spans)
    assert [span.label for span in done.spans] == ["ORG"]
    assert done.dropped == ((spans[1], "no candidate left"),)
    assert "  not projected: no candidate left" in list(done.explain(done, 0.0))


def test_a_row_that_is_too_long():
    done, _, _ = project({"Ann": None}, (Span(4, 5, "PER"),))
    assert isinstance(done, RowError)
    assert str(done) == "a text is longer than the translator reads"


def test_texts_as_people_write_them():
    """Tokens of treebanks are written as what they stand for; the words stay as they are."""
    source, target = "-LRB- Ann -RRB- did n't", "a -LRB- b"
    _, inserter, _ = project({"Ann": [(2, 3, -1.0)]}, (Span(1, 2, "PER"),), source, target)
    assert inserter.asked == [("(Ann) didn't", (1, 4), "a (b", ((0, 1), (2, 3), (3, 4)))]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: CodecMethod(n_best=0), "n_best is 0"),
        (lambda: CodecMethod().check(), "needs a translator that was trained on marks"),
        (lambda: CodecMethod().add_scores(weights={"spelling": 1.0}), "takes no weights"),
    ],
)
def test_refusals(make, why):
    with pytest.raises(SpanbridgeError, match=why):
        make()


def test_what_it_says_of_itself():
    method = registry.build("method", "codec", {"style": "letters", "exact": True})
    assert method.describe() == "codec(letters,exact=True,n_best=5,none)"
    assert (method.reads, method.inserts, method.learns) == ("nothing", True, False)
    assert method.calibration() is None
