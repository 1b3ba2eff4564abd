"""Progress, by a clock that tests set."""

import pytest

from spanbridge.core.progress import Task, View, duration, short, silent, watched


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def texts(shown, seconds=60):
    """A view that keeps what it shows."""
    return [View(lambda task, now: shown.append(task.text(now)), seconds)]


def working(clock, seconds):
    """Items that take so many seconds each."""
    for n, each in enumerate(seconds):
        clock.now += each
        yield n


def test_a_line_each_minute(clock):
    shown = []
    items = watched(working(clock, [10] * 15), Task("tag", 15), texts(shown), clock)
    assert list(items) == list(range(15))
    assert shown == [
        "tag: 6 of 15 rows, 0.1 rows per second, 1 min 30 s left",
        "tag: 12 of 15 rows, 0.1 rows per second, 30 s left",
    ]


def test_the_work_of_the_one_who_takes_the_items_counts_too(clock):
    shown = []
    for _ in watched(range(4), Task("learn", 4), texts(shown), clock):
        clock.now += 45
    assert shown[0] == "learn: 2 of 4 rows, 0.022 rows per second, 1 min 30 s left"
    assert len(shown) == 2


def test_what_was_done_before_the_first_item_is_asked_for_does_not_count(clock):
    shown = []
    items = watched(working(clock, [30, 30]), Task("tag", 2), texts(shown), clock)
    clock.now += 5000  # a model is loaded
    list(items)
    assert shown == ["tag: 2 of 2 rows, 0.033 rows per second, 0 s left"]


def test_the_state_is_that_of_the_moment(clock):
    shown, found = [], {"n": 0}
    task = Task("project", None, lambda: f"{found['n']} projected" if found["n"] else "")
    for n in watched(working(clock, [60, 60]), task, texts(shown), clock):
        found["n"] = 7 * n
    assert shown == [
        "project: 1 rows, 0.017 rows per second",
        "project: 2 rows, 0.017 rows per second; 7 projected",
    ]


def test_after_so_many_steps(clock):
    shown = []
    task = Task("train", 1000, unit="steps", every=100)
    list(watched(working(clock, [0.01] * 250), task, texts(shown), clock))
    assert shown == [
        "train: 100 of 1,000 steps, 100 steps per second, 9 s left",
        "train: 200 of 1,000 steps, 100 steps per second, 8 s left",
    ]


def test_no_time_and_no_items(clock):
    shown = []
    assert list(watched([], Task("tag", 0), texts(shown, 0), clock)) == []
    assert shown == []
    list(watched([1], Task("tag", 1), texts(shown, 0), clock))
    assert shown == ["tag: 1 of 1 rows"]
    assert silent([1, 2], Task("x")) == [1, 2]


class Notice:
    """A board with two lines."""

    def lines(self):
        return ["first", "second"]

    def record(self):
        return {"lines": 2}


def test_views_have_their_own_times_and_a_task_its_record(clock):
    often, seldom = [], []
    views = [*texts(often, 10), View(lambda task, now: seldom.append(task.record(now)), 60)]
    task = Task("tag", 20, lambda: "well", board=Notice())
    for n in watched(working(clock, [10] * 12), task, views, clock):
        task.others = 6 if n > 8 else 0
    assert len(often) == 12
    assert (
        often[0]
        == "tag: 1 of 20 rows, 0.1 rows per second, 3 min 10 s left; well\n  first\n  second"
    )
    assert often[-1].startswith(
        "tag: 12 of 20 rows and 6 by others, 0.1 rows per second, 13 s left"
    )
    assert seldom == [
        {
            "doing": "tag",
            "unit": "rows",
            "done": 6,
            "total": 20,
            "by_others": 0,
            "seconds": 60.0,
            "per_second": 0.1,
            "seconds_left": 140.0,
            "state": "well",
            "lines": 2,
        },
        {
            "doing": "tag",
            "unit": "rows",
            "done": 12,
            "total": 20,
            "by_others": 6,
            # 18 rows in 120 seconds
            "seconds": 120.0,
            "per_second": 0.1,
            "seconds_left": 13.3,
            "state": "well",
            "lines": 2,
        },
    ]
    assert Task("read").record(clock()) == {
        "doing": "read",
        "unit": "rows",
        "done": 0,
        "total": None,
        "by_others": 0,
        "seconds": 0.0,
        "per_second": None,
        "seconds_left": None,
    }


def test_items_that_count_as_many_or_as_none(clock):
    shown = []
    task = Task("pass", 4, size=lambda size: size)
    sizes = [0.5, 0.25, 0, 0.25, 2]
    for _ in watched(sizes, task, texts(shown, 10), clock):
        clock.now += 10
    assert [line.partition(" rows")[0] for line in shown] == [
        *("pass: 0 of 4", "pass: 0 of 4", "pass: 0 of 4", "pass: 1 of 4", "pass: 3 of 4")
    ]
    assert shown[2] == "pass: 0 of 4 rows, 0.025 rows per second, 2 min 10 s left"


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.0231, "0.023"), (9.5, "9.5"), (10, "10"), (1234.5, "1,234")]
)
def test_numbers(value, text):
    assert short(value) == text


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
