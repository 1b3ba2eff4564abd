"""Lists of rows: those that a filter lets through, in an order, a part at a time."""

from __future__ import annotations

import unicodedata
from collections import OrderedDict
from collections.abc import Container
from threading import RLock, Thread
from typing import Any, Literal

import msgspec
import numpy as np

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.scripts import is_unspaced
from spanbridge.core.similar import not_named
from spanbridge.review.changes import Changes
from spanbridge.review.index import RowIndex
from spanbridge.review.journal import STATUSES, Action, Status

_KEPT = 40  # lists that pages still scroll in
_LONGEST_PART = 200  # rows
_SHOWN = 90  # characters of a row's text in a list
# Accents, and vowel points of Hebrew and Arabic, which the search overlooks.
_MARKS = dict.fromkeys(
    (*range(0x300, 0x370), *range(0x591, 0x5C8), *range(0x64B, 0x660), 0x670), None
)
Numbers = np.ndarray[Any, np.dtype[np.int32]]


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What rows are looked for.

    Attributes:
        text: words or an id; case and accents do not matter.
        label: label of a span on either side; empty for any.
        below: rows less sure than that; 1 for any.
        status: a status, ``open`` for those that are not done; ``any``.
        by: name of the annotator who has done something last; empty for any.
        changed: only rows that the corrections change.
        sort: ``doubt`` for the most doubtful first, ``file``, or ``recent`` for the latest first.
    """

    text: str = ""
    label: str = ""
    below: float = 1.0
    status: str = "any"
    by: str = ""
    changed: bool = False
    sort: Literal["doubt", "file", "recent"] = "doubt"


class Lists:
    """Lists of the rows of a file, and what they show of each row.

    A list stays as it was made, whatever happens to its rows, until it is made anew.

    Args:
        rows: the file.

    Attributes:
        people: who has done something.
        changes: what the corrections change; None as long as that is not known.
    """

    def __init__(self, rows: RowIndex) -> None:
        self._rows = rows
        self._sure = np.frombuffer(rows.sureness, dtype=np.float32)
        self._status = np.zeros(len(rows), dtype=np.uint8)
        self._by = np.full(len(rows), -1, dtype=np.int32)
        self._when = np.zeros(len(rows), dtype=np.int64)
        self._labelled: dict[str, set[int]] = {}  # by actions; those of the file are in the index
        self.people: list[str] = []
        self.changes: Changes | None = None
        self._made: OrderedDict[str, Numbers] = OrderedDict()
        self._number = 0
        self._lock = RLock()
        self._texts: list[str] = []
        self._folding: Thread | None = None

    def enter(self, n: int, status: Status, by: str, action: Action | None = None) -> None:
        """Note what came of row ``n``, from 0: by its file, or by an action."""
        with self._lock:
            if by not in self.people:
                self.people.append(by)
            self._status[n] = STATUSES.index(status)
            self._by[n] = self.people.index(by)
            if action is not None:
                self._when[n] = action.n
                for mark in action.spans:
                    self._labelled.setdefault(mark.label, set()).add(n)

    @property
    def labels(self) -> list[str]:
        """All labels, the most common first."""
        found = self._rows.labels
        with self._lock:
            more = sorted(self._labelled.keys() - found.keys())
        return [*sorted(found, key=lambda label: (-len(found[label]), label)), *more]

    def counts(self) -> dict[str, int]:
        """Number of rows by status."""
        found = np.bincount(self._status, minlength=len(STATUSES))
        return dict(zip(STATUSES, found.tolist(), strict=True))

    def find(self, query: Query) -> tuple[str, int]:
        """Make a list; its name and its length. Raises SpanbridgeError for an unknown status."""
        chosen = np.ones(len(self._rows), dtype=bool)
        if query.label:
            has = np.zeros(len(self._rows), dtype=bool)
            has[np.asarray(self._rows.labels.get(query.label, ()), dtype=np.int64)] = True
            with self._lock:
                has[list(self._labelled.get(query.label, ()))] = True
            chosen &= has
        if query.below < 1:
            chosen &= self._sure < query.below
        if query.status == "open":
            chosen &= self._status <= STATUSES.index("started")
        elif query.status != "any":
            if query.status not in STATUSES:
                raise SpanbridgeError(not_named("status", query.status, ("any", "open", *STATUSES)))
            chosen &= self._status == STATUSES.index(query.status)
        if query.by:
            known = query.by in self.people
            chosen &= (self._by == self.people.index(query.by)) if known else False
        if query.changed:
            chosen &= False if self.changes is None else self.changes.changed
        numbers: Numbers = np.flatnonzero(chosen).astype(np.int32)
        if query.text.strip():
            numbers = self._with_text(query.text.strip(), numbers)
        if query.sort != "file":
            keys = self._sure if query.sort == "doubt" else -self._when
            numbers = numbers[np.argsort(keys[numbers], kind="stable")]
        with self._lock:
            self._number += 1
            name = str(self._number)
            self._made[name] = numbers
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return name, len(numbers)

    def part(self, name: str, start: int, length: int) -> list[dict[str, Any]] | None:
        """Rows of a list as it shows them, from a place on; None if it is forgotten."""
        numbers = self._numbers(name)
        if numbers is None:
            return None
        start, length = max(0, start), min(length, _LONGEST_PART)
        return [self.entry(int(n)) for n in numbers[start : start + length]]

    def entry(self, n: int) -> dict[str, Any]:
        """What lists show of row ``n``, from 0."""
        row, source, target = self._rows.texts(n)
        sure = float(self._sure[n])
        by = int(self._by[n])
        return {
            "row": n + 1,
            "id": row,
            "text": (target or source)[:_SHOWN],
            "sure": round(sure, 3) if sure <= 1 else None,
            "status": STATUSES[self._status[n]],
            "by": self.people[by] if by >= 0 else None,
            "change": None if self.changes is None else self.changes.told(n),
        }

    def following(self, name: str, at: int, taken: Container[int]) -> tuple[int, int] | None:
        """Place and row of the next one of a list that is not done nor taken; None for none."""
        numbers = self._numbers(name)
        if numbers is None:
            return None
        started = STATUSES.index("started")
        places = np.flatnonzero(self._status[numbers] <= started)
        later = np.concatenate([places[places > at], places[places <= at]])
        for place in later.tolist():
            if int(numbers[place]) not in taken and place != at:
                return place, int(numbers[place]) + 1
        return None

    def place(self, name: str, n: int) -> int | None:
        """Place of row ``n``, from 0, in a list; None if it is not there."""
        numbers = self._numbers(name)
        found = [] if numbers is None else np.flatnonzero(numbers == n).tolist()
        return found[0] if found else None

    def prepare(self) -> None:
        """Fold all texts beside what else is done, so that the first search need not wait."""
        with self._lock:
            if self._folding is None:
                self._folding = Thread(target=self._fold_all, daemon=True)
                self._folding.start()

    def _numbers(self, name: str) -> Numbers | None:
        with self._lock:
            return self._made.get(name)

    def _fold_all(self) -> None:
        for n in range(len(self._rows)):
            self._texts.append(folded("\n".join(self._rows.texts(n))))

    def _with_text(self, text: str, numbers: Numbers) -> Numbers:
        self.prepare()
        if self._folding is not None:
            self._folding.join()
        looked = folded(text)
        texts = self._texts
        if any(map(is_unspaced, looked)):  # words of a corpus, where readers see none
            looked = looked.replace(" ", "")
            found = [n for n in numbers.tolist() if looked in texts[n].replace(" ", "")]
        else:
            found = [n for n in numbers.tolist() if looked in texts[n]]
        return np.array(found, dtype=np.int32)


def folded(text: str) -> str:
    """A text without accents and capitals, for the search."""
    return unicodedata.normalize("NFD", text).translate(_MARKS).lower()
