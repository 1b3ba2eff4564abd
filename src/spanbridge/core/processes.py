"""Worker processes: each with its share of the cores, none outlives the one that started it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import (
    forkserver,
    get_all_start_methods,
    get_context,
    parent_process,
    resource_tracker,
)
from multiprocessing.connection import wait
from multiprocessing.context import (
    ForkServerContext,
    ForkServerProcess,
    SpawnContext,
    SpawnProcess,
)
from typing import Any

from spanbridge.core.machine import available_cores

Worker = SpawnProcess | ForkServerProcess

# What workers need in any case.
_MODULES = ["__main__", "spanbridge.run.engines", "spanbridge.run.config"]


def start(work: Callable[..., None], arguments: tuple[Any, ...], n: int, of: int) -> Worker:
    """Start the n-th of so many workers, counted from 0.

    Args:
        work: function of a module, which is imported anew in the process.
        arguments: its arguments, which are pickled.
    """
    process = _context().Process(target=_work, args=(work, arguments, n, of))
    process.start()
    return process


def _context() -> SpawnContext | ForkServerContext:
    """How processes are started: as copies of one that has done nothing but import modules.

    It is started once, by the first of them, and ends with this process.
    """
    if "forkserver" not in get_all_start_methods():  # Windows
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(_MODULES)
    resource_tracker.ensure_running()  # which blocks and unblocks the signal by itself
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        forkserver.ensure_running()  # Ctrl-C is not to meet it while it imports
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context


def end(process: Worker) -> None:
    """End a worker, and wait until it has ended."""
    process.kill()  # what it leaves unfinished is as after any other death
    process.join()


def _work(work: Callable[..., None], arguments: tuple[Any, ...], n: int, of: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, and so this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _take_cores(n, of)
    work(*arguments)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _take_cores(n: int, of: int) -> None:
    """Keep to a share of the cores, so that parts do not start as many threads in each process."""
    if hasattr(os, "sched_setaffinity") and available_cores() > 1:
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[n % len(cores) :: of])
