"""The command ``data``, and data sets of other packages."""

from __future__ import annotations

import json
import re

import pytest

from spanbridge.core import plugins
from spanbridge.core.errors import SpanbridgeError
from spanbridge.datasets import datasets, find_dataset
from spanbridge.formats import read_labelled

MORE = {"data", "README.md", "published"}
TOY = """\
title: Toy
kind: entities
licence: CC0-1.0
languages: [de]
splits: [test]
labels: [PER, BIRD]
coarse: {BIRD: ORG}
access: Ask its author.
files: [{path: toy.conll}]
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SPANBRIDGE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "toy.yaml").write_text(TOY, "utf-8")
    return tmp_path


def test_list_show_and_write(spanbridge, home):
    (home / "toy.conll").write_text("Ana\tB-PER\nsaw\tO\nowls\tB-BIRD\n\n", "utf-8")
    listed = spanbridge("data", "list", "--language", "deu", "--kind", "entities").stdout
    assert re.search(r"^toy +entities +1 of 1 +CC0-1.0 +de$", listed, re.MULTILINE)
    assert "masakhaner2" not in listed
    assert "europarl-ner" not in listed
    shown = spanbridge("data", "show", "toy", "--lang", "de").stdout
    assert "BIRD = ORG; others are left out" in shown
    assert f"here    {home / 'toy.conll'}" in shown
    facts = json.loads(spanbridge("data", "show", "toy", "--json").stdout)
    assert facts["files"][0]["here"] == [str(home / "toy.conll")]
    told = spanbridge("data", "write", "toy", *"--lang de --split test -o o.conll --coarse".split())
    assert told.stderr == "Toy, licence: CC0-1.0; rows: 1\n"
    (sentence,) = read_labelled(home / "o.conll")
    assert [span.label for span in sentence.spans] == ["ORG"]
    got = spanbridge("data", "get", "toy", "--lang", "de", "--split", "test", "--json")
    assert json.loads(got.stdout)[0]["fetched"] is False


def test_names_are_completed(home):
    from spanbridge.cli.completion import completed
    from spanbridge.cli.data import command

    get = completed(command).commands["get"]
    (name,) = [param for param in get.params if param.name == "data_set"]
    found = name.type.shell_complete(None, name, "to")
    assert [(one.value, one.help) for one in found] == [("toy", "Toy")]


def test_a_wrong_description_harms_no_other(spanbridge, home):
    (home / "datasets" / "bad.yaml").write_text("title: Bad\n", "utf-8")
    listed = spanbridge("data", "list", "--kind", "alignment")
    assert "xl-wa" in listed.stdout
    assert "note: " in listed.stderr
    assert "bad.yaml" in listed.stderr
    assert "bad.yaml" in spanbridge("data", "show", "bad", code=2).stderr
    assert "no data set is named" in spanbridge("data", "show", "tyo", code=2).stderr


def test_what_is_not_here(spanbridge, home):
    line = "data write toy --lang de --split test -o o.conll"
    said = spanbridge(*line.split(), code=2).stderr
    assert "toy, de, test: is not on this machine. Ask its author. Put toy.conll into" in said
    assert not (home / "o.conll").exists()
    said = spanbridge("data", "get", "toy", code=2).stderr
    assert "nothing of toy can be fetched. Ask its author." in said
    said = spanbridge("data", "get", "toy", "--split", "dev", code=2).stderr
    assert "no split of it is named 'dev'" in said


def test_the_path_of_a_description_is_a_name(spanbridge, home, tmp_path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "mine.yaml").write_text(TOY.replace("Toy", "Mine"), "utf-8")
    (other / "toy.conll").write_text("Eve\tB-PER\n\n", "utf-8")
    shown = spanbridge("data", "show", str(other / "mine.yaml")).stdout
    assert shown.startswith("Mine (mine)")
    mine = find_dataset(other / "mine.yaml")
    assert mine.files("de", "test") == (other / "toy.conll",)


def test_another_package_brings_data_sets(home, tmp_path, monkeypatch):
    site = tmp_path / "site"
    (site / "birds").mkdir(parents=True)
    (site / "birds" / "__init__.py").write_text("")
    (site / "birds" / "owls.yaml").write_text(TOY.replace("Toy", "Owls"))
    (site / "birds-1.2.dist-info").mkdir()
    (site / "birds-1.2.dist-info" / "METADATA").write_text("Name: birds\nVersion: 1.2\n")
    (site / "birds-1.2.dist-info" / "entry_points.txt").write_text(
        "[spanbridge.dataset]\nowls = birds\nother = birds:owls.yaml\ngone = birds:gone.yaml\n"
        "masakhaner2 = birds:owls.yaml\n"
    )
    monkeypatch.syspath_prepend(str(site))
    plugins.plugins.cache_clear()
    try:
        assert find_dataset("owls").title == find_dataset("other").title == "Owls"
        assert find_dataset("masakhaner2").title == "MasakhaNER 2.0"
        with pytest.raises(SpanbridgeError, match=r"'gone' of the package birds 1.2: .*no file"):
            find_dataset("gone")
    finally:
        plugins.plugins.cache_clear()


def test_every_shared_file_is_reached(real_data, monkeypatch):
    monkeypatch.setenv("SPANBRIDGE_DATA", str(real_data))
    reached = set()
    for dataset in datasets().values():
        if dataset.name != "flores":
            for code in dataset.languages:
                for split in dataset.splits_of(code):
                    reached.update(dataset.locate(code, split) or ())
    files = {path for path in real_data.rglob("*") if path.is_file()}
    missed = {path for path in files - reached if not MORE & {*path.relative_to(real_data).parts}}
    assert not missed


@pytest.mark.parametrize(
    ("name", "language", "split", "n_rows", "n_source", "n_target"),
    [
        ("masakhaner2", "yo", "dev", 983, 0, 995),
        ("europarl-ner", "en-de", "dev", 400, 372, 367),
        ("uner-pud", "en-zh-Hant", "raw300", 300, 235, 251),
        ("xl-wa", "eng-rus", "dev", 90, 0, 0),
    ],
)
def test_shared_files_are_read(
    real_data, monkeypatch, name, language, split, n_rows, n_source, n_target
):
    monkeypatch.setenv("SPANBRIDGE_DATA", str(real_data))
    rows = list(find_dataset(name).read(language, split))
    assert len(rows) == n_rows
    assert sum(len(row.source.spans) for row in rows) == n_source
    assert sum(len(row.target.spans) for row in rows) == n_target
