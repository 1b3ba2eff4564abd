"""Completion by the Tab key, and what was meant by mistyped names."""

import re
import shutil
import subprocess

import pytest

from spanbridge.cli.main import cli


def completed(monkeypatch, capsys, line):
    """The words that bash offers at the end of a line, each with its kind."""
    words = line.split(" ")
    monkeypatch.setenv("_SPANBRIDGE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    with pytest.raises(SystemExit):
        cli.main([], prog_name="spanbridge", standalone_mode=False)
    return capsys.readouterr().out.split()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("spanbridge ev", ["plain,evaluate"]),
        ("spanbridge evaluate --sch", ["plain,--scheme"]),
        ("spanbridge evaluate --scheme iob", ["plain,iob2", "plain,iob1"]),
        ("spanbridge project --method gr", ["plain,greedy"]),
        ("spanbridge translate --translator ne", ["plain,neural"]),
        ("spanbridge tag --output-format lab", ["plain,labelstudio"]),
        ("spanbridge label po", ["file,po"]),
        ("spanbridge project --source da/po", ["file,da/po"]),
    ],
)
def test_what_is_completed(monkeypatch, capsys, line, found):
    assert completed(monkeypatch, capsys, line) == found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_sound(spanbridge, shell):
    script = spanbridge("completion", shell).stdout
    assert f"_SPANBRIDGE_COMPLETE={shell}_complete" in script
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lable", r"spanbridge: no command is named 'lable' \(did you mean label\?\); there are: "),
        ("xyz", "spanbridge: no command is named 'xyz'; there are: label, advise, make-data, "),
        ("project --sorce x", r"project: no such option --sorce \(did you mean --source\?\) \(see"),
        ("project --qqqq x", r"project: no such option --qqqq \(see"),
        (
            "evaluate g g --scheme biose",
            r"'biose' is not one of 'iob2', 'iob1', 'bioes' \(did you mean bioes\?\) \(see",
        ),
        ("evaluate g g --labels PRE", r"labels: no label of .* 'PRE' \(did you mean PER\?\)"),
        (
            "translate --source g --from german --to en -o o",
            r"'german' is no .*code \(did you mean de, German\?\)",
        ),
    ],
)
def test_what_was_meant(spanbridge, tmp_path, line, said):
    (tmp_path / "g").write_text("a\tB-PER\n\n", encoding="utf-8")
    assert re.search(said, spanbridge(*line.split(), code=2).stderr)


def test_the_version_is_short(spanbridge):
    for option in ("-V", "--version"):
        assert re.fullmatch(r"spanbridge \d+\.\d+\S*\n", spanbridge(option).stdout)
