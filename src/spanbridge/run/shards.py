"""The sharded runner, which saves every shard of every step so that a killed run can be resumed.

A shard's name has a key made of its input rows, the settings and models of its step and of those
before, and the code's version: ``WORK/2-tag/00017-KEY.gz``. Beside it stands its record
(:mod:`spanbridge.core.records`), written last, with its digest and its account. Finished shards are
not made again, damaged ones are; if anything that a shard depends on changes, so does its key.
Files appear whole or not at all.

A shard in which a translation failed is made again by the next run, which asks for the failed ones
alone. Until it is sound, what it holds is part of the keys of the shards that are made of it.

A step that learns (from a sample of the rows, see :mod:`spanbridge.run.sample`) saves what it has
learned in a folder, under a key made of the sample's. Neither the size of shards nor the number of
machines affects the sample or the result.
"""

from __future__ import annotations

import time
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, RepairWarning, SpanbridgeError
from spanbridge.core.files import alone, reason
from spanbridge.core.progress import Progress, Task, silent
from spanbridge.core.records import read_record, write_record
from spanbridge.core.rows import SentencePair
from spanbridge.core.signature import code_version
from spanbridge.core.temporary import private_folder, sweep, unfinished_folder
from spanbridge.formats.base import Counts
from spanbridge.formats.shard_files import read_shard, write_shard
from spanbridge.run.job import Job, deterministic, records, signature_of
from spanbridge.run.result import Run, StepReport, finish, open_result, whole_account
from spanbridge.run.sample import sampled
from spanbridge.run.stream import passed
from spanbridge.steps.account import Account, fates
from spanbridge.steps.base import Step, chunks
from spanbridge.steps.raw_text import by_text, in_plain_words

# Words per shard, at most, unless one row has more.
SHARD_WORDS = 2_000_000


@deterministic
def run(job: Job, progress: Progress = silent) -> tuple[Run | None, list[StepReport]]:
    """Run or resume a pipeline.

    Returns:
        The result, or None if other parts are still to be made; and the figures of each step.

    Raises:
        InputError: the input is wrong, or a folder cannot be written to.
        SpanbridgeError: a setting is wrong, or something that a step needs is missing.
    """
    with _going(job, progress) as going:
        return going.end(), going.reports


@deterministic
def prepare(job: Job, progress: Progress = silent) -> list[StepReport]:
    """Make the shards of all steps, from which other runs in the same folder go on; no output.

    Returns:
        The figures of each step.

    Raises:
        InputError, SpanbridgeError: as :func:`run`.
    """
    with _going(job, progress) as going:
        going.make()
        return going.reports


@contextmanager
def _going(job: Job, progress: Progress) -> Iterator[_ShardedRun]:
    """A run whose input has been cut into shards."""
    job.check_work()
    steps = job.open_steps()
    with ExitStack() as stack:
        try:
            work = job.work or stack.enter_context(private_folder())
            work.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            raise InputError(job.work, None, f"cannot be made ({reason(error)})") from error
        sweep(work, deep=True)
        going = _ShardedRun(job, work, steps, progress)
        going.read()
        yield going


class _ShardedRun:
    """State of a run."""

    def __init__(self, job: Job, work: Path, steps: tuple[Step, ...], progress: Progress) -> None:
        self._job, self._work, self._steps, self._progress = job, work, steps, progress
        self._parts = [step.signature_parts() for step in steps]
        self.reports = [StepReport("read")]
        self.reports += map(StepReport.of, steps)
        # before they have learned
        self._described = [f"{step.describe()}|{code_version()}" for step in steps]
        self._inputs: list[str] = []  # digests of the shards of the input
        self._keys: dict[tuple[int, int], str] = {}
        self._samples: dict[int, str] = {}  # keys of what each step learns from
        self._examples: dict[int, list[SentencePair] | None] = {}  # that steps bring
        self._now: set[str] = set()  # keys of the shards that this run has made
        self._sizes: list[int] = []
        self._records: dict[str, dict[str, Any]] = {}  # checked ones, by keys of shards
        self._ready: set[int] = set()  # indices of steps that have learned
        self._notes: dict[str, int] = {}  # on the input
        self._accounts: list[Account] = []  # of the shards of a step that this run makes

    def read(self) -> None:
        """Cut the input into shards."""
        counts, report = Counts(), self.reports[0]
        rows = self._progress(self._job.open_rows(counts), Task("read"))
        for n, chunk in enumerate(chunks(rows, self._job.shard_rows, SHARD_WORDS)):
            self._inputs.append(_digest(chunk))
            self._sizes.append(len(chunk))
            if self._record(0, n) is None:
                account = Account()
                account.statuses["read"] = len(chunk)
                self._write(0, n, chunk, account, 0.0)
                report.made += 1
        self._notes = counts.notes()

    def _key(self, s: int, k: int) -> str:
        """What the rows of a shard depend on, in one digest."""
        if s == 0:
            return self._inputs[k]
        if (s, k) not in self._keys:
            own = f"{self._given(s, k)}|{self._described[s - 1]}{self._learned_from(s)}"
            self._keys[s, k] = sha256(own.encode()).hexdigest()
        return self._keys[s, k]

    def _learned_from(self, s: int) -> str:
        if not self._steps[s - 1].learns:
            return ""
        if s not in self._samples:
            given = (f"|{self._given(s, n)}:{rows}" for n, rows in self._sample().items())
            examples = self._own_examples(s)
            self._samples[s] = "".join(given) if examples is None else f"|{_digest(examples)}"
        return self._samples[s]

    def _own_examples(self, s: int) -> list[SentencePair] | None:
        if s not in self._examples:
            self._examples[s] = self._steps[s - 1].examples(self._job.open_rows(None))
        return self._examples[s]

    def _given(self, s: int, k: int) -> str:
        """The key of the shard that another is made of, and what it holds if it has failures."""
        return self._key(s - 1, k) + self._failed(s - 1, k)

    def _failed(self, s: int, k: int) -> str:
        """A digest of a shard's rows if translations in it failed; empty if none did."""
        record = self._record(s, k) if s else None
        return "" if record is None else record.get("failed", "")

    def _forget_keys(self) -> None:
        """Drop the keys that do not know of a shard's failures, or still know of them."""
        self._keys.clear()
        self._samples.clear()

    def _missing(self, s: int, k: int) -> bool:
        """Check if a shard is still to be made, or made again."""
        return self._again(s, k) or self._record(s, k) is None

    def _again(self, s: int, k: int) -> bool:
        return bool(self._failed(s, k)) and self._key(s, k) not in self._now

    def _done(self, k: int) -> bool:
        """Check if a shard has passed all steps, and each failure in it was tried again."""
        return not any(self._missing(s, k) for s in range(1, len(self._steps) + 1))

    def make(self) -> None:
        """Make the missing shards of this part."""
        i, n = self._job.part
        last = len(self._steps)
        # rows that are sound now may change what a step learns, and so what others are made of
        while todo := [k for k in range(i - 1, len(self._sizes), n) if not self._done(k)]:
            for s in range(1, last + 1):
                missing = [k for k in todo if self._missing(s, k)]
                if not missing:
                    continue
                self._learn(s)
                self._accounts.clear()
                name = f"{self.reports[s].name} (step {s} of {last})"
                total = sum(self._sizes[k] for k in missing)
                task = Task(name, total, partial(fates, self._accounts))
                for _ in self._progress(self._made(s, missing), task):
                    pass
        for s, report in enumerate(self.reports):
            self._account(s, report)

    def end(self) -> Run | None:
        """Make the missing shards of this part; write the output once all parts are complete."""
        self.make()
        last, shards = len(self._steps), range(len(self._sizes))
        if not all(self._record(last, k) for k in shards):
            return None
        job = self._job
        account = whole_account(self.reports, self._notes)
        for s in range(1, last + 1):  # what shards of an earlier session were made by
            if self._steps[s - 1].learns and self._own_examples(s) is not None:
                self._learn(s)
        n_learned = sum(len(rows) for ranges in self._sample().values() for rows in ranges)
        line = signature_of(self._steps, self._parts, n_learned, job.reading)
        with alone(job.output, wait=True):  # another machine may have found all shards done, too
            with open_result(
                job.output, job.output_format, job.output_side, lambda: account, **job.writing
            ) as write:
                for k in shards:
                    for pair in read_shard(self._path(last, k)):
                        write(in_plain_words(pair))
            return finish(job.output, job.inputs, line, account, records(self._steps))

    def _made(self, s: int, missing: Iterable[int]) -> Iterator[SentencePair]:
        for k in missing:
            yield from self._make(s, k)

    def _make(self, s: int, k: int) -> Iterator[SentencePair]:
        """Make a missing shard: yield its rows, and write it at the end."""
        rows = self._shard(s - 1, k)
        self._learn(s)
        account, done, started = Account(), [], time.monotonic()
        self._accounts.append(account)
        step = self._steps[s - 1]
        record = self._record(s, k) if self._failed(s, k) else None
        step.begin({} if record is None else record["kept"])
        for pair in step.run(rows, account):
            done.append(pair)
            yield pair
        seconds = time.monotonic() - started
        self._write(s, k, done, account, seconds, step.kept())
        self.reports[s].made += 1

    def _write(
        self,
        s: int,
        k: int,
        rows: list[SentencePair],
        account: Account,
        seconds: float,
        kept: dict[str, Any] | None = None,
    ) -> None:
        notes: dict[str, Any] = {
            "key": self._key(s, k),
            "account": account.to_dict(whole=True),
            "seconds": round(seconds, 3),
            "rows": len(rows),
        }
        if kept is not None:
            notes |= {"failed": _digest(rows), "kept": kept}
        path = self._path(s, k)
        before = self._failed(s, k)
        write_shard(path, rows)
        write_record(path.with_suffix(".json"), notes, [path])
        self._now.add(notes["key"])
        self._records.pop(notes["key"], None)
        if before != notes.get("failed", ""):
            self._forget_keys()

    def _record(self, s: int, k: int) -> dict[str, Any] | None:
        """The record of a finished shard; None if it is to be made, or made anew."""
        key = self._key(s, k)
        path = self._path(s, k).with_suffix(".json")
        if key not in self._records and path.is_file():
            try:
                record = read_record(path, "made anew")
                if record["key"] != key:
                    raise InputError(path, None, "is another shard's; made anew")
                self._records[key] = record
                if record.get("failed"):
                    self._forget_keys()
            except InputError as error:
                warnings.warn(str(error), RepairWarning, stacklevel=2)
                with suppress(OSError):
                    path.unlink()
        return self._records.get(key)

    def _shard(self, s: int, k: int) -> list[SentencePair]:
        return read_shard(self._path(s, k)) if self._record(s, k) else list(self._make(s, k))

    def _path(self, s: int, k: int) -> Path:
        folder = self._work / f"{s}-{self.reports[s].name}"
        return folder / f"{k:05}-{self._key(s, k)[:16]}.gz"

    def _sample(self) -> dict[int, list[range]]:
        """Ranges of input rows that are learned from, by shard."""
        ends = list(accumulate(self._sizes))
        found: dict[int, list[range]] = {}
        for block in sampled(sum(self._sizes), self._job.fit_rows):
            first = block.start
            while first < block.stop:
                k = bisect_right(ends, first)
                start, stop = ends[k] - self._sizes[k], min(block.stop, ends[k])
                found.setdefault(k, []).append(range(first - start, stop - start))
                first = stop
        return found

    def _learn(self, s: int) -> None:
        """Fit a step, or restore what it has learned before."""
        step = self._steps[s - 1]
        if not step.learns or s in self._ready:
            return
        keys = "|".join([self._key(s, k) for k in self._sample()])
        folder = self._path(s, 0).parent / f"learned-{sha256(keys.encode()).hexdigest()[:16]}"
        if not self._restored(step, folder):
            rows = self._learning_rows(s)
            started = time.monotonic()
            step.fit(rows, self._progress)
            try:
                with unfinished_folder(folder) as work:
                    step.save(work)
            except (OSError, ValueError) as error:
                raise InputError(folder, None, f"cannot be written ({reason(error)})") from error
            step.load(folder)
            self.reports[s].learning += time.monotonic() - started
        self._ready.add(s)

    def _learning_rows(self, s: int) -> list[SentencePair]:
        """The rows that a step learns from, as the steps before have made them."""
        if (examples := self._own_examples(s)) is not None:
            for before in range(1, s):
                self._learn(before)
            return passed(self._steps[: s - 1], examples)
        rows: list[SentencePair] = []
        for k, ranges in self._sample().items():
            texts = self._texts(s, k)
            rows += [pair for part in ranges for n in part for pair in texts[n]]
        return rows

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

    def _texts(self, s: int, k: int) -> list[list[SentencePair]]:
        """The rows that a step gets for each input row of a shard."""
        rows = self._shard(s - 1, k)
        if all(step.one_to_one for step in self._steps[: s - 1]):
            return [[pair] for pair in rows]
        texts = list(by_text(rows))
        if len(texts) != self._sizes[k]:
            raise SpanbridgeError(
                f"the step {self.reports[s].name} cannot learn from a sample, since a step before "
                f"it made {len(texts)} texts of {self._sizes[k]}"
            )
        return texts

    def _account(self, s: int, report: StepReport) -> None:
        for k in range(len(self._sizes)):
            if (notes := self._record(s, k)) is not None:
                report.shards += 1
                report.rows += notes["rows"]
                report.seconds += notes["seconds"]
                report.account.merge(Account.from_dict(notes["account"]))


def _digest(rows: Iterable[SentencePair]) -> str:
    """Digest of rows, and of the code that reads them."""
    digest = sha256(code_version().encode())
    for pair in rows:
        digest.update(repr(pair).encode("utf-8", "backslashreplace") + b"\n")
    return digest.hexdigest()
