"""Throughput of every command on one core, files to files, start and loading of models included.

Prints: a line per command: its rows; rows per second of processor time; seconds of that; and the
    peak of resident memory. Each command is a process of its own, held to one core, in one thread.
    Processor time is what the command itself used, whatever else ran beside it, so that it can be
    compared between runs where seconds by the clock cannot; that of the processes which it started
    is part of it. The peak is that of the largest process. For train, words per second are given
    too. What is not installed is named.
Takes: about five minutes of one core.
Data: English CoNLL-2003 with machine translations into Swahili; Spanish news as raw text. Models
    that are converted on first use are converted before. Translations by Apertium need
    apt install apertium-eng-spa.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.projection import write_bitext
from benchmarks.real_data import conll_mt, news
from spanbridge import SentencePair, api
from spanbridge.core.machine import available_cores, processor_name, this_processor

ROWS = 2000
# A bare Python between this process and the command, since a process counts the memory of the one
# that it was forked from as its own. It adopts what the command leaves behind (36 is
# PR_SET_CHILD_SUBREAPER), so that Apertium's processes count.
APART = """
import ctypes, json, os, resource, subprocess, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(36, 1)
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
try:
    while True:
        os.wait()
except ChildProcessError:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "code": done.returncode, "said": done.stderr,
    "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}))
"""
PIPELINE = "input: {source: s.conll, target: t.txt}\noutput: run.jsonl\nsteps: [project]\n"
RECIPE = (
    *("--epochs", "1", "--frozen-layers", "4", "--batch-tokens", "512"),
    *("--learning-rate", "3e-4", "--labels", "LOC,ORG,PER", "--threads", "1", "--device", "cpu"),
)


@dataclass(frozen=True)
class Work:
    """A command with its arguments, and which share of the rows it gets."""

    name: str
    rows: int
    arguments: Sequence[str]


def works(n: int) -> list[Work]:
    """Every command that works on rows."""
    both = ("--source", "s.conll", "--target", "t.txt")
    half, quarter = n // 2, n // 4
    return [
        Work("label, one text", 1, ("one.txt", "-o", "one.jsonl")),
        Work("label", half, ("posts.txt", "-o", "label.jsonl", "--route", "direct")),
        Work(
            "label --translate",
            half,
            ("posts.txt", "--translate", "--from", "es", "-o", "translated.jsonl"),
        ),
        Work("tag", n, ("--source", "s.conll", "-o", "tag.conll")),
        Work("project", n, (*both, "-o", "project.jsonl")),
        Work("project --method soft", n, (*both, "--method", "soft", "-o", "soft.jsonl")),
        Work(
            "project --aligner statistical",
            n,
            (*both, "--aligner", "statistical", "-o", "statistical.jsonl"),
        ),
        Work("run", n, ("pipeline.yaml",)),
        Work("align", n, (*both, "-o", "links.pharaoh")),
        Work(
            "translate",
            n,
            ("--source", "s.conll", "--from", "en", "--to", "es", "-o", "es.jsonl"),
        ),
        Work("make-data", half, ("half.conll", "--from", "en", "--to", "es", "-o", "data")),
        Work("train", quarter, ("--train", "quarter.conll", *RECIPE, "-o", "tagger")),
        Work("evaluate", n, ("s.conll", "other.conll")),
        Work("compare", n, ("s.conll", "other.conll", "gold=s.conll")),
        Work("perturb", n, ("s.conll", "p.conll", "--kind", "typos", "--strength", "0.1")),
        Work("convert", n, ("s.conll", "tasks.json", "--to", "labelstudio")),
        Work("choose", n, ("viewed.jsonl", "-n", "100", "-o", "first.jsonl")),
        Work("view", n, ("viewed.jsonl", "-o", "page.html")),
    ]


def raw(words: Sequence[str]) -> str:
    """Words as a text, punctuation without spaces before it."""
    return re.sub(r" ([.,;:!?)%])", r"\1", " ".join(words)).replace("( ", "(")


def write(folder: Path, n: int) -> list[SentencePair]:
    """The files that the commands read; returns the sentences that train gets."""
    pairs = [pair for pair in conll_mt("swa") if pair.source.spans][:n]
    write_bitext(folder, lambda: pairs)
    few = pairs[: n // 4]
    for name, some in (("half.conll", pairs[: n // 2]), ("quarter.conll", few)):
        api.write_pairs(folder / name, [p.replace(target=p.source) for p in some])
    dropped = [p.replace(target=p.source.with_spans(p.source.spans[1:])) for p in pairs]
    api.write_pairs(folder / "other.conll", dropped)
    api.project(pairs, "greedy", "lexical").save(folder / "viewed.jsonl")
    texts = [raw(sentence.words) for sentence in news("es", "dev")[: n // 2]]
    (folder / "posts.txt").write_text("\n".join(texts) + "\n", "utf-8")
    (folder / "one.txt").write_text(texts[0] + "\n", "utf-8")
    (folder / "pipeline.yaml").write_text(PIPELINE, "utf-8")
    return few


def table(folder: Path, n: int, names: Sequence[str]) -> Iterator[str]:
    """A line per command."""
    few = write(folder, n)
    words = sum(len(pair.source.words) for pair in few)
    yield f"{'':<32}{'rows':>7}{'rows/s':>10}{'CPU s':>10}{'peak MB':>10}"
    api.project(api.tag(few[:1]), "soft")  # converts tagger and encoder, if they are not yet
    threads = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    for work in works(n):
        command = work.name.split()[0].rstrip(",")
        if command not in names:
            continue
        line = [sys.executable, "-m", "spanbridge", command, *work.arguments]
        done = subprocess.run(
            [sys.executable, "-c", APART, *line],
            cwd=folder,
            env=os.environ | threads,
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(done.stdout)
        if found["code"]:
            yield f"{work.name:<32}{work.rows:>7,}  {found['said'].strip().splitlines()[-1]}"
            continue
        more = f"   {words / found['cpu']:,.0f} words/s" if command == "train" else ""
        speed = work.rows / found["cpu"]
        yield (
            f"{work.name:<32}{work.rows:>7,}{speed:>10,.{1 if speed < 100 else 0}f}"
            f"{found['cpu']:>10.1f}{found['peak']:>10,.0f}{more}"
        )


NAMES = tuple(dict.fromkeys(work.name.split()[0].rstrip(",") for work in works(ROWS)))


def main(commands: Sequence[str] = NAMES, rows: int = ROWS) -> None:
    """Print the machine and the table."""
    load = f"{os.getloadavg()[0]:.1f} other processes on average"
    print(
        f"{processor_name()} ({this_processor()}), {available_cores()} cores of which one is used, "
        f"{platform.system()}, Python {platform.python_version()}; {load}",
        flush=True,
    )
    with TemporaryDirectory() as folder:
        for line in table(Path(folder), rows, commands):
            print(line, flush=True)
