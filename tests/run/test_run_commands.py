"""run, label and make-data as a user gives them."""

import json

import pytest
import toy_pipeline as toy
import yaml
from test_translators import needs_apertium
from toy_bitext import rows

TEXT = "Pedro vive en  Madrid.\n\nSin nombres aquí.\nNadie lo tradujo.\n"
TRANSLATIONS = "Pedro vive en Madrid.\tPedro lives in Madrid.\nSin nombres aquí.\tNo names here.\n"
TAGS = "Pedro\tB-PER\nvive\tO\nen\tO\nMadrid\tB-LOC\n.\tO\n\nNo\tO\nnames\tO\nhere\tO\n.\tO\n\n"
GIVEN = "--translations t.tsv --method greedy --aligner lexical"
LABEL = f"label es.txt --translate --from es {GIVEN}"


@pytest.fixture
def place(tmp_path):
    for name, text in (("es.txt", TEXT), ("t.tsv", TRANSLATIONS), ("en.conll", TAGS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_label(spanbridge, command, place, tiny_tagger):
    line = f"{LABEL} --via en --model {tiny_tagger('bert-tagger')}"
    done = spanbridge(*f"{line} -o o.jsonl".split())
    assert "1 failed: the file has no translation of it" in done.stderr
    assert "4 rows" in done.stderr
    found = rows(place / "o.jsonl")
    assert [row["target_text"] for row in found] == TEXT.split("\n")[:-1]
    assert [row["translation_status"] for row in found] == [
        "ok",
        "empty: no text",
        "ok",
        "failed: the file has no translation of it",
    ]
    first = (place / "o.jsonl").read_bytes()
    again = command(*f"{line} -o o.jsonl".split())
    # the file is asked for the missing translation again
    assert again.stderr.count("1 of 1 shards done before") == 5
    shown = command(*f"{line} --show-config -o p.jsonl".split()).stdout
    assert not (place / "p.jsonl.work").exists()
    (place / "p.yaml").write_text(shown, encoding="utf-8")
    assert "5 join(settings=default)" in command("run", "p.yaml", "--check").stdout
    as_json = json.loads(command("run", "p.yaml", "--json").stdout)
    assert [step["step"] for step in as_json["steps"]][-1] == "join"
    assert (place / "p.jsonl").read_bytes() == first
    beside = "label es.txt --from es --config p.yaml -o q.jsonl"
    done = command(*f"{beside} --shard-rows 2 --workers 1".split())
    assert "result" in done.stderr
    assert (place / "q.jsonl").read_bytes() == first
    assert "leave --method out" in command(*f"{beside} --method soft".split(), code=2).stderr


def test_a_config_keeps_what_the_command_does_not_say(command, place):
    steps = ["split", {"translate": {"translator": {"given": {"model": "t.tsv"}}}}]
    file = {"languages": {"source": "fr"}, "commercial": True, "steps": steps}
    (place / "p.yaml").write_text(json.dumps(file), encoding="utf-8")
    line = "label es.txt --from es --config p.yaml -o o.jsonl --show-config"
    shown = yaml.safe_load(command(*line.split()).stdout)
    assert shown["languages"] == {"source": "fr", "target": "es"}
    assert shown["commercial"] is True
    shown = yaml.safe_load(command(*line.split(), "--via", "de").stdout)
    assert shown["languages"]["source"] == "de"


def test_raw_text_is_not_taken_for_columns(command, place, tiny_tagger):
    (place / "posts.dat").write_text("2024\tPedro vive\n\n2025\tAna\n\n", encoding="utf-8")
    line = f"{LABEL} --model {tiny_tagger('bert-tagger')} -o o.jsonl"
    command(*line.replace("es.txt", "posts.dat").split())
    found = [row["target_text"] for row in rows(place / "o.jsonl")]
    assert found == ["2024\tPedro vive", "", "2025\tAna", ""]


def test_make_data_that_is_refused_late_leaves_nothing(command, place):
    """The translator is looked for after the folder is made; a folder that was there stays."""
    line = "make-data en.conll --from en --to es --translator-model /no/model -o".split()
    assert "/no/model: no such folder" in command(*line, "new/folder", code=2).stderr
    assert not (place / "new").exists()
    (place / "there").mkdir()
    command(*line, "there", code=2)
    assert list((place / "there").iterdir()) == []


def test_make_data(command, place):
    swap = "\n".join("\t".join(reversed(x.split("\t"))) for x in TRANSLATIONS.splitlines())
    spaced = swap.replace(".", " .").replace("Pedro lives", "Pedro vive")
    spaced = spaced.replace("in Madrid", "en Madrid", 1)
    (place / "t.tsv").write_text(spaced, encoding="utf-8")
    command(*f"make-data en.conll --from en --to es {GIVEN} -o d".split())
    first, second = rows(place / "d" / "train.jsonl")
    assert [span["label"] for span in first["source_spans"]] == ["PER", "LOC"]
    assert [span["label"] for span in first["target_spans"]] == ["PER", "LOC"]
    assert second["status"] == "empty: no source span"


@needs_apertium
def test_marks_and_back_translation_by_apertium(command, place):
    text = "Pedro\tB-PER\nlives\tO\nin\tO\nMadrid\tB-LOC\n.\tO\n\n"
    (place / "en.conll").write_text(text, encoding="utf-8")
    command(*"make-data en.conll --from en --to es --marks brackets -o m".split())
    (row,) = rows(place / "m" / "train.jsonl")
    assert [span["label"] for span in row["target_spans"]] == ["PER", "LOC"]
    back = row["target_text"]
    (place / "es.txt").write_text("Pedro vive en Madrid.\n", encoding="utf-8")
    steps = [
        "translate",
        {"tag": {"tagger": {"given": {"model": "en.conll"}}}},
        {"back-translate": {"style": "brackets"}},
        {"project": {"method": "greedy", "aligner": "lexical"}},
    ]
    pipeline = toy.settings(place, "b.jsonl", steps)
    (place / "p.yaml").write_text(json.dumps(pipeline), encoding="utf-8")
    command("run", "p.yaml")
    (row,) = rows(place / "b.jsonl")
    assert row["pivot_text"] == "Pedro lives in Madrid."
    assert row["source_text"] == back
    assert [span["label"] for span in row["source_spans"]] == ["PER", "LOC"]
    assert [(s["start"], s["label"]) for s in row["target_spans"]] == [(0, "PER"), (14, "LOC")]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("label nosuch.txt --from es --model m -o o.jsonl", "nosuch.txt: no such file"),
        ("label es.txt --from xx {g} --model m -o o.jsonl", "'xx' is no language code"),
        ("label es.txt --from es --translator nosuch --model m -o o.jsonl", "no translator is"),
        ("label es.txt --from es --translator given --model m -o o.jsonl", "go together"),
        ("label es.txt --from es --translator chat --model m -o o.jsonl", "go together"),
        (
            "label es.txt --translate --from es {g} --translator-option x=1 --model m -o o.jsonl",
            "x: there is no such setting",
        ),
        (
            "label es.txt --translate --from es {g} --translator-option x --model m -o o.jsonl",
            "write NAME=VALUE",
        ),
        ("label es.txt --from es {g} --workers 0 -o o.jsonl", "1<=x<=1024"),
        (
            "label es.txt --from es {g} --model en.conll -o o.jsonl",
            "name the tagger 'given'",
        ),
        ("run r.yaml", "no/such/o.jsonl: cannot be written: is its folder there"),
        (
            "label es.txt --from es {g} --config p.yaml -o o.jsonl",
            "leave --translat",
        ),
        ("translate --source es.txt --from es --to en {g} -o o.conll", "write .jsonl"),
        ("translate --source es.txt --from es --to en {g} -o u.tsv", "write .jsonl"),
        ("make-data nosuch --from es --to en {g} -o d", "nosuch: no such file"),
        ("make-data en.conll --from en --to es {g} --marks xml --method soft -o d", "needs no"),
        ("make-data en.conll --from en --to es {g} --method nosuch -o d", "no method is named"),
        ("make-data en.conll --from en --to es {g} -o t.tsv", "cannot be made"),
        ("run nosuch.yaml", "nosuch.yaml: cannot be read"),
        ("run es.txt", "es.txt: holds a text, and no settings"),
    ],
)
def test_refusals(command, place, options, why):
    far = {**toy.settings(place), "output": "no/such/o.jsonl"}
    (place / "r.yaml").write_text(json.dumps(far), encoding="utf-8")
    line = options.format(g="--translator given --translations t.tsv")
    assert why in command(*line.split(), code=2).stderr
    assert not list(place.glob("*.work"))
