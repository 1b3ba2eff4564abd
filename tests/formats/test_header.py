"""Spellings of data sets: headers, tables of words, what stands for O, keys, arrays."""

import json

import pytest

from spanbridge.core.errors import InputError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import Counts, Reading, find_format, labelled_rows, read_rows, write_pairs

SPANS = (Span(0, 1, "PER"), Span(2, 3, "LOC"))
ROWS = [(("Anna", "sah", "Bonn"), SPANS), (("Ulm", '"', ","), (Span(0, 1, "LOC"),))]


def read(tmp_path, name, text, **how):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    counts = Counts()
    rows = [row for _, row in labelled_rows(path, Reading(**how), counts)]
    return [(row.words, row.spans) for row in rows], counts.guessed


KAGGLE = """\
Sentence #,Word,POS,Tag
Sentence: 1,Anna,NNP,B-PER
,sah,VBD,O
,Bonn,NNP,B-LOC
Sentence: 2,Ulm,NNP,B-LOC
,\"\"\"\",\"\"\"\",O
,\",\",\",\",O
"""


@pytest.mark.parametrize(
    "text",
    [
        KAGGLE,
        KAGGLE.replace("\n,", "\nSentence: 1,", 2).replace("\n,", "\nSentence: 2,"),
        KAGGLE.replace(",", ";").replace('";";";"', ",;,"),
        KAGGLE.replace(",O\n", ",\n"),
        'words,labels\nAnna,B-PER\nsah,O\nBonn,B-LOC\n,\nUlm,B-LOC\n"""",O\n",",O\n',
        "sentence_id,ner,token\n0,B-PER,Anna\n0,O,sah\n0,B-LOC,Bonn\n1,B-LOC,Ulm\n"
        '1,O,""""\n1,O,","\n',
    ],
)
def test_tables_of_words(tmp_path, text):
    rows, guessed = read(tmp_path, "a.csv", text)
    assert rows == ROWS
    assert find_format(tmp_path / "a.csv").name == "tokens"
    assert any(what.startswith("rows with words and tags in the columns") for what in guessed)


@pytest.mark.parametrize(
    "text",
    [
        "Token\tNER\nAnna\tB-PER\nsah\tO\nBonn\tB-LOC\n",
        "word pos tag\nAnna B-NP B-PER\nsah X O\nBonn X B-LOC\n",
        "Sentence #\tWord\tPOS\tTag\n1\tAnna\tX\tB-PER\n\tsah\tX\tO\n\tBonn\tX\tB-LOC\n",
        "label word\nB-PER Anna\nO sah\nB-LOC Bonn\n",
    ],
)
def test_headers_of_column_files(tmp_path, text):
    assert read(tmp_path, "a.conll", text)[0] == ROWS[:1]
    assert read(tmp_path, "a.tsv", text)[0] == ROWS[:1]


@pytest.mark.parametrize("first", ["# word tag", "# every word has a tag", "#word\ttag"])
def test_comments_are_no_headers(tmp_path, first):
    rows, _ = read(tmp_path, "a.conll", f"{first}\nAnna\tB-PER\nsah\tO\nBonn\tB-LOC\n")
    assert rows == ROWS[:1]


def test_a_line_that_may_be_a_header_is_an_error_that_says_so(tmp_path):
    text = "Wort\tName\nAnna\tB-PER\nsah\tO\nBonn\tB-LOC\n"
    with pytest.raises(InputError, match=r"if line 1 names columns: --word-column NAME"):
        read(tmp_path, "a.conll", text)
    assert read(tmp_path, "a.conll", text, tag_column="Name")[0] == ROWS[:1]


def test_columns_by_name(tmp_path):
    text = "Wort;Wortart;Etikett\nAnna;NE;B-PER\nsah;VV;O\nBonn;NE;B-LOC\n"
    how = {"format": "tokens", "word_column": "Wort", "tag_column": "Etikett"}
    assert read(tmp_path, "a.csv", text, **how)[0] == ROWS[:1]
    with pytest.raises(InputError, match=r"a\.csv:1: .* no column 'NER'; there are: 'Wort'"):
        read(tmp_path, "a.csv", text, **{**how, "tag_column": "NER"})


@pytest.mark.parametrize("outside", ["0", "_", "-", "None", "nan", ""])
@pytest.mark.parametrize("tags", [("B-PER", "B-LOC"), ("PER", "LOC"), ("B_PER", "B_LOC")])
def test_what_stands_for_o(tmp_path, outside, tags):
    text = f"Anna\t{tags[0]}\nsah\t{outside}\nBonn\t{tags[1]}\n"
    rows, guessed = read(tmp_path, "a.conll", text)
    assert rows == ROWS[:1]
    assert any("in place of a tag read as O" in what for what in guessed)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "Anna\tB-PER\nsah\tO\nBonn\t_\n",
            "'_' is not a tag .* --tag-column names another, or this",
        ),
        ("Anna\t_\nsah\t_\n", "if '_' stands for O and no O is in it: --tag-column 2"),
        ("Anna\tB-PER\nsah\tO\nBonn\t\n", "token 'Bonn' has no tag"),
        ("Anna\tB-PER\nsah\t_\nBonn\tX\n", "'_' is not a tag"),
        ("Anna\tB-PER\nsah\t_\nBonn\t-\n\n", None),
    ],
)
def test_no_label_becomes_o(tmp_path, text, why):
    if why is None:
        read(tmp_path, "a.conll", text)
        return
    with pytest.raises(InputError, match=why):
        read(tmp_path, "a.conll", text)


def test_a_column_without_tags_is_read_where_it_is_named(tmp_path):
    rows, guessed = read(tmp_path, "a.conll", "Anna\t_\nsah\t_\n", tag_column=2)
    assert rows == [(("Anna", "sah"), ())]
    assert list(guessed) == ["'_' in place of a tag read as O"]


def test_tables_there_and_back(tmp_path):
    rows = [
        SentencePair(str(n), Sentence(()), Sentence(words, spans))
        for n, (words, spans) in enumerate([*ROWS, ((), ()), *ROWS], 1)
    ]
    write_pairs(tmp_path / "a.csv", rows, format="tokens")
    found = [row.target for _, row in read_rows(tmp_path / "a.csv")]
    assert found == [row.target for row in rows]


HF = {"tokens": ["Anna", "sah", "Bonn"], "ner_tags": [1, 0, 2]}


@pytest.mark.parametrize(
    "row",
    [
        {**HF, "ner_tags_str": ["B-PER", "O", "B-LOC"]},
        {**HF, "chunk_names": ["B-NP", "B-VP", "B-NP"], "named": ["B-PER", "O", "B-LOC"]},
        {"words": HF["tokens"], "labels": ["B-PER", "O", "B-LOC"], "n": [1, 2, 3]},
        {"words": HF["tokens"], "bio": ["B-PER", "O", "B-LOC"]},
    ],
)
def test_keys_of_tags(tmp_path, row):
    rows, _ = read(tmp_path, "a.jsonl", json.dumps(row) + "\n")
    assert rows == ROWS[:1]


def test_keys_of_tags_by_name(tmp_path):
    row = {"text_words": HF["tokens"], "tags": ["O", "O", "O"], "fein": ["B-PER", "O", "B-LOC"]}
    how = {"format": "hf", "word_column": "text_words", "tag_column": "fein"}
    assert read(tmp_path, "a.jsonl", json.dumps(row) + "\n", **how)[0] == ROWS[:1]
    with pytest.raises(InputError, match=r"no fine, only .*fein; name it: --tag-column KEY"):
        read(tmp_path, "a.jsonl", json.dumps(row) + "\n", **{**how, "tag_column": "fine"})


def test_tasks_of_label_studio_on_lines_are_no_rows_of_ours(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"data": {"text": "a"}, "annotations": []}\n' * 2, encoding="utf-8")
    assert find_format(path).name == "labelstudio"


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.txt"])
def test_arrays_of_rows(tmp_path, name):
    spans = [[0, 4, "PER"], [9, 13, "LOC"]]
    rows = [{"id": "a", "text": "Anna sah Bonn", "spans": spans}, {"text": ""}]
    path = tmp_path / name
    path.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    (first, second) = [row for _, row in read_rows(path)]
    assert (first.id, first.target.words, first.target.spans) == ("a", *ROWS[0])
    assert (second.id, second.target.words) == ("2", ())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "Word,Tag\n"),
        ("a.conll", "Token\tNER\n"),
        ("a.conll", "-DOCSTART- O\n\n"),
        ("a.conllu", "# a = b\n"),
    ],
)
def test_files_without_any_row_are_errors(tmp_path, name, text):
    with pytest.raises(InputError, match=rf"{name}: holds no row, only a header or comments"):
        read(tmp_path, name, text)
