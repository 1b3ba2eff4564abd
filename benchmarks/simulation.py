"""A run over very many shards: what its bookkeeping costs, and what grows faster than they do.

Prints: for numbers of shards, CPU seconds and the peak of memory of each part of a run whose shards
    have one row and whose steps do nothing, and how much more ten times the shards cost; then, for
    numbers of workers on a clock that is only counted, how often each shard is looked at, and asked
    for in vain; then what all this comes to for a billion rows, by the rates of shards of 10,000.
Takes: two minutes of CPU time up to 10,000 shards, fifteen up to 100,000 and 3.5 GB of disk.
Data: none.
"""

from __future__ import annotations

import heapq
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

from benchmarks.apart import Apart
from benchmarks.runner import Idle, rows
from spanbridge.core.claims import FileClaims
from spanbridge.core.progress import Progress, Task
from spanbridge.core.records import read_record
from spanbridge.formats import write_pairs
from spanbridge.run.config import make_pipeline
from spanbridge.run.job import Job
from spanbridge.run.manifest import POLL, Manifest
from spanbridge.run.shard_store import Shards, StepFacts
from spanbridge.run.shards import run
from spanbridge.run.turns import Turns

T = TypeVar("T")
SHARDS = (1_000, 10_000, 100_000)
WORKERS = (10, 100, 1000)
STEPS = 3
# Shards that are learned from, as many as a sample of blocks lies in if shards are large.
SAMPLE = 20
CLAIMS = 2000
# Rows of a shard for a billion rows.
LARGE = 10_000
# Seconds of the counted clock: to make a shard, and to ask for one in vain.
SECONDS, VAIN = 20.0, 0.01
PARTS = {
    "read": "read the input, write its shards",
    "plan": "keys, and what is there: nothing",
    "make": "make three steps",
    "end": "report, end of the output",
    "keys": "keys alone",
    "look": "one look for what is missing",
    "report": "report alone",
    "claims": f"{CLAIMS:,} claims, one after the other",
    "none_done": "start to the first row, nothing done",
    "half_done": "start to the first row, half done",
    "all_done": "start to end, all done",
}


class Learner(Idle):
    """Learns nothing from a sample, and does nothing."""

    name = "learner"

    @property
    def learns(self) -> bool:
        """It does."""
        return True


class _StopError(Exception):
    """What was to be timed is over."""


class Clock(Progress):
    """Notes when the parts of a run begin and end."""

    def __init__(self, until_first: bool = False) -> None:
        self.began = self._last = time.process_time()
        self.parts: dict[str, float] = {}
        self._until_first = until_first

    @classmethod
    def of(cls, job: Job) -> dict[str, float]:
        """Seconds of the parts of a run."""
        clock = cls()
        run(job, clock)
        clock.note("end")
        return clock.parts

    def note(self, name: str) -> None:
        """Say that a part is over."""
        now = time.process_time()
        self.parts[name], self._last = now - self._last, now

    def __call__(self, items: Iterable[T], task: Task, /) -> Iterator[T]:
        """Pass on the items."""
        if task.doing == "read":
            yield from items
            self.note("read")
            return
        self.note("plan")
        for n, item in enumerate(items):
            if not n:
                self.note("first")
                if self._until_first:
                    raise _StopError
            yield item
        self.note("make")


def job(folder: Path) -> Job:
    """The job of a folder."""
    settings = {
        "input": str(folder / "in.jsonl"),
        "side": "source",
        "output": str(folder / "out.jsonl"),
        "shard_rows": 1,
        "fit_rows": SAMPLE,
        "steps": [Idle(number=1), Learner(number=2), Idle(number=3)],
    }
    return make_pipeline(settings).job()


def whole(folder: Path) -> Callable[[], dict[str, float]]:
    """A run from its start to its end; seconds of its parts."""
    return lambda: Clock.of(job(folder))


def start(folder: Path) -> Callable[[], dict[str, float]]:
    """A run until it has made its first row; seconds."""

    def go() -> dict[str, float]:
        clock = Clock(until_first=True)
        with suppress(_StopError):
            run(job(folder), clock)
        return {"start": time.process_time() - clock.began}

    return go


def known(folder: Path) -> Shards:
    """The shards of a folder's run, as a process knows them that has looked at none."""
    work = folder / "out.jsonl.work"
    record = read_record(next((work / "0-read").glob("input-*.json")), "")
    facts = tuple(map(StepFacts.of, job(folder).open_steps()))
    return Shards(work, facts, Manifest.of(record), SAMPLE, "")


def single(folder: Path) -> Callable[[], dict[str, float]]:
    """Single parts over shards that are all there; seconds."""

    def go() -> dict[str, float]:
        shards, clock = known(folder), Clock()
        for s in range(1, shards.last + 1):
            for k in range(shards.n):
                shards.key(s, k)
        clock.note("keys")
        assert not shards.n_left()
        clock.note("look")
        shards.report([0] * (STEPS + 1), [0.0] * (STEPS + 1))
        clock.note("report")
        claims = FileClaims(folder / "claims")
        for n in range(CLAIMS):
            lease = claims.take(f"{n}")
            assert lease is not None
            lease.release()
        clock.note("claims")
        return clock.parts

    return go


def figures(n: int) -> dict[str, tuple[float, float]]:
    """CPU seconds and peak memory in MB of every part, over so many shards."""
    found: dict[str, tuple[float, float]] = {}

    def time_of(prepare: Callable[[Path], Callable[[], dict[str, float]]], **names: str) -> None:
        apart = Apart(prepare, folder)
        took = apart.run()
        for name, keys in names.items():
            found[name] = sum(took.get(key, 0.0) for key in keys.split("+")), apart.peak

    with TemporaryDirectory() as name:
        folder = written(Path(name), n)
        time_of(whole, read="read", plan="plan", make="first+make", end="end")
        time_of(single, keys="keys", look="look", report="report", claims="claims")
        time_of(whole, all_done="read+plan+first+make+end")
        work = folder / "out.jsonl.work"
        for path in work.glob("3-idle/*[13579]-*.json"):
            path.unlink()
        time_of(start, half_done="start")
        for path in work.glob("[123]-*"):
            shutil.rmtree(path)
        time_of(start, none_done="start")
    return found


def written(folder: Path, n_rows: int) -> Path:
    """The folder, with an input that was written long ago, so that its times tell of it."""
    write_pairs(folder / "in.jsonl", rows(n_rows))
    os.utime(folder / "in.jsonl", (10**9, 10**9))
    return folder


class Worker:
    """One of many that take shards, on a clock that is only counted.

    Args:
        n: number of shards.
        done: those that are made.
    """

    def __init__(self, n: int, done: bytearray, number: int) -> None:
        self.looks, self._done, self._known = 0, done, bytearray(n)
        self.turns = Turns((), n, self.is_done, Random(number))
        self.tries = iter(self.turns)

    def is_done(self, k: int) -> bool:
        """Look at a shard, unless it was seen to be there before."""
        if not self._known[k]:
            self.looks += 1
            self._known[k] = self._done[k]
        return bool(self._known[k])


def turns(n_workers: int) -> tuple[int, float, float, float, int]:
    """What so many workers do to make ten shards each, of which some take longer than others.

    Returns:
        Number of shards; looks and claims in vain, per shard; share of their time in which workers
        work; shards made, at most, after the first that was not.
    """
    n, random = max(2000, 10 * n_workers), Random(1)
    done, held = bytearray(n), bytearray(n)
    workers = [Worker(n, done, number) for number in range(n_workers)]
    events: list[tuple[float, int, int | None]] = [
        (0.0, number, None) for number in range(n_workers)
    ]
    in_vain = n_made = first = behind = 0
    worked = now = 0.0
    while n_made < n:
        now, number, made = heapq.heappop(events)
        if made is not None:
            done[made], n_made = 1, n_made + 1
            while first < n and done[first]:
                first += 1
            behind = max(behind, n_made - first)
        worker = workers[number]
        k = next(worker.tries, None)
        if k is None:  # nothing is free
            heapq.heappush(events, (now + POLL, number, None))
        elif held[k]:
            in_vain += 1
            heapq.heappush(events, (now + VAIN, number, None))
        else:
            held[k] = 1
            worker.turns.taken()
            seconds = random.uniform(0.5, 1.5) * SECONDS
            worked += seconds
            heapq.heappush(events, (now + seconds, number, k))
    looks = sum(worker.looks for worker in workers)
    return n, looks / n, in_vain / n, worked / now / n_workers, behind


def rates(folder: Path, n_rows: int) -> dict[str, float]:
    """CPU microseconds per row of large shards, and per row and step."""
    large = replace(job(written(folder, n_rows)), shard_rows=LARGE)
    parts = Clock.of(large)
    shards, clock = known(folder), Clock()
    shards.check()
    clock.note("check")
    last = (pair for k in range(shards.n) for pair in shards.read(shards.last, k))
    write_pairs(folder / "again.jsonl", last)
    clock.note("write")
    each = 1e6 / n_rows
    return {
        "read": each * parts["read"],
        "step": max(each * (parts["make"] - clock.parts["write"]) / STEPS, 0.0),
        "check": each * clock.parts["check"] / STEPS,
        "write": each * clock.parts["write"],
    }


def billion(each: dict[str, float], found: dict[str, tuple[float, float]], n: int) -> None:
    """Print what a run of a billion rows and six steps comes to.

    Args:
        each: the :func:`rates`.
        found: the :func:`figures` of so many shards.
    """
    n_rows, n_steps = 10**9, 6
    n_shards = n_rows // LARGE
    hours = n_rows / 1e6 / 3600
    own = (found["make"][0] / STEPS) / n * n_shards * n_steps
    records = found["report"][0] / (STEPS + 1) / n * n_shards * (n_steps + 1)
    print(f"\n{n_rows:,} rows, {n_shards:,} shards of {LARGE:,}, {n_steps} steps that do nothing:")
    for what, value, unit in (
        ("read and cut the input, by one process, first", hours * each["read"], "h"),
        ("pass all steps, by all workers", hours * each["step"] * n_steps, "CPU h"),
        ("  of which for shards, however small", own / 3600, "CPU h"),
        ("check the bytes of all steps, on each machine", hours * each["check"] * n_steps, "h"),
        ("write the output, by one process", hours * each["write"], "h"),
        ("read all records at the end", records / 60, "min"),
        ("cores at 10 ms a row that one writer keeps up with", 1e4 / each["write"], ""),
    ):
        print(f"{what:<52}{value:>10,.2f} {unit}".rstrip(), flush=True)


def main(shards: Sequence[int] = SHARDS, workers: Sequence[int] = WORKERS) -> None:
    """Print the tables."""
    found: dict[int, dict[str, tuple[float, float]]] = {}
    for n in shards:
        found[n] = figures(n)
    print(f"{'':<40}" + "".join(f"{f'{n:,} shards: s':>20}{'MB':>6}" for n in shards) + f"{'x':>8}")
    for key, name in PARTS.items():
        cells = "".join(f"{found[n][key][0]:>20.2f}{found[n][key][1]:>6.0f}" for n in shards)
        before, last = (found[n][key][0] for n in (*shards[-2:], shards[-1])[:2])
        print(f"{name:<40}{cells}{last / before:>8.1f}")
    names = ("workers", "shards", "looks", "in vain", "at work", "ahead")
    print("\n" + "".join(f"{name:>10}" for name in names))
    for n_workers in workers:
        n, looks, in_vain, at_work, behind = turns(n_workers)
        print(f"{n_workers:>10}{n:>10,}{looks:>10.1f}{in_vain:>10.2f}{at_work:>10.3f}{behind:>10,}")
    with TemporaryDirectory() as name:
        billion(rates(Path(name), 2 * LARGE), found[shards[-1]], shards[-1])
