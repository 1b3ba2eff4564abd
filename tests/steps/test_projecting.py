"""Projection with soft alignments: learning from a sample, the least confidence, explanations."""

import json
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from toy_bitext import EqualWords, batches_of, invented_bitext, project, rows

from spanbridge import Sentence, SentencePair, SoftAlignment, Span, SpanbridgeError, WordAlignment
from spanbridge.alignment.base import Aligner
from spanbridge.core.errors import InputError
from spanbridge.formats.languages import find_language
from spanbridge.formats.tokens import suffix_starts
from spanbridge.projection.corpus import CorpusMethod
from spanbridge.projection.method import UNSURE, Method, Projection
from spanbridge.steps.account import Account
from spanbridge.steps.base import Context
from spanbridge.steps.projecting import Project


@pytest.fixture
def invented(write):
    return [write(name, text) for name, text in invented_bitext(120).items()]


LANGUAGES = {"source": "en", "target": "de"}


def opened(**settings):
    step = Project(**settings)
    step.open(Context({side: find_language(code) for side, code in LANGUAGES.items()}))
    return step


def test_every_row_comes_out(bitext, tmp_path):
    """As with hard links: the toy bitext with a row of every fate."""
    run = project(*bitext[:2], str(tmp_path / "out.jsonl"), method="soft")
    found = rows(run.output)
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
    assert [row["confidence"] for row in found[1:6]] == [1.0, None, None, None, None]
    # links that are only shown: what both directions support
    assert found[6]["links"] == [[0, 2], [1, 3], [3, 0]]
    assert "method:soft(near_mass,greedy,n_proj<=1,+1*soft-0.1*bad_boundary>0.3)" in run.signature
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
    run = project(*invented, str(tmp_path / "o.jsonl"), method="corpus", links=given_links)
    assert "aligner:given|method:corpus(" in run.signature
    assert "|learned_on:120_rows|" in run.signature
    assert run.account.n_target_spans > 200


@pytest.mark.parametrize("limit", [40, 100, 5000])
def test_learning_from_a_sample(invented, tmp_path, limit):
    step = {"method": CorpusMethod(), "aligner": "statistical"}
    output = str(tmp_path / "o.jsonl")
    run = project(*invented, output, given={"fit_rows": limit}, **step)
    n = min(limit, 120)
    assert f"|learned_on:{n}_rows|" in run.signature
    assert step["method"].state.statistics.n_pairs == n
    assert sum(run.account.statuses.values()) == 120


def test_same_bytes_for_any_batch(invented, tmp_path, monkeypatch):
    made = set()
    for size in (7, 2048):
        batches_of(monkeypatch, size)
        step = {"method": "corpus", "aligner": "statistical"}
        run = project(*invented, str(tmp_path / "o.jsonl"), **step)
        made.add((Path(run.output).read_bytes(), run.signature))
    assert len(made) == 1


def test_rejected_rows_are_not_learned_from():
    ok = SentencePair("1", Sentence(("a",), (Span(0, 1, "A"),)), Sentence(("a",)))
    bad = SentencePair("2", Sentence(("ENDLESS",)), Sentence(("a",)))
    method = CorpusMethod()
    opened(method=method, aligner=EqualWords()).fit([ok, bad, ok])
    assert method.state.statistics.n_pairs == 2
    assert method.state.statistics.source == {"a": 2}


# --- least confidence


class Noisy(Aligner):
    """Two links for each source word, to anywhere, the same in every run."""

    def describe(self):
        return "noisy"

    def align(self, pairs):
        return [self._links(pair) for pair in pairs]

    def _links(self, pair):
        rng = Random(pair.id)
        n, m = len(pair.source.words), len(pair.target.words)
        return WordAlignment.of([(i, rng.randrange(m)) for i in range(n) for _ in "12"], n, m)


class Fixed(Method):
    """A method from elsewhere, projecting one span twice and one once, with scores of its own."""

    name = "fixed"
    reads = "nothing"

    def describe(self):
        return "fixed"

    def project(self, rows):
        spans = (Span(0, 1, "A", 0.2), Span(1, 2, "B", 0.5), Span(2, 3, "A", 0.9))
        origins = [pair.source.spans for pair, _ in rows]
        return [Projection(spans, (), (one, other, one)) for one, other in origins]


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
    (done,) = opened(method=Fixed(), min_confidence=least).run([pair], account)
    assert [span.score for span in done.target.spans] == kept
    assert account.dropped == ({UNSURE: n_dropped} if n_dropped else {})
    assert account.n_target_spans == len(kept)
    assert done.status == ("projected" if kept else f"empty: {UNSURE}")
    product = 1.0
    for score in (0.2, 0.5, 0.9):  # what is left out is right if it was wrong
        product *= score if score >= least else 1 - score
    assert done.confidence == (pytest.approx(product, abs=1e-4) if kept else None)


@pytest.mark.parametrize(("method", "n_proj"), [("greedy", 1), ("greedy", 2), ("corpus", 1)])
def test_the_spans_kept_are_exactly_those_above(method, n_proj, invented, tmp_path):
    def run(least):
        chosen = {"greedy": {"n_proj": n_proj}} if method == "greedy" else method
        settings = {"method": chosen, "aligner": Noisy(), "min_confidence": least}
        done = project(*invented, str(tmp_path / f"{least}.jsonl"), **settings)
        return rows(done.output), done

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
    with pytest.raises(SpanbridgeError, match=r"min_confidence: must be "):
        project(*bitext, min_confidence=least)
    assert files() == []


# --- explanations


def test_explanations_of_every_projected_row(invented, tmp_path):
    why = tmp_path / "why.txt"
    run = project(
        *invented,
        str(tmp_path / "o.jsonl"),
        method="corpus",
        aligner="statistical",
        explanation=str(why),
    )
    lines = why.read_text("utf-8").splitlines()
    heads = [line for line in lines if line.startswith("row ")]
    assert len(heads) == run.account.n_source_spans
    assert sum(line.startswith("  -> ") for line in lines) == run.account.n_target_spans
    assert heads[-1].startswith("row 120, ")


FAMILY = ["heuristic", "greedy", "exact", "match", "soft", "corpus"]


@pytest.mark.parametrize("method", FAMILY)
def test_the_whole_family_explains_itself(method, bitext, tmp_path):
    """The toy bitext: row 3 has no target word, row 6 is rejected."""
    why = tmp_path / "why.txt"
    output = str(tmp_path / "out.jsonl")
    run = project(*bitext[:2], output, method=method, explanation=str(why))
    lines = why.read_text("utf-8").splitlines()
    heads = [line for line in lines if line.startswith("row ")]
    found = {head.split(",")[0].removeprefix("row ") for head in heads}
    spans = {row["id"]: len(row["source_spans"]) for row in rows(run.output)}
    assert found == {row for row, n in spans.items() if n}
    assert "row 6, rejected: too long" in heads
    assert "row 3, empty: no target word" in heads
    shown = [line for line in lines if line.startswith("  -> ")]
    assert len(shown) == run.account.n_target_spans == 3
    assert any("[New York] 2-4 score " in line and ", confidence 0." in line for line in shown)
    assert all("explanation" not in row for row in rows(run.output))
    manifest = json.loads(Path(f"{run.output}.run.json").read_text("utf-8"))
    assert manifest["explanation"] == str(why)


def test_without_a_file_explanations_stand_in_the_rows(bitext, tmp_path):
    run = project(*bitext[:2], str(tmp_path / "out.jsonl"), method="soft", explain=True)
    first, second, *_ = rows(run.output)
    assert first["explanation"][0].startswith("row 1, PER [Anna]")
    assert "explanation" not in second  # which had nothing to project


def test_links_that_come_with_some_rows_leave_the_words_states_alone():
    """A tagger on states needs them whoever found the links."""
    states = np.eye(2, 3, dtype=np.float32)

    class WithStates(EqualWords):
        def soft_align(self, pairs):
            return [SoftAlignment.from_links(found, states, states) for found in self.align(pairs)]

    words = Sentence(("a", "b"))
    crossed = WordAlignment.of([(0, 1), (1, 0)], 2, 2)
    pairs = [SentencePair("1", words, words), SentencePair("2", words, words, crossed)]
    (_, own), (_, given) = opened(method="soft", aligner=WithStates())._chain._aligned(pairs)
    np.testing.assert_array_equal(own.forward, np.eye(2))
    np.testing.assert_array_equal(given.forward, np.eye(2)[::-1])
    assert given.source_states is states
    assert given.target_states is states


def test_a_place_that_cannot_be_written_to_is_found_before_the_long_work(
    invented, tmp_path, monkeypatch
):
    def build(context, part):
        raise AssertionError("the work began")

    monkeypatch.setattr(Context, "build", build)
    for output, explanation in (("no/o.jsonl", None), ("o.jsonl", str(tmp_path / "no" / "why"))):
        with pytest.raises(InputError, match="is its folder there"):
            project(*invented, str(tmp_path / output), explanation=explanation)
    (tmp_path / "o.jsonl.run.json").mkdir()
    with pytest.raises(InputError, match=r"o\.jsonl\.run\.json: is a folder"):
        project(*invented, str(tmp_path / "o.jsonl"))


def test_nothing_to_learn_from_is_no_error(tmp_path, write):
    source, target = write("s.conll", "Anna\tB-PER\n\n" * 3), write("t.txt", "\n" * 3)
    output = str(tmp_path / "o.jsonl")
    run = project(source, target, output, method="corpus", aligner="statistical")
    assert dict(run.account.statuses) == {"empty: no target word": 3}


def test_a_broken_run_leaves_no_explanation(bitext, tmp_path, files):
    aligner = EqualWords(fail_at="7")
    with pytest.raises(RuntimeError, match="broken"):
        project(*bitext, method="soft", aligner=aligner, explanation=str(tmp_path / "why.txt"))
    assert files() == []


@pytest.mark.parametrize("place", ["s.conll", "t.txt", "out.conll", "out.conll.run.json"])
def test_an_explanation_overwrites_neither_input_nor_output(bitext, tmp_path, place):
    before = (tmp_path / "s.conll").read_bytes(), (tmp_path / "t.txt").read_bytes()
    with pytest.raises(SpanbridgeError, match="both"):
        project(*bitext, method="soft", explanation=str(tmp_path / place))
    assert ((tmp_path / "s.conll").read_bytes(), (tmp_path / "t.txt").read_bytes()) == before


# --- further scores


def spans_by(step, pair):
    (done,) = step.run([pair], Account())
    return [span[:3] for span in done.target.spans]


@pytest.mark.parametrize("method", FAMILY[1:-1])
def test_a_further_score_is_described_and_changes_the_choice(method):
    """Links lead to the wrong one of two neighbours, spelling to the right one."""
    links = WordAlignment.of([(0, 0), (0, 1)], 1, 2)
    pair = SentencePair(
        "1", Sentence(("Anna",), (Span(0, 1, "X"),)), Sentence(("x", "Anna")), links
    )
    plain = opened(method=method, links="only")
    helped = opened(method=method, links="only", weights={"spelling": 4.0})
    assert "spelling" not in plain.describe()
    assert "+4*spelling" in helped.describe()
    assert spans_by(helped, pair) != spans_by(plain, pair)
    assert spans_by(helped, pair)[-1] == (1, 2, "X")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"method": "greedy", "weights": {"nosuch": 1.0}}, "no score is named 'nosuch'"),
        ({"method": "greedy", "weights": {"alignment": 0.0}}, "all weights are 0"),
        ({"method": "greedy", "weights": {"ner": 1.0}}, "needs a tagger of the target"),
        ({"method": "greedy", "weights": {"words_inside": 1.0}}, "only the method 'corpus'"),
        ({"method": Fixed(), "weights": {"spelling": 1.0}}, "'fixed' takes no weights"),
        ({"method": Fixed(), "aligner": "lexical"}, "'fixed' reads no alignment"),
        ({"method": "greedy", "translator": "apertium"}, "gives no translation scores"),
    ],
)
def test_settings_that_cannot_be_met(settings, why):
    links = {} if isinstance(settings["method"], Fixed) else {"links": "only"}
    with pytest.raises(SpanbridgeError, match=why):
        opened(**settings, **links)


def test_spans_have_no_invisible_words_at_their_ends():
    words = ("\u200e", "Anna", "\u200f", "Roe", "\ufeff", "ging")
    source = Sentence(("Anna", "Roe", "went"), (Span(0, 2, "PER"),))
    links = WordAlignment.of([(0, 0), (0, 1), (1, 3), (1, 4), (2, 5)], 3, 6)
    step = opened(method="greedy", links="only")
    (row,) = step.work([SentencePair("1", source, Sentence(words), links)], Account())
    (span,) = row.target.spans
    assert span[:3] == (1, 4, "PER")


@pytest.mark.parametrize(
    ("text", "known", "found"),
    [
        ("Ankara'da", None, ["'da"]),
        ("O'Brien'\u0131n ve Ali\u2019nin", None, ["'\u0131n", "\u2019nin"]),
        ("O'Brien N'Djamena O'NEILL", None, []),
        ("qu'il l'ajuntament dell'unione", None, []),
        ("Obama's can't", frozenset({"s"}), ["'s"]),
        ("rock'n'roll 1990'lar", None, ["'roll", "'lar"]),
        ("'quoted' a'-b", None, []),
    ],
)
def test_where_suffixes_begin(text, known, found):
    starts = suffix_starts(text, known)
    assert [text[start:].split()[0] for start in starts] == found
