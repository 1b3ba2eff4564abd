"""The sharded runner, which saves every shard of every step so that a killed run can be resumed.

The same work is done by one process, by several (:mod:`spanbridge.run.engines`), or by any number
of machines that share the folder, which may lie on an object store: all take what is missing.
Finished shards (:mod:`spanbridge.run.shard_store`) are not made again, damaged ones are. One of the
machines writes the output, shard by shard while others are made. Files appear whole or not at all.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from hashlib import sha256
from itertools import count
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

from spanbridge.core.addresses import is_remote
from spanbridge.core.claims import Claims, holding
from spanbridge.core.errors import InputError
from spanbridge.core.files import alone, reason
from spanbridge.core.progress import Progress, Task, silent
from spanbridge.core.records import read_record, write_record
from spanbridge.core.standard import is_standard
from spanbridge.core.store import absolute
from spanbridge.core.store_claims import claims_in
from spanbridge.core.temporary import private_folder, sweep
from spanbridge.formats.base import Counts
from spanbridge.run.board import Board, Whole
from spanbridge.run.engines import crew_of
from spanbridge.run.job import Job, deterministic, signature_of
from spanbridge.run.manifest import POLL, Manifest, digest_of, pieces, shared_manifest
from spanbridge.run.reports import Meter, Part, StepReport
from spanbridge.run.result import (
    Run,
    finish,
    manifest_path,
    open_result,
    rejects_path,
    whole_account,
)
from spanbridge.run.shard_store import DamageError, Shards
from spanbridge.run.workers import Crew, Figures
from spanbridge.steps.account import Account
from spanbridge.steps.raw_text import in_plain_words

T = TypeVar("T")
# Times that a run begins, if it comes upon damage.
_TRIES = 5


@deterministic
def run(job: Job, progress: Progress = silent) -> tuple[Run, list[StepReport]]:
    """Run or resume a pipeline.

    Returns:
        The result, and the figures of each step.

    Raises:
        InputError: the input is wrong, or a folder cannot be written to.
        SpanbridgeError: a setting is wrong, or something that a step needs is missing.
    """
    return _whole(job, progress, lambda going: (going.end(), going.reports))


@deterministic
def prepare(job: Job, progress: Progress = silent) -> list[StepReport]:
    """Make the shards of all steps, from which other runs in the same folder go on; no output.

    Returns:
        The figures of each step.

    Raises:
        InputError, SpanbridgeError: as :func:`run`.
    """

    def make(going: _ShardedRun) -> list[StepReport]:
        going.make()
        return going.reports

    return _whole(job, progress, make)


def _whole(job: Job, progress: Progress, do: Callable[[_ShardedRun], T]) -> T:
    """Do something with a run; once more if that came upon damage, which is forgotten then."""
    for n in count(1):
        try:
            with _going(job, progress) as going:
                return do(going)
        except DamageError:
            if n == _TRIES:
                raise
    raise AssertionError


@contextmanager
def _going(job: Job, progress: Progress) -> Iterator[_ShardedRun]:
    """A run whose input has been cut into shards."""
    job.check_work()
    meter = Meter()
    steps = job.open_steps() if job.alone else ()
    with ExitStack() as stack:
        work = job.work or stack.enter_context(private_folder())
        if not is_remote(work):
            try:
                work.mkdir(parents=True, exist_ok=True)
            except (OSError, ValueError) as error:
                raise InputError(job.work, None, f"cannot be made ({reason(error)})") from error
            sweep(work, deep=True)
        claims = claims_in(absolute(work) / ".claims")
        claims.clear()
        session = secrets.token_hex(8)
        crew = stack.enter_context(crew_of(job, steps, work, claims, progress))
        n_made, read = [0], partial(_cut, job, work, progress)

        def cut() -> Manifest:
            manifest, n_made[0] = read()
            return manifest

        whole = partial(_is_whole, work)
        manifest = shared_manifest(job, work / "0-read", claims, cut, whole)
        shards = Shards(work, crew.facts(), manifest, job.fit_rows, session)
        shards.check()
        crew.begin(shards)
        yield _ShardedRun(job, shards, crew, claims, progress, meter, n_made[0])


def _cut(job: Job, work: Path, progress: Progress) -> tuple[Manifest, int]:
    """Read the input, and write those of its shards that are not there.

    Returns:
        The manifest, and the number of shards that were written.
    """
    counts, n_made = Counts(), 0
    digests: list[str] = []
    sizes: list[int] = []
    shards = Shards(work, (), Manifest(digests, sizes), 0, "")
    for n, rows in enumerate(pieces(job, counts, progress)):
        digests.append(digest_of(rows))
        sizes.append(len(rows))
        if shards.record(0, n, whole=True) is None:
            account = Account()
            account.statuses["read"] = len(rows)
            shards.write(0, n, rows, account, 0.0)
            n_made += 1
    return Manifest(digests, sizes, counts.notes()), n_made


def _is_whole(work: Path, manifest: Manifest) -> bool:
    """Check if all shards of an input are there."""
    shards = Shards(work, (), manifest, 0, "")
    damaged = [k for k in range(shards.n) if not shards.is_whole(0, k)]  # all of them are named
    return not damaged


class _KeysChangedError(Exception):
    """Rows were written that are not those of the result, since what failed was tried again."""


class _ShardedRun:
    """A run of which this process writes the output, unless another machine does.

    Attributes:
        reports: figures of each step, once all is made.
    """

    def __init__(
        self,
        job: Job,
        shards: Shards,
        crew: Crew,
        claims: Claims,
        progress: Progress,
        meter: Meter,
        n_read: int,
    ) -> None:
        self._job, self._shards, self._crew = job, shards, crew
        self._claims, self._progress, self._n_read = claims, progress, n_read
        self._figures, self._output = Figures(), f"output {job.output}"
        self._meter, self._n_rows = meter, 0.0
        self._board = Board([facts.report.fresh() for facts in shards.steps], crew.workers)
        self.reports: list[StepReport] = []

    def make(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Make all shards that are missing.

        Args:
            meanwhile: function that is called whenever more shards may be there.
        """
        shards, board = self._shards, self._board
        whole = board.whole = Whole(shards.manifest.sizes, shards.done)
        left = shards.n_left()
        name = "+".join(step.name for step in shards.steps)
        task = Task(name, left, size=attrgetter("rows"), board=board)

        def passing() -> Iterator[Part]:
            for part in self._crew.made():
                board.add(part)
                self._n_rows += part.rows
                if part.shards:
                    meanwhile()
                whole.look()
                task.others = whole.others
                yield part

        show = self._progress if left else silent
        for _ in show(passing(), task):
            pass
        shards.listing.forget()  # others may have made the last ones just now
        shards.refresh()
        self._figures = self._crew.figures()
        made = [self._n_read, *self._figures.made[1:]]
        self.reports = shards.report(made, self._figures.learning)
        for own, seconds in zip(board.reports, self._figures.learning[1:], strict=False):
            own.learning = seconds

    def end(self) -> Run:
        """Make the missing shards, and write the output if no other machine does."""
        if not all(map(self._shards.done, range(self._shards.n))):
            with holding(self._claims, self._output) as mine:
                if mine:
                    with suppress(_KeysChangedError):
                        return self._write(self.make)
        if not self.reports:
            self.make()
        while True:
            with holding(self._claims, self._output) as mine:
                if mine:
                    return self._kept() or self._write()
            time.sleep(POLL)

    def _write(self, make: Callable[[Callable[[], None]], None] | None = None) -> Run:
        """Write the output, shard by shard, while they are made."""
        job, shards = self._job, self._shards
        account = Account()
        written: list[str] = []  # keys of shards

        def write_more() -> None:
            while len(written) < shards.n and shards.done(len(written)):
                k = len(written)
                for pair in shards.read(shards.last, k):
                    write(in_plain_words(pair))
                written.append(shards.key(shards.last, k))

        with alone(job.output, wait=True):
            with open_result(
                job.output, job.output_format, job.output_side, lambda: account, **job.writing
            ) as write:
                if make is not None:
                    make(write_more)
                write_more()
                if written != self._keys():
                    raise _KeysChangedError
                account = whole_account(self.reports, shards.manifest.notes)
            kept = {**self._learned, **job.pipeline}
            return self._keep(finish(job.output, job.inputs, self._line(), account, kept))

    @property
    def _learned(self) -> dict[str, Any]:
        return self._figures.learned

    def _keys(self) -> list[str]:
        """Keys of the shards that the output is made of."""
        return [self._shards.key(self._shards.last, k) for k in range(self._shards.n)]

    def _line(self) -> str:
        steps = self._shards.steps
        parts = [step.parts for step in steps]
        return signature_of(steps, parts, self._shards.n_learned, self._job.reading)

    def _record_path(self) -> Path:
        name = sha256(str(self._job.output).encode("utf-8", "backslashreplace")).hexdigest()
        return self._shards.folder(0) / f"output-{name[:16]}.json"

    def _key(self) -> str:
        """All that the output and the files beside it depend on."""
        job = self._job
        given = [job.output, job.output_format, job.output_side, repr(job.writing), self._line()]
        given += [repr(job.inputs), repr(self._shards.manifest.notes), *self._keys()]
        return sha256("\0".join(given).encode("utf-8", "backslashreplace")).hexdigest()

    def _keep(self, done: Run) -> Run:
        """Keep a record of the output, by which other machines know that it is written."""
        if not is_standard(done.output):
            files = [Path(done.output), manifest_path(done.output)]
            files += [] if done.rejects is None else [Path(done.rejects)]
            content = {"key": self._key(), "account": done.account.to_dict(whole=True)}
            write_record(self._record_path(), content, files, indent=None)
        return self._with_cost(done)

    def _kept(self) -> Run | None:
        """The output if it is there as it is to be."""
        try:
            record = read_record(self._record_path(), "written anew")
        except InputError:
            return None
        if record["key"] != self._key():
            return None
        job, account = self._job, Account.from_dict(record["account"])
        rejects = str(rejects_path(job.output)) if account.rejects else None
        inputs = {role: path for role, path in job.inputs.items() if path is not None}
        done = Run(job.output, inputs, self._line(), account, rejects, None, self._learned)
        return self._with_cost(done)

    def _with_cost(self, done: Run) -> Run:
        found, reports = self._figures, self._board.reports
        return replace(done, cost=self._meter.cost(self._n_rows, reports, found.used, found.lost))
