"""``spanbridge project`` and ``align`` from end to end, as a user runs them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from hashlib import sha256

import pytest

from spanbridge.projection.confidence import CALIBRATIONS

EXPECTED = (
    "Gestern\tO\nbesuchte\tO\nAngela\tB-PER\nMerkel\tI-PER\nParis\tB-LOC\n.\tO\n\n"
    "\n"
    "Paris\tB-LOC\nliebt\tO\nParis\tB-LOC\n\n"
)
# probability of a span with all of its links, by the greedy method's calibration
LINKED = round(CALIBRATIONS["greedy"].max_confidence(), 4)


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
    assert run.pop("cost")["rows"] == 3  # what was measured is in no file
    assert run["account"]["rows"] == 3
    assert run["account"]["status"] == {"empty: no source span": 1, "projected": 2}
    assert "method:greedy" in run["signature"]
    manifest = json.loads((bitext / "o.jsonl.run.json").read_text(encoding="utf-8"))
    digest = sha256((bitext / "o.jsonl").read_bytes()).hexdigest()
    assert manifest == {**run, "files": {"o.jsonl": digest}, "sha256": manifest["sha256"]}
    rows = [json.loads(line) for line in (bitext / "o.jsonl").read_text("utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["target_spans"] == [
        {"start": 2, "end": 4, "label": "PER", "score": LINKED},
        {"start": 4, "end": 5, "label": "LOC", "score": LINKED},
    ]
    assert [row["confidence"] for row in rows] == [0.9003, 1.0, 0.9003]  # .94885 squared
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


@pytest.mark.parametrize(
    ("source", "spans"),
    [
        ("Anna\tB-PER\nsleeps\tO\n\n", [{"start": 0, "end": 1, "label": "PER"}]),
        ("Anna\nsleeps\n\n", []),
    ],
)
def test_pairs_with_links_keep_the_labels_if_there_are_any(spanbridge, tmp_path, source, spans):
    (tmp_path / "s.conll").write_text(source, encoding="utf-8")
    (tmp_path / "t.txt").write_text("Anna schläft\n", encoding="utf-8")
    for output in ("o.jsonl", "o.pharaoh"):
        spanbridge(*f"align --source s.conll --target t.txt --aligner lexical -o {output}".split())
    assert json.loads((tmp_path / "o.jsonl").read_text("utf-8"))["source_spans"] == spans
    assert (tmp_path / "o.pharaoh").read_text("utf-8") == "0-0\n"


ZERO, ONE = "0-1 1-2 2-0\n0-0\n", "1-2 2-3 3-1\n1-1\n"
ASKED = "sides whose first words have no link (are links counted from 1?"


def test_links_counted_from_one(spanbridge, tmp_path):
    """The same result; without the option, one word further, which is told (or out of range)."""
    (tmp_path / "s.conll").write_text(
        "Ana\tB-PER\nsings\tO\noften\tO\n.\tO\n\nAna\tB-PER\nx\tO\n\n"
    )
    (tmp_path / "t.txt").write_text("oft singt Ana .\nAna y\n", encoding="utf-8")
    (tmp_path / "0.pharaoh").write_text(ZERO)
    (tmp_path / "1.pharaoh").write_text(ONE)
    common = "project --source s.conll --target t.txt --links"
    told = spanbridge(*f"{common} 0.pharaoh -o 0.conll".split()).stderr
    assert ASKED not in told
    told = spanbridge(*f"{common} 1.pharaoh --one-based -o 1.conll".split()).stderr
    assert ASKED not in told
    assert "|links_counted_from:1|" in told
    assert (tmp_path / "1.conll").read_bytes() == (tmp_path / "0.conll").read_bytes()
    assert f"2 {ASKED}" in spanbridge(*f"{common} 1.pharaoh -o 2.conll".split()).stderr
    assert (
        "index 0"
        in spanbridge(*f"{common} 0.pharaoh --one-based -o 3.conll".split(), code=2).stderr
    )
    (tmp_path / "p.yaml").write_text(
        "input: {source: s.conll, target: t.txt, links: 1.pharaoh, one_based: true}\n"
        "output: 4.conll\nsteps: [{project: {links: only}}]\n"
    )
    spanbridge("run", "p.yaml")
    assert (tmp_path / "4.conll").read_bytes() == (tmp_path / "0.conll").read_bytes()
    done = spanbridge(*"project --source s.conll --target t.txt --one-based -o 5".split(), code=2)
    assert "--one-based goes with --links" in done.stderr


def test_align_takes_one_file_of_parallel_lines(spanbridge, bitext):
    (bitext / "p.txt").write_text("Paris wins ||| Paris gewinnt\n", encoding="utf-8")
    spanbridge(
        *"align --source p.txt -o a.pharaoh --aligner encoder".split(),
        *"--aligner-option extraction=argmax".split(),
    )
    assert (bitext / "a.pharaoh").read_text(encoding="utf-8") == "0-0 1-1\n"


def test_links_that_rows_bring_are_kept_unless_told_otherwise(spanbridge, bitext):
    spanbridge(*"project --source s.conll --target t.txt --links l.pharaoh -o a.jsonl".split())
    given = [json.loads(line)["links"] for line in (bitext / "a.jsonl").read_text().splitlines()]
    args = "project --source a.jsonl --aligner lexical --method greedy -o b.jsonl --json"
    account = json.loads(spanbridge(*args.split()).stdout)["account"]
    kept = [json.loads(line)["links"] for line in (bitext / "b.jsonl").read_text().splitlines()]
    assert account["rows_with_links_of_their_own"] == 3
    assert kept == given
    account = json.loads(spanbridge(*args.split(), "--realign").stdout)["account"]
    anew = [json.loads(line)["links"] for line in (bitext / "b.jsonl").read_text().splitlines()]
    assert "rows_with_links_of_their_own" not in account
    assert [1, 3] in anew[0]  # Merkel
    assert [2, 1] not in anew[0]  # visited, besuchte: no resemblance


def test_a_weight_has_its_say(spanbridge, bitext):
    args = "project --source s.conll --target t.txt --links l.pharaoh --method soft --json"
    plain = json.loads(spanbridge(*args.split(), "-o", "a.jsonl").stdout)
    weights = "--weight soft=0.5 --weight spelling=2 --explain why.txt".split()
    other = json.loads(spanbridge(*args.split(), "-o", "b.jsonl", *weights).stdout)
    assert "+1*soft-0.1*bad_boundary>" in plain["signature"]
    assert "+0.5*soft-0.1*bad_boundary+2*spelling>" in other["signature"]
    assert re.search(
        r"soft 1\.00\*0\.5, bad_boundary 0\.00\*-0\.1, spelling 1\.00\*2",
        (bitext / "why.txt").read_text("utf-8"),
    )


def test_options_of_a_method_have_their_say(spanbridge, bitext):
    """A hyphen joins two runs of linked words, or does not."""
    (bitext / "s.conll").write_text("A\tB-X\nB\tI-X\n\n", encoding="utf-8")
    (bitext / "t.txt").write_text("a - - b\n", encoding="utf-8")
    (bitext / "l.pharaoh").write_text("0-0 1-3\n", encoding="utf-8")
    common = "project --source s.conll --target t.txt --links l.pharaoh -o o.jsonl".split()
    for options, expected in (
        (
            "--method heuristic --method-option top_k=2 --method-option length_ratio=0.3",
            [(0, 1), (3, 4)],
        ),
        ("--method heuristic --method-option merge_distance=2", [(0, 4)]),
        ("--method greedy --method-option max_words=1", [(0, 1)]),
        ("--method greedy --method-option max_words=1 --method-option n_proj=2", [(0, 1), (3, 4)]),
        ("--method match --method-option min_score=0.9", []),
    ):
        spanbridge(*common, *options.split())
        spans = json.loads((bitext / "o.jsonl").read_text("utf-8"))["target_spans"]
        assert [(span["start"], span["end"]) for span in spans] == expected, options


@pytest.mark.parametrize("method", ["greedy", "exact", "heuristic", "match", "soft"])
def test_every_method_explains_itself(spanbridge, bitext, method):
    args = "project --source s.conll --target t.txt --links l.pharaoh -o o.conll --explain why.txt"
    spanbridge(*args.split(), "--method", method)
    why = (bitext / "why.txt").read_text("utf-8").splitlines()
    assert sum(line.startswith("row ") for line in why) == 4  # source spans
    assert why[0].startswith("row 1, PER [Angela Merkel]")
    assert re.match(r"  -> \[Angela Merkel\] 2-4 score \d\.\d+, confidence 0\.\d+ = \w+ ", why[1])


def test_the_least_confidence_and_why(spanbridge, bitext):
    args = "project --source s.conll --target t.txt --links l.pharaoh -o o.jsonl --method soft"
    least = f"{CALIBRATIONS['soft'].max_confidence() - 1e-4:.4f}"
    spanbridge(*args.split(), *f"--min-confidence {least} --explain why.txt --json".split())
    rows = [json.loads(line) for line in (bitext / "o.jsonl").read_text("utf-8").splitlines()]
    assert [row["target_spans"] for row in rows] == [[], [], []]
    assert rows[0]["status"] == "empty: confidence below the minimum"
    # nobody knows of a row that lost its spans whether it has none
    assert [row.get("confidence") for row in rows] == [None, 1.0, None]
    assert "explanation" not in rows[0]
    why = (bitext / "why.txt").read_text("utf-8").splitlines()
    assert why[0].startswith("row 1, PER [Angela Merkel]")
    assert re.match(rf"  left out: confidence 0\.9\d* is below {least}", why[1])
    assert why[2].startswith("  -> [Angela Merkel] 2-4 score 1.000, confidence 0.")


@pytest.mark.slow
def test_nested_spans_in_and_out(spanbridge, tmp_path):
    spans = [{"start": 0, "end": 2, "label": "A"}, {"start": 1, "end": 2, "label": "B"}]
    row = {"source_words": ["a", "b"], "source_spans": spans, "target_words": ["a", "b"]}
    row |= {"links": [[0, 0], [1, 1]]}
    (tmp_path / "p.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    command = "project --source p.jsonl --method greedy -o"
    spanbridge(*f"{command} o.jsonl".split())
    found = json.loads((tmp_path / "o.jsonl").read_text("utf-8"))["target_spans"]
    assert [{**span, "score": 0} for span in found] == [{**span, "score": 0} for span in spans]
    # CoNLL holds one layer
    for option, tags in (("", "a\tB-A\nb\tI-A\n\n"), (" --nested inner", "a\tO\nb\tB-B\n\n")):
        told = spanbridge(*f"{command} o.conll{option}".split()).stderr
        assert (tmp_path / "o.conll").read_text("utf-8") == tags
        kept = option.rpartition(" ")[2] or "outer"
        why = f"1 spans not written, since the format holds one layer (nested: {kept})"
        assert why in told
    wrong = spanbridge(*f"{command} o.jsonl --nested inner".split(), code=2)
    assert "jsonl does not, so leave it out" in wrong.stderr


@pytest.mark.slow
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


@pytest.mark.slow
def test_same_bytes_whatever_the_threads(spanbridge, bitext):
    for threads in (1, 2):
        spanbridge(
            *f"project --source s.conll --target t.txt -o o{threads}.jsonl".split(),
            *("--aligner-option", f"threads={threads}"),
        )
    assert (bitext / "o1.jsonl").read_bytes() == (bitext / "o2.jsonl").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("sent", "code"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)],
)
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
