"""Progress as the commands show it: lines off a terminal, a line that changes on one."""

import io
import re
import sys

import pytest

from spanbridge.cli import running, terminal
from spanbridge.cli.main import cli
from spanbridge.core.progress import Task


@pytest.fixture
def at_once(monkeypatch):
    """As if a minute had passed after each item."""
    times = iter(range(0, 10**6, 60))

    def clock():
        return float(next(times))

    watched = running.watched
    monkeypatch.setattr(
        running,
        "watched",
        lambda items, task, show, seconds: watched(items, task, show, seconds, clock),
    )


def test_lines(at_once, capsys):
    assert list(running.progress(False)([1, 2], Task("tag", 2))) == [1, 2]
    assert capsys.readouterr().err == (
        "tag: 1 of 2 rows, 0.017 rows per second, 1 min 0 s left\n"
        "tag: 2 of 2 rows, 0.017 rows per second, 0 s left\n"
    )
    list(running.progress(True)([1, 2], Task("tag", 2)))
    assert capsys.readouterr().err == ""


def test_a_run_tells_what_has_become_of_the_rows(at_once, tmp_path, monkeypatch, capsys):
    (tmp_path / "s.conll").write_text("Ada\tB-PER\n\nno\tO\n\nBo\tB-PER\n\n", encoding="utf-8")
    (tmp_path / "t.txt").write_text("Ada\nnein\nxx\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    args = "project --source s.conll --target t.txt --method greedy --aligner lexical -o o.conll"
    cli.main(args.split(), standalone_mode=False)
    told = capsys.readouterr().err
    assert "project: 3 of 3 rows" in told
    assert "left; 1 projected, 2 empty\n" in told


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal(at_once, monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    for n in running.progress(False)([1, 2], Task("tag\x1b", 2)):
        if n == 2:
            terminal.say("note", err=True)
    text = screen.getvalue()
    assert "\x1b" not in text
    assert re.search(r"\rtag\\u001b: 1 of 2 rows, [^\r]*left\r +\rnote\n", text)
    assert re.search("left\r +\r$", text)  # it has been removed


def test_a_narrow_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "10")
    terminal.show_passing("x" * 50)
    terminal.show_passing("y")
    terminal.show_passing("")
    terminal.show_passing("")
    assert capsys.readouterr().err == f"\r{'x' * 9}\ry{' ' * 8}\r{' '}\r"
