"""Making the shards of a run: what each of its processes does, on any number of machines.

A process claims a shard (:mod:`spanbridge.core.claims`), lets its rows pass all steps, and saves
them after each. One that has some of the steps only (:mod:`spanbridge.run.pools`) makes theirs once
others have made those before, from what these have saved. Before a step that learns (from a sample
of the rows, see :mod:`spanbridge.run.sample`) can work, somebody makes the shards of the sample and
lets it learn; the others do meanwhile what can be done without. What was learned stands in a
folder, under a key made of the sample's. So neither the size of shards nor the number of processes
affects any result.
"""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import chain
from pathlib import Path
from random import Random

from spanbridge.core.claims import Claims, holding
from spanbridge.core.errors import InputError, RepairWarning, SpanbridgeError
from spanbridge.core.files import reason
from spanbridge.core.folders import folder_here, new_folder
from spanbridge.core.progress import Progress
from spanbridge.core.rows import SentencePair
from spanbridge.formats.shard_files import read_shard, write_shard
from spanbridge.run.costs import Costs
from spanbridge.run.manifest import POLL, digest_of
from spanbridge.run.reports import Part, StepReport
from spanbridge.run.shard_store import DamageError, Shards
from spanbridge.run.stream import passed
from spanbridge.run.turns import Turns
from spanbridge.steps.account import Account
from spanbridge.steps.base import Step
from spanbridge.steps.raw_text import by_text

# Seconds between two words on how far it is with a shard.
_TELL = 0.5


class Maker:
    """Makes shards.

    Args:
        steps: the steps that it makes, open, by their numbers, in order. With one that brings rows
            to learn from come all steps before it.
        shards: the shards.
        claims: claims of the work.
        progress: shows how far the learning is.
        costs: says what steps will ask of chat models.
    """

    def __init__(
        self,
        steps: Mapping[int, Step],
        shards: Shards,
        claims: Claims,
        progress: Progress,
        costs: Costs,
    ) -> None:
        self._steps, self._shards, self._claims = steps, shards, claims
        self._progress, self._costs = progress, costs
        self._last = max(steps)
        self._able: int | None = None  # the last step that can work, if that is known
        self._ready: dict[int, Path] = {}  # what steps have learned, by their numbers
        self._examples: dict[int, list[SentencePair]] = {}  # that steps bring
        # what is still to be told, and since when
        self._part, self._told = Part(), time.monotonic()
        self.made = [0] * (shards.last + 1)  # shards of each step
        self.learning = [0.0] * (shards.last + 1)  # seconds

    def open_examples(self) -> None:
        """Find the rows that steps bring to learn from, or wait for whoever does."""
        for s, step in self._steps.items():
            if step.learns and step.examples(()) is not None:
                rows = self._own_examples(s, step)
                self._examples[s] = rows
                self._shards.learns_from(s, digest_of(rows))

    def _own_examples(self, s: int, step: Step) -> list[SentencePair]:
        shards = self._shards
        given = "|".join([*shards.manifest.digests, shards.steps[s - 1].described])
        path = shards.folder(s) / f"examples-{sha256(given.encode()).hexdigest()[:16]}.gz"
        while True:
            if shards.listing.has(path):
                with suppress(InputError):  # it is damaged
                    return read_shard(path)
            with holding(self._claims, path.name) as mine:
                if mine:
                    rows = chain.from_iterable(shards.read(0, k) for k in range(shards.n))
                    found = step.examples(rows)
                    assert found is not None
                    write_shard(path, found)
                    return found
            time.sleep(POLL)

    def make(self) -> Iterator[Part]:
        """Make what is missing, until nothing is.

        Yields:
            Now and then, and at the end: what was made since.

        Raises:
            InputError, SpanbridgeError: as the steps do; a note names step and shard.
        """
        shards, n_made = self._shards, 0
        first = list(shards.sample if any(step.learns for step in shards.steps) else ())
        turns = Turns(first, shards.n, self._done, Random(), self._due)
        for k in turns:
            before = sum(self.made)
            if k is not None:
                yield from self._pass_on(k)
                if sum(self.made) > before:
                    turns.taken()
                self._able = None
                continue
            self._able = None
            # rows that are sound now may change what a step learns, and so what others are made of
            shards.refresh()
            if n_made == before:  # others are at work on what is left
                time.sleep(POLL)
                yield self._taken()
            n_made = before
        for s in self._examples:  # what the shards of an earlier session were made by
            while not self._learn(s):
                time.sleep(POLL)
        yield self._taken()

    def _taken(self, passing: bool = False) -> Part:
        """What was made since the last word of it."""
        found, self._part, self._told = self._part, Part(), time.monotonic()
        found.passing = passing
        return found

    def _done(self, k: int) -> bool:
        """Check if a shard has passed all steps that are made here."""
        return self._shards.done(k, self._last)

    def _due(self, k: int) -> bool:
        """Check if a shard can be made by now; what can be learned by then is learned."""
        return next(self._next(k), None) is not None

    def _next(self, k: int) -> Iterator[int]:
        """Steps whose shard is missing and can be made, since there is what it is made of."""
        if self._able is None:
            self._able = self._learned_up_to()
        for s in self._steps:
            if s <= self._able and self._shards.missing(s, k) and self._shards.done(k, s - 1):
                yield s

    def _pass_on(self, k: int) -> Iterator[Part]:
        """Make what can be made of a shard; nothing if another is at it."""
        shards = self._shards
        rows: list[SentencePair] = []
        last = None  # the step that has made these
        with holding(self._claims, shards.claim(k)) as mine:
            for s in self._next(k) if mine else ():
                if last is None:
                    shards.look(s, k)  # another may have made it just before
                    if not shards.missing(s, k):
                        continue
                given = rows if last == s - 1 else self._rows(s - 1, k)
                rows, last = [], s
                yield from self._make(s, k, given, rows)
        if self._part.saved:
            yield self._taken()

    def _rows(self, s: int, k: int) -> list[SentencePair]:
        """The rows of a finished shard, which is made anew if it is damaged.

        Raises DamageError if others have to make it anew, or to read the input anew.
        """
        try:
            return self._shards.read(s, k)
        except DamageError:
            if s not in self._steps:
                raise
            done: list[SentencePair] = []
            for _ in self._make(s, k, self._rows(s - 1, k), done):
                pass
            return done

    def _make(
        self, s: int, k: int, rows: list[SentencePair], done: list[SentencePair]
    ) -> Iterator[Part]:
        """Make a shard, and save it; yields as :meth:`make`.

        Args:
            done: gets its rows.
        """
        shards, step, account = self._shards, self._steps[s], Account()
        record = shards.record(s, k) if shards.failed(s, k) else None
        with _naming(step.name, k):
            if step.asks:
                self._costs.foretell(s - 1, step, rows, shards.manifest.sizes[k])
            yield self._taken(passing=True)  # costs are heard before anything is asked
            passing = _Passing(step.name, account)
            worth = shards.manifest.sizes[k] / shards.last  # of all rows, in rows of the input
            before = 0.0

            def tell(share: float) -> None:
                nonlocal before
                self._part.add(s, passing.since(len(done)), worth * (share - before))
                before = share

            step.begin({} if record is None else record["kept"])
            for pair in step.run(rows, account):
                done.append(pair)
                if time.monotonic() - self._told >= _TELL:
                    tell(min(len(done) / len(rows), 1.0))
                    yield self._taken(passing=True)
                    passing.go_on()
            tell(1.0)
            shards.write(s, k, done, account, passing.seconds, step.kept())
        self.made[s] += 1
        self._part.saved += 1
        if s == shards.last:
            self._part.shards.append(k)

    def _learned_up_to(self) -> int:
        """Number of the last step before which nothing is still to be learned here, or by others.

        What can be learned now is learned.
        """
        for s, step in self._steps.items():
            if step.learns and not self._learn(s):
                return s - 1
        return self._last

    def _learn(self, s: int) -> bool:
        """Let a step learn, or restore what it has learned; False if that cannot be yet."""
        shards, step = self._shards, self._steps[s]
        own = s in self._examples
        if not own and any(shards.missing(n, k) for k in shards.sample for n in range(1, s)):
            return False
        folder = shards.learned_folder(s)
        if self._ready.get(s) == folder:
            return True
        if not self._restored(step, folder):
            with holding(self._claims, folder.name) as mine:
                if not mine:
                    return False
                if not self._restored(step, folder):  # nor meanwhile
                    self._fit(s, folder)
        self._ready[s] = folder
        return True

    def _fit(self, s: int, folder: Path) -> None:
        """Let a step learn, and save it; those before it have learned."""
        shards, step, rows = self._shards, self._steps[s], self._learning_rows(s)
        started = time.monotonic()
        step.fit(rows, self._progress)
        if s not in self._examples:
            self._costs.foretell(s - 1, step, rows, shards.n_learned)
        try:
            with new_folder(folder, shards.listing) as work:
                step.save(work)
        except (OSError, ValueError) as error:
            raise InputError(folder, None, f"cannot be written ({reason(error)})") from error
        if not self._restored(step, folder):
            raise InputError(folder, None, "was learned and written, and cannot be read")
        self.learning[s] += time.monotonic() - started

    def _restored(self, step: Step, folder: Path) -> bool:
        """Load what a step has learned; False if nobody has kept that yet."""
        try:
            with folder_here(folder, self._shards.listing) as here:
                if here is None:
                    return False
                step.load(here)
        except InputError as error:
            why = f"{error.why.partition(';')[0]}; learned anew"
            warnings.warn(str(InputError(error.file, None, why)), RepairWarning, stacklevel=2)
            return False
        return True

    def _learning_rows(self, s: int) -> list[SentencePair]:
        """The rows that a step learns from, as the steps before have made them."""
        if (examples := self._examples.get(s)) is not None:
            return passed([self._steps[n] for n in range(1, s)], examples, self._costs)
        rows: list[SentencePair] = []
        for k, ranges in self._shards.sample.items():
            texts = self._texts(s, k)
            rows += [pair for part in ranges for n in part for pair in texts[n]]
        return rows

    def _texts(self, s: int, k: int) -> list[list[SentencePair]]:
        """The rows that a step gets for each input row of a shard."""
        rows, n = self._rows(s - 1, k), self._shards.manifest.sizes[k]
        if all(facts.one_to_one for facts in self._shards.steps[: s - 1]):
            return [[pair] for pair in rows]
        texts = list(by_text(rows))
        if len(texts) != n:
            raise SpanbridgeError(
                f"the step {self._steps[s].name} cannot learn from a sample, since a step "
                f"before it made {len(texts)} texts of {n}"
            )
        return texts


class _Passing:
    """What a step has done with a shard so far.

    Attributes:
        seconds: time that it took, without what was done in between.
    """

    def __init__(self, step: str, account: Account) -> None:
        self._step, self._account = step, account
        self._n, self._statuses = 0, Counter[str]()
        self.seconds = 0.0
        self.go_on()

    def go_on(self) -> None:
        """Count the time from now on."""
        self._since = time.monotonic()

    def since(self, n: int) -> StepReport:
        """What it has done since this was asked for last, if there are so many rows now."""
        account = Account(self._account.statuses - self._statuses)
        now = time.monotonic()
        found = StepReport(self._step, rows=n - self._n, seconds=now - self._since, account=account)
        self._n, self._statuses, self._since = n, self._account.statuses.copy(), now
        self.seconds += found.seconds
        return found


@contextmanager
def _naming(step: str, k: int) -> Iterator[None]:
    """Add to errors where they were met."""
    try:
        yield
    except Exception as error:
        error.add_note(f"in the step {step}, shard {k} (counted from 0)")
        raise
