"""Who makes the shards of a run: this process, or several that it has started and follows.

The process that starts workers loads no models. It reads the input while they load theirs, shows
the progress of all, and writes the output. What a worker meets, an error or a warning, comes here
as if it had been met here. A worker that is killed loses a shard; another takes its place. Where
workers are, on this machine or on a cluster's, and which of them make which steps
(:mod:`spanbridge.run.pools`), is all that an engine adds.

A worker that hangs is ended, as if it had been killed, once it has passed no row of its shard for
as long as the run's patience. What it says comes from its loop over rows, never from a thread that
would live on. Loading and learning take as long as they take.
"""

from __future__ import annotations

import time
import warnings
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pickle import PicklingError
from typing import Any, Protocol

from spanbridge.core.claims import Claims
from spanbridge.core.errors import NoteWarning, SpanbridgeError
from spanbridge.core.machine import Used
from spanbridge.core.progress import Progress, tell
from spanbridge.run.costs import Costs
from spanbridge.run.job import records
from spanbridge.run.making import Maker
from spanbridge.run.pools import Pool
from spanbridge.run.reports import Part
from spanbridge.run.shard_store import Shards, StepFacts
from spanbridge.steps.base import Step

# Deaths of workers between which no shard was finished, after which a run ends.
_DEATHS = 3
# Seconds that workers have to end once one has found that nothing is left to make; one that hangs
# would hold up the run.
_GRACE = 10.0
# Seconds after which it is said that nothing was made.
_QUIET = 600.0
_NOTHING = (
    "nothing was made for {:.0f} minutes: a step learns, a server does not answer, a worker finds "
    "no place, or one hangs (which is ended once it has passed no row for {:g} minutes, the "
    "setting patience)"
)
# What to do if one worker after the other ends.
_SHORT = "if memory is short, take fewer workers, or smaller shards (shard_rows)"
_SLOW = "if they are only slow, give them more patience"
# Seconds after which those who watch hear that nothing is new, and between two words of what a
# worker has used.
TICK = 0.5

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
        steps = dict(enumerate(self._steps, 1))
        self._maker = Maker(steps, shards, self._claims, self._progress, costs)
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
        since: number of deaths in its pool before it was started.
        passing: when it last said that rows of its shard are passing; None if none are.
    """

    n: int
    since: int = 0
    passing: float | None = None

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
    """What starts workers somewhere. They send :func:`spanbridge.run.messages.messages`."""

    @property
    def places(self) -> Sequence[Pool]:
        """The pool of each worker that there is to be."""
        ...

    def start(self, n: int) -> Worker:
        """Start the n-th worker."""
        ...

    def wait(self, workers: Sequence[Worker], seconds: float | None) -> Sequence[Worker]:
        """Wait until some of the workers have said something, or have died; these."""
        ...

    def moved(self, workers: Sequence[Worker]) -> bool:
        """Change the places if workers cannot get theirs; True if all are to be started anew."""
        ...

    def close(self) -> None:
        """Give back what was started beside the workers."""
        ...


class Workers(Crew):
    """Workers that an engine has started, and their messages, one after the other.

    Args:
        patience: minutes after which one that has passed no row of its shard is ended.
    """

    def __init__(self, engine: Engine, progress: Progress, patience: float) -> None:
        self._engine, self._progress, self._patience = engine, progress, patience
        self._foretold: set[int] = set()  # steps of which was said what they will cost
        self._shards: Shards | None = None
        self._running: list[Worker] = []
        self._ended: list[Figures] = []
        self._finished: set[Pool] = set()  # nothing is left for them
        self._facts: dict[int, StepFacts] = {}
        self._n_ready = self._n_lost = 0
        self._in_a_row, self._deaths = Counter[Pool](), Counter[Pool]()
        self._used: dict[Worker, Used] = {}
        try:
            self._start_all()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *error: object) -> None:
        """End all of them."""
        while self._running:
            self._running.pop().end()
        self._engine.close()

    def _start_all(self) -> None:
        for n in range(len(self._engine.places)):
            self._start(n)

    def _pool(self, worker: Worker) -> Pool:
        return self._engine.places[worker.n]

    def _start(self, n: int) -> None:
        try:
            worker = self._engine.start(n)
        except (PicklingError, TypeError, AttributeError) as error:
            why = f"a part cannot be given to another process ({error}); take one worker"
            raise SpanbridgeError(f"workers: {why}") from error
        worker.since = self._deaths[self._pool(worker)]
        self._running.append(worker)
        if self._shards is not None:
            worker.send(self._shards)

    def facts(self) -> tuple[StepFacts, ...]:
        """Facts of the steps, which the first worker of each pool that has opened them tells."""
        while len(self._facts) < self._last:
            self._hear(TICK)
        return tuple(self._facts[s] for s in range(1, self._last + 1))

    @property
    def _last(self) -> int:
        """Number of the last step."""
        return max(s for pool in self._engine.places for s in pool.steps)

    @property
    def _over(self) -> bool:
        """Nothing is left to be made; then the last step, too, is done with all shards."""
        return any(self._last in pool.steps for pool in self._finished)

    def begin(self, shards: Shards) -> None:
        """Say which shards there are to be."""
        self._shards = shards
        for worker in self._running:
            worker.send(shards)
        while not self._n_ready:  # the keys depend on what steps bring to learn from
            self._hear(TICK)

    def made(self) -> Iterator[Part]:
        """Follow them until all have ended; those that hang then are ended."""
        since = time.monotonic()  # nothing was made
        while self._running and not self._over:
            found = self._hear(TICK) or [Part()]
            now = time.monotonic()
            if any(part.rows or part.saved for part in found):
                since = now
            elif now - since >= _QUIET:
                told = _NOTHING.format(_QUIET / 60, self._patience)
                warnings.warn(told, NoteWarning, stacklevel=2)
                since = now
            yield from found
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
            {key: value for one in each for key, value in one.learned.items()},
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
                self._replace(worker, str(error), _SHORT)
                continue
            if message is not None:
                self._take(worker, *message, found)
        self._end_hanging()
        left = [one for one in self._running if self._pool(one) not in self._finished]
        if not self._over and self._engine.moved(left):
            self._n_lost += sum(worker in self._used for worker in self._running)
            while self._running:
                self._running.pop().end()
            self._start_all()
        return found

    def _end_hanging(self) -> None:
        """End those that have passed no row for too long, and start others in their places."""
        latest = time.monotonic() - 60 * self._patience
        for worker in list(self._running):
            if worker.passing is not None and worker.passing < latest:
                how = f"after {self._patience:g} minutes in which no row passed (patience)"
                told = f"a worker was ended {how}; another takes its shard"
                warnings.warn(told, NoteWarning, stacklevel=2)
                self._replace(worker, how, _SLOW)

    def _take(self, worker: Worker, what: str, content: Any, found: list[Part]) -> None:
        """Take a message."""
        if what == "made":
            found.append(content)
            worker.passing = time.monotonic() if content.passing else None
            if content.saved:
                del self._in_a_row[self._pool(worker)]
        elif what == "used":
            self._used[worker] = content
        elif what == "costs":
            for n, text in content:
                if n not in self._foretold:
                    tell(self._progress, text)
            self._foretold.update(n for n, _ in content)
        elif what == "facts":
            for s, own in content.items():
                _check_alike(self._facts.setdefault(s, own), own)
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
            self._finished.add(self._pool(worker))
            self._end(worker)

    def _end(self, worker: Worker) -> None:
        self._running.remove(worker)
        worker.end()

    def _replace(self, worker: Worker, how: str, remedy: str) -> None:
        """Start another worker in place of one that died. Raises SpanbridgeError if too many do.

        Those that die together, as on a machine that is lost, count as one.

        Args:
            how: how it ended.
            remedy: what to do if too many do.
        """
        self._end(worker)
        self._n_lost += 1
        self._used.setdefault(worker, Used(0, 0.0))
        pool = self._pool(worker)
        if worker.since == self._deaths[pool] or not self._in_a_row[pool]:
            self._deaths[pool] += 1
            self._in_a_row[pool] += 1
        if self._in_a_row[pool] >= _DEATHS:
            raise SpanbridgeError(
                f"{self._in_a_row[pool]} workers ended {how} one after the other, and nothing was "
                f"made in between; {remedy}"
            )
        if pool not in self._finished:
            self._start(worker.n)


def _check_alike(one: StepFacts, other: StepFacts) -> None:
    """Raise SpanbridgeError unless two workers make the same of the same rows in a step."""
    if one.described != other.described:
        raise SpanbridgeError(
            f"workers would not give the same results in the step {one.name}: one has "
            f"{one.described}, another {other.described}; install the same versions on all "
            "nodes, and take nodes with the same kind of processor"
        )
