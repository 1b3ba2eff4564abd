"""Rows of one side: raw text with ids and other keys, as JSON lines and as tables."""

import csv
import io
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.errors import InputError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import ABSENT, Sentence, Span
from spanbridge.formats import Counts, Reading, find_format, read_pairs, read_rows, write_pairs
from spanbridge.formats.jsonl import read_jsonl
from spanbridge.formats.table import Table, read_table
from spanbridge.formats.tokens import raw_sentence


def put(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def as_json(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


POST = {"id": "p1", "text": "Ana vio\nRoma.", "lang": "es", "n": 3}


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_text_stands_on_the_side_asked_for(tmp_path, side):
    spans = [{"start": 0, "end": 3, "label": "PER"}]
    path = put(tmp_path, "a.jsonl", as_json({**POST, "spans": spans}, {"text": "", "spans": None}))
    (_, row), (_, blank) = read_jsonl(path, side=side)
    found, other = (row.source, row.target) if side == "source" else (row.target, row.source)
    assert (found.text, found.spans) == (POST["text"], (Span(0, 1, "PER"),))
    assert other is ABSENT
    assert (row.id, row.extra) == ("p1", {"lang": "es", "n": 3})
    assert (blank.id, blank.side(side).text) == ("2", "")


def test_another_key_by_name(tmp_path):
    path = put(tmp_path, "a.jsonl", as_json({"tweet": "Oh.", "text": "no"}))
    ((_, row),) = read_jsonl(path, how=Reading(text_column="tweet"))
    assert (row.target.text, row.extra) == ("Oh.", {"text": "no"})
    with pytest.raises(InputError, match=r"a\.jsonl:1: no key .* 'body'; there are: tweet, text"):
        list(read_jsonl(path, how=Reading(text_column="body")))


def test_a_text_beside_sides_is_another_key(tmp_path):
    row = {"source_words": ["a"], "target_words": ["b"], "text": "c"}
    ((_, pair),) = read_jsonl(put(tmp_path, "a.jsonl", as_json(row)))
    assert pair.extra == {"text": "c"}


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (({"text": "a"}, {"source_text": "b"}), r":2: has source_words or source_text, which"),
        (({"text": "a"}, {"txt": "b"}), r":2: no 'text'; .* there is: 'txt'"),
        (({"source_words": ["a"], "target_spans": [1]},), ":1: has target_spans, but neither"),
        (({"text": 5},), ":1: target_text is 5; give a string"),
        (({"text": "a", "spans": [], "target_spans": [1]},), ":1: has both 'spans' and"),
        (
            ({"source_text": "a", "target_text": "b"}, {"source_text": "b"}),
            r":2: neither target_words nor target_text; every row needs the same sides",
        ),
    ],
)
def test_all_rows_hold_the_same_sides(tmp_path, rows, why):
    with pytest.raises(InputError, match=why):
        list(read_jsonl(put(tmp_path, "a.jsonl", as_json(*rows))))


def test_pairs_need_both_sides(tmp_path):
    path = put(tmp_path, "a.jsonl", as_json({"source_text": "a"}))
    with pytest.raises(InputError, match=r":1: neither target_words nor target_text"):
        list(read_pairs(path))
    with pytest.raises(InputError, match=r":1: has no target side"):
        list(find_format(path).sentences(path))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_tables(tmp_path, end, delimiter, bom):
    rows = [["id", "lang", "text"], ["p1", "es", 'Ana, dijo:\t"a;b|c".\n\nFin.'], ["p2", "", "é"]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    path = put(tmp_path, "a.csv", bom + out.getvalue())
    (at, first), (line, second) = read_table(path)
    assert (at, line) == (2, 5)
    assert (first.id, first.target.text, dict(first.extra)) == ("p1", rows[1][2], {"lang": "es"})
    assert (second.id, second.target.text, dict(second.extra)) == ("p2", "é", {"lang": ""})


def test_spans_and_both_sides_in_a_table(tmp_path):
    spans = '"[{""start"": 3, ""end"": 7, ""label"": ""LOC""}]"'
    text = f"source_text,source_spans,target_text,confidence\nIn Rome.,{spans},A Roma.,\n"
    (pair,) = read_pairs(put(tmp_path, "a.csv", text))
    assert pair.source.spans == (Span(1, 2, "LOC"),)
    assert (pair.id, pair.target.words, pair.confidence) == ("1", ("A", "Roma", "."), None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id,text\n", "a.csv: has no row below its header"),
        ("id,id,text\n1,2,3\n", "a.csv:1: the column 'id' is named twice"),
        ("id,text\n1,a,b\n", "a.csv:2: 3 cells, but the header has 2; quote texts"),
        ('id,text\n1,"a\nb"\n2\n', "a.csv:4: 1 cells"),
        ('id,text\n1,a\n2,"b\n3,c\n', "a.csv:3: is no row of a table .unexpected end"),
        ('id,text\n1,"a"b\n', "a.csv:2: is no row of a table"),
        ("id,tweet\n1,a\n", "a.csv:2: .* there is: 'id', 'tweet'"),
        ("text,spans\na,x\n", "a.csv:2: a cell that should hold JSON is not JSON"),
        ('text,spans\na,"1, ""x"": 2"\n', "a.csv:2: .*holds more than one value"),
        ("text,spans\na,{}\n", "a.csv:2: target_spans is {}"),
        (b"id,text\n1,\xe9\n", "a.csv:2: invalid UTF-8"),
        (b"", "a.csv: is empty"),
    ],
)
def test_wrong_tables(tmp_path, text, why):
    with pytest.raises(InputError, match=why):
        list(read_table(put(tmp_path, "a.csv", text)))


def test_long_cells(tmp_path):
    path = put(tmp_path, "a.csv", "text\n" + "a " * 200_000 + "\n")
    ((_, row),) = read_table(path)
    assert len(row.target.words) == 200_000


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")).map(
    lambda text: text.replace("\x00", "")
)


@given(st.lists(st.tuples(texts, texts.filter(bool), st.booleans()), min_size=1))
def test_written_tables_come_back(tmp_path_factory, given_rows):
    rows = []
    for text, note, labelled in given_rows:
        target = raw_sentence(text)
        if labelled and target.words:
            target = target.with_spans((Span(0, len(target.words), "X", 0.5),))
        extra = {"note": note, "more": "1"}
        rows.append(SentencePair(note, ABSENT, target, status="projected", extra=extra))
    path = tmp_path_factory.mktemp("table") / "a.csv"
    write_pairs(path, rows)
    assert [row for _, row in read_table(path)] == rows


def test_what_a_table_holds_of_other_keys(tmp_path):
    """A column for each key that any row has; what is named like a column is not written."""
    path = tmp_path / "a.csv"
    row = SentencePair("1", ABSENT, Sentence(("a", "b"), (Span(1, 2, "X"),)))
    named = dict.fromkeys(("status", "links", "source_text", "id"), "x")
    assert not any(map(Table().keeps_key, named))
    extras = [named, {"k": [1]}, {"review": {"status": "accepted"}, "k": "{not JSON"}]
    write_pairs(path, [row._replace(extra=extra) for extra in extras])
    begin = '1,a b,"[{""start"": 2, ""end"": 3, ""label"": ""X""}]",,'
    assert path.read_text(encoding="utf-8") == (
        "id,text,spans,status,confidence,k,review\n"
        f"{begin},,\n"
        f"{begin},[1],\n"
        f'{begin},{{not JSON,"{{""status"": ""accepted""}}"\n'
    )
    # objects come back as objects, all else as strings; no review is no key
    found = [dict(one.extra) for _, one in read_table(path)]
    assert found == [
        {"k": ""},
        {"k": "[1]"},
        {"k": "{not JSON", "review": {"status": "accepted"}},
    ]


@pytest.mark.parametrize(
    ("name", "text", "known"),
    [
        ("a.tsv", "id\ttext\n1\tAna\n", "csv"),
        ("a.tsv", "text\tO\nAna\tB-PER\n\n", "conll"),
        ("a.tsv", "Ana\tPER\ntext\tO\n\n", "conll"),
        ("a.csv", "x\n", "csv"),
        ("a.txt", "id,text\n1,Ana\n", "csv"),
        ("a.txt", "id,tweet,lang\n1,Ana,es\n", "csv"),
        ("a.txt", "Ana,Eva\nUno,dos\n", "text"),
        ("a.txt", "Hello, my text, is here\nOne, two, three\n", "text"),
        ("a.txt", as_json(POST), "jsonl"),
        ("a.txt", "{a} b\n", "text"),
        ("posts", as_json(POST), "jsonl"),
        ("posts", "id;text\n1;Ana\n", "csv"),
        ("posts", "Ana\n\nEva\n", "text"),
    ],
)
def test_content_against_names(tmp_path, name, text, known):
    path = put(tmp_path, name, text)
    assert find_format(path, default="text").name == known
    counts = Counts()
    if known not in ("conll", "text"):
        rows = read_rows(
            path, "target", Reading(text_column="x" if text == "x\n" else None), counts
        )
        with pytest.raises(InputError) if "text" not in text else pytest.MonkeyPatch.context():
            list(rows)
            said = [] if name.endswith((".tsv", ".csv")) else [f"rows of the format {known}"]
            assert [note.partition(", as")[0] for note in counts.guessed] == said


@pytest.mark.parametrize("text", ['[{"id": 1}]', '[\n {\n  "id": 1}]', '{\n "text": "a"\n}', "{"])
def test_json_that_is_no_text(tmp_path, text):
    path = put(tmp_path, "a.txt", text + "\n")
    if text == "{":
        assert len(list(read_rows(path))) == 1
        return
    with pytest.raises(InputError, match=r"a\.txt:1: is JSON"):
        list(read_rows(path))


def test_the_missing_side_survives_copies():
    row = pickle.loads(pickle.dumps(SentencePair("1", ABSENT, Sentence(("a",)))))
    assert row.source == ABSENT
