"""The README's numbers are what its commands print (the demo's are checked in full, the benchmark's
for the encoder). Processors may round int8 differently, hence the tolerance."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spanbridge import EncoderAligner, GreedyProjector, SentencePair, read_labelled
from spanbridge.align.lexical import LexicalAligner
from spanbridge.align.statistical import StatisticalAligner
from spanbridge.demo.run import run, table
from spanbridge.encode import load_encoder
from spanbridge.evaluate import evaluate_spans

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TOLERANCE = 0.015


def numbers(line: str) -> list[float]:
    return [float(x) for x in re.findall(r"\d+\.\d+", line)]


def test_the_demo_prints_what_the_readme_shows(tmp_path):
    scores, _ = run(tmp_path, lambda text: None)
    shown = README.split("<!-- demo -->")[1].split("```")[1].strip().split("\n")
    for printed, line in zip(table(scores), shown, strict=False):
        assert printed.split()[0] == line.split()[0]
        assert numbers(printed) == pytest.approx(numbers(line), abs=TOLERANCE)


def test_the_benchmark_table(real_data: Path):
    rows = README.split("<!-- bench -->")[1].strip().split("\n\n")[0].split("\n")[2:]
    encoder = load_encoder()
    aligners = [
        EncoderAligner(encoder),
        EncoderAligner(encoder, "argmax"),
        StatisticalAligner(),
        LexicalAligner(),
    ]
    for row, aligner in zip(rows, aligners, strict=True):
        for target, claimed in zip(("de", "es"), numbers(row), strict=False):
            f1 = projected_f1(real_data, target, aligner)
            assert f1 == pytest.approx(claimed, abs=TOLERANCE), (row, target)


def projected_f1(real_data: Path, target: str, aligner) -> float:
    sides = (read_labelled(real_data / f"europarl-ner/{side}.dev.conll") for side in ("en", target))
    pairs = [SentencePair(str(n), *both) for n, both in enumerate(zip(*sides, strict=True))]
    aligner.fit(pairs)
    predicted = [
        pair.target.with_spans(GreedyProjector().project(pair.source.spans, links).spans)
        for pair, links in zip(pairs, aligner.align(pairs), strict=True)
    ]
    return evaluate_spans([pair.target for pair in pairs], predicted).micro.f1
