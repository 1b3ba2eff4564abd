"""Fixtures that the tests of steps and of runners share."""

import signal
import sys
from types import SimpleNamespace

import pytest
from toy_bitext import SOURCE, TARGET

from spanbridge.cli.main import main


@pytest.fixture
def write(tmp_path):
    """Writes a file into the test's folder; gives its path as text."""

    def write(name, content):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8", newline="\n")
        return str(path)

    return write


@pytest.fixture
def bitext(write):
    """Source, target and output path."""
    source, target = write("s.conll", SOURCE), write("t.txt", TARGET)
    return source, target, source.replace("s.conll", "out.conll")


@pytest.fixture
def files(tmp_path):
    """Names of the files in the test's folder but the inputs, hidden ones included."""
    inputs = {"s.conll", "t.txt", "in.jsonl", "links.pharaoh"}
    return lambda: sorted({path.name for path in tmp_path.iterdir()} - inputs)


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """As ``spanbridge`` of the main conftest, without a process of its own, which takes seconds."""

    def run(*args, code=0):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["spanbridge", *map(str, args)])
        monkeypatch.setattr(signal, "signal", lambda *given: None)
        with pytest.raises(SystemExit) as done:
            main()
        said = SimpleNamespace(**dict(zip(("stdout", "stderr"), capsys.readouterr(), strict=True)))
        assert done.value.code == code, said.stderr
        return said

    return run
