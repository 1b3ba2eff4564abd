"""What the base install weighs and holds, where `make demo` has made one (as .ci/run does)."""

from __future__ import annotations

import os
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
    assert not names & {"torch", "transformers", "pyarrow"}
    files = (path for path in site_packages.rglob("*") if path.is_file())
    assert sum(os.lstat(path).st_size for path in files) < 700e6
