"""Files of annotation tools and data sets: there and back, and what they cannot hold."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import Counts, Reading, find_format, named_format, read_rows, write_pairs
from spanbridge.formats.tokens import with_text

SUFFIX = {
    "doccano": ".jsonl",
    "prodigy": ".jsonl",
    "hf": ".jsonl",
    "gliner": ".json",
    "labelstudio": ".json",
    "brat": ".ann",
    "webanno": ".tsv",
    "conllu": ".conllu",
    "conllup": ".conllup",
    "spacy": ".spacy",
    "squad": ".json",
    "csv": ".csv",
}
ONE_LAYER = ("hf", "conllu", "conllup")


def read(path, side="target", **how):
    counts = Counts()
    rows = [row for _, row in read_rows(path, side, Reading(**how), counts)]
    return rows, counts


def put(tmp_path, name, *rows):
    path = tmp_path / name
    texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def found(row, side="target"):
    sentence = row.side(side)
    return [(sentence.text_of(*span[:2]), span.label) for span in sentence.spans]


TREEBANK = st.sampled_from(["-LRB-", "n't", "'s", "''", "``"])
WORDS = TREEBANK | st.text(st.sampled_from("abŁ🚒é|[]_*\\;-=(): "), min_size=1, max_size=4).map(
    lambda word: word.strip() or "x"
)


@st.composite
def sentences(draw, overlaps=True):
    words = draw(st.lists(WORDS, max_size=5))
    spans = []
    at = 0
    while at < len(words) and draw(st.booleans()):
        start = draw(st.integers(at, len(words) - 1))
        end = draw(st.integers(start + 1, len(words)))
        spans.append(Span(start, end, draw(st.sampled_from(["PER", "LOC-x", "a_b", "x*[1]"]))))
        at = 0 if overlaps and draw(st.booleans()) else end
    return Sentence(tuple(words), tuple(sorted(set(spans), key=lambda span: span[:3])))


def test_nested_answers_come_back_by_place(tmp_path):
    """Questions group spans by label, so that places alone tell their order."""
    spans = (Span(0, 1, "PER"), Span(0, 2, "LOC"), Span(1, 2, "PER"))
    row = SentencePair("1", Sentence(()), Sentence(("Bonn", "Rhein"), spans))
    path = tmp_path / "a.json"
    write_pairs(path, [row], format="squad")
    (back,) = read(path)[0]
    assert found(back) == [("Bonn", "PER"), ("Bonn Rhein", "LOC"), ("Rhein", "PER")]


@pytest.mark.parametrize("name", SUFFIX)
@settings(max_examples=12)
@given(data=st.data())
def test_there_and_back(tmp_path_factory, name, data):
    """Words (or the text, where the format has one), spans, ids and the number of rows."""
    rows = [
        SentencePair(str(n), Sentence(()), data.draw(sentences(overlaps=name not in ONE_LAYER)))
        for n in range(1, 4)
    ]
    path = tmp_path_factory.mktemp("a") / f"a{SUFFIX[name]}"
    write_pairs(path, rows, format=name)
    assert find_format(path).name == name
    again, counts = read(path)
    assert not counts.left_out
    assert [row.id for row in again] == [row.id for row in rows]
    for row, back in zip(rows, again, strict=True):
        before, after = row.target, back.target
        if after.text is not None:
            assert after.text == with_text(before).text
            assert [(t.strip(), label) for t, label in widened(before, after)] == found(back)
        else:
            assert after.words == before.words
            assert sorted(s[:3] for s in after.spans) == sorted(s[:3] for s in before.spans)


def widened(before, after):
    """Texts of spans in the words that the text is cut into."""
    whole = with_text(before)
    for span in before.spans:
        start, end = whole.offsets[span.start][0], whole.offsets[span.end - 1][1]
        inside = [(a, b) for a, b in after.offsets if a < end and b > start]
        yield whole.text[inside[0][0] : inside[-1][1]], span.label


@pytest.mark.parametrize("name", SUFFIX)
def test_a_row_without_words_stays_a_row(tmp_path, name):
    """It takes the place of one that the format cannot hold."""
    rows = [SentencePair(str(n), Sentence(()), Sentence(("a",) * (n % 2))) for n in (1, 2, 3, 4)]
    path = tmp_path / f"a{SUFFIX[name]}"
    write_pairs(path, rows, format=name)
    again, _ = read(path)
    assert [len(row.target.words) for row in again] == [1, 0, 1, 0]


def test_keys_of_their_own_and_ids_stay(tmp_path):
    path = put(
        tmp_path,
        "a.jsonl",
        {"id": "x", "text": "Ann Roe saw Paris.", "label": [[0, 7, "PER"]], "meta": {"a": [1]}},
    )
    rows, _ = read(path, "source")
    assert (rows[0].id, rows[0].extra) == ("x", {"meta": {"a": [1]}})
    assert found(rows[0], "source") == [("Ann Roe", "PER")]
    write_pairs(tmp_path / "b.jsonl", rows, "source", format="doccano")
    assert json.loads((tmp_path / "b.jsonl").read_text()) == json.loads(path.read_text())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("conllu", Sentence(("a", "b\t"))),
        ("conllu", Sentence(("a",), (Span(0, 1, "x y"),))),
        ("webanno", Sentence(("a\n",))),
        ("brat", Sentence(("a\nb",))),
        ("brat", Sentence(("a",), (Span(0, 1, "x y"),))),
    ],
)
def test_what_a_format_cannot_hold(tmp_path, name, sentence):
    with pytest.raises(SpanbridgeError, match="row 1: "):
        write_pairs(
            tmp_path / f"a{SUFFIX[name]}", [SentencePair("1", Sentence(()), sentence)], format=name
        )
    assert not list(tmp_path.iterdir())


def test_no_name_of_a_format_is_known_by_two(tmp_path):
    assert {named_format(name).name for name in SUFFIX} == set(SUFFIX)


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ("-o t.ann", "t.txt is both input and output"),  # the target, where brat's text would go
        ("-o o.conll --explain d.txt", "d.txt is both input and output"),
        ("-o o.jsonl --output-format nothing", "no format is named 'nothing'"),
        ("-o o.brat --output-format brat", "name the .ann file of brat"),
        ("-o o.conll --format doccano", "d.ann:1: is not JSON"),
    ],
)
def test_commands_overwrite_no_text(tmp_path, spanbridge, args, why):
    (tmp_path / "d.txt").write_text("Ann left\n", encoding="utf-8")
    (tmp_path / "t.txt").write_text("Ann ging\n", encoding="utf-8")
    put(tmp_path, "d.ann", "T1\tPER 0 3\tAnn")
    before = sorted(path.name for path in tmp_path.iterdir())
    command = "project --source d.ann --target t.txt --method greedy --aligner lexical"
    assert why in spanbridge(*command.split(), *args.split(), code=2).stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.slow
def test_a_pipeline_names_both_formats(tmp_path, spanbridge):
    rows = [{"tokens": ["Ann", "left"], "ner_tags": [1, 0], "id": str(n)} for n in (8, 9)]
    put(tmp_path, "s.jsonl", *rows)
    (tmp_path / "t.txt").write_text("Ann ging\n" * 2, encoding="utf-8")
    (tmp_path / "p.yaml").write_text(
        "input: {source: s.jsonl, target: t.txt}\nformat: hf\ntag_names: [O, B-PER]\n"
        "output: y.jsonl\noutput_format: gliner\n"
        "steps: [project: {method: greedy, aligner: lexical}]\n",
        encoding="utf-8",
    )
    spanbridge("run", "p.yaml")
    command = "project --source s.jsonl --target t.txt --method greedy --aligner lexical -o o.jsonl"
    named = "--format hf --tag-names O,B-PER --output-format gliner"
    told = spanbridge(*command.split(), *named.split()).stderr
    assert "format:hf|tag_names:O,B-PER" in told
    text = (tmp_path / "o.jsonl").read_text(encoding="utf-8")
    assert text == (tmp_path / "y.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line) for line in text.splitlines()] == [
        {"id": n, "tokenized_text": ["Ann", "ging"], "ner": [[0, 0, "PER"]]} for n in (8, 9)
    ]
