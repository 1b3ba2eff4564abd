"""Progress of long work: how far it is, how fast, how long it will take, and what came out so far.

Work shows its progress by passing its items through a :class:`Progress`. Models are loaded before
that, so that the time for it is no part of the items' time. What is shown for people and what is
logged for programs are two views of the same :class:`Task`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Clock = Callable[[], float]


def nothing() -> str:
    """Say nothing."""
    return ""


def one(_: Any) -> float:
    """Every item counts as one."""
    return 1.0


class Board(Protocol):
    """What can be told of some work beside the number of its items."""

    def lines(self) -> list[str]:
        """For people."""
        ...

    def record(self) -> dict[str, Any]:
        """The same in plain values for JSON."""
        ...


@dataclass
class Task:
    """Work on a number of items, as it is told to a :class:`Progress`.

    Attributes:
        doing: name of the operation.
        total: number of items; None if not known.
        state: function that tells what came out so far, in a phrase; the empty text for nothing.
        unit: name of the items.
        every: show it after so many items, too, whatever the time; 0 for not.
        size: function that tells as how many items an item counts.
        board: what else can be told.
        done: number of items that are done.
        others: number of items that others have done since the work began.
        started: time of the clock when the work began; None before it.
    """

    doing: str
    total: int | None = None
    state: Callable[[], str] = nothing
    unit: str = "rows"
    every: int = 0
    size: Callable[[Any], float] = one
    board: Board | None = None
    done: float = field(default=0, init=False)
    others: float = field(default=0, init=False)
    started: float | None = field(default=None, init=False)

    def text(self, now: float) -> str:
        """Items done, items per second, time left and state on one line, and those of the board.

        Args:
            now: time of the same clock as ``started``.
        """
        of = "" if self.total is None else f" of {self.total:,}"
        told = [f"{self.doing}: {_whole(self.done):,}{of} {self.unit}"]
        if self.others:
            told[0] += f" and {_whole(self.others):,} by others"
        if (rate := self.rate(now)) is not None:
            told.append(f"{short(rate)} {self.unit} per second")
        if (left := self.left(now)) is not None:
            told.append(f"{duration(left)} left")
        state = self.state()
        head = ", ".join(told) + (f"; {state}" if state else "")
        return "\n  ".join([head, *(self.board.lines() if self.board else ())])

    def record(self, now: float) -> dict[str, Any]:
        """The same in plain values for JSON.

        Args:
            now: as for :meth:`text`.
        """
        rate, left, state = self.rate(now), self.left(now), self.state()
        return {
            "doing": self.doing,
            "unit": self.unit,
            "done": _whole(self.done),
            "total": self.total,
            "by_others": _whole(self.others),
            "seconds": round(self.seconds(now), 3),
            "per_second": rate if rate is None else float(f"{rate:.4g}"),
            "seconds_left": left if left is None else round(left, 1),
            **({"state": state} if state else {}),
            **(self.board.record() if self.board else {}),
        }

    def seconds(self, now: float) -> float:
        """Seconds since the work began."""
        return 0.0 if self.started is None else now - self.started

    def rate(self, now: float) -> float | None:
        """Items per second, without those of others; None if it is not known yet."""
        seconds = self.seconds(now)
        return self.done / seconds if self.done and seconds > 0 else None

    def left(self, now: float) -> float | None:
        """Seconds left, if all go on as they did; None if they are not known yet."""
        seconds, done = self.seconds(now), self.done + self.others
        if self.total is None or not done or seconds <= 0:
            return None
        return max(self.total - done, 0) * seconds / done


class Notice(Task):
    """Something that is said once, before long work; it has one item, itself."""

    def text(self, now: float) -> str:
        """What is said."""
        return self.doing


class Proposal(Notice):
    """A notice of what could be set otherwise; who offers that otherwise need not show it."""


class Progress(Protocol):
    """Wraps the items of a task to show how far it is."""

    def __call__(self, items: Iterable[T], task: Task, /) -> Iterable[T]:
        """Pass on the items."""
        ...


def tell(progress: Progress, text: str, kind: type[Notice] = Notice) -> None:
    """Say something once, where progress is shown."""
    for _ in progress((text,), kind(text, every=1)):
        pass


def silent(items: Iterable[T], task: Task, /) -> Iterable[T]:
    """Pass on the items without showing progress."""
    return items


@dataclass(frozen=True)
class View:
    """A way to show a task, and how often.

    Attributes:
        show: function that shows a task at a time of the clock.
        seconds: time between two calls.
    """

    show: Callable[[Task, float], None]
    seconds: float


def watched(
    items: Iterable[T], task: Task, views: Sequence[View], clock: Clock = time.monotonic
) -> Iterator[T]:
    """Pass on items, and show the task in each view whenever its time has passed.

    It can be shown only between two items: later, if one takes longer.
    """
    task.started = clock()
    due = [task.started + view.seconds for view in views]
    for item in items:
        yield item
        before, task.done = task.done, task.done + task.size(item)
        now = clock()
        counted = task.every and task.done // task.every > before // task.every
        for n, view in enumerate(views):
            if now >= due[n] or counted:
                view.show(task, now)
                due[n] = now + view.seconds


def duration(seconds: float) -> str:
    """A time in the two units that say enough, such as ``3 h 20 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def short(value: float) -> str:
    """A number with as many digits as say something, such as ``1,234``, ``12`` or ``0.023``."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _whole(number: float) -> int:
    """A sum of parts of items as whole ones: 0.1 ten times is one."""
    return int(number + 1e-6)
