"""Pipelines over shards: every stage keeps every shard, so that a run survives being killed.

A shard stands under a key made of the rows that went in, the settings and models of its stage and
of those before, and the code's version: ``WORK/2-tag/00017-KEY.parquet``. What is there is not made
again; what depends on something else has another key. Files appear whole or not at all.

A stage that learns (from a sample: blocks of rows, spread evenly over all) keeps what it has
learned in a folder, under a key made of the sample's. Neither the size of shards nor the number of
machines changes a sample, nor anything else about the result.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError
from spanbridge.core.signature import code_version, signature
from spanbridge.core.spans import SentencePair
from spanbridge.data.conll import Counts
from spanbridge.data.formats import pair_writer
from spanbridge.data.parquet import read_notes, read_shard, sweep, temporary, write_shard
from spanbridge.pipeline.account import Account
from spanbridge.pipeline.files import Run, deterministic, finish
from spanbridge.pipeline.projection import FIT_PAIRS, Watch, chunks, unwatched
from spanbridge.pipeline.stages.base import Learner, Worker
from spanbridge.pipeline.stages.text import SENTENCE_OF, in_plain_words

SHARD_ROWS, MOST_ROWS = 2000, 1_000_000
# A sample is of so many rows at a time; shards of any size hold whole blocks or parts of them.
BLOCK = 250
Part = tuple[int, int]


@dataclass
class Passage:
    """How a stage went.

    Attributes:
        name: of the stage.
        shards: that there are of its results.
        made: of these, by this run.
        rows: that came out of it.
        seconds: that it worked on its shards, whichever run did, and learned in this run.
        account: of the shards that there are.
        licences: of the models that it works with.
    """

    name: str
    licences: dict[str, str] = field(default_factory=dict)
    shards: int = 0
    made: int = 0
    rows: int = 0
    seconds: float = 0.0
    account: Account = field(default_factory=Account)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        counts: dict[str, Any] = {"licences": self.licences} if self.licences else {}
        counts |= {"shards": self.shards, "made": self.made, "seconds": round(self.seconds, 3)}
        return {"stage": self.name, **counts, **self.account.to_dict()}

    def text(self) -> str:
        """For a person."""
        head = f"{self.name}: {self.rows} rows"
        if self.seconds:
            head += f", {self.seconds:.1f} s, {self.rows / self.seconds:.0f} rows/s"
        if self.shards > self.made:
            head += f"; {self.shards - self.made} of {self.shards} shards done before"
        lines = [head]
        if self.licences:
            named = (f"{name} {licence}" for name, licence in self.licences.items())
            lines.append(f"licence of the {', of the '.join(named)}")
        return "\n  ".join([*lines, *self.account.text().splitlines()])


@dataclass(frozen=True)
class Job:
    """What to run.

    Attributes:
        inputs: role -> path, for the account.
        open_rows: starts reading the input.
        workers: the stages in order, each with its name.
        work: folder for the shards.
        output: ``.jsonl`` or CoNLL.
        shard_rows: rows of a shard, at least 1.
        part: (i, n): only the shards i, i + n, ... counted from 1, for the i-th of n machines.
    """

    inputs: dict[str, str | None]
    open_rows: Callable[[Counts], Iterable[SentencePair]]
    workers: tuple[tuple[str, Worker], ...]
    work: Path
    output: str
    shard_rows: int = SHARD_ROWS
    part: Part = (1, 1)


@deterministic
def run(job: Job, watch: Watch = unwatched) -> tuple[Run | None, list[Passage]]:
    """Run a pipeline, or go on with one.

    Returns:
        The run, None where other parts are still to be made, and how each stage went.

    Raises:
        InputError: the input is wrong, or a folder cannot be written to.
        SpanbridgeError: a setting is wrong, or something that a stage needs is missing.
    """
    try:
        job.work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(job.work, None, f"cannot be made ({error.strerror})") from error
    sweep(job.work)
    going = _Going(job, watch)
    going.read()
    return going.end(), going.passages


class _Going:
    def __init__(self, job: Job, watch: Watch) -> None:
        self._job, self._watch = job, watch
        self._workers = [worker for _, worker in job.workers]
        self.passages = [Passage("read")]
        self.passages += (Passage(name, worker.licences()) for name, worker in job.workers)
        self._keys: list[list[str]] = [[] for _ in self.passages]
        self._sizes: list[int] = []
        self._ready: set[int] = set()  # stages that have learned
        self._notes: dict[str, int] = {}  # of the input

    def read(self) -> None:
        """Cut the input into shards, and know every shard's key in every stage."""
        counts, passage = Counts(), self.passages[0]
        rows = self._watch(self._job.open_rows(counts), None, "read")
        for n, chunk in enumerate(chunks(rows, self._job.shard_rows)):
            digest = sha256(code_version().encode())
            for pair in chunk:
                digest.update(repr(pair).encode("utf-8", "backslashreplace") + b"\n")
            self._keys[0].append(digest.hexdigest())
            self._sizes.append(len(chunk))
            if not self._path(0, n).is_file():
                account = Account()
                account.statuses["read"] = len(chunk)
                self._write(0, n, chunk, account, 0.0)
                passage.made += 1
        self._notes = {
            "orphan_tags": counts.n_orphans,
            "spans_widened_to_whole_words": counts.n_widened,
        }
        for s, worker in enumerate(self._workers, 1):
            parts = [worker.describe(), code_version()]
            if _learner(worker):
                parts += [f"{self._keys[s - 1][n]}:{rows}" for n, rows in self._sample().items()]
            own = "|".join(parts)
            for key in self._keys[s - 1]:
                self._keys[s].append(sha256(f"{key}|{own}".encode()).hexdigest())

    def end(self) -> Run | None:
        """Make what is missing of this part; write the output once nothing is."""
        i, n = self._job.part
        last = len(self._workers)
        todo = [k for k in range(i - 1, len(self._sizes), n) if not self._path(last, k).is_file()]
        for s in range(1, last + 1):
            missing = [k for k in todo if not self._path(s, k).is_file()]
            if not missing:
                continue
            total = sum(self._sizes[k] for k in missing)
            for _ in self._watch(self._made(s, missing), total, self.passages[s].name):
                pass
        shards = range(len(self._sizes))
        for s, passage in enumerate(self.passages):
            self._account(s, passage)
        if not all(self._path(last, k).is_file() for k in shards):
            return None
        with pair_writer(self._job.output) as out:
            for k in shards:
                for pair in self._read(last, k):
                    out.write(in_plain_words(pair))
        parts = {"task": "run"}
        for s, (name, worker) in enumerate(self._job.workers, 1):
            parts[f"{s}-{name}"] = worker.describe()
            if _learner(worker):
                n_rows = sum(b - a for ranges in self._sample().values() for a, b in ranges)
                parts[f"{s}-learned_on"] = f"{n_rows}_rows"
        account = self.passages[-1].account
        account.notes |= self._notes
        # whichever stage it was that rejected a row, or a sentence of one
        rejects = (reject for passage in self.passages for reject in passage.account.rejects)
        account.rejects = list(dict.fromkeys(rejects))
        return finish(self._job.output, self._job.inputs, signature(parts), account)

    def _made(self, s: int, missing: Iterable[int]) -> Iterator[SentencePair]:
        for k in missing:
            yield from self._make(s, k)

    def _make(self, s: int, k: int) -> Iterator[SentencePair]:
        """The rows of a shard that is not there, while they are made; then it is."""
        rows = self._shard(s - 1, k)
        self._learn(s)
        account, done, started = Account(), [], time.monotonic()
        for pair in self._workers[s - 1].work(rows, account):
            done.append(pair)
            yield pair
        seconds = time.monotonic() - started
        self._write(s, k, done, account, seconds)
        self.passages[s].made += 1

    def _write(
        self, s: int, k: int, rows: list[SentencePair], account: Account, seconds: float
    ) -> None:
        notes = {
            "key": self._keys[s][k],
            "account": account.to_dict(whole=True),
            "seconds": round(seconds, 3),
            "rows": len(rows),
        }
        write_shard(self._path(s, k), rows, notes)

    def _read(self, s: int, k: int) -> list[SentencePair]:
        path = self._path(s, k)
        if read_notes(path).get("key") != self._keys[s][k]:
            raise InputError(path, None, "is another shard under this one's name; delete it")
        return read_shard(path)

    def _shard(self, s: int, k: int) -> list[SentencePair]:
        if not self._path(s, k).is_file():
            return list(self._make(s, k))
        return self._read(s, k)

    def _path(self, s: int, k: int) -> Path:
        folder = self._job.work / f"{s}-{self.passages[s].name}"
        return folder / f"{k:05}-{self._keys[s][k][:16]}.parquet"

    def _sample(self) -> dict[int, list[tuple[int, int]]]:
        """Shard -> ranges of its input rows that are learned from."""
        size, total = self._job.shard_rows, sum(self._sizes)
        n_blocks = -(-total // BLOCK)
        n_wanted = min(n_blocks, FIT_PAIRS // BLOCK)
        found: dict[int, list[tuple[int, int]]] = {}
        for wanted in range(n_wanted):
            first = wanted * n_blocks // n_wanted * BLOCK
            end = min(first + BLOCK, total)
            while first < end:
                k = first // size
                stop = min(end, (k + 1) * size)
                found.setdefault(k, []).append((first - k * size, stop - k * size))
                first = stop
        return found

    def _learn(self, s: int) -> None:
        """Let a stage learn, or take up what it has learned before."""
        worker = _learner(self._workers[s - 1])
        if worker is None or s in self._ready:
            return
        keys = "|".join([self._keys[s][k] for k in self._sample()])
        name = f"learned-{sha256(keys.encode()).hexdigest()[:16]}"
        folder = self._path(s, 0).parent / name
        if not folder.is_dir():
            rows = []
            for k, ranges in self._sample().items():
                shard = _by_input_row(self._shard(s - 1, k))
                rows += [pair for a, b in ranges for group in shard[a:b] for pair in group]
            started = time.monotonic()
            watched = self._watch(rows, len(rows), f"{self.passages[s].name}: learn")
            work = temporary(folder)
            shutil.rmtree(work, ignore_errors=True)
            worker.learn(list(watched), work)
            try:
                work.rename(folder)
            except OSError:
                shutil.rmtree(work)
                if not folder.is_dir():
                    raise
                # another machine was faster, with the same result
            self.passages[s].seconds += time.monotonic() - started
        worker.recall(folder)
        self._ready.add(s)

    def _account(self, s: int, passage: Passage) -> None:
        for k in range(len(self._sizes)):
            path = self._path(s, k)
            if path.is_file():
                notes = read_notes(path)
                passage.shards += 1
                passage.rows += notes["rows"]
                passage.seconds += notes["seconds"]
                passage.account.merge(Account.from_dict(notes["account"]))


def _learner(worker: Worker) -> Learner | None:
    """The worker, if it has to learn."""
    return worker if isinstance(worker, Learner) and worker.learns else None


def _by_input_row(rows: list[SentencePair]) -> list[list[SentencePair]]:
    """Rows, those that were split from one put together again."""
    groups: list[list[SentencePair]] = []
    for pair in rows:
        whole = pair.extra.get(SENTENCE_OF)
        before = groups[-1][0].extra.get(SENTENCE_OF) if groups else None
        if whole is not None and before is not None and whole["id"] == before["id"]:
            groups[-1].append(pair)
        else:
            groups.append([pair])
    return groups
