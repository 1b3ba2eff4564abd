"""Keys and values of users' rows that look like our own: they pass through, or are refused."""

import json

import pytest

from spanbridge.core.errors import InputError
from spanbridge.formats import read_pairs, read_rows
from spanbridge.run.memory import Loaded

LANGUAGES = {"target": "es", "source": "en"}
TEXT = "Anna vive aquí. Otto canta."


@pytest.fixture
def through(tmp_path):
    """The rows of a file after they were split and joined again."""

    def run(*rows):
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        found = Loaded(["split", "join"], LANGUAGES).run(read_pairs(path))
        return [(row.id, row.target.text, dict(row.extra)) for row in found]

    return run


@pytest.mark.parametrize("key", ["\0sentence of", "sentence of", "\0", "", "__class__", "words"])
@pytest.mark.parametrize("value", [None, 1, "x", [], {"id": "7", "start": 0}, {"\0": ["\0"]}])
def test_keys_of_users_are_theirs(through, key, value):
    row = {"id": "a", "source_words": [], "target_text": TEXT, key: value}
    assert through(row, {**row, "id": "b"}) == [
        ("a", TEXT, {key: value}),
        ("b", TEXT, {key: value}),
    ]


@pytest.mark.parametrize("start", [0, 5, 10_000, 2**31 - 1])
@pytest.mark.parametrize("text", [None, "", "another text"])
def test_a_forged_place_joins_nothing(through, start, text):
    row = {"source_words": [], "target_text": TEXT}
    place = {"id": "other", "side": "source", "start": start, "text": text}
    found = through({"id": "a", **row, "sentence_of": place}, {"id": "b", **row})
    assert [(identity, told) for identity, told, _ in found] == [("a", TEXT), ("b", TEXT)]


@pytest.mark.parametrize(
    "place", [1, [], {"id": 1}, {"id": "a", "side": "left", "start": 0}, {"id": "a", "start": -1}]
)
def test_a_place_of_another_shape_is_refused(through, place):
    with pytest.raises(InputError, match="rows.jsonl:1: sentence_of is"):
        through({"source_words": [], "target_text": TEXT, "sentence_of": place})


@pytest.mark.parametrize(
    "cell", ['[], ""x"": 3', "[]}", "[] []", "NaN", "[[[", '{""a"": 1, ""a"": 2}']
)
def test_a_cell_holds_one_value(tmp_path, cell):
    path = tmp_path / "a.csv"
    path.write_text(f'id,text,spans\n1,Anna sings,"{cell}"\n', "utf-8")
    with pytest.raises(InputError, match="a.csv:2: "):
        list(read_rows(path))
