"""What every command promises: examples in its help, --json, --quiet, and errors that mend."""

from __future__ import annotations

import json
import os
import re
from typing import Any, NamedTuple

import pytest

SOURCE = "Bonn\tB-LOC\ncalls\tO\n\n"
PIPELINE = """\
input: {source: s.conll, target: t.txt, links: l.pharaoh}
output: o.jsonl
steps:
  - project: {links: only}
"""
STUDY = """\
data: [{name: bonn, languages: [de], files: g.conll}]
systems:
  given: {steps: [{tag: {side: target, tagger: {given: {model: g.conll}}}}]}
  theirs: {predictions: g.conll}
scores: {resamples: 100}
"""
DOUBTED = """\
{"source_text": "Bonn", "source_spans": [{"start": 0, "end": 4, "label": "LOC"}], \
"target_text": "Bonn", "target_spans": [], "confidence": 0.5}
"""
TRANSLATED = "--translator given --translations tr.tsv"


class Promise(NamedTuple):
    """What a command promises.

    Attributes:
        line: its arguments for the files of :func:`files`.
        result: file or folder that appears; None where it writes none, or its own place.
        json: whether it takes --json, and prints one object.
        quiet: whether it takes --quiet, and says nothing on success.
        examples: whether its help has examples.
        wrong: arguments that are wrong, for the same files.
        why: what is said of them: what is wrong, and what to do.
    """

    line: str
    result: str | None
    json: bool
    quiet: bool
    examples: bool
    wrong: str
    why: str


PROMISES = {
    "label": Promise(
        f"t.txt --from de --model tagger --translate {TRANSLATED} --method greedy "
        "--aligner lexical -o o.jsonl",
        *("o.jsonl", True, True, True),
        *("t.txt --translate -o o.jsonl", "needs to know the text's language; name it with --from"),
    ),
    "advise": Promise(
        "--from yo",
        *(None, True, False, True),
        *("", "name the language with --from, or give a sample TEXT or --gold"),
    ),
    "make-data": Promise(
        f"s.conll --from en --to de {TRANSLATED} --method greedy --aligner lexical -o data",
        *("data", True, True, True),
        "s.conll --from en --to de --model m -o data",
        "s.conll has labels, so that --model has nothing to do",
    ),
    "run": Promise(
        "p.yaml",
        *("o.jsonl", True, True, True),
        *("t.txt", "t.txt: holds a text, and no settings; write lines of NAME: VALUE"),
    ),
    "project": Promise(
        "--source s.conll --target t.txt --links l.pharaoh -o o.conll",
        *("o.conll", True, True, True),
        *("--source s.conll -o o.conll", "give the file of its translations too"),
    ),
    "translate": Promise(
        f"--source s.conll --from en --to de {TRANSLATED} -o o.jsonl",
        *("o.jsonl", True, True, True),
        "--source s.conll --from en --to de --translator given -o o.jsonl",
        "--translator given and --translations FILE go together",
    ),
    "convert": Promise(
        "s.conll tasks.json --to labelstudio",
        *("tasks.json", True, True, True),
        *("nowhere.conll o.jsonl", "nowhere.conll: cannot be read (no such file or directory)"),
    ),
    "tag": Promise(
        "--source t.txt --tagger given --model g.conll -o o.conll",
        *("o.conll", True, True, True),
        "--source t.txt --tagger given --model s.conll -o o.conll",
        "s.conll has no tags for: Bonn ruft",
    ),
    "train": Promise(
        "--train s.conll --encoder tiny --epochs 1 --threads 1 -o tagger-of-bonn",
        *("tagger-of-bonn", True, True, True),
        *("-o tagger-of-bonn", "there is nothing to learn from; give --train FILE"),
    ),
    "align": Promise(
        "--source s.conll --target t.txt --aligner lexical -o o.pharaoh",
        *("o.pharaoh", True, True, True),
        "--source s.conll --target t.txt --aligner lexical -o o.conll",
        "o.conll is of the format conll, which holds no links; write .jsonl or .pharaoh",
    ),
    "evaluate": Promise(
        "s.conll s.conll",
        *(None, True, False, True),
        *("s.conll g2.conll", "g2.conll:4: this row has no counterpart"),
    ),
    "perturb": Promise(
        "s.conll o.conll --kind casing --strength 1",
        *("o.conll", True, True, True),
        *("s.conll o.conll --kind casig", "did you mean casing?"),
    ),
    "compare": Promise(
        "s.conll s.conll x=s.conll --resamples 20",
        *(None, True, False, True),
        *("s.conll s.conll g2.conll", "g2.conll:4: this row has no counterpart"),
    ),
    "study": Promise(
        "st.yaml",
        *("st.study", True, True, True),
        *("p.yaml", "p.yaml:1: input: there is no such setting"),
    ),
    "view": Promise(
        "s.conll -o p.html",
        *("p.html", False, False, True),
        *("s.conll --links l.pharaoh -o p.html", "--links needs --source"),
    ),
    "review": Promise(
        "r.jsonl --write -o o.jsonl",
        *("o.jsonl", True, True, True),
        *("r.jsonl --write", "--write needs -o FILE"),
    ),
    "choose": Promise(
        "doubt.jsonl -n 1 -o o.jsonl",
        *("o.jsonl", True, True, True),
        "s.conll -n 1 -o o.jsonl",
        "no row has a confidence and is still to be corrected; give what project wrote",
    ),
    "guidelines": Promise(
        "r.jsonl",
        *(None, True, False, True),
        *("nowhere.jsonl", "nowhere.jsonl: cannot be read (no such file or directory)"),
    ),
    "data": Promise(
        "list --kind alignment",
        *(None, False, False, True),
        *("show masakaner2", "no data set is named 'masakaner2' (did you mean masakhaner2?)"),
    ),
    "demo": Promise(
        "-o demo",
        *("demo", False, False, False),
        *("-o t.txt", "t.txt cannot be made: file exists"),
    ),
    "doctor": Promise("", *(None, True, False, True), "--chek", "(did you mean --check?)"),
    "completion": Promise("bash", *(None, False, False, True), "bsh", "(did you mean bash?)"),
}


@pytest.fixture
def files(tmp_path, tiny_tagger, request):
    """Small files of every kind; models only for the commands that take any."""
    texts = {
        "s.conll": SOURCE,
        "g.conll": "Bonn\tB-LOC\nruft\tO\n\n",
        "g2.conll": SOURCE + SOURCE,
        "t.txt": "Bonn ruft\n",
        "l.pharaoh": "0-0 1-1\n",
        "r.jsonl": '{"source_text": "Bonn calls", "target_text": "Bonn ruft"}\n',
        "doubt.jsonl": DOUBTED,
        "tr.tsv": "Bonn calls\tBonn ruft\nBonn ruft\tBonn calls\n",
        "p.yaml": PIPELINE,
        "st.yaml": STUDY,
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        # Runs write down that they have read a file only once it has been as it is for a while.
        os.utime(tmp_path / name, (10**9, 10**9))
    if "label" in request.node.name:
        (tmp_path / "tagger").symlink_to(tiny_tagger("bert-tagger"))
    if "train" in request.node.name:
        import tiny_checkpoints

        tiny_checkpoints.save(tmp_path / "tiny", "distilbert")
    return tmp_path


def with_flag(flag: str) -> list[Any]:
    """The commands that promise a flag; those that take more than a second are slow."""
    return [
        pytest.param(name, marks=pytest.mark.slow if name in ("label", "study", "train") else ())
        for name, promise in PROMISES.items()
        if getattr(promise, flag) and name != "demo"  # which has a test of its own
    ]


@pytest.mark.parametrize("command", PROMISES)
def test_help_teaches(spanbridge, command):
    text = spanbridge(command, "--help").stdout
    assert text.startswith(f"Usage: spanbridge {command}")
    assert ("Examples:" in text) == PROMISES[command].examples
    if PROMISES[command].examples:
        assert f"spanbridge {command} " in text.split("Examples:")[1]
    options = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", text, re.MULTILINE)
    assert ("--json" in options) == PROMISES[command].json
    assert ("--quiet" in options) == PROMISES[command].quiet


@pytest.mark.parametrize("command", with_flag("json"))
def test_json_is_one_object_on_standard_output(spanbridge, files, command):
    promise = PROMISES[command]
    done = spanbridge(command, *promise.line.split(), "--json")
    assert isinstance(json.loads(done.stdout), dict)
    if promise.result is not None:
        assert (files / promise.result).exists()


@pytest.mark.parametrize("command", with_flag("quiet"))
def test_quiet_says_nothing(spanbridge, files, command):
    promise = PROMISES[command]
    done = spanbridge(command, *promise.line.split(), "--quiet")
    assert (done.stdout, done.stderr) == ("", "")
    assert (files / promise.result).exists()


@pytest.mark.slow
@pytest.mark.parametrize("command", with_flag("result"))
def test_the_same_twice(spanbridge, files, command):
    """Given again, a command says what it did, and leaves the same bytes."""
    promise = PROMISES[command]
    place, kept = files / promise.result, []
    for _ in range(2):
        done = spanbridge(command, *promise.line.split())
        assert done.stderr.strip()
        assert done.stdout == ""
        found = [place] if place.is_file() else sorted(place.rglob("*"))
        kept.append({path: path.read_bytes() for path in found if path.is_file()})
    assert kept[0] == kept[1]
    assert kept[0]


@pytest.mark.parametrize("command", PROMISES)
def test_wrong_use_says_what_is_wrong_and_leaves_nothing(spanbridge, files, command):
    promise = PROMISES[command]
    before = sorted(files.rglob("*"))
    done = spanbridge(command, *promise.wrong.split(), code=2)
    assert promise.why in done.stderr
    assert done.stdout == ""
    assert sorted(files.rglob("*")) == before
