"""Jobs: a checked pipeline with its input and output, for any runner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

from spanbridge.core.addresses import scheme_of
from spanbridge.core.errors import InputError
from spanbridge.core.resources import EngineName
from spanbridge.core.rows import SentencePair, Side
from spanbridge.core.signature import signature
from spanbridge.formats.base import Counts
from spanbridge.run.pools import Pool
from spanbridge.run.result import foreign_work
from spanbridge.run.sample import FIT_ROWS
from spanbridge.steps.base import Step

P = ParamSpec("P")
R = TypeVar("R")

SHARD_ROWS, MAX_SHARD_ROWS = 2000, 1_000_000
MAX_WORKERS = 1024
# Minutes that a worker may take for a few hundred rows, which is what parts get at once.
PATIENCE = 120.0


@dataclass(frozen=True)
class Job:
    """Rows, steps and output of a run.

    Attributes:
        inputs: path of each role, for the account.
        open_rows: function that starts reading the input.
        open_steps: function that loads the parts of the steps and returns the steps in order; of
            some steps, if it is given their numbers, from 1.
        output: path of the result.
        output_side: side that is written if the format holds single sentences.
        output_format: name of the format of the output.
        writing: further options of the output's format.
        reading: settings by which the input is read and the output written, for the signature.
        fit_rows: rows that steps learn from, at most, spread over the input.
        slow: check the whole input before the work begins.
        keep: folder in which the only step saves what it has learned; None saves nothing.
        explanation: file for the explanations of rows; None leaves them in the rows.
        work: folder for shards; None for one that is not kept.
        shard_rows: rows per shard, at least 1.
        workers: number of workers; None for as many as is usual.
        engine: where they are; they are processes of this machine, or ``ray`` starts them.
        patience: minutes after which a worker that has passed no row of its shard is ended.
        pools: the steps by what they need, for engines that place workers by that.
        input_files: all files that the rows are read from.
        reading_settings: everything else that the rows depend on, in one line.
        pipeline: the steps with their settings, for the file beside the result.
    """

    inputs: Mapping[str, str | None]
    open_rows: Callable[[Counts | None], Iterable[SentencePair]]
    open_steps: Callable[..., tuple[Step, ...]]
    output: str
    output_side: Side = "target"
    output_format: str = "conll"
    writing: Mapping[str, Any] = field(default_factory=dict)
    reading: Mapping[str, str] = field(default_factory=dict)
    fit_rows: int = FIT_ROWS
    slow: bool = True
    keep: str | None = None
    explanation: str | None = None
    work: Path | None = None
    shard_rows: int = SHARD_ROWS
    workers: int | None = None
    engine: EngineName = "local"
    patience: float = PATIENCE
    pools: tuple[Pool, ...] = ()
    input_files: tuple[Path, ...] = ()
    reading_settings: str = ""
    pipeline: Mapping[str, Any] = field(default_factory=dict)

    @property
    def alone(self) -> bool:
        """This process does all of the work."""
        return self.engine == "local" and (self.workers or 1) == 1

    def check_work(self) -> None:
        """Raise InputError unless ``work`` can hold the shards, and nothing else."""
        if self.work is None:
            return
        if not self.alone and scheme_of(self.work) == "memory":
            seen = "only one process sees what is kept there; name a folder that all workers share"
            raise InputError(self.work, None, f"{seen} (work)")
        if (why := foreign_work(self.work, self.output, *self.inputs.values())) is not None:
            raise InputError(self.work, None, why)


def applied(steps: Iterable[Step]) -> dict[str, str | None]:
    """Folder of the fit that a step applies, and file by which one calibrates, if any."""
    roles = {"fit": "apply", "calibration": "gold"}
    found: dict[str, str | None] = dict.fromkeys(roles)
    for step in steps:
        for role, setting in roles.items():
            found[role] = found[role] or getattr(step, setting, None)
    return found


def records(steps: Iterable[Step]) -> dict[str, Any]:
    """What steps have learned and the file beside the result keeps."""
    return {key: value for step in steps for key, value in (step.record() or {}).items()}


class Named(Protocol):
    """A step, or what is known of it."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def learns(self) -> bool:
        """It learns."""
        ...


def signature_of(
    steps: Sequence[Named], parts: Sequence[Mapping[str, str]], n_learned: int, reading: Any
) -> str:
    """One line that says what was run.

    Args:
        steps: the steps.
        parts: what the results of each step depended on before it had learned anything.
        n_learned: number of rows that steps have learned from.
        reading: settings by which the input was read.
    """
    told: dict[str, str] = {}
    for n, (step, part) in enumerate(zip(steps, parts, strict=True), 1):
        own = dict(part)
        if step.learns:
            own.setdefault("learned_on", f"{n_learned}_rows")
        if len(steps) == 1:
            told = {"task": step.name, **own}
        else:
            whole = ",".join(f"{key}={value}" for key, value in own.items())
            told = {"task": "pipeline", **told, f"{n}-{step.name}": whole}
    return signature({**told, **reading})


def deterministic(run: Callable[P, R]) -> Callable[P, R]:
    """Limit matrix products to one thread, since another order of sums changes their last bits.

    Encoder batches and the taggers' folds run in parallel instead.
    """

    @wraps(run)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, user_api="blas"):
            return run(*args, **kwargs)

    return limited
