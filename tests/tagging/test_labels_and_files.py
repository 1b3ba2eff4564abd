"""Renamed labels, given tags, and the command."""

import json

import numpy as np
import pytest
from test_ensembles import Says

from spanbridge import SpanbridgeError
from spanbridge.core.errors import InputError
from spanbridge.core.spans import Span
from spanbridge.tagging.base import Tagged, Tagger
from spanbridge.tagging.given import GivenTagger
from spanbridge.tagging.labels import RelabellingTagger

THREE = Says([[0, 0.9, 0, 0.1, 0, 0, 0], [0.2, 0, 0, 0, 0, 0.8, 0]], ["PER", "GPE", "MISC"])


def test_two_labels_become_one_and_another_is_dropped():
    tagger = RelabellingTagger(THREE, {"PER": "N", "GPE": "N"}, "drop")
    assert tagger.classes == ("O", "B-N", "I-N")
    [found] = tagger.tag([("x", "y")])
    np.testing.assert_allclose(found.probabilities, [[0, 1, 0], [1, 0, 0]], rtol=1e-6)
    assert [span[:3] for span in found.spans] == [(0, 1, "N")]
    assert tagger.dropped == {"MISC": 1}
    assert RelabellingTagger(tagger, {"N": "M"}).dropped == {"MISC": 1}
    assert THREE.dropped == {}
    assert tagger.describe() == "says[GPE=N,PER=N;others=drop]"


def test_others_are_kept():
    tagger = RelabellingTagger(THREE, {"PER": "P"})
    assert tagger.classes == ("O", "B-P", "I-P", "B-GPE", "I-GPE", "B-MISC", "I-MISC")
    assert [span.label for span in tagger.tag([("x", "y")])[0].spans] == ["P", "MISC"]


@pytest.mark.parametrize(
    ("mapping", "others", "why"),
    [
        ({"PER": "P"}, "error", "does not say what becomes of GPE, MISC"),
        (
            {"DATE": "D"},
            "keep",
            "no label of the tagger is named 'DATE'; there are: PER, GPE",
        ),
        ({}, "forget", "no policy is named 'forget'"),
    ],
)
def test_refusals(mapping, others, why):
    with pytest.raises(SpanbridgeError, match=why):
        RelabellingTagger(THREE, mapping, others)


class Surprises(Tagger):
    """A tagger that finds a label it never spoke of, as a pipeline with rules may."""

    classes = ("O", "B-PER", "I-PER")

    def describe(self):
        return "surprises"

    def tag(self, sentences):
        return [Tagged(len(words), (Span(0, 1, "LOC"),)) for words in sentences]


def test_a_label_that_turns_up_later():
    assert RelabellingTagger(Surprises(), {"PER": "P"}, "drop").tag([("x",)])[0].spans == ()
    with pytest.raises(SpanbridgeError, match="a span of LOC, of which the mapping says nothing"):
        RelabellingTagger(Surprises(), {"PER": "P"}, "error").tag([("x",)])


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_tagged_row_has_no_status_of_a_projection(spanbridge, tmp_path, side):
    """What was projected from other spans, or onto others, is said of these no longer."""
    row = {"source_words": ["x"], "target_words": ["Bonn", "calls"], "status": "rejected: by hand"}
    row |= {"confidence": 0.5, "provenance": "project", "explanation": ["why"], "note": 1}
    (tmp_path / "r.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    (tmp_path / "g.conll").write_text("x\tB-GPE\n\nBonn\tB-GPE\ncalls\tO\n\n", "utf-8")
    args = f"tag --source r.jsonl --tagger given --model g.conll --side {side} -o o.jsonl"
    spanbridge(*args.split())
    out = json.loads((tmp_path / "o.jsonl").read_text("utf-8"))
    assert not {"status", "confidence", "explanation"} & set(out)
    assert out.get("provenance") == ("tag" if side == "target" else None)
    assert out["note"] == 1


def test_given_tags(tmp_path):
    path = tmp_path / "g.conll"
    path.write_text("Bonn\tB-LOC\nruft\tO\n\nBonn\tO\nruft\tO\n\n", encoding="utf-8")
    tagger = GivenTagger(str(path))
    assert tagger.classes == ("O", "B-LOC", "I-LOC")
    assert tagger.licence == "unknown"
    named = GivenTagger(str(path), licence="CC-BY-4.0")
    assert RelabellingTagger(named, {"LOC": "L"}).licence == named.licence == "CC-BY-4.0"
    assert [f.tags for f in tagger.tag([["Bonn", "ruft"], []])] == [["B-LOC", "O"], []]
    with pytest.raises(SpanbridgeError, match=r"g\.conll has no tags for: Köln"):
        tagger.tag([["Köln"]])
    with pytest.raises(InputError):
        GivenTagger(str(tmp_path / "nosuch"))


@pytest.fixture
def pairs(tmp_path):
    rows = [
        {"id": "a", "source_words": ["Bonn", "calls"], "target_words": ["Bonn", "ruft"], "note": 1},
        {"id": "b", "source_words": [], "target_words": ["x"]},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "p.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "bad.conll").write_bytes(b"Bonn\tO\n\xff\tO\n\n")
    for name in ("g.conll", "h.conll"):
        (tmp_path / name).write_text("Bonn\tB-GPE\ncalls\tO\n\n", encoding="utf-8")
    return tmp_path


def test_pairs_from_the_command_line(spanbridge, pairs):
    args = "tag --source p.jsonl --tagger given --model g.conll --map GPE=LOC -o o.jsonl --json"
    run = json.loads(spanbridge(*args.split()).stdout)
    rows = [json.loads(line) for line in (pairs / "o.jsonl").read_text("utf-8").splitlines()]
    assert rows[0]["source_spans"] == [{"start": 0, "end": 1, "label": "LOC"}]
    assert (rows[0]["note"], rows[1]["id"], rows[1]["source_spans"]) == (1, "b", [])
    assert run["account"] == {
        "rows": 2,
        "status": {"empty: no span found": 1, "tagged": 1},
        "source_spans": 0,
        "target_spans": 0,
        "dropped_spans": {},
        "spans": 1,
    }
    assert "[GPE=LOC;others=keep]" in run["signature"]


def test_conll_from_the_command_line(spanbridge, pairs, tiny_tagger):
    model = tiny_tagger("bert-tagger")
    spanbridge(*f"tag --source g.conll --model {model} -o o.conll".split())
    lines = (pairs / "o.conll").read_text("utf-8").splitlines()
    assert [line.split("\t")[0] for line in lines] == ["Bonn", "calls", ""]
    assert (pairs / "o.conll.run.json").is_file()


@pytest.mark.parametrize("side", ["source", "target"])
def test_pairs_of_single_sentences(spanbridge, pairs, side):
    """As JSON lines they stand on the side that was asked for, with the probabilities."""
    args = f"tag --source g.conll --tagger given --model h.conll --side {side} -o o.jsonl"
    spanbridge(*args.split())
    row = json.loads((pairs / "o.jsonl").read_text("utf-8"))
    assert row[f"{side}_words"] == ["Bonn", "calls"]
    assert row[f"{side}_spans"] == [{"start": 0, "end": 1, "label": "GPE"}]
    assert row["target_words" if side == "source" else "source_words"] == []


NONE = "device: there is no such setting (its options: model, scheme, licence)"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("--source g.conll --model g.conll --tagger given -o o.pharaoh", "holds no spans"),
        ("--source g.conll --model g.conll --tagger given -o o --commercial", "unknown, which is"),
        ("--source g.conll --model g.conll --tagger given -o g.conll", "both input and output"),
        ("--source p.jsonl --model g.conll --tagger given --side target -o o", "has no tags for"),
        ("--source g.conll --model g.conll --tagger nosuch -o o", "no tagger is named 'nosuch'"),
        ("--source g.conll --model g.conll --tagger given --tagger-option device=cpu -o o", NONE),
        ("--source g.conll --model g.conll --tagger given --map X -o o", "--map takes OLD=NEW"),
        ("--source g.conll --model h.conll --tagger given -o h.conll", "both input and output"),
        ("--source g.conll --model g.conll --tagger given --map A=B --map A=C -o o", "OLD once"),
        ("--source g.conll --model g.conll --tagger given --map A=O -o o", "other than O"),
        ("--source g.conll --model nosuch -o o", "no local folder"),
        ("--source g.conll --model g.conll --tagger given --tagger-option x -o o", "NAME=VALUE"),
        (
            "--source g.conll --model g.conll --tagger given --others lose -o o",
            "must be 'keep', 'drop'",
        ),
        ("--source bad.conll --model g.conll --tagger given -o o", "bad.conll:2: invalid UTF-8"),
    ],
)
def test_wrong_options(spanbridge, pairs, options, why):
    before = sorted(pairs.iterdir())
    assert why in spanbridge("tag", *options.split(), code=2).stderr
    assert sorted(pairs.iterdir()) == before
