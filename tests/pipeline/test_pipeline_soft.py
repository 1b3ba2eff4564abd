"""Runs with evidence: learning from a sample, the least confidence, explanations."""

import json
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_samples import EqualWords, invented_bitext

from spanbridge import CorpusMethod, GreedyMethod, SpanbridgeError, StatisticalAligner
from spanbridge.align.base import UnfittedAligner
from spanbridge.core.errors import InputError, RowError
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import Sentence, SentencePair, Span
from spanbridge.pipeline import files as pipeline_files
from spanbridge.steps.account import Account
from spanbridge.run.stream import Fitting, project_files
from spanbridge.steps.projection_old import align_pairs, fit, project_pairs, spread
from spanbridge.project.projector import UNSURE, Projection
from spanbridge.project.soft import SoftMethod


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 350))
def test_a_sample_is_spread_evenly(total, limit):
    """min(total, limit) rows in order; from each to the next the step differs by one at most."""
    kept = list(spread(range(total), total, limit))
    assert len(kept) == min(total, limit)
    assert kept == sorted(set(kept))
    steps = {b - a for a, b in pairwise([-1, *kept])}
    assert max(steps) - min(steps) <= 1
    assert kept[-1] == total - 1


@pytest.fixture
def invented(write):
    return [write(name, text) for name, text in invented_bitext(120).items()]


def rows(path):
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


class Softly(EqualWords, UnfittedAligner):
    """Equal words, whose evidence are its links; still rejects rows with the word ENDLESS."""


def test_every_row_comes_out(bitext, tmp_path):
    """As with hard links: the toy bitext with a row of every fate."""
    output = str(tmp_path / "out.jsonl")
    run = project_files(*bitext[:2], output, projector=SoftMethod(), make_aligner=Softly)
    found = rows(output)
    assert [row["status"].split(":")[0] for row in found] == [
        "projected",
        "empty",
        "empty",
        "empty",
        "empty",
        "rejected",
        "projected",
    ]
    spans = [(s["start"], s["end"], s["label"]) for s in found[6]["target_spans"]]
    assert spans == [(0, 1, "PER"), (2, 4, "LOC")]
    assert [row["confidence"] for row in found[1:6]] == [1.0, None, 1.0, 0.65, None]
    # links that are only shown: what both directions support
    assert found[6]["links"] == [[0, 2], [1, 3], [3, 0]]
    assert "method:soft(greedy,+1*soft>=0.3)" in run.signature
    assert rows(run.rejects) == [{"id": "6", "reason": "too long"}]


def test_given_links_without_an_aligner(invented, tmp_path, write):
    """The corpus method learns from them, too."""
    links = []
    source = [
        [line.split("\t")[0] for line in block.splitlines()]
        for block in Path(invented[0]).read_text("utf-8").split("\n\n")[:-1]
    ]
    for words, line in zip(source, Path(invented[1]).read_text("utf-8").splitlines(), strict=True):
        target = line.split()
        found = [f"{i}-{j}" for i, w in enumerate(words) for j, v in enumerate(target) if w in v]
        links.append(" ".join(found))
    given_links = write("links.pharaoh", "\n".join(links) + "\n")
    output = tmp_path / "o.jsonl"
    run = project_files(*invented, str(output), projector=CorpusMethod(), links=given_links)
    assert "aligner:given|method:corpus(greedy," in run.signature
    assert "fitted_on=120_pairs" in run.signature
    assert run.account.n_target_spans > 200


@pytest.mark.parametrize("pairs", [40, 100, 119, 120, 5000])
def test_learning_from_a_sample(invented, tmp_path, pairs):
    run = project_files(
        *invented,
        str(tmp_path / "o.jsonl"),
        projector=CorpusMethod(),
        make_aligner=StatisticalAligner,
        fitting=Fitting(pairs=pairs),
    )
    n = min(pairs, 120)
    assert f"trained_on={n}_pairs" in run.signature
    assert f"fitted_on={n}_pairs" in run.signature
    assert ("words_inside" in run.signature) == (n >= 100)  # the second pass's weights
    assert sum(run.account.statuses.values()) == 120


def test_same_bytes_for_any_chunk(invented, tmp_path, monkeypatch):
    made = set()
    for chunk in (1, 7, 2048):
        monkeypatch.setattr(pipeline_files, "align_pairs", partial(align_pairs, chunk=chunk))
        run = project_files(
            *invented,
            str(tmp_path / "o.jsonl"),
            projector=CorpusMethod(),
            make_aligner=StatisticalAligner,
        )
        made.add((Path(run.output).read_bytes(), run.signature))
    assert len(made) == 1


def test_rejected_rows_are_not_learned_from():
    ok = SentencePair("1", Sentence(("a",), (Span(0, 1, "A"),)), Sentence(("a",)))
    bad = SentencePair("2", Sentence(("ENDLESS",)), Sentence(("a",)))
    method = CorpusMethod()
    fit(lambda: [ok, bad, ok], 3, Softly(), method)
    assert method.learned.statistics.n_pairs == 2
    assert method.learned.statistics.source == {"a": 2}


# --- least confidence


class Noisy(UnfittedAligner):
    """Two links for each source word, to anywhere, the same in every run."""

    def describe(self):
        return "noisy"

    def align(self, pairs):
        return [self._links(pair) for pair in pairs]

    def _links(self, pair):
        rng = Random(pair.id)
        n, m = len(pair.source.words), len(pair.target.words)
        return WordAlignment.of([(i, rng.randrange(m)) for i in range(n) for _ in "12"], n, m)


class Fixed:
    """A method from elsewhere, projecting one span twice and one once, with scores of its own."""

    name = "fixed"

    def describe(self):
        return "fixed"

    def project(self, entities, alignment):
        one, other = entities
        spans = (Span(0, 1, "A", 0.2), Span(1, 2, "B", 0.5), Span(2, 3, "A", 0.9))
        return Projection(spans, (), (one, other, one))


@pytest.mark.parametrize(
    ("least", "kept", "n_dropped"),
    [
        (0.0, [0.2, 0.5, 0.9], 0),
        (0.2, [0.2, 0.5, 0.9], 0),
        (0.3, [0.5, 0.9], 0),  # A still has one of its two
        (0.6, [0.9], 1),
        (0.95, [], 2),
    ],
)
def test_least_confidence_with_two_projections_a_span(least, kept, n_dropped):
    source = Sentence(("a", "b"), (Span(0, 1, "A"), Span(1, 2, "B")))
    pair = SentencePair("1", source, Sentence(("x", "y", "z")))
    account = Account()
    linked = [(pair, WordAlignment.of([], 2, 3))]
    (done,) = project_pairs(linked, Fixed(), account, least)
    assert [span.score for span in done.target.spans] == kept
    assert account.dropped == ({UNSURE: n_dropped} if n_dropped else {})
    assert account.n_target_spans == len(kept)
    assert done.status == ("projected" if kept else f"empty: {UNSURE}")
    product = 1.0
    for score in (0.2, 0.5, 0.9):  # what is left out is right if it was wrong
        product *= score if score >= least else 1 - score
    assert done.extra["confidence"] == pytest.approx(product, abs=1e-4)


@pytest.mark.parametrize(("method", "n_proj"), [("greedy", 1), ("greedy", 2), ("corpus", 1)])
def test_the_spans_kept_are_exactly_those_above(method, n_proj, invented, tmp_path):
    def run(least):
        output = tmp_path / f"{least}.jsonl"
        projector = GreedyMethod(n_proj=n_proj) if method == "greedy" else CorpusMethod()
        done = project_files(
            *invented,
            str(output),
            projector=projector,
            make_aligner=Noisy,
            min_confidence=least,
        )
        return rows(output), done

    every, whole = run(0.0)
    scores = sorted(span["score"] for row in every for span in row["target_spans"])
    # the file has four digits of each: between two that differ in them
    cuts = [(a + b) / 2 for a, b in pairwise(scores) if b - a > 0.0002]
    least = cuts[len(cuts) // 2]
    some, part = run(least)
    n_lost = 0
    for before, after in zip(every, some, strict=True):
        kept = [span for span in before["target_spans"] if span["score"] >= least]
        assert after["target_spans"] == kept
        n_lost += len(before["target_spans"]) - len(kept)
    assert 0 < n_lost < len(scores)
    assert part.account.n_target_spans == len(scores) - n_lost
    if n_proj == 1:
        lost = {a: part.account.dropped[a] - whole.account.dropped[a] for a in part.account.dropped}
        assert {reason: n for reason, n in lost.items() if n} == {UNSURE: n_lost}
    else:  # a source span is dropped once all of its projections are
        assert 0 < part.account.dropped[UNSURE] - whole.account.dropped[UNSURE] <= n_lost
    assert f"|min_confidence:{least!r}|" in part.signature
    assert "min_confidence" not in whole.signature


@pytest.mark.parametrize("least", [-0.1, 1.1, float("nan")])
def test_no_such_confidence(bitext, files, least):
    with pytest.raises(SpanbridgeError, match=r"least confidence .*\[0, 1\]"):
        project_files(
            *bitext, projector=GreedyMethod(), make_aligner=EqualWords, min_confidence=least
        )
    assert files() == []


def test_an_incoming_confidence_is_replaced():
    pair = SentencePair("1", Sentence(("a",)), Sentence(("b",)), None, None, {"confidence": "old"})
    linked = [(pair, RowError("no"))]
    (done,) = project_pairs(linked, SoftMethod(), Account())
    assert done.extra == {"confidence": None}


# --- explanations


def test_explanations_of_every_projected_row(invented, tmp_path):
    output, why = tmp_path / "o.jsonl", tmp_path / "why.txt"
    run = project_files(
        *invented,
        str(output),
        projector=CorpusMethod(),
        make_aligner=StatisticalAligner,
        explanation=str(why),
    )
    lines = why.read_text("utf-8").splitlines()
    heads = [line for line in lines if line.startswith("row ")]
    assert len(heads) == run.account.n_source_spans
    assert sum(line.startswith("  -> ") for line in lines) == run.account.n_target_spans
    assert heads[-1].startswith("row 120, ")


def test_explanations_of_rows_that_were_not_projected(bitext, tmp_path):
    """The toy bitext: row 3 has no target word, row 6 is rejected."""
    why = tmp_path / "why.txt"
    args = (*bitext[:2], str(tmp_path / "out.jsonl"))
    run = project_files(*args, projector=SoftMethod(), make_aligner=Softly, explanation=str(why))
    heads = [line for line in why.read_text("utf-8").splitlines() if line.startswith("row ")]
    found = {head.split(",")[0].removeprefix("row ") for head in heads}
    spans = {row["id"]: len(row["source_spans"]) for row in rows(run.output)}
    assert found == {row for row, n in spans.items() if n}
    assert "row 6, rejected: too long" in heads
    assert "row 3, empty: no target word" in heads
    assert json.loads(Path(f"{run.output}.run.json").read_text("utf-8"))["explanation"] == str(why)


def test_links_that_come_with_some_rows_leave_the_words_states_alone():
    """A tagger on states needs them whoever found the links."""
    states = np.eye(2, 3, dtype=np.float32)

    class WithStates(Softly):
        def evidence(self, pairs):
            return [SoftAlignment.from_links(found, states, states) for found in self.align(pairs)]

    words = Sentence(("a", "b"))
    crossed = WordAlignment.of([(0, 1), (1, 0)], 2, 2)
    pairs = [SentencePair("1", words, words), SentencePair("2", words, words, crossed)]
    (_, own), (_, given) = align_pairs(lambda: pairs, WithStates(), soft=True)
    np.testing.assert_array_equal(own.forward, np.eye(2))
    np.testing.assert_array_equal(given.forward, np.eye(2)[::-1])
    assert given.source_states is states
    assert given.target_states is states


def test_a_place_that_cannot_be_written_to_is_found_before_the_long_work(invented, tmp_path):
    def make():
        raise AssertionError("the work began")

    for places in (("no/o.jsonl", None), ("o.jsonl", str(tmp_path / "no" / "why"))):
        output, explanation = str(tmp_path / places[0]), places[1]
        with pytest.raises(InputError, match="is its folder there"):
            project_files(
                *invented,
                output,
                projector=CorpusMethod(),
                make_aligner=make,
                explanation=explanation,
            )
    (tmp_path / "o.jsonl.run.json").mkdir()
    with pytest.raises(InputError, match=r"o\.jsonl\.run\.json: is a folder"):
        project_files(
            *invented, str(tmp_path / "o.jsonl"), projector=CorpusMethod(), make_aligner=make
        )


def test_nothing_to_learn_from_is_no_error(tmp_path, write):
    source, target = write("s.conll", "Anna\tB-PER\n\n" * 3), write("t.txt", "\n" * 3)
    output = str(tmp_path / "o.jsonl")
    run = project_files(
        source, target, output, projector=CorpusMethod(), make_aligner=StatisticalAligner
    )
    assert dict(run.account.statuses) == {"empty: no target word": 3}


def test_methods_on_links_have_nothing_to_explain(bitext, tmp_path, files):
    with pytest.raises(SpanbridgeError, match="'greedy' has no parts to explain"):
        project_files(
            *bitext,
            projector=GreedyMethod(),
            make_aligner=EqualWords,
            explanation=str(tmp_path / "why.txt"),
        )
    assert files() == []


def test_a_broken_run_leaves_no_explanation(bitext, tmp_path, files):
    with pytest.raises(RuntimeError, match="broken"):
        project_files(
            *bitext,
            projector=SoftMethod(),
            make_aligner=lambda: Softly(fail_at="7"),
            explanation=str(tmp_path / "why.txt"),
        )
    assert files() == []


@pytest.mark.parametrize("place", ["s.conll", "t.txt", "out.conll", "out.conll.run.json"])
def test_an_explanation_overwrites_neither_input_nor_output(bitext, tmp_path, place):
    before = (tmp_path / "s.conll").read_bytes(), (tmp_path / "t.txt").read_bytes()
    with pytest.raises(SpanbridgeError, match="both"):
        project_files(
            *bitext,
            projector=SoftMethod(),
            make_aligner=Softly,
            explanation=str(tmp_path / place),
        )
    assert ((tmp_path / "s.conll").read_bytes(), (tmp_path / "t.txt").read_bytes()) == before
