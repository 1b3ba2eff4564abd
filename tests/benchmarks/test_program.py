"""The program of the benchmarks: names, help, arguments."""

import re
from pathlib import Path

import pytest

from benchmarks import __main__ as program
from benchmarks import scale


def test_every_benchmark_is_listed(capsys):
    folder = Path(program.__file__).parent
    files = {path.stem for path in folder.glob("*.py") if "def main(" in path.read_text("utf-8")}
    assert {*program.NAMES} == files - {"__main__"}
    with pytest.raises(SystemExit) as end:
        program.main(["--help"])
    assert end.value.code == 0
    printed = capsys.readouterr().out
    assert all(re.search(rf"^  {name} +\w", printed, re.MULTILINE) for name in program.NAMES)


@pytest.mark.parametrize("name", program.NAMES)
def test_every_benchmark_has_help(name, capsys):
    with pytest.raises(SystemExit) as end:
        program.main([name, "--help"])
    assert end.value.code == 0
    printed = capsys.readouterr().out
    assert all(f"\n{part}: " in printed for part in ("Prints", "Takes", "Data"))


@pytest.mark.parametrize("wrong", [["nonsense"], ["calibration", "nonsense"], ["shards", "x"]])
def test_what_is_not_known_is_an_error(wrong, capsys):
    with pytest.raises(SystemExit) as end:
        program.main(wrong)
    assert end.value.code == 2
    assert wrong[-1] in capsys.readouterr().err


def test_arguments_reach_the_benchmark(monkeypatch):
    got = {}
    monkeypatch.setattr(scale, "main", _like(scale.main, got))
    program.main(["scale", "10", "20", "--aligner", "lexical"])
    assert got == {"sizes": [10, 20], "aligner": "lexical"}
    program.main(["scale"])
    assert got == {"sizes": scale.SIZES, "aligner": "statistical"}


def _like(main, got):
    """A main with the same signature, which only notes what it is given."""

    def noting(**given):
        got.update(given)

    noting.__wrapped__ = main
    return noting
