"""Studies from file to results: what cells hold, what is shared, what is kept, what fails."""

import json
from collections import Counter

import pytest
import toy_study as toy

import spanbridge
from spanbridge.core.files import atomic_output
from spanbridge.run.shard_store import Shards
from spanbridge.study.check import check_plan
from spanbridge.study.plan import make_plan
from spanbridge.study.study import run_study
from spanbridge.study.study_file import read_study


@pytest.fixture
def counted(monkeypatch):
    """How many shards each step makes."""
    found = Counter()
    write = Shards.write

    def counting(self, s, *args):
        found["read" if s == 0 else self.steps[s - 1].report.name] += 1
        return write(self, s, *args)

    monkeypatch.setattr(Shards, "write", counting)
    return found


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.slow
def test_a_study_gives_what_its_pipelines_and_evaluate_give(tmp_path, counted, command):
    path = toy.study(tmp_path)
    outcome = run_study(path)
    assert outcome.sound
    rows = lines(tmp_path / "out" / "results.jsonl")
    assert [(row["language"], row["system"]) for row in rows] == [
        (language, system)
        for language in ("de", "es")
        for system in ("greedy", "heuristic", "gold-tags", "theirs")
    ]
    # one translation and one tagging serve both methods
    assert counted == {"read": 2, "translate": 2, "tag": 4, "project": 4}
    for row in rows:
        *_, score = row["command"].split(" && ")
        told = json.loads(command(*score.split()[1:], "--json").stdout)
        assert told["micro"] == row["scores"]["micro"], row["system"]
    assert rows[2]["scores"]["micro"]["f1"] == rows[3]["scores"]["micro"]["f1"] == 1.0
    # 12 names in de: 6 the tagger of English overlooks or whose translation is spelt otherwise
    greedy = rows[0]["scores"]["micro"]
    assert greedy["support"] == 12
    assert greedy["predicted"] == greedy["tp"] < 12
    before = toy.results(tmp_path / "out")
    first = next(row for row in rows if row["system"] == "heuristic")
    run, _ = first["command"].split(" && ")
    command(*run.split()[1:])  # the same pipeline as a command
    assert toy.results(tmp_path / "out") == before


def test_systems_never_see_the_gold_spans(tmp_path):
    path = toy.study(tmp_path)
    run_study(path)
    given = lines(tmp_path / "out" / "data" / "toy.de.jsonl")
    gold = lines(tmp_path / "out" / "data" / "toy.de.gold.jsonl")
    assert all(not row["target_spans"] for row in given)
    assert sum(len(row["target_spans"]) for row in gold) == 12


@pytest.mark.slow
def test_what_is_there_is_not_made_again(tmp_path, counted):
    path = toy.study(tmp_path)
    run_study(path)
    before = toy.results(tmp_path / "out")
    counted.clear()
    run_study(path)
    assert not counted
    assert toy.results(tmp_path / "out") == before
    # another setting of one step redoes this step alone
    text = (tmp_path / "study.yaml").read_text("utf-8")
    changed = text.replace("method: heuristic", "method: exact")
    assert changed != text
    (tmp_path / "study.yaml").write_text(changed, encoding="utf-8")
    run_study(path)
    assert counted == {"project": 2}
    # other data redoes the cells of its language
    counted.clear()
    with (tmp_path / "es.conll").open("a", encoding="utf-8") as file:
        file.write("Ana\tB-PER\n\n")
    outcome = run_study(path)
    assert counted.keys() <= {"read", "translate", "tag", "project"}
    assert counted["read"] == 1
    assert outcome.sound


@pytest.mark.slow
def test_a_cell_that_fails_stops_no_other(tmp_path):
    path = toy.study(tmp_path)
    (tmp_path / "es.en.conll").unlink()
    outcome = run_study(path)
    failed = [one for one in outcome.results if one.status == "failed"]
    assert {one.cell.name for one in failed} == {"toy.es.greedy", "toy.es.heuristic"}
    assert all("es.en.conll" in one.why for one in failed)
    assert "toy.es.greedy" in (tmp_path / "out" / "report.md").read_text("utf-8")
    # once the reason is gone, the same command makes what was missing
    toy.write(tmp_path, ["de", "es"])
    assert run_study(path).sound


def test_check_says_what_is_wrong_before_anything_runs(tmp_path, command):
    path = toy.study(tmp_path, languages=("de", "es"))
    (tmp_path / "es.en.conll").unlink()
    (tmp_path / "de.conll").unlink()
    found = command("study", path, "--check", code=2).stdout
    assert "8 cells of 4 systems on 2 texts" in found
    assert "de.conll: no such file" in found
    assert "study.yaml:" in found
    assert "es.en.conll" in found
    assert not (tmp_path / "out").exists()
    said = command("study", path, code=2).stderr
    assert "--partial" in said
    assert not (tmp_path / "out").exists()
    command("study", path, "--partial", code=1)
    rows = lines(tmp_path / "out" / "results.jsonl")
    done = [(row["language"], row["system"]) for row in rows if row["status"] == "done"]
    assert done == [("es", "gold-tags"), ("es", "theirs")]


def test_the_estimate_counts_shared_steps_once(tmp_path):
    path = toy.study(tmp_path)
    found = check_plan(make_plan(read_study(path)), estimate=3)
    assert not found.problems
    assert found.estimate is not None
    assert set(found.estimate.seconds) == {"translate", "tag", "project"}


def test_an_estimate_asks_no_chat_model(tmp_path):
    """A server that hears of it would be asked here: there is none."""
    chat = {"model": "m", "url": "http://127.0.0.1:9/v1", "cache": str(tmp_path / "kept")}
    tag = {"chat": {**chat, "labels": {"PER": "a person"}}}
    translate, _, project = toy.translated(tmp_path, "greedy")
    refined = {"project": {**project["project"], "refine": {"chat": chat}, "below": 1.0}}
    first = {"tag": {"tagger": {"given": {"model": f"{tmp_path}/{{language}}.en.conll"}}}}
    systems = {
        "refined": {"steps": [translate, first, refined]},
        "translated": {"steps": [{"translate": {"translator": {"chat": chat}}}, first, project]},
        "tagged": {"steps": [translate, {"tag": {"tagger": tag}}, project]},
        "read": {"steps": [{"tag": {"side": "target", "tagger": tag}}]},
    }
    path = toy.study(tmp_path, ("de",), systems=systems)
    found = check_plan(make_plan(read_study(path)), estimate=3)
    assert not found.problems
    estimate = found.estimate
    assert set(estimate.seconds) == {"translate", "tag", "project"}
    # two texts are tagged (6 each) and one is translated (6); two names in each row are projected
    assert 18 < estimate.requests <= 18 + 12
    assert estimate.tokens > 100 * estimate.requests
    assert set(estimate.left_out) == {
        "what follows the chat model of the step translate",
        "what follows the chat model of the step tag",
    }
    assert f"about {estimate.requests} requests to chat models, with" in estimate.text()
    assert not (tmp_path / "kept").exists()


def test_seeds_are_cells_only_of_systems_that_name_them(tmp_path):
    path = toy.study(tmp_path, seeds=[1, 2], perturb=[{"kind": "casing", "strength": [0, 0.5]}])
    names = {cell.name for cell in make_plan(read_study(path)).cells}
    assert "toy.de.greedy" in names  # nothing in it depends on a seed
    assert "toy.de.casing-0.5.s1.greedy" in names
    assert "toy.de.casing-0.5.s2.greedy" in names
    assert not any("theirs" in name and "casing" in name for name in names)
    assert len(names) == 2 * (4 + 2 * 3)


def test_a_system_may_be_run_on_some_languages_only(tmp_path):
    systems = toy.systems(tmp_path)
    systems["heuristic"]["languages"] = ["es"]
    path = toy.study(tmp_path, systems=systems)
    assert run_study(path).sound
    report = (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "over languages that all systems have; missing: heuristic: de." in report


@pytest.mark.slow
def test_perturbed_text_keeps_its_gold(tmp_path):
    path = toy.study(tmp_path, perturb=[{"kind": {"casing": {"to": "upper"}}, "strength": 1}])
    outcome = run_study(path)
    # tags and translations from files are of the text as it was
    failed = {one.cell.name for one in outcome.results if one.status == "failed"}
    assert failed == {f"toy.{x}.casing-1.s0.gold-tags" for x in ("de", "es")}
    gold = lines(tmp_path / "out" / "data" / "toy.de.casing-1.s0.gold.jsonl")
    spans = [
        row["target_words"][span["start"] : span["end"]]
        for row in gold
        for span in row["target_spans"]
    ]
    assert len(spans) == 12
    assert all(word.isupper() for words in spans for word in words)
    report = (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "F1 against casing" in report
    why = "failed: translation: the file has no translation of it"
    assert f"| greedy | toy, casing 1 | 12 of 12 | {why} |" in report


def test_labels_are_mapped_on_both_sides(tmp_path):
    scores = {"resamples": 100, "map": {"ORG": "LOC"}, "labels": ["LOC"]}
    path = toy.study(tmp_path, scores=scores)
    run_study(path)
    row = lines(tmp_path / "out" / "results.jsonl")[3]
    assert set(row["scores"]["per_label"]) == {"LOC"}
    assert row["scores"]["micro"]["f1"] == 1.0
    assert row["command"].endswith("--map ORG=LOC --labels LOC")


@pytest.mark.slow
def test_python_gives_the_same_files_as_the_command(tmp_path, command):
    path = toy.study(tmp_path)
    outcome = spanbridge.run_study(path)
    whole = toy.results(tmp_path / "out")
    assert len(outcome.results) == 8
    command("study", path, "-o", tmp_path / "other")
    other = toy.results(tmp_path / "other")
    told = {
        name: text.replace(str(tmp_path / "other").encode(), str(tmp_path / "out").encode())
        for name, text in other.items()
        if not name.endswith(".run.json")  # which holds its own digest
    }
    assert told == {name: text for name, text in whole.items() if not name.endswith(".run.json")}


@pytest.mark.slow
def test_parts_by_text_make_the_whole(tmp_path):
    path = toy.study(tmp_path, languages=("de", "es", "fr"))
    run_study(path)
    whole = toy.results(tmp_path / "out")
    for part in (3, 1):
        done = run_study(path, str(tmp_path / "parts"), part=(part, 3))
    assert {one.status for one in done.results} == {"done", "open"}
    run_study(path, str(tmp_path / "parts"), part=(2, 3))
    parts = toy.results(tmp_path / "parts")
    name = "results.jsonl"
    told = parts[name].replace(str(tmp_path / "parts").encode(), str(tmp_path / "out").encode())
    assert told == whole[name]


@pytest.mark.slow
def test_a_damaged_record_is_made_again(tmp_path):
    path = toy.study(tmp_path)
    run_study(path)
    before = toy.results(tmp_path / "out")
    record = tmp_path / "out" / "state" / "cell" / "toy.de.greedy.json"
    with atomic_output(record) as out:
        out.write('{"key": "x"')
    run_study(path)
    assert toy.results(tmp_path / "out") == before
