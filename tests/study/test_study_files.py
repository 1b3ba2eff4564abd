"""Study files: every fault is found before anything runs, with its line and the way out."""

import json

import pytest

from spanbridge.core.errors import InputError
from spanbridge.core.settings_file import write_settings
from spanbridge.study.braces import filled, names_in
from spanbridge.study.plan import make_plan
from spanbridge.study.study_file import read_study

GOOD = """\
data:
  - name: toy
    languages: [de]
    files: "{language}.conll"
systems:
  tagger:
    steps:
      - tag: {side: target}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "why"),
    [
        ("languages: [de]", "languages: [Klingonisch]", 3, "no language code"),
        ("name: toy", "names: toy", 2, "names: there is no such setting"),
        ("  - name: toy\n", "  - dataset: no-such\n", 2, "name either a dataset or files"),
        ('"{language}.conll"', '"{lang}.conll"', 4, r"\{lang\} stands for nothing"),
        ("  tagger:\n", "  a/b:\n", 6, "letters, digits"),
        ("      - tag: {side: target}", "      - tagg: {side: target}", 8, "system tagger: .*tagg"),
        ("{side: target}", "{side: left}", 8, "side"),
        ("    steps:\n      - tag: {side: target}\n", "    group: a\n", 6, "steps or predictions"),
        ("steps:\n", "predictions: x\n    steps:\n", 6, "steps or predictions"),
        ("    steps:\n", "    train: {train: [a.conll]}\n    steps:\n", 6, "{model}; give both"),
        ("    steps:\n", "    languages: [es]\n    steps:\n", 7, "no data is in es"),
        ("data:\n", "seeds: []\ndata:\n", 1, "at least 1"),
        ("data:\n", "report: {baseline: x}\ndata:\n", 1, "no system x"),
        ("data:\n", "perturb: [{kind: casing, strength: 2}]\ndata:\n", 1, r"lies in \[0, 1\]"),
        ("data:\n", "perturb: [{kind: casing, strength: []}]\ndata:\n", 1, "no strength"),
        ("data:\n", "perturb: [{kind: casing, strength: [true]}]\ndata:\n", 1, "be a number"),
        ("data:\n", "report: {published: {x: {file: y}}}\ndata:\n", 1, "no data set x"),
        ("languages: [de]", "languages: [de, deu]", 3, "de and deu are one language"),
        ("data:\n", "scores: {labels: []}\ndata:\n", 1, "must have at least 1 entry"),
        ("data:\n", "scores: {map: {PER: ''}}\ndata:\n", 1, "must not be empty"),
        ("  tagger:\n    steps:\n", "  tagger: 3\n  b:\n    steps:\n", 6, "as {NAME: VALUE}"),
        ("data:\n", "seeds: [true]\ndata:\n", 1, r"a whole number, not \[True\]"),
        ("data:\n", "seeds: [-1]\ndata:\n", 1, "must be at least 0, not -1"),
        ("data:\n", "scores: {resamples: 1000001}\ndata:\n", 1, "at most 1000000"),
        (
            "data:\n",
            "data:\n  - {name: TOY, languages: [de], files: x.conll}\n",
            3,
            "toy.de differs from TOY.de in capitals alone",
        ),
        (
            "data:\n",
            "data:\n  - {name: toy, languages: [de], files: x.conll}\n",
            3,
            "toy.de is there twice",
        ),
        # the text toy.de and the system casing-1.s0.tagger, or its perturbation and the system
        (
            "systems:\n",
            "perturb: [{kind: casing, strength: 1}]\nsystems:\n"
            "  casing-1.s0.tagger: {predictions: x.conll}\n",
            7,
            "toy.de.casing-1.s0.tagger is there twice",
        ),
    ],
)
def test_faults_are_told_with_their_line(tmp_path, old, new, line, why):
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=why) as told:
        make_plan(read_study(str(path)))
    assert told.value.file == str(path)
    assert told.value.line is not None
    assert abs(told.value.line - line) <= 1


def test_a_good_file_is_taken_as_it_stands(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(GOOD, encoding="utf-8")
    found = read_study(str(path))
    assert found.output == str(tmp_path / "study.study")
    assert [cell.name for cell in make_plan(found).cells] == ["toy.de.tagger"]


def test_names_in_braces_are_filled_in():
    given = {"a": ["{seed}", "x-{language}.{seed}", 3], "{language}": {"b": "{other}"}}
    assert names_in(given) == {"seed", "language", "other"}
    assert filled(given, {"seed": 1, "language": "de"}) == {
        "a": [1, "x-de.1", 3],
        "de": {"b": "{other}"},
    }


def teachers(**others):
    """Two systems that are taught, and one that only tags by the first one's tagger."""
    tag = [{"tag": {"side": "target", "tagger": {"checkpoint": {"model": "{model}"}}}}]
    text = {"name": "texts", "files": "{language}.conll"}
    systems = {
        "a": {
            "make": {"data": {**text, "languages": ["en"]}},
            "train": {"train": ["{made}"]},
            "steps": tag,
        },
        "b": {
            "make": {
                "both": {"data": {**text, "languages": ["de", "es"]}},
                "own": {"data": {**text, "languages": ["{language}"]}},
            },
            "train": {
                "train": ["{made.both}"],
                "teachers": ["{model.a}"],
                "unlabelled": "{made.own}",
                "seed": 7,
            },
            "steps": tag,
        },
        "c": {"steps": [{"tag": {"tagger": {"checkpoint": {"model": "{model.a}"}}}}]},
        **others,
    }
    return {
        "data": [{"name": "toy", "languages": ["de", "es"], "files": "{language}.conll"}],
        "train": {"epochs": 1, "seed": "{seed}"},
        "seeds": [1, 2],
        "systems": systems,
    }


def planned(tmp_path, given):
    path = tmp_path / "study.yaml"
    path.write_text(write_settings(json.loads(json.dumps(given))), encoding="utf-8")
    return make_plan(read_study(str(path)))


def test_a_training_depends_on_what_it_names_and_on_what_its_teachers_name(tmp_path):
    tasks = planned(tmp_path, teachers()).tasks
    trained = {name: task for name, task in tasks.items() if name.startswith("train/")}
    # a: by seed; b: its own seed is always 7, but its teacher's is not, and its text is the cell's
    assert set(trained) == {
        *(f"train/a.seed-{seed}" for seed in (1, 2)),
        *(f"train/b.{code}.seed-{seed}" for code in ("de", "es") for seed in (1, 2)),
    }
    student = trained["train/b.es.seed-2"]
    assert student.needs == ("corpus/texts.de+es", "corpus/texts.es", "train/a.seed-2")
    out = tmp_path / "study.study"
    assert student.settings == {
        "epochs": 1,
        "seed": 7,
        "train": [str(out / "data" / "texts.de+es.corpus.jsonl")],
        "teachers": [str(out / "models" / "a.seed-2")],
        "unlabelled": str(out / "data" / "texts.es.corpus.jsonl"),
    }
    assert "train/a.seed-1" in tasks["cell/toy.de.c.s1"].needs
    assert list(tasks).index("train/a.seed-1") < list(tasks).index("train/b.de.seed-1")


def test_taggers_that_nobody_trains_are_refused(tmp_path):
    tag = [{"tag": {"tagger": {"checkpoint": {"model": "{model.c}"}}}}]
    with pytest.raises(InputError, match=r"\{model\.c\}: no system c trains a tagger"):
        planned(tmp_path, teachers(d={"steps": tag}))
    own = [{"tag": {"tagger": {"checkpoint": {"model": "{model}"}}}}]
    for train in ({"teachers": ["{model.e}"]}, {"teachers": ["{model}"]}):
        d = {"steps": own, "train": {**train, "unlabelled": "x.txt"}}
        e = {"steps": own, "train": {"train": ["x.conll"], "encoder": "{model.d}"}}
        with pytest.raises(InputError, match="its training needs itself: d > "):
            planned(tmp_path, teachers(d=d, e=e))
    d = {"steps": own, "make": {"x": {"data": {"dataset": "uner"}}}, "train": {"train": ["{made}"]}}
    with pytest.raises(InputError, match="give both"):
        planned(tmp_path, teachers(d=d))


def test_systems_may_be_run_on_some_data_only(tmp_path):
    given = teachers()
    more = {"name": "other", "languages": ["de"], "files": "{language}.other.conll"}
    given["data"].append(more)
    given["systems"]["c"]["data"] = ["other"]
    cells = {cell.name for cell in planned(tmp_path, given).cells if cell.system == "c"}
    assert cells == {"other.de.c.s1", "other.de.c.s2"}
    given["systems"]["c"]["data"] = ["others"]
    with pytest.raises(InputError, match="no data set others .did you mean other"):
        planned(tmp_path, given)
