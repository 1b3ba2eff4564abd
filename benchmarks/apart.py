"""Processes of their own, so that their memory shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

_here: dict[str, Any] = {}  # of a process apart


class Apart:
    """A process of its own.

    Args:
        prepare: gives, for ``args``, the function to be timed.

    Attributes:
        seconds, results: of each run.
        peak: resident memory at its highest, in MB.
        growth: that, less what there was before ``prepare``.
    """

    def __init__(self, prepare: Callable[..., Callable[..., Any]], *args: Any) -> None:
        self.seconds: list[float] = []
        self.results: list[Any] = []
        self.peak = self.growth = 0.0
        self._pool = ProcessPoolExecutor(
            1, get_context("spawn"), initializer=_enter, initargs=(prepare, args)
        )

    def run(self, *args: Any) -> Any:
        """The result of one more run."""
        seconds, result, self.peak, self.growth = self._pool.submit(_run, *args).result()
        self.seconds.append(seconds)
        self.results.append(result)
        return result

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown()


def _enter(prepare: Callable[..., Callable[..., Any]], args: tuple[Any, ...]) -> None:
    threadpool_limits(1, user_api="blas")  # as the program's own runs have it
    _here["before"] = _memory("VmRSS")
    _here["function"] = prepare(*args)


def _run(*args: Any) -> tuple[float, Any, float, float]:
    start = time.perf_counter()
    result = _here["function"](*args)
    seconds = time.perf_counter() - start
    peak = _memory("VmHWM")
    return seconds, result, peak, peak - _here["before"]


def _memory(name: str) -> float:
    """Resident memory of this process in MB: now (``VmRSS``), or at its peak (``VmHWM``).

    From Linux's /proc: the peak that ``getrusage`` gives can be that of the process before it.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))
