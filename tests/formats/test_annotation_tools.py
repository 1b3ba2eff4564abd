"""Files of annotation tools and data sets that are JSON: what they look like."""

import json
import re

import pytest
from test_exports import found, put, read

from spanbridge.core.errors import InputError
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import find_format, write_pairs

TEXT = "Ann Roe saw Łódź 🚒 and Paris."
DOCCANO = [
    {"text": TEXT, "label": [[0, 7, "PER"], [23, 28, "LOC"]]},
    {"data": TEXT, "labels": [[0, 7, "PER"], [23, 28, "LOC"]]},
    {
        "text": TEXT,
        "entities": [
            {"id": 1, "label": "PER", "start_offset": 0, "end_offset": 7},
            {"id": 2, "label": "LOC", "start_offset": 23, "end_offset": 28},
        ],
        "relations": [{"id": 3, "from_id": 1, "to_id": 2, "type": "in"}],
    },
    {  # spaCy
        "text": TEXT,
        "ents": [
            {"start": 0, "end": 7, "label": "PER"},
            {"start": 23, "end": 28, "label": "LOC"},
        ],
        "tokens": [{"id": 0, "start": 0, "end": 3}],
    },
    {  # Label Studio's small JSON
        "text": TEXT,
        "label": [
            {"start": 0, "end": 7, "text": "Ann Roe", "labels": ["PER"]},
            {"start": 23, "end": 28, "text": "Paris", "labels": ["LOC"]},
        ],
    },
]


@pytest.mark.parametrize("row", DOCCANO)
def test_shapes_of_doccano(tmp_path, row):
    for name, text in (("a.jsonl", json.dumps(row)), ("b.json", json.dumps([row], indent=2))):
        path = put(tmp_path, name, text)
        assert find_format(path).name == "doccano"
        (found_row,), counts = read(path)
        assert found(found_row) == [("Ann Roe", "PER"), ("Paris", "LOC")]
        assert counts.left_out == ({"relations left out": 1} if "relations" in row else {})


def test_prodigy_answers(tmp_path):
    span = {"start": 0, "end": 7, "label": "PER", "token_start": 0, "token_end": 1}
    rows = [
        {"text": TEXT, "spans": [span], "answer": one, "_input_hash": 7}
        for one in ("accept", "reject", "ignore")
    ]
    rows.append({"text": TEXT, "_input_hash": 8, "answer": "accept", "tokens": []})
    path = put(tmp_path, "a.jsonl", *rows)
    again, counts = read(path)
    assert [len(row.target.spans) for row in again] == [1, 0, 0, 0]
    assert counts.left_out == {"rejected or ignored answers, read without labels": 2}
    write_pairs(tmp_path / "b.jsonl", again, format="prodigy")
    first = json.loads((tmp_path / "b.jsonl").read_text().splitlines()[0])
    assert first["spans"] == [span]
    assert first["tokens"][1] == {"text": "Roe", "start": 4, "end": 7, "id": 1, "ws": True}
    assert "_input_hash" not in first  # of another text
    assert first["answer"] == "accept"


def test_prodigy_numbers_of_tokens(tmp_path):
    """Spans that have the numbers of their tokens alone are where these are."""
    span = {"token_start": 0, "token_end": 1, "label": "PER"}
    places = [(0, 3), (4, 7)]
    tokens = [{"text": TEXT[a:b], "start": a, "end": b, "id": n} for n, (a, b) in enumerate(places)]
    row = {"text": TEXT, "tokens": tokens, "spans": [span]}
    (back,), _ = read(put(tmp_path, "a.jsonl", row), format="prodigy")
    assert found(back) == [("Ann Roe", "PER")]
    last = [{**one, "end": one["end"] - 1} for one in tokens]
    inclusive = put(tmp_path, "b.jsonl", {**row, "tokens": last})
    (back,), _ = read(inclusive, format="prodigy", offsets="characters-inclusive")
    assert found(back) == [("Ann Roe", "PER")]
    rejected = put(tmp_path, "r.jsonl", {**row, "tokens": None, "answer": "reject"})
    assert found(read(rejected, format="prodigy")[0][0]) == []
    for wrong, why in [
        ({"tokens": None}, "numbers of tokens, and the row has no list of tokens"),
        ({"tokens": tokens[:1]}, "1 is not the number, from 0, of a token.*; there are 1"),
        ({"tokens": [tokens[0], {"text": "Roe"}]}, "1 is not the number.* an integer end"),
        ({"spans": [{**span, "token_start": -1}]}, "-1 is not the number"),
        ({"spans": [{**span, "token_end": True}]}, "true is not the number"),
        ({"spans": [{"token_start": 0, "label": "PER"}]}, "wants integers start and end"),
        ({"spans": [{**span, "start": 0}]}, "wants integers start and end"),
    ]:
        path = put(tmp_path, "c.jsonl", {**row, **wrong})
        with pytest.raises(InputError, match=rf"c\.jsonl:1: spans: .*{why}"):
            read(path, format="prodigy")


@pytest.mark.parametrize("span", [[0, 4, "LOC"], [1, 0, "LOC"], [-1, 0, "LOC"]])
def test_gliner_says_its_own_numbers(tmp_path, span):
    path = put(tmp_path, "a.jsonl", {"tokenized_text": ["in", "Paris"], "ner": [span]})
    with pytest.raises(InputError) as error:
        read(path, format="gliner")
    assert f"a.jsonl:1: ner: {json.dumps(span)} is not [first, last, label] of the 2 words" in str(
        error.value
    )
    assert "--offsets" not in str(error.value)


def test_tags_of_data_sets(tmp_path):
    words = ["Ann", "Roe", "in", "Paris"]
    path = put(tmp_path, "a.jsonl", {"id": "0", "tokens": words, "ner_tags": [1, 2, 0, 3]})
    with pytest.raises(InputError, match=r"a\.jsonl:1: the ner_tags are numbers.*--tag-names O,B"):
        read(path)
    names = ("O", "B-PER", "I-PER", "B-LOC")
    (row,), _ = read(path, tag_names=names)
    assert (row.id, found(row)) == ("0", [("Ann Roe", "PER"), ("Paris", "LOC")])
    with pytest.raises(InputError, match="holds 3; there are 3 names"):
        read(path, tag_names=names[:3])
    (row,), _ = read(path, tags=False)
    assert row.target == Sentence(tuple(words))
    tags = {"tokens": words, "ner_tags": ["B-PER", "I-PER", "O", "I-LOC"], "pos_tags": [1, 1, 2, 1]}
    (row,), counts = read(put(tmp_path, "b.jsonl", tags))
    assert (found(row), counts.n_orphans) == ([("Ann Roe", "PER"), ("Paris", "LOC")], 1)
    write_pairs(tmp_path / "c.jsonl", [row], format="hf")
    assert "pos_tags" not in (tmp_path / "c.jsonl").read_text()


@pytest.mark.parametrize("tags", [["B-PER"], None, [], "O O"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_tags_that_do_not_fit_their_words_are_said_to_be_wrong(tmp_path, name, tags):
    row = {"tokens": ["Ana", "left"], "ner_tags": tags}
    path = put(tmp_path, name, row)
    with pytest.raises(InputError, match=rf"{name}:1: ner_tags is .*; give a tag for each word"):
        read(path)


def test_gliner_is_inclusive(tmp_path):
    row = {"tokenized_text": ["Ann", "Roe", "left"], "ner": [[0, 1, "PER"]]}
    (one,), _ = read(put(tmp_path, "a.json", json.dumps([row])))
    assert one.target.spans == (Span(0, 2, "PER"),)


def result(start, end, label):
    value = {"start": start, "end": end, "text": TEXT[start:end], "labels": [label]}
    return {"value": value, "id": "q", "from_name": "label", "to_name": "text", "type": "labels"}


def test_label_studio(tmp_path):
    relation = {"from_id": "q", "to_id": "r", "type": "relation"}
    first = {"id": 1, "result": [result(0, 7, "PER"), relation]}
    tasks = [
        {"id": 5, "data": {"text": TEXT, "ref": "x"}, "annotations": [first, first]},
        {
            "id": 6,
            "data": {"body": TEXT},
            "annotations": [{**first, "was_cancelled": True}],
            "predictions": [{"result": [result(23, 28, "LOC")]}],
        },
        {"id": 7, "data": {"text": TEXT}, "annotations": [], "predictions": [3]},
    ]
    rows, counts = read(put(tmp_path, "a.json", json.dumps(tasks, indent=1)))
    assert [(row.id, found(row)) for row in rows] == [
        ("5", [("Ann Roe", "PER")]),
        ("6", [("Paris", "LOC")]),
        ("7", []),
    ]
    assert rows[0].extra == {"ref": "x"}
    write_pairs(tmp_path / "c.json", rows, format="labelstudio")
    again, _ = read(tmp_path / "c.json")
    assert again == rows
    assert counts.left_out == {
        "annotations left out after the first one of a task": 1,
        "cancelled annotations left out": 1,
        "results left out that are no spans of a text (relation)": 1,
        "predictions left out that have only numbers here": 1,
    }
    path = put(tmp_path, "b.json", '[{"a": 1},\n{"data": 5}]')
    with pytest.raises(InputError, match=r"b\.json:1: data is null; .*--format doccano"):
        read(path)


def test_results_of_label_studio_that_are_no_spans_are_named(tmp_path):
    """Labels of HTML count positions of another text; they are not lost under another name."""
    html = {"type": "hypertextlabels", "value": {"startOffset": 0, "hypertextlabels": ["PER"]}}
    choice = {"type": "choices", "value": {"choices": ["news"]}}
    bare = result(0, 7, "PER")
    bare["value"]["labels"] = []  # a region whose label was taken away
    task = {"data": {"text": TEXT}, "annotations": [{"result": [html, html, choice, {}, bare]}]}
    (one,), counts = read(put(tmp_path, "a.json", json.dumps([task])))
    assert not one.target.spans
    assert counts.left_out == {
        "results left out that are no spans of a text (hypertextlabels)": 2,
        "results left out that are no spans of a text (choices)": 1,
        "results left out that are no spans of a text (labels, but none given)": 1,
        "results left out that are no spans of a text": 1,
    }


def test_rows_of_label_studios_small_json_without_spans(tmp_path):
    """It writes no key for what a task has none of."""
    labelled = {"id": 1, "text": TEXT, "label": [{"start": 0, "end": 7, "labels": ["PER"]}]}
    rows = [labelled, {"id": 2, "text": TEXT, "annotator": 1}]
    for row in rows:
        row["annotation_id"] = row["id"]
    found, _ = read(put(tmp_path, "a.json", json.dumps(rows)))
    assert [len(row.target.spans) for row in found] == [1, 0]
    del rows[1]["annotation_id"], rows[1]["annotator"]
    with pytest.raises(InputError, match="row 2: there is no label or .*, only nothing else"):
        read(put(tmp_path, "b.json", json.dumps(rows)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[{"text": "a", "spans": []}, {"text": 5}]', "a.json:1: row 2: target_text is 5"),
        ('[{"text": "a", "spans": []},\n{"text": 5}]', "a.json:2: target_text is 5"),
        ('[{"text": "a", "spans": []}, {"x": NaN}]', "a.json:1: row 2: is not valid JSON"),
        ('[{"text": "a", "label": []}, {"text": 5}]', "a.json:1: row 2: text is 5"),
        ('[{"data": {"text": "a"}, "annotations": []}, 7]', "a.json:1: row 2: is no JSON object"),
    ],
)
def test_errors_in_one_line_of_many_rows_tell_which(tmp_path, text, told):
    """Tools write an array into one line."""
    with pytest.raises(InputError, match=re.escape(told)):
        read(put(tmp_path, "a.json", text))


def test_squad(tmp_path):
    answer = {"text": "Ann Roe", "answer_start": 0}
    asked = {
        "id": "q1",
        "question": "Who?",
        "answers": [{"text": "Ann", "answer_start": 0}, answer],
    }
    never = {"id": "q2", "question": "Why?", "answers": [], "is_impossible": True}
    other = {"context": "x", "qas": [{"id": "q3", "question": "?", "answers": []}]}
    article = {"title": "T", "paragraphs": [{"context": TEXT, "qas": [asked, never]}, other]}
    path = put(tmp_path, "a.json", json.dumps({"version": "1.1", "data": [article]}))
    assert find_format(path).name == "squad"
    rows, counts = read(path)
    assert [(row.id, found(row)) for row in rows] == [
        ("q1", [("Ann", "ANSWER"), ("Ann Roe", "ANSWER")]),
        ("q3", []),
    ]
    assert json.loads(rows[0].target.spans[0].extra) == {"id": "q1", "question": "Who?"}
    assert rows[0].extra == {"title": "T", "unanswered": [never]}
    assert not counts.left_out
    write_pairs(tmp_path / "b.json", rows, format="squad")
    (first, _) = json.loads((tmp_path / "b.json").read_text())["data"]
    assert first["paragraphs"] == [{"id": "q1", "context": TEXT, "qas": [asked, never]}]
    again, _ = read(tmp_path / "b.json")
    assert again == rows
    wrong = {"context": "a", "qas": [{"id": "q", "answers": [{"text": "b"}]}]}
    data = {"data": [{"paragraphs": [wrong]}]}
    with pytest.raises(InputError, match=r"c.json:1: answers: .* wants text and answer_start"):
        read(put(tmp_path, "c.json", json.dumps(data)))


def test_other_json_is_told_about_formats(tmp_path):
    path = put(tmp_path, "a.jsonl", {"data": "x", "cats": {}})
    assert find_format(path).name == "jsonl"
    with pytest.raises(InputError, match="the file's format .--format.; there is: 'data', 'cats'"):
        read(path)
    with pytest.raises(InputError, match="no label or labels or .*, only cats; rename the"):
        read(path, format="doccano")
    (row,), _ = read(path, format="doccano", tags=False)
    assert row.target.text == "x"
    for wrong, why in [
        ("[]", "empty array"),
        ('[{"text": "a", "label": []}', "comma or the end"),
        ('[{"text": "a", "label": []},]', "not JSON"),
        ('[{"text": "a", "label": []}] x', "comma or the end"),
        ("[1]", "no JSON object"),
    ]:
        with pytest.raises(InputError, match=why):
            read(put(tmp_path, "b.jsonl", wrong), format="doccano")


def test_spans_under_another_key_are_not_lost(tmp_path):
    """Argilla's rows have tokens too; without labels wanted, the key is not missed."""
    path = put(
        tmp_path, "a.jsonl", {"text": "Anna", "tokens": ["Anna"], "annotation": [["PER", 0, 4]]}
    )
    assert find_format(path).name == "jsonl"
    path = put(tmp_path, "b.jsonl", {"tokenized_text": ["Anna"], "entities": [[0, 0, "PER"]]})
    with pytest.raises(InputError, match="there is no ner, only entities; rename the key"):
        read(path)
    assert read(path, tags=False)[0][0].target.words == ("Anna",)
