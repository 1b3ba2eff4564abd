r"""The journal of a review: a line of JSON per action, on the disk before anybody is told so.

The first line says of which file it is. Each other one holds the whole state of a row after the
action, or what was decided of a convention. So the last action of a row is its state, and a journal
can be read again over the same rows by anything that reads JSON. Several processes may write one
journal: each adds its line under a lock, after it has read what the others have added.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any, Literal, TypeVar, get_args

import msgspec

from spanbridge.core.errors import InputError, RepairWarning, SpanbridgeError
from spanbridge.core.files import real_path, reason, unwritable
from spanbridge.core.temporary import try_lock
from spanbridge.projection.boundaries import Convention

# What came of a row. "started" has changes that nobody has accepted; "" is one without any.
Status = Literal[
    "", "started", "accepted", "corrected", "rejected-source", "rejected-translation", "skipped"
]
STATUSES: tuple[Status, ...] = get_args(Status)
# Rows of these were found right, or were made right.
GOLD: tuple[Status, ...] = ("accepted", "corrected")


# Where a decision has what it is about; "" if nothing is to follow.
DecidedPlace = Literal["in", "out", ""]


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """A span of the target in characters (code points) of its text, or of its words with spaces
    between them; who made it and when, if a person did.
    """

    start: int
    end: int
    label: str
    by: str | None = None
    at: str | None = None

    @property
    def place(self) -> tuple[int, int, str]:
        """Where it is and what."""
        return self.start, self.end, self.label


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One action, with the state of its row after it.

    Attributes:
        n: number of the action in its journal, from 1.
        row: number of the row in its file, from 1.
        id: id of the row.
        of: digest of the row's target text (:func:`text_digest`), by which it is known again.
        key: name that the page gave the action, by which it is known when it is sent again.
        by: name of the annotator.
        at: when, in UTC.
        do: what was done: ``add``, ``delete``, ``label``, ``edge``, ``status``, ``comment``,
            ``teach`` (the spans that corrections teach), ``undo`` or ``redo``.
        was: number of the row's action before, whose state was changed; 0 if there was none.
        status: what came of the row.
        comment: what the annotator has to say.
        spans: all spans of the target.
    """

    n: int
    row: int
    id: str
    of: str
    key: str
    by: str
    at: str
    do: str
    was: int
    status: Status
    comment: str
    spans: tuple[Mark, ...]


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody decided of a convention that corrections show, for all rows to come.

    Attributes:
        convention: what stands beside spans, such as ``article``.
        place: where it is by this decision; empty if nothing is to follow.
        by, at: who and when.
    """

    convention: Convention
    place: DecidedPlace
    by: str
    at: str


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """First line of a journal: the file that it is about, its rows and its digest."""

    review_of: str
    rows: int
    sha256: str


_LINES = msgspec.json.Decoder(Action)
_HEADS, _DECISIONS = msgspec.json.Decoder(Head), msgspec.json.Decoder(Decision)
_ENCODER = msgspec.json.Encoder()
_BLOCK = 1 << 20
_FIRST, _DECIDED = b'{"review_of"', b'{"convention"'  # how heads and decisions begin
_GONE = "is gone, or was closed; nothing can be saved: put it back, or start the review again"
T = TypeVar("T")


def read_journal(path: str | Path) -> tuple[Head | None, list[Action]]:
    """A journal's last head and its actions, as they stand; an unfinished last line is left out.

    Raises InputError if it cannot be read, or is damaged.
    """
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(path, None, f"cannot be read ({reason(error)}); check the path") from error
    reader = _Reader(path)
    actions = list(reader.read(data[: data.rfind(b"\n") + 1]))
    return reader.head, actions


def line_of(path: str | Path, n: int) -> int | None:
    """The 1-based line of a journal's action number ``n``; None if there is none."""
    with open(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            n -= not line.startswith((_FIRST, _DECIDED))
            if not n:
                return number
    return None


class Journal:
    """A journal that is open for reading and writing.

    Args:
        path: the file, which is made if it is not there.

    Attributes:
        actions: all of them, in order.
        last: number of the last action of each row, from 1.

    Raises:
        InputError: it cannot be written, is damaged, or is none.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self.actions: list[Action] = []
        self.last: dict[int, int] = {}
        self._lock = RLock()
        self._reader = _Reader(path)
        self._read = 0  # bytes that have been read
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        try:
            self._file = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666)
        except (OSError, ValueError) as error:
            raise unwritable(path, error) from error
        with self.held():
            pass

    @property
    def head(self) -> Head | None:
        """What the journal is about; None for a new one."""
        return self._reader.head

    @property
    def decisions(self) -> dict[Convention, Decision]:
        """The last decision of each convention that any was taken of."""
        return dict(self._reader.decisions)  # others may decide meanwhile

    def begin(self, head: Head) -> None:
        """Say what file the actions that follow are about, unless it is the same."""
        with self.held():
            if self.head != head:
                self._write(head)
                self._reader.head = head
        _sync_folder(Path(self.path).absolute().parent)

    def decide(self, decision: Decision) -> None:
        """Write a decision; see :meth:`add`."""
        with self.held():
            self._write(decision)
            self._reader.decisions[decision.convention] = decision

    def close(self) -> None:
        """Close the file."""
        with self._lock, suppress(OSError):
            os.close(self._file)
            self._file = -1  # which no other file can have

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep all others from writing, with all that they have written so far read.

        Raises InputError if the file is gone, damaged, or closed.
        """
        with self._lock:
            number = self._reopened()
            try:
                try_lock(number, wait=True)
                self._catch_up()
                yield
            finally:
                os.close(number)

    def _reopened(self) -> int:
        """The same file opened once more, for a lock that ends when that is closed."""
        try:
            number = os.open(self.path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
        except OSError as error:
            raise InputError(self.path, None, _GONE) from error
        try:
            same = os.path.samestat(os.fstat(number), os.fstat(self._file))
        except OSError:
            same = False
        if not same:
            os.close(number)
            raise InputError(self.path, None, _GONE)
        return number

    def since(self, n: int) -> list[Action]:
        """The actions after number ``n``, whoever has written them."""
        with self._lock:
            if self._file >= 0 and os.fstat(self._file).st_size != self._read:
                with self.held():
                    pass
            return self.actions[n:]

    def state(self, row: int) -> Action | None:
        """The last action of a row, from 1; None if there is none."""
        n = self.last.get(row)
        return None if n is None else self.actions[n - 1]

    def states(self) -> dict[int, Action]:
        """The last action of each row, from 1, whoever has written it."""
        with self._lock:
            self.since(0)
            return {row: self.actions[n - 1] for row, n in self.last.items()}

    def add(self, action: Action) -> None:
        """Write an action, which is on the disk when this returns; call it in :meth:`held`.

        Raises InputError if it cannot be written; the journal is then as it was.
        """
        self._write(action)
        self._reader.n_actions += 1
        self._enter(action)

    def _enter(self, action: Action) -> None:
        self.actions.append(action)
        self.last[action.row] = action.n

    def _write(self, line: Action | Head | Decision) -> None:
        data = _ENCODER.encode(line) + b"\n"
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, self._read)
            why = f"cannot be written ({reason(error)}); make room, the action was not saved"
            raise InputError(self.path, None, why) from error
        self._read += len(data)
        self._reader.n_lines += 1

    def _catch_up(self) -> None:
        """Read what has been written since; nobody writes meanwhile."""
        size = os.fstat(self._file).st_size
        if size < self._read:
            why = "has become shorter while it was open; somebody else has changed it, start again"
            raise InputError(self.path, None, why)
        if size == self._read:
            return
        data = _bytes_from(self._file, self._read, size)
        whole = data.rfind(b"\n") + 1
        for action in self._reader.read(data[:whole]):
            self._enter(action)
        if torn := data[whole:]:
            self._mend(torn, self._read + whole)
        self._read += whole

    def _mend(self, torn: bytes, at: int) -> None:
        """Take away the beginning of a line whose writer was killed before it was told saved."""
        if self.head is None and not torn.startswith(_FIRST) and not _FIRST.startswith(torn):
            raise InputError(self.path, 1, "is no journal of a review; name another")
        os.ftruncate(self._file, at)
        os.fsync(self._file)
        said = torn[:60].decode("utf-8", "backslashreplace")
        warnings.warn(
            f"{self.path}: the last line was not finished, since its writer was stopped; no page "
            f"had shown it as saved, and it is taken away ({len(torn)} bytes: {said})",
            RepairWarning,
            stacklevel=2,
        )


class _Reader:
    """Reads whole lines of a journal, one after the other."""

    def __init__(self, path: str | Path) -> None:
        self.path, self.n_lines, self.n_actions = path, 0, 0
        self.head: Head | None = None
        self.decisions: dict[Convention, Decision] = {}

    def read(self, data: bytes) -> Iterator[Action]:
        """The actions of further lines. Raises InputError with the line that is none."""
        for line in data.split(b"\n")[:-1]:
            self.n_lines += 1
            if line.startswith(_FIRST) or self.head is None:
                self.head = self._decoded(_HEADS.decode, line)
                continue
            if line.startswith(_DECIDED):
                decision = self._decoded(_DECISIONS.decode, line)
                self.decisions[decision.convention] = decision
                continue
            action = self._decoded(_LINES.decode, line)
            self.n_actions += 1
            if action.n != self.n_actions or not 1 <= action.row <= self.head.rows:
                raise self._damaged(
                    f"action {self.n_actions} was expected here, for a row there is"
                )
            yield action

    def _decoded(self, decode: Callable[[bytes], T], line: bytes) -> T:
        try:
            return decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, why: str) -> InputError:
        if self.head is None:
            return InputError(self.path, self.n_lines, "is no journal of a review; name another")
        why = f"is damaged ({why}); take a copy of it, and remove what is wrong there"
        return InputError(self.path, self.n_lines, why)


def journal_path(path: str, journal: str | None, output: str | None = None) -> str:
    """Path of a file's journal, beside it unless it is named.

    Raises SpanbridgeError if it would be the file itself, its result, or a file beside that.
    """
    found = f"{path}.journal" if journal is None else journal
    beside: tuple[Any, ...] = ()
    if output is not None:
        from spanbridge.run.result import manifest_path, rejects_path

        beside = (output, manifest_path(output), rejects_path(output))
    for other in (path, *beside):
        if real_path(other) == real_path(found):
            raise SpanbridgeError(f"{found} cannot be the journal as well; name another file")
    return found


def text_digest(text: str) -> str:
    """First digits of the SHA-256 of a text."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _bytes_from(number: int, start: int, end: int) -> bytes:
    os.lseek(number, start, os.SEEK_SET)  # writing appends, wherever that is
    found = bytearray()
    while len(found) < end - start and (data := os.read(number, _BLOCK)):
        found += data
    return bytes(found[: end - start])


def _sync_folder(folder: Path) -> None:
    """So that a new file is in its folder after the power has failed."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
