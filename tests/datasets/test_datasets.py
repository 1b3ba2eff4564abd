"""Data sets by name: found, described strictly, located, read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import spanbridge.datasets
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.spans import Span
from spanbridge.datasets import find_dataset
from spanbridge.datasets.description import read_description
from spanbridge.formats import Counts

DESCRIPTION = """
title: Toy
kind: entities
licence: CC0-1.0
languages: [de, swa]
splits: [train, test]
labels: [PER, LOC]
files:
  - path: toy/{language}.{split}.conll
"""
CONLL = "Ana\tB-PER\nlives\tO\nin\tO\nRome\tB-GPE\n\nYes\tO\n\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder of data with the description of a data set and nothing else of the user's."""
    monkeypatch.setenv("SPANBRIDGE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").mkdir()
    (tmp_path / "toy").mkdir()
    return tmp_path


def describe(home, text=DESCRIPTION, name="toy"):
    path = home / "datasets" / f"{name}.yaml"
    path.write_text(text, "utf-8")
    return path


OWN = sorted(Path(spanbridge.datasets.__file__).parent.glob("*.yaml"))


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_the_descriptions_of_the_package_are_sound(home, path):
    description = read_description(path)
    for part in description.parts or [""]:
        name = f"{path.stem}-{part}" if part else path.stem
        dataset = find_dataset(name)
        assert (dataset.name, dataset.file) == (name, path)
        assert {*dataset.coarse.values()} <= {"PER", "ORG", "LOC"}
        assert description.verified or description.quirks or description.access
        for code in [*dataset.languages[:2], *dataset.languages[-20:]]:
            for split in dataset.splits_of(code):
                source = dataset.source(code, split)
                assert source or description.access, "nobody is told how to get it"
                if source:
                    assert len(source.paths) == len(source.urls)
                    assert len(source.members) in (0, len(source.paths))
                    assert not re.search(r"[{}]", " ".join([*source.paths, *source.urls]))
        assert {split for code in dataset.languages for split in dataset.splits_of(code)} == {
            *dataset.splits
        }


def test_digests_are_of_files_that_are_fetched(home):
    for path in OWN:
        if path.with_suffix(".sha256").is_file():
            dataset = find_dataset(path.stem if path.stem != "crossner" else "crossner-ai")
            parts = [dataset]
            if dataset.part:
                parts = [find_dataset(f"{path.stem}-{part}") for part in dataset.description.parts]
            fetched = {
                where
                for one in parts
                for code in one.languages
                for split in one.splits_of(code)
                if (source := one.source(code, split))
                for where in source.paths
            }
            assert {*dataset.description.sha256} <= fetched, path.stem


def test_a_users_data_set_is_found_read_and_signed(home):
    describe(home)
    (home / "toy" / "de.train.conll").write_text(CONLL, "utf-8")
    toy = find_dataset("toy")
    assert (toy.title, toy.kind, toy.licence) == ("Toy", "entities", "CC0-1.0")
    assert toy.languages == ("de", "swa")
    assert toy.files("deu", "train") == (home / "toy" / "de.train.conll",)
    first, second = toy.read("de", "train")
    assert first.target.words == ("Ana", "lives", "in", "Rome")
    assert first.target.spans == (Span(0, 1, "PER"), Span(3, 4, "GPE"))
    assert first.source.words == second.source.words == ()
    assert next(toy.read("de", "train", "source")).source.words[0] == "Ana"
    before = toy.digest("de", "train")
    assert before == find_dataset("toy").digest("de", "train")
    (home / "toy" / "de.train.conll").write_text(CONLL.replace("Rome", "Oslo"), "utf-8")
    assert toy.digest("de", "train") != before


def test_rows_without_words_are_left_out_and_counted(home):
    describe(home)
    (home / "toy" / "de.train.conll").write_text(CONLL.replace("\n\n", "\n\n\n"), "utf-8")
    counts = Counts()
    assert len(list(find_dataset("toy").read("de", "train", counts=counts))) == 2
    assert counts.left_out == {"rows without words left out": 2}


def test_labels_are_mapped_dropped_and_made_coarse(home):
    more = "map: {GPE: LOC, PER: null}\n"
    describe(home, DESCRIPTION + more + "coarse: {LOC: ORG}\n")
    (home / "toy" / "de.train.conll").write_text(CONLL, "utf-8")
    toy = find_dataset("toy")
    assert next(toy.read("de", "train")).target.spans == (Span(3, 4, "LOC"),)
    assert next(toy.read("de", "train", coarse=True)).target.spans == (Span(3, 4, "ORG"),)
    mapped = toy.digest("de", "train")
    describe(home)
    assert find_dataset("toy").digest("de", "train") != mapped


def test_coarse_labels_stand_for_themselves(home):
    describe(home)
    (home / "toy" / "de.train.conll").write_text(CONLL, "utf-8")
    assert find_dataset("toy").coarse == {"PER": "PER", "LOC": "LOC"}
    (first, _) = find_dataset("toy").read("de", "train", coarse=True)
    assert first.target.spans == (Span(0, 1, "PER"),)
    with pytest.raises(SpanbridgeError, match="xsid has no labels that stand for PER, ORG, LOC"):
        find_dataset("xsid").read("de", "dev", coarse=True)


def test_a_missing_file_says_where_it_goes(home):
    describe(home)
    with pytest.raises(SpanbridgeError, match=r"toy, swa, test: .*Put toy/swa.test.conll into"):
        find_dataset("toy").files("sw", "test")


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: find_dataset("masakaner2"), r"did you mean masakhaner2\?"),
        (lambda: find_dataset("masakhaner2").files("de", "dev"), "no language of it is named 'de'"),
        (lambda: find_dataset("masakhaner2").files("swa", "tset"), r"did you mean test\?"),
        (
            lambda: find_dataset("masakhaner2").files("swa", "dev"),
            "data get masakhaner2 --lang swa",
        ),
        (lambda: find_dataset("nowhere.yaml"), "nowhere.yaml: cannot be read"),
        (lambda: find_dataset("crossner-polities"), r"did you mean crossner-politics\?"),
    ],
)
def test_wrong_names_are_told_with_the_right_ones(home, ask, said):
    with pytest.raises(SpanbridgeError, match=said):
        ask()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("kind: entities", "kind: entity"), r":3: kind: must be"),
        (("licence: CC0-1.0", "license: CC0-1.0"), r"license.*did you mean licence\?"),
        (("{language}", "{lang}"), r"did you mean language\?"),
        (("toy/{language}", "../{language}"), "without .."),
        (("splits: [train, test]", "splits: [../x]"), r"splits: '../x' stands in paths"),
        (("splits: [train, test]", "splits: [train, .]"), r"splits: '.' stands in paths"),
        (("files:", "names: {de: /etc}\nfiles:"), "names: '/etc' stands in paths"),
        (("files:", "names: {de: a/../..}\nfiles:"), "'a/../..' stands in paths"),
        (("files:", "parts: {../x: {title: X}}\nfiles:"), "'../x' stands in paths"),
        (("title: Toy", "title: [a]"), ":2: title: must be text"),
        (("splits: [train, test]", "splits: []"), ":6: splits: name at least one"),
        (("files:", "map: &a {X: Y}\ncoarse: *a\nfiles:"), r"aliases \(\*name\) are not read"),
        (("files:", "reading: {format: conl}\nfiles:"), r"did you mean conll\?"),
    ],
)
def test_a_description_is_checked_strictly(home, change, said):
    path = describe(home, DESCRIPTION.replace(*change))
    with pytest.raises(InputError, match=said) as caught:
        find_dataset(path)
    assert str(path) in str(caught.value)


def test_pairs_stand_side_by_side(home):
    text = DESCRIPTION.replace("entities", "pairs").replace("[de, swa]", "[en-de, en-swa]")
    describe(home, text.replace("{language}.", "{side}."))
    (home / "toy" / "en.test.conll").write_text(CONLL, "utf-8")
    (home / "toy" / "de.test.conll").write_text("Ana\tB-PER\n\nJa\tO\n\n", "utf-8")
    toy = find_dataset("toy")
    first, second = toy.read("eng-de", "test")
    assert (first.source.words[0], first.target.words) == ("Ana", ("Ana",))
    assert first.target.spans == (Span(0, 1, "PER"),)
    assert second.target.words == ("Ja",)
    (home / "toy" / "de.test.conll").write_text("Ana\tB-PER\n\n", "utf-8")
    with pytest.raises(InputError, match="no counterpart"):
        list(toy.read("en-de", "test"))


def test_json_rows_may_have_other_keys_and_tags(home):
    text = DESCRIPTION.replace("entities", "pairs").replace("[de, swa]", "[en-de]")
    keys = "{a: source_words, t: source_tags, b: target_text, g: target_spans}"
    describe(
        home, text.replace("{language}.{split}.conll", f"x.jsonl\n    reading: {{keys: {keys}}}")
    )
    row = '{"a": ["Ana", "sang"], "t": ["B-PER", "O"], "b": "Ana sang.", '
    row += '"g": [{"start": 0, "end": 3, "label": "PER"}], "more": 1}\n'
    (home / "toy" / "x.jsonl").write_text(row, "utf-8")
    (pair,) = find_dataset("toy").read("en-de", "test")
    assert pair.source.spans == pair.target.spans == (Span(0, 1, "PER"),)
    assert pair.extra == {"more": 1}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("en-deu", {"en-de", "en-de-st", "en-de-muc"}),
        ("en-de-st", {"en-de-st"}),
        ("ita", {"en-it"}),
        ("en", set(find_dataset("xsid").languages)),
        ("bg", set()),
    ],
)
def test_languages_are_told_from_pairs_and_countries(asked, found):
    xsid = find_dataset("xsid")
    assert {*xsid.with_language(asked)} == found
    if "-" in asked:
        assert xsid.code(asked) == ("en-de" if asked == "en-deu" else asked)
    with pytest.raises(SpanbridgeError):
        find_dataset("xl-wa").code("eng-fra")
    assert find_dataset("xl-wa").code("eng-rus") == "en-ru"
    assert find_dataset("flores").code("eng_Latn-swh_Latn") == "en-sw"
    assert find_dataset("uner").code("zho_Hans") == "zh-Hans"


@pytest.mark.parametrize(
    ("name", "asked", "found"),
    [
        ("xsid", "ita", "en-it"),
        ("xsid", "de", "en-de"),
        ("flores", "swh_Latn", "en-sw"),
        ("flores", "zh-Hant", "en-zh-Hant"),
        ("wpt2003", "ro", "ro-en"),
        ("mafand", "fra-wol", "fr-wol"),
        ("mafand", "wo", "fr-wol"),
    ],
)
def test_one_language_names_its_pair(name, asked, found):
    assert find_dataset(name).code(asked) == found
    for wrong, said in (("de", "is in several pairs; name one of en-de, de-en"), ("fr", "no lang")):
        with pytest.raises(SpanbridgeError, match=said):
            find_dataset("europarl-ner").code(wrong)


def test_rows_are_matched_by_comments(home):
    text = DESCRIPTION.replace("entities", "pairs").replace("[de, swa]", "[en-de]")
    match = "{format: conll, match: {source: text, target: text-en}}"
    describe(home, text.replace("{language}.", "{side}.") + f"    reading: {match}\n")
    english = (
        "# text = Yes\n\n# text = Ana\nAna\tB-PER\n\n# text = Yes\nYes\tO\n\n# text = No\nNo\tO\n\n"
    )
    (home / "toy" / "en.test.conll").write_text(english.replace("Yes\n\n", "Yes\nyes\tO\n\n", 1))
    german = "# text-en = Yes\nJa\tO\n\n# text-en = Yes\nJo\tO\n\n# text-en = Ana\nAna\tB-PER\n\n"
    (home / "toy" / "de.test.conll").write_text(german + "# text-en = Eve\nEve\tB-PER\n\n")
    counts = Counts()
    rows = list(find_dataset("toy").read("en-de", "test", counts=counts))
    assert [(row.source.words, row.target.words) for row in rows] == [
        (("yes",), ("Ja",)),
        (("Yes",), ("Jo",)),
        (("Ana",), ("Ana",)),
    ]
    assert counts.left_out["rows without a counterpart left out"] == 2
    (home / "toy" / "de.test.conll").write_text("# text-en = No\nNein\tO\n\nJa\tO\n\n")
    with pytest.raises(InputError, match=r"de.test.conll:4: this row has no comment # text-en"):
        list(find_dataset("toy").read("en-de", "test"))
