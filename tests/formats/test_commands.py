"""Every command takes every format that it can use."""

import pytest

from spanbridge.core import registry
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats import named_format, read_rows, write_pairs
from spanbridge.training.training_sets import read_set

ENDINGS = {"brat-folder": "", "multiclinai": "", "hf": ".parquet"}
# Those that hold one side with spans, and are told by their name or by what they hold.
LABELLED = [
    name
    for name in registry.names("format")
    if named_format(name).sides == "one" and named_format(name).holds_spans
]
SECONDS = ("uima-json", "xmi")  # which their package takes to read a few rows
NAMED = ("doccano-utf16",)  # told by nothing: what cannot name it wants another format
ROWS = [
    SentencePair(
        f"r{n}",
        Sentence(
            ("Ann", "Roe", "saw", "Paris", str(n), "."), (Span(0, 2, "PER"), Span(3, 4, "LOC"))
        ),
        Sentence(("Ann", "Roe", "sah", "Paris", str(n), ".")),
    )
    for n in range(3)
]


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in SECONDS else []) for n in LABELLED],
)
def test_every_command_takes_it(tmp_path, spanbridge, name):
    file = f"a{ENDINGS.get(name, next(iter(named_format(name).suffixes), '.x'))}"
    write_pairs(tmp_path / file, ROWS, "source", format=name)
    (tmp_path / "t.txt").write_text("".join(f"{' '.join(r.target.words)}\n" for r in ROWS))
    write_pairs(tmp_path / "g.conll", ROWS, "source")
    known = ("--format", name)
    project = ("project", "--target", "t.txt", "--method", "greedy", "--aligner", "lexical")
    spanbridge(*project, "--source", file, *known, "-o", "o.jsonl")
    (tmp_path / "p.yaml").write_text(
        f"input: {{source: {file}, target: t.txt}}\nformat: {name}\noutput: r.jsonl\n"
        "work: w\nsteps: [{project: {method: greedy, aligner: lexical}}]\n"
    )
    spanbridge("run", "p.yaml")
    for made in ("o.jsonl", "r.jsonl"):
        found = [row.target for _, row in read_rows(tmp_path / made)]
        assert [[span[:3] for span in one.spans] for one in found] == [
            [span[:3] for span in row.source.spans] for row in ROWS
        ]
    spanbridge(
        "tag", "--source", file, *known, "--tagger", "given", "--model", "g.conll", "-o", "t.jsonl"
    )
    if name in NAMED:
        return
    assert "1.0000" in spanbridge("evaluate", file, file).stdout
    spanbridge("view", file, "-o", "p.html", "--gold", file)
    assert [len(one.spans) for one, _ in read_set(str(tmp_path / file)).sentences] == [2, 2, 2]


@pytest.mark.parametrize("file", ["a.tmx", "a.xlf", "a.en-de.en"])
def test_bitext_is_aligned(tmp_path, spanbridge, file):
    bare = [row.replace(source=row.source.with_spans(())) for row in ROWS]
    known = "moses" if file.endswith(".en") else None
    write_pairs(tmp_path / file, bare, format=known)
    named = ("--format", known) if known else ()
    spanbridge("align", "--source", file, *named, "--aligner", "lexical", "-o", "o.links")
    assert (tmp_path / "o.links").read_text().splitlines() == ["0-0 1-1 3-3 4-4 5-5"] * 3


@pytest.mark.parametrize("name", ["brat", "brat-folder", "moses", "multiclinai", "xmi"])
def test_standard_output_is_one_file(tmp_path, spanbridge, name):
    if name == "xmi":  # whose types all know
        pytest.importorskip("cassis")
    write_pairs(tmp_path / "in.jsonl", ROWS)
    spanbridge("convert", "in.jsonl", "-", "--to", name, code=0 if name == "xmi" else 2)
    assert [one.name for one in tmp_path.iterdir()] == ["in.jsonl"]
