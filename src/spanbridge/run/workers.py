"""Who makes the shards of a run: this process, or several that it starts and follows.

The process that starts workers loads no models. It reads the input while they load theirs, shows
the progress of all, and writes the output. What a worker meets, an error or a warning, comes here
as if it had been met here. A worker that is killed loses a shard; another takes its place.
"""

from __future__ import annotations

import traceback
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from pickle import PicklingError
from typing import Any

from spanbridge.core import processes
from spanbridge.core.claims import Claims
from spanbridge.core.errors import RepairWarning, SpanbridgeError
from spanbridge.core.machine import Used, used
from spanbridge.core.plugins import plugin_at_fault
from spanbridge.core.progress import Progress, silent
from spanbridge.run.job import Job, deterministic, records
from spanbridge.run.making import Maker
from spanbridge.run.shard_store import Shards, StepFacts
from spanbridge.steps.account import Account
from spanbridge.steps.base import Step

# Deaths of workers between which no shard was finished, after which a run ends.
_DEATHS = 3


@dataclass
class Figures:
    """What was done in making shards.

    Attributes:
        made: number of shards of each step.
        learning: seconds of learning of each step.
        learned: what steps keep of what they have learned, for the file beside a result.
        used: what each process has used, but for those that were killed.
    """

    made: Sequence[int] = ()
    learning: Sequence[float] = ()
    learned: dict[str, Any] = field(default_factory=dict)
    used: Sequence[Used] = ()


class Crew(AbstractContextManager["Crew"], ABC):
    """Makes shards, in one process or several."""

    @abstractmethod
    def facts(self) -> tuple[StepFacts, ...]:
        """Facts of the steps, once they are open."""

    @abstractmethod
    def begin(self, shards: Shards) -> None:
        """Say which shards there are to be."""

    @abstractmethod
    def made(self) -> Iterator[tuple[float, Account]]:
        """Make what is missing; see :meth:`spanbridge.run.making.Maker.make`."""

    @abstractmethod
    def figures(self) -> Figures:
        """What was done."""


def crew_of(
    job: Job,
    steps: Sequence[Step],
    work: Path,
    claims: Claims,
    session: str,
    progress: Progress,
) -> Crew:
    """The crew that a job asks for; of one process, the steps are open."""
    if job.workers == 1:
        return Alone(steps, claims, progress)
    return Workers(job, work, claims, session)


class Alone(Crew):
    """This process."""

    def __init__(self, steps: Sequence[Step], claims: Claims, progress: Progress) -> None:
        self._steps = steps
        self._facts = tuple(map(StepFacts.of, self._steps))
        self._claims, self._progress = claims, progress

    def __exit__(self, *error: object) -> None:
        """Nothing is to be ended."""

    def facts(self) -> tuple[StepFacts, ...]:
        """Facts of the steps."""
        return self._facts

    def begin(self, shards: Shards) -> None:
        """Say which shards there are to be."""
        self._maker = Maker(self._steps, shards, self._claims, self._progress)
        self._maker.open_examples()

    def made(self) -> Iterator[tuple[float, Account]]:
        """Make what is missing."""
        return self._maker.make()

    def figures(self) -> Figures:
        """What was done."""
        maker = self._maker
        return Figures(maker.made, maker.learning, records(self._steps), [used()])


class Workers(Crew):
    """Processes that this one starts.

    Messages from them: ``facts``, the steps' facts; ``examples``, digests of what they bring to
    learn from; ``made``, as from :meth:`Crew.made`; ``warning``, category and text; ``error``, the
    exception; ``end``, the figures. To them: the shards.
    """

    def __init__(self, job: Job, work: Path, claims: Claims, session: str) -> None:
        self._given = (replace(job, work=work), claims, session)
        self._n = job.workers
        self._shards: Shards | None = None
        self._running: dict[Connection, tuple[int, processes.Worker]] = {}
        self._ended: list[Figures] = []
        self._facts: tuple[StepFacts, ...] | None = None
        self._n_ready = self._n_deaths = 0
        for n in range(self._n):
            self._start(n)

    def __exit__(self, *error: object) -> None:
        """End all of them."""
        for connection in list(self._running):
            self._end(connection)

    def _start(self, n: int) -> None:
        mine, theirs = Pipe()
        try:
            process = processes.start(_work, (theirs, *self._given), n, self._n)
        except (PicklingError, TypeError, AttributeError) as error:
            why = f"a part cannot be given to another process ({error}); take one worker"
            raise SpanbridgeError(f"workers: {why}") from error
        finally:
            theirs.close()
        self._running[mine] = n, process
        if self._shards is not None:
            mine.send(self._shards)

    def _end(self, connection: Connection) -> int:
        """End a worker; its number."""
        n, process = self._running.pop(connection)
        processes.end(process)
        connection.close()
        return n

    def facts(self) -> tuple[StepFacts, ...]:
        """Facts of the steps, which the first worker that has opened them tells."""
        while self._facts is None:
            self._hear()
        return self._facts

    def begin(self, shards: Shards) -> None:
        """Say which shards there are to be."""
        self._shards = shards
        for connection in self._running:
            with suppress(OSError):  # it was killed, which is seen soon
                connection.send(shards)
        while not self._n_ready:  # the keys depend on what steps bring to learn from
            self._hear()

    def made(self) -> Iterator[tuple[float, Account]]:
        """Follow them until all have ended."""
        while self._running:
            yield from self._hear()

    def figures(self) -> Figures:
        """What all of them did."""
        each = self._ended
        return Figures(
            [sum(made) for made in zip(*(one.made for one in each), strict=True)],
            [sum(own) for own in zip(*(one.learning for one in each), strict=True)],
            next((one.learned for one in each if one.learned), {}),
            [own for one in each for own in one.used],
        )

    def _hear(self) -> list[tuple[float, Account]]:
        """Wait for messages, and take what has come."""
        found: list[tuple[float, Account]] = []
        for connection in wait(list(self._running)):
            assert isinstance(connection, Connection)
            try:
                what, content = connection.recv()
            except (EOFError, OSError):
                self._replace(connection)
                continue
            if what == "made":
                found.append(content)
                self._n_deaths = 0
            elif what == "facts":
                self._facts = content
            elif what == "examples":
                assert self._shards is not None
                self._shards.examples, self._n_ready = content, self._n_ready + 1
            elif what == "warning":
                warnings.warn(content[1], content[0], stacklevel=2)
            elif what == "error":
                raise content
            else:
                self._ended.append(content)
                self._end(connection)
        return found

    def _replace(self, connection: Connection) -> None:
        """Start another worker in place of one that died. Raises SpanbridgeError if too many do."""
        process = self._running[connection][1]
        process.join()
        code, n = process.exitcode, self._end(connection)
        self._n_deaths += 1
        if self._n_deaths >= _DEATHS:
            how = f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
            raise SpanbridgeError(
                f"{self._n_deaths} workers ended {how} one after the other, and nothing was made "
                "in between; if memory is short, take fewer workers, or smaller shards (shard_rows)"
            )
        self._start(n)


def _work(connection: Connection, job: Job, claims: Claims, session: str) -> None:
    """Make shards in a process of its own."""

    def tell(what: str, content: Any) -> None:
        connection.send((what, content))

    def warn(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        tell("warning", (category if category is RepairWarning else UserWarning, str(message)))

    warnings.showwarning = warn
    try:
        deterministic(_make)(connection, job, claims, session, tell)
    except BrokenPipeError:  # the parent has ended
        return
    except Exception as error:  # noqa: BLE001  # whatever it is, it is raised there
        tell("error", _told(error))


def _make(connection: Connection, job: Job, claims: Claims, session: str, tell: Any) -> None:
    steps = job.open_steps()
    tell("facts", tuple(map(StepFacts.of, steps)))
    shards: Shards = connection.recv()
    maker = Maker(steps, shards, claims, silent)
    maker.open_examples()
    tell("examples", shards.examples)
    for one in maker.make():
        tell("made", one)
    tell("end", Figures(maker.made, maker.learning, records(steps), [used()]))


def _told(error: Exception) -> Exception:
    """An error as another process can raise it."""
    if isinstance(error, SpanbridgeError):
        return error
    if (at_fault := plugin_at_fault(error)) is not None:
        return SpanbridgeError(at_fault)
    error.add_note("".join(traceback.format_exception(error)).rstrip())
    return error
