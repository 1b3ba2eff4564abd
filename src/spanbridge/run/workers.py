"""Who makes the shards of a run: this process, or several that it has started and follows.

The process that starts workers loads no models. It reads the input while they load theirs, shows
the progress of all, and writes the output. What a worker meets, an error or a warning, comes here
as if it had been met here. A worker that is killed loses a shard; another takes its place. Where
workers are, on this machine or on a cluster's, is all that an engine adds.
"""

from __future__ import annotations

import time
import traceback
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pickle import PicklingError
from typing import Any, Protocol

from spanbridge.core.claims import Claims
from spanbridge.core.errors import RepairWarning, SpanbridgeError
from spanbridge.core.machine import Used, used
from spanbridge.core.plugins import plugin_at_fault
from spanbridge.core.progress import Progress, silent, tell
from spanbridge.run.costs import Costs
from spanbridge.run.job import Job, records
from spanbridge.run.making import Maker
from spanbridge.run.reports import Part
from spanbridge.run.shard_store import Shards, StepFacts
from spanbridge.steps.base import Step

# Deaths of workers between which no shard was finished, after which a run ends.
_DEATHS = 3
# Seconds that workers have to end once one has found that nothing is left to make; one that hangs
# would hold up the run.
_GRACE = 10.0
# Seconds after which those who watch hear that nothing is new, and between two words of what a
# worker has used.
_TICK = 0.5

Message = tuple[str, Any]


@dataclass
class Figures:
    """What was done in making shards.

    Attributes:
        made: number of shards of each step.
        learning: seconds of learning of each step.
        learned: what steps keep of what they have learned, for the file beside a result.
        used: what each worker has used, as far as those that were lost have said it; None if there
            are no workers.
        lost: number of workers that were lost.
    """

    made: Sequence[int] = ()
    learning: Sequence[float] = ()
    learned: dict[str, Any] = field(default_factory=dict)
    used: Sequence[Used] | None = None
    lost: int = 0


class Crew(AbstractContextManager["Crew"], ABC):
    """Makes shards, in one process or several."""

    @abstractmethod
    def facts(self) -> tuple[StepFacts, ...]:
        """Facts of the steps, once they are open."""

    @abstractmethod
    def begin(self, shards: Shards) -> None:
        """Say which shards there are to be."""

    @abstractmethod
    def made(self) -> Iterator[Part]:
        """Make what is missing; see :meth:`spanbridge.run.making.Maker.make`."""

    @abstractmethod
    def figures(self) -> Figures:
        """What was done."""

    def workers(self) -> tuple[int, int] | None:
        """Number of workers at work, and of those that were lost; None without workers."""
        return None


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
        costs = Costs.shown(sum(shards.manifest.sizes), self._progress)
        self._maker = Maker(self._steps, shards, self._claims, self._progress, costs)
        self._maker.open_examples()

    def made(self) -> Iterator[Part]:
        """Make what is missing."""
        return self._maker.make()

    def figures(self) -> Figures:
        """What was done."""
        maker = self._maker
        return Figures(maker.made, maker.learning, records(self._steps))


class Worker(ABC):
    """A worker, as seen by the process that has started it.

    Attributes:
        n: its number, from 0.
        since: number of deaths before it was started.
    """

    n: int
    since: int = 0

    @abstractmethod
    def send(self, shards: Shards) -> None:
        """Say which shards there are to be. A worker that has died is no error here."""

    @abstractmethod
    def receive(self) -> Message | None:
        """Its next message, which is there; None if there is none after all.

        Raises EOFError, which says how, if it has died.
        """

    @abstractmethod
    def end(self) -> None:
        """End it at once."""


class Engine(Protocol):
    """What starts workers somewhere. They send :func:`messages`."""

    @property
    def n(self) -> int:
        """Number of workers that there are to be."""
        ...

    def start(self, n: int) -> Worker:
        """Start the n-th worker."""
        ...

    def wait(self, workers: Sequence[Worker], seconds: float | None) -> Sequence[Worker]:
        """Wait until some of the workers have said something, or have died; these."""
        ...

    def close(self) -> None:
        """Give back what was started beside the workers."""
        ...


class Workers(Crew):
    """Workers that an engine has started, and their messages, one after the other."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine, self._progress = engine, progress
        self._foretold: set[int] = set()  # steps of which was said what they will cost
        self._shards: Shards | None = None
        self._running: list[Worker] = []
        self._ended: list[Figures] = []
        self._facts: tuple[StepFacts, ...] | None = None
        self._n_ready = self._in_a_row = self._deaths = self._n_lost = 0
        self._used: dict[Worker, Used] = {}
        try:
            for n in range(engine.n):
                self._start(n)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *error: object) -> None:
        """End all of them."""
        while self._running:
            self._running.pop().end()
        self._engine.close()

    def _start(self, n: int) -> None:
        try:
            worker = self._engine.start(n)
        except (PicklingError, TypeError, AttributeError) as error:
            why = f"a part cannot be given to another process ({error}); take one worker"
            raise SpanbridgeError(f"workers: {why}") from error
        worker.since = self._deaths
        self._running.append(worker)
        if self._shards is not None:
            worker.send(self._shards)

    def facts(self) -> tuple[StepFacts, ...]:
        """Facts of the steps, which the first worker that has opened them tells."""
        while self._facts is None:
            self._hear()
        return self._facts

    def begin(self, shards: Shards) -> None:
        """Say which shards there are to be."""
        self._shards = shards
        for worker in self._running:
            worker.send(shards)
        while not self._n_ready:  # the keys depend on what steps bring to learn from
            self._hear()

    def made(self) -> Iterator[Part]:
        """Follow them until all have ended; those that hang then are ended."""
        while self._running and not self._ended:
            yield from self._hear(_TICK) or [Part()]
        until = time.monotonic() + _GRACE
        while self._running and (left := until - time.monotonic()) > 0:
            yield from self._hear(left)
        while self._running:
            self._running.pop().end()

    def figures(self) -> Figures:
        """What all of them did."""
        each = self._ended
        return Figures(
            [sum(made) for made in zip(*(one.made for one in each), strict=True)],
            [sum(own) for own in zip(*(one.learning for one in each), strict=True)],
            next((one.learned for one in each if one.learned), {}),
            list(self._used.values()),
            self._n_lost,
        )

    def workers(self) -> tuple[int, int]:
        """Number of those at work, and of those that were lost."""
        return len(self._running), self._n_lost

    def _hear(self, seconds: float | None = None) -> list[Part]:
        """Wait for messages, and take what has come."""
        found: list[Part] = []
        for worker in self._engine.wait(self._running, seconds):
            try:
                message = worker.receive()
            except EOFError as error:
                self._replace(worker, str(error))
                continue
            if message is not None:
                self._take(worker, *message, found)
        return found

    def _take(self, worker: Worker, what: str, content: Any, found: list[Part]) -> None:
        """Take a message."""
        if what == "made":
            found.append(content)
            self._in_a_row *= not content.saved
        elif what == "used":
            self._used[worker] = content
        elif what == "costs":
            for n, text in content:
                if n not in self._foretold:
                    tell(self._progress, text)
            self._foretold.update(n for n, _ in content)
        elif what == "facts":
            self._facts = content if self._facts is None else self._facts
            _check_alike(self._facts, content)
        elif what == "examples":
            assert self._shards is not None
            for s, digest in content.items():
                self._shards.learns_from(s, digest)
            self._n_ready += 1
        elif what == "warning":
            warnings.warn(content[1], content[0], stacklevel=2)
        elif what == "error":
            raise content
        else:
            self._ended.append(content)
            self._end(worker)

    def _end(self, worker: Worker) -> None:
        self._running.remove(worker)
        worker.end()

    def _replace(self, worker: Worker, how: str) -> None:
        """Start another worker in place of one that died. Raises SpanbridgeError if too many do.

        Those that die together, as on a machine that is lost, count as one.
        """
        self._end(worker)
        self._n_lost += 1
        if worker.since == self._deaths or not self._in_a_row:
            self._deaths += 1
            self._in_a_row += 1
        if self._in_a_row >= _DEATHS:
            raise SpanbridgeError(
                f"{self._in_a_row} workers ended {how} one after the other, and nothing was made "
                "in between; if memory is short, take fewer workers, or smaller shards (shard_rows)"
            )
        if not self._ended:  # else nothing is left to make
            self._start(worker.n)


def _check_alike(facts: tuple[StepFacts, ...], others: tuple[StepFacts, ...]) -> None:
    """Raise SpanbridgeError unless two workers make the same of the same rows."""
    for one, other in zip(facts, others, strict=True):
        if one.described != other.described:
            raise SpanbridgeError(
                f"workers would not give the same results in the step {one.name}: one has "
                f"{one.described}, another {other.described}; install the same versions on all "
                "nodes, and take nodes with the same kind of processor"
            )


def messages(job: Job, claims: Claims, given: Callable[[], Shards]) -> Iterator[Message]:
    """What a worker does, and says meanwhile.

    Yields:
        ``facts``, the steps' facts; ``examples``, digests of what they bring to learn from;
        ``costs``, what steps will ask of chat models, with their numbers; ``made``, as from
        :meth:`Crew.made`; ``used``, what the process has used; ``end``, the
        figures. Beside these a worker may say ``warning``, category and text, and ``error``, the
        exception.

    Args:
        given: function that waits for the shards.
    """
    steps = job.open_steps()
    yield "facts", tuple(map(StepFacts.of, steps))
    shards = given()
    costs: list[tuple[int, str]] = []
    said = Costs(sum(shards.manifest.sizes), lambda n, text: costs.append((n, text)))
    maker = Maker(steps, shards, claims, silent, said)
    maker.open_examples()
    yield "examples", shards.examples
    yield "used", used()
    told = time.monotonic()
    for part in maker.make():
        if costs:
            yield "costs", costs.copy()
            costs.clear()
        yield "made", part
        if time.monotonic() - told >= _TICK:
            yield "used", used()
            told = time.monotonic()
    yield "used", used()
    yield "end", Figures(maker.made, maker.learning, records(steps))


def as_warning(message: Warning | str, category: type[Warning]) -> Message:
    """The message of a warning."""
    return "warning", (category if category is RepairWarning else UserWarning, str(message))


def as_error(error: Exception) -> Message:
    """The message of an error, as another process can raise it."""
    if isinstance(error, SpanbridgeError):
        return "error", error
    if (at_fault := plugin_at_fault(error)) is not None:
        return "error", SpanbridgeError(at_fault)
    error.add_note("".join(traceback.format_exception(error)).rstrip())
    return "error", error
