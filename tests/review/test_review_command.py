"""``spanbridge review`` without its page: writing, agreement, refusals."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest
from report_samples import unpacked
from review_samples import asked, sample_rows, write_rows

from spanbridge.review.desk import Desk
from spanbridge.run.result import read_manifest


@pytest.fixture
def reviewed(rows_file: Path) -> Path:
    """Anna and Ben have each done the first two rows, in journals of their own."""
    work = {
        "anna": ([[0, 13, "PER"], [60, 67, "ORG"]], [[6, 18, "PER"], [39, 44, "LOC"]]),
        "ben": ([[0, 13, "PER"], [56, 67, "ORG"]], [[6, 18, "PER"], [39, 44, "LOC"]]),
    }
    for name, rows in work.items():
        desk = Desk(str(rows_file), str(rows_file.parent / f"{name}.journal"))
        for number, spans in enumerate(rows, 1):
            desk.act(asked(number, 0, spans, by=name, status="accepted"))
        desk.close()
    return rows_file


def test_write_makes_the_result_of_the_journal(spanbridge, reviewed, tmp_path):
    write = ("review", "out.jsonl", "--journal", "anna.journal", "--write", "-o", "c.jsonl")
    done = spanbridge(*write)
    assert "4 rows = 2 open, 1 corrected, 1 accepted" in done.stderr
    assert read_manifest(str(tmp_path / "c.jsonl"))["signature"].startswith("task:review|to:jsonl")
    first = (tmp_path / "c.jsonl").read_bytes()
    spanbridge(*write)
    assert (tmp_path / "c.jsonl").read_bytes() == first
    spanbridge("convert", "c.jsonl", "tasks.json")
    tasks = json.loads((tmp_path / "tasks.json").read_text("utf-8"))
    assert [("annotations" in task) for task in tasks] == [True, True, False, False]
    assert tasks[0]["data"]["review"]["by"] == "anna"
    result = tasks[0]["annotations"][0]["result"]
    assert [one["value"]["text"] for one in result] == ["Angela Merkel", "Siemens"]


def test_agreement_of_two_journals(spanbridge, reviewed, tmp_path):
    journals = ("--journal", "anna.journal", "--journal", "ben.journal")
    done = spanbridge("review", "out.jsonl", *journals, "--agreement", "-o", "differ.html")
    assert done.stdout.startswith("anna and ben\n2 rows annotated by both, 1 with equal spans")
    done = spanbridge("review", "out.jsonl", *journals, "--agreement", "--json")
    told = json.loads(done.stdout)["agreements"]
    assert told[0]["annotators"] == ["anna", "ben"]
    assert told[0]["f1"] == pytest.approx(3 / 4)
    # 23 words, all but one (von) with equal labels; of Anna's 17 O, 4 PER, 1 ORG, 1 LOC
    assert told[0]["observed"] == pytest.approx(22 / 23)
    expected = (17 * 16 + 4 * 4 + 1 * 2 + 1 * 1) / 23**2
    assert told[0]["kappa"] == pytest.approx((22 / 23 - expected) / (1 - expected))
    page = (tmp_path / "differ.html").read_text("utf-8")
    assert "What anna and ben differ in" in page
    summary, _ = unpacked(page)
    assert summary["verdicts"][-2:] == ["only anna", "only ben"]
    assert summary["scores"][0] == "of anna’s spans equal"
    assert not {"right", "missed", "spurious"} & set(summary["verdicts"])
    assert "precision" not in summary["scores"]
    assert summary["errors"] == "differences"
    (told,) = summary["documents"]
    assert (told["subject"], told["reference"]) == ("anna", "ben")


def test_agreement_in_one_journal(spanbridge, rows_file):
    """The second one has gone over rows of the first one: each is known as he left them."""
    desk = Desk(str(rows_file))
    for number, (by, end) in enumerate((("anna", 13), ("ben", 6), ("eve", 6))):
        desk.act(asked(1, number, [[0, end, "PER"]], by=by, key=by, status="accepted"))
    desk.close()
    told = json.loads(spanbridge("review", "out.jsonl", "--agreement", "--json").stdout)
    told = told["agreements"]
    assert [(one["annotators"], one["f1"]) for one in told] == [
        (["anna", "ben"], 0),
        (["anna", "eve"], 0),
        (["ben", "eve"], 1),
    ]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--agreement",), "out.jsonl.journal: cannot be read (no such file"),
        (("--agreement", "--write"), "--agreement goes with --journal"),
        (("--write",), "--write needs -o FILE"),
        (("--to", "conll"), "--to needs -o FILE"),
        (("--json",), "--json goes with --agreement or --write"),
        (("--journal", "a", "--journal", "b"), "several --journal go with --agreement only"),
        (("--port", "70000"), "70000 is not in the range"),
        (("-o", "out.jsonl", "--write"), "out.jsonl is both input and output"),
        (("--journal", "out.jsonl"), "out.jsonl cannot be the journal as well"),
        (("--journal", "no/such/folder/j"), "cannot be written (no such file or directory)"),
        (("--annotator", " "), "is no name"),
        (("--projection", "p.jsonl", "--agreement"), "--projection does not go with --agreement"),
        (("--projection", "p.jsonl"), "p.jsonl: no such file"),
        (("--projection", "copy.jsonl"), "copy.jsonl.run.json is not beside it"),
        (("--projection", "notes.txt"), "nothing tells how notes.txt was projected"),
        (("--journal", "notes.txt", "--write", "-o", "x.jsonl"), "notes.txt:1: is no journal"),
        (("--agreement", "--journal", "notes.txt"), "notes.txt:1: is no journal"),
    ],
)
def test_wrong_requests(spanbridge, rows_file, tmp_path, args, told):
    (tmp_path / "notes.txt").write_text("my notes\n")
    shutil.copy(rows_file, tmp_path / "copy.jsonl")
    done = spanbridge("review", "out.jsonl", *args, code=2)
    assert told in done.stderr
    assert (tmp_path / "notes.txt").read_text() == "my notes\n"


def test_agreement_without_rows_in_common(spanbridge, reviewed, tmp_path):
    done = spanbridge("review", "out.jsonl", "--agreement", "--journal", "anna.journal", code=2)
    assert "no row has been accepted or corrected by two annotators (anna has done 2 rows)" in (
        done.stderr
    )
    write_rows(tmp_path / "other.jsonl", sample_rows()[2:])
    done = spanbridge("review", "other.jsonl", "--agreement", "--journal", "anna.journal", code=2)
    assert "is about other rows than other.jsonl: row 1 (de-1) differs" in done.stderr


@pytest.mark.parametrize("name", ["-", "s3://bucket/out.jsonl", "nothing.jsonl"])
def test_what_cannot_be_reviewed(spanbridge, tmp_path, name):
    spanbridge("review", name, "--write", "-o", "x.jsonl", code=2)


@pytest.mark.parametrize("name", ["out.conll", "out.jsonl.gz", "tasks.json", "out.spacy"])
def test_other_formats_are_converted_first(spanbridge, rows_file, tmp_path, name):
    if name.endswith("gz"):
        (tmp_path / name).write_bytes(gzip.compress(rows_file.read_bytes()))
    elif name.endswith("spacy"):
        (tmp_path / name).write_bytes(b"\x9c\x00")
    else:
        spanbridge("convert", "out.jsonl", name)
    done = spanbridge("review", name, "--write", "-o", "x.jsonl", code=2)
    assert f"not packed; first: spanbridge convert {name} rows.jsonl" in done.stderr
    if not name.endswith("spacy"):
        spanbridge("convert", name, "rows.jsonl")
        spanbridge("review", "rows.jsonl", "--write", "-o", "x.jsonl")


def test_what_is_no_review_of_a_row_is_said(spanbridge, tmp_path):
    rows = sample_rows()
    told = ["yes", {"status": "good"}, {"status": "accepted", "by": 3}, None]
    rows = [row._replace(extra={"review": one}) for row, one in zip(rows, told, strict=True)]
    write_rows(tmp_path / "out.jsonl", rows)
    done = spanbridge("review", "out.jsonl", "--write", "-o", "x.jsonl")
    assert "2 rows have a key 'review' that tells no status that is known, and count as open " in (
        done.stderr
    )
    assert "(line 1, 2)" in done.stderr
    assert "2 rows whose key review tells no status that is known" in done.stderr
    assert "4 rows = 3 open, 1 accepted" in done.stderr
    desk = Desk(str(tmp_path / "out.jsonl"))
    assert desk.about()["notes"][0].startswith("2 rows have")
    assert desk.about()["counts"]["accepted"] == 1
    desk.close()


def test_a_journal_that_was_changed_by_hand_is_told_with_its_line(spanbridge, reviewed, tmp_path):
    path = tmp_path / "anna.journal"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    action = json.loads(lines[2])
    action["spans"][0]["end"] = 19
    lines[2] = json.dumps(action, ensure_ascii=False) + "\n"
    path.write_text("".join(lines), "utf-8")
    told = "anna.journal:3: row 2 (id ar-1): the span 6-19 (PER) does not begin and end where"
    given = ("--journal", "anna.journal")
    done = spanbridge("review", "out.jsonl", *given, "--write", "-o", "x.jsonl", code=2)
    assert told in done.stderr
    done = spanbridge(
        "review", "out.jsonl", *given, "--journal", "ben.journal", "--agreement", code=2
    )
    assert told in done.stderr
    desk = Desk(str(reviewed), str(path))
    assert told in desk.row(2)["error"]
    assert "error" not in desk.row(1)
    desk.close()
