"""Doing the tasks of a study: by this process, by several, and by machines that share the folder.

Whoever does a task holds a claim on it (:mod:`spanbridge.core.claims`). A task begins once those
that it needs are done; if one of them has failed, so has it. All is told by the records on disk, so
a process that is killed leaves nothing but its unfinished task.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait
from pathlib import Path

from spanbridge.core import processes
from spanbridge.core.claims import Claims, FileClaims, holding
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.kept import keeping
from spanbridge.core.plugins import plugin_at_fault
from spanbridge.study.plan import Plan
from spanbridge.study.tasks import Task

# Taggers and translators whose models stay loaded from one cell to the next.
_KEPT_PARTS = 4
# Seconds between two looks for a task that has become ready: at first, and at most.
_SOON, _LATE = 0.02, 0.5


def claims_of(plan: Plan) -> FileClaims:
    """Claims of a study's tasks."""
    return FileClaims(plan.folder.path / "state" / ".claims")


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
    given = (plan, part, session)
    running = [processes.start(_do_all, given, n, workers) for n in range(workers)]
    try:
        left = plan.needed(plan.of_part(part), session)
        while any(process.is_alive() for process in running):
            wait([process.sentinel for process in running], timeout=_LATE)
            settled = [task for task in left if task.state(session) != "open"]
            yield from settled
            left = [task for task in left if task not in settled]
    finally:
        for process in running:
            processes.end(process)
    yield from (task for task in left if task.state(session) != "open")


def _do_all(plan: Plan, part: tuple[int, int], session: str) -> None:
    try:
        for _ in _work(plan, part, session):
            pass
    except SpanbridgeError as error:  # such as a full disk, on which no failure can be noted
        sys.exit(str(error))  # a line on standard error


def _work(plan: Plan, part: tuple[int, int], session: str) -> Iterator[Task]:
    """Do tasks until all are settled, by this process or by others."""
    left = plan.needed(plan.of_part(part), session)
    known: dict[str, str] = {}  # names of tasks -> done or failed
    seconds, claims = _SOON, claims_of(plan)
    with keeping(_KEPT_PARTS):
        while left:
            rest = []
            for task in left:
                state = _attempt(plan, task, session, known, claims)
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


def _attempt(plan: Plan, task: Task, session: str, known: dict[str, str], claims: Claims) -> str:
    """Do a task if it is ready and nobody else is at it; its state after that."""
    if (state := task.state(session)) != "open":
        return state
    before = {name: known.get(name) or plan.tasks[name].state(session) for name in task.needs}
    failed = [name for name, state in before.items() if state == "failed"]
    if "open" in before.values() and not failed:
        return "open"
    with holding(claims, task.name) as mine:
        if not mine:
            return "open"
        if (state := task.state(session)) == "open":
            _do(plan, task, session, failed)
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
