"""Benchmarks of quality run, in very small: each prints the rows that it promises, with numbers."""

import re
from functools import cache

import pytest
from benchmarks.real_data import DIRECTIONS, PAIR_SETS, gold_pairs, language_of
from printed import is_share, row

from benchmarks import (
    accuracy,
    corrections,
    ladder,
    refine,
    rivals,
    routes,
    translated,
    weights,
)
from spanbridge.core.errors import MissingExtraError, SpanbridgeError
from spanbridge.translation.base import UnsupportedPairError


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
    accuracy.main(["en-de"], rows=20, methods=["corpus", "greedy"])
    printed = capsys.readouterr().out
    for name in ("corpus        fused    ", "corpus        statistical", "greedy        lexical"):
        [f1] = row(printed, name)
        assert is_share(f1)
    [best] = row(printed, "corpus        fused    ")
    assert best > 0.5
    french, romanian = row(printed, "fused    ")
    assert 0 < french < 30
    assert 0 < romanian < 50


def test_weights(capsys):
    weights.main(["no encoder"], rows=8, starts=1, sets=["en-de", "xsid-ja"], others=["relx-tr"])
    printed = capsys.readouterr().out
    before, after = (row(printed, name)[0] for name in ("as in weights.py", "from start 0"))
    assert 0 < before <= after <= 1
    assert re.search(
        r"^relx-tr +as now 0\.\d+, tuned 0\.\d+, soft score alone 0\.\d+$", printed, re.M
    )


@pytest.mark.slow
def test_rivals(capsys, monkeypatch):
    monkeypatch.setattr(rivals, "simalign", cache(rivals.simalign))  # it remembers no sentences
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
