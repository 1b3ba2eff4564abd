"""Insertions of marks become spans: nested ones inside of each other, none across."""

import math

import pytest

from spanbridge import Sentence, SentencePair, Span, SpanbridgeError
from spanbridge.core import registry
from spanbridge.core.errors import RowError
from spanbridge.projection.codec import CodecMethod

LOG = {0.5: math.log(0.5), 0.25: math.log(0.25), 0.1: math.log(0.1)}


class Inserts:
    """Has insertions for the text of each span, and log-probabilities of spans translated back."""

    def __init__(self, found, backwards=None, both_ways=True):
        self.found, self.asked, self.both_ways = found, [], both_ways
        self.backwards = backwards or {}

    def describe(self):
        return "inserts"

    def insert(self, questions, style, n_best, exact, counts):
        counts["insertions"] += len(questions)
        self.asked = list(questions)
        return [self.found[text[slice(*span)]] for text, span, _, _ in questions]

    def back(self, spans):
        self.asked += spans
        return [self.backwards[text] for _, text in spans]


def project(
    found,
    spans,
    source="Bank of China hired Ann",
    target="a b c d e",
    method=None,
    backwards=None,
):
    method = method or CodecMethod("xml", rerank=backwards is not None)
    inserter = Inserts(found, backwards)
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


ANN = [(1, 4, LOG[0.5]), (4, 5, LOG[0.25]), (2, 3, LOG[0.1]), (2, 4, LOG[0.1])]


@pytest.mark.parametrize(
    ("backwards", "place", "passed_over"),
    [
        # "e" is no part of "b c d", so it is not even asked about
        ({"b c d": -3.0, "c": -2.0, "c d": -1.0}, (2, 4), 3),
        ({"b c d": -3.0, "c": -1.0, "c d": -2.0}, (2, 3), 2),
        ({"b c d": -3.0, "c": -2.0, "c d": -2.0}, (2, 3), 2),  # the first of equals
        ({"b c d": -1.0, "c": -2.0, "c d": -3.0}, (1, 4), 0),
        ({"b c d": -1.00002, "c": -1.00001, "c d": -3.0}, (1, 4), 0),  # equal in four digits
        ({"b c d": -1e9, "c": float("-inf"), "c d": -1e10}, (1, 4), 0),
    ],
)
def test_a_part_that_translates_back_better_takes_the_place_of_the_best(
    backwards, place, passed_over
):
    done, inserter, method = project({"Ann": ANN}, (Span(4, 5, "PER"),), backwards=backwards)
    assert inserter.asked[1:] == [("Ann", text) for text in backwards]
    assert [span[:2] for span in done.spans] == [place]
    shares = dict(zip([one[:2] for one in ANN], (0.5263, 0.2632, 0.1053, 0.1053), strict=True))
    assert done.spans[0].score == shares[place]  # of all insertions, those passed over, too
    lines = list(done.explain(done, 0.0))
    assert sum(line.endswith("passed over for a part") for line in lines) == passed_over
    told = {"spans_for_which_a_part_of_the_best_insertion_was_taken": 1} if passed_over else {}
    assert method.counts == {"insertions": 1, **told}


def test_a_part_may_stand_elsewhere_and_without_parts_nothing_is_asked():
    found = {"Ann": [(0, 2, LOG[0.5]), (3, 4, LOG[0.25])]}
    done, _, _ = project(
        found, (Span(4, 5, "PER"),), target="a b c b", backwards={"a b": -2.0, "b": -1.0}
    )
    assert [span[:2] for span in done.spans] == [(3, 4)]
    done, inserter, _ = project(found, (Span(4, 5, "PER"),), backwards={})
    assert [span[:2] for span in done.spans] == [(0, 2)]
    assert len(inserter.asked) == 1


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


def one_way():
    method = CodecMethod()
    method.add_scores(scorer=Inserts({}, both_ways=False))
    return method


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: CodecMethod(n_best=0), "n_best is 0"),
        (lambda: CodecMethod().check(), "needs a translator that was trained on marks"),
        (lambda: one_way().check(), "one direction alone; leave that out .*rerank=false"),
        (lambda: CodecMethod().add_scores(weights={"spelling": 1.0}), "takes no weights"),
    ],
)
def test_refusals(make, why):
    with pytest.raises(SpanbridgeError, match=why):
        make()


def test_what_it_says_of_itself():
    method = registry.build("method", "codec", {"style": "letters", "exact": True})
    assert method.describe() == "codec(letters,exact=True,n_best=5,rerank=True,none)"
    assert (method.reads, method.inserts, method.learns) == ("nothing", True, False)
    assert method.calibration() is None
