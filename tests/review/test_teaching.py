"""The button that teaches: rows projected anew, what changes, and what cannot be taught."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest
from review_samples import asked, sample_rows, taught, with_articles, write_projection, write_rows

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.records import write_record
from spanbridge.formats import read_rows
from spanbridge.review.changes import Changes
from spanbridge.review.index import RowIndex
from spanbridge.review.journal import read_journal
from spanbridge.review.lists import Query
from spanbridge.review.recipe import origin_of
from spanbridge.review.recipe import recipe_of as recipe_of_origin
from spanbridge.run.result import manifest_path


def objects(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def recipe_of(path):
    return recipe_of_origin(origin_of(path, RowIndex(path).digest))


def listed(desk, **query):
    found = desk.find(Query(**query))
    return desk.lists.part(found["list"], 0, 100)


def change(path, edit):
    """Change the record beside a result as an earlier version, or other settings, would have."""
    told = json.loads(manifest_path(path).read_text("utf-8"))
    told.pop("sha256")
    files = told.pop("files")
    edit(told)
    write_record(manifest_path(path), told, [path.parent / name for name in files])


@pytest.mark.slow
def test_it_is_what_the_command_makes_of_the_corrections(open_desk, spanbridge, tmp_path):
    write_projection(tmp_path)
    rows = objects(tmp_path / "in.jsonl")
    links = [" ".join(f"{i}-{j}" for i, j in row["links"]) for row in rows]
    (tmp_path / "links").write_text("\n".join(links) + "\n")
    line = "project --source in.jsonl --links links --method corpus --least-parallel 0 --to de"
    spanbridge(*line.split(), "-o", "out.jsonl")
    path = tmp_path / "out.jsonl"
    before = path.read_bytes()
    desk = open_desk(path)
    with_articles(desk, range(1, 31))
    desk.act(asked(31, 0, [], status="rejected-source", do="status"))
    journal = (tmp_path / "out.jsonl.journal").read_bytes()
    plan = desk.teach()
    assert plan["state"] == "running"
    assert (plan["output"], plan["corrections"]) == ("out.taught.jsonl", "out.corrections.jsonl")
    with pytest.raises(SpanbridgeError, match="are being projected anew already"):
        desk.teach()
    assert taught(desk)["changed"] == 30
    assert path.read_bytes() == before
    assert (tmp_path / "out.jsonl.journal").read_bytes() == journal
    gold = objects(tmp_path / "out.corrections.jsonl")
    assert [row["id"] for row in gold] == [f"r{n}" for n in range(30)]
    assert {row["review"]["status"] for row in gold} == {"corrected"}
    plan = desk.teaching.plan()
    assert [one["options"] for one in plan["guidelines"]] == [["article=in"]]
    assert not any("the article is in" in said for said in plan["said"])  # told once
    by_hand = ("--corrections", "out.corrections.jsonl", "-o", "by-hand.jsonl")
    spanbridge(*line.split(), *by_hand)
    made = (tmp_path / "out.taught.jsonl").read_bytes()
    assert made == (tmp_path / "by-hand.jsonl").read_bytes()
    # and with a convention that somebody has settled, here against what the rows show
    desk.decide("article", "out", "anna")
    assert read_journal(f"{path}.journal")[1] == desk.journal.actions
    desk.teach()
    taught(desk)
    spanbridge(*line.split(), *by_hand, "--boundary", "article=out")
    settled = (tmp_path / "out.taught.jsonl").read_bytes()
    assert settled == (tmp_path / "by-hand.jsonl").read_bytes()
    assert settled != made
    told = json.loads((tmp_path / "out.taught.jsonl.run.json").read_text("utf-8"))
    assert "boundary:article=out" in told["signature"]


def test_what_changes_is_listed_and_shown_row_by_row(open_desk, tmp_path):
    desk = open_desk(write_projection(tmp_path))
    assert listed(desk, changed=True) == []
    with_articles(desk, range(1, 31))
    desk.teach()
    taught(desk)
    found = listed(desk, changed=True)
    assert {one["row"] for one in found} == {*range(31, 61)}  # none of those that Anna has done
    sure = [one["sure"] for one in found]
    assert sure == sorted(sure)
    name = desk.row(31)["target"]["text"].split()[2]
    (one,) = [one for one in found if one["row"] == 31]
    assert one["change"] == {"lost": [("PER", name)], "gained": [("PER", f"der {name}")]}
    row = desk.row(31)
    assert row["state"]["spans"][0][:3] == [9, 9 + len(name), "PER"]
    assert [span[:3] for span in row["taught"]] == [[5, 9 + len(name), "PER"]]
    assert desk.row(1)["taught"] is None
    # the new spans can be taken as any others
    done = desk.act(asked(31, 0, row["taught"], do="teach", status="accepted"))
    assert done["state"]["status"] == "corrected"


@pytest.mark.slow
def test_a_result_is_found_again_and_can_be_reviewed_with_the_same_journal(open_desk, tmp_path):
    desk = open_desk(write_projection(tmp_path))
    with_articles(desk, range(1, 31))
    desk.teach()
    taught(desk)
    desk.close()
    again = open_desk(tmp_path / "out.jsonl")
    assert again.teaching.told() == {"state": "none", "made": 0}
    again.beat("s", "anna", 1, 0)
    assert taught(again)["changed"] == 30
    new = open_desk(tmp_path / "out.taught.jsonl", journal=str(tmp_path / "out.jsonl.journal"))
    assert new.about()["counts"]["corrected"] == 30
    # and taught again: what was accepted since is kept, too
    new.act(asked(31, 0, [], status="rejected-translation", do="status"))
    new.act(asked(32, 0, new.row(32)["state"]["spans"], status="accepted", do="status"))
    new.teach()
    taught(new)
    rows = objects(tmp_path / "out.taught.taught.jsonl")
    assert [n for n, row in enumerate(rows, 1) if row["status"] == "corrected"] == [
        *range(1, 31),
        32,
    ]


@pytest.mark.slow
def test_reopened_rows_teach_no_longer(open_desk, tmp_path):
    """Also those that the file itself has as corrected, by an earlier review."""
    first = open_desk(write_projection(tmp_path))
    with_articles(first, range(1, 31))
    first.teach()
    taught(first)
    desk = open_desk(tmp_path / "out.taught.jsonl")
    assert desk.about()["counts"]["corrected"] == 30
    spans = desk.row(1)["state"]["spans"]
    desk.act(asked(1, 0, spans, status="", do="status"))
    desk.teach()
    taught(desk)
    row = objects(tmp_path / "out.taught.taught.jsonl")[0]
    assert row["status"] == "projected"
    assert "review" not in row
    told = json.loads((tmp_path / "out.taught.taught.jsonl.run.json").read_text("utf-8"))
    assert told["account"]["rows_that_were_corrected_but_are_projected_anew"] == 1


@pytest.mark.slow
def test_nothing_is_left_of_a_result_that_is_killed(open_desk, tmp_path):
    desk = open_desk(write_projection(tmp_path))
    with_articles(desk, range(1, 31))
    desk.teach()
    os.kill(desk.teaching._worker.pid, signal.SIGKILL)
    assert "ended without a word" in taught(desk, "failed")["error"]
    assert not (tmp_path / "out.taught.jsonl").exists()
    desk.teach()
    assert taught(desk)["changed"] == 30
    whole = (tmp_path / "out.taught.jsonl").read_bytes()
    desk.teach()
    desk.close()  # in the middle of it
    assert (tmp_path / "out.taught.jsonl").read_bytes() == whole
    assert (
        len(Changes(RowIndex(str(tmp_path / "out.jsonl")), str(tmp_path / "out.taught.jsonl")))
        == 30
    )


@pytest.mark.slow
def test_another_version_is_told(open_desk, tmp_path):
    path = write_projection(tmp_path)
    change(path, lambda told: told.update(signature=told["signature"].replace("greedy", "old")))
    desk = open_desk(path)
    with_articles(desk, range(1, 31))
    desk.teach()
    taught(desk)
    (said,) = [one for one in desk.teaching.plan()["said"] if "is not what made" in one]
    assert said.startswith(f"method is not what made {path}: corpus(near_mass,greedy")
    assert "there corpus(near_mass,old" in said


def test_a_wrong_run_is_told_and_the_review_goes_on(open_desk, tmp_path):
    desk = open_desk(write_projection(tmp_path))
    with pytest.raises(SpanbridgeError, match="no row is accepted or corrected yet"):
        desk.teach()
    with_articles(desk, range(1, 3))
    (tmp_path / "out.taught.jsonl").mkdir()
    desk.teach()
    assert "is a folder" in taught(desk, "failed")["error"]
    desk.act(asked(3, 0, [], status="accepted", do="status"))
    assert desk.about()["counts"]["corrected"] == 3


def test_a_result_of_other_rows_is_not_taken(open_desk, tmp_path):
    path = write_projection(tmp_path)
    rows = [pair for _, pair in read_rows(path)]
    write_rows(tmp_path / "out.taught.jsonl", [*rows[1:], rows[0]])
    desk = open_desk(path)
    desk.beat("s", "anna", 1, 0)
    assert "is about other rows than" in taught(desk, "failed")["error"]
    write_rows(tmp_path / "out.taught.jsonl", rows[1:])
    with pytest.raises(InputError, match="has 59 rows"):
        Changes(RowIndex(str(path)), str(tmp_path / "out.taught.jsonl"))


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ({"method": "greedy"}, "the method greedy, by which out.jsonl was projected, learns noth"),
        ({"method": "soft"}, "The method corpus, the default, learns from them"),
    ],
)
def test_methods_that_learn_nothing_say_so(open_desk, tmp_path, step, told):
    desk = open_desk(write_projection(tmp_path, 4, **step))
    with_articles(desk, [1])
    assert told in desk.teaching.plan()["why"]
    with pytest.raises(SpanbridgeError, match="learns nothing from corrections"):
        desk.teach()


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda told: told.pop("pipeline"), "does not tell the settings"),
        (
            lambda told: told.update(signature="task:review|", pipeline=None),
            r"nothing tells how in.jsonl \(from which out.jsonl was made\) was projected",
        ),
        (lambda told: told["pipeline"].update(steps=[{"tag": {}}]), "was made by tag; only"),
        (
            lambda told: told["pipeline"]["steps"].insert(0, {"segment": {}}),
            "with the step segment, whose work its rows do not show",
        ),
        (lambda told: told["pipeline"]["steps"].append({"join": {}}), "with the step join"),
        (
            lambda told: told["pipeline"].update(steps=[{"project": {"apply": "fit"}}]),
            "with --apply of a fit, which learns nothing",
        ),
        (
            lambda told: told["pipeline"].update(
                steps=[{"project": {"refine": {"chat": {"model": "m"}}}}]
            ),
            "a chat model that is asked about spans, which may cost",
        ),
        (lambda told: told["pipeline"].update(steps=5), "steps"),
        (lambda told: told["pipeline"].update(steps=[5]), "a step is written as NAME"),
        (lambda told: told["pipeline"].update(more=1), "more"),
        (lambda told: told["pipeline"].update(steps=[{"project": {"method": "no"}}]), "no"),
        (
            lambda told: told["account"].update(rows_with_links_of_their_own=3),
            "some rows of the input brought links",
        ),
    ],
)
def test_what_the_record_does_not_tell_is_said(tmp_path, edit, told):
    path = write_projection(tmp_path, 4)
    given = json.loads(manifest_path(path).read_text("utf-8"))
    given["inputs"]["input"] = given["inputs"]["source"]
    change(path, lambda record: (record.update(inputs=given["inputs"]), edit(record)))
    with pytest.raises(SpanbridgeError, match=told):
        recipe_of(str(path))


def test_a_file_without_a_record_or_changed_since(open_desk, tmp_path):
    desk = open_desk(write_rows(tmp_path / "out.jsonl", sample_rows()))
    assert "out.jsonl.run.json is not beside it" in desk.teaching.plan()["why"]
    path = write_projection(tmp_path, 4)
    with path.open("a") as file:
        file.write("\n")
    with pytest.raises(InputError, match="is not the result that out.jsonl.run.json is about"):
        recipe_of(str(path))


def test_links_are_made_anew_unless_the_input_brought_them(tmp_path):
    path = write_projection(tmp_path, 4)
    assert recipe_of(str(path))["project"]["links"] == "only"
    change(path, lambda told: told["pipeline"]["steps"][0]["project"].pop("links"))
    assert recipe_of(str(path))["project"]["links"] == "anew"
    change(path, lambda told: told["account"].update(rows_with_links_of_their_own=4))
    assert "links" not in recipe_of(str(path))["project"]


def test_the_result_overwrites_no_other_file(open_desk, tmp_path):
    path = write_projection(tmp_path, 4)
    desk = open_desk(path, output=str(tmp_path / "out.taught.jsonl"))
    assert "is where the result would go; name another file" in desk.teaching.plan()["why"]
    other = open_desk(path, journal=str(tmp_path / "out.corrections.jsonl"))
    assert "name another file" in other.teaching.plan()["why"]


def test_a_page_is_told_while_it_goes_on(open_desk, tmp_path):
    desk = open_desk(write_projection(tmp_path))
    with_articles(desk, range(1, 31))
    desk.teach()
    seen = []
    for _ in range(2000):
        told = desk.beat("s", "anna", 40, 0)["teaching"]
        if told["state"] != "running":
            break
        seen.append(told.get("doing"))
        desk.find(Query())
        time.sleep(0.01)
    assert seen[0] == "load the models"
    assert taught(desk)["made"] == 1
