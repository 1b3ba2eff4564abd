"""The loop of the fuzzers: numbered cases, and what may not happen in any of them.

A case is a target with a mutated input. Nothing but the errors of ``spanbridge.core.errors`` may
come out of it, within five seconds and a bound of memory. Its number and the seed give the same
case again; a case of which the process dies is told by ``__main__``.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType

from spanbridge.core.errors import SpanbridgeError

from .mutations import mutated

SECONDS = 5.0
MEGABYTES = 1000
_ENOUGH = 25  # different faults, after which a fuzzer stops


@dataclass(frozen=True)
class Target:
    """Something that reads.

    Attributes:
        name: its name in messages.
        file: name of the file whose content is mutated.
        seeds: valid contents.
        check: reads the file; gets its path and the case's generator.
        mutate: another way to mutate than :func:`mutated`.
    """

    name: str
    file: str
    seeds: Sequence[bytes]
    check: Callable[[Path, Random], object]
    mutate: Callable[[bytes, Random, list[bytes]], bytes] = mutated


class HangError(BaseException):
    """A case takes too long."""


class Case:
    """One numbered case."""

    def __init__(self, targets: Sequence[Target], seed: int, number: int) -> None:
        self.rng = Random(f"{seed}/{number}")
        self.target = targets[number % len(targets)]
        self.seed, self.number = seed, number
        seeds = list(self.target.seeds)
        self.data = self.target.mutate(self.rng.choice(seeds), self.rng, seeds)

    def run(self, folder: Path) -> str | None:
        """What is wrong, or None."""
        path = folder / self.target.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.data)
        try:
            with _alarm():
                self.target.check(path, self.rng)
        except SpanbridgeError as error:
            return None if str(error).strip() else "an error without a message"
        except BaseException as error:  # so are the panics of libraries in Rust
            if isinstance(error, KeyboardInterrupt):
                raise
            return traceback.format_exc()
        return None


@contextmanager
def _alarm() -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> None:
        raise HangError(f"more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    faulthandler.dump_traceback_later(4 * SECONDS, exit=True)  # if it hangs outside of Python
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def bounded_memory(megabytes: int = MEGABYTES) -> Iterator[None]:
    """Let allocations fail beyond a bound above what the process has now."""
    limits = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + (megabytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


def faults(
    make: Callable[[Path], Sequence[Target]], numbers: Sequence[int], seed: int
) -> Iterator[tuple[Case, str]]:
    """The cases in which something is wrong, each kind once, and what it is."""
    seen = set()
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        targets = make(Path(folder))
        _read_seeds(targets, Path(folder))
        with bounded_memory():
            for number in numbers:
                case = Case(targets, seed, number)
                _announce(case)
                why = case.run(Path(folder))
                if why is not None and (kind := _kind(why)) not in seen:
                    seen.add(kind)
                    yield case, why
                    if len(seen) == _ENOUGH:
                        return


def _read_seeds(targets: Sequence[Target], folder: Path) -> None:
    """Read the seeds of each target; one that refuses all of them would find nothing."""
    for target in targets:
        path = folder / target.file
        path.parent.mkdir(parents=True, exist_ok=True)
        refused = None
        for seed in target.seeds:
            path.write_bytes(seed)
            try:
                target.check(path, Random(0))
                break
            except SpanbridgeError as error:
                refused = error
        else:
            raise ValueError(f"{target.name} reads none of its seeds") from refused


def _kind(why: str) -> str:
    """The lines of a traceback that tell one fault from another."""
    places = [line for line in why.splitlines() if line.lstrip().startswith("File ")]
    return "\n".join([*places[-2:], why.splitlines()[-1][:40]])


def _announce(case: Case | None) -> None:
    """Keep the case's number where it is found if the process dies; nothing at the end."""
    if (place := os.environ.get("FUZZ_CASE")) is not None:
        Path(place).write_text(case and f"--seed {case.seed} --only {case.number}" or "")


def main(
    name: str, make: Callable[[Path], Sequence[Target]], default: int, argv: Sequence[str]
) -> int:
    """Run a fuzzer as a command; returns the exit code.

    Args:
        name: name of its module.
        make: function that makes its targets, given an empty folder.
        default: number of cases.
        argv: arguments of the command.
    """
    parser = argparse.ArgumentParser(prog=f"python -m tests.fuzz.{name}")
    parser.add_argument("--count", type=int, default=default, help="number of cases")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="this case alone")
    parser.add_argument("--keep", type=Path, help="with --only: where its input is written")
    given = parser.parse_args(argv)
    numbers = range(given.count) if given.only is None else [given.only]
    n_faults = 0
    for case, why in faults(make, numbers, given.seed):
        n_faults += 1
        if given.keep:
            given.keep.write_bytes(case.data)
        print(f"\n{name}: {case.target.name}, input {case.data[:300]!r}\n{why}")
        print(f"again: python -m tests.fuzz.{name} --seed {case.seed} --only {case.number}")
        sys.stdout.flush()
    _announce(None)
    print(f"{name}: {len(numbers)} cases, {n_faults} faults")
    return int(n_faults > 0)
