"""What the record of a result says of the pipeline that made it."""

from __future__ import annotations

import json

import pytest

from spanbridge import Sentence, SentencePair, Span, api
from spanbridge.core.links import WordAlignment
from spanbridge.projection.presets import GreedyMethod
from spanbridge.run.config import make_pipeline
from spanbridge.run.record import PIPELINE
from spanbridge.run.result import read_manifest


def record(steps, **more):
    return make_pipeline({"steps": steps, **more}).record()[PIPELINE]


def test_only_what_is_not_usual_is_told():
    assert record(["project"]) == {"steps": [{"project": {}}]}
    given = {"method": {"greedy": {"n_proj": 2}}, "min_confidence": 0.5, "links": "keep"}
    found = record([{"project": given}], languages={"target": "de"}, fit_rows=50)
    assert found == {
        "languages": {"target": "de"},
        "fit_rows": 50,
        "steps": [{"project": {"method": {"greedy": {"n_proj": 2}}, "min_confidence": 0.5}}],
    }
    # and it makes the same pipeline again
    assert record(found["steps"], languages=found["languages"], fit_rows=50) == found


def test_threads_and_secrets_are_left_out():
    (entry,) = record([{"align": {"aligner": {"fused": {"threads": 3}}}}])["steps"]
    assert entry == {"align": {"aligner": {"fused": {}}}}
    url = "https://me:hunter22@example.org/v1"
    found = record([{"project": {"method": {"chat": {"model": "m", "url": url}}}}])
    assert "hunter22" not in json.dumps(found)


def test_what_was_made_in_python_is_not_told():
    assert make_pipeline({"steps": [{"project": {"method": GreedyMethod()}}]}).record() == {}


@pytest.fixture
def rows():
    side = Sentence(("Anna", "goes"), (Span(0, 1, "PER"),))
    links = WordAlignment.of([(0, 0), (1, 1)], 2, 2)
    return [SentencePair("1", side, Sentence(("Anna", "geht")), links)]


def test_the_record_is_the_same_in_all_ways(rows, spanbridge, tmp_path):
    (tmp_path / "in.jsonl").write_text(
        '{"id": "1", "source_words": ["Anna", "goes"], "target_words": ["Anna", "geht"], '
        '"source_spans": [{"start": 0, "end": 1, "label": "PER"}], "links": [[0, 0], [1, 1]]}\n'
    )
    (tmp_path / "links").write_text("0-0 1-1\n")
    (tmp_path / "p.yaml").write_text(
        "input: {source: in.jsonl}\noutput: run.jsonl\nsteps:\n- project: {links: only}\n"
    )
    spanbridge("run", "p.yaml")
    spanbridge("project", "--source", "in.jsonl", "--links", "links", "-o", "command.jsonl")
    api.project(rows, links="only").save(tmp_path / "python.jsonl")
    for name in ("run", "command", "python"):
        told = read_manifest(str(tmp_path / f"{name}.jsonl"))
        assert told[PIPELINE] == {"steps": [{"project": {"links": "only"}}]}, name
