"""advise: the table, a sample, trials on gold, and the command to run."""

import json
import shlex
from functools import partial

import pytest

from spanbridge import api, read_labelled
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.encode.tokenizer import Tokenizer
from spanbridge.formats.tokens import raw_sentence
from spanbridge.routes import advice
from spanbridge.routes.coverage import Coverage, coverage
from spanbridge.routes.table import Figure, Study
from spanbridge.routes.trial import trials

GOLD = "Pedro\tB-PER\nvive\tO\nen\tO\nMadrid\tB-LOC\n.\tO\n\nAna\tB-PER\ncome\tO\nLima\tB-LOC\n\n"
TRANSLATIONS = "Pedro vive en Madrid.\tPedro lives in Madrid.\nAna come Lima\tAna eats Roma\n"


class Letters(Tokenizer):
    """Each letter is a subword; what is no ASCII is unknown."""

    def _encode(self, words):
        return [[0, *(ord(c) if c.isascii() else 1 for c in word)] for word in words]


@pytest.fixture(autouse=True)
def tokenizer(monkeypatch):
    monkeypatch.setattr(advice, "coverage", partial(coverage, tokenizer=Letters()))


@pytest.fixture
def place(tmp_path):
    for name, text in (
        ("gold.conll", GOLD),
        ("t.tsv", TRANSLATIONS),
        ("posts.txt", "Ana no vive.\nÑu.\n"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_coverage_by_hand():
    assert coverage([["ab", "c"], [], ["é"]], Letters()) == Coverage(3, 3, 2.333, 0.33333)
    assert coverage([], Letters()) == Coverage(0, 0, 0.0, 0.0)


def test_a_language_by_the_table(command, place, none_installed):
    said = command(*"advise --from yor".split()).stdout
    assert said.startswith("yo: the encoder was not trained on it.\nF1 ")
    assert "MasakhaNER2 test (published, Politov et al. 2025; " in said
    assert "PAN-X test (published, Politov et al. 2025; " in said
    assert "labelled automatically)" in said
    assert "do not foretell its F1" in said
    assert "better: ensemble by NLLB-200 (" in said
    assert said.splitlines()[-1] == ("spanbridge label TEXT --from yor --route direct -o OUT.jsonl")


def test_a_language_that_nobody_has_measured(command, place, none_installed):
    said = command(*"advise posts.txt --from tlh".split()).stdout
    assert "Nobody's figures are in the table." in said
    assert "Sample of 2 rows, 6 words: " in said
    assert "3.17 subwords per word, 16.67 % of the words in part unknown to the encoder." in said
    assert "no translator from tlh to en is installed" in said
    assert "spanbridge label posts.txt --from tlh" in said


def test_a_sample_alone(command, place, monkeypatch):
    near = Study("de", "d", "x", False, (Figure("direct", "", 0.7),), 9, 3.3)
    far = near.__class__("fr", "d", "x", False, (Figure("direct", "", 0.6),), 9, 9.0)
    monkeypatch.setattr(advice, "studies", lambda *language: [near, far])
    said = command(*"advise posts.txt".split()).stdout
    assert "The language is not named (--from)" in said
    assert "Direct F1 of languages whose words are cut as much: de 0.70." in said
    assert said.splitlines()[-1] == "spanbridge label posts.txt --route direct -o OUT.jsonl"


@pytest.mark.slow
def test_trials_on_gold(command, place):
    line = "advise posts.txt --from es --gold gold.conll --translations t.tsv"
    said = command(*line.split()).stdout
    table = said[said.index("gold ") :].splitlines()
    assert {row.split()[0] for row in table[1:4]} == {"direct", "translate", "ensemble"}
    assert sum("best" in row for row in table) >= 1
    found = json.loads(command(*line.split(), "--json").stdout)
    best, *others = found["trials"]
    assert best["behind"] is None
    assert all(one["f1"] <= best["f1"] and one["behind"]["p"]["bootstrap"] <= 1 for one in others)
    assert found["route"] == best["route"]
    assert f"F1 {best['f1']:.3f} on the gold" in found["why"]
    assert found["coverage"]["rows"] == 2
    assert found["language"] == "es"
    words = shlex.split(found["command"])
    assert words[:5] == ["spanbridge", "label", "posts.txt", "--from", "es"]
    assert ("--translations" in words) == (best["route"] != "direct")
    assert command(*words[1:-1], "o.jsonl").stdout == ""


@pytest.mark.slow
def test_trials_are_what_label_gives(place):
    gold = [SentencePair("1", Sentence(()), s) for s in read_labelled(place / "gold.conll")]
    languages = {"source": "en", "target": "es"}
    given = {"given": {"model": str(place / "t.tsv")}}
    scores = {one.route: one.interval.f1 for one in trials(gold, languages, given)}
    bare = [row._replace(target=row.target.with_spans(())) for row in gold]
    for route, f1 in scores.items():
        how = {} if route == "direct" else {"translator": given}
        found = api.label(bare, "es", route=route, split=False, **how)
        assert api.evaluate(gold, found).micro.f1 == f1
    assert scores["direct"] == pytest.approx(6 / 7)  # Lima is on no list


def test_gold_in_raw_text_and_other_labels(place):
    text = raw_sentence("Ana vive. Pedro no.")
    text = text.with_spans((Span(0, 1, "PER"), Span(1, 2, "DATE")))
    found = advice.advise(gold=[SentencePair("1", Sentence(()), text)], repair=True)
    (one,) = found.trials
    assert (one.route, one.recall) == ("direct", 1.0)  # dates are not counted
    assert found.choice.route == "direct"
    assert "F1 0.667 on the gold" in found.choice.why


def test_rows_are_spread(place):
    rows = [SentencePair(str(n), Sentence(()), raw_sentence(f"Ana {n}")) for n in range(100)]
    assert advice.advise(texts=rows, rows=10).coverage.rows == 10


def test_nothing_to_go_by(command, place):
    said = command("advise", code=2).stderr
    assert "name the language with --from, or give a sample TEXT or --gold" in said
    assert "xx" in command(*"advise --from xx".split(), code=2).stderr
