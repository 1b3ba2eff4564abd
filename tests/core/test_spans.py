"""Sentences: their text, and spans that lie in them."""

import pytest

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Sentence, Span

RAW = Sentence(("New", "York", "."), (), "New  York.", ((0, 3), (5, 9), (9, 10)))
BARE = Sentence(RAW.words)


def test_the_text_is_the_raw_one_or_the_words():
    assert RAW.plain_text() == "New  York."
    assert BARE.plain_text() == "New York ."
    assert Sentence(()).plain_text() == ""
    assert Sentence((), text="").plain_text() == ""  # a raw text of no characters is one


@pytest.mark.parametrize(
    ("start", "end", "raw", "bare"),
    [(0, 2, "New  York", "New York"), (1, 3, "York.", "York ."), (2, 3, ".", ".")],
)
def test_the_text_of_some_words(start, end, raw, bare):
    assert RAW.text_of(start, end) == raw
    assert BARE.text_of(start, end) == bare
    # a text without offsets cannot be cut
    assert Sentence(RAW.words, (), RAW.text).text_of(start, end) == bare


def test_other_spans_over_the_same_words():
    one = RAW.with_spans((Span(0, 2, "LOC"),))
    assert one == Sentence(RAW.words, (Span(0, 2, "LOC"),), RAW.text, RAW.offsets)
    none = one.with_spans((), 0.75)
    assert (none.spans, none.empty_probability) == ((), 0.75)
    assert none.with_spans(one.spans) == one  # the probability went with the spans


@pytest.mark.parametrize("place", [(-1, 1), (1, 1), (2, 1), (2, 4), (3, 4)])
def test_a_span_outside_is_named(place):
    with pytest.raises(SpanbridgeError, match=f"span {place[0]}-{place[1]} .*lies outside .* 3 w"):
        RAW.with_spans((Span(0, 1, "X"), Span(*place, "LOC")))


def test_a_span_without_a_label():
    with pytest.raises(SpanbridgeError, match="span 0-1 has no label"):
        RAW.with_spans((Span(0, 1, ""),))
