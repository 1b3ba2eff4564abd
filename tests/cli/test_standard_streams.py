"""``-`` is standard input and standard output, for every command that reads or writes rows."""

import json
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import atomic_output, lines
from spanbridge.core.standard import forget_input
from spanbridge.formats import read_pairs

CONLL = "Ana\tB-PER\nvive\tO\n\nBob\tB-PER\n\n"
TARGET = "Ana lives\nBob\n"
PLAIN = "--aligner lexical --method greedy".split()


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of small files, with temporary files in a folder of their own."""
    own = tmp_path / "tmp"
    own.mkdir()
    monkeypatch.setenv("TMPDIR", str(own))
    monkeypatch.setattr(tempfile, "tempdir", None)
    files = {
        "s.conll": CONLL,
        "t.txt": TARGET,
        "links": "0-0 1-1\n0-0\n",
        "given.tsv": "Ana vive\tAna lives\nBob\tBob\n",
        "tags.conll": "Ana\tB-PER\nlives\tO\n\nBob\tB-PER\n\n",
        "pairs.jsonl": '{"source_words": ["Ana"], "target_words": ["Ana"], '
        '"target_spans": [{"start": 0, "end": 1, "label": "PER"}]}\n',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    yield tmp_path
    assert not list(own.iterdir())  # nothing is left behind


@pytest.mark.parametrize("role", ["source", "target", "links"])
def test_project_reads_any_one_file(spanbridge, place, role):
    files = {"source": "s.conll", "target": "t.txt", "links": "links"}
    args = [part for name, path in files.items() for part in (f"--{name}", path)]
    spanbridge("project", *args, "-o", "file.conll")
    args[args.index(files[role])] = "-"
    text = (place / files[role]).read_text("utf-8")
    spanbridge("project", *args, "-o", "stream.conll", stdin=text)
    made = [(place / f"{name}.conll").read_text("utf-8") for name in ("file", "stream")]
    assert made[0] == made[1] != ""
    inputs = json.loads((place / "stream.conll.run.json").read_text("utf-8"))["inputs"]
    assert inputs[role] == "-"


COMMANDS = {
    "project": ("s.conll", f"--source - --target t.txt {' '.join(PLAIN)}"),
    "align": ("t.txt", "--source - --target t.txt --aligner lexical"),
    "tag": ("t.txt", "--source - --tagger given --model tags.conll"),
    "translate": (
        "s.conll",
        "--source - --from es --to en --translator given --translations given.tsv",
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_standard_output_gets_what_a_file_gets(spanbridge, place, command):
    path, args = COMMANDS[command]
    text = (place / path).read_text("utf-8")
    named = "file.pharaoh" if command == "align" else "file.jsonl"
    before = {p.name for p in place.iterdir()}
    done = spanbridge(command, *args.split(), "-o", "-", stdin=text)
    assert {p.name for p in place.iterdir()} == before  # neither manifest nor rejects
    assert "2 rows" in done.stderr
    assert "written to standard output" in done.stderr
    spanbridge(command, *args.split(), "-o", named, stdin=text)
    assert done.stdout == (place / named).read_text("utf-8") != ""
    quiet = spanbridge(command, *args.split(), "-o", "-", "-q", stdin=text)
    assert (quiet.stdout, quiet.stderr) == (done.stdout, "")


def test_the_format_is_named(spanbridge, place):
    args = COMMANDS["project"][1].split()
    done = spanbridge("project", *args, "-o", "-", "--output-format", "conll", stdin=CONLL)
    assert done.stdout == "Ana\tB-PER\nlives\tO\n\nBob\tB-PER\n\n"
    done = spanbridge(
        *"align --source - --target t.txt --aligner lexical -o - --output-format jsonl".split(),
        stdin=TARGET,
    )
    assert json.loads(done.stdout.splitlines()[0])["links"] == [[0, 0], [1, 1]]
    done = spanbridge("project", *args, "-o", "-", "--output-format", "brat", stdin=CONLL, code=2)
    assert done.stderr == (
        "-: name the .ann file of brat, whose text is the .txt beside; the format of a folder of "
        "documents is brat-folder\n"
    )


def test_commands_in_a_row(spanbridge, place):
    """Pairs are recognised by content."""
    given = "--translator given --translations given.tsv --original target -q".split()
    one = spanbridge(
        *"translate --source - --from es --to en -o -".split(), *given, stdin="Ana vive\nBob\n"
    )
    two = spanbridge(
        *"tag --source - --tagger given --model tags.conll -o - -q".split(), stdin=one.stdout
    )
    three = spanbridge("project", "--source", "-", *PLAIN, "-o", "-", stdin=two.stdout)
    assert "2 rows of the format jsonl, as the first lines tell" in three.stderr
    rows = [json.loads(line) for line in three.stdout.splitlines()]
    assert [row["target_spans"][0]["label"] for row in rows] == ["PER", "PER"]


@pytest.mark.slow
@pytest.mark.apart
def test_label_and_make_data(spanbridge, place, tiny_tagger):
    given = "--translator given --translations given.tsv --method soft --aligner lexical"
    label = f"label - --from es {given} --method greedy --model".split()
    model = tiny_tagger("bert-tagger")
    texts = "Ana vive\nBob\n"
    before = {p.name for p in place.iterdir()}
    done = spanbridge(*label, model, "-o", "-", stdin=texts)
    assert {p.name for p in place.iterdir()} == before
    spanbridge(*label, model, "-o", "o.jsonl", stdin=texts)
    again = spanbridge(*label, model, "-o", "o.jsonl", stdin=texts)
    assert "shards done before" in again.stderr
    assert done.stdout == (place / "o.jsonl").read_text("utf-8")
    assert json.loads(done.stdout.splitlines()[1])["target_text"] == "Bob"
    several = spanbridge(*label, model, "-o", "-", "--workers", "2", stdin=texts)
    assert several.stdout == done.stdout
    data = f"make-data - --from es --to en {given} --method greedy -o".split()
    spanbridge(*data, "d", stdin=CONLL)
    assert len((place / "d" / "train.jsonl").read_text("utf-8").splitlines()) == 2
    assert "name a folder" in spanbridge(*data, "-", stdin=CONLL, code=2).stderr


def test_evaluate_and_view(spanbridge, place):
    tags = (place / "tags.conll").read_text("utf-8")
    for args in (["-", "tags.conll"], ["tags.conll", "-"]):
        done = spanbridge("evaluate", *args, "--json", stdin=tags)
        assert json.loads(done.stdout)["micro"]["f1"] == 1.0
    links = spanbridge("evaluate", "--alignment", "links", "-", "--json", stdin="0-0 1-1\n0-0\n")
    assert json.loads(links.stdout)["aer"] == 0.0
    pairs = (place / "pairs.jsonl").read_text("utf-8")
    done = spanbridge("view", "-", "-o", "-", stdin=pairs)
    assert done.stdout.endswith("</html>\n")
    spanbridge("view", "-", "--source", "s.conll", "-o", "page.html", stdin=tags)
    assert (place / "page.html").exists()


def test_run_to_standard_output_needs_a_folder(spanbridge, place):
    (place / "p.yaml").write_text(
        'input: "-"\nside: source\noutput: "-"\nsteps:\n'
        "  - tag: {tagger: {given: {model: tags.conll}}}\n"
    )
    done = spanbridge("run", "p.yaml", stdin=TARGET, code=2)
    assert done.stderr.startswith("p.yaml:3: output: of a run to standard output nothing is kept")
    with (place / "p.yaml").open("a") as file:
        file.write("work: w\n")
    done = spanbridge("run", "p.yaml", stdin=TARGET)
    assert len(done.stdout.splitlines()) == 2
    assert spanbridge("run", "p.yaml", stdin=TARGET).stdout == done.stdout
    assert "both go to standard output" in spanbridge("run", "p.yaml", "--json", code=2).stderr


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ("project --source - --target - -o o.conll", "one file only"),
        ("evaluate - -", "one file only"),
        ("view - - -o p.html", "one file only"),
        (
            "translate --source - --from es --to en --translator given --translations - -o o.jsonl",
            "",
        ),
        ("tag --source - --tagger given --model tags.conll -o - --json", "both go to standard"),
        ("project --source - --target t.txt --explain - -o o.conll", "cannot go to standard"),
    ],
)
def test_one_thing_each_way(spanbridge, place, args, why):
    assert why in spanbridge(*args.split(), stdin=CONLL, code=2).stderr


def test_faults_of_standard_input_have_its_name_and_lines(spanbridge, place):
    args = "project --source - --target t.txt -o o.conll".split()
    done = spanbridge(*args, stdin="Ana\tB-PER\nvive\n\n", code=2)
    assert done.stderr.startswith("-:2: ")
    assert spanbridge(*args, code=2).stderr.startswith("-: is empty")
    assert not (place / "o.conll").exists()


def test_rejects_are_told(spanbridge, place):
    args = "project --source - --links links -o - --output-format conll".split()
    rows = [{"source_words": ["a"], "target_words": [word]} for word in ("a\tb", "c")]
    (place / "links").write_text("0-0\n0-0\n")
    done = spanbridge(*args, stdin="".join(json.dumps(row) + "\n" for row in rows))
    assert "rejected rows and why: 1 cannot be written: " in done.stderr
    assert done.stdout == "\nc\tO\n\n"
    assert not list(place.glob("-*"))


def test_python(place, monkeypatch, capfd):
    with monkeypatch.context() as patch, (place / "s.conll").open() as file:
        patch.setattr(sys, "stdin", file)
        assert [*lines("-")] == [*lines("-")] == CONLL.splitlines()
        pairs = read_pairs("-", place / "t.txt")
        assert len([*pairs]) == len([*pairs]) == 2
        with pytest.raises(SpanbridgeError, match="one file only"):
            read_pairs("-", "-")
        forget_input()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", None)
        with pytest.raises(InputError, match="there is no standard input here"):
            next(lines("-"))
    with Path("/dev/zero").open() as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", file)
        with pytest.raises(InputError, match="is a device"):
            next(lines("-"))


def test_nothing_comes_out_of_a_run_that_fails(place, monkeypatch):
    with (place / "out").open("w+") as file:
        monkeypatch.setattr(sys, "stdout", file)
        with suppress(ValueError), atomic_output("-") as out:
            out.write("half")
            raise ValueError
        with atomic_output("-") as out:
            out.write("é\n")
    assert (place / "out").read_text("utf-8") == "é\n"


@pytest.mark.slow
def test_a_reader_that_stops(place):
    """As ever, nothing is said of it."""
    command = f"cat t.txt | {sys.executable} -m spanbridge align --source - --target t.txt"
    (place / "t.txt").write_text("a b c\n" * 50_000)
    command += " --aligner lexical -o - -q | head -n 1"
    done = subprocess.run(["bash", "-c", command], cwd=place, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"0-0 1-1 2-2\n", b"")
