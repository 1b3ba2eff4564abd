"""``spanbridge review`` without its page: writing, agreement, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
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
        (("--journal", "notes.txt", "--write", "-o", "x.jsonl"), "notes.txt:1: is no journal"),
        (("--agreement", "--journal", "notes.txt"), "notes.txt:1: is no journal"),
    ],
)
def test_wrong_requests(spanbridge, rows_file, tmp_path, args, told):
    (tmp_path / "notes.txt").write_text("my notes\n")
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


@pytest.mark.parametrize("name", ["-", "s3://bucket/out.jsonl", "out.conll", "nothing.jsonl"])
def test_what_cannot_be_reviewed(spanbridge, tmp_path, name):
    (tmp_path / "out.conll").write_text("Anna B-PER\n")
    spanbridge("review", name, "--write", "-o", "x.jsonl", code=2)
