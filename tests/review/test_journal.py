"""Nothing that was told as saved is lost: torn lines, kills, replays, two writers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.errors import InputError, RepairWarning
from spanbridge.review.journal import Action, Decision, Head, Journal, Mark, line_of, read_journal

# SPANBRIDGE_LONG=1: 50 kills; else a few.
ROOT = Path(__file__).parents[2]
LONG = bool(os.environ.get("SPANBRIDGE_LONG"))
HEAD = Head("out.jsonl", 100, "0" * 64)


def action(n: int, row: int = 1, **more: object) -> Action:
    usual = {"id": f"r{row}", "of": "abc", "key": f"k{n}", "by": "anna", "at": "2026-01-01"}
    usual |= {"do": "edge", "was": 0, "status": "started", "comment": "", "spans": ()}
    return Action(n=n, row=row, **usual | more)  # type: ignore[arg-type]


def begun(path: Path) -> Journal:
    journal = Journal(path)
    journal.begin(HEAD)
    return journal


def add(journal: Journal, row: int, **more: object) -> None:
    with journal.held():
        journal.add(action(len(journal.actions) + 1, row, **more))


def test_lines_are_json_that_anybody_reads(tmp_path):
    journal = begun(tmp_path / "j")
    add(journal, 3, spans=(Mark(0, 4, "PER", "anna", "2026-01-01"), Mark(5, 9, "<b>")))
    head, line = map(json.loads, (tmp_path / "j").read_text().splitlines())
    assert head == {"review_of": "out.jsonl", "rows": 100, "sha256": "0" * 64}
    assert (line["n"], line["row"], line["id"], line["by"]) == (1, 3, "r3", "anna")
    assert line["spans"] == [
        {"start": 0, "end": 4, "label": "PER", "by": "anna", "at": "2026-01-01"},
        {"start": 5, "end": 9, "label": "<b>"},
    ]


@given(st.lists(st.tuples(st.integers(1, 5), st.text(max_size=5)), max_size=12), st.data())
def test_whatever_is_cut_off_the_rest_is_replayed(tmp_path_factory, actions, data):
    """A kill may cut the file anywhere: all whole lines are there again, and only those."""
    path = tmp_path_factory.mktemp("j") / "j"
    journal = begun(path)
    ends = [path.stat().st_size]
    for row, comment in actions:
        add(journal, row, comment=comment)
        ends.append(path.stat().st_size)
    journal.close()
    cut = data.draw(st.integers(ends[0], ends[-1]))
    os.truncate(path, cut)
    whole = sum(end <= cut for end in ends) - 1
    if cut in ends:
        again = Journal(path)
    else:
        with pytest.warns(RepairWarning, match="not finished"):
            again = Journal(path)
    assert [(one.row, one.comment) for one in again.actions] == actions[:whole]
    last = dict(actions[:whole])
    assert {row: again.state(row).comment for row in again.last} == last
    add(again, 9)
    again.close()
    assert len(read_journal(path)[1]) == whole + 1
    assert path.read_bytes().endswith(b"\n")


def test_decisions_are_lines_of_their_own(tmp_path):
    """They count as no action, and the last one of each convention holds, whoever took it."""
    path = tmp_path / "j"
    one = Journal(path)
    one.begin(HEAD)
    one.decide(Decision("article", "in", "anna", "2026-01-01"))
    with one.held():
        one.add(action(1))
    other = Journal(path)
    other.decide(Decision("article", "", "ben", "2026-01-01"))
    other.decide(Decision("title", "out", "ben", "2026-01-01"))
    with one.held():
        one.add(action(2))
    assert [found.n for found in one.states().values()] == [2]
    told = {"article": "", "title": "out"}
    assert {kind: found.place for kind, found in one.decisions.items()} == told
    one.close()
    other.close()
    assert [found.n for found in read_journal(path)[1]] == [1, 2]
    assert [line_of(path, n) for n in (1, 2, 3)] == [3, 6, None]
    with path.open("ab") as file:
        file.write(b'{"convention":"suffix","pla')
    with pytest.warns(RepairWarning, match="the last line was not finished"):
        again = Journal(path)
    assert again.decisions.keys() == told.keys()
    again.close()
    with path.open("ab") as file:
        file.write(b'{"convention":"hat","place":"in","by":"a","at":"b"}\n')
    with pytest.raises(InputError, match=r":7: is damaged \(Invalid enum value"):
        Journal(path)


def test_two_writers_see_each_other(tmp_path):
    one, other = begun(tmp_path / "j"), begun(tmp_path / "j")

    def work(journal: Journal) -> None:
        for n in range(40):
            add(journal, n % 7 + 1)

    threads = [threading.Thread(target=work, args=(journal,)) for journal in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [a.n for a in one.since(0)] == [a.n for a in other.since(0)] == [*range(1, 81)]
    assert one.actions == read_journal(tmp_path / "j")[1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("notes of mine\n", "is no journal of a review"),
        ("notes of mine", "is no journal of a review"),
        ('{"a": 1}\n', "is no journal of a review"),
        ("\0\0\0\n", "is no journal of a review"),
    ],
)
def test_other_files_are_left_as_they_are(tmp_path, text, told):
    path = tmp_path / "j"
    path.write_text(text)
    with pytest.raises(InputError, match=told):
        Journal(path)
    assert path.read_text() == text


def test_damage_inside_is_told_by_its_line(tmp_path):
    path = tmp_path / "j"
    journal = begun(path)
    for row in (1, 2, 3):
        add(journal, row)
    journal.close()
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], lines[1], lines[3]]))
    with pytest.raises(InputError, match=r"j:3: is damaged \(action 2 was expected"):
        Journal(path)
    path.write_text("".join([lines[0], lines[1], lines[2][:20] + "\n", lines[3]]))
    with pytest.raises(InputError, match="j:3: is damaged"):
        Journal(path)


def test_a_journal_that_was_moved_away_saves_nothing(tmp_path):
    path = tmp_path / "j"
    journal = begun(path)
    path.rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="is gone"):
        add(journal, 1)
    journal.close()
    (tmp_path / "elsewhere").rename(path)
    with pytest.raises(InputError, match="is gone, or was closed"):
        add(journal, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_told_and_leaves_the_journal_whole(tmp_path, monkeypatch):
    path = tmp_path / "j"
    journal = begun(path)
    add(journal, 1)
    before, write = path.read_bytes(), os.write

    def half(number: int, data: bytes) -> int:
        if len(data) < 30:
            raise OSError(28, "No space left on device")
        return write(number, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(InputError, match=r"no space left on device.*not saved"):
        add(journal, 2)
    monkeypatch.undo()
    assert path.read_bytes() == before
    add(journal, 2)
    assert [one.row for one in read_journal(path)[1]] == [1, 2]


WRITER = """
import sys
from test_journal import add, begun
journal = begun(sys.argv[1])
n = 0
while True:
    add(journal, n % 100 + 1, comment="x" * (n * 37 % 5000))
    n += 1
    print(len(journal.actions), flush=True)
"""


@pytest.mark.slow
def test_kills_at_random_lose_nothing_that_was_told(tmp_path):
    """Two writers are killed again and again; all that either has told is in the journal."""
    path, random, told = tmp_path / "j", Random(4), 0
    paths = [ROOT / "src", ROOT / "tests", ROOT / "tests" / "review", ROOT / "tests" / "report"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    for _ in range(50 if LONG else 4):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True, env=env
            )
            for _ in range(2)
        ]
        seen = ["", ""]
        for n, writer in enumerate(writers):
            assert writer.stdout is not None
            for _ in range(random.randrange(3, 40)):
                seen[n] = writer.stdout.readline()
        for n, writer in enumerate(writers):
            writer.send_signal(signal.SIGKILL)
            rest = writer.communicate()[0].splitlines()
            told = max([told, int(seen[n]), *map(int, rest)])
        with open(path, "ab") as file:
            file.write(b'{"n": 9'[: random.randrange(8)])  # the rare kill inside a write
        actions = read_journal(path)[1]
        assert [one.n for one in actions] == [*range(1, len(actions) + 1)]
        assert len(actions) >= told
