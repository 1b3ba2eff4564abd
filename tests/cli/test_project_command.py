"""``spanbridge project`` and ``align`` from end to end, as a user runs them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

SOURCE = (
    "Angela\tB-PER\nMerkel\tI-PER\nvisited\tO\nParis\tB-LOC\n.\tO\n\n"
    "It\tO\nrained\tO\n.\tO\n\n"
    "Paris\tB-LOC\nloves\tO\nParis\tB-LOC\n\n"
)
TARGET = "Gestern besuchte Angela Merkel Paris .\n\nParis liebt Paris\n"
LINKS = "0-2 1-3 2-1 3-4 4-5\n\n0-0 1-1 2-2\n"
EXPECTED = (
    "Gestern\tO\nbesuchte\tO\nAngela\tB-PER\nMerkel\tI-PER\nParis\tB-LOC\n.\tO\n\n"
    "\n"
    "Paris\tB-LOC\nliebt\tO\nParis\tB-LOC\n\n"
)
# probability of a span with all of its links (support 1), by the greedy method's calibration:
# 1 / (1 + exp(-(-.53 + .75 * -log(.01))))
LINKED = 0.949


@pytest.fixture
def bitext(tmp_path):
    (tmp_path / "s.conll").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "t.txt").write_text(TARGET, encoding="utf-8")
    (tmp_path / "l.pharaoh").write_text(LINKS, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("method", ["greedy", "exact", "heuristic"])
def test_given_links(spanbridge, bitext, method):
    spanbridge(
        *"project --source s.conll --target t.txt --links l.pharaoh -o o.conll --method".split(),
        method,
    )
    assert (bitext / "o.conll").read_text(encoding="utf-8") == EXPECTED


def test_the_embedded_encoder_needs_no_links(spanbridge, bitext):
    spanbridge(*"project --source s.conll --target t.txt -o o.conll".split())
    assert (bitext / "o.conll").read_text(encoding="utf-8") == EXPECTED


def test_json_account_and_manifest(spanbridge, bitext):
    done = spanbridge(
        *"project --source s.conll --target t.txt --links l.pharaoh -o o.jsonl --json".split()
    )
    run = json.loads(done.stdout)
    assert run["account"]["rows"] == 3
    assert run["account"]["status"] == {"empty: no source span": 1, "projected": 2}
    assert "method:greedy" in run["signature"]
    assert json.loads((bitext / "o.jsonl.run.json").read_text(encoding="utf-8")) == run
    rows = [json.loads(line) for line in (bitext / "o.jsonl").read_text("utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["target_spans"] == [
        {"start": 2, "end": 4, "label": "PER", "score": LINKED},
        {"start": 4, "end": 5, "label": "LOC", "score": LINKED},
    ]
    assert [row["confidence"] for row in rows] == [0.9006, 1.0, 0.9006]  # .94901 squared
    assert rows[0]["links"] == [[0, 2], [1, 3], [2, 1], [3, 4], [4, 5]]
    assert rows[1]["target_words"] == []


def test_pairs_in_pairs_out(spanbridge, bitext):
    row = {
        "id": "x/7",
        "source_words": ["Paris", "wins"],
        "source_spans": [{"start": 0, "end": 1, "label": "LOC-city"}],
        "target_words": ["Es", "gewinnt", "Paris"],
        "links": [[0, 2], [1, 1]],
        "note": {"mine": [1, None]},
    }
    (bitext / "p.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    spanbridge(*"project --source p.jsonl -o o.jsonl --method greedy".split())
    out = json.loads((bitext / "o.jsonl").read_text(encoding="utf-8"))
    assert out["target_spans"] == [{"start": 2, "end": 3, "label": "LOC-city", "score": LINKED}]
    assert out["note"] == {"mine": [1, None]}
    assert out["id"] == "x/7"


def test_align_writes_what_project_reads(spanbridge, bitext):
    spanbridge(*"align --source s.conll --target t.txt -o a.pharaoh --scores".split())
    lines = (bitext / "a.pharaoh").read_text(encoding="utf-8").split("\n")
    assert len(lines) == 4
    assert lines[1] == ""
    assert lines[3] == ""
    spanbridge(*"project --source s.conll --target t.txt --links a.pharaoh -o o.conll".split())
    assert (bitext / "o.conll").read_text(encoding="utf-8") == EXPECTED


def test_align_takes_one_file_of_parallel_lines(spanbridge, bitext):
    (bitext / "p.txt").write_text("Paris wins ||| Paris gewinnt\n", encoding="utf-8")
    spanbridge(*"align --source p.txt -o a.pharaoh --aligner encoder --extraction argmax".split())
    assert (bitext / "a.pharaoh").read_text(encoding="utf-8") == "0-0 1-1\n"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("a\tB-PER\nb\n\n", "bad.conll:2: "),
        ("a\tX-FOO\n\n", "bad.conll:1: "),
        ("ok\tO\n\na\tI-PER\n\n", "bad.conll:3: "),
        ("", "bad.conll: "),
        (b"ok\tO\n\n\xff\tO\n\n", "bad.conll:3: "),
        ("a\tO\n\nb\tO\n\n", "bad.conll:3: "),  # a row more than the target has
    ],
)
def test_wrong_source(spanbridge, tmp_path, content, place):
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "bad.conll").write_bytes(data)
    (tmp_path / "t.txt").write_text("x y\n", encoding="utf-8")
    (tmp_path / "l.pharaoh").write_text("0-0\n", encoding="utf-8")
    args = "project --source bad.conll --target t.txt --links l.pharaoh -o o.conll --orphans error"
    done = spanbridge(*args.split(), code=2)
    assert done.stderr.startswith(place)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.conll", "l.pharaoh", "t.txt"]


@pytest.mark.parametrize(
    "options",
    [
        "--method nosuch",
        "--aligner nosuch",
        "--top-k 2",
        "--min-confidence 7",
        "--min-confidence -0.1",
        "--min-confidence nan",
        "--aligner lexical --layer 3",
        "--links l.pharaoh --aligner lexical",
        "--solver nosuch",
        "--method greedy --solver exact",
        "--extraction argmax",
        "--method soft --fit-pairs 10",
        "--method greedy --explain why.txt",
        "--method greedy --fit fitted",
        "--links l.pharaoh --fit fitted",
        "--fit .",
        "--apply nosuch",
        "--encoder ./nosuch",
        "-o nosuch/o.conll",
        "-o s.conll",
    ],
)
def test_wrong_options(spanbridge, bitext, options):
    args = f"project --source s.conll --target t.txt -o o.conll {options}"
    before = {path: path.read_bytes() for path in bitext.iterdir()}
    done = spanbridge(*args.split(), code=2)
    assert done.stderr.strip()
    assert {path: path.read_bytes() for path in bitext.iterdir()} == before


@pytest.fixture
def fitted(spanbridge, bitext):
    """A fit of the little bitext, and the result of the run that made it."""
    args = "--aligner statistical --fit fit -o fitted.jsonl"
    spanbridge(*f"project --source s.conll --target t.txt {args}".split())
    return bitext / "fitted.jsonl"


def test_fit_and_apply(spanbridge, bitext, fitted):
    args = "project --source s.conll --target t.txt --apply fit -o applied.jsonl --json"
    run = json.loads(spanbridge(*args.split()).stdout)
    signature = run["signature"]
    assert run["inputs"]["fit"] == "fit"
    assert (bitext / "applied.jsonl").read_bytes() == fitted.read_bytes()
    assert "aligner:statistical(threshold=0.45,trained_on=2_pairs)" in signature
    assert "|applied:" in signature
    args = "project --source s.conll --target t.txt --apply fit --solver exact -o o.conll --json"
    assert "method:corpus(exact," in json.loads(spanbridge(*args.split()).stdout)["signature"]


@pytest.mark.parametrize(
    "options",
    [
        "--links l.pharaoh",
        "--aligner statistical",
        "--method corpus",
        "--fit other",
        "--threshold 0.4",
        "--layer 3",
        "--solver nosuch",
    ],
)
def test_apply_brings_its_own(spanbridge, bitext, fitted, options):
    before = sorted(bitext.iterdir())
    args = f"project --source s.conll --target t.txt --apply fit -o o.conll {options}"
    assert spanbridge(*args.split(), code=2).stderr.strip()
    assert sorted(bitext.iterdir()) == before


def test_a_damaged_fit(spanbridge, bitext, fitted):
    with (bitext / "fit" / "learned.npz").open("ab") as file:
        file.write(b"!")
    args = "project --source s.conll --target t.txt --apply fit -o o.conll"
    done = spanbridge(*args.split(), code=2)
    assert "learned.npz is damaged; fit again" in done.stderr


def test_the_least_confidence_and_why(spanbridge, bitext):
    args = "project --source s.conll --target t.txt --links l.pharaoh -o o.jsonl --method soft"
    spanbridge(*args.split(), *"--min-confidence 0.98 --explain why.txt --json".split())
    rows = [json.loads(line) for line in (bitext / "o.jsonl").read_text("utf-8").splitlines()]
    assert [row["target_spans"] for row in rows] == [[], [], []]
    assert rows[0]["status"] == "empty: confidence below the minimum"
    # .65 for each source span that is left out
    # what is left out is right if it was wrong
    assert [row["confidence"] for row in rows] == [0.0007, 1.0, 0.0005]
    why = (bitext / "why.txt").read_text("utf-8").splitlines()
    assert why[0] == "row 1, PER [Angela Merkel], threshold 0.3"
    assert why[1].startswith("  left out: confidence 0.967 is below 0.98")
    assert why[2].startswith("  -> [Angela Merkel] 2-4 score 1.000, confidence 0.")


def test_overlapping_spans_in_a_format_that_cannot_hold_them(spanbridge, tmp_path):
    spans = [{"start": 0, "end": 2, "label": "A"}, {"start": 1, "end": 2, "label": "B"}]
    row = {"source_words": ["a", "b"], "source_spans": spans, "target_words": ["a", "b"]}
    row |= {"target_spans": spans, "links": [[0, 0], [1, 1]]}
    (tmp_path / "p.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    # projected spans never overlap: the smaller one and what is left of the larger, or one of them
    spanbridge(*"project --source p.jsonl -o o.conll".split())
    assert (tmp_path / "o.conll").read_text(encoding="utf-8").count("B-") >= 1


def test_odd_text_goes_through(spanbridge, tmp_path):
    words = [
        "👩‍👩‍👧 أحمد زار القاهرة 🇩🇪",
        "x" * 10_000 + " ok",
        "北京大学在中国",
        "",
        "\u200b \ufe0f e\u0301",
        "a" + " b" * 299,
    ]
    (tmp_path / "s.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    spanbridge(*"align --source s.txt --target s.txt -o a.jsonl".split())
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text("utf-8").split("\n")[:-1]]
    assert [row["target_words"] for row in rows] == [line.split() for line in words]
    assert [299, 299] in rows[5]["links"]
    assert [0, 0] in rows[1]["links"]


def test_same_bytes_whatever_the_threads(spanbridge, bitext):
    for threads in (1, 2):
        spanbridge(
            *f"project --source s.conll --target t.txt -o o{threads}.jsonl".split(),
            *("--threads", threads),
        )
    assert (bitext / "o1.jsonl").read_bytes() == (bitext / "o2.jsonl").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_nothing(tmp_path, sent, code):
    lines = [" ".join(f"word{n + k}" for k in range(30)) for n in range(3000)]
    for name in ("s.txt", "t.txt"):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    args = "align --source s.txt --target t.txt -o o.pharaoh --aligner encoder".split()
    process = subprocess.Popen(
        [sys.executable, "-m", "spanbridge", *args],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(
            sent, signal.SIG_DFL
        ),  # a job in the background ignores it
    )
    while len(list(tmp_path.iterdir())) == 2 and process.poll() is None:
        time.sleep(0.05)  # until the output has been begun
    process.send_signal(sent)
    process.communicate()
    assert process.returncode == code
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.txt", "t.txt"]
