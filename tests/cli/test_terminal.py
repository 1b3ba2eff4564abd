"""What reaches the terminal: no character that it acts on, and one line for an error."""

import json
import re
from pathlib import Path

import pytest

import spanbridge.cli
from spanbridge.cli.terminal import complain, visible

ESCAPE = "\x1b[2J\x07\x9b31m\u202e\u2028\ud800\r"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ünï 東京 กา \u200d\u200f\ttab\nline", "Ünï 東京 กา \u200d\u200f\ttab\nline"),
        ("\x1b[2J\0\x7f", "\\u001b[2J\\u0000\\u007f"),
        ("\u202eabc\u2066", "\\u202eabc\\u2066"),
        (ESCAPE[-2:], "\\ud800\\u000d"),
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown


def test_json_keeps_its_meaning():
    value = {ESCAPE: [ESCAPE, "ä"]}
    assert json.loads(visible(json.dumps(value, ensure_ascii=False))) == value


def test_long_errors_keep_both_ends(capsys):
    complain("a.txt:1: " + "x" * 10_000 + "\nuse another")
    said = capsys.readouterr().err
    assert len(said) < 2000
    assert said.startswith("a.txt:1: xxx")
    assert said.endswith("x use another\n")


def test_all_messages_go_this_way():
    """But a pipeline file that is printed, which has escapes of its own."""
    raw = re.compile(r"\b(?:click\.(?:echo|secho)|print)\(")
    folder = Path(spanbridge.cli.__file__).parent
    lines = [
        line.strip()
        for path in sorted(folder.glob("*.py"))
        for line in path.read_text("utf-8").splitlines()
        if raw.search(line) and path.name != "terminal.py"
    ]
    assert lines == ["click.echo(pipeline.text(), nl=False)"]


@pytest.mark.parametrize(
    "args",
    [
        ["evaluate", "gold.conll", "\x1b[2J.conll"],
        ["evaluate", "gold.conll", "gold.conll", "--labels", "\x1b[2J"],
        ["evaluate", "gold.conll", "gold.conll"],
        ["evaluate", "gold.conll", "words.conll"],
        ["tag", "--source", "gold.conll", "--tagger", "\x1b[2J", "--model", "x", "-o", "o.conll"],
        ["view", "gold.conll", "-o", "\x1b[2J.html"],
        ["\x1b[2J"],
    ],
)
def test_names_labels_and_words_from_others(tmp_path, spanbridge, args):
    label = "A\x1b[2J\u202e"
    (tmp_path / "gold.conll").write_text(f"w\tB-{label}\nv\tO\n\n", "utf-8")
    (tmp_path / "words.conll").write_text(f"w\x1b[2J\tB-{label}\nv\tO\n\n", "utf-8")
    code = 0 if args[-1] in ("gold.conll", "words.conll") or "view" in args else 2
    done = spanbridge(*args, code=code)
    assert "\\u001b" in done.stdout + done.stderr or "\\x1b" in done.stderr
    assert not re.search("[\x1b\u202e]", done.stdout + done.stderr)
