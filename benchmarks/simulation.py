"""A run over very many shards: what its bookkeeping costs, and what grows faster than they do.

Prints: for numbers of shards, CPU seconds and the peak of memory of each part of a run whose shards
    have one row and whose steps do nothing; then, for numbers of workers that take these shards at
    once on a clock that is only counted, how often each looks and asks in vain; then what follows
    from these figures for a billion rows.
Takes: three minutes up to 10,000 shards, twenty up to 100,000 and 3.5 GB of disk.
Data: none.
"""

from __future__ import annotations

import heapq
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from benchmarks.apart import Apart
from benchmarks.runner import Idle, rows
from spanbridge import SentencePair
from spanbridge.core.claims import FileClaims
from spanbridge.core.progress import Progress, Task, silent
from spanbridge.core.records import read_record
from spanbridge.formats import write_pairs
from spanbridge.run.config import make_pipeline
from spanbridge.run.job import Job
from spanbridge.run.manifest import Manifest
from spanbridge.run.shard_store import Shards, StepFacts
from spanbridge.run.shards import run

T = TypeVar("T")
SHARDS = (1_000, 10_000, 100_000)
WORKERS = (10, 100, 1000)
# Shards that are learned from, as many as a sample of blocks lies in if shards are large.
SAMPLE = 20
CLAIMS = 2000


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

    def go() -> dict[str, float]:
        clock = Clock()
        run(job(folder), clock)
        clock.note("end")
        return clock.parts

    return go


def start(folder: Path) -> Callable[[], dict[str, float]]:
    """A run until it has made its first row; seconds."""

    def go() -> dict[str, float]:
        clock = Clock(until_first=True)
        try:
            run(job(folder), clock)
        except _StopError:
            pass
        return {"start": time.process_time() - clock.began}

    return go


def parts(folder: Path) -> Callable[[], dict[str, float]]:
    """Single parts over shards that are all there; seconds."""

    def go() -> dict[str, float]:
        work = folder / "out.jsonl.work"
        record = read_record(next((work / "0-read").glob("input-*.json")), "")
        facts = tuple(map(StepFacts.of, job(folder).open_steps()))
        clock = Clock()
        shards = Shards(work, facts, Manifest.of(record), SAMPLE, "")
        for s in range(1, shards.last + 1):
            for k in range(shards.n):
                shards.key(s, k)
        clock.note("keys")
        assert not shards.n_left()
        clock.note("look")
        shards.report([0] * (len(facts) + 1), [0.0] * (len(facts) + 1))
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
    """Seconds and peak memory in MB of every part, over so many shards."""
    found: dict[str, tuple[float, float]] = {}

    def time_of(prepare: Callable[[Path], Callable[[], dict[str, float]]], *names: str) -> None:
        apart = Apart(prepare, folder)
        took = apart.run()
        for name, key in zip(names[::2], names[1::2], strict=True):
            found[name] = sum(took.get(one, 0.0) for one in key.split("+")), apart.peak

    with TemporaryDirectory() as name:
        folder = Path(name)
        write_pairs(folder / "in.jsonl", rows(n))
        os.utime(folder / "in.jsonl", (10**9, 10**9))  # else it could have changed since
        time_of(
            whole,
            *("read and cut the input", "read", "plan: keys, what is there", "plan"),
            *("make three steps", "first+make", "report, end of the output", "end"),
        )
        time_of(parts, "keys", "keys", "one look: what is missing", "look", "report", "report")
        time_of(parts, f"{CLAIMS} claims", "claims")
        time_of(whole, "start, all is done", "read+plan+first+make+end")
        work = folder / "out.jsonl.work"
        for path in work.glob("3-idle/*[13579]-*.json"):
            path.unlink()
        time_of(start, "start, half is done", "start")
        for path in work.glob("[123]-*"):
            shutil.rmtree(path)
        time_of(start, "start, nothing is done", "start")
    return found


def main(shards: Sequence[int] = SHARDS) -> None:
    """Print the tables."""
    found = {n: figures(n) for n in shards}
    print(f"{'':<28}" + "".join(f"{f'{n:,} shards: CPU s':>24}{'MB':>6}" for n in shards))
    for name in found[shards[0]]:
        cells = (f"{found[n][name][0]:>24.2f}{found[n][name][1]:>6.0f}" for n in shards)
        print(f"{name:<28}" + "".join(cells), flush=True)
