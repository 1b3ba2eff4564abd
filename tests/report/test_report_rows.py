import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import spaceless

from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.report.palette import N_COLOURS, colour
from spanbridge.report.rows import Numbers, link_text, row_values, with_gold, written

RAW = Sentence(("Ber", "lin", "x", "y"), (), "Berlin \n x/y", ((0, 3), (3, 6), (9, 10), (11, 12)))


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        (Sentence(("a", "b")), "a b"),
        (Sentence(("a", "b"), (), "a b", ((0, 1), (2, 3))), "a b"),
        (RAW, ["Ber", "", "lin", " ", "x", "/", "y"]),
        (spaceless(("柏", "林"), ()), ["柏", "", "林"]),
        (Sentence(("a b", "c")), ["a b", " ", "c"]),
        (Sentence(()), []),
        (Sentence(("",)), ""),
    ],
)
def test_words_and_gaps(sentence, text):
    assert written(sentence) == text


@given(st.lists(st.text(max_size=3), max_size=4))
def test_no_word_is_lost(words):
    text = written(Sentence(tuple(words)))
    read = text.split(" ") if isinstance(text, str) else text[::2]
    assert read == words


def test_links_as_text():
    assert link_text(WordAlignment.of([(1, 0), (0, 1)], 2, 2)) == "0-1 1-0"
    assert link_text(WordAlignment.of([(0, 1)], 2, 2, [0.876])) == "0-1:0.88"


def test_a_row_says_what_is_known():
    labels = Numbers()
    bare = SentencePair("1", Sentence(("a",)), Sentence(("b",), (Span(0, 1, "X"),)))
    side = {"text": "b", "spans": [[0, 1, 0, None]]}
    assert row_values(bare, None, 0, labels, False) == {"id": "1", "status": 0, "target": side}
    source = Sentence(("a",), (Span(0, 1, "Y"),))
    links = WordAlignment.of([(0, 0)], 1, 1)
    target = Sentence(("b",), (Span(0, 1, "X", 0.12345),))
    full = row_values(SentencePair("1", source, target, links, "s", 0.56789), None, 3, labels, True)
    assert full == {
        "id": "1",
        "status": 3,
        "target": {"text": "b", "spans": [[0, 1, 0, 0.123]]},
        "source": {"text": "a", "spans": [[0, 1, 1]]},
        "links": "0-0",
        "sure": 0.568,
    }
    assert list(labels) == ["X", "Y"]
    unsure = SentencePair("1", Sentence(()), Sentence(("b",), empty_probability=0.25))
    assert row_values(unsure, None, 0, labels, False)["sure"] == 0.25


def test_verdicts_and_the_gold_span_of_wrong_ones():
    spans = (Span(0, 1, "X", 0.5), Span(1, 2, "X", 0.5), Span(3, 4, "X", 0.5))
    target = Sentence(("a", "b", "c", "d", "e"), spans)
    gold = target.with_spans((Span(0, 1, "X"), Span(1, 3, "X"), Span(4, 5, "X")))
    pair, _, judged = with_gold(SentencePair("1", Sentence(()), target), gold)
    values = row_values(pair, judged, 0, Numbers(), False)
    assert values["target"]["spans"] == [
        [0, 1, 0, 0.5, 0],  # right
        [1, 2, 0, 0.5, 1, [1, 3, 0]],  # wrong boundary
        [3, 4, 0, 0.5, 4],  # spurious
        [4, 5, 0, None, 5],  # missed
    ]


def test_colours_belong_to_labels():
    common = [colour(label) for label in ("PER", "ORG", "LOC", "MISC", "DATE")]
    assert len(set(common)) == 5
    assert colour("person") == colour("PER")
    assert [colour("Aspect"), colour("b-term"), colour("ſ\ud800")] == [3, 6, 3]
    assert {colour(f"L{i}") for i in range(500)} == set(range(N_COLOURS))
