"""The chat tagger: labels in a file, phrases found again in the text, failures that are told."""

import json

import pytest
from fake_chat import CLOSE, says, serving
from hypothesis import given
from hypothesis import strategies as st

from spanbridge import SpanbridgeError, api
from spanbridge.chat.labels import read_labels
from spanbridge.chat.phrases import find_phrases
from spanbridge.core.errors import InputError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.tagging.chat_tagger import ChatTagger

LABELS = {"DRUG": "a medicine, by any name", "DOSE": "how much of it"}
WORDS = ["Take", "two", "aspirin", "or", "aspirin", "plus", "daily", "."]


def entities(*found):
    return json.dumps({"entities": [{"text": text, "label": label} for text, label in found]})


def tagger(url, cache, **options):
    return ChatTagger("m", LABELS, url, cache=str(cache), **{"pause": 0, "tries": 2, **options})


def told(content):
    """A server that says this of every text, and something else to the harmless request."""
    return lambda body, n: says(content if "Text: " in body["messages"][1]["content"] else "OK")


def tagged(content, tmp_path, words=WORDS):
    with serving(told(content)) as (url, seen):
        one = tagger(url, tmp_path)
        [found] = one.tag([words])
    return found, one.counts, seen


def test_the_model_is_told_of_labels_and_text(tmp_path):
    found, counts, [body] = tagged(entities(("aspirin", "DRUG"), ("two", "DOSE")), tmp_path)
    system, user = (message["content"] for message in body["messages"])
    assert "- DRUG: a medicine, by any name\n- DOSE: how much of it" in system
    assert user == "Text: Take two aspirin or aspirin plus daily ."
    assert [span[:3] for span in found.spans] == [(1, 2, "DOSE"), (2, 3, "DRUG")]
    assert counts == {
        "requests_to_the_chat_model": 1,
        "tokens_sent_to_the_chat_model": 10,
        "tokens_received_from_the_chat_model": 2,
    }
    label = body["response_format"]["json_schema"]["schema"]["properties"]["entities"]["items"]
    assert label["properties"]["label"]["enum"] == ["DRUG", "DOSE"]


def test_a_phrase_that_is_named_again_is_the_next_one(tmp_path):
    twice = entities(("aspirin", "DRUG"), ("aspirin plus", "DRUG"))
    found, _, _ = tagged(twice, tmp_path)
    assert [span[:3] for span in found.spans] == [(2, 3, "DRUG"), (4, 6, "DRUG")]


@pytest.mark.parametrize(
    ("phrase", "label", "why"),
    [
        ("ibuprofen", "DRUG", "phrases_of_the_chat_model_that_are_not_in_the_text"),
        ("aspi", "DRUG", "phrases_of_the_chat_model_that_cut_a_word_or_overlap"),
        ("or", "FOOD", "phrases_of_the_chat_model_with_another_label"),
        ("two aspirin", "DRUG", "phrases_of_the_chat_model_that_cut_a_word_or_overlap"),
        ("", "DRUG", "phrases_of_the_chat_model_that_are_not_in_the_text"),
    ],
)
def test_what_cannot_be_found_is_counted_and_the_rest_is_taken(tmp_path, phrase, label, why):
    said = entities(("aspirin", "DRUG"), ("aspirin", "DRUG"), (phrase, label))
    found, counts, seen = tagged(said, tmp_path)
    assert [span[:3] for span in found.spans] == [(2, 3, "DRUG"), (4, 5, "DRUG")]
    assert counts[why] == 1
    asked_again = why.endswith(("text", "label"))
    assert len(seen) == 1 + asked_again
    if asked_again:
        assert "This cannot be used: " in seen[1]["messages"][-1]["content"]


@pytest.mark.parametrize("content", ["", "no", '{"entities": "none"}', '{"entities": [3]}', "[]"])
def test_a_sentence_without_a_usable_answer_says_so(tmp_path, content):
    found, _, seen = tagged(content, tmp_path)
    assert found.spans == ()
    assert found.fault == "the chat model: its answers could not be used"
    assert len(seen) == 2


def test_rows_that_were_not_read_are_no_rows_without_spans(tmp_path, monkeypatch):
    """What failed is told in the row, passes the projection, and is asked again next time."""
    broken = [True]

    def answer(body, n):
        text = body["messages"][-1]["content"]
        if "Bob" in text and broken[0]:
            return 500, "crash"
        words = [word for word in text.split()[1:] if word.istitle()]
        return says(entities(*((word, "DRUG") for word in words)))

    rows = [
        SentencePair(str(n), Sentence((name, "left")), Sentence((name, "ging")))
        for n, name in enumerate(("Anna", "Bob", "Carl"), 1)
    ]
    with serving(answer) as (url, seen):
        options = {"model": "m", "labels": LABELS, "url": url, "cache": str(tmp_path)}
        chat = {"chat": {**options, "pause": 0, "tries": 1}}
        once = api.tag(rows, chat)
        failed = "failed: tagging: the chat model: the server: it answers 500"
        assert [row.status for row in once] == [None, failed, None]
        assert once.account.statuses == {"tagged": 2, failed: 1}
        projected = api.project(once, "heuristic", "lexical", least_parallel=0.0)
        assert [row.status for row in projected] == ["projected", failed, "projected"]
        other = api.tag(rows, chat, side="target")
        assert [row.status for row in other] == [None, failed, None]
        assert [row.provenance for row in other] == ["tag"] * 3
        broken[0], n = False, len(seen)
        again = api.tag(once, chat)
        assert [row.status for row in again] == [None] * 3
        assert [len(row.source.spans) for row in again] == [1, 1, 1]
        assert len(seen) == n + 1
    with serving(lambda body, n: CLOSE) as (url, _), pytest.raises(SpanbridgeError, match="no ans"):
        tagger(url, tmp_path).tag([["x"]])


def test_answers_are_kept_and_a_budget_holds(tmp_path):
    price = {"price": "1000000/0", "parallel": 1}
    with serving(told(entities())) as (url, seen):
        texts = [[f"word{n}"] for n in range(4)]
        first = tagger(url, tmp_path, budget=15.0, **price).tag(texts)
        assert len(seen) == 2
        assert [one.fault for one in first] == [None] * 2 + [
            "the chat model: the budget is spent"
        ] * 2
        assert [one.fault for one in tagger(url, tmp_path).tag(texts)] == [None] * 4
        assert len(seen) == 4
        tagger(url, tmp_path, budget=0.0, **price).tag(texts)
        assert len(seen) == 4


def test_labels_are_read_from_yaml_and_tables(tmp_path):
    (tmp_path / "l.yaml").write_text("DRUG: a medicine,  by any name\nDOSE: how much of it\n")
    (tmp_path / "l.tsv").write_text("DRUG\ta medicine, by any name\r\n\nDOSE\thow much of it\r\n")
    for name in ("l.yaml", "l.tsv"):
        assert list(read_labels(str(tmp_path / name)).items()) == list(LABELS.items())


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("l.yaml", "", "is empty|holds no labels; write a line for each label, such as 'DRUG: a m"),
        ("l.yaml", "- DRUG\n- DOSE\n", "l.yaml: holds a list, and no labels; write a line for"),
        ("l.yaml", "DRUG\n", "l.yaml: holds a text, and no labels; write a line for each label"),
        ("l.yaml", "A: a\nDRUG: {a: b}\n", "l.yaml:2: the label DRUG is described by {'a': 'b'}"),
        ("l.yaml", "DRUG: 3\n", "l.yaml:1: the label DRUG is described by 3, not by a text; a fi"),
        ("l.yaml", "A: a\n3: b\n", "l.yaml:2: the label 3 is no text; put it in quotes; a file"),
        ("l.yaml", "DRUG:\n", "l.yaml:1: the label DRUG has no description; a file of labels"),
        ("l.yaml", "O: nothing\n", "l.yaml:1: 'O' is no label; a file of labels holds a line"),
        ("l.yaml", "DRUG: a\nDRUG: b\n", "twice"),
        ("l.tsv", "DRUG\n", "l.tsv:1: write a label and its description"),
        ("l.tsv", "DRUG\ta\tb\n", "l.tsv:1: write a label"),
        ("l.tsv", "DRUG\ta\nDRUG\tb\n", "l.tsv:2: the label DRUG is described twice"),
        ("l.tsv", "", "is empty"),
        ("l.tsv", "\n", "l.tsv: there is no label"),
        ("l.tsv", "A\ta\n\1\ta\n", "l.tsv:2: .* is no label"),
        ("l.json", '["DRUG"]', "l.json: holds a list, and no labels"),
    ],
)
def test_wrong_files_of_labels(tmp_path, name, content, why):
    (tmp_path / name).write_text(content)
    with pytest.raises((SpanbridgeError, InputError), match=why):
        read_labels(str(tmp_path / name))


def test_a_model_without_a_name(tmp_path):
    with pytest.raises(SpanbridgeError, match="the name of the chat model is empty"):
        ChatTagger(" ", LABELS, cache=str(tmp_path))


def test_no_labels():
    with pytest.raises(SpanbridgeError, match="labels: name a file"):
        read_labels("")
    with pytest.raises(SpanbridgeError, match="labels: there is no label"):
        read_labels({})


def plain(text, phrases):
    """find_phrases of a text without spaces and letters, by its description."""
    taken, found, last = [], [], 0
    for phrase in phrases:
        places = [(n, n + len(phrase)) for n in range(len(text)) if text.startswith(phrase, n)]
        places = places if phrase else []
        apart = [p for p in places if all(p[1] <= a or b <= p[0] for a, b in taken)]
        later = [p for p in apart if p[0] >= last]
        inside = [
            (s, e)
            for s, e in places
            if (s, e) not in taken and not any(a < s < b < e or s < a < e < b for a, b in taken)
        ]
        found.append(next(iter((*later, *apart, *inside)), None))
        if found[-1] is not None:
            taken.append(found[-1])
            last = found[-1][1]
    return found


@given(st.text("-+", max_size=12), st.lists(st.text("-+", max_size=4), max_size=8))
def test_phrases_are_found_as_described(text, phrases):
    assert find_phrases(text, phrases) == plain(text, phrases)


def test_of_a_phrase_that_stands_everywhere_the_first_places_are_looked_at(monkeypatch):
    monkeypatch.setattr("spanbridge.chat.phrases.MOST", 2)
    assert find_phrases("- - -", ["-"] * 4) == [(0, 1), (2, 3), None, None]


def test_phrases_are_found_again():
    """By hand; spaces do not count, and words are not cut if that can be avoided."""
    text = "The cat saw a  cat; cats do."
    assert find_phrases(text, ["cat", "cat", "cat", "cat"]) == [(4, 7), (15, 18), (20, 23), None]
    assert find_phrases(text, ["a cat", "cat"]) == [(12, 18), (20, 23)]
    assert find_phrases(text, ["cats"]) == [(20, 24)]
    assert find_phrases(text, ["dog", "", " "]) == [None, None, None]
    assert find_phrases("ab ab", ["ab ab", "ab"]) == [(0, 5), (0, 2)]  # one within the other
    assert find_phrases("北 京 市", ["北京"]) == [(0, 3)]
    assert find_phrases("cats", ["cat"], ({0}, {4})) == [None]
