"""Making the shards of a run: what each of its processes does, on any number of machines.

A process claims a shard (:mod:`spanbridge.core.claims`), lets its rows pass all steps, and saves
them after each. Before a step that learns (from a sample of the rows, see
:mod:`spanbridge.run.sample`) can work, somebody makes the shards of the sample and lets it learn;
the others do meanwhile what can be done without. What was learned stands in a folder, under a key
made of the sample's. So neither the size of shards nor the number of processes affects any result.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import chain
from pathlib import Path

from spanbridge.core.claims import Claims, holding
from spanbridge.core.errors import InputError, RepairWarning, SpanbridgeError
from spanbridge.core.files import reason
from spanbridge.core.progress import Progress
from spanbridge.core.rows import SentencePair
from spanbridge.core.temporary import unfinished_folder
from spanbridge.formats.shard_files import read_shard, write_shard
from spanbridge.run.manifest import POLL, digest_of
from spanbridge.run.shard_store import Shards
from spanbridge.run.stream import passed, tell_costs
from spanbridge.steps.account import Account
from spanbridge.steps.base import Step
from spanbridge.steps.raw_text import by_text

# Rows between two words on how far it is.
_TELL = 64
_NOTHING = Account()


class Maker:
    """Makes shards.

    Args:
        steps: the steps, open.
        shards: the shards.
        claims: claims of the work.
        progress: shows how far the learning is.
    """

    def __init__(
        self, steps: Sequence[Step], shards: Shards, claims: Claims, progress: Progress
    ) -> None:
        self._steps, self._shards, self._claims = steps, shards, claims
        self._progress = progress
        self._ready: dict[int, Path] = {}  # what steps have learned, by their numbers
        self._examples: dict[int, list[SentencePair]] = {}  # that steps bring
        self.made = [0] * (len(steps) + 1)  # shards of each step
        self.learning = [0.0] * (len(steps) + 1)  # seconds

    def open_examples(self) -> None:
        """Find the rows that steps bring to learn from, or wait for whoever does."""
        for s, step in enumerate(self._steps, 1):
            if step.learns and step.examples(()) is not None:
                rows = self._own_examples(s, step)
                self._examples[s], self._shards.examples[s] = rows, digest_of(rows)

    def _own_examples(self, s: int, step: Step) -> list[SentencePair]:
        shards = self._shards
        given = "|".join([*shards.manifest.digests, shards.steps[s - 1].described])
        path = shards.folder(s) / f"examples-{sha256(given.encode()).hexdigest()[:16]}.gz"
        while True:
            with suppress(InputError):  # it is not there, or damaged
                return read_shard(path)
            with holding(self._claims, path.name) as mine:
                if mine:
                    rows = chain.from_iterable(shards.read(0, k) for k in range(shards.n))
                    found = step.examples(rows)
                    assert found is not None
                    write_shard(path, found)
                    continue
            time.sleep(POLL)

    def make(self) -> Iterator[tuple[float, Account]]:
        """Make what is missing, until nothing is.

        Yields:
            Now and then: how much was done since, in rows (a row that passes one of four steps is a
            quarter of one), and what came out at the end of the steps.

        Raises:
            InputError, SpanbridgeError: as the steps do; a note names step and shard.
        """
        shards = self._shards
        first = list(shards.sample if any(step.learns for step in self._steps) else ())
        order = [*first, *sorted({*range(shards.n)} - {*first})]
        # rows that are sound now may change what a step learns, and so what others are made of
        while todo := [k for k in order if not shards.done(k)]:
            n_made = sum(self.made)
            for k in todo:
                if not shards.done(k):
                    yield from self._pass_on(k, self._learned_up_to())
            shards.refresh()
            if sum(self.made) == n_made:  # others are at work on what is left
                time.sleep(POLL)
        for s in self._examples:  # what the shards of an earlier session were made by
            while not self._learn(s):
                time.sleep(POLL)

    def _pass_on(self, k: int, last: int) -> Iterator[tuple[float, Account]]:
        """Make what is missing of a shard up to a step; nothing if another is at it."""
        shards = self._shards
        with holding(self._claims, shards.claim(k)) as mine:
            rows: list[SentencePair] | None = None
            for s in range(1, last + 1) if mine else ():
                if shards.missing(s, k):
                    rows = self._rows(s - 1, k) if rows is None else rows
                    account, share = Account(), shards.manifest.sizes[k] / shards.last
                    done: list[SentencePair] = []
                    for part in self._make(s, k, rows, account, done):
                        yield part * share, _NOTHING
                    yield 0.0, account if s == shards.last else _NOTHING
                    rows = done
                else:
                    rows = None

    def _rows(self, s: int, k: int) -> list[SentencePair]:
        """The rows of a finished shard, which is made anew if it is damaged."""
        try:
            return self._shards.read(s, k)
        except InputError as error:
            if s == 0:
                raise
            self._shards.drop(s, k, error)
            done: list[SentencePair] = []
            for _ in self._make(s, k, self._rows(s - 1, k), Account(), done):
                pass
            return done

    def _make(
        self,
        s: int,
        k: int,
        rows: list[SentencePair],
        account: Account,
        done: list[SentencePair],
    ) -> Iterator[float]:
        """Make a shard, and save it; yields now and then which part of its rows passed since."""
        shards, step = self._shards, self._steps[s - 1]
        record = shards.record(s, k) if shards.failed(s, k) else None
        with _naming(step.name, k):
            started, told = time.monotonic(), 0
            step.begin({} if record is None else record["kept"])
            for pair in step.run(rows, account):
                done.append(pair)
                if len(done) - told == _TELL:
                    yield min(_TELL, max(len(rows) - told, 0)) / len(rows)
                    told = len(done)
            seconds = time.monotonic() - started
            shards.write(s, k, done, account, seconds, step.kept())
        self.made[s] += 1
        yield max(len(rows) - told, 0) / len(rows)

    def _learned_up_to(self) -> int:
        """Number of the last step before which nothing is still to be learned, by this or others.

        What can be learned now is learned.
        """
        for s, step in enumerate(self._steps, 1):
            if step.learns and not self._learn(s):
                return s - 1
        return len(self._steps)

    def _learn(self, s: int) -> bool:
        """Let a step learn, or restore what it has learned; False if that cannot be yet."""
        shards, step = self._shards, self._steps[s - 1]
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
        step, rows = self._steps[s - 1], self._learning_rows(s)
        started = time.monotonic()
        step.fit(rows, self._progress)
        tell_costs([step], sum(self._shards.manifest.sizes), self._progress)
        try:
            with unfinished_folder(folder) as work:
                step.save(work)
        except (OSError, ValueError) as error:
            raise InputError(folder, None, f"cannot be written ({reason(error)})") from error
        step.load(folder)
        self.learning[s] += time.monotonic() - started

    def _restored(self, step: Step, folder: Path) -> bool:
        if not folder.is_dir():
            return False
        try:
            step.load(folder)
        except InputError as error:
            why = f"{error.why.partition(';')[0]}; learned anew"
            warnings.warn(str(InputError(error.file, None, why)), RepairWarning, stacklevel=2)
            return False
        return True

    def _learning_rows(self, s: int) -> list[SentencePair]:
        """The rows that a step learns from, as the steps before have made them."""
        if (examples := self._examples.get(s)) is not None:
            return passed(self._steps[: s - 1], examples)
        rows: list[SentencePair] = []
        for k, ranges in self._shards.sample.items():
            texts = self._texts(s, k)
            rows += [pair for part in ranges for n in part for pair in texts[n]]
        return rows

    def _texts(self, s: int, k: int) -> list[list[SentencePair]]:
        """The rows that a step gets for each input row of a shard."""
        rows, n = self._rows(s - 1, k), self._shards.manifest.sizes[k]
        if all(step.one_to_one for step in self._steps[: s - 1]):
            return [[pair] for pair in rows]
        texts = list(by_text(rows))
        if len(texts) != n:
            raise SpanbridgeError(
                f"the step {self._steps[s - 1].name} cannot learn from a sample, since a step "
                f"before it made {len(texts)} texts of {n}"
            )
        return texts


@contextmanager
def _naming(step: str, k: int) -> Iterator[None]:
    """Add to errors where they were met."""
    try:
        yield
    except Exception as error:
        error.add_note(f"in the step {step}, shard {k} (counted from 0)")
        raise
