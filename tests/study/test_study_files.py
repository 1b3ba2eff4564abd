"""Study files: every fault is found before anything runs, with its line and the way out."""

import pytest

from spanbridge.core.errors import InputError
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
        ("data:\n", "report: {published: {x: {file: y}}}\ndata:\n", 1, "no data set x"),
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
