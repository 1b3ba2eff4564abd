"""Where the workers of a run are: processes of this machine, or of a cluster."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from spanbridge.core import processes
from spanbridge.core.claims import Claims
from spanbridge.core.progress import Progress
from spanbridge.run.job import Job, deterministic
from spanbridge.run.messages import as_error, as_warning, messages
from spanbridge.run.pools import Pool, together
from spanbridge.run.shard_store import Shards
from spanbridge.run.workers import Alone, Crew, Message, Worker, Workers
from spanbridge.steps.base import Step


def crew_of(
    job: Job, steps: Sequence[Step], work: Path, claims: Claims, progress: Progress
) -> Crew:
    """The crew that a job asks for, around a folder of shards.

    Args:
        steps: the steps, open, if the job is done alone.
    """
    if job.alone:
        return Alone(steps, claims, progress)
    job = replace(job, work=work)
    if job.engine == "ray":
        from spanbridge.run.ray_engine import RayEngine

        return Workers(RayEngine(job, claims), progress, job.patience)
    return Workers(Processes(job, claims), progress, job.patience)


class Processes:
    """The engine of one machine: processes of its own, each with its share of the cores."""

    def __init__(self, job: Job, claims: Claims) -> None:
        self._given = job, claims
        self.places: Sequence[Pool] = [together(job.pools)] * (job.workers or 1)

    def start(self, n: int) -> Worker:
        """Start the n-th worker."""
        mine, theirs = Pipe()
        try:
            given = theirs, self.places[n], *self._given
            process = processes.start(_work, given, n, len(self.places))
        finally:
            theirs.close()
        return _Process(n, process, mine)

    def wait(self, workers: Sequence[Worker], seconds: float | None) -> Sequence[Worker]:
        """Wait until some of the workers have said something, or have died; these."""
        there = {one.connection: one for one in workers if isinstance(one, _Process)}
        return [there[one] for one in wait(list(there), seconds) if isinstance(one, Connection)]

    def moved(self, workers: Sequence[Worker]) -> bool:
        """False: there is always a place."""
        return False

    def close(self) -> None:
        """Nothing is to be given back."""


class _Process(Worker):
    """A process, and the connection to it."""

    def __init__(self, n: int, process: processes.Worker, connection: Connection) -> None:
        self.n, self.process, self.connection = n, process, connection

    def send(self, shards: Shards) -> None:
        """Say which shards there are to be."""
        with suppress(OSError):  # it was killed, which is seen soon
            self.connection.send(shards)

    def receive(self) -> Message | None:
        """Its next message."""
        try:
            message: Message = self.connection.recv()
        except (EOFError, OSError) as error:
            self.process.join()
            code = self.process.exitcode
            killed = code is not None and code < 0
            how = f"by signal {-code}" if code is not None and killed else f"with code {code}"
            raise EOFError(how) from error
        return message

    def end(self) -> None:
        """End it at once."""
        processes.end(self.process)
        self.connection.close()


def _work(connection: Connection, pool: Pool, job: Job, claims: Claims) -> None:
    """Make shards in a process of its own."""

    def warn(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        connection.send(as_warning(message, category))

    @deterministic
    def make() -> None:
        for message in messages(job, pool, claims, connection.recv):
            connection.send(message)

    warnings.showwarning = warn
    try:
        make()
    except BrokenPipeError:  # the parent has ended
        return
    except Exception as error:  # noqa: BLE001  # whatever it is, it is raised there
        connection.send(as_error(error))
