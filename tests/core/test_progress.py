"""Progress, by a clock that tests set."""

import pytest

from spanbridge.core.progress import Task, duration, silent, watched


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def working(clock, seconds):
    """Items that take so many seconds each."""
    for n, each in enumerate(seconds):
        clock.now += each
        yield n


def test_a_line_each_minute(clock):
    shown = []
    items = watched(working(clock, [10] * 15), Task("tag", 15), shown.append, 60, clock)
    assert list(items) == list(range(15))
    assert shown == [
        "tag: 6 of 15 rows, 0.1 rows per second, 1 min 30 s left",
        "tag: 12 of 15 rows, 0.1 rows per second, 30 s left",
    ]


def test_the_work_of_the_one_who_takes_the_items_counts_too(clock):
    shown = []
    for _ in watched(range(4), Task("learn", 4), shown.append, 60, clock):
        clock.now += 45
    assert shown[0] == "learn: 2 of 4 rows, 0.022 rows per second, 1 min 30 s left"
    assert len(shown) == 2


def test_what_was_done_before_the_first_item_is_asked_for_does_not_count(clock):
    shown = []
    items = watched(working(clock, [30, 30]), Task("tag", 2), shown.append, 60, clock)
    clock.now += 5000  # a model is loaded
    list(items)
    assert shown == ["tag: 2 of 2 rows, 0.033 rows per second, 0 s left"]


def test_the_state_is_that_of_the_moment(clock):
    shown, found = [], {"n": 0}
    task = Task("project", None, lambda: f"{found['n']} projected" if found["n"] else "")
    for n in watched(working(clock, [60, 60]), task, shown.append, 60, clock):
        found["n"] = 7 * n
    assert shown == [
        "project: 1 rows, 0.017 rows per second",
        "project: 2 rows, 0.017 rows per second; 7 projected",
    ]


def test_after_so_many_steps(clock):
    shown = []
    task = Task("train", 1000, unit="steps", every=100)
    list(watched(working(clock, [0.01] * 250), task, shown.append, 60, clock))
    assert shown == [
        "train: 100 of 1,000 steps, 100 steps per second, 9 s left",
        "train: 200 of 1,000 steps, 100 steps per second, 8 s left",
    ]


def test_no_time_and_no_items(clock):
    shown = []
    assert list(watched([], Task("tag", 0), shown.append, 0, clock)) == []
    assert shown == []
    list(watched([1], Task("tag", 1), shown.append, 0, clock))
    assert shown == ["tag: 1 of 1 rows"]
    assert silent([1, 2], Task("x")) == [1, 2]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (599, "9 min 59 s"),
        (601, "10 min"),
        (3599, "1 h 0 min"),
        (12000, "3 h 20 min"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text
