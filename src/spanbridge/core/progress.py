"""Progress of long work: how far it is, how fast, how long it will take, and what came out so far.

Work shows its progress by passing its items through a :class:`Progress`. Models are loaded before
that, so that the time for it is no part of the items' time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

T = TypeVar("T")
Clock = Callable[[], float]


def nothing() -> str:
    """Say nothing."""
    return ""


@dataclass
class Task:
    """Work on a number of items, as it is told to a :class:`Progress`.

    Attributes:
        doing: name of the operation.
        total: number of items; None if not known.
        state: function that tells what came out so far, in a phrase; the empty text for nothing.
        unit: name of the items.
        every: show it after so many items, too, whatever the time; 0 for not.
        done: number of items that are done.
        started: time of the clock when the work began; None before it.
    """

    doing: str
    total: int | None = None
    state: Callable[[], str] = nothing
    unit: str = "rows"
    every: int = 0
    done: int = field(default=0, init=False)
    started: float | None = field(default=None, init=False)

    def text(self, now: float) -> str:
        """Items done, items per second, time left and state, on one line.

        Args:
            now: time of the same clock as ``started``.
        """
        of = "" if self.total is None else f" of {self.total:,}"
        told = [f"{self.doing}: {self.done:,}{of} {self.unit}"]
        seconds = now - (now if self.started is None else self.started)
        if self.done and seconds > 0:
            rate = self.done / seconds
            told.append(f"{_short(rate)} {self.unit} per second")
            if self.total is not None:
                told.append(f"{duration((self.total - self.done) / rate)} left")
        state = self.state()
        return ", ".join(told) + (f"; {state}" if state else "")


class Notice(Task):
    """Something that is said once, before long work; it has one item, itself."""

    def text(self, now: float) -> str:
        """What is said."""
        return self.doing


class Progress(Protocol):
    """Wraps the items of a task to show how far it is."""

    def __call__(self, items: Iterable[T], task: Task, /) -> Iterable[T]:
        """Pass on the items."""
        ...


def tell(progress: Progress, text: str) -> None:
    """Say something once, where progress is shown."""
    for _ in progress((text,), Notice(text, every=1)):
        pass


def silent(items: Iterable[T], task: Task, /) -> Iterable[T]:
    """Pass on the items without showing progress."""
    return items


def watched(
    items: Iterable[T],
    task: Task,
    show: Callable[[str], None],
    seconds: float,
    clock: Clock = time.monotonic,
) -> Iterator[T]:
    """Pass on items, and show the task whenever so many seconds have passed.

    It can be shown only between two items: later, if one takes longer.
    """
    task.started = clock()
    due = task.started + seconds
    for item in items:
        yield item
        task.done += 1
        now = clock()
        if now >= due or (task.every and task.done % task.every == 0):
            show(task.text(now))
            due = now + seconds


def duration(seconds: float) -> str:
    """A time in the two units that say enough, such as ``3 h 20 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
