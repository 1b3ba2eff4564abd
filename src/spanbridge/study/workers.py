"""Doing the tasks of a study: by this process, by several, and by machines that share the folder.

Whoever does a task holds a claim on it (:mod:`spanbridge.core.temporary`), which ends with the
process. A task begins once those that it needs are done; if one of them has failed, so has it. All
is told by the records on disk, so a process that is killed leaves nothing but its unfinished task.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.kept import keeping
from spanbridge.core.machine import available_cores
from spanbridge.core.plugins import plugin_at_fault
from spanbridge.core.temporary import BusyError, claimed
from spanbridge.study.plan import Plan
from spanbridge.study.tasks import Task

# Taggers and translators whose models stay loaded from one cell to the next.
_KEPT_PARTS = 4
# Seconds between two looks for a task that has become ready: at first, and at most.
_SOON, _LATE = 0.02, 0.5


def do_tasks(plan: Plan, part: tuple[int, int], session: str, workers: int = 1) -> Iterator[Task]:
    """Do what is still to be done for the cells of a part; yields the tasks as they are settled.

    Args:
        plan: the plan.
        part: (i, n), as in a run.
        session: name of this session.
        workers: number of processes.
    """
    if workers == 1:
        yield from _work(plan, part, session)
        return
    context = get_context("spawn")
    given = (plan, part, session, workers)
    processes = [context.Process(target=_worker, args=(*given, n)) for n in range(workers)]
    for process in processes:
        process.start()
    try:
        left = plan.needed(plan.of_part(part), session)
        while any(process.is_alive() for process in processes):
            wait([process.sentinel for process in processes], timeout=_LATE)
            settled = [task for task in left if task.state(session) != "open"]
            yield from settled
            left = [task for task in left if task not in settled]
    finally:
        for process in processes:
            process.terminate()
            process.join()
    yield from (task for task in left if task.state(session) != "open")


def _worker(plan: Plan, part: tuple[int, int], session: str, workers: int, number: int) -> None:
    """Work in a process of its own, which ends with the one that started it."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _take_cores(workers, number)
    for _ in _work(plan, part, session):
        pass


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _take_cores(workers: int, number: int) -> None:
    """Keep to a share of the cores, so that parts do not start as many threads in each process."""
    if hasattr(os, "sched_setaffinity") and available_cores() > 1:
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[number % len(cores) :: workers])


def _work(plan: Plan, part: tuple[int, int], session: str) -> Iterator[Task]:
    """Do tasks until all are settled, by this process or by others."""
    left = plan.needed(plan.of_part(part), session)
    known: dict[str, str] = {}  # names of tasks -> done or failed
    seconds = _SOON
    with keeping(_KEPT_PARTS):
        while left:
            rest = []
            for task in left:
                state = _attempt(plan, task, session, known)
                if state == "open":
                    rest.append(task)
                else:
                    known[task.name] = state
                    yield task
            if len(rest) == len(left):  # others are at work on what is next
                time.sleep(seconds)
                seconds = min(2 * seconds, _LATE)
            else:
                seconds = _SOON
            left = rest


def _attempt(plan: Plan, task: Task, session: str, known: dict[str, str]) -> str:
    """Do a task if it is ready and nobody else is at it; its state after that."""
    if (state := task.state(session)) != "open":
        return state
    before = {name: known.get(name) or plan.tasks[name].state(session) for name in task.needs}
    failed = [name for name, state in before.items() if state == "failed"]
    if "open" in before.values() and not failed:
        return "open"
    lock = task.record_path
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with claimed(lock):
            if (state := task.state(session)) == "open":
                _do(plan, task, session, failed)
    except BusyError:
        return "open"
    return task.state(session)


def _do(plan: Plan, task: Task, session: str, failed: Sequence[str]) -> None:
    if failed:
        record = plan.tasks[failed[0]].record() or {}
        task.fail(str(record.get("failed", f"{failed[0]} failed")), session)
        return
    try:
        task.run(session)
    except Exception as error:  # noqa: BLE001  # whatever it is, the other cells go on
        task.fail(reason_of(error), session)


def reason_of(error: Exception) -> str:
    """Why a task failed, in one line."""
    if isinstance(error, SpanbridgeError):
        return str(error)
    if (at_fault := plugin_at_fault(error)) is not None:
        return at_fault
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return f"{type(error).__name__}: {error} ({where})"
