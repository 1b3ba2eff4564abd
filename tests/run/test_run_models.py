"""Whole pipelines with the real architectures, on tiny checkpoints from local folders.

What comes out is noise; that every row comes out, twice the same, is what is checked.
"""

import pytest
import tiny_checkpoints
import tiny_translators
import toy_pipeline as toy
from toy_bitext import rows

TEXT = [
    "the president came to Berlin. she said that",
    "",
    "Madrid",
    "it would take place on Monday",
]


@pytest.fixture
def place(tmp_path):
    (tmp_path / "in.txt").write_text("\n".join(TEXT) + "\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "kind", ["nllb", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("m2m", "marian"))]
)
def test_translator_tagger_and_encoder_by_folder(place, kind, tiny_tagger):
    translator = {"neural": {"model": str(tiny_translators.save(place / kind, kind)), "beam": 1}}
    encoder = str(tiny_checkpoints.save(place / "xlmr", "xlm-roberta"))
    tagger = {"checkpoint": {"model": str(tiny_tagger("xlm-roberta-tagger"))}}
    helped = {"method": {"match": {"solver": "exact", "candidates": "tagger"}}, "tagger": tagger}
    if kind != "marian":  # which does not know a language's translation into itself
        weights = {"translation": 0.5, "ner": 1}
        helped |= {"translator": translator, "weights": weights, "method": {"match": {}}}
    by_encoder = {"aligner": {"encoder": {"encoder": encoder, "layer": 1}}}
    pipeline = {
        "input": str(place / "in.txt"),
        "languages": {"target": "es", "source": "en"},
        "output": str(place / "o.jsonl"),
        "steps": [
            "split",
            {"translate": {"translator": translator}},
            {"tag": {"tagger": tagger}},
            {"back-translate": {"translator": translator, "style": "xml"}},
            {"project": {**helped, **by_encoder}},
            {"project": {"method": "soft", "links": "anew", **by_encoder}},
            {"ensemble": {"tagger": tagger}},
            "join",
        ],
    }
    done, reports = toy.run(pipeline)
    licence = {"nllb": "cc-by-nc-4.0", "m2m": "mit", "marian": "unknown"}[kind]
    assert reports[2].licences == {"translator": licence}
    found = rows(place / "o.jsonl")
    assert [row["target_text"] for row in found] == TEXT
    first = (place / "o.jsonl").read_bytes()
    again = {**pipeline, "work": str(place / "other"), "shard_rows": 1}
    done_again, _ = toy.run(again)
    assert (place / "o.jsonl").read_bytes() == first
    assert done_again.signature == done.signature


def test_commercial_use_is_refused_by_name(place, command, tiny_tagger):
    folder = tiny_translators.save(place / "nllb", "nllb")
    line = "label in.txt --from es --translator neural --commercial -o o.jsonl"
    done = command(
        *line.split(),
        "--translator-model",
        folder,
        "--model",
        tiny_tagger("xlm-roberta-tagger"),
        code=2,
    )
    assert "cc-by-nc-4.0, which is not known to allow commercial use; Apertium" in done.stderr


@pytest.mark.slow
def test_chinese_is_read_in_words(place, command, tiny_tagger):
    (place / "zh.txt").write_text("默克尔在北京。\n", encoding="utf-8")
    (place / "t.tsv").write_text("默克尔在北京。\tMerkel in Beijing.\n", encoding="utf-8")
    model = tiny_tagger("bert-tagger")
    common = f"--from zh --translator given --translations t.tsv --model {model}"
    shown = command(*f"label zh.txt {common} -o o.jsonl --show-config".split()).stdout
    assert "- segment\n" in shown
    plain = command(*f"label zh.txt {common} -o o.jsonl --show-config --no-segment".split())
    assert "segment" not in plain.stdout
    command(*f"label zh.txt {common} --method greedy --aligner lexical -o o.jsonl".split())
    (row,) = rows(place / "o.jsonl")
    assert row["target_text"] == "默克尔在北京。"
    assert "target_words" not in row
