"""label as a user gives it: raw text in, entities out, by each route."""

import json

import pytest

from spanbridge import api
from spanbridge.core.records import read_record

TEXT = "Pedro vive en  Madrid 😀. Ana no. #Madrid https://x.org/Madrid\n\n我在北京和 Rome。\n"
TRANSLATED = "Pedro vive en Madrid.\tPedro lives in Madrid.\nAna, no.\tAna, no.\n"
LEXICAL = "--method greedy --aligner lexical"
GIVEN = f"--from es --translations t.tsv {LEXICAL}"


def found(row):
    text = row["target_text"]
    return [(text[s["start"] : s["end"]], s["label"]) for s in row["target_spans"]]


@pytest.fixture
def rows(tmp_path):
    return lambda name="o.jsonl": [
        json.loads(line) for line in (tmp_path / name).read_text("utf-8").splitlines()
    ]


@pytest.fixture
def place(tmp_path):
    for name, text in (
        ("posts.txt", TEXT),
        ("es.txt", "Pedro vive en Madrid. Ana, no.\nAna y Roma.\n"),
        ("t.tsv", TRANSLATED),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


WHOLE = [
    [("Pedro", "PER"), ("Madrid", "LOC"), ("Ana", "PER"), ("Madrid", "LOC")],  # not in the address
    [],
    [("北京", "LOC"), ("Rome", "LOC")],
]


def test_one_command_without_options(command, place, rows):
    done = command(*"label posts.txt -o o.jsonl".split())
    assert done.stderr.splitlines()[0].startswith("route direct: the tagger reads the text itself")
    assert done.stderr.count("route ") == 1
    assert [row["target_text"] for row in rows()] == TEXT.split("\n")[:-1]
    assert [found(row) for row in rows()] == WHOLE
    signature = read_record(place / "o.jsonl.run.json", "")["signature"]
    assert "tag:tagger=names,side=target" in signature.replace("-tag", "tag")
    assert "auto" not in signature
    first = (place / "o.jsonl").read_bytes()
    assert command(*"label posts.txt -q -o q.jsonl --shard-rows 1".split()).stderr == ""
    assert (place / "q.jsonl").read_bytes() == first
    shown = command(*"label posts.txt -o p.jsonl --show-config".split()).stdout
    (place / "p.yaml").write_text(shown, "utf-8")
    command("run", "p.yaml")
    assert (place / "p.jsonl").read_bytes() == first
    result = api.label(TEXT.split("\n")[:-1])
    result.save(place / "python.jsonl")
    assert (place / "python.jsonl").read_bytes() == first
    assert result.signature == signature


@pytest.mark.parametrize(
    ("name", "text", "flags"),
    [
        (
            "p.jsonl",
            '{"id": "a", "text": "Pedro\\nAna 👩‍👩‍👧 Madrid", "likes": 3}\n'
            '{"id": "b", "text": "", "likes": 4}\n',
            "",
        ),
        ("p.csv", 'id,tweet,likes\na,"Pedro\nAna 👩‍👩‍👧 Madrid",3\nb,,4\n', "--text-column tweet"),
        (
            "p.tsv",
            "id\ttweet\tlikes\na\tPedro Ana 😀 Madrid\t3\nb\t\t4\n",
            "--text-column tweet",
        ),
    ],
)
def test_rows_with_ids(command, place, rows, name, text, flags):
    (place / name).write_text(text, "utf-8")
    command(*f"label {name} {flags} -o o.jsonl".split())
    first, second = rows()
    assert [(row["id"], int(row["likes"])) for row in (first, second)] == [("a", 3), ("b", 4)]
    assert found(first) == [("Pedro", "PER"), ("Ana", "PER"), ("Madrid", "LOC")]
    assert second["target_text"] == ""


def test_standard_streams(spanbridge):
    done = spanbridge(*"label - -o -".split(), stdin="Ana vive.\nNada.\n")
    assert [found(json.loads(line)) for line in done.stdout.splitlines()] == [[("Ana", "PER")], []]
    assert done.stderr.startswith("route direct")


def test_text_that_was_encoded_twice(command, place, rows):
    twice = "Ana vive en España".encode().decode("cp1252")
    (place / "m.txt").write_text(f"{twice}\n", "utf-8")
    said = command(*"label m.txt -o o.jsonl".split()).stderr
    assert "note: m.txt looks encoded twice, as 'EspaÃ±a' does: it is repaired for the work" in said
    assert rows()[0]["target_text"] == twice
    assert found(rows()[0]) == [("Ana", "PER"), ("EspaÃ±a", "LOC")]
    repaired = (place / "o.jsonl").read_bytes()
    api.label([twice]).save(place / "python.jsonl")
    assert (place / "python.jsonl").read_bytes() == repaired
    assert "note: m.txt" not in command(*"label m.txt --repair -o o.jsonl".split()).stderr
    assert (place / "o.jsonl").read_bytes() == repaired
    said = command(*"label m.txt --no-repair -o o.jsonl".split()).stderr
    assert "note: m.txt" not in said
    assert "look encoded twice" in said
    assert found(rows()[0]) == [("Ana", "PER")]


def test_given_translations_are_looked_up_as_texts_stand(command, place, rows):
    twice = "Ana vive en España".encode().decode("cp1252")
    (place / "m.txt").write_text(f"{twice}\n", "utf-8")
    (place / "t.tsv").write_text(f"{twice}\tAna lives in Spain\n", "utf-8")
    command(*f"label m.txt --translate {GIVEN} -o o.jsonl".split())
    assert rows()[0]["translation_status"] == "ok"
    assert found(rows()[0]) == [("Ana", "PER")]


def test_translate(command, place, rows):
    done = command(*f"label es.txt --translate {GIVEN} -o o.jsonl".split())
    assert "route translate" not in done.stderr  # as asked
    first, second = rows()
    assert found(first) == [("Pedro", "PER"), ("Madrid", "LOC"), ("Ana", "PER")]
    assert first["source_text"] == "Pedro lives in Madrid. Ana, no."
    assert first["target_spans"][0]["score"] < 0.9
    assert (found(second), second["status"][:7]) == ([], "failed:")


def test_ensemble(command, place, rows):
    command(*f"label es.txt --ensemble {GIVEN} -o o.jsonl".split())
    first, second = rows()
    assert found(first) == [("Pedro", "PER"), ("Madrid", "LOC"), ("Ana", "PER")]
    assert found(second) == [("Ana", "PER"), ("Roma", "LOC")]  # the text's tagger alone
    assert second["translation_status"].startswith("failed: ")
    told = {"method": "greedy", "aligner": "lexical", "route": "ensemble"}
    given = {"given": {"model": str(place / "t.tsv")}}
    texts = (place / "es.txt").read_text("utf-8").splitlines()
    api.label(texts, "es", translator=given, **told).save(place / "python.jsonl")
    assert (place / "python.jsonl").read_bytes() == (place / "o.jsonl").read_bytes()


def test_auto_with_translations(command, place, rows):
    done = command(*f"label es.txt {GIVEN} -o o.jsonl".split())
    assert done.stderr.splitlines()[0].startswith("route ensemble: ")
    assert "by given" in done.stderr.splitlines()[0]
    assert "ensemble" in read_record(place / "o.jsonl.run.json", "")["signature"]


def test_min_confidence_by_each_route(command, place, rows):
    for bound, n_spans in (("0.5", 3), ("0.92", 0)):
        for flags in ("", f"--ensemble {GIVEN}", f"--translate {GIVEN}"):
            command(*f"label es.txt {flags} --min-confidence {bound} -o o.jsonl".split())
            spans = rows()[0]["target_spans"]
            assert all(span["score"] >= float(bound) for span in spans)
            assert len(spans) == n_spans or "--translate" in flags


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("--translate", "needs to know the text's language; name it with --from"),
        ("--translator apertium", "needs to know the text's language; name it with --from"),
        ("--method soft", "name it with --from"),
        ("--route direct --method soft", "direct translates nothing; leave --method out"),
        ("--translate --ensemble", "translate and ensemble are two routes; name one"),
        ("--route direct --ensemble", "ensemble and direct are two routes"),
        ("--translate --from es --text-model m --translations t.tsv", "goes with --ensemble"),
        ("--from xx", "'xx' is no language code"),
        ("--translator given --from es", "--translator given and --translations FILE go together"),
        ("--model nosuch", "nosuch"),
    ],
)
def test_what_is_wrong(command, place, line, why):
    done = command(*f"label es.txt {line} -o o.jsonl".split(), code=2)
    assert why in done.stderr
    assert not (place / "o.jsonl").exists()


def test_no_translator_is_installed(command, place, none_installed):
    done = command(*"label es.txt --from es --translate -o o.jsonl".split(), code=2)
    assert "no translator from es to en is installed; take Apertium (apt install" in done.stderr
    done = command(*"label es.txt --from es -o o.jsonl".split())
    assert "no translator from es to en is installed" in done.stderr.splitlines()[0]


def test_the_embedded_tagger_is_the_default_everywhere(command, place, rows):
    command(*"tag --source es.txt --side target -o o.jsonl".split())
    assert found(rows()[1]) == [("Ana", "PER"), ("Roma", "LOC")]
    command(*"tag --source es.txt --min-score 0.95 -o o.jsonl".split())
    assert rows()[1]["source_spans"] == []
    steps = "input: es.txt\noutput: p.jsonl\nsteps: [{tag: {side: target}}]\n"
    (place / "p.yaml").write_text(steps, "utf-8")
    command("run", "p.yaml")
    assert found(rows("p.jsonl")[1]) == [("Ana", "PER"), ("Roma", "LOC")]
    assert len(api.tag(api.as_rows(["Ana y Roma."]), side="target")[0].target.spans) == 2


def test_data_from_raw_text(command, place, rows):
    done = command(*f"make-data es.txt {GIVEN} --to en -o d".split())
    assert "es.txt has no labels: its entities are found by a tagger" in done.stderr
    (place / "en.jsonl").write_text('{"text": "Pedro vive en Madrid."}\n', "utf-8")
    command(*f"make-data en.jsonl {GIVEN} --to en -o d".split())
    (row,) = rows("d/train.jsonl")
    assert [s["label"] for s in row["source_spans"]] == ["PER", "LOC"]
    assert found(row) == [("Pedro", "PER"), ("Madrid", "LOC")]
    (place / "en.conll").write_text("Ana\tB-PER\n\n", "utf-8")
    done = command(*f"make-data en.conll {GIVEN} --to en --model m -o e".split(), code=2)
    assert "en.conll has labels, so that --model has nothing to do" in done.stderr
