"""Conversion between formats: all comes back, or is counted."""

import json

import pytest

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import ABSENT, Span, one_layer
from spanbridge.formats import Counts, Reading, named_format, read_rows, write_pairs
from spanbridge.formats.offsets import place_spans
from spanbridge.formats.tokens import spans_in_text, with_text
from spanbridge.run.converting import convert

# Name of a file of each format.
FILES = {
    "conll": "a.conll",
    "conllu": "a.conllu",
    "conllup": "a.conllup",
    "webanno": "a.tsv",
    "tokens": "a.csv",
    "csv": "a.csv",
    "brat": "a.ann",
    "brat-folder": "a/",
    "multiclinai": "a/",
    "doccano": "a.jsonl",
    "doccano-utf16": "a.jsonl",
    "prodigy": "a.jsonl",
    "gliner": "a.json",
    "hf": "a.parquet",
    "labelstudio": "a.json",
    "spacy": "a.spacy",
    "xmi": "a.xmi",
    "uima-json": "a.json",
    "squad": "a.json",
    "jsonl": "a.parquet",
}
KB = '{"kb_id": "Q90"}'


def row(identity, text, *spans, **keys):
    sentence = place_spans(text, spans, "target", "spans", "characters")
    return SentencePair(identity, ABSENT, sentence, extra=keys)


NASTY = [
    row("n", "Ann  Roe of New York left.", Span(0, 19, "NOM"), Span(0, 8, "PER", 0.25, KB)),
    row("a-1", "👩🏽‍🚒🚒 Łódź 🇫🇷 né\u0301e", Span(7, 11, "LOC", 1.0), domain="news"),
    row("a-2", "ذهبَ محمد إلى القاهرة.", Span(5, 9, "PER"), Span(14, 21, "LOC"), n=[1, {"b": None}]),
    row("4", ""),
    row("x/y: z", "北京市长去了東京。", Span(0, 3, "LOC"), Span(0, 2, "LOC"), Span(6, 8, "LOC")),
    row(
        "6",
        "a|b <c> \\t [1] _ ; * -> #",
        Span(0, 1, "B-PER"),
        Span(2, 5, "<b>x'\""),
        Span(8, 10, "a_b"),
    ),
    row("7", "ไปกรุงเทพฯ", Span(2, 9, "LOC", 0.5)),
]


def written(tmp_path, name, rows, to=None, **more):
    """The rows as another format holds them, and the account of the conversion."""
    source, output = str(tmp_path / "in.jsonl"), str(tmp_path / FILES[name])
    write_pairs(source, rows)
    run = convert(source, output, format=name, **more)
    return output, run


def back(path, name):
    counts = Counts()
    return [one for _, one in read_rows(path, "target", Reading(format=name), counts)], counts


def places(sentence, with_scores):
    whole = with_text(sentence)
    found = [(*span[:3], span.score if with_scores else None) for span in spans_in_text(whole)]
    return sorted(found, key=str)


def covered(sentence):
    found = ((sentence.text_of(*span[:2]), span.label) for span in sentence.spans)
    return sorted(("".join(text.split()), label) for text, label in found)


@pytest.mark.parametrize("name", FILES)
def test_all_comes_back_or_is_counted(tmp_path, name):
    held, rows = named_format(name), NASTY
    if name == "csv":  # whose columns hold strings
        rows = [one.replace(extra={"domain": one.id}) for one in NASTY]
    path, run = written(tmp_path, name, rows)
    notes, account = run.account.notes, run.account
    again, counts = back(path, name)
    assert account.n_rows == len(rows) == len(again)
    assert not counts.left_out
    assert not account.rejects
    if name in ("brat-folder", "multiclinai"):  # whose documents are in the order of their names
        order = {one.id: n for n, one in enumerate(again)}
        pairs = [(one, again[order[one.id]]) for one in rows]
    else:
        pairs = list(zip(rows, again, strict=True))
    n_layers = 0
    for before, after in pairs:
        sentence = before.target
        if not held.holds_nested:
            n_layers += len(sentence.spans)
            sentence = sentence.with_spans(one_layer(sentence.spans))
            n_layers -= len(sentence.spans)
        if "text" in held.keeps:
            assert after.target.text == sentence.text
            scores = "scores" in held.keeps
            assert places(after.target, scores) == places(sentence, scores)
        assert covered(after.target) == covered(sentence)
        assert "ids" not in held.keeps or after.id == before.id
        keys = {key: value for key, value in after.extra.items() if key != "label_studio"}
        assert keys == (dict(before.extra) if "keys" in held.keeps else {})
        if held.keeps_span_key("kb_id"):
            assert [s.extra for s in after.target.spans if s.extra] == [
                s.extra for s in before.target.spans if s.extra
            ]
    told = {
        "ids": (notes.get("ids not written; rows have their numbers"), 4),
        "scores": (notes.get("scores of target spans not written"), 3),
        "keys": (notes.get("values of other keys of rows not written"), 2),
        "span_keys": (notes.get("values of other keys of target spans not written"), 1),
    }
    for what, (n, expected) in told.items():
        kept = what in held.keeps or (what == "span_keys" and held.keeps_span_key("kb_id"))
        assert n == (None if kept else expected), what
    layers = [n for note, n in notes.items() if "one layer" in note]
    assert sum(layers) == n_layers


def test_what_a_result_has_is_counted_where_it_has_no_place(tmp_path):
    pair = {
        "id": "1",
        "source_words": ["Ann"],
        "source_spans": [{"start": 0, "end": 1, "label": "PER"}],
        "target_words": ["Anna"],
        "target_spans": [{"start": 0, "end": 1, "label": "PER", "score": 0.9}],
        "links": [[0, 0]],
        "status": "projected",
        "provenance": "project",
        "confidence": 0.875,
    }
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps(pair) + "\n", encoding="utf-8")
    run = convert(str(source), str(tmp_path / "a.conll"))
    assert run.account.notes == {
        **dict.fromkeys(
            (
                "rows whose source side is not written",
                "rows whose word links are not written",
                "scores of target spans not written",
                "values of status not written",
                "values of confidence not written",
                "values of provenance not written",
            ),
            1,
        ),
        **{name: n for name, n in run.account.notes.items() if not n},
    }
    assert "from:jsonl|to:conll|side:target" in run.signature
    convert(str(source), str(tmp_path / "a.json"))
    (task,) = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    (prediction,) = task["predictions"]
    assert task["data"] == {"id": 1, "text": "Anna"}
    assert prediction["score"] == 0.875
    assert prediction["model_version"].startswith("spanbridge-")
    assert prediction["result"] == [
        {
            "id": "1",
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "value": {"start": 0, "end": 4, "text": "Anna", "labels": ["PER"]},
            "score": 0.9,
        }
    ]
    convert(str(source), str(tmp_path / "b.json"), "source", format="labelstudio")
    (task,) = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))
    assert [one["result"][0]["value"]["text"] for one in task["annotations"]] == ["Ann"]
    run = convert(str(source), str(tmp_path / "a.txt"))
    assert (tmp_path / "a.txt").read_text() == "Anna\n"
    assert run.account.notes["target spans not written"] == 1


def test_who_annotated_in_label_studio_comes_back(tmp_path):
    """What a task, its data and its annotation hold beside text and spans."""
    value = {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}
    result = {"id": "1", "from_name": "label", "to_name": "text", "type": "labels", "value": value}
    annotation = {"completed_by": 3, "lead_time": 1.5, "result": [result]}
    data = {"id": "p", "inner_id": 4, "url": "x", "text": "Ann left"}
    task = {"project": 2, "meta": {"a": 1}, "data": data, "annotations": [annotation]}
    (tmp_path / "a.json").write_text(json.dumps([task]), encoding="utf-8")
    convert(str(tmp_path / "a.json"), str(tmp_path / "b.jsonl"))
    convert(str(tmp_path / "b.jsonl"), str(tmp_path / "c.json"))
    assert json.loads((tmp_path / "c.json").read_text(encoding="utf-8")) == [task]


@pytest.mark.parametrize("unit", ["characters", "utf16", "bytes"])
@pytest.mark.parametrize("inclusive", [False, True])
def test_positions_convert_exactly(tmp_path, unit, inclusive):
    """From positions in each unit to characters, in text of one to four bytes a character."""
    text = "é👩🏽‍🚒 Łódź 北京 محمد x"
    code = {"characters": "utf-32-le", "utf16": "utf-16-le", "bytes": "utf-8"}[unit]
    size = {"characters": 4, "utf16": 2, "bytes": 1}[unit]
    wanted, spans = ["Łódź", "北京", "محمد", "x"], []
    for word in wanted:
        start = len(text[: text.index(word)].encode(code)) // size
        end = start + len(word.encode(code)) // size
        spans.append({"start": start, "end": end - inclusive, "label": "L"})
    source = tmp_path / "in.jsonl"
    line = json.dumps({"text": text, "spans": spans}, ensure_ascii=False)
    source.write_text(line + "\n", encoding="utf-8")
    how = Reading(offsets=unit + ("-inclusive" if inclusive else ""))
    run = convert(str(source), str(tmp_path / "a.jsonl"), how=how, format="doccano")
    (written_row,) = map(json.loads, (tmp_path / "a.jsonl").read_text("utf-8").splitlines())
    assert [text[a:b] for a, b, _ in written_row["label"]] == wanted
    assert ("offsets:" in run.signature) == (unit != "characters" or inclusive)
    convert(str(source), str(tmp_path / "b.jsonl"), how=how, format="doccano-utf16")
    (written_row,) = map(json.loads, (tmp_path / "b.jsonl").read_text("utf-8").splitlines())
    units = text.encode("utf-16-le")
    found = [units[2 * a : 2 * b].decode("utf-16-le") for a, b, _ in written_row["label"]]
    assert found == wanted
    (again,), _ = back(tmp_path / "b.jsonl", "doccano-utf16")
    assert [again.target.text_of(*span[:2]) for span in again.target.spans] == wanted
    with pytest.raises(
        InputError, match="doccano-utf16 counts in utf16; leave out --offsets bytes"
    ):
        list(read_rows(tmp_path / "b.jsonl", how=Reading(format="doccano-utf16", offsets="bytes")))


def test_rows_that_cannot_be_written_are_rejected(tmp_path, spanbridge):
    rows = [row("1", "Ann left", Span(0, 3, "a person")), row("2", "Bob left", Span(0, 3, "PER"))]
    path, run = written(tmp_path, "brat", rows)
    assert run.account.statuses == {
        "converted": 1,
        "rejected: cannot be written: the label 'a person' has white space in it": 1,
    }
    (reject,) = map(json.loads, (tmp_path / "a.ann.rejects.jsonl").read_text().splitlines())
    assert reject["id"] == "1"
    again, _ = back(path, "brat")
    assert [one.target.plain_text() for one in again] == ["", "Bob left"]


def test_the_command(tmp_path, spanbridge):
    write_pairs(tmp_path / "in.jsonl", NASTY)
    told = spanbridge("convert", "in.jsonl", "out.json", "--json").stdout
    assert json.loads(told)["account"]["rows"] == len(NASTY)
    assert json.loads((tmp_path / "out.json.run.json").read_text())["output"] == "out.json"
    text = (tmp_path / "in.jsonl").read_text(encoding="utf-8")
    piped = spanbridge("convert", "-", "-", "--to", "gliner", stdin=text)
    assert "7 rows = 7 converted" in piped.stderr
    assert [json.loads(line)["id"] for line in piped.stdout.splitlines()][:2] == ["n", "a-1"]
    spanbridge("convert", "out.json", "corpus/", "--to", "brat-folder")
    names = sorted(path.name for path in (tmp_path / "corpus").glob("*.txt"))
    assert names == ["4.txt", "6.txt", "7.txt", "a.txt", "n.txt", "x%2Fy%3A z.txt"]
    assert (tmp_path / "corpus.run.json").exists()
    (tmp_path / "empty").mkdir()
    for args, why in [
        ("in.jsonl out.json --side source", "in.jsonl:1: has no source side"),
        ("in.jsonl out.json --nested inner", "labelstudio does not, so leave it out"),
        ("in.jsonl in.jsonl", "is both input and output"),
        ("in.jsonl out.x --to nothing", "no format is named 'nothing'"),
        ("in.jsonl corpus --to brat-folder", "corpus: is there already; name a new folder"),
        ("empty out.jsonl", "empty: is a folder"),
        ("in.jsonl a.jsonl --from spacy", "is no whole DocBin of spaCy"),
        ("in.jsonl - --json", "cannot both go to standard output"),
    ]:
        assert why in spanbridge("convert", *args.split(), code=2).stderr, args


def test_documents_of_brat(tmp_path):
    """Rows of one document stay together; rows of the same name are told apart, or refused."""
    rows = [row(one, "Ann left", Span(0, 3, "PER")) for one in ("d-1", "d-2", "e-1", "10", "9")]
    write_pairs(tmp_path / "c", rows, format="brat-folder")
    names = sorted(path.name for path in (tmp_path / "c").iterdir())
    assert names == ["10.ann", "10.txt", "9.ann", "9.txt", "d.ann", "d.txt", "e-1.ann", "e-1.txt"]
    assert (tmp_path / "c" / "d.ann").read_text() == "T1\tPER 0 3\tAnn\nT2\tPER 9 12\tAnn\n"
    again, _ = back(tmp_path / "c", "brat-folder")
    assert [one.id for one in again] == ["9", "10", "d-1", "d-2", "e-1"]
    with pytest.raises(SpanbridgeError, match="row 9: another row has this id, and so"):
        write_pairs(tmp_path / "d", [rows[4], rows[3], rows[4]], format="brat-folder")
    assert not (tmp_path / "d").exists()
    with pytest.raises(InputError, match=r"is no folder with documents of brat"):
        back(tmp_path / "d", "brat-folder")


@pytest.mark.slow
def test_other_libraries_read_what_is_written(tmp_path):
    datasets, spacy = pytest.importorskip("datasets"), pytest.importorskip("spacy")
    path, _ = written(tmp_path, "hf", NASTY)
    loaded = datasets.load_dataset(
        "parquet", data_files=path, split="train", cache_dir=str(tmp_path / "cache")
    )
    tags = loaded.features["ner_tags"].feature
    assert isinstance(tags, datasets.ClassLabel)
    assert tags.names[:3] == ["O", "B-<b>x'\"", "I-<b>x'\""]
    assert tags.int2str(loaded[2]["ner_tags"]) == ["O", "B-PER", "O", "B-LOC", "O"]
    path, _ = written(tmp_path, "spacy", NASTY)
    docs = list(spacy.tokens.DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))
    assert [doc.text for doc in docs] == [one.target.text for one in NASTY]
    for doc, one in zip(docs, NASTY, strict=True):
        found = sorted((span.start_char, span.end_char, span.label_) for span in doc.spans["sc"])
        assert found == sorted(span[:3] for span in spans_in_text(one.target))
        assert len(doc.ents) == len(one_layer(one.target.spans))


REAL = ("masakhaner2/yor/dev.txt", "europarl-ner/de.dev.conll", "xquad/en2ru.jsonl")


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", REAL)
def test_real_data_there_and_back(tmp_path, real_data, place, name):
    """Texts, or words, and spans of 200 rows."""
    given = list(zip(range(200), read_rows(real_data / place), strict=False))
    rows = [one.replace(id=str(n)) for n, (_, (_, one)) in enumerate(given, 1)]
    path, run = written(tmp_path, name, rows)
    again, counts = back(path, name)
    assert not counts.left_out
    assert not run.account.rejects
    for before, after in zip(rows, again, strict=True):
        sentence = before.target
        if not named_format(name).holds_nested:
            sentence = sentence.with_spans(one_layer(sentence.spans))
        if "text" in named_format(name).keeps:
            assert after.target.plain_text() == sentence.plain_text()
        else:
            assert after.target.words == sentence.words
        if "words" in named_format(name).keeps or before.target.text is not None:
            assert covered(after.target) == covered(sentence)
