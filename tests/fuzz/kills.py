"""Kills commands at random moments: what they write is absent or whole, and a rerun makes it right.

``python -m tests.fuzz.kills --count 200 --seed 0``: each case is a command in a process of its own,
killed (SIGKILL) before a random one of its operations on files, or after a random time; in every
third case it is interrupted (SIGINT) instead. In every other case an earlier result, of other
settings, lies where the new one goes. Then the command runs again, undisturbed.
"""

import argparse
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from unittest.mock import patch

from . import worlds

DEFAULT = 200
MOST = 1000  # see __main__
# What the commands import on the way, which each process is to have at once.
MODULES = [
    *("tests.fuzz.kills", "spanbridge.cli.main", "spanbridge.api", "spanbridge.run.shards"),
    *("rapidfuzz.process", "rapidfuzz.distance", "sentencex", "threadpoolctl"),
    *("spanbridge.run.config", "spanbridge.projection.presets", "spanbridge.projection.corpus"),
    *("spanbridge.steps.raw_text", "spanbridge.steps.translating", "spanbridge.steps.tagging"),
    *("spanbridge.steps.projecting", "spanbridge.steps.aligning", "spanbridge.translation.given"),
    *("spanbridge.tagging.given", "spanbridge.alignment.lexical_aligner", "langcodes"),
    *("spanbridge.alignment.statistical", "spanbridge.tagging.checkpoint_tagger", "ctranslate2"),
    *("ctranslate2.specs", "spanbridge.training.fine_tuning", "spanbridge.training.trainer"),
    *("transformers", "spanbridge.report.page", "scipy.optimize", "scipy.sparse"),
]
# Operations before which a process is killed; the interpreter tells of them.
_OPERATIONS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod")


@dataclass(frozen=True)
class Job:
    """A command that is killed.

    Attributes:
        name: its name in messages.
        line: its arguments.
        earlier: arguments of an earlier run into the same place, if another than ``line``.
        made: what it makes, in a folder of its own.
        timed: files in which only the time may differ.
    """

    name: str
    line: str
    made: Sequence[str]
    earlier: str = ""
    timed: Sequence[str] = field(default=())


_PROJECT = "project --source s.conll --target t.txt -q -o o/o.conll --aligner"
_TRAIN = "train --train train.conll --dev dev.conll --encoder encoder -q --threads 1 -o o/out"
JOBS = [
    Job("project", f"{_PROJECT} lexical --method greedy", ["o.conll"], f"{_PROJECT} statistical"),
    Job("explain", f"{_PROJECT} lexical --method soft --explain o/why.txt", ["o.conll", "why.txt"]),
    Job(
        "fit",
        f"{_PROJECT} statistical --fit o/fit",
        ["o.conll", "fit"],
        f"{_PROJECT} lexical --fit o/fit",
    ),
    Job("apply", f"{_PROJECT[:-10]} --apply fit", ["o.conll"], f"{_PROJECT} lexical"),
    Job(
        "align",
        "align --source s.conll --target t.txt --aligner statistical -q -o o/o.pharaoh",
        ["o.pharaoh"],
        "align --source s.conll --target t.txt --aligner lexical -q -o o/o.pharaoh",
    ),
    Job("tag", "tag --source words.txt --model tagger -q -o o/o.conll", ["o.conll"]),
    Job(
        "translate",
        "translate --source es.txt --from es --to en --translator given --translations t.tsv -q"
        " -o o/o.jsonl",
        ["o.jsonl"],
    ),
    Job("label", "label es.txt --from es --config p.yaml -q -o o/o.jsonl", ["o.jsonl"]),
    Job(
        "make-data",
        "make-data train.conll --from en --to es --translator given --translations en.tsv -q"
        " --shard-rows 10 -o o",
        ["train.jsonl"],
    ),
    Job(
        "train",
        f"{_TRAIN} --epochs 2 --learning-rate 3e-3 --batch-tokens 64",
        ["out/model.safetensors", "out/config.json", "out/tokenizer.json", "out/training.json"],
        timed=["out/training.json"],
    ),
    Job("run", "run p.yaml -q", ["o.jsonl"], "run q.yaml -q"),
    Job("evaluate", "evaluate train.conll train.conll --bootstrap 10", []),
    Job("compare", "compare train.conll train.conll x=train.conll --resamples 10", []),
    Job("view", "view given.jsonl -o o/page.html", ["page.html"]),
]


def _command(line: str, after: int = 0, number: int = signal.SIGKILL) -> None:
    """Run a command in this process, and send it a signal before one of its operations."""
    from spanbridge.__main__ import main

    seen = count(1)

    def watch(event: str, args: tuple[object, ...]) -> None:
        ours = event in _OPERATIONS and "/o/" in f"{os.getcwd()}/{args[0]}/"
        if ours and next(seen) == after:
            os.kill(os.getpid(), number)

    sys.addaudithook(watch)
    with open("said", "ab", buffering=0) as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    sys.argv = ["spanbridge", *line.split()]
    main()


class Runs:
    """Commands in processes of their own, in one folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.out = root, root / "o"
        os.environ["SPANBRIDGE_CACHE"] = str(self.out / "cache")
        self._fresh = multiprocessing.get_context("forkserver")
        self._fresh.set_forkserver_preload(MODULES)
        self.clear()
        worlds.write(root)
        for line in (
            f"{_PROJECT} lexical --method soft -o given.jsonl",
            f"{_PROJECT} lexical --fit fit",
        ):
            assert self.run(line) == 0, self.said()
        self.clear()

    def clear(self) -> None:
        """Begin with an empty folder for results."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()

    def run(self, line: str, after: int = 0, number: int = 0, life: float | None = None) -> int:
        """Exit code of a command, which gets a signal after so many operations, or seconds."""
        (self.root / "said").unlink(missing_ok=True)
        process = self._fresh.Process(target=_command, args=(line, after, number))
        process.start()
        process.join(life)
        if process.exitcode is None:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(process.pid or 0, number)
            process.join()
        return process.exitcode or 0

    def said(self) -> str:
        """What the last command printed."""
        path = self.root / "said"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def made(self, job: Job) -> dict[str, bytes | None]:
        """Content of the files that a job makes; None where there is none."""
        found: dict[str, bytes | None] = {}
        for name in job.made:
            path = self.out / name
            paths = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
            for one in paths:
                key = str(one.relative_to(self.out))
                found[key] = one.read_bytes() if one.is_file() else None
                if name in job.timed and found[key] is not None:
                    found[key] = b"there"
        return found


class Trial:
    """One job, with what it makes undisturbed."""

    def __init__(self, runs: Runs, job: Job) -> None:
        self.runs, self.job, self.n_ended = runs, job, 0
        runs.clear()
        started = time.monotonic()
        assert runs.run(job.line) == 0, (job.name, runs.said())
        self.seconds = time.monotonic() - started
        self.right = runs.made(job)
        self.earlier: dict[str, bytes | None] = {}
        if job.earlier:
            runs.clear()
            assert runs.run(job.earlier) == 0, (job.name, runs.said())
            self.earlier = runs.made(job)

    def kill(self, rng: Random, number: int) -> str | None:
        """Kill it once: what is wrong, or None."""
        runs, job = self.runs, self.job
        runs.clear()
        before = bool(job.earlier) and rng.random() < 0.5
        if before:
            assert runs.run(job.earlier) == 0
        if rng.random() < 0.7:
            moment = rng.randint(1, 60)
            code = runs.run(job.line, moment, number)
            when = f"operation {moment}"
        else:
            life = rng.uniform(0, self.seconds)
            code = runs.run(job.line, 0, number, life)
            when = f"{life:.3f} s"
        where = f"{job.name}, signal {number} at {when}, {'after another' if before else 'alone'}"
        self.n_ended += code != 0
        faults = [*self._said(code, number), *self._whole()]
        if (code := runs.run(job.line)) != 0:
            faults.append(f"the rerun ended with {code}: {runs.said()[-800:]}")
        elif (made := runs.made(job)) != self.right:
            faults.append(f"the rerun made others: {_other(made, self.right)}")
        left = [str(p.relative_to(runs.out)) for p in runs.out.rglob(".*") if p.name != ".claims"]
        faults += [f"left: {left}"] if left else []
        return f"{where}: {'; '.join(faults)}" if faults else None

    def _said(self, code: int, number: int) -> Iterator[str]:
        said = self.runs.said()
        if "Traceback" in said:
            yield f"a traceback: {said[-1500:]}"
        if not said:  # before the command began, or nothing to say
            return
        if number == signal.SIGINT and code not in (0, 130):
            yield f"interrupted with {code}: {said[-500:]}"
        if number == signal.SIGINT and code == 130 and said.count("\n") != 1:
            yield f"interrupted in more lines than one: {said[-500:]}"

    def _whole(self) -> Iterator[str]:
        from spanbridge.core.errors import InputError
        from spanbridge.run.result import read_manifest
        from spanbridge.steps.learning import recipe

        for name, content in self.runs.made(self.job).items():
            known = (None, self.right.get(name), self.earlier.get(name))
            if content not in known and not name.startswith("fit/"):
                yield f"{name} is not whole"
        for path in self.runs.out.glob("*.run.json"):
            try:
                read_manifest(str(path).removesuffix(".run.json"))
            except InputError as error:
                yield str(error)
        if (self.runs.out / "fit" / "parts.json").exists():
            try:
                recipe(self.runs.out / "fit")
            except InputError as error:
                yield str(error)
        config, record = (self.runs.out / "out" / x for x in ("config.json", "training.json"))
        weights = self.runs.out / "out" / "model.safetensors"
        if (config.exists() or record.exists()) and not weights.exists():
            yield "a tagger without weights"


def _other(made: dict[str, bytes | None], right: dict[str, bytes | None]) -> str:
    return ", ".join(sorted(n for n in {*made, *right} if made.get(n) != right.get(n)))


def kills(count: int, seed: int, jobs: Sequence[Job] = JOBS) -> Iterator[str]:
    """What is wrong in so many cases."""
    here = Path.cwd()
    with patch.dict(os.environ), tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            runs = Runs(Path(folder))
            trials = [Trial(runs, job) for job in jobs]
            for n in range(count):
                number = signal.SIGINT if n % 3 == 2 else signal.SIGKILL
                wrong = trials[n % len(trials)].kill(Random(f"{seed}/{n}"), number)
                if wrong is not None:
                    yield f"FAULT case {n}: {wrong}"
            yield f"{sum(trial.n_ended for trial in trials)} ended before their end"
        finally:
            os.chdir(here)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the harness; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.kills")
    parser.add_argument("--count", type=int, default=DEFAULT, help="number of kills")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="name of the one command that is killed")
    given = parser.parse_args(argv)
    jobs = [job for job in JOBS if given.only in (None, job.name)]
    n_faults = 0
    for what in kills(given.count, given.seed, jobs):
        n_faults += what.startswith("FAULT")
        print(what, flush=True)
    print(f"kills: {given.count} kills, {n_faults} faults")
    return int(n_faults > 0)


if __name__ == "__main__":
    sys.exit(main())
