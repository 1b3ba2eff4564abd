"""Tables over several data sets: worked out by hand from the counts of three small texts."""

import csv

import pytest
from test_study_report import GOLD, OTHER, SHORT, cells_of

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import ABSENT, Sentence
from spanbridge.study.inputs import Input
from spanbridge.study.settings import Data
from spanbridge.study.study import run_study
from spanbridge.study.study_file import read_study
from spanbridge.training.aligned.examples import place_of

STUDY = """\
data:
  - {name: news, languages: [de, es], files: "{language}.conll", domain: press}
  - {name: more, languages: [de], files: "{language}.conll", domain: press}
  - {name: posts, languages: [fr], files: "{language}.conll"}
systems:
  other: {predictions: "{language}.other.conll", saw: [posts]}
  short: {predictions: "{language}.short.conll", about: {authors: "A | B", trained_on: nothing}}
  partial: {predictions: "{language}.short.conll", data: [posts]}
scores: {resamples: 100}
"""


SYSTEMS = ("short", "partial")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The study, ready to run."""
    monkeypatch.chdir(tmp_path)
    for language in ("de", "es", "fr"):
        for kind, text in {"": GOLD, ".short": SHORT, ".other": OTHER}.items():
            (tmp_path / f"{language}{kind}.conll").write_text(text, encoding="utf-8")
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_means_are_over_sets_and_over_domains(folder):
    assert run_study("study.yaml").sound
    text = (folder / "study.study" / "report.md").read_text("utf-8")
    head, _, *rows = cells_of(text, "F1 over all data sets")
    assert head == ["system", "mean of sets", "mean of domains", "press", "posts"]
    # short finds 2 of 3, other 2 of 3 with 4 predicted: 66.7 and 57.1 in every set
    assert [row[0] for row in rows] == ["short", "other", "partial"]
    assert [cell.split(" ")[0].strip("*") for cell in rows[0]] == ["short", *["66.7"] * 4]
    assert rows[1][4].endswith("†")
    assert "†" not in rows[0][4] + rows[1][3]
    assert rows[2][1:4] == ["–", "–", "–"]
    assert rows[2][4].startswith("66.7")
    head, _, *rows = cells_of(text, "F1 in each set")
    assert head == ["set", "rows", "spans", "cap", "other", "short", "partial"]
    assert [row[0] for row in rows] == ["news de", "news es", "more de", "posts fr"]
    assert rows[3] == ["posts fr", "2", "3", "–", "57.1†", "66.7", "66.7"]
    assert "| short | A \\| B | nothing | – | – |" in text


def test_a_single_system_has_means_without_intervals(folder):
    text = STUDY.replace("  other:", "  only:").replace("saw: [posts]", "data: [news, posts]")
    text = "".join(x for x in text.splitlines(True) if x.split(":")[0].strip() not in SYSTEMS)
    (folder / "study.yaml").write_text(text.replace("  - {name: more", "  #"), encoding="utf-8")
    assert run_study("study.yaml").sound
    told = (folder / "study.study" / "report.md").read_text("utf-8")
    assert cells_of(told, "F1 over all data sets")[2:] == [["only", *["57.1"] * 4]]
    assert "†" not in told
    assert "**" not in "".join(map("".join, cells_of(told, "F1 in each set")))


@pytest.mark.slow
def test_scores_are_a_table_for_programs(folder):
    run_study("study.yaml")
    with (folder / "study.study" / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 2 + 1
    [row] = [r for r in rows if (r["dataset"], r["system"]) == ("posts", "other")]
    assert (row["saw_it"], row["rows"], row["spans"], row["f1"]) == ("yes", "2", "3", "0.5714")
    assert float(row["low"]) <= 0.5714 <= float(row["high"])
    assert (row["domain"], row["seeds"], row["seed_sd"], row["cap"]) == ("posts", "1", "", "")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("saw: [posts]", "saw: [post]", "there is no data set post, did you mean"),
        ("data: [posts]", "data: [blogs]", "there is no data set blogs"),
        ("trained_on", "training", "there is no such setting"),
    ],
)
def test_names_in_systems_are_checked(folder, old, new, why):
    (folder / "study.yaml").write_text(STUDY.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as told:
        read_study("study.yaml")
    assert why.replace(", did you mean", "") in str(told.value)
    assert told.value.line in range(6, 9)


def test_rows_that_a_training_held_out(tmp_path, monkeypatch):
    rows = [SentencePair(str(n), Sentence((f"w{n}",)), Sentence(("x",))) for n in range(40)]
    expected = [row.id for row in rows if place_of(row) < 0.5]
    assert 5 < len(expected) < 35
    given = Input(Data(files="x", held_out=0.5, rows=4), "de", "en")
    monkeypatch.setattr(Input, "_rows", lambda *_: iter(rows))
    assert [row.id for row in given.rows()] == expected[:4]
    bare = [SentencePair("1", ABSENT, Sentence(("x",)))]
    monkeypatch.setattr(Input, "_rows", lambda *_: iter(bare))
    with pytest.raises(SpanbridgeError, match="words of the source side"):
        list(given.rows())


@pytest.mark.slow
def test_results_of_another_study_are_not_written_over(folder):
    text = STUDY + "output: mine\n"
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    run_study("study.yaml")
    before = (folder / "mine" / "results.jsonl").read_bytes()
    for name in ("other", "short", "partial"):
        text = text.replace(f"  {name}: {{", f"  {name}-2: {{")
    (folder / "second.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="holds the results of another study"):
        run_study("second.yaml")
    assert (folder / "mine" / "results.jsonl").read_bytes() == before
    # one that has a cell in common is the same study, changed
    (folder / "second.yaml").write_text(text.replace("short-2", "short"), encoding="utf-8")
    assert run_study("second.yaml").sound
