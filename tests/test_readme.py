"""The README's figures and lines are those of the package.

The figures depend on the kind of processor a little, since int8 is summed in another way on each:
on the kind that the README names they are held to the width of two entities, elsewhere to a wider
tolerance.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from spanbridge import SentencePair, align, evaluate, project, read_labelled, read_pairs
from spanbridge.core import registry
from spanbridge.core.machine import PROCESSOR_KINDS, processor_kind, this_processor
from spanbridge.core.spans import Sentence
from spanbridge.demo.sample import LANGUAGES, sample
from spanbridge.evaluation import evaluate_links, evaluate_spans

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
ENTITIES = 2  # that a figure may be off, on the same kind of processor
F1_ELSEWHERE = 0.03
AER_HERE, AER_ELSEWHERE = 0.1, 0.5  # percentage points
BENCHED = [  # method and aligner of each row of the second table
    ("corpus", "fused"),
    ("corpus", "statistical"),
    ("soft", "encoder"),
    ("greedy", "encoder"),
    ("greedy", "lexical"),
]


def shown(mark: str) -> tuple[str, bool]:
    """A table of the README, and whether it was measured on this kind of processor."""
    before, _, after = README.partition(f"<!-- {mark} -->\n")
    measured = re.search(r"<!-- measured on: (.+) -->\n$", before)
    assert measured, f"the README does not say on what it measured the table {mark!r}"
    assert measured[1] in PROCESSOR_KINDS
    return after, measured[1] == this_processor()


AVX512 = "avx512f avx512cd avx512bw avx512dq avx512vl"


def f1_tolerance(n_gold: int, same: bool) -> float:
    """The width of two entities in F1 (right or wrong, the number found staying), and rounding."""
    return ENTITIES / n_gold + 0.0005 if same else F1_ELSEWHERE


def numbers(line: str) -> list[float]:
    return [float(x) for x in re.findall(r"\d+\.\d+", line)]


def n_spans(sentences: list[Sentence]) -> int:
    return sum(len(sentence.spans) for sentence in sentences)


@pytest.mark.parametrize(
    ("flags", "environment", "kind"),
    [
        ("fpu avx2 avx512f avx512_vnni", {}, "AVX-512 VNNI"),
        ("fpu avx2 avx_vnni", {}, "AVX-VNNI"),
        ("fpu avx2 avx512f", {}, "AVX-512"),
        ("fpu avx2", {}, "AVX2"),
        ("fpu sse4_2", {}, "other"),
        ("fpu avx2", {"CT2_FORCE_CPU_ISA": "GENERIC"}, "forced"),
        ("fpu avx2", {"CT2_FORCE_CPU_ISA": ""}, "AVX2"),
        ("fpu avx2", {"CT2_FORCE_CPU_ISA": "AVX512"}, "forced"),
        (f"avx2 {AVX512} avx512_vnni", {"CT2_FORCE_CPU_ISA": "AVX512"}, "AVX-512 VNNI"),
        (f"avx2 {AVX512}", {"CT2_FORCE_CPU_ISA": "AVX2"}, "forced"),
    ],
)
def test_kinds_of_processors(flags, environment, kind):
    assert processor_kind(f"model name\t: x\nflags\t\t: {flags}\n", environment) == kind
    assert processor_kind("Features\t: asimd\n", {}) == "other"


@pytest.mark.slow
@pytest.mark.apart
def test_the_demo_prints_what_the_readme_shows(spanbridge, tmp_path):
    text, same = shown("demo")
    lines = text.split("```")[1].strip().split("\n")
    said = spanbridge("demo", "-o", "out").stdout.splitlines()
    start = said.index(lines[0])
    printed = said[start : start + len(lines)]
    assert [line.split()[0] for line in printed] == [line.split()[0] for line in lines]
    widths = [f1_tolerance(n_spans(sample(code)), same) for code in LANGUAGES]
    assert len(lines) == len(widths) + 2  # a head, and the means
    widths.append(sum(widths) / len(widths))
    off = [
        (line, expected)
        for line, expected, width in zip(printed[1:], lines[1:], widths, strict=True)
        if numbers(line) != pytest.approx(numbers(expected), abs=width)
    ]
    assert off == []

    page = tmp_path / "out" / "page.html"
    assert page.stat().st_size > 100_000
    assert any(str(page) in line for line in said)
    # what the demo reports is what evaluate says of the files that it leaves
    report = evaluate_spans(sample("de"), read_labelled(tmp_path / "out" / "en-de.jsonl"))
    assert printed[1].split()[:2] == ["German", f"{report.micro.f1:.3f}"]


@pytest.fixture(scope="module")
def aligners():
    """Each aligner once, the encoder that two of them take loaded once."""
    made = {name: registry.build("aligner", name, {}) for name in ("encoder", "lexical")}
    fused = registry.build("aligner", "fused", {"encoder": made["encoder"]})
    return {**made, "fused": fused, "statistical": registry.build("aligner", "statistical", {})}


@pytest.fixture(scope="module")
def aer(real_data, aligners):
    """``aer(name, aligner)``: alignment error rate in % on one of the gold sets, asked once."""
    known: dict[tuple[str, str], float] = {}

    def get(name: str, aligner: str) -> float:
        if (name, aligner) not in known:
            text = (real_data / "alignment-gold" / f"{name}.jsonl").read_text("utf-8")
            rows = [json.loads(line) for line in text.splitlines()]
            pairs = [
                SentencePair(
                    row["id"],
                    Sentence(tuple(row["source_tokens"])),
                    Sentence(tuple(row["target_tokens"])),
                )
                for row in rows
            ]
            links = [pair.links.pairs for pair in align(pairs, aligners[aligner])]
            gold = ((row["sure"], row["possible"]) for row in rows)
            known[name, aligner] = 100 * evaluate_links(gold, links).aer
        return known[name, aligner]

    return get


@pytest.mark.slow
@pytest.mark.parametrize("row", range(len(BENCHED)), ids=map("-".join, BENCHED))
def test_the_benchmark_table(real_data: Path, aligners, aer, row):
    text, same = shown("bench")
    lines = text.strip().split("\n\n")[0].split("\n")[2:]
    assert len(lines) == len(BENCHED)
    method, aligner = BENCHED[row]
    assert all(word in lines[row] for word in (method, aligner))
    german, spanish, *rates = numbers(lines[row])
    folder = real_data / "europarl-ner"
    for language, expected in (("de", german), ("es", spanish)):
        path = folder / f"{language}.dev.conll"
        gold = list(read_labelled(path))
        result = project(read_pairs(folder / "en.dev.conll", path), method, aligners[aligner])
        width = f1_tolerance(n_spans(gold), same)
        f1 = evaluate(gold, result).micro.f1
        assert f1 == pytest.approx(expected, abs=width), (language, lines[row])
    for name, expected in zip(("enfr", "roen"), rates, strict=True):
        width = (AER_HERE if same else AER_ELSEWHERE) + 0.005
        assert aer(name, aligner) == pytest.approx(expected, abs=width), (name, lines[row])


@pytest.mark.slow
def test_label_prints_what_the_readme_shows(tmp_path, spanbridge):
    _, _, after = README.partition("<!-- label -->\n")
    block = after.split("```")[1]
    texts = re.findall(r"^\$ cat posts.txt\n(.*?)\n\n", block, re.DOTALL | re.MULTILINE)[0]
    [command] = re.findall(r"^\$ spanbridge (label .*)$", block, re.MULTILINE)
    shown_rows = [
        json.loads(row) for row in re.findall(r"^\{.*?\]\}", block, re.DOTALL | re.MULTILINE)
    ]
    (tmp_path / "posts.txt").write_text(texts + "\n", encoding="utf-8")
    spanbridge(*command.split())
    lines = (tmp_path / "posts.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == len(shown_rows) == 3
    for row, expected in zip(map(json.loads, lines), shown_rows, strict=True):
        spans = row["target_spans"]
        for span, other in zip(spans, expected["target_spans"], strict=True):
            assert span.pop("score") == pytest.approx(other.pop("score"), abs=0.03)
        assert {key: row[key] for key in expected} == expected


@pytest.fixture
def own_data(tmp_path):
    """The files of the README's own example, out of the demo's sample."""
    data = Path(str(registry.__file__)).parents[1] / "demo" / "data"
    (tmp_path / "en.conll").write_bytes((data / "en.conll").read_bytes())
    (tmp_path / "gold.conll").write_bytes((data / "de.conll").read_bytes())
    lines = (" ".join(sentence.words) + "\n" for sentence in sample("de"))
    (tmp_path / "de.txt").write_text("".join(lines), encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_the_lines_in_python_do_what_the_commands_do(own_data, spanbridge, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert sum(bool(line.strip()) for line in code.splitlines()) <= 12
    monkeypatch.chdir(own_data)
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()

    command = "project --source en.conll --target de.txt --fit command.fit -o command.conll"
    spanbridge(*command.split())
    assert (own_data / "de.conll").read_bytes() == (own_data / "command.conll").read_bytes()
    files = [path.relative_to(own_data / "en-de.fit") for path in own_data.rglob("en-de.fit/**/*")]
    assert len(files) > 4
    for path in files:
        if path.suffix:
            mine, its = (own_data / fit / path for fit in ("en-de.fit", "command.fit"))
            assert mine.read_bytes() == its.read_bytes(), path

    rows = sample("de")
    assert len(printed) == len(rows) + 2
    first = next(read_labelled("command.conll"))
    texts = [(s.label, " ".join(first.words[s.start : s.end])) for s in first.spans]
    assert printed[0] == f"1 {texts}"
    done = spanbridge("evaluate", "gold.conll", "command.conll", "--json")
    assert float(printed[-2]) == json.loads(done.stdout)["micro"]["f1"]
    assert printed[-1].count("Span(") == len(first.spans) > 0
