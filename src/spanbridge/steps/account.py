"""The account of a run: rows in = projected + empty or failed for a stated reason + rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import (
    CORRECTED,
    EMPTY,
    FOUND,
    NOTHING_FOUND,
    PROJECTED,
    REJECTED,
    SentencePair,
)
from spanbridge.core.spans import Span
from spanbridge.projection.method import UNSURE

# Unlikely rows at most this far apart may be one run; a run has at least so many of them, which are
# so large a share of its rows.
GAP, RUN, DENSE = 8, 10, 0.5
_COUNTS = (
    *("rows", "status", "source_spans", "target_spans", "dropped_spans", "rejects", "notes"),
    *("shifts", "calibration"),
)
# Status of rows in which no span is probable enough.
EMPTIED = f"{EMPTY}{UNSURE}"
# Note of a run with corrections, told if no row of its input is a corrected one.
NONE_CORRECTED = "rows, none of which has the id of a corrected one"
# Number (from 1) and id of the first row and of the last, and how many are unlikely.
Stretch = tuple[int, str, int, str, int]


@dataclass
class Account:
    """Counts of one run, or of one step of it.

    Attributes:
        statuses: number of rows by status.
        n_source_spans, n_target_spans: number of spans that came in, and that came out.
        dropped: number of source spans that were not projected, by reason.
        rejects: id and reason of every rejected row.
        unlikely: rows whose sides do not seem to translate each other, near ones together: number
            (from 1) and id of the first and of the last, and how many there are.
        notes: other counts for the user, by name (such as orphan tags read).
        calibrations: number of spans with a probability, by what is known of how far it holds:
            ``calibrated on ...``, or ``uncalibrated: `` and why.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    n_source_spans: int = 0
    n_target_spans: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    rejects: list[tuple[str, str]] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    unlikely: list[Stretch] = field(default_factory=list)
    calibrations: Counter[str] = field(default_factory=Counter)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return sum(self.statuses.values())

    def add(self, pair: SentencePair, status: str, dropped: Iterable[tuple[Span, str]]) -> None:
        """Add one finished row, with the spans that came in and that came out."""
        self.enter(pair, status)
        self.n_source_spans += len(pair.source.spans)
        self.n_target_spans += len(pair.target.spans)
        for _, reason in dropped:
            self.dropped[reason] += 1

    def enter(self, pair: SentencePair, status: str) -> None:
        """Add one finished row of a step that projects nothing."""
        self.statuses[status] += 1
        if status.startswith(REJECTED):
            self.rejects.append((pair.id, status.removeprefix(REJECTED)))

    def tagged(self, pair: SentencePair, n_spans: int) -> None:
        """Add one finished row in which a tagger found so many spans."""
        self.enter(pair, FOUND if n_spans else NOTHING_FOUND)
        self.note("spans", n_spans)

    def calibrated(self, spans: Iterable[Span], known: str) -> None:
        """Count spans that have a probability, by what is known of how far it holds."""
        if n := sum(span.score is not None for span in spans):
            self.calibrations[known] += n

    def left_out(self, spans: Sequence[Span]) -> None:
        """Count spans of a finished row that a step left out as too improbable."""
        if spans:
            self.dropped[UNSURE] += len(spans)

    @property
    def calibration(self) -> str | None:
        """What the probabilities of spans are known to hold for, in one line; None without any."""
        known = self.calibrations.most_common()
        if len(known) < 2:
            return known[0][0] if known else None
        return "; ".join(f"{text} ({count} spans)" for text, count in known)

    def amended(self, by: Account) -> Account:
        """This account after a step that leaves what was found in the rows, or some of it."""
        if not self.n_rows:
            return by
        statuses, notes = self.statuses.copy(), self.notes | by.notes
        for status in (PROJECTED, FOUND):
            if statuses[status]:
                statuses[status] -= by.statuses[EMPTIED]
                statuses[EMPTIED] += by.statuses[EMPTIED]
        n_left_out, dropped = by.dropped.total(), self.dropped
        if self.n_source_spans:
            dropped = dropped + by.dropped
        elif n_left_out:
            if "spans" in notes:
                notes["spans"] -= n_left_out
            notes[f"spans left out: {UNSURE}"] = n_left_out
        return replace(
            self,
            statuses=+statuses,
            n_target_spans=self.n_target_spans - (n_left_out if self.n_source_spans else 0),
            dropped=dropped,
            notes=notes,
            calibrations=by.calibrations or self.calibrations,
        )

    def doubt(self, row: str) -> None:
        """Count the row that was entered last as one whose sides do not translate each other."""
        self._add_unlikely((self.n_rows, row, self.n_rows, row, 1))

    def _add_unlikely(self, found: Stretch) -> None:
        if self.unlikely and found[0] - self.unlikely[-1][2] <= GAP:
            first, row, _, _, count = self.unlikely.pop()
            found = first, row, found[2], found[3], count + found[4]
        self.unlikely.append(found)

    def shifts(self) -> list[Stretch]:
        """Long runs of rows that seem to be no translations, as in ``unlikely``."""
        return [
            one
            for one in self.unlikely
            if one[4] >= RUN and one[4] >= DENSE * (one[2] - one[0] + 1)
        ]

    def note(self, name: str, count: int) -> None:
        """Add to a count of ``notes``. Raises SpanbridgeError for the name of another count."""
        if name in _COUNTS:
            raise SpanbridgeError(f"a note cannot be named {name!r}; it is another count's name")
        self.notes[name] = self.notes.get(name, 0) + count

    def merge(self, other: Account) -> None:
        """Add the counts of another part of the same run, which comes after this one."""
        before = self.n_rows
        for first, row, last, last_row, count in other.unlikely:
            self._add_unlikely((first + before, row, last + before, last_row, count))
        self.statuses += other.statuses
        self.n_source_spans += other.n_source_spans
        self.n_target_spans += other.n_target_spans
        self.dropped += other.dropped
        self.rejects += other.rejects
        self.calibrations += other.calibrations
        for name, count in other.notes.items():
            self.note(name, count)

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> Account:
        """Restore an account from :meth:`to_dict` with ``whole``."""
        return cls(
            Counter(given["status"]),
            given["source_spans"],
            given["target_spans"],
            Counter(given["dropped_spans"]),
            [(row, reason) for row, reason in given["rejects"]],
            given["notes"],
            [(a, row, b, last, n) for a, row, b, last, n in given["unlikely"]],
            Counter(given["calibrations"]),
        )

    def to_dict(self, *, whole: bool = False) -> dict[str, Any]:
        """The account for JSON, in a stable order; ``whole`` includes the rejected rows."""
        if whole:
            names = ("rejects", "notes", "unlikely", "calibrations")
            return {**self.to_dict(), **{name: getattr(self, name) for name in names}}
        shifts = [
            {"row": first, "id": row, "last_row": last, "last_id": last_row, "unlikely": n}
            for first, row, last, last_row, n in self.shifts()
        ]
        return {
            "rows": self.n_rows,
            "status": dict(sorted(self.statuses.items())),
            "source_spans": self.n_source_spans,
            "target_spans": self.n_target_spans,
            "dropped_spans": dict(sorted(self.dropped.items())),
            **dict(sorted(self._told_notes())),
            **({"shifts": shifts} if shifts else {}),
            **({"calibration": self.calibration} if self.calibrations else {}),
        }

    def _told_notes(self) -> Iterator[tuple[str, int]]:
        """The notes that say something."""
        for name, count in self.notes.items():
            if count and not (name == NONE_CORRECTED and self.statuses[CORRECTED]):
                yield name, count

    def text(self) -> str:
        """Summary in plain text: a line for rows, one for spans, and one per note."""
        rows = ", ".join(f"{count} {status}" for status, count in self.statuses.most_common())
        lines = [f"{self.n_rows} rows = {rows or 'none'}"]
        if self.n_source_spans:
            lines.append(
                f"{self.n_source_spans} source spans -> {self.n_target_spans} target spans"
            )
        reasons = [(count, reason) for reason, count in self.dropped.most_common()]
        if self.n_source_spans and reasons:
            told = (f"{count} {reason}" for count, reason in reasons)
            lines[-1] += f"; not projected: {', '.join(told)}"
        else:
            lines += [f"{count} spans left out: {reason}" for count, reason in reasons]
        lines += [
            f"{count} {name if ' ' in name else name.replace('_', ' ')}"
            for name, count in self._told_notes()
        ]
        lines += [
            f"{n} of {b - a + 1} rows from row {a} (id {row}) to row {b} (id {last}) are unlikely "
            "to be translations: look for a line lost or added before them"
            for a, row, b, last, n in self.shifts()
        ]
        if self.calibrations:
            lines.append(f"confidences: {self.calibration}")
        return "\n".join(lines)
