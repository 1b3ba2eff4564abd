"""The shards of a run: where they lie, under which keys, and which of them are there.

A shard's name has a key made of its input rows, the settings and models of its step and of those
before, and the code's version: ``WORK/2-tag/00017-KEY.gz``. Beside it stands its record
(:mod:`spanbridge.core.records`), written last, with its digest and its account. If anything that a
shard depends on changes, so does its key. A shard in which a translation failed is made again by
the next session; until it is sound, what it holds is part of the keys of what is made of it.

All is told by names: a record ends in ``.json``, that of a shard with failures in ``.failed.json``.
So several processes and machines can work on the same shards, here or on another store
(:mod:`spanbridge.core.store`), and none reads what others have made to know that it is there.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from spanbridge.core import store
from spanbridge.core.addresses import is_remote, told
from spanbridge.core.errors import InputError, RepairWarning
from spanbridge.core.files import remove
from spanbridge.core.records import read_record, write_record
from spanbridge.core.rows import SentencePair
from spanbridge.core.signature import code_version
from spanbridge.formats.shard_files import read_shard, write_shard
from spanbridge.run.manifest import Manifest, digest_of
from spanbridge.run.reports import StepReport
from spanbridge.run.sample import sampled_of_each
from spanbridge.steps.account import Account
from spanbridge.steps.base import Step

_REMEDY = "made anew"
_SOUND, _FAILED = ".json", ".failed.json"  # ends of records
# Keys that are kept, since they are soon asked for again; bounds memory (3 MB).
_KEPT = 10_000


class DamageError(InputError):
    """A shard is damaged, and forgotten: a run that begins again makes it anew."""


@dataclass(frozen=True)
class StepFacts:
    """What a process that has not loaded a step's models is to know of it.

    Attributes:
        name: its name.
        described: all that its results depend on, before it has learned.
        parts: the same by names, for signatures.
        learns: it learns.
        one_to_one: each row gives one row.
        report: its report before it has done anything.
    """

    name: str
    described: str
    parts: Mapping[str, str]
    learns: bool
    one_to_one: bool
    report: StepReport

    @classmethod
    def of(cls, step: Step) -> StepFacts:
        """The facts of an open step that has not learned yet."""
        told = f"{step.describe()}|{code_version()}", step.signature_parts(), step.learns
        return cls(step.name, *told, step.one_to_one, StepReport.of(step))


class Shards:
    """The shards of a run. Step 0 is the input.

    Args:
        work: their folder.
        steps: facts of the steps.
        manifest: the shards of the input.
        fit_rows: rows that steps learn from, at most.
        session: name of this run, which all of its processes share.
    """

    def __init__(
        self,
        work: Path,
        steps: Sequence[StepFacts],
        manifest: Manifest,
        fit_rows: int,
        session: str,
    ) -> None:
        self.work, self.steps, self.manifest = work, steps, manifest
        self.listing = store.Listing()
        self.examples: dict[int, str] = {}  # digests of what steps bring to learn from
        self._fit_rows, self._session = fit_rows, session
        self._keys: dict[tuple[int, int], str] = {}
        self._learned: dict[int, str] = {}  # what steps learn from, as part of keys
        # by step and shard: 1 if it is there, without failures
        self._sound = [bytearray(self.n) for _ in range(len(steps) + 1)]
        self._failures: dict[tuple[int, int], str] = {}  # digests of those with failures
        self._tried: set[str] = set()  # keys of these that this process has made

    @property
    def last(self) -> int:
        """Number of the last step."""
        return len(self.steps)

    @property
    def n(self) -> int:
        """Number of shards of each step."""
        return len(self.manifest.sizes)

    @cached_property
    def sample(self) -> dict[int, list[range]]:
        """Ranges of input rows that are learned from, by shard."""
        return sampled_of_each(self.manifest.sizes, self._fit_rows)

    @property
    def n_learned(self) -> int:
        """Number of input rows that are learned from."""
        return sum(len(rows) for ranges in self.sample.values() for rows in ranges)

    def key(self, s: int, k: int) -> str:
        """What the rows of a shard depend on, in one digest."""
        if s == 0:
            return self.manifest.digests[k]
        if (known := self._keys.get((s, k))) is not None:
            return known
        own = f"{self._given(s, k)}|{self.steps[s - 1].described}{self._learned_from(s)}"
        if len(self._keys) >= _KEPT:
            self._keys.clear()
        found = self._keys[s, k] = sha256(own.encode()).hexdigest()
        return found

    def learns_from(self, s: int, examples: str) -> None:
        """Say that a step learns from rows of its own, with their digest."""
        if self.examples.get(s) != examples:
            self.examples[s] = examples
            self._forget_all()

    def _learned_from(self, s: int) -> str:
        if not self.steps[s - 1].learns:
            return ""
        if s not in self._learned:
            own = self.examples.get(s)
            given = (f"|{self._given(s, n)}:{rows}" for n, rows in self.sample.items())
            told = "".join(given) if own is None else f"|{own}"
            self._learned[s] = f"|{sha256(told.encode()).hexdigest()}"
        return self._learned[s]

    def _given(self, s: int, k: int) -> str:
        """The key of the shard that another is made of, and what it holds if it has failures."""
        return self.key(s - 1, k) + self.failed(s - 1, k)

    def failed(self, s: int, k: int) -> str:
        """A digest of a shard's rows if translations in it failed; empty if none did."""
        if s == 0 or self._is_sound(s, k):
            return ""
        return str((self.record(s, k) or {}).get("failed", ""))

    def _is_sound(self, s: int, k: int) -> bool:
        """Check if a shard is there, without failures."""
        if self._sound[s][k]:
            return True
        if not self.listing.has(self._file(s, k, _SOUND)):
            return False
        self._note(s, k, "")
        return True

    def missing(self, s: int, k: int) -> bool:
        """Check if a shard is still to be made, or made again."""
        if self._is_sound(s, k):
            return False
        record = self.record(s, k)
        if record is None:
            return True
        return record.get("session") != self._session and self.key(s, k) not in self._tried

    def done(self, k: int, last: int | None = None) -> bool:
        """Check if a shard has passed all steps, and each failure in it was tried again.

        Args:
            last: the step up to which that is asked.
        """
        steps = range(1, 1 + (self.last if last is None else last))
        return not any(self.missing(s, k) for s in steps)

    def claim(self, k: int) -> str:
        """What is claimed to make a shard: not the shards of other pipelines in the same folder."""
        return f"shard {k} {self.manifest.digests[k]} {self._pipeline}"

    @cached_property
    def _pipeline(self) -> str:
        return sha256("|".join(step.described for step in self.steps).encode()).hexdigest()

    def n_left(self) -> int:
        """What is still to be made, in rows that pass all steps."""
        left = sum(
            size * sum(self.missing(s, k) for s in range(1, self.last + 1))
            for k, size in enumerate(self.manifest.sizes)
        )
        return -(-left // self.last)

    def refresh(self) -> None:
        """See what others have done to shards with failures."""
        for s, k in list(self._failures):
            self.record(s, k)

    def look(self, s: int, k: int) -> None:
        """See what others have done to a shard."""
        self.listing.look(self.path(s, k))

    def record(
        self, s: int, k: int, *, whole: bool = False, data: bytes | None = None
    ) -> dict[str, Any] | None:
        """The record of a finished shard; None if it is to be made, or made anew.

        Args:
            whole: check the shard's bytes too.
            data: the record's bytes, if they have been read.
        """
        path = self._record(s, k)
        if path is None:
            return None
        try:
            record = read_record(path, _REMEDY, alone=not whole, data=data)
            if record["key"] != self.key(s, k):
                raise InputError(path, None, f"is another shard's; {_REMEDY}")
        except InputError as error:
            if isinstance(error.__cause__, FileNotFoundError) and error.file == told(path):
                self.listing.remove(path)  # another made it anew, without failures
            else:
                self.drop(s, k, error)
            return None
        self._note(s, k, record.get("failed", ""))
        return record

    def _record(self, s: int, k: int) -> Path | None:
        """The path of a shard's record, if there is one."""
        for end in (_SOUND, _FAILED):
            if self.listing.has(path := self._file(s, k, end)):
                return path
        return None

    def _file(self, s: int, k: int, end: str) -> Path:
        # with one join, since paths are made more often than anything else
        return self.work.joinpath(self._name(s), f"{k:05}-{self.key(s, k)[:16]}{end}")

    def _note(self, s: int, k: int, failed: str) -> None:
        """Note a shard that is there, and the digest of what it holds if it has failures."""
        if failed != self._failures.get((s, k), ""):
            self._failures[s, k] = failed
            self._forget(s, k)
        if not failed and s:
            self._sound[s][k] = 1

    def _forget(self, s: int, k: int) -> None:
        """Drop the keys that depend on what a shard holds, and what is known by them."""
        if k in self.sample and any(step.learns for step in self.steps[s:]):
            self._forget_all()
        for later in range(s + 1, self.last + 1):
            self._keys.pop((later, k), None)
            self._sound[later][k] = 0

    def _forget_all(self) -> None:
        self._keys.clear()
        self._learned.clear()
        for known in self._sound:
            known[:] = bytes(len(known))

    def drop(self, s: int, k: int, error: InputError) -> None:
        """Forget a damaged shard, and say so."""
        warnings.warn(str(error), RepairWarning, stacklevel=2)
        if s:
            self._sound[s][k] = 0
        for end in (_SOUND, _FAILED):
            self._remove(self._file(s, k, end))

    def _remove(self, path: Path) -> None:
        if self.listing.has(path):
            with suppress(OSError, InputError):
                remove(path)
            self.listing.remove(path)

    def check(self) -> None:
        """Check all shards; damaged ones are named, and missing then."""
        for k in range(self.n):
            for s in range(1, self.last + 1):
                self.is_whole(s, k)

    def is_whole(self, s: int, k: int) -> bool:
        """Check a shard, on this machine with its bytes; elsewhere only if all of it is there.

        Bytes of another store are checked where they are needed.
        """
        if not is_remote(self.work):
            return self.record(s, k, whole=True) is not None
        path = self.path(s, k)
        if self._record(s, k) is None:
            return False
        if not self.listing.has(path):
            self.drop(s, k, InputError(path, None, f"is gone; {_REMEDY}"))
            return False
        return True

    def path(self, s: int, k: int) -> Path:
        """The file of a shard."""
        return self._file(s, k, ".gz")

    def folder(self, s: int) -> Path:
        """The folder of a step."""
        return self.work / self._name(s)

    def _name(self, s: int) -> str:
        return f"{s}-{self.steps[s - 1].name if s else 'read'}"

    def learned_folder(self, s: int) -> Path:
        """The folder of what a step has learned, from the sample as it is now."""
        keys = "|".join([self.key(s, k) for k in self.sample])
        return self.folder(s) / f"learned-{sha256(keys.encode()).hexdigest()[:16]}"

    def read(self, s: int, k: int) -> list[SentencePair]:
        """The rows of a finished shard. Raises DamageError if it is damaged, which is forgotten."""
        try:
            return read_shard(self.path(s, k))
        except InputError as error:
            damage = DamageError(error.file, None, f"{error.why.partition(';')[0]}; {_REMEDY}")
            self.drop(s, k, damage)
            raise damage from error

    def write(
        self,
        s: int,
        k: int,
        rows: Sequence[SentencePair],
        account: Account,
        seconds: float,
        kept: dict[str, Any] | None = None,
    ) -> None:
        """Write a shard, and its record.

        Args:
            seconds: time spent on its rows.
            kept: as from :meth:`~spanbridge.steps.base.Step.kept`.
        """
        notes: dict[str, Any] = {
            "key": self.key(s, k),
            "account": account.to_dict(whole=True),
            "seconds": round(seconds, 3),
            "rows": len(rows),
        }
        if kept is not None:
            notes |= {"failed": digest_of(rows), "kept": kept, "session": self._session}
            self._tried.add(notes["key"])
        path = self.path(s, k)
        digest = write_shard(path, rows)
        ends = (_FAILED, _SOUND) if notes.get("failed") else (_SOUND, _FAILED)
        record, other = (self._file(s, k, end) for end in ends)
        write_record(record, notes, {path: digest}, indent=None)
        for written in (path, record):
            self.listing.add(written)
        self._remove(other)
        self._note(s, k, notes.get("failed", ""))

    def report(self, made: Sequence[int], learning: Sequence[float]) -> list[StepReport]:
        """The reports of all steps, with what this run did of each.

        Raises DamageError if a record is damaged or gone.
        """
        reports = [StepReport("read"), *(facts.report for facts in self.steps)]
        for s, report in enumerate(reports):
            report.made, report.learning = made[s], learning[s]
            for notes in self._records(s):
                report.shards += 1
                report.rows += notes["rows"]
                report.seconds += notes["seconds"]
                report.account.merge(Account.from_dict(notes["account"]))
        return reports

    def _records(self, s: int) -> Iterator[dict[str, Any]]:
        """The records of all shards of a step."""
        paths = [self._record(s, k) or self.path(s, k) for k in range(self.n)]
        for k, data in enumerate(store.read_many(paths)):
            record = None if data is None else self.record(s, k, data=data)
            if record is None:
                raise DamageError(paths[k], None, f"is damaged or gone; {_REMEDY}")
            yield record
