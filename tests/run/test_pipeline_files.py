"""Pipeline files: everything that can be wrong is found before anything runs, with its line."""

import pytest
import toy_pipeline as toy
import yaml

from spanbridge import SpanbridgeError
from spanbridge.run.config import make_pipeline, read_pipeline

HEAD = "input: es.txt\noutput: o.jsonl\nlanguages: {target: es, source: en}\nsteps:\n"
TRANSLATE = "  - translate: {translator: {given: {model: t.tsv}}}\n"
TAG = "  - tag: {tagger: {given: {model: en.conll}}}\n"
PROJECT = "  - project: {method: greedy, aligner: lexical}\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    toy.write(tmp_path, 6)
    return tmp_path


def check(place, text):
    path = place / "p.yaml"
    path.write_text(text, encoding="utf-8")
    job = read_pipeline("p.yaml").job()
    job.open_steps()
    return job


def test_a_file_that_is_right(place):
    job = check(place, HEAD + "  - split\n" + TRANSLATE + TAG + PROJECT + "  - join:\n")
    assert [step.name for step in job.open_steps()] == [
        "split",
        "translate",
        "tag",
        "project",
        "join",
    ]
    assert str(job.work) == "o.jsonl.work"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("input: [", r"p.yaml:1: is not YAML"),
        ("- a\n", "p.yaml: holds a list, and no settings"),
        ("a: &x [1]\nb: !!python/object:os.x {}\n", "p.yaml:2: tags"),
        (HEAD + PROJECT + "output: p.jsonl\n", "p.yaml:6: output is given twice"),
        (
            HEAD + "  - split\nshards: 3\n",
            r"p.yaml:6: shards: there is no such setting \(did you mean shard_rows\?\); there",
        ),
        (HEAD + "  - split\nshard_rows: many\n", "p.yaml:6: shard_rows: must be a"),
        (HEAD + "  - split\nshard_rows: 0\n", "p.yaml:6: shard_rows: must be at least 1, not 0"),
        ("output: o.jsonl\nsteps: [split]\n", "p.yaml: input: is missing"),
        ("input: es.txt\noutput: o.jsonl\n", "p.yaml:1: steps: is missing"),
        (HEAD.replace("es,", "xx,") + "  - split\n", "p.yaml:3: 'xx' is no language code"),
        (HEAD.replace("target: es", "tgt: es") + "  - split\n", "p.yaml:3: languages.tgt"),
        (
            HEAD + "  - splt\n",
            r"p.yaml:5: no step is named 'splt' .did you mean split\?.; there are: repair, split",
        ),
        (HEAD + "  - [split]\n", "p.yaml:5: a step is written as NAME or as NAME: "),
        (
            HEAD + "  - split: {by: x}\n",
            r"p.yaml:5: step 1 \(split\): by: there is no such setting",
        ),
        (
            HEAD + "  - split: {side: left}\n",
            r"p.yaml:5: step 1 \(split\): side: must be 'source'",
        ),
        (HEAD + "  - tag\n", r"p.yaml:5: step 1 \(tag\): needs source_words"),
        (
            HEAD + TRANSLATE + "  - tag:\n      side: source\n      tagger: nosuch\n",
            r"p.yaml:8: step 2 \(tag\): tagger: no tagger is named 'nosuch'; there are: emb",
        ),
        (
            HEAD + TRANSLATE.replace("model", "modl"),
            r"p.yaml:5: step 1 \(translate\): translator: given: model: is missing; modl: there "
            r"is no such setting \(its options: model, licence\)",
        ),
        (
            HEAD + "  - translate: {translator: {neural: {model: m, beam: wide}}}\n",
            "p.yaml:5: .*beam: must be a whole number",
        ),
        (
            HEAD + "  - translate: {guards: {max_ratio: 0.5}}\n",
            r"p.yaml:5: step 1 \(translate\): guards: .* is out of range",
        ),
        (HEAD + "  - translate: {guards: {max_ratoi: 2}}\n", r"no guard .*mean max_ratio\?\)"),
        (HEAD + "  - translate: {guards: 2}\n", "guards are written as .*max_ratio"),
        (HEAD + "  - translate: {guards: {max_ratio: x}}\n", "the bounds of guards are numbers"),
        (
            HEAD + TRANSLATE + PROJECT,
            r"p.yaml:6: step 2 \(project\): needs source_spans, which nothing before it makes; "
            "there is: source_text, source_words, target_text, target_words",
        ),
        (HEAD + TAG, r"p.yaml:5: step 1 \(tag\): needs source_words"),
        (HEAD + "  - join\n", r"step 1 \(join\): needs sentences of longer texts"),
        (HEAD + TRANSLATE + "  - split\n", r"step 2 \(split\): split comes before what makes"),
        (
            HEAD + "  - split\n  - split\n",
            r"p.yaml:6: step 2 \(split\): split comes before what makes sentences of longer texts",
        ),
        (
            HEAD + TRANSLATE + TAG + PROJECT + "  - segment\n",
            r"step 4 \(segment\): segment comes before what makes links, target_spans",
        ),
        (
            HEAD + TRANSLATE + TAG + "  - project: {method: greedy, links: only}\n",
            r"step 3 \(project\): needs links",
        ),
        (
            HEAD + TRANSLATE + TAG + "  - project: {links: only, aligner: lexical}\n",
            r"p.yaml:7: step 3 \(project\): links: only takes the links that there are",
        ),
        (
            HEAD.replace("o.jsonl", "o.conll") + TRANSLATE,
            "output: o.conll is of the format conll, which needs target_spans",
        ),
        (
            HEAD.replace("source: en", "source: fi") + "  - translate\n",
            r"p.yaml:5: step 1 \(translate\): (Apertium has no pair spa-fin|Apertium is not)",
        ),
        (
            HEAD.replace(", source: en", "") + TRANSLATE,
            r"step 1 \(translate\): the source's language is not given; add it under languages",
        ),
        (HEAD + TRANSLATE.replace("t.tsv", "no.tsv"), r"no.tsv: cannot be read"),
        (HEAD.replace("es.txt", "no.txt") + TRANSLATE, "no.txt: no such file"),
        (
            HEAD + TRANSLATE + TAG + "  - mark: {style: dots}\n",
            r"step 3 .*style: must be 'brackets', 'xml', 'quotes' or 'letters'",
        ),
        (HEAD + "  - &s [*s]\n", "p.yaml:5: aliases"),
        (HEAD + "  - " + "[" * 300 + "]" * 300 + "\n", "nested more than 20 levels deep"),
        (
            HEAD + "  - split\nshard_rows: 1" + "0" * 30 + "\n",
            "shard_rows: must be at most 1000000",
        ),
        (HEAD.replace("target: es", "target: no") + "  - split\n", "put it in quotes"),
        (
            HEAD + TRANSLATE + TAG + "  - project: {method: {match: {alignment: .inf}}}\n",
            "alignment: .*finite",
        ),
        (HEAD + "  - translate: {guards: {min_letters: .nan}}\n", "out of range"),
        (
            HEAD + "  - split\n  - repair\n",
            r"step 2 \(repair\): repair comes before what makes sentences of longer texts",
        ),
        (
            HEAD.replace("o.jsonl", "p.yaml") + TRANSLATE + TAG + PROJECT,
            "p.yaml is both input and output",
        ),
        (
            HEAD.replace("o.jsonl", "t.tsv") + TRANSLATE + TAG + PROJECT,
            "t.tsv is both input and output",
        ),
        (HEAD.replace("output: o.jsonl", 'output: "a\\0b.jsonl"') + TRANSLATE, "a zero byte"),
        (HEAD.replace("o.jsonl", "no/o.jsonl") + TRANSLATE, "no/o.jsonl: cannot be written"),
        (
            HEAD + TRANSLATE + TAG + "  - project: {method: greedy, min_confidence: 0.999}\n",
            r"step 3 \(project\): min_confidence 0.999 leaves nothing",
        ),
    ],
)
def test_what_is_wrong_is_named(place, text, why):
    with pytest.raises(SpanbridgeError, match=why):
        check(place, text)
    assert not (place / "o.jsonl.work").exists()


def test_written_and_read_again(place):
    made = make_pipeline(toy.settings(place, shard_rows=3))
    (place / "p.yaml").write_text(made.text(), encoding="utf-8")
    assert read_pipeline("p.yaml").steps == made.steps
    assert yaml.safe_load(made.text())["shard_rows"] == 3


@pytest.mark.parametrize(
    ("name", "side", "text", "expected"),
    [
        ("a.txt", "target", "x y\n", {"target_words", "target_text"}),
        ("a.conll", "target", "x\tO\n\n", {"target_words"}),
        ("a.conll", "source", "x\tO\n\n", {"source_words", "source_spans"}),
        (
            "a.jsonl",
            "target",
            '{"source_words": ["a"], "target_text": "b", "links": [[0, 0]]}\n',
            {
                *("source_words", "source_spans", "target_words", "target_spans"),
                *("target_text", "links"),
            },
        ),
    ],
)
def test_what_inputs_have(place, name, side, text, expected):
    (place / name).write_text(text, encoding="utf-8")
    settings = make_pipeline({"input": name, "side": side, "steps": ["repair"]}).settings
    assert settings.columns() == expected
