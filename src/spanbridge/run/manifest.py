"""The input of a sharded run: read and cut once, and shared by all that work on it.

The rows stand in the shards of step 0, under the digests of what they hold. The manifest lists
these. It is a record (:mod:`spanbridge.core.records`), under a key made of what tells, without
reading them, whether files are the same: their sizes and times of change.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from spanbridge.core import remote
from spanbridge.core.addresses import address, is_remote
from spanbridge.core.claims import Claims, holding
from spanbridge.core.errors import InputError
from spanbridge.core.progress import Progress, Task
from spanbridge.core.records import read_record, write_record
from spanbridge.core.rows import SentencePair
from spanbridge.core.signature import code_version
from spanbridge.core.standard import on_disk
from spanbridge.core.store import Listing
from spanbridge.formats.base import Counts
from spanbridge.formats.shard_files import packed
from spanbridge.run.job import Job
from spanbridge.steps.base import chunks

# Words per shard, at most, unless one row has more.
SHARD_WORDS = 2_000_000
# Seconds for which a file has to be unchanged before its times tell whether it is the same: one
# that is written twice within the clock's resolution has the same times.
_SETTLED = 2.0
# Seconds between two looks for what another is making.
POLL = 0.2


@dataclass(frozen=True)
class Manifest:
    """What the shards of the input are.

    Attributes:
        digests: of the rows of each shard, and of the code that reads them.
        sizes: number of rows of each.
        notes: what was counted in reading.
    """

    digests: Sequence[str] = ()
    sizes: Sequence[int] = ()
    notes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, record: dict[str, Any]) -> Manifest:
        """The manifest that a record holds."""
        return cls(tuple(record["digests"]), tuple(record["sizes"]), record["notes"])

    def to_dict(self) -> dict[str, Any]:
        """For a record."""
        return {"digests": self.digests, "sizes": self.sizes, "notes": self.notes}


def pieces(job: Job, counts: Counts, progress: Progress) -> Iterator[list[SentencePair]]:
    """The rows of each shard of the input. Raises InputError, with the line, if it is wrong."""
    rows = progress(job.open_rows(counts), Task("read"))
    return chunks(rows, job.shard_rows, SHARD_WORDS)


def shared_manifest(
    job: Job,
    place: Path,
    claims: Claims,
    read: Callable[[], Manifest],
    is_whole: Callable[[Manifest], bool],
) -> Manifest:
    """The manifest of a job's input: one that is there, or else of the input as it is read.

    Args:
        job: the job.
        place: folder of manifests.
        claims: claims of the work; others wait for whoever reads.
        read: function that reads the input, makes its shards and returns the manifest.
        is_whole: function that tells whether the shards of a manifest are there.

    Raises:
        InputError: the input is wrong.
    """
    key, listing = _key(job), Listing()
    path = place / f"input-{key[:16]}.json"
    while True:
        found = _known(path, key) if listing.has(path) else None
        if found is not None and is_whole(found):
            return found
        with holding(claims, f"input {key}") as mine:
            if mine:
                began = time.time()
                manifest = read()
                if _key(job) == key and _settled(job, began):
                    write_record(path, {"key": key, **manifest.to_dict()}, indent=None)
                return manifest
        time.sleep(POLL)


def _known(path: Path, key: str) -> Manifest | None:
    try:
        record = read_record(path, "made anew")
    except InputError:
        return None
    return Manifest.of(record) if record.get("key") == key else None


def _key(job: Job) -> str:
    """What tells whether the input is the same, as far as can be told without reading it."""
    found = [(address(path), *_state(path)) for path in job.input_files]
    given = [found, job.reading_settings, job.shard_rows, SHARD_WORDS, code_version()]
    return sha256(json.dumps(given).encode("utf-8", "backslashreplace")).hexdigest()


def _state(path: Path) -> tuple[Any, ...]:
    if is_remote(path):
        found = remote.state(path)
        return () if found is None else (found[0], 0, found[1])
    try:
        about = on_disk(path).stat()
    except OSError:
        return ()
    return about.st_size, about.st_mtime_ns, about.st_ctime_ns


def _settled(job: Job, began: float) -> bool:
    """Check if no file was changed so late that its times could be those of another state."""
    times = [_state(path)[1] for path in job.input_files if _state(path)]
    return all(began - ns / 1e9 >= _SETTLED for ns in times)


def digest_of(rows: Iterable[SentencePair]) -> str:
    """Digest of rows, and of the code that reads them."""
    return sha256(code_version().encode() + packed(list(rows))).hexdigest()
