"""The other commands, and what every command promises."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from spanbridge.data.formats import read_labelled
from spanbridge.demo.run import sample
from spanbridge.evaluate import evaluate_spans

COMMANDS = ["project", "align", "evaluate", "view", "demo", "doctor"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(spanbridge, command):
    text = spanbridge(command, "--help").stdout
    assert text.startswith(f"Usage: spanbridge {command}")
    if command != "demo":
        assert f"spanbridge {command} " in text.split("Examples:")[1]


def test_help_lists_every_command_and_loads_nothing_heavy(spanbridge):
    text = spanbridge("--help").stdout
    assert all(f"  {command} " in text for command in COMMANDS)
    probe = (
        "import sys; sys.argv = ['spanbridge', '--help']\n"
        "from spanbridge.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'pyarrow', 'ctranslate2', 'numpy', 'scipy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True)


def test_importing_the_package_loads_nothing_heavy():
    probe = (
        "import sys, spanbridge\n"
        "heavy = {'torch', 'transformers', 'pyarrow', 'ctranslate2', 'numpy', 'scipy'}\n"
        "assert not heavy & set(sys.modules)\n"
        "from spanbridge import *\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)\n"
        "assert len(spanbridge.__all__) <= 15"
    )
    subprocess.run([sys.executable, "-c", probe], check=True)


def test_evaluate_spans(spanbridge, tmp_path):
    # hand-worked: gold 2, predicted 2, one right -> P = R = F1 = 0.5; the other is a boundary error
    (tmp_path / "g.conll").write_text("a\tB-X\nb\tI-X\nc\tO\nd\tB-Y\n\n", encoding="utf-8")
    (tmp_path / "p.conll").write_text("a\tB-X\nb\tO\nc\tO\nd\tB-Y\n\n", encoding="utf-8")
    report = json.loads(spanbridge("evaluate", "g.conll", "p.conll", "--json").stdout)
    assert report["micro"]["f1"] == 0.5
    assert report["errors"]["counts"]["boundary"] == 1
    assert "protocol:default" in report["signature"]
    text = spanbridge("evaluate", "g.conll", "p.conll", "--labels", "Y", "--bootstrap", 10).stdout
    assert "labels:Y" in text
    assert "1.0000" in text


def test_the_protocols_differ_on_orphans(spanbridge, tmp_path):
    (tmp_path / "g.conll").write_text("a\tB-X\n\n", encoding="utf-8")
    (tmp_path / "p.conll").write_text("a\tI-X\n\n", encoding="utf-8")
    f1 = {}
    for protocol in ("default", "strict"):
        done = spanbridge("evaluate", "g.conll", "p.conll", "--protocol", protocol, "--json")
        f1[protocol] = json.loads(done.stdout)["micro"]["f1"]
    assert f1 == {"default": 1.0, "strict": 0.0}


def test_evaluate_alignment(spanbridge, tmp_path):
    # A = {0-0, 1-1, 2-0}, S = {0-0, 1-1}, P = S + {1-2}: AER = 1 - (2 + 2) / (3 + 2) = 0.2
    (tmp_path / "g").write_text("1-1 2-2 2p3\n", encoding="utf-8")
    (tmp_path / "a").write_text("0-0 1-1 2-0\n", encoding="utf-8")
    done = spanbridge("evaluate", "--alignment", "g", "a", "--one-based", "--json")
    assert json.loads(done.stdout)["aer"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    "args",
    [
        "evaluate g.conll two.conll",
        "evaluate g.conll short.conll",
        "evaluate g.conll nosuch.conll",
        "evaluate g.conll g.conll --one-based",
        "evaluate --alignment g.conll g.conll",
        "view nosuch.jsonl -o p.html",
        "view g.conll g.conll --gold g.conll -o p.html",
        "nosuch",
    ],
)
def test_wrong_use(spanbridge, tmp_path, args):
    (tmp_path / "g.conll").write_text("a\tB-X\nb\tO\n\n", encoding="utf-8")
    (tmp_path / "two.conll").write_text("a\tB-X\nb\tO\n\nc\tO\n\n", encoding="utf-8")
    (tmp_path / "short.conll").write_text("a\tB-X\n\n", encoding="utf-8")
    done = spanbridge(*args.split(), code=2)
    assert done.stderr.strip()
    assert not (tmp_path / "p.html").exists()


def test_view_finds_the_source_of_a_conll_result(spanbridge, tmp_path):
    (tmp_path / "s.conll").write_text("Cairo\tB-LOC\nwaits\tO\n\n", encoding="utf-8")
    (tmp_path / "t.txt").write_text("القاهرة تنتظر\n", encoding="utf-8")
    (tmp_path / "l").write_text("0-0 1-1\n", encoding="utf-8")
    spanbridge(*"project --source s.conll --target t.txt --links l -o o.conll".split())
    spanbridge("view", "o.conll", "-o", "p.html")
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "Cairo" in page
    assert "القاهرة" in page
    assert "method:greedy" in page


def test_doctor(spanbridge):
    report = json.loads(spanbridge("doctor", "--json").stdout)
    assert report["encoder"]["licence"] == "MIT"
    assert {"encoder", "statistical", "lexical"} <= set(report["aligners"])
    assert all(row["installed"] or row["install"] for row in report["packages"])
    assert "multilingual-e5-small" in spanbridge("doctor").stdout


def test_demo(spanbridge, tmp_path):
    done = spanbridge("demo", "-o", "out")
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.split("\n") if line.strip()}
    assert {"German", "Spanish", "Chinese", "Arabic"} <= set(rows)
    assert (tmp_path / "out" / "page.html").stat().st_size > 100_000
    assert str(tmp_path / "out" / "page.html") in done.stdout
    first = done.stdout.split("German")[1].split()[0]
    assert float(first) > 0.9
    # what the demo reports is what evaluate says of the files that it leaves
    report = evaluate_spans(sample("de"), read_labelled(tmp_path / "out" / "en-de.jsonl"))
    assert f"{report.micro.f1:.3f}" == first
