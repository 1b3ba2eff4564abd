"""Rows that go from file to file through several commands: nothing stale, nothing silent."""

import json

import pytest
import toy_pipeline as toy
from toy_bitext import dump, rows

from spanbridge.training.training_sets import Filter, read_set

PAIR = {
    "id": "a",
    "source_words": ["Ana", "lives", "in", "Lugar1"],
    "source_spans": [
        {"start": 0, "end": 1, "label": "PER"},
        {"start": 3, "end": 4, "label": "LOC"},
    ],
    "target_words": ["Ana", "vive", "en", "Lugar1"],
    "topic": "places",
}
TAGS = "Ana\tB-NEW\nvive\tO\nen\tO\nLugar1\tO\n\n"


def told(path):
    with open(f"{path}.run.json", encoding="utf-8") as file:
        return json.load(file)


def test_nothing_of_an_earlier_step_is_left(write, command, tmp_path):
    """Project, tag the target, translate: each row says what the last step did, and no more."""
    write("in.jsonl", dump(PAIR))
    write("tags.conll", TAGS)
    project = "project --source in.jsonl --method greedy --aligner lexical"
    command(*f"{project} --explain why.txt -o p.jsonl".split())
    (projected,) = rows(tmp_path / "p.jsonl")
    assert projected["provenance"] == "project"
    assert projected["status"] == "projected"
    assert projected["confidence"] > 0.5
    assert len(projected["links"]) == 2
    command(
        *"tag --source p.jsonl --side target --tagger given --model tags.conll -o t.jsonl".split()
    )
    (tagged,) = rows(tmp_path / "t.jsonl")
    assert tagged["target_spans"] == [{"start": 0, "end": 1, "label": "NEW"}]
    assert tagged["provenance"] == "tag"
    assert tagged["links"] == projected["links"]  # the words are the same
    assert not tagged.keys() & {"status", "confidence", "explanation"}
    write("new.tsv", "Ana lives in Lugar1\tAna reside allí\n")
    pipeline = {
        "input": "t.jsonl",
        "languages": {"source": "en", "target": "es"},
        "output": "new.jsonl",
        "steps": [{"translate": {"side": "source", "translator": {"given": {"model": "new.tsv"}}}}],
    }
    write("p.yaml", json.dumps(pipeline))
    command("run", "p.yaml")
    (translated,) = rows(tmp_path / "new.jsonl")
    assert translated == {
        "id": "a",
        "source_words": PAIR["source_words"],
        "source_spans": PAIR["source_spans"],
        "target_text": "Ana reside allí",
        "target_spans": [],
        "translation_status": "ok",
        "topic": "places",
    }


@pytest.mark.parametrize("first", ["tag", "project", "mark", "ensemble"])
def test_what_writes_spans_names_itself(first, write, command, tmp_path):
    """In every row, be anything found there or not."""
    empty = {**PAIR, "id": "b", "source_spans": [], "target_spans": []}
    write("in.jsonl", dump(PAIR, empty))
    write("tags.conll", TAGS)
    write("t.tsv", "[ Ana ] lives in [ Lugar1 ]\t[ Ana ] vive en [ Lugar1 ]\n")
    tagger = {"given": {"model": "tags.conll"}}
    step = {
        "tag": {"tagger": tagger, "side": "target"},
        "project": {"method": "greedy", "aligner": "lexical"},
        "mark": {"translator": {"given": {"model": "t.tsv"}}},
        "ensemble": {"tagger": tagger},
    }[first]
    pipeline = {
        "input": "in.jsonl",
        "languages": {"source": "en", "target": "es"},
        "output": "out.jsonl",
        "steps": [{first: step}],
    }
    write("p.yaml", json.dumps(pipeline))
    command("run", "p.yaml")
    found = rows(tmp_path / "out.jsonl")
    assert [row["provenance"] for row in found] == [first, first]


# --- failed translations

TEXTS = ["Pedro vive en Lugar1.", "Nadie lo tradujo.", "Ana vive. Nadie lo tradujo."]
KNOWN = "Pedro vive en Lugar1.\tPedro lives in Lugar1.\nAna vive.\tAna lives.\n"
FAILED = "failed: translation: the file has no translation of it"


def labelled_by_pipeline(write, command, steps):
    write("es.txt", "".join(f"{text}\n" for text in TEXTS))
    write("t.tsv", KNOWN)
    write(
        "en.conll",
        "Pedro\tB-PER\nlives\tO\nin\tO\nLugar1\tB-LOC\n.\tO\n\nAna\tB-PER\nlives\tO\n.\tO\n\n",
    )
    pipeline = {
        "input": "es.txt",
        "languages": toy.LANGUAGES,
        "output": "o.jsonl",
        "shard_rows": 2,
        "steps": steps,
    }
    path = write("p.yaml", json.dumps(pipeline))
    command("run", "p.yaml")
    return path.replace("p.yaml", "o.jsonl")


def test_failed_translations_are_told_and_not_learned_from(write, command):
    path = labelled_by_pipeline(write, command, toy.STEPS[1:4])
    found = rows(path)
    assert [row["status"] for row in found] == ["projected", FAILED, FAILED]
    assert [row["confidence"] for row in found[1:]] == [None, None]
    assert all(row["translation_status"].startswith("failed: the file") for row in found[1:])
    for keep in (Filter(min_score=0.5), Filter(complete=True), Filter()):
        made = read_set(path, keep=keep)
        assert len(made.sentences) == 1
        assert made.left_out == {"failed before projection": 2}
    assert told(path)["account"]["status"] == {FAILED: 2, "projected": 1}


def test_a_text_with_a_failed_sentence_is_not_learned_from(write, command):
    """Whatever became of its other sentences: there may be spans in the one that failed."""
    path = labelled_by_pipeline(write, command, toy.STEPS)
    found = rows(path)
    assert [row["target_text"] for row in found] == TEXTS
    assert found[1]["status"] == FAILED
    assert (found[2]["status"], found[2]["confidence"]) == ("projected", None)
    assert [span["label"] for span in found[2]["target_spans"]] == ["PER"]
    assert found[2]["translation_status"] == "failed: the file has no translation of it"
    for keep in (Filter(min_score=0.5), Filter(complete=True)):
        made = read_set(path, keep=keep)
        assert len(made.sentences) == 1
        assert made.left_out == {"failed before projection": 2}


def test_label_tells_of_failed_translations(write, command, tmp_path, tiny_tagger):
    write("es.txt", "".join(f"{text}\n" for text in TEXTS[:2]))
    write("t.tsv", KNOWN)
    line = "label es.txt --from es --translate --translations t.tsv --method greedy"
    model = tiny_tagger("bert-tagger")
    command(*f"{line} --aligner lexical --model {model} -o o.jsonl".split())
    found = rows(tmp_path / "o.jsonl")
    assert (found[1]["status"], found[1]["confidence"]) == (FAILED, None)
    assert found[1]["target_spans"] == []


# --- methods and their weights on the command line


def test_a_weight_is_told_and_works(write, command):
    """Two links lead to two neighbours; spelling says which one it is."""
    pair = {
        "source_words": ["Ana"],
        "source_spans": [{"start": 0, "end": 1, "label": "PER"}],
        "target_words": ["x", "Ana"],
        "links": [[0, 0], [0, 1]],
    }
    path = write("in.jsonl", dump(pair)).replace("in.jsonl", "o.jsonl")
    line = "project --source in.jsonl --method greedy --aligner lexical -o o.jsonl"
    command(*line.split())
    plain, before = rows(path), told(path)["signature"]
    command(*line.split(), "--weight", "spelling=0.2")
    assert "+0.2*spelling" in told(path)["signature"]
    assert "spelling" not in before
    command(*line.split(), "--weight", "spelling=3")
    assert [span["start"] for span in rows(path)[0]["target_spans"]] == [1]
    assert rows(path) != plain


def test_match_with_a_least_confidence(write, command):
    second = {**PAIR, "target_words": ["Ana", "x", "x", "x", "Lugarcito1"]}
    links = {"links": [[0, 0], [3, 3], [3, 4], [2, 4]]}
    path = write("in.jsonl", dump({**second, **links})).replace("in.jsonl", "o.jsonl")
    line = "project --source in.jsonl --method match --aligner lexical -o o.jsonl"
    command(*line.split())
    spans = rows(path)[0]["target_spans"]
    assert [span["label"] for span in spans] == ["PER", "LOC"]
    low, high = sorted(span["score"] for span in spans)
    assert low < high
    least = round((low + high) / 2, 4)
    command(*line.split(), "--min-confidence", least)
    assert [span["score"] for span in rows(path)[0]["target_spans"]] == [high]
    assert told(path)["account"]["dropped_spans"] == {"confidence below the minimum": 1}
    assert f"|min_confidence:{least!r}|" in told(path)["signature"]
    done = command(*line.split(), "--min-confidence", 0.999, code=2)
    assert "leaves nothing: 'match' is never surer than" in done.stderr


# --- licences

TRANSLATE = "translate --source es.txt --from es --to en --translator given --translations t.tsv"
TAG = "tag --source es.txt --tagger given --model en.conll"


@pytest.mark.parametrize(
    ("line", "kind", "option"),
    [
        (TRANSLATE, "translator", "--translator-option"),
        (TAG, "tagger", "--tagger-option"),
    ],
)
def test_commercial_use_wants_a_licence(write, command, tmp_path, line, kind, option):
    write("es.txt", "Ana vive .\n")
    write("t.tsv", "Ana vive .\tAna lives .\n")
    write("en.conll", "Ana\tB-PER\nvive\tO\n.\tO\n\n")
    words = [*line.split(), "-o", "o.jsonl", "--commercial"]
    done = command(*words, code=2)
    assert f"the licence of the {kind} given is unknown, which is not known to allow" in done.stderr
    assert not list(tmp_path.glob("o.jsonl*"))
    done = command(*words, option, "licence=cc-by-nc-4.0", code=2)
    assert "cc-by-nc-4.0, which is not known to allow" in done.stderr
    done = command(*words, option, "licence=CC-BY-4.0")
    assert f"licence of the {kind}: CC-BY-4.0" in done.stderr
    assert len(rows(tmp_path / "o.jsonl")) == 1
    command(*words[:-1])  # which nobody asked for


def test_commercial_use_of_a_checkpoint_of_unknown_licence(
    write, command, tmp_path, tiny_tagger, cache
):
    write("es.txt", "Ana vive .\n")
    line = f"tag --source es.txt --model {tiny_tagger('bert-tagger')} -o o.jsonl"
    done = command(*line.split(), "--commercial", code=2)
    assert "the licence of the tagger checkpoint is unknown" in done.stderr
    command(*line.split())
    assert len(rows(tmp_path / "o.jsonl")) == 1
