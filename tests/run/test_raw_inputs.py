"""Raw rows with ids go through every command and come out with their ids and other keys."""

import json
from unicodedata import normalize

import pytest

from spanbridge import api
from spanbridge.formats import Reading, read_rows
from spanbridge.translation.base import Translation, Translator

TRANSLATIONS = "Ana vive en Roma.\tAna lives in Rome.\nEva va a Lima.\tEva goes to Lima.\n"
BACK = "Ana lives in Rome.\tAna vive en Roma.\nEva goes to Lima.\tEva va a Lima.\n"
TAGS = (
    "Ana\tB-PER\nlives\tO\nin\tO\nRome\tB-LOC\n.\tO\n\n"
    "Eva\tB-PER\ngoes\tO\nto\tO\nLima\tB-LOC\n.\tO\n\n"
)
TEXT = "Ana vive en Roma.\n\nEva va a Lima."
ROWS = {
    "posts.jsonl": json.dumps({"id": "p7", "text": TEXT, "lang": "es"}) + "\n",
    "posts.csv": f'id,text,lang\np7,"{TEXT}",es\n',
    "posts.tsv": f'id\ttext\tlang\np7\t"{TEXT}"\tes\n',
    "posts.txt": f'id;text;lang\np7;"{TEXT}";es\n',
    "target.jsonl": json.dumps({"id": "p7", "target_text": TEXT, "target_spans": [], "lang": "es"})
    + "\n",
    "named.csv": f'id,tweet,lang\np7,"{TEXT}",es\n',
}
FOUND = [("Ana", "PER"), ("Roma", "LOC"), ("Eva", "PER"), ("Lima", "LOC")]
STEPS = """\
  - split
  - translate: {translator: {given: {model: t.tsv.gz}}}
  - tag: {tagger: {given: {model: tags.conll}}}
  - project: {method: greedy, aligner: lexical}
  - join
"""


@pytest.fixture
def place(tmp_path):
    import gzip

    for name, text in {**ROWS, "tags.conll": TAGS}.items():
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "t.tsv.gz").write_bytes(gzip.compress(TRANSLATIONS.encode()))
    (tmp_path / "back.txt").write_text(BACK, "utf-8")
    return tmp_path


def found(row, key="text"):
    return [
        (row[key][s["start"] : s["end"]], s["label"]) for s in row[key.replace("text", "spans")]
    ]


@pytest.mark.parametrize("name", ROWS)
def test_run(spanbridge, place, name):
    column = "text_column: tweet\n" if name == "named.csv" else ""
    (place / "p.yaml").write_text(
        f"input: {name}\n{column}languages: {{target: es, source: en}}\noutput: o.jsonl\n"
        f"steps:\n{STEPS}",
        "utf-8",
    )
    done = spanbridge(*"run p.yaml".split())
    (row,) = map(json.loads, (place / "o.jsonl").read_text("utf-8").splitlines())
    assert (row["id"], row["lang"], row["target_text"]) == ("p7", "es", TEXT)
    assert found(row, "target_text") == FOUND
    assert ("as the first lines tell" in done.stderr) is (name == "posts.txt")
    assert ("|text_column:tweet|" in done.stderr) is (name == "named.csv")


def test_a_table_in_and_out_by_all_faces(spanbridge, place):
    yaml = f"input: named.csv\nlanguages: {{source: en}}\nsteps:\n{STEPS}"
    (place / "p.yaml").write_text(yaml, "utf-8")
    flags = "--from es --text-column tweet --config p.yaml -o o.csv"
    spanbridge("label", "named.csv", *flags.split())
    ((_, row),) = read_rows(place / "o.csv")
    assert (row.id, dict(row.extra), row.target.text) == ("p7", {"lang": "es"}, TEXT)
    assert len(row.target.spans) == len(FOUND)
    given = [row for _, row in read_rows(place / "named.csv", how=Reading(text_column="tweet"))]
    tagger = {"given": {"model": str(place / "tags.conll")}}
    translator = {"given": {"model": str(place / "t.tsv.gz")}}
    how = {"tagger": tagger, "translator": translator, "route": "translate"}
    made = api.label(given, "es", **how, method="greedy", aligner="lexical")
    made.save(str(place / "python.csv"))
    assert (place / "python.csv").read_bytes() == (place / "o.csv").read_bytes()


@pytest.mark.parametrize("name", ["posts.jsonl", "posts.csv"])
def test_tag_and_translate(spanbridge, place, name):
    (place / "en.jsonl").write_text('{"id": "x", "text": "Ana lives in Rome.", "k": 1}\n', "utf-8")
    spanbridge(*"tag --source en.jsonl --tagger given --model tags.conll -o o.csv".split())
    ((_, row),) = read_rows(place / "o.csv")
    assert (row.id, row.extra["k"], len(row.target.spans)) == ("x", "1", 2)
    command = f"translate --source {name} --from es --to en --translator given"
    spanbridge(*f"{command} --translations t.tsv.gz --original target -o o.jsonl".split())
    (row,) = map(json.loads, (place / "o.jsonl").read_text("utf-8").splitlines())
    assert (row["id"], row["target_text"], row["lang"]) == ("p7", TEXT, "es")
    done = spanbridge(*f"{command} --translations t.tsv.gz -o u.csv".split(), code=2)
    assert "needs target_spans" in done.stderr
    assert not (place / "u.csv").exists()


SPANS = [{"start": 0, "end": 3, "label": "PER"}, {"start": 13, "end": 17, "label": "LOC"}]
LABELLED = {"id": "d1", "source_text": "Ana lives in Rome.", "source_spans": SPANS, "k": 5}


@pytest.mark.parametrize(
    "row",
    [
        LABELLED,
        {**LABELLED, "target_text": ""},
        {**LABELLED, "target_text": "Old.", "target_spans": []},
        {"id": "d1", "text": "Ana lives in Rome.", "spans": SPANS, "k": 5},
    ],
)
@pytest.mark.parametrize("marks", [False, True])
def test_make_data(spanbridge, place, row, marks):
    (place / "d.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    how = "--marks xml" if marks else "--method greedy --aligner lexical"
    command = "make-data d.jsonl --from en --to es --translator given --translations back.txt"
    done = spanbridge(*f"{command} {how} -o data".split())
    (made,) = map(json.loads, (place / "data" / "train.jsonl").read_text("utf-8").splitlines())
    assert (made["id"], made["k"]) == ("d1", 5)
    assert found(made, "source_text") == [("Ana", "PER"), ("Rome", "LOC")]
    if not marks:
        assert found(made, "target_text") == [("Ana", "PER"), ("Roma", "LOC")]
        told = "1 rows whose former other side was replaced" in done.stderr
        assert told is (row.get("target_text") == "Old.")


def test_a_text_without_columns(spanbridge, place):
    command = "tag --source back.txt --tagger given --model tags.conll --text-column k -o o.csv"
    done = spanbridge(*command.split(), code=2)
    assert "back.txt: is of the format text, which has no column 'k'" in done.stderr


def test_pairs_still_need_both_sides(spanbridge, place):
    done = spanbridge(*"project --source target.jsonl -o o.conll".split(), code=2)
    assert "target.jsonl:1: neither source_words nor source_text" in done.stderr


def test_spans_that_a_split_drops_are_counted(spanbridge, place):
    rows = [json.dumps({"text": "Ana."})] * 1000
    rows.append(json.dumps({"text": "Ana.", "spans": [{"start": 0, "end": 3, "label": "PER"}]}))
    (place / "d.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
    yaml = "input: d.jsonl\nlanguages: {target: es}\noutput: o.jsonl\nsteps: [split, join]\n"
    (place / "p.yaml").write_text(yaml, "utf-8")
    done = spanbridge(*"run p.yaml".split())
    assert "1 spans that came with the texts and were dropped" in done.stderr


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("known", ["NFC", "NFD"])
def test_decomposed_text_is_translated_composed(spanbridge, place, form, known):
    text = normalize(form, "José vio Málaga.")
    (place / "es.txt").write_text(f"{text}\n", "utf-8")
    (place / "k.tsv").write_text(normalize(known, "José vio Málaga.") + "\tHe saw it.\n", "utf-8")
    command = "translate --source es.txt --from es --to en --original target -o o.jsonl"
    spanbridge(*f"{command} --translator given --translations k.tsv".split())
    (row,) = map(json.loads, (place / "o.jsonl").read_text("utf-8").splitlines())
    assert (row["target_text"], row["source_text"]) == (text, "He saw it.")


def test_translators_get_composed_text():
    class Echo(Translator):
        def describe(self, source, target):
            return "echo"

        def translate(self, sentences, source, target):
            return [Translation(f"<{sentence}>") for sentence in sentences]

    rows = list(api.as_rows([normalize("NFD", "José vio Málaga.")]))
    steps = [{"translate": {"translator": Echo()}}]
    (row,) = api.Loaded(steps, {"target": "es", "source": "en"}).run(rows)
    assert row.source.text == "<José vio Málaga.>"
    assert row.target == rows[0].target


@pytest.mark.parametrize("split", [True, False])
def test_translations_of_whole_texts(spanbridge, place, split):
    texts = ["Ana vive en Roma. Eva va a Lima.", "Ana vive en Roma.", "Otra."]
    (place / "es.txt").write_text("".join(f"{text}\n" for text in texts), "utf-8")
    known = {texts[0]: "Ana lives in Rome. Eva goes to Lima.", texts[1]: "Ana lives in Rome."}
    (place / "k.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in known.items()), "utf-8")
    steps = ["split"] if split else []
    steps += ["translate: {translator: {given: {model: k.tsv}}}"] + (["join"] if split else [])
    (place / "p.yaml").write_text(
        "input: es.txt\nlanguages: {target: es, source: en}\noutput: o.jsonl\nsteps:\n"
        + "".join(f"  - {step}\n" for step in steps),
        "utf-8",
    )
    done = spanbridge(*"run p.yaml".split())
    rows = [json.loads(line) for line in (place / "o.jsonl").read_text("utf-8").splitlines()]
    assert rows[0]["source_text"] == ("Ana lives in Rome. " if split else known[texts[0]])
    said = "1 sentences without a given translation, cut from longer texts (--no-split"
    assert (said in done.stderr) is split
