"""Studies from end to end: read, checked, run and reported."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError
from spanbridge.core.files import alone, reason
from spanbridge.core.progress import Progress, Task, silent
from spanbridge.core.temporary import sweep
from spanbridge.formats.base import Counts
from spanbridge.study.check import Checked, check_plan
from spanbridge.study.inputs import without_gold
from spanbridge.study.plan import Plan, make_plan
from spanbridge.study.report import write_report
from spanbridge.study.results import (
    RESULTS,
    Result,
    check_own,
    counted,
    gather,
    write_results,
    write_times,
)
from spanbridge.study.study_file import read_study
from spanbridge.study.tasks import DataTask, write_rows
from spanbridge.study.workers import claims_of, do_tasks


@dataclass(frozen=True)
class Outcome:
    """What came of a study.

    Attributes:
        folder: folder of the results.
        results: of all cells, in the order of the study.
        files: what was written, the report first.
    """

    folder: Path
    results: Sequence[Result]
    files: Sequence[Path]

    @property
    def sound(self) -> bool:
        """True if no cell has failed."""
        return all(result.status != "failed" for result in self.results)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "folder": str(self.folder),
            "files": [str(path) for path in self.files],
            "cells": [result.to_dict() for result in self.results],
        }

    def text(self) -> str:
        """Summary in plain text."""
        lines = [counted(self.results)]
        failed = [one for one in self.results if one.status == "failed"]
        lines += [f"failed: {one.cell.name}: {one.why}" for one in failed[:10]]
        if len(failed) > 10:
            lines.append(f"and {len(failed) - 10} more, in {self.folder / RESULTS}")
        return "\n".join([*lines, *(f"written to {path}" for path in self.files)])


def check_study(
    path: str, output: str | None = None, *, estimate: int = 0, progress: Progress = silent
) -> Checked:
    """Check all of a study that can be checked before it runs; see :func:`check_plan`.

    Args:
        path, output: as in :func:`run_study`.
        estimate: rows of each text on which all steps are tried to see how long they take; 0 for no
            estimate.
        progress: shows how far it is.

    Raises:
        InputError: the file cannot be read, or has a wrong setting. All else is in the result.
    """
    return check_plan(make_plan(read_study(path, output)), estimate=estimate, progress=progress)


def run_study(
    path: str,
    output: str | None = None,
    *,
    workers: int = 1,
    part: tuple[int, int] = (1, 1),
    progress: Progress = silent,
) -> Outcome:
    """Run or resume a study, and write its results and report.

    Nothing is checked before but the settings; see :func:`check_study`.

    Args:
        path: the study file.
        output: folder of the results, in place of the file's.
        workers: number of processes.
        part: (i, n): only the texts i, i + n, ... counted from 1, for the i-th of n machines.
        progress: shows how far it is.

    Raises:
        InputError: the study is wrong, or a folder cannot be written to, or holds another study's
            results.
    """
    return run_plan(make_plan(read_study(path, output)), workers, part, progress)


def write_study_inputs(path: str, folder: str, progress: Progress = silent) -> list[Path]:
    """Write the texts of a study as the systems get them, for systems that are run elsewhere.

    Args:
        path: the study file.
        folder: a file of JSON lines is written there for each text, named as in the results.
        progress: shows how far it is.

    Raises:
        SpanbridgeError: the study is wrong, or data is missing.
    """
    plan = make_plan(read_study(path))
    texts = [task for task in plan.tasks.values() if isinstance(task, DataTask)]
    written = []
    _make(Path(folder))
    for task in progress(texts, Task("texts", len(texts), unit="texts")):
        rows, _ = task.text(Counts())
        written.append(Path(folder) / f"{task.title}.jsonl")
        # other keys of the rows may tell what is in the gold
        write_rows(written[-1], (without_gold(row)._replace(extra={}) for row in rows))
    return written


def to_check(plan: Plan, part: tuple[int, int]) -> bool:
    """Check if any cell of a part is still to be done, so that the study is to be checked."""
    return bool(plan.needed(plan.of_part(part), ""))


def run_plan(
    plan: Plan, workers: int = 1, part: tuple[int, int] = (1, 1), progress: Progress = silent
) -> Outcome:
    """Run or resume what has been planned."""
    folder = plan.folder.path
    _make(folder)
    check_own(plan, folder / RESULTS)
    sweep(folder, deep=True)
    claims_of(plan).clear()
    session = secrets.token_hex(8)
    wanted = {task.name for task in plan.needed(plan.of_part(part), session)}
    cells = [plan.task_of(cell).name for cell in plan.of_part(part)]
    n_open = sum(name in wanted for name in cells)

    def settled() -> Iterator[str]:
        for task in do_tasks(plan, part, session, workers):
            if task.name.startswith("cell/"):
                yield task.name

    for _ in progress(settled(), Task("study", n_open, unit="cells")):
        pass
    return report_plan(plan)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise InputError(folder, None, f"cannot be made ({reason(error)})") from error


def report_plan(plan: Plan) -> Outcome:
    """Write the results that there are, and their report."""
    folder = plan.folder.path
    path = folder / RESULTS
    with alone(path, wait=True):  # other parts may have come to their end, too
        results = gather(plan)
        write_results(path, results)
        write_times(plan, folder / "timings.jsonl")
        files = write_report(plan, results)
    return Outcome(folder, results, (*files, path))
