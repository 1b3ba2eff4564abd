"""The account of a run: rows in = projected + empty or failed for a stated reason + rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import REJECTED, SentencePair
from spanbridge.core.spans import Span

_COUNTS = ("rows", "status", "source_spans", "target_spans", "dropped_spans", "rejects", "notes")


@dataclass
class Account:
    """Counts of one run, or of one step of it.

    Attributes:
        statuses: number of rows by status.
        n_source_spans, n_target_spans: number of spans that came in, and that came out.
        dropped: number of source spans that were not projected, by reason.
        rejects: id and reason of every rejected row.
        notes: other counts for the user, by name (such as orphan tags read).
    """

    statuses: Counter[str] = field(default_factory=Counter)
    n_source_spans: int = 0
    n_target_spans: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    rejects: list[tuple[str, str]] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)

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

    def note(self, name: str, count: int) -> None:
        """Add to a count of ``notes``. Raises SpanbridgeError for the name of another count."""
        if name in _COUNTS:
            raise SpanbridgeError(f"a note cannot be named {name!r}; it is another count's name")
        self.notes[name] = self.notes.get(name, 0) + count

    def merge(self, other: Account) -> None:
        """Add the counts of another part of the same run, which comes after this one."""
        self.statuses += other.statuses
        self.n_source_spans += other.n_source_spans
        self.n_target_spans += other.n_target_spans
        self.dropped += other.dropped
        self.rejects += other.rejects
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
        )

    def to_dict(self, *, whole: bool = False) -> dict[str, Any]:
        """The account for JSON, in a stable order; ``whole`` includes the rejected rows."""
        if whole:
            return {**self.to_dict(), "rejects": self.rejects, "notes": self.notes}
        return {
            "rows": self.n_rows,
            "status": dict(sorted(self.statuses.items())),
            "source_spans": self.n_source_spans,
            "target_spans": self.n_target_spans,
            "dropped_spans": dict(sorted(self.dropped.items())),
            **{name: count for name, count in sorted(self.notes.items()) if count},
        }

    def text(self) -> str:
        """Summary in plain text: a line for rows, one for spans, and one per note."""
        rows = ", ".join(f"{count} {status}" for status, count in self.statuses.most_common())
        lines = [f"{self.n_rows} rows = {rows or 'none'}"]
        if self.n_source_spans:
            lines.append(
                f"{self.n_source_spans} source spans -> {self.n_target_spans} target spans"
            )
        if self.dropped:
            reasons = (f"{count} {reason}" for reason, count in self.dropped.most_common())
            lines[-1] += f"; not projected: {', '.join(reasons)}"
        lines += [
            f"{count} {name if ' ' in name else name.replace('_', ' ')}"
            for name, count in self.notes.items()
            if count
        ]
        return "\n".join(lines)
