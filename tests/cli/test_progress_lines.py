"""Progress as the commands show it: a screen on a terminal, lines off it, JSON in a log."""

import io
import json
import os
import re
import sys
from contextlib import contextmanager

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
        running, "watched", lambda items, task, views: watched(items, task, views, clock)
    )


@pytest.fixture
def bitext(tmp_path, monkeypatch):
    (tmp_path / "s.conll").write_text("Ada\tB-PER\n\nno\tO\n\nBo\tB-PER\n\n", encoding="utf-8")
    (tmp_path / "t.txt").write_text("Ada\nnein\nxx\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


PROJECT = "project --source s.conll --target t.txt --method greedy --aligner lexical -o o.conll"


def main(line):
    cli.main(line.split(), standalone_mode=False)


def test_lines(at_once, capsys):
    assert list(running.progress(False)([1, 2], Task("tag", 2))) == [1, 2]
    assert capsys.readouterr().err == (
        "tag: 1 of 2 rows, 0.017 rows per second, 1 min 0 s left\n"
        "tag: 2 of 2 rows, 0.017 rows per second, 0 s left\n"
    )
    list(running.progress(True)([1, 2], Task("tag", 2)))
    assert capsys.readouterr().err == ""


def test_a_run_tells_what_has_become_of_the_rows(at_once, bitext, capsys):
    main(PROJECT)
    told = capsys.readouterr().err
    assert re.search(
        r"^project: 3 of 3 rows, 0.017 rows per second, 0 s left\n"
        r"  1 projected, 1 empty: no source span, 1 empty: no link\n"
        r"  seconds per 1,000 rows \(share of time\): project [\d.,e-]+ \(100%\)\n",
        told,
        re.MULTILINE,
    ), told


def test_a_log(at_once, bitext, capsys):
    """Beside what is shown; the result is as without it."""
    main(PROJECT)
    files = {path.name: path.read_bytes() for path in bitext.glob("o.*")}
    (bitext / "l.jsonl").write_text("{}\n", encoding="utf-8")
    capsys.readouterr()
    main(f"{PROJECT} --quiet --log l.jsonl")
    assert capsys.readouterr() == ("", "")
    assert {path.name: path.read_bytes() for path in bitext.glob("o.*")} == files
    first, *lines = map(json.loads, (bitext / "l.jsonl").read_text("utf-8").splitlines())
    assert first == {}  # what there was stays
    assert [line["doing"] for line in lines] == ["read"] * 3 + ["project"] * 3 + ["result"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", one["at"]) for one in lines)
    *_, last, result = lines
    [step] = last.pop("steps")
    assert {key: value for key, value in last.items() if key != "at"} == {
        "doing": "project",
        "unit": "rows",
        "done": 3,
        "total": 3,
        "by_others": 0,
        "seconds": 180.0,
        "per_second": 0.01667,
        "seconds_left": 0.0,
        "status": {"projected": 1, "empty: no source span": 1, "empty: no link": 1},
        "failures": {},
    }
    assert (step["step"], step["rows"], step["share"]) == ("project", 3, 1)
    assert step["seconds_per_1000_rows"] == pytest.approx(step["seconds"] / 3 * 1000, abs=0.2)
    assert result["account"]["rows"] == 3
    assert result["cost"]["rows"] == 3
    assert result["cost"]["cpu_seconds"] > 0
    assert "gpu_seconds" not in result["cost"]
    manifest = json.loads((bitext / "o.conll.run.json").read_text("utf-8"))
    assert result["signature"] == manifest["signature"]
    assert not {"cost", "seconds", "steps"} & set(manifest)


@pytest.mark.parametrize(
    ("log", "why"),
    [
        ("s.conll", "--log s.conll is a file of the run itself; name another"),
        ("./o.conll", "--log ./o.conll is a file of the run itself"),
        ("o.conll.run.json", "is a file of the run itself"),
        ("no/l.jsonl", "no/l.jsonl: cannot be written"),
        (".", "cannot be written"),
    ],
)
def test_a_log_that_cannot_be(bitext, capsys, log, why):
    before = {path: path.read_bytes() for path in bitext.iterdir()}
    with pytest.raises(Exception, match=re.escape(why)):
        main(f"{PROJECT} --log {log}")
    assert {path: path.read_bytes() for path in bitext.iterdir()} == before


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


def test_a_terminal_that_cannot_go_back(at_once, monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "dumb")
    list(running.progress(False)([1, 2], Task("tag", 2)))
    assert "\r" not in screen.getvalue()
    assert screen.getvalue().count("\n") == 2


class Terminal:
    """What stands on a terminal of so many columns after what was written to it."""

    def __init__(self, columns):
        self.columns, self.lines, self.row, self.column = columns, [""], 0, 0

    def take(self, text):
        for sign in re.findall(r"\x1b\[\d+A|[^\x1b]", text):
            if sign.startswith("\x1b"):
                self.row -= int(sign[2:-1])
                assert self.row >= 0
            elif sign == "\r":
                self.column = 0
            elif sign == "\n":
                self.row += 1
                self.lines += [""] * (self.row == len(self.lines))
            else:
                assert self.column < self.columns, "it goes on to the next line"
                line = self.lines[self.row].ljust(self.column)
                self.lines[self.row] = line[: self.column] + sign + line[self.column + 1 :]
                self.column += 1

    def shown(self):
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n")


@contextmanager
def pseudo_terminal(monkeypatch):
    """Standard error as a pseudo-terminal of 50 columns and 8 lines; what was written to it."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setenv("LINES", "8")
    with open(theirs, "w", encoding="utf-8") as stderr, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)

        def written():
            stderr.write("\0")  # the terminal passes on what came before it some time later
            stderr.flush()
            text = b""
            while not text.endswith(b"\0"):
                text += os.read(ours, 1 << 16)
            return text[:-1].decode()

        yield written
    os.close(ours)


class Rows:
    """A board that tells more and less."""

    told = ["one, two, three, four, five, six, seven, eight, nine"]

    def lines(self):
        return self.told

    def record(self):
        return {}


def test_a_screen(at_once, monkeypatch):
    """Lines are broken between words; each state stands in the place of the one before."""
    screen, board = Terminal(50), Rows()
    with pseudo_terminal(monkeypatch) as written:
        items = iter(running.progress(False)([1, 2, 3, 4], Task("tag", 4, board=board)))
        next(items)
        next(items)
        screen.take(written())
        assert screen.shown() == (
            "tag: 1 of 4 rows, 0.017 rows per second, 3 min 0\n"
            "    s left\n"
            "  one, two, three, four, five, six, seven, eight,\n"
            "    nine"
        )
        terminal.say("note", err=True)
        board.told = ["short"]
        next(items)
        screen.take(written())
        text = "tag: 2 of 4 rows, 0.017 rows per second, 2 min 0\n    s left\n  short"
        assert screen.shown() == f"note\n{text}"
        board.told = ["long"] * 20
        next(items)
        screen.take(written())
        head = text.replace("2 of", "3 of").replace("2 min 0", "1 min 0").replace("  short", "")
        # one line is left free, for what comes after it
        assert screen.shown() == f"note\n{head}" + "\n".join(["  long"] * 5)
        assert list(items) == []
        screen.take(written())
        assert screen.shown() == "note"
        assert (screen.row, screen.column) == (1, 0)


def test_the_screen_of_a_run(at_once, bitext, monkeypatch):
    """It is drawn over and over, and what stays is the account."""
    with pseudo_terminal(monkeypatch) as written:
        main(PROJECT)
        text = written()
    assert re.search(r"project: 3 of 3 rows", text)
    assert "projected" in text
    assert "(100%)" in text
    screen = Terminal(10**6)
    screen.take(text)
    assert screen.shown().startswith("3 rows = 1 projected, ")
    assert "per second" not in screen.shown()


def test_a_narrow_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "10")
    terminal.show_passing("x" * 12)
    terminal.show_passing("y")
    terminal.show_passing("")
    terminal.show_passing("")
    first, second = f"\r{'x' * 9}\nxxx", f"\r\x1b[1Ay{' ' * 8}\n   \x1b[1A"
    assert capsys.readouterr().err == f"{first}{second}\r{' '}\r"
