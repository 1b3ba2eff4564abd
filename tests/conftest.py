"""What all tests share: where the real data is, and how to run the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CLASSES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; see its README for what is in it and under which licences."""
    folder = Path(os.environ.get("SPANBRIDGE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data is not here ({folder}); set SPANBRIDGE_DATA to its folder")
    return folder


@pytest.fixture
def spanbridge(tmp_path):
    """Runs ``spanbridge ARGS`` as a user does, in the test's own folder."""

    def run(*args: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "spanbridge", *map(str, args)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def tiny_tagger(tmp_path_factory):
    """``tiny_tagger(kind)``: the folder of a tiny token classifier."""
    import tiny_checkpoints

    root = tmp_path_factory.mktemp("taggers")
    saved = {}

    def get(kind, classes=CLASSES):
        name = f"{kind}-{len(saved)}"
        if (kind, classes) not in saved:
            names = dict(enumerate(classes))
            numbers = {c: n for n, c in names.items()}
            made = tiny_checkpoints.save(root / name, kind, id2label=names, label2id=numbers)
            saved[kind, classes] = made
        return saved[kind, classes]

    return get
