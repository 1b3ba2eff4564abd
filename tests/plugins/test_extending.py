"""Every example of docs/extending.md as a package: on the command line, in run, in Python."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text("utf-8")
EXAMPLES = re.findall(r"<!-- example: my_parts\.py -->\n```python\n(.*?)```", PAGE, re.DOTALL)
TOML = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1]
EN = "Anna\tB-PER\nvisits\tO\nParis\tB-LOC\n\nit\tO\nrains\tO\n\nBob\tB-PER\nleft\tO\n\n"
DE = "Anna besucht Paris\nes regnet\nRobert ging\n"


def entry_points() -> str:
    """The example's entry points as an installed package has them."""
    import tomllib

    groups = tomllib.loads(TOML)["project"]["entry-points"]
    parts = []
    for group, points in groups.items():
        parts += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items()), ""]
    return "\n".join(parts)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A folder with the package and its metadata, as ``pip install`` leaves them."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "my_parts.py").write_text("\n\n".join(EXAMPLES), encoding="utf-8")
    (folder / "broken_parts.py").write_text("import no_such_module\n", encoding="utf-8")
    for name, points in (
        ("my_spanbridge_parts", entry_points()),
        ("broken", "[spanbridge.method]\nbroken = broken_parts:Broken\n"),
    ):
        info = folder / f"{name}-0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
        (info / "entry_points.txt").write_text(points)
    return folder


@pytest.fixture
def run(package, tmp_path):
    """Runs ``spanbridge ARGS`` with the package installed, in a folder with two files."""
    (tmp_path / "en.conll").write_text(EN, encoding="utf-8")
    (tmp_path / "de.txt").write_text(DE, encoding="utf-8")

    def call(*args, code=0, python=None):
        command = ["-c", python] if python else ["-m", "spanbridge", *args]
        done = subprocess.run(
            [sys.executable, *command],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": f"{package}"},
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return call


PAIR = ("--source", "en.conll", "--target", "de.txt")


def pipeline(folder: Path, steps: str, output: str) -> str:
    """A pipeline file."""
    text = f"input: {{source: en.conll, target: de.txt}}\noutput: {output}\nsteps: {steps}\n"
    (folder / "p.yaml").write_text(text, encoding="utf-8")
    return "p.yaml"


def three_ways(run, folder, options, steps, python):
    """The bytes that the command line, ``run`` and Python give; they are equal."""
    run("project", *PAIR, *options, "-o", "cli.jsonl")
    run("run", "-q", pipeline(folder, steps, "run.jsonl"))
    code = f"""
import spanbridge
pairs = spanbridge.read_pairs("en.conll", "de.txt")
spanbridge.project(pairs, {python}).save("python.jsonl")
"""
    run(python=code)
    found = [(folder / f"{way}.jsonl").read_bytes() for way in ("cli", "run", "python")]
    assert found[0] == found[1] == found[2]
    return [json.loads(line) for line in found[0].decode().splitlines()]


def test_the_page_has_an_example_of_each_kind():
    assert len(EXAMPLES) == 7
    for code in EXAMPLES:
        body = code.split("class ")[1]
        assert len(body.splitlines()) <= 25  # one class, nothing else


@pytest.mark.slow
def test_a_method_that_reads_words_only(run, tmp_path):
    rows = three_ways(
        run,
        tmp_path,
        ["--method", "copied-names"],
        "[{project: {method: copied-names}}]",
        'method="copied-names"',
    )
    assert [row["status"] for row in rows] == [
        "projected",
        "empty: no source span",
        "empty: not copied",
    ]
    assert [span["label"] for span in rows[0]["target_spans"]] == ["PER", "LOC"]
    assert rows[0]["confidence"] == 0.81
    assert rows[2]["confidence"] is None
    account = json.loads((tmp_path / "cli.jsonl.run.json").read_text())["account"]
    assert account["dropped_spans"] == {"not copied": 1}
    signature = json.loads((tmp_path / "cli.jsonl.run.json").read_text())["signature"]
    assert re.search(
        r"\|aligner:none\|method:copied-names\|words:icu\([\d.]+\)\|plugins:my_parts@[0-9a-f]{8}\|",
        signature,
    )


@pytest.mark.slow
def test_a_preset_with_other_weights(run, tmp_path):
    run("project", *PAIR, "--method", "soft-spelled", "--aligner", "lexical", "-o", "o.jsonl")
    told = json.loads((tmp_path / "o.jsonl.run.json").read_text("utf-8"))["signature"]
    assert "|method:soft-spelled(" in told
    assert "+1*soft+0.3*spelling>0.2" in told
    (first, *_) = (tmp_path / "o.jsonl").read_text("utf-8").splitlines()
    spans = json.loads(first)["target_spans"]
    assert [(s["start"], s["end"], s["label"]) for s in spans] == [(0, 1, "PER"), (2, 3, "LOC")]
    assert all(0 < s["score"] <= 1 for s in spans)


@pytest.mark.slow
def test_no_aligner_is_loaded_for_it(run):
    code = """
import sys, spanbridge
spanbridge.project(spanbridge.read_pairs("en.conll", "de.txt"), "copied-names")
print("ctranslate2" in sys.modules)
"""
    assert run(python=code).stdout == "False\n"
    done = run(
        "project", *PAIR, "--method", "copied-names", "--aligner", "lexical", "-o", "o", code=2
    )
    assert "reads no alignment" in done.stderr


@pytest.mark.slow
def test_a_score_joins_a_method_by_a_weight(run, tmp_path):
    lexical = ["--method", "greedy", "--aligner", "lexical"]
    rows = three_ways(
        run,
        tmp_path,
        [*lexical, "--weight", "same_length=0.5", "--explain", "why.txt"],
        "[{project: {method: greedy, aligner: lexical, weights: {same_length: 0.5}}}]",
        '"greedy", "lexical", weights={"same_length": 0.5}',
    )
    assert rows[0]["status"] == "projected"
    assert "same_length 1.00*0.5" in (tmp_path / "why.txt").read_text("utf-8")


@pytest.mark.slow
def test_a_step(run, tmp_path):
    steps = "[{short-only: {max_words: 2}}, {project: {method: greedy, aligner: lexical}}]"
    run("run", "-q", pipeline(tmp_path, steps, "out.jsonl"))
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["source_spans"] for row in rows[:2]] == [[], []]
    assert rows[2]["source_spans"][0]["label"] == "PER"
    wrong = "[{short-only: {max_words: 0}}, project]"
    done = run("run", pipeline(tmp_path, wrong, "out.jsonl"), code=2)
    assert "p.yaml:3: step 1 (short-only): max_words" in done.stderr
    code = """
import spanbridge
rows = spanbridge.read_pairs("en.conll", "de.txt")
loaded = spanbridge.Loaded([{"short-only": {"max_words": 2}}])
print([len(row.source.spans) for row in loaded.run(rows)])
"""
    assert run(python=code).stdout == "[0, 0, 1]\n"


@pytest.mark.slow
def test_a_format(run, tmp_path):
    run("project", *PAIR, "--method", "copied-names", "-o", "de.slashes")
    written = (tmp_path / "de.slashes").read_text("utf-8")
    assert written == "Anna/B-PER besucht/O Paris/B-LOC\nes/O regnet/O\nRobert/O ging/O\n"
    (tmp_path / "en.slashes").write_text("Anna/B-PER visits/O Paris/B-LOC\n", encoding="utf-8")
    (tmp_path / "one.txt").write_text("Anna besucht Paris\n", encoding="utf-8")
    options = ["--method", "copied-names", "-o", "out.slashes"]
    run("project", "--source", "en.slashes", "--target", "one.txt", *options)
    assert (tmp_path / "out.slashes").read_text() == "Anna/B-PER besucht/O Paris/B-LOC\n"
    run("evaluate", "out.slashes", "out.slashes")
    code = """
import spanbridge
print(spanbridge.evaluate("out.slashes", "out.slashes").micro.f1)
"""
    assert run(python=code).stdout == "1.0\n"


@pytest.mark.slow
def test_an_aligner(run, tmp_path):
    run("align", *PAIR, "--aligner", "diagonal", "-o", "out.pharaoh")
    assert (tmp_path / "out.pharaoh").read_text() == "0-0 1-1 2-2\n0-0 1-1\n0-0 1-1\n"
    rows = three_ways(
        run,
        tmp_path,
        ["--method", "soft", "--aligner", "diagonal"],
        "[{project: {method: soft, aligner: diagonal}}]",
        '"soft", "diagonal"',
    )
    assert [row["status"] for row in rows] == ["projected", "empty: no source span", "projected"]


def test_a_perturbation(run, tmp_path):
    options = ("--kind", "masked", "--kind-option", "letters=4", "--strength", "1")
    run("perturb", "en.conll", "out.conll", *options)
    assert (tmp_path / "out.conll").read_text().startswith("****\tB-PER\n******\tO\n*****\tB-LOC")
    signature = json.loads((tmp_path / "out.conll.run.json").read_text())["signature"]
    assert "kind:masked(4)" in signature
    assert "plugins:my_parts@" in signature


@pytest.mark.slow
def test_all_are_listed(run):
    listed = run("doctor").stdout
    for name in ("copied-names", "diagonal", "masked", "same_length", "short-only", "slashes"):
        assert name in listed


@pytest.mark.slow
def test_a_broken_package_is_one_clear_message(run):
    done = run("project", *PAIR, "--method", "broken", "-o", "out.conll", code=2)
    assert "the method 'broken' of the package broken 0.1 cannot be imported" in done.stderr
    assert "no_such_module" in done.stderr
    assert "broken" in run("doctor").stdout  # which goes on
