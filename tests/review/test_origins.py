"""Teaching of files that were copied, converted or reviewed before: their records, and rows."""

from __future__ import annotations

import json
import shutil

import pytest
from review_samples import asked, taught, with_articles, write_projection

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.formats import read_rows
from spanbridge.review.index import RowIndex
from spanbridge.review.recipe import origin_of
from spanbridge.review.result import write_result
from spanbridge.run.converting import convert


def origin(path, projection=None):
    return origin_of(str(path), RowIndex(str(path)).digest, projection)


def objects(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def teach(desk):
    """What comes of the other rows when Anna has corrected the first thirty."""
    with_articles(desk, range(1, 31))
    desk.teach()
    return taught(desk)


@pytest.fixture
def projection(tmp_path):
    return write_projection(tmp_path)


@pytest.mark.slow
def test_a_copy_is_known_by_its_bytes(open_desk, projection):
    copy = projection.with_name("anna.jsonl")
    shutil.copy(projection, copy)
    assert origin(copy).path == str(projection.absolute())
    desk = open_desk(copy)
    assert desk.teaching.plan()["origin"] == "out.jsonl"
    assert teach(desk)["changed"] == 30
    assert copy.with_name("anna.taught.jsonl").exists()
    with copy.open("a") as file:
        file.write("\n")
    with pytest.raises(SpanbridgeError, match="nothing tells how anna.jsonl was projected"):
        origin(copy)


@pytest.mark.slow
def test_a_result_of_a_review_is_taught_further(open_desk, projection, monkeypatch):
    """Its rows say which of them were corrected; its record leads to that of the projection."""
    first = open_desk(projection)
    with_articles(first, range(1, 21))
    monkeypatch.chdir(projection.parent)
    write_result(first.rows, first.states(), first.journal.path, "corrected.jsonl")
    monkeypatch.chdir("/")  # where the record's names of files lead nowhere
    path = projection.with_name("corrected.jsonl")
    desk = open_desk(path)
    for row in range(21, 31):
        name = desk.row(row)["target"]["text"].split()[2]
        desk.act(asked(row, 0, [[5, 9 + len(name), "PER"]], status="corrected", do="status"))
    desk.teach()
    assert taught(desk)["changed"] == 30
    again = objects(path.with_name("corrected.taught.jsonl"))
    assert [row["status"] for row in again] == ["corrected"] * 30 + ["projected"] * 30


@pytest.mark.slow
def test_rows_converted_there_and_back(open_desk, projection):
    """Parquet holds whole rows, so nothing but the record has to be found."""
    middle, back = (str(projection.with_name(name)) for name in ("rows.parquet", "back.jsonl"))
    convert(str(projection), middle, format="jsonl")
    convert(middle, back)
    assert origin(back).path == str(projection)
    desk = open_desk(back)
    assert teach(desk)["changed"] == 30
    assert not projection.with_name("back.whole.jsonl").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tasks.json", "words.conll", "pairs.xlf"])
def test_rows_that_have_lost_their_source(open_desk, projection, name):
    """Label Studio has ids and texts, CoNLL words alone, XLIFF no spans; the source comes back."""
    middle, back = projection.with_name(name), projection.with_name("back.jsonl")
    convert(str(projection), str(middle))
    convert(str(middle), str(back))
    desk = open_desk(back)
    for row in range(1, 31):
        text = desk.row(row)["target"]["text"]
        end = text.index(" geht")
        desk.act(asked(row, 0, [[5, end, "PER"]], status="corrected", do="status"))
    (article,) = desk.teaching.plan()["guidelines"]
    assert article["options"] == ["article=in"]
    desk.teach()
    told = taught(desk)
    # XLIFF has no spans of the target, so all other rows gain theirs
    assert told["changed"] == 30
    whole = [row for _, row in read_rows(projection.with_name("back.whole.jsonl"))]
    given = [row for _, row in read_rows(projection)]
    assert [row.source for row in whole] == [row.source for row in given]
    assert [row.links for row in whole] == [row.links for row in given]
    rows = objects(projection.with_name("back.taught.jsonl"))
    assert [row["status"] for row in rows] == ["corrected"] * 30 + ["projected"] * 30
    assert all(row["source_spans"] for row in rows)
    assert desk.row(31)["taught"][0][0] == 5
    # the same by the command: nothing else is in these files
    new = open_desk(
        projection.with_name("back.taught.jsonl"), journal=str(back) + ".journal", projection=None
    )
    assert new.about()["counts"]["corrected"] == 30


@pytest.mark.slow
def test_the_user_names_the_projection(open_desk, projection, tmp_path):
    """Rows that came from elsewhere, in another order, are known by their ids and texts."""
    middle = projection.with_name("tasks.json")
    convert(str(projection), str(middle))
    tasks = json.loads(middle.read_text("utf-8"))
    elsewhere = tmp_path / "else"
    elsewhere.mkdir()
    (elsewhere / "export.json").write_text(json.dumps(tasks[::-1]))
    back = elsewhere / "back.jsonl"
    convert(str(elsewhere / "export.json"), str(back))
    desk = open_desk(back)
    why = desk.teaching.plan()["why"]
    assert "how export.json (from which back.jsonl was made) was projected" in why
    assert "review --projection FILE" in why
    desk.close()
    named = open_desk(back, projection=str(projection))
    assert teach(named)["changed"] == 30
    assert [row["id"] for row in objects(elsewhere / "back.taught.jsonl")][:2] == ["r59", "r58"]
    with pytest.raises(SpanbridgeError, match=r"nothing tells how in\.jsonl was projected"):
        open_desk(back, projection=str(tmp_path / "in.jsonl"))


def test_the_source_comes_back_in_the_result(projection, spanbridge):
    """Rows from a tool for one side can be given to project --corrections then."""
    spanbridge("choose", "out.jsonl", "-n", "9", "-o", "tasks.json")
    rows = json.loads(projection.with_name("tasks.json").read_text("utf-8"))
    for row in rows:
        row["data"]["review"] = {"status": "corrected"}
    projection.with_name("tasks.json").write_text(json.dumps(rows), "utf-8")
    done = spanbridge("guidelines", "tasks.json", code=2)
    assert "tasks.json:1: row r" in done.stderr
    assert "review FILE.jsonl --projection OUT.jsonl -o WHOLE.jsonl --write" in done.stderr
    spanbridge("convert", "tasks.json", "back.jsonl")
    lost = spanbridge(*"review back.jsonl -o no.jsonl --write".split())
    assert "9 corrected" in lost.stderr
    spanbridge(*"review back.jsonl --projection out.jsonl -o whole.jsonl --write".split())
    given = {row.id: row for _, row in read_rows(projection)}
    whole = [row for _, row in read_rows(projection.with_name("whole.jsonl"))]
    assert len(whole) == 9
    for row in whole:
        assert (row.source, row.links) == (given[row.id].source, given[row.id].links)
    assert "9 corrected rows" in spanbridge("guidelines", "whole.jsonl").stdout


def test_chosen_rows_lead_to_their_projection(projection, spanbridge):
    """Their record names it, so that Teach needs no --projection, as they are or from a tool."""
    spanbridge("choose", "out.jsonl", "-n", "9", "-o", "first.jsonl")
    assert origin(projection.with_name("first.jsonl")).path == str(projection)
    spanbridge("convert", "first.jsonl", "first.json")
    spanbridge("convert", "first.json", "back.jsonl")
    assert origin(projection.with_name("back.jsonl")).path == str(projection)


def test_what_is_lost_for_good_is_said(open_desk, projection):
    middle, back = projection.with_name("tasks.json"), projection.with_name("back.jsonl")
    convert(str(projection), str(middle))
    convert(str(middle), str(back))
    rows = objects(projection)
    rows[3]["target_text"] = "ganz anders"
    rows[3].pop("target_spans")
    desk = open_desk(back)
    with_articles(desk, [4])
    other = projection.with_name("other.jsonl")
    other.write_text("".join(json.dumps(row) + "\n" for row in rows))
    shutil.copy(f"{projection}.run.json", f"{other}.run.json")
    with pytest.raises(InputError, match=r"is not the result that other\.jsonl\.run\.json"):
        open_desk(back, projection=str(other))
    projection.unlink()
    assert "has no spans of the source" in desk.teaching.plan()["why"]
    assert "out.jsonl, of which it was made, is not there" in desk.teaching.plan()["why"]


@pytest.mark.slow
def test_a_projection_to_one_side_has_no_source_to_give(open_desk, tmp_path, spanbridge):
    write_projection(tmp_path)
    line = "project --source in.jsonl --least-parallel 0 --to de --method corpus -o tasks.json"
    spanbridge(*line.split())
    spanbridge("convert", "tasks.json", "back.jsonl")
    desk = open_desk(tmp_path / "back.jsonl")
    why = desk.teaching.plan()["why"]
    assert "tasks.json, of which it was made, does not hold them: project to a .jsonl" in why


def test_a_row_that_is_none_of_the_projection(open_desk, projection):
    middle, back = projection.with_name("tasks.json"), projection.with_name("back.jsonl")
    convert(str(projection), str(middle))
    tasks = json.loads(middle.read_text("utf-8"))
    tasks[3]["data"]["text"] = "also der Nam3 geht heim"
    middle.write_text(json.dumps(tasks))
    middle.with_name("tasks.json.run.json").unlink()
    convert(str(middle), str(back))
    desk = open_desk(back, projection=str(projection))
    with_articles(desk, [1])
    desk.teach()
    error = taught(desk, "failed")["error"]
    assert "row 4 of back.jsonl (id r3) is none of out.jsonl" in error


def test_records_that_lead_in_a_circle(projection):
    record = json.loads(projection.with_name("out.jsonl.run.json").read_text())
    from spanbridge.core.records import write_record

    record.pop("sha256")
    record.pop("files")
    record.pop("pipeline")
    record |= {"signature": "task:convert|", "inputs": {"input": str(projection)}}
    write_record(projection.with_name("out.jsonl.run.json"), record, [projection])
    with pytest.raises(SpanbridgeError, match="does not tell the settings by which out.jsonl"):
        origin(projection)


def test_a_projection_that_is_not_there(projection, tmp_path):
    with pytest.raises(InputError, match=r"nothere\.jsonl: no such file"):
        origin(projection, str(tmp_path / "nothere.jsonl"))
