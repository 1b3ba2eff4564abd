"""Questions and answers by hand: places are all that is taken from what a model says."""

import json
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.chat.answer import Answer
from spanbridge.chat.asking import UNUSABLE
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.tokens import raw_sentence
from spanbridge.projection.chat_questions import (
    WAYS,
    Doubt,
    Pick,
    read_tags,
    taggable,
    tagged,
)

SOURCE = Sentence(("New", "York", "and", "Anna"), (Span(0, 2, "LOC"), Span(3, 4, "PER")))
TARGET = raw_sentence("Anna, dann New York.")
PAIR = SentencePair("1", SOURCE, TARGET)
CHOOSE, INSERT = WAYS["choose"], WAYS["insert"]
DOUBT = Doubt(0, (0, 2), ("LOC",), ((0, 1), (3, 5), (4, 5)))
BOTH = [Doubt(0, (0, 2), ("LOC",)), Doubt(1, (3, 4), ("PER",))]


def test_a_choice_is_shown_with_numbers_and_context():
    assert TARGET.words == ("Anna", ",", "dann", "New", "York", ".")
    assert CHOOSE.question(PAIR, [DOUBT]).split("\n") == [
        "Text: [[New York]] and Anna",
        "Label: LOC",
        "Translation: Anna, dann New York.",
        "1: [[Anna]], dann New York.",
        "2: Anna, dann [[New York]].",
        "3: Anna, dann New [[York]].",
    ]
    assert CHOOSE.answer(PAIR, [DOUBT], [(3, 5)]) == '{"choice": 2}'


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('{"choice": 2}', (3, 5)),
        ('{"choice": "2"}', (3, 5)),
        ('Sure: {"choice": 0}', None),
        ("3", (4, 5)),
        ("**1**", (0, 1)),
        ('<think>1? {"choice": 1}</think>{"choice": 3}', (4, 5)),
        ('{"choice": 2} {"choice": 2}', (3, 5)),
    ],
)
def test_choices(content, place):
    assert CHOOSE.read(Answer(content), PAIR, [DOUBT]) == {0: Pick(place)}


@pytest.mark.parametrize(
    "content",
    ['{"choice": 4}', '{"choice": -1}', '{"choice": 1.5}', '{"choice": null}', "one", "{", "1 2"]
    + ['{"choice": 1} {"choice": 2}', '{"answer": 1}', '{"choice": true}', "99999"],
)
def test_no_choices(content):
    with pytest.raises(ValueError, match="choice"):
        CHOOSE.read(Answer(content), PAIR, [DOUBT])


@pytest.mark.parametrize(
    ("logprobs", "certainty"),
    [
        ([('{"', 0.0), ("choice", 0.0), ('":', -0.1), (" 2", -0.5), ("}", 0.0)], 0.6065),
        ([("2", -0.25), ("3", -0.5)], None),  # another number
        ([], None),
    ],
)
def test_how_sure_the_model_was(logprobs, certainty):
    answer = Answer('{"choice": 2}', logprobs=tuple(logprobs))
    found = CHOOSE.read(answer, PAIR, [DOUBT])[0].certainty
    assert found == (None if certainty is None else pytest.approx(certainty, abs=1e-4))


def test_tags_are_written_around_places():
    assert INSERT.question(PAIR, BOTH).split("\n") == [
        "Text: <e1>New York</e1> and <e2>Anna</e2>",
        "Labels: e1 LOC; e2 PER",
        "Translation: Anna, dann New York.",
    ]
    answer = json.loads(INSERT.answer(PAIR, BOTH, [(3, 5), (0, 1)]))
    assert answer == {"text": "<e2>Anna</e2>, dann <e1>New York</e1>.", "absent": []}
    nested = {0: (0, 4), 1: (0, 2), 2: (1, 2), 3: (2, 4)}
    assert tagged(SOURCE, nested) == ("<e1><e2>New <e3>York</e3></e2> <e4>and Anna</e4></e1>")


@pytest.mark.parametrize(
    ("text", "absent", "places"),
    [
        ("<e2>Anna</e2>, dann <e1>New York</e1>.", [], {0: (3, 5), 1: (0, 1)}),
        ("<e2>Anna</e2>,  dann <e1> New\nYork </e1> .", [], {0: (3, 5), 1: (0, 1)}),
        ("<e1>Anna, dann <e2>New York</e2></e1>.", [], {0: (0, 5), 1: (3, 5)}),
        ("<e2>Anna</e2>, dann New York.", [1], {0: None, 1: (0, 1)}),
        ("Anna, dann New York.", [1, 2], {0: None, 1: None}),
    ],
)
def test_insertions(text, absent, places):
    found = INSERT.read(Answer(json.dumps({"text": text, "absent": absent})), PAIR, BOTH)
    assert found == {entity: Pick(place) for entity, place in places.items()}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<e2>Anna</e2>, dann <e1>Neu York</e1>.", "another one, from 'uYork.' on, where 'wYork.'"),
        ("<e2>Anna</e2>, dann <e1>New York</e1>", "another one, from '' on, where '.' is due"),
        ("<e2>Anna, dann <e1>New</e2> York</e1>.", "</e2> does not close the tag before it"),
        ("<e2>Anna</e2>, dann <e1>New York.", "<e1> is not closed"),
        ("<e2>Anna</e2>, dann New York.", "<e1> is missing, and not listed as absent"),
        ("<e2>Anna</e2>, <e3>dann</e3> <e1>New York</e1>.", "there is no <e3> in the text"),
        ("<e2>Anna</e2>, <e2>dann</e2> <e1>New York</e1>.", "<e2> stands there twice"),
        ("<e2>An</e2>na, dann <e1>New York</e1>.", "<e2> cuts the word 'Anna'"),
        ("<e2>Anna</e2>, dann N<e1>ew York</e1>.", "<e1> cuts the word 'New'"),
        ("<e2>Anna</e2>, dann <e1></e1>New York.", "<e1> holds no word"),
        ("</e2>Anna<e2>, dann New York.", "</e2> does not close"),
    ],
)
def test_insertions_that_cannot_be_used(text, why):
    with pytest.raises(ValueError, match=re.escape(why)):
        INSERT.read(Answer(json.dumps({"text": text, "absent": []})), PAIR, BOTH)


def test_rows_around_which_no_tags_can_be_written():
    assert taggable(PAIR, SOURCE.spans)
    assert not taggable(PAIR, [Span(0, 2, "A"), Span(1, 3, "B")])
    other = SentencePair("1", SOURCE, Sentence(("a", "<e1>")))
    assert not taggable(other, SOURCE.spans)


@given(st.data())
def test_tags_are_read_as_they_were_written(data):
    """Nested places come back, over words with and without raw text."""
    words = data.draw(st.lists(st.text("ab<é.", min_size=1, max_size=3), min_size=1, max_size=6))
    sentence = Sentence(tuple(words))
    if data.draw(st.booleans()):
        sentence = raw_sentence(" ".join(words))
    n = len(sentence.words)
    outer = sorted(data.draw(st.lists(st.integers(0, n), min_size=2, max_size=2, unique=True)))
    inner = sorted(data.draw(st.lists(st.integers(*outer), min_size=2, max_size=2, unique=True)))
    places = {0: tuple(outer), 1: tuple(inner)}
    assert read_tags(tagged(sentence, places), sentence) == places


def test_a_wrong_answer_is_told_what_is_wrong_and_asked_again():
    used = Counter()
    dialogue = CHOOSE.dialogue(PAIR, [DOUBT], [], 3, used)
    first = next(dialogue)
    assert [m["role"] for m in first] == ["system", "user"]
    second = dialogue.send(Answer('{"choice": 7}', sent=5, received=1))
    assert second[2] == {"role": "assistant", "content": '{"choice": 7}'}
    assert "This cannot be used: the choice is none of the numbers 0 to 3." in second[3]["content"]
    third = dialogue.send(Answer("", "the model refuses", sent=5))
    assert len(third) == 4
    with pytest.raises(StopIteration) as end:
        dialogue.send(Answer("?", sent=5))
    assert end.value.value == UNUSABLE
    assert used == {
        "requests_to_the_chat_model": 3,
        "tokens_sent_to_the_chat_model": 15,
        "tokens_received_from_the_chat_model": 1,
    }
