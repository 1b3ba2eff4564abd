"""Every benchmark runs, in very small: each prints the rows that it promises, with numbers."""

import hashlib
import json
import math
import re

import numpy as np
import pytest
import tiny_checkpoints
from benchmarks.real_data import DIRECTIONS, PAIR_SETS, europarl, gold_pairs, language_of, news

from benchmarks import (
    accuracy,
    advice,
    calibration,
    corrections,
    encoding,
    engines,
    ladder,
    refine,
    rivals,
    routes,
    rungs,
    runner,
    scale,
    shards,
    simulation,
    solving,
    speed,
    tagging,
    throughput,
    training,
    translated,
    weights,
)
from spanbridge import Projector
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.cli.main import cli
from spanbridge.core.errors import MissingExtraError, SpanbridgeError
from spanbridge.projection.confidence import CALIBRATIONS
from spanbridge.translation.base import UnsupportedPairError

NUMBER = re.compile(r"(?<![\w.-])-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?(?![\w.])")


def row(printed: str, start: str) -> list[float]:
    """The numbers of the only line that begins so."""
    [line] = [line for line in printed.splitlines() if line.startswith(start)]
    return [float(x.replace(",", "")) for x in NUMBER.findall(line.removeprefix(start))]


def is_share(value: float) -> bool:
    return 0 <= value <= 1


@pytest.fixture(autouse=True)
def needed(real_data, monkeypatch):
    """Real data for the benchmarks."""
    monkeypatch.setenv("SPANBRIDGE_DATA", str(real_data))


@pytest.fixture
def tagger(tiny_tagger, monkeypatch, tmp_path):
    """The folder of a tagger that knows nothing."""
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "cache"))
    return str(tiny_tagger("bert-tagger"))


@pytest.mark.slow
def test_gold_pairs():
    """Words or raw text, spans on both sides; each set has its file."""
    for name in PAIR_SETS:
        if name not in DIRECTIONS:
            pairs = gold_pairs(name)
            assert len(pairs) >= 100, name
            assert all(pair.source.words and pair.target.words for pair in pairs), name
            assert sum(len(pair.target.spans) for pair in pairs) > 100, name
            assert language_of(name) in ("ar de es fr gsw hi id it ja kk ko ru sw tr zh").split()


@pytest.mark.slow
def test_accuracy(capsys):
    accuracy.main(["en-de"], rows=30, methods=["corpus", "greedy"])
    printed = capsys.readouterr().out
    for name in ("corpus        fused    ", "corpus        statistical", "greedy        lexical"):
        [f1] = row(printed, name)
        assert is_share(f1)
    [best] = row(printed, "corpus        fused    ")
    assert best > 0.5
    french, romanian = row(printed, "fused    ")
    assert 0 < french < 30
    assert 0 < romanian < 50


@pytest.mark.slow
def test_calibration(capsys):
    calibration.main(["match"], ["en-de", "xsid-ja", "relx-tr", "mabsa-ko"], rows=40)
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


def test_weights(capsys):
    weights.main(["no encoder"], rows=8, starts=1, sets=["en-de", "xsid-ja"], others=["relx-tr"])
    printed = capsys.readouterr().out
    before, after = (row(printed, name)[0] for name in ("as in weights.py", "from start 0"))
    assert 0 < before <= after <= 1
    assert re.search(
        r"^relx-tr +as now 0\.\d+, tuned 0\.\d+, soft score alone 0\.\d+$", printed, re.M
    )


@pytest.fixture
def short(monkeypatch):
    """Short sentences for the paper's programme, and a small matrix for the processor's peak."""
    monkeypatch.setattr(solving, "PAPER_WORDS", 12)
    monkeypatch.setattr(speed, "PAPER_WORDS", 12)
    monkeypatch.setattr(encoding, "PRODUCT", 256)


@pytest.mark.slow
def test_speed(capsys, short):
    speed.main(1, sentences=8, streamed=30, turns=1, per_turn=2, rows=20)
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
    throughput.main(["align", "evaluate", "view"], rows=40)
    printed = capsys.readouterr().out
    assert "cores of which one is used" in printed
    for name in ("align ", "evaluate ", "view "):
        rows, speed_, used, peak = row(printed, name)
        assert rows == 40
        assert 0 < used < 600
        assert rows / speed_ == pytest.approx(used, rel=0.2, abs=0.06)
        assert 20 < peak < 5000
    assert len(printed.splitlines()) == 5


def test_throughput_names_every_command_that_works_on_rows():
    left = {"advise", "completion", "data", "demo", "doctor", "guidelines", "review", "study"}
    assert set(throughput.NAMES) == set(cli.list_commands(None)) - left


@pytest.mark.slow
def test_rivals(capsys):
    rivals.main(["en-de"], rows=4)
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 1 + len(rivals.WAYS)
    for name in rivals.WAYS:
        f1, each = row(printed, name)
        assert is_share(f1)
        assert each > 0


@pytest.mark.slow
def test_ladder(capsys):
    """F1 at every speed."""
    ladder.main(["en-de"], rows=40)
    printed = capsys.readouterr().out
    name, n, *found = printed.splitlines()[1].split()
    assert (name, n) == ("en-de", "40")
    assert len(found) == len(ladder.RUNGS) + 1
    assert all(map(is_share, map(float, found)))


@pytest.mark.slow
def test_refine(capsys):
    """F1 by the share of spans that a model that is nearly always right is asked about."""
    refine.main(["en-de"], rows=60, shares=[0, 20, 100], right=99)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["spans", "0", "%", "20", "%", "100", "%"]
    [(name, n, cheap, some, every), (mean, *means), (*_, none, _, whole)] = map(
        str.split, lines[1:4]
    )
    assert (name, mean) == ("en-de", "mean")
    assert 30 < int(n) < 80
    assert 0.5 < float(cheap) <= float(some) <= float(every) <= 1
    assert means == [cheap, some, every]
    assert (float(none), float(whole)) == (0, 1 if every > cheap else 0)
    assert float(lines[4].split()[-1]) > 0.9
    assert re.fullmatch(r"\d+ answers: [\d.]+ right.*", lines[5])


@pytest.mark.slow
def test_rungs(capsys, monkeypatch):
    """Ours and another, each in a process of its own; those that have to be installed are not."""
    few = {name: rungs.WAYS[name] for name in ("simalign, n-grams", "fast", "fastest")}
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


@pytest.mark.slow
def test_training(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path / "cache"))
    encoder = str(tiny_checkpoints.save(tmp_path / "encoder", "distilbert"))
    options = ("--encoder", encoder, "--epochs", "1", "--frozen-layers", "0", "--threads", "1")
    training.main(["recipes"], training.Bench(tmp_path / "bench", 8, options))
    printed = capsys.readouterr().out
    for name in ("make tagger", "all layers, decay .9"):
        *scores, minutes = row(printed, name)
        assert len(scores) == 5
        assert all(map(is_share, scores))
        assert minutes < 10


@pytest.mark.slow
def test_translated(capsys, tagger):
    translated.main(["wol"], tagger, rows=4)
    printed = capsys.readouterr().out
    for name in ("no translation", "greedy", "corpus, fused aligner"):
        assert all(map(is_share, row(printed, name)))


def test_gold_of_raw_text():
    """Catalan is read as raw text: the gold spans are carried over to the words found there."""
    sentences = routes.gold("ca")
    raw = routes.unlabelled("ca", sentences)
    assert len(sentences) == 60
    assert any(before.words != after.words for before, after in zip(sentences, raw, strict=True))
    for before, after in zip(sentences, raw, strict=True):
        moved = routes.in_tokens(before, after).spans
        assert [after.text_of(s.start, s.end).replace(" ", "") for s in moved] == [
            "".join(before.words[s.start : s.end]) for s in before.spans
        ]


@pytest.mark.slow
@pytest.mark.parametrize("language", routes.TRANSLATORS)
def test_routes(language, capsys, tagger):
    try:
        routes.main([language], tagger, rows=3)
    except SpanbridgeError as error:
        if not isinstance(error.__cause__, MissingExtraError | UnsupportedPairError):
            raise
        pytest.skip(f"no translator: {error}")
    printed = capsys.readouterr().out
    assert printed.startswith(f"\n{language}, ")
    for name in ("model transfer", "exact", "corpus (the default)", "ensemble of corpus"):
        numbers = row(printed, name)
        assert len(numbers) == 3
        assert all(map(is_share, numbers))


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


@pytest.mark.slow
def test_corrections(capsys):
    """F1 of the rows that were not corrected, by each way to choose those that were."""
    corrections.main(["xsid-tr"], [10], rows=60, seeds=1)
    printed = capsys.readouterr().out
    rows, f1, n, *found = row(printed, "xsid-tr ")
    assert (rows > 20, n) == (True, 10)
    assert all(map(is_share, (f1, *found[0:6:2], found[6])))
    assert len(found) == 7
    left = [after - f1 for after in found[0:6:2]]
    assert row(printed, "   10")[0:9:4] == pytest.approx(left, abs=0.002)
