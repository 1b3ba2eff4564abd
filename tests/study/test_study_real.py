"""Studies of real data against the benchmarks, which call the package by themselves."""

from pathlib import Path

import pytest

from benchmarks import translated
from spanbridge.core import registry
from spanbridge.core.settings_file import write_settings
from spanbridge.study.plan import make_plan
from spanbridge.study.predictions import check_predictions
from spanbridge.study.stages import CellTask
from spanbridge.study.study import run_study
from spanbridge.study.study_file import read_study

LINKS = {"align": {"aligner": "encoder"}}
SYSTEMS = {
    "no translation": [{"tag": {"side": "target"}}],
    "heuristic": ["tag", LINKS, {"project": {"method": "heuristic", "links": "only"}}],
    "soft": ["tag", {"project": {"method": "soft", "aligner": "encoder"}}],
    "corpus, fused aligner": ["tag", {"project": {"method": "corpus", "aligner": "fused"}}],
}


@pytest.mark.slow
def test_human_translations_as_in_the_benchmark(tmp_path, real_data, monkeypatch):
    """To the entity: gold, found, right, of every way."""
    monkeypatch.setenv("SPANBRIDGE_DATA", str(real_data))
    data = {"dataset": "masakhaner2-parallel", "languages": ["bam"], "source": "fr"}
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
    expected = translated.scores("bam", registry.build("tagger", "embedded", {}), 40)
    for result, name in zip(outcome.results, SYSTEMS, strict=True):
        micro, own = result.record["scores"]["micro"], expected[name]
        found = micro["support"], micro["predicted"], micro["tp"]
        assert found == (own.support, own.predicted, own.tp), name


def test_entries_of_the_leaderboard_fit_its_texts(real_data, monkeypatch):
    """Those of one data set; `spanbridge study studies/leaderboard.yaml --check` looks at all."""
    monkeypatch.setenv("SPANBRIDGE_DATA", str(real_data))
    monkeypatch.chdir(Path(translated.__file__).parents[1])
    tasks = make_plan(read_study("studies/leaderboard.yaml")).tasks.values()
    cells = [one for one in tasks if isinstance(one, CellTask) and one.predictions is not None]
    looked_at = [one for one in cells if one.data.title in ("xsid.dev.tr", "xsid.dev.zh")]
    assert looked_at
    for one in looked_at:
        assert one.predictions is not None
        assert not list(check_predictions(one.data.input.rows(), one.predictions, one.scores))
