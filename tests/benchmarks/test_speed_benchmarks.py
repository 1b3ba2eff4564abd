"""Benchmarks of speed and memory run, in very small: each prints the rows that it promises."""

import math

import pytest
from benchmarks.real_data import news
from printed import is_share, row

from benchmarks import (
    encoding,
    engines,
    rungs,
    runner,
    scale,
    shards,
    simulation,
    solving,
    speed,
    tagging,
    throughput,
)
from spanbridge.cli.main import cli


@pytest.fixture
def short(monkeypatch):
    """Short sentences for the paper's programme, and a small matrix for the processor's peak."""
    monkeypatch.setattr(solving, "PAPER_WORDS", 12)
    monkeypatch.setattr(speed, "PAPER_WORDS", 12)
    monkeypatch.setattr(encoding, "PRODUCT", 256)


@pytest.mark.slow
def test_speed(capsys, short):
    speed.main(1, sentences=8, streamed=30, turns=1, per_turn=2, rows=12)
    printed = capsys.readouterr().out
    for name in (
        *("paper's, any length, plain", "greedy, any length", "greedy, <= 10 words"),
        *("exact, any length", "heuristic, plain", "greedy, 30 pairs, files to files"),
        *("HiGHS, tight programme", "simalign, torch float32", "spanbridge argmax, int8  "),
        *("spanbridge evidence, int8 (default)", "corpus, second pass"),
    ):
        assert row(printed, name)[0] > 0
    assert "8 of 8 as paper" in printed
    assert "8 of 8 optima as HiGHS" in printed


@pytest.mark.slow
def test_solving(capsys, short):
    solving.main(sentences=8, drawn=1)
    printed = capsys.readouterr().out
    assert "WRONG" not in printed
    for name in ("en-de, tight  ", "random  ", "random, exactly 2"):
        n, *times = row(printed, name)
        assert n in (1, 8)
        assert all(math.isfinite(x) and x >= 0 for x in times)


def test_scale(capsys):
    scale.main([20], aligner="lexical")
    n, seconds, _, peak = row(capsys.readouterr().out, "lexical")
    assert n == 20
    assert 0 < seconds < 600
    assert peak > 20


@pytest.mark.slow
def test_shards(capsys):
    shards.main([40])
    _, seconds, _, peak, size = row(capsys.readouterr().out, f"{40:>15}")
    assert 0 < seconds < 600
    assert peak > 20
    assert size > 0


@pytest.mark.slow
def test_runner(capsys):
    runner.main([1, 2], rows_each=40)
    seconds, each, added = row(capsys.readouterr().out, f"{2:>18}")
    assert 0 <= seconds < 600
    assert each > 0
    assert added


@pytest.mark.slow
def test_simulation(capsys, monkeypatch):
    monkeypatch.setattr(simulation, "LARGE", 10)
    simulation.main([4], [3])
    printed = capsys.readouterr().out
    for name in simulation.PARTS.values():
        seconds, peak, times = row(printed, name)
        assert 0 <= seconds < 600
        assert 20 < peak < 5000
        assert times == 1
    n, looks, in_vain, at_work, _ = row(printed, f"{3:>10}")
    assert n == 2000
    assert looks >= 3  # each of three sees each at least once
    assert 0 < in_vain < 3
    assert 0.9 < at_work <= 1
    for name in ("read and cut", "write the output", "cores at 10 ms"):
        assert row(printed, name)[-1] >= 0


@pytest.mark.slow
def test_throughput(capsys):
    throughput.main(["evaluate", "view"], rows=40)
    printed = capsys.readouterr().out
    assert "cores of which one is used" in printed
    for name in ("evaluate ", "view "):
        rows, speed_, used, peak = row(printed, name)
        assert rows == 40
        assert 0 < used < 600
        assert rows / speed_ == pytest.approx(used, rel=0.2, abs=0.06)
        assert 20 < peak < 5000
    assert len(printed.splitlines()) == 4


def test_throughput_names_every_command_that_works_on_rows():
    left = {"advise", "completion", "data", "demo", "doctor", "guidelines", "review", "study"}
    assert set(throughput.NAMES) == set(cli.list_commands(None)) - left


@pytest.mark.slow
def test_rungs(capsys, monkeypatch):
    """Ours and another, each in a process of its own; those that have to be installed are not."""
    few = {name: rungs.WAYS[name] for name in ("simalign, n-grams", "fastest")}
    monkeypatch.setattr(rungs, "WAYS", few)
    rungs.main(rows=8)
    printed = capsys.readouterr().out
    for name in few:
        speed_, ratio, score, growth, of_floor, learning = row(printed, f"{name} ")
        assert speed_ > 0
        assert ratio == 1 or name != "simalign, n-grams"
        assert is_share(score)
        assert growth > 0
        assert of_floor > 0
        assert learning >= 0


@pytest.mark.slow
def test_engines(capsys, monkeypatch):
    """Our own engine, in both types; the others have to be installed."""
    ours = {f"CTranslate2 {kind}": engines.ctranslate2(kind) for kind in ("float32", "int8")}
    monkeypatch.setattr(engines, "exported", lambda folder: folder)
    monkeypatch.setattr(engines, "engines", lambda _: ours)
    engines.table(rows=4)
    printed = capsys.readouterr().out
    together, alone, cosine = row(printed, "CTranslate2 float32")
    assert min(together, alone) > 0
    assert cosine == pytest.approx(1, abs=1e-4)
    assert 0.99 < row(printed, "CTranslate2 int8")[-1] < 1
    # whoever gives other bytes alone would make results depend on the batch
    assert " yes " in next(line for line in printed.splitlines() if " int8 " in line)


@pytest.mark.slow
def test_tagging(capsys, tagger, monkeypatch):
    # transformers' pipeline takes no more subwords than the model has positions
    few = [sentence for sentence in news("en", "dev") if len(sentence.words) < 8]
    monkeypatch.setattr(tagging, "news", lambda *_: few)
    tagging.main(tagger, rows=8, turns=1, per_turn=4)
    printed = capsys.readouterr().out
    speed_, _, _, same, _ = row(printed, "float32  ")
    assert speed_ > 0
    assert same == 100
    assert row(printed, "transformers' pipeline")[-1] == 1
