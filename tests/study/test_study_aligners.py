"""Published aligners in studies: one line each, with the languages of the cell."""

import json

import pytest
import tiny_checkpoints
import tiny_translators
import toy_study as toy

from spanbridge.study.study import run_study


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Tiny checkpoints of the architectures of mBERT and NLLB-200."""
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "cache"))
    bert = tiny_checkpoints.save(tmp_path / "bert", "bert")
    return bert, tiny_translators.save_encoder(tmp_path / "nllb", "nllb")


@pytest.mark.slow
def test_aligners_by_name(tmp_path, models):
    bert, nllb = map(str, models)
    languages = {"source_language": "{source}", "target_language": "{language}"}
    aligners = {
        "simalign": {"encoder": bert, "layer": 2},
        "awesome": {"encoder": bert, "layer": 2},
        "labse": {"encoder": bert, "layer": 2},
        "transalign": {**languages, "encoder": nllb, "adapter": "none", "layer": 2},
    }
    systems = {
        name: {"steps": toy.translated(tmp_path, "heuristic", aligner={name: options})}
        for name, options in aligners.items()
    }
    assert run_study(toy.study(tmp_path, systems=systems)).sound
    rows = [
        json.loads(line)
        for line in (tmp_path / "out" / "results.jsonl").read_text("utf-8").splitlines()
    ]
    told = {(row["language"], row["system"]): row["signature"] for row in rows}
    assert len(told) == 8
    for language in ("de", "es"):
        assert "transalign(encoder(nllb@" in told[language, "transalign"]
        assert f",en-{language})" in told[language, "transalign"]
        for name in ("simalign", "awesome", "labse"):
            assert "encoder(bert@" in told[language, name]
    assert len({told["de", name] for name in aligners}) == 4
