"""Every benchmark runs, in very small: each prints the rows that it promises, with numbers."""

import math
import re
from pathlib import Path

import pytest
import tiny_checkpoints
from benchmarks.real_data import DIRECTIONS, PAIR_SETS, europarl, gold_pairs, language_of, news

from benchmarks import __main__ as program
from benchmarks import (
    accuracy,
    advice,
    calibration,
    encoding,
    rivals,
    routes,
    scale,
    shards,
    solving,
    speed,
    tagging,
    throughput,
    training,
    translated,
    weights,
)
from spanbridge import Projector
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


def test_every_benchmark_is_listed(capsys):
    folder = Path(program.__file__).parent
    files = {path.stem for path in folder.glob("*.py") if "def main(" in path.read_text("utf-8")}
    assert {*program.NAMES} == files - {"__main__"}
    with pytest.raises(SystemExit) as end:
        program.main(["--help"])
    assert end.value.code == 0
    printed = capsys.readouterr().out
    assert all(re.search(rf"^  {name} +\w", printed, re.MULTILINE) for name in program.NAMES)


@pytest.mark.parametrize("name", program.NAMES)
def test_every_benchmark_has_help(name, capsys):
    with pytest.raises(SystemExit) as end:
        program.main([name, "--help"])
    assert end.value.code == 0
    printed = capsys.readouterr().out
    assert all(f"\n{part}: " in printed for part in ("Prints", "Takes", "Data"))


@pytest.mark.parametrize("wrong", [["nonsense"], ["calibration", "nonsense"], ["shards", "x"]])
def test_what_is_not_known_is_an_error(wrong, capsys):
    with pytest.raises(SystemExit) as end:
        program.main(wrong)
    assert end.value.code == 2
    assert wrong[-1] in capsys.readouterr().err


def test_arguments_reach_the_benchmark(monkeypatch):
    got = {}
    monkeypatch.setattr(scale, "main", _like(scale.main, got))
    program.main(["scale", "10", "20", "--aligner", "lexical"])
    assert got == {"sizes": [10, 20], "aligner": "lexical"}
    program.main(["scale"])
    assert got == {"sizes": scale.SIZES, "aligner": "statistical"}


def _like(main, got):
    """A main with the same signature, which only notes what it is given."""

    def noting(**given):
        got.update(given)

    noting.__wrapped__ = main
    return noting


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
    accuracy.main(["en-de", "pud-zh"], rows=6, methods=["corpus", "greedy"])
    printed = capsys.readouterr().out
    n_rows, n_spans, best, low, high, *others = row(printed.replace("-0", " 0"), "pud-zh")
    assert (n_rows, len(others)) == (6, 3)
    assert 0 <= low <= best <= high <= 1
    for name in ("corpus        fused    ", "corpus        statistical", "greedy        lexical"):
        [f1] = row(printed, name)
        assert is_share(f1)
    [best] = row(printed, "corpus        fused    ")
    assert best > 0.5
    french, romanian = row(printed, "fused    ")
    assert 0 < french < 30
    assert 0 < romanian < 50


@pytest.mark.slow
def test_calibration(capsys, monkeypatch):
    monkeypatch.setattr(calibration, "REPEATS", 2)
    calibration.main(["greedy", "match"], rows=10)
    printed = capsys.readouterr().out
    for name in ("greedy", "match"):
        [made] = re.findall(rf'    "{name}": (Calibration\(.*\)),', printed)
        made = eval(made, {"Calibration": calibration.Calibration})
        assert made.best == CALIBRATIONS[name].best
        assert len(made.weights) == len(CALIBRATIONS[name].weights)
        assert min(made.weights) >= 0
    assert len(re.findall(r"calibration error 0\.\d+ by cross-fitting", printed)) == 2


def test_calibration_sees_what_the_confidence_comes_from():
    """The features of every projected span, through the same curve, give the spans' scores."""
    pairs = europarl("en", "de")[:20]
    seen = calibration.observe("greedy", pairs)
    found = Projector("greedy", calibration.load_aligner("encoder")).run(pairs)
    scores = [span.score for pair in found for span in pair.target.spans]
    curve = CALIBRATIONS["greedy"]
    assert len(scores) > 5
    assert calibration.apply([curve.intercept, *curve.weights], seen.features) == pytest.approx(
        scores
    )


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
    seconds, _, peak, size = row(capsys.readouterr().out, f"{40:>14}")
    assert 0 < seconds < 600
    assert peak > 20
    assert size > 0


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
    left = {"advise", "completion", "data", "demo", "doctor"}
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


@pytest.mark.slow
def test_advice(tagger, monkeypatch, capsys, tmp_path):
    """A table as the package reads it, and only if it is whole."""
    build = advice.registry.build
    made = build("tagger", "checkpoint", {"model": tagger})
    monkeypatch.setattr(
        advice.registry,
        "build",
        lambda kind, *what: made if kind == "tagger" else build(kind, *what),
    )
    published = advice.FOLDER
    monkeypatch.setattr(advice, "FOLDER", tmp_path)
    monkeypatch.setattr(advice, "LABELS", ("PER", "LOC"))
    advice.main(("masakhaner2-parallel", "uner"), rows=3)
    printed = [line.split(",") for line in capsys.readouterr().out.splitlines()]
    assert len(printed) == 4 * 3 + 8
    assert {row[-7] for row in printed} == {"direct", "translate", "ensemble"}
    assert (tmp_path / "published.csv").read_bytes() == (published / "published.csv").read_bytes()
    assert not (tmp_path / "measured.csv").exists()
