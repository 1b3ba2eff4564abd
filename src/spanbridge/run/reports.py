"""Figures of a run: what each step did, and what the whole has cost.

Times differ from run to run, so none of them goes into an output or into the files beside it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from spanbridge.core.machine import Used, used
from spanbridge.core.progress import duration, short
from spanbridge.steps.account import Account
from spanbridge.steps.base import Step

# Seconds below which a rate says nothing, and rows below which a cost per million says nothing.
_BRIEF, _FEW = 0.05, 1000


@dataclass
class StepReport:
    """Figures of one step of a run.

    Attributes:
        name: name of the step.
        licences: licences of its models.
        shards: number of its finished shards; 0 if the run has none.
        made: number of these that this run made.
        rows: number of rows that came out of it.
        seconds: time spent on its rows by any run.
        learning: time that this run spent on learning, in seconds.
        account: its own account.
        amends: as in :class:`~spanbridge.steps.base.Step`.
        gpus: number of GPUs on which its models are.
    """

    name: str
    licences: dict[str, str] = field(default_factory=dict)
    shards: int = 0
    made: int = 0
    rows: int = 0
    seconds: float = 0.0
    learning: float = 0.0
    account: Account = field(default_factory=Account)
    amends: bool = False
    gpus: float = 0.0

    @classmethod
    def of(cls, step: Step) -> StepReport:
        """The report of an open step that has done nothing yet."""
        return cls(step.name, step.licences(), amends=step.amends, gpus=_gpus(step))

    def fresh(self) -> StepReport:
        """The report of the same step before it has done anything."""
        return StepReport(self.name, self.licences, amends=self.amends, gpus=self.gpus)

    def add(self, other: StepReport) -> None:
        """Add what the step did with other rows: their number, time and statuses."""
        self.rows += other.rows
        self.seconds += other.seconds
        self.account.statuses += other.account.statuses

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        counts: dict[str, Any] = {"licences": self.licences} if self.licences else {}
        counts |= {"shards": self.shards, "made": self.made, "seconds": round(self.seconds, 3)}
        counts |= {"learning_seconds": round(self.learning, 3)} if self.learning else {}
        return {"step": self.name, **counts, **self.account.to_dict()}

    def text(self) -> str:
        """Summary in plain text."""
        head = f"{self.name}: {self.rows} rows"
        if self.seconds >= _BRIEF:
            head += f", {self.seconds:.1f} s, {self.rows / self.seconds:.0f} rows per second"
        if self.learning:
            head += f", after {self.learning:.1f} s of learning"
        if self.shards > self.made:
            head += f"; {self.shards - self.made} of {self.shards} shards done before"
        lines = [head]
        if self.licences:
            named = (f"{name} {licence}" for name, licence in self.licences.items())
            lines.append(f"licence of the {', of the '.join(named)}")
        return "\n  ".join([*lines, *self.account.text().splitlines()])


def _gpus(step: Step) -> float:
    """Number of GPUs on which an open step's models are."""
    asked = step.resources_with_parts().gpus
    return asked or float(any(getattr(one, "on_gpu", False) for one in step.components()))


@dataclass
class Part:
    """What a process has made of the shards of a run since it last said so.

    Attributes:
        rows: number of input rows; one that passes one of four steps is a quarter of one.
        reports: what each step did with them, by number from 1.
        saved: number of shards that were saved, of any step.
        shards: numbers of the shards that have passed all steps.
        passing: a shard's rows are passing a step, so the next word is due once some have.
    """

    rows: float = 0.0
    reports: dict[int, StepReport] = field(default_factory=dict)
    saved: int = 0
    shards: list[int] = field(default_factory=list)
    passing: bool = False

    def add(self, s: int, report: StepReport, rows: float) -> None:
        """Add what a step has done."""
        self.rows += rows
        if s in self.reports:
            self.reports[s].add(report)
        else:
            self.reports[s] = report


@dataclass(frozen=True)
class Cost:
    """What a run has cost from start to end of the process that was started, not of an earlier one.

    Attributes:
        rows: number of input rows that it passed through the steps; one that was given to half of
            the steps only is half a row.
        seconds: time that it took.
        cpu: processor time in seconds, of all processes and threads, those of lost workers too.
        gpu: seconds for which steps with models on a GPU worked or learned, times their GPUs, busy
            or not; None if no step has one.
        memory: most memory that one process held, in bytes.
        workers: number of workers at the end; 0 if the process did all by itself.
        lost: number of workers that died.
    """

    rows: float
    seconds: float
    cpu: float
    gpu: float | None
    memory: int
    workers: int = 0
    lost: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        found = {"cpu_seconds": self.cpu, "gpu_seconds": self.gpu}
        known = {name: value for name, value in found.items() if value is not None}
        return {
            "rows": round(self.rows),
            "seconds": round(self.seconds, 3),
            **{name: round(value, 3) for name, value in known.items()},
            **{
                f"{name}_per_million_rows": round(1e6 * value / self.rows, 1)
                for name, value in known.items()
                if self.rows >= 1
            },
            "peak_bytes": self.memory,
            **({"workers": self.workers, "workers_lost": self.lost} if self.workers else {}),
        }

    def lines(self) -> list[str]:
        """Summary in plain text; nothing for a few rows, which cost what is loaded for them."""
        told = []
        if self.workers > 1 or self.lost:
            lost = f" ({self.lost} lost)" if self.lost else ""
            made = f"made by {self.workers} workers{lost}"
            told.append(f"{made}, each of at most {self.memory / 2**20:.0f} MB")
        if self.rows >= _FEW:
            spent = [(self.cpu, "CPU")] + ([] if self.gpu is None else [(self.gpu, "GPU")])
            each = (
                f"{short(value)} {kind} seconds ({short(1e6 * value / self.rows)} per million rows)"
                for value, kind in spent
            )
            told.append(f"{self.rows:,.0f} rows in {duration(self.seconds)}: {', '.join(each)}")
        return told


class Meter:
    """Measures what a run costs, from when it is made."""

    def __init__(self) -> None:
        self._began, self._used, self._alone = time.monotonic(), used(), time.process_time()

    def cost(
        self,
        rows: float,
        reports: Sequence[StepReport],
        workers: Sequence[Used] | None = None,
        lost: int = 0,
    ) -> Cost:
        """The cost so far.

        Args:
            rows: number of input rows.
            reports: what steps did since the meter was made.
            workers: what each worker has used, those that were lost too; None without workers.
            lost: number of workers that were lost.
        """
        own, on_gpu = used(), [report for report in reports if report.gpus]
        cpu, memory = own.seconds - self._used.seconds, own.memory
        if workers is not None:  # they say it themselves, and are no part of this process
            cpu = time.process_time() - self._alone + sum(one.seconds for one in workers)
            memory = max((one.memory for one in workers), default=0)
        busy = sum((report.seconds + report.learning) * report.gpus for report in on_gpu)
        return Cost(
            rows,
            time.monotonic() - self._began,
            cpu,
            busy if on_gpu else None,
            memory,
            0 if workers is None else len(workers) - lost,
            lost,
        )
