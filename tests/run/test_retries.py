"""What failed once is tried again: a rerun asks for the failed translations, and for no others."""

from dataclasses import dataclass, field
from functools import cache

import pytest
import toy_pipeline as toy
from toy_bitext import rows

from spanbridge.core.rows import OK
from spanbridge.run.config import make_pipeline
from spanbridge.run.shards import run
from spanbridge.translation.base import Translation, Translator

N_ROWS = 60


@dataclass
class Flaky(Translator):
    """The translations of the toy, but for those that fail; and what it was asked."""

    failing: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def describe(self, source, target):
        return "flaky()"

    def translate(self, sentences, source, target):
        self.asked += sentences
        return [
            Translation("", status="failed: busy") if s in self.failing else Translation(known()[s])
            for s in sentences
        ]


@cache
def known():
    """Translations of more sentences than any test has."""
    return {text: found for text, found, _ in map(toy.sentence, range(2000))}


@pytest.fixture
def pipeline(tmp_path):
    """``pipeline(output, translator)`` runs the toy's pipeline in the work folder of the output."""
    toy.write(tmp_path, N_ROWS)

    def start(output, translator, project="greedy"):
        given = toy.settings(tmp_path, output, shard_rows=20)
        given["steps"][1] = {"translate": {"translator": translator}}
        if project == "corpus":
            given["steps"][3] = {"project": {"method": "corpus", "aligner": "statistical"}}
            given["fit_rows"] = 30
        done, reports = run(make_pipeline(given).job())
        made = {report.name: report.made for report in reports}
        return done, made

    start.folder = tmp_path
    return start


@pytest.mark.parametrize("project", ["greedy", pytest.param("corpus", marks=pytest.mark.slow)])
def test_a_rerun_ends_as_if_nothing_had_failed(pipeline, project):
    sound = Flaky()
    whole, _ = pipeline("whole.jsonl", sound, project=project)
    first, second = toy.sentence(4)[0], toy.sentence(90)[0]  # in the first and the third shard
    done, _ = pipeline("o.jsonl", Flaky({first, second}), project=project)
    assert done.account.statuses != whole.account.statuses

    flaky = Flaky({second})
    done, made = pipeline("o.jsonl", flaky, project=project)
    assert flaky.asked == [first, second]
    assert made["translate"] == 2  # one has changed
    assert made["tag"] == 1
    assert made["project"] == (3 if project == "corpus" else 1)

    flaky = Flaky()
    done, made = pipeline("o.jsonl", flaky, project=project)
    assert flaky.asked == [second]
    assert made["translate"] == 1
    assert done.account == whole.account
    assert done.signature == whole.signature
    place = pipeline.folder
    assert (place / "o.jsonl").read_bytes() == (place / "whole.jsonl").read_bytes()

    flaky = Flaky()
    _, made = pipeline("o.jsonl", flaky, project=project)
    assert flaky.asked == []
    assert set(made.values()) == {0}


def test_what_fails_again_leaves_all_as_it_is(pipeline):
    failing = {toy.sentence(4)[0]}
    pipeline("o.jsonl", Flaky(failing))
    before = (pipeline.folder / "o.jsonl").read_bytes()
    flaky = Flaky(failing)
    _, made = pipeline("o.jsonl", flaky)
    assert flaky.asked == list(failing)
    assert {name for name, n in made.items() if n} == {"translate"}
    assert (pipeline.folder / "o.jsonl").read_bytes() == before


def test_marks(pipeline):
    """Translations of spans by themselves are tried again too."""
    place = pipeline.folder
    (place / "en.conll").write_text("Ana B-PER\nworks O\n\nPedro B-PER\nlives O\n\n")

    class Marks(Flaky):
        def translate(self, sentences, source, target):
            self.asked += sentences
            return [
                Translation("", status="failed: busy")
                if s in self.failing
                else Translation(s, -1.0)
                for s in sentences
            ]

    def start(translator):
        given = {
            "input": str(place / "en.conll"),
            "side": "source",
            "languages": {"source": "en", "target": "es"},
            "output": str(place / "o.jsonl"),
            "steps": [{"mark": {"translator": translator}}],
        }
        return run(make_pipeline(given).job())[0]

    start(Marks({"Ana", "[ Pedro ] lives"}))
    again = Marks()
    start(again)
    assert sorted(again.asked) == ["Ana", "[ Pedro ] lives"]
    found = rows(place / "o.jsonl")
    assert [row["status"] for row in found] == ["projected"] * 2
    assert [row["translation_status"] for row in found] == [OK] * 2
    assert [row["translation_score"] for row in found] == [-1.0] * 2
