"""Edits of text, and the sentences that come out of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.tokens import plain_sentence, raw_sentence, with_text
from spanbridge.perturbation.edits import Edit, chosen, edited


def after(sentence, *edits, strength=1.0):
    whole = with_text(sentence)
    return edited(sentence, chosen(whole, [Edit(*edit) for edit in edits], strength))


def marked(sentence):
    return [(sentence.text_of(s.start, s.end), s.label) for s in sentence.spans]


WORDS = Sentence(("Ana", "Lima", "met", "Bo", "!"), (Span(0, 2, "PER", 0.5), Span(3, 4, "PER")))


@pytest.mark.parametrize(
    ("edit", "words", "spans"),
    [
        ((0, 1, "E"), "Ena Lima met Bo !", ["Ena Lima", "Bo"]),
        ((0, 8, "Eva"), "Eva met Bo !", ["Eva", "Bo"]),
        ((13, 15, "Bo de la Rue"), "Ana Lima met Bo de la Rue !", ["Ana Lima", "Bo de la Rue"]),
        ((3, 4, ""), "AnaLima met Bo !", ["AnaLima", "Bo"]),
        ((16, 17, ""), "Ana Lima met Bo", ["Ana Lima", "Bo"]),
        ((0, 3, ""), "Lima met Bo !", ["Lima", "Bo"]),
        ((5, 5 + 1, " "), "Ana L ma met Bo !", ["Ana L ma", "Bo"]),
        # no room: a span's edge in a word, a span without a word, a word without a letter
        ((8, 9, ""), "Ana Lima met Bo !", ["Ana Lima", "Bo"]),
        ((13, 15, ""), "Ana Lima met Bo !", ["Ana Lima", "Bo"]),
        ((2, 6, "x"), "Anxma met Bo !", ["Anxma", "Bo"]),
        ((6, 10, "x"), "Ana Lima met Bo !", ["Ana Lima", "Bo"]),
    ],
)
def test_one_edit_by_hand(edit, words, spans):
    made = after(WORDS, (*edit, 0.0))
    assert (" ".join(made.words), made.text) == (words, None)
    assert [text for text, _ in marked(made)] == spans
    assert made.spans[0].score == 0.5


def test_raw_text_is_cut_anew_and_spaces_are_not_doubled():
    raw = raw_sentence("Ana, in Rio , sleeps !").with_spans((Span(3, 4, "LOC"),))
    made = after(raw, (3, 4, "", 0), (12, 13, "", 0.1), (21, 22, "", 0.2), (16, 17, ";", 0.3))
    assert made.text == "Ana in Rio sl;eps"
    assert made.words == ("Ana", "in", "Rio", "sl", ";", "eps")
    assert marked(made) == [("Rio", "LOC")]


def test_words_that_are_not_the_tokenizers_stay():
    raw = Sentence(("北京", "好"), (Span(0, 1, "LOC"),), "北京好", ((0, 2), (2, 3)))
    made = after(raw, (0, 1, "南", 0))
    assert (made.words, made.text) == (("南京", "好"), "南京好")


def test_a_space_that_was_in_a_word_stays_there():
    odd = Sentence(("New York", "is"), (Span(0, 1, "LOC"),))
    assert after(odd, (0, 8, "new york", 0)).words == ("new york", "is")
    assert after(odd, (0, 8, "Dar es Salaam", 0)).words == ("Dar", "es", "Salaam", "is")


def test_of_edits_that_overlap_the_lowest_is_made():
    edits = [(0, 2, "x", 0.2), (1, 3, "y", 0.1), (4, 5, "z", 0.3)]
    assert after(WORDS, *edits).words[:2] == ("Ay", "zima")
    assert after(WORDS, *edits, strength=0.3).words[:2] == ("Ay", "Lima")
    assert after(WORDS, *edits, strength=0.1).words == WORDS.words


def test_nested_spans_go_along():
    nested = Sentence(("Uni", "of", "Rio"), (Span(0, 3, "ORG"), Span(2, 3, "LOC")))
    assert marked(after(nested, (7, 10, "São Paulo", 0))) == [
        ("Uni of São Paulo", "ORG"),
        ("São Paulo", "LOC"),
    ]
    assert after(nested, (0, 10, "x", 0)) == nested


@pytest.mark.parametrize("place", [(0, 0), (-1, 2), (3, 2), (16, 18)])
def test_wrong_edits_are_errors(place):
    with pytest.raises(SpanbridgeError, match="lies outside its text"):
        after(WORDS, (*place, "x", 0))


PIECES = st.sampled_from(["", "a", "b c", " ", "ß", "e\u0301", "\u200b", ".", "東", "\u00a0"])


@st.composite
def sentences(draw):
    words = draw(st.lists(st.text("ab.'-é東\u200b", min_size=1, max_size=4), max_size=6))
    n = len(words)
    bounds = draw(st.lists(st.tuples(st.integers(0, n), st.integers(0, n)), max_size=3))
    spans = tuple(Span(a, b, "XY"[k % 2]) for k, (a, b) in enumerate(bounds) if a < b)
    if draw(st.booleans()):
        words = [word for word in words if word.strip("\u200b")]
        whole = with_text(Sentence(tuple(words)))
        return plain_sentence(whole)[0]
    return Sentence(tuple(words), spans)


@given(sentences(), st.data())
def test_whatever_the_edits(sentence, data):
    whole = with_text(sentence)
    size = len(whole.text)
    place = st.integers(0, max(size - 1, 0))
    some = st.tuples(place, st.integers(1, 4), PIECES, st.floats(0, 0.99))
    given_edits = data.draw(st.lists(some, max_size=6)) if size else []
    edits = [Edit(a, min(a + n, size), text, at) for a, n, text, at in given_edits]
    few, many = (chosen(whole, edits, strength) for strength in (0.4, 0.9))
    assert set(few) <= set(many)
    assert edited(sentence, chosen(whole, edits, 0)) is sentence
    made = edited(sentence, many)
    assert [span.label for span in made.spans] == [span.label for span in sentence.spans]
    assert all(made.words)
    assert bool(made.words) == bool(sentence.words)
    if made.text is not None:
        assert [made.text[a:b] for a, b in made.offsets] == list(made.words)
