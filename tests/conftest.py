"""What all tests share: where the real data is, and how to run the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryFile
from typing import Any

import pytest
from hypothesis import settings

# Tests run side by side, on as many cores as there are of them: threads that wait for each other in
# turn would take most of the time. It is set before numpy is imported, and inherited by processes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

ROOT = Path(__file__).parent.parent
# Converted models do not go to the user's cache. Those of the package stay from one run to the
# next, which all workers share: unpacking takes seconds each. `pytest --cache-clear` removes them.
os.environ["SPANBRIDGE_CACHE"] = str(ROOT / ".pytest_cache" / "d" / "spanbridge")
# Answers of chat models do not stay: they are kept by address, and the next server may have a port
# that one had before.
if "PYTEST_XDIST_WORKER" not in os.environ:
    rmtree(ROOT / ".pytest_cache" / "d" / "spanbridge" / "chat", ignore_errors=True)

CHROMIUM = Path("/usr/bin/chromium")
CLASSES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


# A busy machine is no fault of the code. `make quick` takes a profile of its own.
settings.register_profile("spanbridge", deadline=None)
settings.register_profile("quick", settings.get_profile("spanbridge"), max_examples=20)
settings.load_profile("spanbridge")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; see its README for what is in it and under which licences."""
    folder = Path(os.environ.get("SPANBRIDGE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data is not here ({folder}); set SPANBRIDGE_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    quiet += ["--disable-component-update", "--no-first-run", "--disable-sync"]
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=quiet)
        yield chromium
        chromium.close()


def _process(args: list[str], folder: Path, stdin: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "spanbridge", *args],
        capture_output=True,
        input=stdin,
        text=True,
        encoding="utf-8",
        cwd=folder,
        check=False,
    )


def _call(args: list[str], folder: Path, stdin: str) -> subprocess.CompletedProcess[str]:
    """The same in this process, which has imported everything already."""
    from spanbridge.cli.main import main

    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["spanbridge", *args])
        patch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin.encode()), "utf-8"))
        for number in (signal.SIGTERM, signal.SIGINT):
            stack.callback(signal.signal, number, signal.getsignal(number))
        patch.setattr(sys, "unraisablehook", sys.unraisablehook)
        files = [stack.enter_context(TemporaryFile("w+", encoding="utf-8")) for _ in range(2)]
        with redirect_stdout(files[0]), redirect_stderr(files[1]), pytest.raises(SystemExit) as end:
            main()
        for file in files:
            file.seek(0)
        return subprocess.CompletedProcess(args, end.value.code, *(file.read() for file in files))


@pytest.fixture
def spanbridge(tmp_path, request):
    """Runs ``spanbridge ARGS`` as a user does, in the test's own folder.

    In this process, since the start of one would take most of a test's time; tests that are marked
    ``apart`` do so in a process of its own.
    """
    do = _process if request.node.get_closest_marker("apart") else _call

    def run(*args: object, code: int = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        done = do([*map(str, args)], tmp_path, stdin)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def tiny_tagger(tmp_path_factory):
    """``tiny_tagger(kind)``: the folder of a tiny token classifier."""
    pytest.importorskip("torch", reason="torch is not installed (as in `make pythons`)")
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
