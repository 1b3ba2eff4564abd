"""The README's numbers are what its commands print (the demo's are checked in full, F1 of
the benchmark's). Processors may round int8 differently, hence the tolerance."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from spanbridge import (
    CorpusMethod,
    EncoderAligner,
    FusedAligner,
    GreedyMethod,
    SentencePair,
    StatisticalAligner,
    read_labelled,
)
from spanbridge.align.lexical_aligner import LexicalAligner
from spanbridge.demo.sample import run, table
from spanbridge.evaluate import evaluate_spans
from spanbridge.steps.account import Account
from spanbridge.steps.projection_old import align_pairs, fit, project_pairs
from spanbridge.project.soft import SoftMethod

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TOLERANCE = 0.03


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
    encoder = EncoderAligner()
    combinations = [
        (CorpusMethod, FusedAligner(encoder)),
        (CorpusMethod, StatisticalAligner()),
        (SoftMethod, encoder),
        (GreedyMethod, encoder),
        (GreedyMethod, LexicalAligner()),
    ]
    for n, (row, (method, aligner)) in enumerate(zip(rows, combinations, strict=True)):
        column = n % 2  # one direction of each row: both would take twice the time
        f1 = projected_f1(real_data, ("de", "es")[column], aligner, method())
        assert f1 == pytest.approx(numbers(row)[column], abs=TOLERANCE), row


def projected_f1(real_data: Path, target: str, aligner, method) -> float:
    sides = (read_labelled(real_data / f"europarl-ner/{side}.dev.conll") for side in ("en", target))
    pairs = [SentencePair(str(n), *both) for n, both in enumerate(zip(*sides, strict=True))]
    with threadpool_limits(1, user_api="blas"):  # as the command does
        fit(lambda: pairs, len(pairs), aligner, method)
        linked = align_pairs(lambda: pairs, aligner, soft=isinstance(method, SoftMethod))
        predicted = [pair.target for pair in project_pairs(linked, method, Account())]
    return evaluate_spans([pair.target for pair in pairs], predicted).micro.f1
