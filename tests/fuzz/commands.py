"""Fuzzer of whole commands: exit codes, what reaches the terminal, what lies beside an output."""

import json
import os
import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from spanbridge.cli.main import main as spanbridge
from spanbridge.core.errors import SpanbridgeError

from . import harness, seeds
from .harness import Target

DEFAULT = 2000
# Terminals act on these; a progress bar writes "\r".
_CONTROLS = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# Each with FILE for the mutated file.
_ON_CONLL = [
    "project --source FILE --target t.txt --method heuristic --aligner lexical -o out.jsonl",
    "project --source FILE --target t.txt --links l --method exact -o out.conll",
    "evaluate FILE gold.conll",
    "evaluate gold.conll FILE",
    "evaluate gold.conll gold.conll FILE",
    "compare gold.conll gold.conll FILE --resamples 20",
    "view FILE -o page.html",
    "tag --source gold.conll --tagger given --model FILE -o out.jsonl",
]
_ON_JSONL = [
    "project --source FILE --method greedy --aligner lexical -o out.jsonl",
    "project --source FILE --method heuristic --aligner lexical -o out.conll",
    "align --source FILE --aligner lexical -o out.pharaoh",
    "evaluate FILE pairs.jsonl",
    "view FILE -o page.html",
    "run join.yaml",
    "tag --source FILE --tagger given --model tags.conll -o out.jsonl",
]
_ON_TEXT = [
    "align --source gold.conll --target FILE --aligner lexical -o out.pharaoh",
    "translate --source FILE --from en --to de --translator given "
    "--translations given.tsv -o out.jsonl",
    "tag --source FILE --tagger given --model tags.conll -o out.conll",
    "run steps.yaml",
]


def _run(line: str, path: Path) -> None:
    args = ["spanbridge", *(path.name if arg == "FILE" else arg for arg in line.split())]
    os.chdir(path.parent)
    for old in path.parent.glob("out*"):
        if old.is_file():
            old.unlink()
    out, err = StringIO(), StringIO()
    code: object = None
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "argv", args):
        try:
            spanbridge()
        except SystemExit as end:
            code = end.code
    said = out.getvalue() + err.getvalue()
    assert code in (0, 2), f"exit code {code}: {said}"
    assert "Traceback" not in said
    assert not _CONTROLS.search(said), f"raw control characters: {said!r}"
    left = [file.name for file in path.parent.iterdir() if file.name.endswith(".tmp")]
    assert not left, left
    if code == 2:
        raise SpanbridgeError(said)
    if Path("out.jsonl").exists() and Path("out.jsonl.run.json").exists():
        account = json.loads(Path("out.jsonl.run.json").read_text("utf-8"))["account"]
        with open("out.jsonl", encoding="utf-8") as rows:
            n_rows = sum(1 for _ in rows)
        assert account["rows"] == n_rows, (account, n_rows)


def targets(folder: Path) -> list[Target]:
    """Commands on files of each kind."""
    gold = b"Anna\tB-PER\nRoe\tI-PER\nsings\tO\n\nin\tO\nParis\tB-LOC\n\n"
    beside = {
        "gold.conll": gold,
        "tags.conll": b"Anna B-PER\nRoe I-PER\nlives O\nin O\nParis B-LOC\n\n"
        b"Anna B-PER\nRoe I-PER\nsingt O\n. O\n\nin O\nUlm B-LOC\n\n",
        "t.txt": b"Anna Roe chante\ndans Paris\n",
        "l": b"0-0 1-1 2-2\n0-0 1-1\n",
        "given.tsv": b"Anna Roe singt .\tAnna Roe sings .\nin Ulm\tin Ulm\n",
        "pairs.jsonl": seeds.written("jsonl")[0],
        "join.yaml": b"input: rows.jsonl\noutput: out.jsonl\nlanguages: {source: en, target: de}\n"
        b"steps: [align: {aligner: lexical}, project: {method: heuristic, aligner: lexical}]\n",
        "steps.yaml": b"input: rows.txt\noutput: out.jsonl\nlanguages: {target: de, source: en}\n"
        b"steps: [translate: {translator: {given: {model: given.tsv}}}]\n",
    }
    found = []
    for file, contents, lines in (
        ("rows.conll", [gold], _ON_CONLL),
        ("rows.jsonl", seeds.written("jsonl"), _ON_JSONL),
        ("rows.txt", [b"Anna Roe singt .\nin Ulm\n"], _ON_TEXT),
    ):
        for n, line in enumerate(lines):
            place = folder / f"{n}{file}.d"
            place.mkdir()
            for name, content in beside.items():
                (place / name).write_bytes(content)
            found.append(
                Target(
                    line.replace("FILE", file),
                    f"{place.name}/{file}",
                    contents,
                    lambda path, rng, line=line: _run(line, path),  # type: ignore[misc]
                )
            )
    return found


def main(argv: Sequence[str]) -> int:
    """Run the fuzzer; returns the exit code."""
    return harness.main("commands", targets, DEFAULT, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
