"""An installed package with mistakes: what is said of it on the command line."""

import json
import os
import subprocess
import sys

import pytest

PACKAGE = {
    "__init__.py": "from faulty.method import Faulty\n",
    "method.py": """
from faulty.helper import help_out
from spanbridge.projection.method import Method, Projection

class Faulty(Method):
    name, reads = "faulty", "nothing"

    def describe(self):
        return "faulty"

    def project(self, rows):
        return [help_out(pair) for pair, _ in rows]
""",
    "helper.py": """
from spanbridge.projection.method import Projection

def help_out(pair):
    return Projection((), tuple((span, "no reason") for span in pair.source.spans))
""",
    "format.py": """
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Sentence
from spanbridge.formats import SentenceFormat

class Fussy(SentenceFormat):
    name, suffixes, holds_spans = "fussy", (".fussy",), True

    def sniff(self, head, strict=True):
        return 1 / 0

    def sentences(self, path, how=None, counts=None):
        yield 1, Sentence(("fine",))
        raise SpanbridgeError("this is not fussy enough")

    def write_sentence(self, sentence, out):
        raise SpanbridgeError("not so")
""",
}


POINTS = """[spanbridge.method]
faulty = faulty:Faulty
[spanbridge.format]
fussy = faulty.format:Fussy
"""


@pytest.fixture
def run(tmp_path):
    """Runs ``spanbridge ARGS`` with a package installed, whose files can be changed."""
    package = tmp_path / "site" / "faulty"
    package.mkdir(parents=True)
    for name, code in PACKAGE.items():
        (package / name).write_text(code, encoding="utf-8")
    info = tmp_path / "site" / "faulty-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    (tmp_path / "en.conll").write_text("Anna\tB-PER\nleft\tO\n\n", encoding="utf-8")
    (tmp_path / "de.txt").write_text("Anna ging\n", encoding="utf-8")

    def call(*args, code=0, **changed):
        for name, text in changed.items():
            (package / f"{name}.py").write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "spanbridge", *args],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    return call


PROJECT = ("project", "--source", "en.conll", "--target", "de.txt", "--method", "faulty")


@pytest.mark.slow
def test_an_error_in_its_code_names_the_package(run):
    run(*PROJECT, "-o", "out.jsonl")  # .txt is sniffed: a format that fails there has no opinion
    broken = PACKAGE["helper.py"] + "    return 1 / 0\n"
    broken = broken.replace("    return Projection", "    Projection")
    said = run(*PROJECT, "-o", "out.jsonl", code=2, helper=broken)
    assert said == (
        "the package faulty 2.0 failed at helper.py:6 (ZeroDivisionError: division by zero)\n"
    )


@pytest.mark.slow
def test_a_format_that_cannot_be_imported_is_no_other_format(run, tmp_path):
    """Its name is its suffix, by which it is found; files of other suffixes do not matter."""
    said = run(*PROJECT, "-o", "out.fussy", code=2, format="1 / 0\n")
    assert "the format 'fussy' of the package faulty 2.0 cannot be imported" in said
    assert not (tmp_path / "out.fussy").exists()
    run(*PROJECT, "-o", "out.other")


@pytest.mark.slow
def test_leaving_is_no_way_out_of_a_package(run):
    said = run(*PROJECT, "-o", "out.jsonl", code=2, method="import sys\nsys.exit('bye')\n")
    assert "the method 'faulty' of the package faulty 2.0 cannot be imported" in said
    leaves = PACKAGE["helper.py"].replace("    return", "    raise SystemExit(3)\n    return")
    said = run(*PROJECT, "-o", "o.jsonl", code=2, helper=leaves, method=PACKAGE["method.py"])
    assert said == "the package faulty 2.0 failed at helper.py:5 (SystemExit: 3)\n"


@pytest.mark.slow
def test_what_a_format_says_has_the_place(run, tmp_path):
    (tmp_path / "a.fussy").write_text("fine\n\n", encoding="utf-8")
    said = run("evaluate", "a.fussy", "a.fussy", code=2)
    assert "a.fussy: after the row of line 1: this is not fussy enough" in said
    assert "row 1: not so" in run(*PROJECT, "-o", "out.fussy", code=2)


@pytest.mark.slow
def test_changed_code_is_another_part(run, tmp_path):
    """A digest of all its files is in the signature, and in the keys of shards."""
    (tmp_path / "p.yaml").write_text(
        "input: {source: en.conll, target: de.txt}\noutput: out.jsonl\n"
        "steps: [{project: {method: faulty}}]\n",
        encoding="utf-8",
    )

    def done():
        manifest = json.loads((tmp_path / "out.jsonl.run.json").read_text("utf-8"))
        row = json.loads((tmp_path / "out.jsonl").read_text("utf-8"))
        return manifest["signature"], row["status"]

    run("run", "-q", "p.yaml")
    before, status = done()
    assert status == "empty: no reason"
    run("run", "-q", "p.yaml", helper=PACKAGE["helper.py"].replace("no reason", "a reason"))
    after, status = done()
    assert status == "empty: a reason"
    assert "plugins=faulty@" in before or "|plugins:faulty@" in before
    assert before != after
