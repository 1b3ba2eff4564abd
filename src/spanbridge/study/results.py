"""Results of a study: what is known of each cell, and the files that say it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from spanbridge.core.errors import InputError
from spanbridge.core.files import atomic_output
from spanbridge.study.cells import Cell
from spanbridge.study.plan import Plan

RESULTS = "results.jsonl"
Integers = npt.NDArray[np.int32]
Status = Literal["done", "failed", "open"]


@dataclass(frozen=True)
class Result:
    """What is known of a cell.

    Attributes:
        cell: the cell.
        status: ``done``; ``failed``, with ``why``; or ``open``: not run yet.
        record: of its task, if it is done.
        counts: (tp, gold spans, predicted spans) of each row.
        boundary_counts: the same, whatever the labels.
        why: why it failed.
        command: the commands that make and score it again.
        coverage: how the embedded encoder cuts the words of the text; empty if it was not counted.
    """

    cell: Cell
    status: Status
    record: Mapping[str, Any] = field(default_factory=dict)
    counts: Integers = field(default_factory=lambda: np.zeros((0, 3), np.int32))
    boundary_counts: Integers = field(default_factory=lambda: np.zeros((0, 3), np.int32))
    why: str = ""
    command: str = ""
    coverage: Mapping[str, Any] = field(default_factory=dict)

    @property
    def f1(self) -> float:
        """Micro F1, in [0, 1]."""
        return float(self.record["scores"]["micro"]["f1"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in a fixed order; nothing in them depends on the machine."""
        found: dict[str, Any] = {**self.cell.to_dict(), "status": self.status}
        if self.status == "failed":
            return {**found, "why": self.why}
        if self.status == "open":
            return found
        return {
            **found,
            "scores": self.record["scores"],
            "account": self.record.get("account"),
            "signature": self.record.get("signature"),
            "licences": self.record.get("licences", {}),
            "coverage": dict(self.coverage) or None,
            "command": self.command,
        }


def gather(plan: Plan) -> list[Result]:
    """What is known of all cells, in the order of the plan."""
    texts = {cell.text.name: plan.tasks[f"data/{cell.text.name}"] for cell in plan.cells}
    coverage = {name: (task.record() or {}).get("coverage") or {} for name, task in texts.items()}
    return [_result(plan, cell, coverage[cell.text.name]) for cell in plan.cells]


def _result(plan: Plan, cell: Cell, coverage: Mapping[str, Any]) -> Result:
    task = plan.task_of(cell)
    record = task.record() or {}
    if "failed" in record:
        return Result(cell, "failed", why=record["failed"])
    if task.state(str(record.get("session"))) != "done":
        return Result(cell, "open")
    # as arrays, since there are many
    counts, boundaries = (
        np.asarray(record.pop(name), np.int32) for name in ("counts", "boundary_counts")
    )
    command = _command(plan, cell)
    return Result(cell, "done", record, counts, boundaries, command=command, coverage=coverage)


def _command(plan: Plan, cell: Cell) -> str:
    """The commands that make a cell again, where the study's folder is."""
    task, scores = plan.task_of(cell), plan.study.scores
    gold = str(plan.folder.gold(cell.text.name))
    score = ["spanbridge", "evaluate", gold, task.output]
    score += ["--protocol", scores.protocol] if scores.protocol != "default" else []
    score += [part for pair in scores.map.items() for part in ("--map", "=".join(pair))]
    score += ["--labels", ",".join(scores.labels)] if scores.labels else []
    made = [] if task.pipeline is None else [["spanbridge", "run", str(task.settings_file)]]
    return " && ".join(shlex.join(one) for one in [*made, score])


def write_results(path: Path, results: Iterable[Result]) -> None:
    """Write the results, a JSON object per line."""
    with atomic_output(path) as out:
        for result in results:
            out.write(json.dumps(result.to_dict(), ensure_ascii=False) + "\n")


def check_own(plan: Plan, path: Path) -> None:
    """Check that results which are there are not those of quite another study.

    A study that was changed has some of its cells in common with what it was.

    Raises:
        InputError: none of their cells is one of this study's.
    """
    own = {tuple(one.to_dict().items()) for one in plan.cells}
    keys = tuple(plan.cells[0].to_dict()) if plan.cells else ()
    try:
        with path.open(encoding="utf-8") as file:
            rows = map(json.loads, file)
            found = {tuple((key, row.get(key)) for key in keys) for row in rows}
    except (OSError, ValueError, AttributeError):  # there are none, or none that can be read
        return
    if found and not found & own:
        why = "holds the results of another study; give another output, or delete this file"
        raise InputError(path, None, why)


def write_times(plan: Plan, path: Path) -> None:
    """Write the seconds of each step of each task, which differ from run to run."""
    with atomic_output(path) as out:
        for name, task in plan.tasks.items():
            if times := (task.record() or {}).get("times"):
                out.write(json.dumps({"task": name, "seconds": times}) + "\n")


def counted(results: Sequence[Result]) -> str:
    """How many cells are done, have failed, and are still to be run."""
    by = {status: sum(one.status == status for one in results) for status in STATUSES}
    told = [f"{by['done']} of {len(results)} cells are done"]
    told += [f"{by['failed']} failed"] if by["failed"] else []
    told += [f"{by['open']} are still to be run"] if by["open"] else []
    return ", ".join(told)


STATUSES: tuple[Status, ...] = ("done", "failed", "open")
