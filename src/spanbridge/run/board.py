"""What is seen of a run while it goes on: steps, failures, workers, and the work of others."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from spanbridge.core.progress import short
from spanbridge.core.rows import FAILED, REJECTED
from spanbridge.run.reports import Part, StepReport

# Number of statuses that are told to people.
_TOLD = 6
# Seconds between two looks at what others have done; more, if looking would take more than a
# hundredth of the time.
_LOOK, _SHARE = 60.0, 0.01
# What is known of a shard: it is left to be made; it is done; others have made it meanwhile.
_LEFT, _DONE, _THEIRS = range(3)


class Whole:
    """All shards of a run, of which other machines make some.

    Args:
        sizes: number of rows of each shard.
        done: function that tells whether a shard is done.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        done: Callable[[int], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sizes, self._is_done, self._clock = sizes, done, clock
        # there may be a million of them
        self._known = bytearray(_DONE if done(k) else _LEFT for k in range(len(sizes)))
        self._due = clock() + _LOOK
        self.others = 0  # rows that others have done since this was made

    @property
    def n(self) -> int:
        """Number of shards."""
        return len(self._known)

    @property
    def n_done(self) -> int:
        """Number of shards that are known to be done, whoever has made them."""
        return self.n - self._known.count(_LEFT)

    def add(self, shards: Sequence[int]) -> None:
        """Add shards that were made here."""
        for k in shards:
            if self._known[k] == _THEIRS:  # it was seen before this was told
                self.others -= self._sizes[k]
            self._known[k] = _DONE

    def look(self) -> None:
        """See what others have done, if it is time to."""
        began = self._clock()
        if began < self._due:
            return
        for k, known in enumerate(self._known):
            if known == _LEFT and self._is_done(k):
                self._known[k] = _THEIRS
                self.others += self._sizes[k]
        now = self._clock()
        self._due = now + max(_LOOK, (now - began) / _SHARE)


class Board:
    """What is seen of a run beside the number of its rows.

    Args:
        reports: what each step has done since the run was started, to which whoever works adds.
        workers: function that tells how many workers there are, and how many were lost; None if
            there are none.

    Attributes:
        whole: all shards; None if the run has none, or they are not known yet.
    """

    def __init__(
        self,
        reports: Sequence[StepReport],
        workers: Callable[[], tuple[int, int] | None] = lambda: None,
    ) -> None:
        self.reports, self._workers = reports, workers
        self.whole: Whole | None = None

    def add(self, part: Part) -> None:
        """Add what somebody has made."""
        for s, report in part.reports.items():
            self.reports[s - 1].add(report)
        if self.whole is not None:
            self.whole.add(part.shards)

    @property
    def statuses(self) -> Counter[str]:
        """What became of rows at the end of the steps."""
        last = [report for report in self.reports if not report.amends][-1:]
        return Counter({k: n for one in last for k, n in one.account.statuses.items() if n > 0})

    @property
    def failures(self) -> tuple[str, Counter[str]]:
        """The step at which most rows failed or were rejected, and how many for which reasons.

        A row that failed stays so in the steps that come after, which may put it in other words;
        but it may be hidden in a text that they join.
        """
        found = [(report.name, _failed(report.account.statuses)) for report in self.reports]
        return max(reversed(found), key=lambda one: one[1].total(), default=("", Counter()))

    def _costs(self) -> Iterator[tuple[StepReport, float, float]]:
        """Steps that have passed rows, with their shares of the time and seconds per 1,000 rows."""
        whole = sum(report.seconds for report in self.reports)
        for report in self.reports:
            if report.rows and whole:
                yield report, report.seconds / whole, 1000 * report.seconds / report.rows

    def lines(self) -> list[str]:
        """A line each for what became of rows, failures, steps, and workers and shards."""
        told, statuses = [], self.statuses
        step, failures = self.failures
        if any(status != "done" for status in statuses):
            told.append(_counted(statuses))
        if failures != _failed(statuses):
            told.append(f"at {step}: {_counted(failures)}")
        costs = [f"{one.name} {short(each)} ({share:.0%})" for one, share, each in self._costs()]
        if costs:
            told.append(f"seconds per 1,000 rows (share of time): {', '.join(costs)}")
        places = []
        if (workers := self._workers()) is not None:
            places.append(f"workers: {workers[0]} at work, {workers[1]} lost")
        if self.whole is not None:
            places.append(f"shards: {self.whole.n_done:,} of {self.whole.n:,} done")
        return told + (["; ".join(places)] if places else [])

    def record(self) -> dict[str, Any]:
        """The same in plain values for JSON."""
        workers, whole = self._workers(), self.whole
        return {
            "status": dict(self.statuses),
            "failures": dict(self.failures[1]),
            "steps": [
                {
                    "step": one.name,
                    "rows": one.rows,
                    "seconds": round(one.seconds, 3),
                    "share": round(share, 4),
                    "seconds_per_1000_rows": round(each, 4),
                }
                for one, share, each in self._costs()
            ],
            **({} if workers is None else {"workers": {"alive": workers[0], "lost": workers[1]}}),
            **({} if whole is None else {"shards": {"done": whole.n_done, "total": whole.n}}),
        }


def _failed(statuses: Counter[str]) -> Counter[str]:
    """Those of the statuses that say of rows that they failed or were rejected."""
    return Counter(
        {status: n for status, n in statuses.items() if status.startswith((FAILED, REJECTED))}
    )


def _counted(statuses: Counter[str]) -> str:
    """Statuses with their numbers, the most frequent first."""
    told = [f"{n:,} {status}" for status, n in statuses.most_common(_TOLD)]
    rest = statuses.total() - sum(n for _, n in statuses.most_common(_TOLD))
    return ", ".join(told) + (f", and {rest:,} otherwise" if rest else "")
