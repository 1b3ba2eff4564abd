"""Benchmarks that fit something run: confidences, the advice on routes, taggers."""

import hashlib
import json
import re

import numpy as np
import pytest
import tiny_checkpoints
from benchmarks.real_data import europarl
from printed import is_share, row

from benchmarks import advice, calibration, training
from spanbridge import Projector
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.projection.confidence import CALIBRATIONS


@pytest.mark.slow
def test_calibration(capsys):
    calibration.main(["match"], ["en-de", "xsid-ja", "relx-tr", "mabsa-ko"], rows=30)
    printed = capsys.readouterr().out
    [made] = re.findall(r'    "match": (Calibration\(.*\)),', printed)
    made = eval(made, {"Calibration": calibration.Calibration})
    assert len(made.weights) == len(CALIBRATIONS["match"].weights)
    assert min(made.weights) >= 0
    [like] = re.findall(r"LIKE = (Domain\(.*\))", printed)
    assert eval(like, {"Domain": calibration.Domain}).words.keys() >= {"HIRAGANA", "LATIN"}
    assert "FITTED_ON: 3 kinds, 3 languages" in printed  # links know no particles: no Korean
    n_spans, *cells = row(printed, "xsid-ja")
    assert n_spans > 10
    assert all(map(is_share, cells))


def test_calibration_sees_what_the_confidence_comes_from():
    """The features of every projected span, through the same curve, give the spans' scores."""
    pairs = [
        pair
        for pair in europarl("en", "de")[:20]
        if calibration.labels(pair, "source") == calibration.labels(pair, "target")
    ]
    encoder = EncoderAligner()
    seen = calibration.observe("greedy", pairs, encoder, set(range(len(pairs))))
    found = Projector("greedy", encoder).run(pairs)
    scores = [span.score for pair in found for span in pair.target.spans]
    curve = CALIBRATIONS["greedy"]
    assert len(scores) > 5
    assert calibration.apply([curve.intercept, *curve.weights], seen.features) == pytest.approx(
        scores
    )


def test_calibration_of_what_was_left_out():
    """Two kinds of sets: of one, the other's share is said; and the width beyond chance."""

    def observed(right, script="LATIN"):
        n = len(right)
        traits = [calibration.Traits(("LATIN", script), 5, 1, 1.0)] * n
        rest = np.array(right), np.zeros(n, int), 0, 0
        return calibration.Observed(np.zeros((n, 1)), np.array(right), np.arange(n), traits, *rest)

    sets = {"en-de": observed([True] * 30 + [False] * 10), "absa-es": observed([True, False] * 20)}
    judged = calibration.left_out(sets, calibration.kind)
    assert judged["en-de"].p == pytest.approx(0.5, abs=1e-3)
    assert judged["absa-es"].p == pytest.approx(0.75, abs=1e-3)
    assert judged["en-de"].like.all()
    assert calibration.precision(judged["en-de"].p, judged["en-de"].right) == (1.0, 0.0)
    at, error = calibration.offset(judged["en-de"].p, judged["en-de"].right)
    assert at == pytest.approx(np.log(3), abs=0.1)  # from odds of 1 to odds of 3
    assert error == pytest.approx((40 * 0.75 * 0.25) ** -0.5, abs=0.05)
    assert calibration.width(judged.values()) == pytest.approx((at**2 - error**2) ** 0.5, abs=0.1)
    sets["xsid-ar"] = observed([True] * 40, "ARABIC")
    assert not calibration.left_out(sets, calibration.kind)["xsid-ar"].like.any()


@pytest.mark.slow
def test_training(capsys, tmp_path):
    encoder = str(tiny_checkpoints.save(tmp_path / "encoder", "distilbert"))
    options = ("--encoder", encoder, "--epochs", "1", "--frozen-layers", "0", "--threads", "1")
    training.main(["recipes"], training.Bench(tmp_path / "bench", 8, options))
    printed = capsys.readouterr().out
    for name in ("make tagger", "all layers, decay .9"):
        *scores, minutes = row(printed, name)
        assert len(scores) == 5
        assert all(map(is_share, scores))
        assert minutes < 10


def cell(system, rows, f1, **others):
    """A line of a study's results."""
    tagger = "tagger=embedded(e5,layer=12)"
    return {
        "system": system,
        "dataset": "masakhaner2-parallel",
        "split": "dev",
        "language": "twi",
        "perturbation": None,
        "status": "done",
        "coverage": {"pieces": 2.2},
        "signature": f"task:pipeline|1-translate:translator=x(1)|2-tag:{tagger}|3-project:method=y",
        "scores": {
            "rows": rows,
            "per_label": {"PER": {}},
            "interval": {"f1": f1, "low": f1 - 0.1, "high": f1 + 0.1},
        },
        **others,
    }


def test_advice(monkeypatch, capsys, tmp_path):
    """The table has the routes of studies, of each text those over most rows."""
    published = advice.FOLDER
    monkeypatch.setattr(advice, "FOLDER", tmp_path)
    monkeypatch.setattr(advice, "published", lambda: iter([{"language": "tw"}]))
    head = "language,data,rows,route,translator,f1,low,high,pieces,tagger"
    old = ["bm,MasakhaNER2 dev,9,direct,,0.400,0.300,0.500,2.300,00000000"]
    old += ["tw,MasakhaNER2 dev with translations,9,direct,,0.400,0.300,0.500,2.300,00000000"]
    (tmp_path / "measured.csv").write_text("\n".join([head, *old]) + "\n")
    cells = [
        cell("direct", 100, 0.5),
        cell("translate+x", 100, 0.6),
        cell("heuristic", 100, 0.9),
        cell("direct", 100, 0.9, perturbation="typos"),
        cell("ensemble", 100, 0.9, status="failed"),
        cell("direct", 5, 0.9, language="bam", dataset="masakhaner2"),
    ]
    study = tmp_path / "studies" / "a.study"
    study.mkdir(parents=True)
    (study / "results.jsonl").write_text("\n".join(map(json.dumps, cells)) + "\n")
    advice.main(str(tmp_path / "studies"))
    assert len(capsys.readouterr().out.splitlines()) == 3
    first, *rows = (tmp_path / "measured.csv").read_text().splitlines()
    assert first == head == (published / "measured.csv").read_text().splitlines()[0]
    name = "tw,MasakhaNER2 dev with translations,100"
    digest = hashlib.sha256(b"embedded(e5,layer=12)").hexdigest()[:8]
    assert rows == [
        old[0],
        f"{name},direct,,0.500,0.400,0.600,2.200,{digest}",
        f"{name},translate,x,0.600,0.500,0.700,2.200,{digest}",
    ]
    with pytest.raises(SystemExit, match="no results are below"):
        advice.main(str(tmp_path / "none"))
