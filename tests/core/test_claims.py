"""Claims: one holder at a time; the dead hold nothing, the hanging not for long."""

import os
import signal
import time
from multiprocessing import get_context
from unittest.mock import Mock

import pytest

from spanbridge.core import claims as module
from spanbridge.core.claims import FileClaims, holding


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def two(tmp_path):
    """Two processes' claims (each opens its own files), and the second one's clock."""
    clock = Clock()
    return FileClaims(tmp_path), FileClaims(tmp_path, 60, clock), clock


def test_one_holder_at_a_time(two, tmp_path):
    one, other, _ = two
    lease = one.take("a")
    assert other.take("a") is None
    assert other.take("b") is not None
    lease.release()
    with holding(other, "a") as mine:
        assert mine
        with holding(one, "a") as theirs:
            assert not theirs
    lease.release()  # twice does no harm
    assert one.take("a") is not None
    assert len(list(tmp_path.glob("*.lease"))) == 2


def test_a_lease_that_nobody_renews_ends_by_the_clock_of_who_looks(two):
    one, other, clock = two
    lease = one.take("a")
    assert other.take("a") is None
    clock.now = 59
    assert other.take("a") is None
    time.sleep(0.01)
    lease.renew()
    clock.now = 61
    assert other.take("a") is None  # it has changed: the time begins anew
    clock.now = 120
    assert other.take("a") is None
    clock.now = 122
    mine = other.take("a")
    assert mine is not None
    lease.renew()
    lease.release()  # it is another's by now, and stays
    assert one.take("a") is None
    mine.release()
    assert one.take("a") is not None


def test_a_lease_of_another_machine_ends_though_its_file_is_not_locked(two, monkeypatch):
    one, other, clock = two
    with monkeypatch.context() as there:
        there.setattr(module, "this_machine", lambda: b"elsewhere\n")
        os.close(one.take("a")._number)  # as if the locks of machines did not meet
    assert other.take("a") is None
    clock.now = 61
    assert other.take("a") is not None


def _hold(folder, pipe):
    lease = FileClaims(folder).take("a")
    pipe.send(lease is not None)
    time.sleep(60)


def test_a_dead_process_holds_nothing(tmp_path):
    mine, theirs = get_context("fork").Pipe()
    process = get_context("fork").Process(target=_hold, args=(tmp_path, theirs))
    process.start()
    assert mine.recv()
    claims = FileClaims(tmp_path)
    assert claims.take("a") is None
    claims.clear()
    assert claims.take("a") is None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    lease = claims.take("a")
    assert lease is not None
    lease.release()
    assert not list(tmp_path.iterdir())


def test_a_process_that_does_nothing_renews_nothing(monkeypatch):
    beats = iter([0.0, 0.001, 1.0, 1.001])
    monkeypatch.setattr(module.time, "process_time", lambda: next(beats))
    slept = iter(range(3))

    def sleep(seconds):
        if next(slept, None) is None:
            raise SystemExit

    monkeypatch.setattr(module.time, "sleep", sleep)
    renewed = []
    heart = module.Heart(60)
    lease = Mock(renew=lambda: renewed.append(1))
    heart._held.add(lease)
    with pytest.raises(SystemExit):
        heart.beat()
    assert len(renewed) == 1
