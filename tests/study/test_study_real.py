"""Studies of real data against the benchmarks, which call the package by themselves."""

import pytest

from benchmarks import translated
from spanbridge.core import registry
from spanbridge.core.settings_file import write_settings
from spanbridge.study.study import run_study

LINKS = {"align": {"aligner": "encoder"}}
SYSTEMS = {
    "no translation": [{"tag": {"side": "target"}}],
    "heuristic": ["tag", LINKS, {"project": {"method": "heuristic", "links": "only"}}],
    "soft": ["tag", {"project": {"method": "soft", "aligner": "encoder"}}],
    "corpus, fused aligner": ["tag", {"project": {"method": "corpus", "aligner": "fused"}}],
}


@pytest.mark.slow
@pytest.mark.parametrize(("language", "source"), [("bam", "fr"), ("twi", "en")])
def test_human_translations_as_in_the_benchmark(tmp_path, real_data, monkeypatch, language, source):
    """To the entity: gold, found, right, of every way."""
    monkeypatch.setenv("SPANBRIDGE_DATA", str(real_data))
    data = {"dataset": "masakhaner2-parallel", "languages": [language], "source": source}
    path = tmp_path / "study.yaml"
    settings = {
        "data": [{**data, "split": "dev", "rows": 40, "coarse": True}],
        "systems": {
            name.replace(" ", "-").replace(",", ""): {"steps": s} for name, s in SYSTEMS.items()
        },
        "scores": {"resamples": 100},
    }
    path.write_text(write_settings(settings), encoding="utf-8")
    outcome = run_study(str(path))
    assert outcome.sound, outcome.text()
    expected = translated.scores(language, registry.build("tagger", "embedded", {}), 40)
    for result, name in zip(outcome.results, SYSTEMS, strict=True):
        micro, own = result.record["scores"]["micro"], expected[name]
        found = micro["support"], micro["predicted"], micro["tp"]
        assert found == (own.support, own.predicted, own.tp), name
