"""The tutorials, done word by word in new folders: every block, and what is shown of its output.

A block of a tutorial has a comment before it that says what it is. Lines of an output block stand
in the output in this order; ``...`` stands for lines that are not shown. ``output, roughly`` lets
numbers be off a little, since other processors round differently, times and reasons of lost spans
by all, and a difference be significant or not.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

PAGES = sorted((Path(__file__).parents[1] / "docs" / "tutorials").glob("*.md"))
BLOCK = re.compile(r"^(?:<!-- (.*?) -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?|\.\d+")
RATE = rf"(?:{NUMBER.pattern})"
TIMES = re.compile(rf", (?:after )?{RATE} s(?:, {RATE} rows per second| of learning)?")
REASONS = re.compile(r"; not projected: .*")
STARS = re.compile(r"(?<=\)) \*(?= \|)")
DIGEST = re.compile(r"\b[0-9a-f]{8}\b")
SHARE = 0.15  # that a count may be off where numbers are compared roughly
PART = 0.05  # the same for a number with a point
HERE = {"apertium": shutil.which("apertium"), "torch": find_spec("torch")}
# the commands of the tree under test, whatever is installed
COMMANDS = {"spanbridge": "-m spanbridge", "python": ""}

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


class Block(NamedTuple):
    """A block of a page: what its comment says, its language, its text."""

    mark: str
    kind: str
    text: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = [Block(*match) for match in BLOCK.findall(text)]
    assert 2 * len(found) == len(re.findall(r"^\s*```", text, re.MULTILINE)), page.name
    return found


@pages
def test_every_block_says_what_it_is(page):
    known = r"run(, needs (apertium|torch))?(, killed after \d+ seconds)?|not run: .+|file \S+"
    for mark, kind, text in blocks(page):
        assert re.fullmatch(rf"{known}|edit \S+|in \S+|output(, roughly)?", mark), text
        assert (kind == "sh") == (mark.startswith(("run", "not run"))), text


@pages
def test_a_page_says_what_it_is_good_for(page):
    first = page.read_text(encoding="utf-8").split("\n\n")[1]
    assert re.match(r"You have .*At the end you have .*It takes \d+ minutes", first, re.DOTALL)


def do(block: Block, folder: Path, path: str) -> str:
    """Runs a block in a shell; its output, with that of errors."""
    limit = re.search(r"killed after (\d+)", block.mark)
    command = ["bash", "-eu", "-c", block.text]
    if limit:
        command = ["timeout", "-s", "KILL", limit[1], *command]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert limit or done.returncode == 0, f"{block.text}\n{done.stdout[-3000:]}"
    return done.stdout


def edit(file: Path, diff: str) -> None:
    """Replaces the lines after ``-`` by those after ``+``."""
    old, new = (
        "".join(f"{line[1:]}\n" for line in diff.splitlines() if line[0] in signs)
        for signs in (" -", " +")
    )
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, diff
    file.write_text(text.replace(old, new), encoding="utf-8")


def near(shown: str, printed: str) -> bool:
    """If two lines say the same, with numbers that are nearly the same."""
    for pattern, general in ((TIMES, ""), (REASONS, ""), (STARS, ""), (DIGEST, "#")):
        shown, printed = pattern.sub(general, shown), pattern.sub(general, printed)
    if [*NUMBER.split(shown)] != [*NUMBER.split(printed)]:
        return False
    pairs = zip(NUMBER.findall(shown), NUMBER.findall(printed), strict=True)
    for a, b in pairs:
        width = PART if "." in a or "." in b else max(3, SHARE * float(a.replace(",", "")))
        if abs(float(a.replace(",", "")) - float(b.replace(",", ""))) > width:
            return False
    return True


def plain_lines(text: str) -> list[str]:
    """Lines that are not blank, single spaces in place of wider gaps."""
    return [line.rstrip() for line in re.sub(" +", " ", text).split("\n") if line.strip()]


def missing(shown: str, printed: str, *, roughly: bool) -> str | None:
    """The first shown line that the output lacks where it should be; or what goes on after them."""
    rest = plain_lines(printed)
    skip = False
    for line in plain_lines(shown):
        if line == "...":
            skip = True
            continue
        same = [near(line, other) if roughly else line == other for other in rest]
        at = same.index(True) if True in same else None
        if at is None or (at and not skip):
            return line
        rest, skip = rest[at + 1 :], False
    return f"and then: {rest[0]}" if rest and not skip else None


@pytest.mark.slow
@pages
def test_a_tutorial_can_be_done(page, tmp_path):
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    for name, how in COMMANDS.items():
        (bin_ / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {how} "$@"\n')
        (bin_ / name).chmod(0o755)
    folder = tmp_path / "new"
    folder.mkdir()
    printed: str | None = ""
    for block in blocks(page):
        word, _, rest = block.mark.partition(" ")
        if word == "file":
            (folder / rest).write_text(block.text, encoding="utf-8")
        elif word == "edit":
            edit(folder / rest, block.text)
        elif word == "in":
            lost = missing(block.text, (folder / rest).read_text("utf-8"), roughly=False)
            assert lost is None, f"{page.name} shows\n{lost}\nof {rest}"
        elif word in ("run", "run,"):
            need = re.search(r"needs (\w+)", rest)
            here = need is None or HERE[need[1]]
            printed = do(block, folder, f"{bin_}:{os.environ['PATH']}") if here else None
        elif word == "not":
            printed = None
        elif printed is not None:
            lost = missing(block.text, printed, roughly="roughly" in rest)
            assert lost is None, f"{page.name} shows\n{lost}\nof\n{printed}"


def test_lines_are_compared_roughly_or_exactly():
    out = "read: 10 rows\n  22 spans, F1 0.912\ntag, 1.1 s, 89 rows per second\nend\n"
    assert missing("read: 10 rows\n...\nend\n", out, roughly=False) is None
    assert missing("read: 10 rows\n...\n", out, roughly=False) is None
    assert missing("read: 10 rows\nend\n", out, roughly=False) == "end"
    assert missing("read: 10 rows\n", out, roughly=False) == "and then:  22 spans, F1 0.912"
    assert missing("...\n  21 spans, F1 0.93\n...", out, roughly=False) is not None
    assert missing("...\n  21 spans, F1 0.93\n...", out, roughly=True) is None
    assert missing("...\n  21 spans, F1 0.83\n...", out, roughly=True) is not None
    assert missing("...\ntag, 7.0 s, 4 rows per second\nend\n", out, roughly=True) is None
    lost = "9 source spans -> 7 target spans; not projected: 1 no link, 1 cut\n"
    assert missing("9 source spans -> 7 target spans\n", lost, roughly=True) is None
    assert missing("9 source spans -> 7 target spans\n", lost, roughly=False) is not None
    assert missing("...\ntag\nend\n", out, roughly=True) is None
    assert missing("...\nend\nread: 10 rows\n", out, roughly=False) == "read: 10 rows"
