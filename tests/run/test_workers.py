"""Several processes and machines at one work: the same bytes, whoever does what and dies when."""

import multiprocessing
import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
import toy_pipeline as toy
from test_retries import Flaky

from spanbridge.core.errors import InputError, NoteWarning, SpanbridgeError
from spanbridge.formats.plain_text import PlainText
from spanbridge.run.config import make_pipeline
from spanbridge.run.shards import run

LEARNING = [*toy.STEPS[:3], {"project": {"method": "soft", "aligner": "statistical"}}]


def at_once(settings, n):
    """Run a pipeline n times at once, in threads that stand for machines."""
    found, threads = [], []
    jobs = [make_pipeline(settings).job() for _ in range(n)]
    for job in jobs:
        threads.append(threading.Thread(target=lambda job=job: found.append(run(job))))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == n
    return found


@pytest.mark.parametrize("steps", [None, LEARNING])
@pytest.mark.slow
def test_machines_share_the_work(tmp_path, monkeypatch, steps):
    toy.write(tmp_path, 60)
    os.utime(tmp_path / "es.txt", (10**9, 10**9))  # else it could have changed since
    given = toy.settings(tmp_path, steps=steps, shard_rows=5)
    one, reports = toy.run({**given, "output": str(tmp_path / "one.jsonl")})
    reads = []
    read = PlainText.read
    monkeypatch.setattr(
        PlainText,
        "read",
        lambda self, *given: (reads.append(row) or row for row in read(self, *given)),
    )
    looked_at = 60  # by each, to see which columns there are
    several = at_once(given, 3)
    assert (tmp_path / "o.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()
    assert len(reads) == 3 * looked_at + 60, "the input was not read once"
    for done, own in several:
        assert done.account == one.account
        assert done.signature == one.signature
        assert [r.shards for r in own] == [r.shards for r in reports]
    made = [sum(own[s].made for _, own in several) for s in range(len(reports))]
    assert made == [r.shards for r in reports]  # none twice
    assert sum(bool(own[-1].learning or own[-2].learning) for _, own in several) <= 1
    assert not list((tmp_path / "o.jsonl.work" / ".claims").iterdir())


def test_an_input_that_changed_just_now_is_read_again(tmp_path):
    """Its times could be those of an earlier state."""
    toy.write(tmp_path, 10)
    given = toy.settings(tmp_path)
    toy.run(given)
    assert not list((tmp_path / "o.jsonl.work" / "0-read").glob("input-*.json"))
    os.utime(tmp_path / "es.txt", (10**9, 10**9))
    toy.run(given)
    assert len(list((tmp_path / "o.jsonl.work" / "0-read").glob("input-*.json"))) == 1
    text = (tmp_path / "es.txt").read_text("utf-8")
    (tmp_path / "es.txt").write_text(text.replace("Pedro", "Pablo", 1), "utf-8")
    toy.run(given)
    assert "Pablo" in (tmp_path / "o.jsonl").read_text("utf-8")


def test_what_is_written_is_not_written_again(tmp_path):
    toy.write(tmp_path, 10)
    given = toy.settings(tmp_path)
    first, _ = toy.run(given)
    about = (tmp_path / "o.jsonl").stat()
    second, _ = toy.run(given)
    assert second.account == first.account
    assert (tmp_path / "o.jsonl").stat().st_ino == about.st_ino
    (tmp_path / "o.jsonl.run.json").unlink()
    toy.run(given)
    assert (tmp_path / "o.jsonl.run.json").is_file()
    assert (tmp_path / "o.jsonl").stat().st_ino != about.st_ino


@pytest.mark.slow
@pytest.mark.parametrize("steps", [None, LEARNING])
def test_workers_give_the_same_bytes(tmp_path, steps):
    toy.write(tmp_path, 120)
    given = toy.settings(tmp_path, steps=steps, shard_rows=10)
    one, reports = toy.run({**given, "output": str(tmp_path / "one.jsonl")})
    for n in (2, 4) if steps is None else (2,):
        name = f"{n}.jsonl"
        done, own = toy.run({**given, "output": str(tmp_path / name), "workers": n})
        assert (tmp_path / name).read_bytes() == (tmp_path / "one.jsonl").read_bytes()
        assert done.account == one.account
        assert done.signature == one.signature
        assert [(r.name, r.shards, r.made) for r in own] == [
            (r.name, r.shards, r.made) for r in reports
        ]
        assert (done.cost.workers, done.cost.lost) == (n, 0)
        assert f"{n} workers, each of at most" in done.text()


# SPANBRIDGE_LONG=1: 20,000 rows, two hundred kills; some four minutes.
LONG = bool(os.environ.get("SPANBRIDGE_LONG"))
ROWS, KILLS = (20_000, 200) if LONG else (400, 4)


@pytest.mark.slow
@pytest.mark.parametrize("n_workers", [2, 4] if LONG else [2])
def test_killed_workers_lose_nothing(tmp_path, n_workers):
    toy.write(tmp_path, ROWS)
    given = toy.settings(tmp_path, steps=LEARNING, shard_rows=20)
    toy.run({**given, "output": str(tmp_path / "one.jsonl")})
    random, over, kills = Random(3), threading.Event(), []

    def kill():
        """As shards are made, not as time goes by: else a slow machine might make none."""
        step = tmp_path / "o.jsonl.work" / "2-translate"
        while not over.wait(random.uniform(0, 0.05)):
            mine = [process.pid for process in multiprocessing.active_children()]
            made = len(list(step.glob("*.json")))
            if mine and made > len(kills) * (ROWS // 20) // KILLS:
                with suppress(ProcessLookupError):
                    os.kill(random.choice(mine), signal.SIGKILL)
                    kills.append(made)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        toy.run({**given, "workers": n_workers})
    finally:
        over.set()
        killer.join()
    assert kills
    assert (tmp_path / "o.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()


@dataclass
class Odd(Flaky):
    """Raises an error, or ends its process, where it meets some text."""

    what: str = ""

    def translate(self, sentences, source, target):
        if any(text in self.failing for text in sentences):
            if self.what == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise InputError("t.tsv", 7, "is odd") if self.what == "input" else KeyError("odd")
        return super().translate(sentences, source, target)


@pytest.mark.slow
def test_an_error_of_a_worker_is_that_of_one_process(tmp_path):
    toy.write(tmp_path, 60)
    failing = {toy.sentence(90)[0]}
    for what in ("input", "key"):
        told = []
        for n in (1, 2):
            given = toy.settings(tmp_path, shard_rows=20, workers=n)
            given["steps"][1] = {"translate": {"translator": Odd(failing, [], what)}}
            with pytest.raises((InputError, SpanbridgeError, KeyError)) as error:
                toy.run(given)
            told.append((type(error.value), str(error.value), error.value.__notes__[0]))
        assert told[0] == told[1]
        assert told[0][2] == "in the step translate, shard 2 (counted from 0)"
        assert not (tmp_path / "o.jsonl").exists()
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_a_shard_that_kills_every_worker_ends_the_run(tmp_path):
    toy.write(tmp_path, 30)
    given = toy.settings(tmp_path, workers=2)
    given["steps"][1] = {"translate": {"translator": Odd({toy.sentence(4)[0]}, [], "kill")}}
    with pytest.raises(SpanbridgeError, match="3 workers ended by signal 9 .* fewer workers"):
        toy.run(given)
    assert not multiprocessing.active_children()


@dataclass
class Hanging(Flaky):
    """Hangs where it meets some text, as often as the file ``left`` has letters."""

    left: str = ""

    def translate(self, sentences, source, target):
        if any(text in self.failing for text in sentences):
            path = Path(self.left)
            before = path.read_text()
            path.write_text(before[1:])
            if before:
                time.sleep(1000)
        return super().translate(sentences, source, target)


def hanging(place, times):
    """The pipeline with two workers, of which some hang at the third shard."""
    toy.write(place, 60)
    (place / "left").write_text("x" * times)
    given = toy.settings(place, shard_rows=20, workers=2, patience=0.05)
    translator = Hanging({toy.sentence(90)[0]}, [], str(place / "left"))
    given["steps"][1] = {"translate": {"translator": translator}}
    return given


@pytest.mark.slow
def test_a_worker_that_hangs_is_ended(tmp_path):
    """Long before its claim is over, and the same bytes come out."""
    given = hanging(tmp_path, 0)
    toy.run({**given, "workers": 1, "output": str(tmp_path / "one.jsonl")})
    (tmp_path / "left").write_text("x")
    with pytest.warns(
        NoteWarning, match=r"ended after 0\.05 minutes in which no row passed \(pati"
    ):
        done, _ = toy.run(given)
    assert done.cost.workers == 2
    assert done.cost.lost >= 1
    assert (tmp_path / "o.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()
    assert not multiprocessing.active_children()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:a worker was ended")
def test_a_shard_at_which_every_worker_hangs_ends_the_run(tmp_path):
    with pytest.raises(SpanbridgeError, match=r"3 workers ended after 0\.05 .* more patience"):
        toy.run(hanging(tmp_path, 10))
    assert not multiprocessing.active_children()


def test_what_no_other_process_can_be_given(tmp_path):
    toy.write(tmp_path, 3)
    given = toy.settings(tmp_path, workers=2)

    class Local(Flaky):
        pass

    given["steps"][1] = {"translate": {"translator": Local()}}
    with pytest.raises(SpanbridgeError, match="cannot be given to another process .* one worker"):
        toy.run(given)


def _run_apart(given):
    os.setsid()
    toy.run(given)


@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them(tmp_path):
    toy.write(tmp_path, 1500)
    given = toy.settings(tmp_path, shard_rows=10, workers=2)
    process = multiprocessing.get_context("spawn").Process(target=_run_apart, args=(given,))
    process.start()
    work = tmp_path / "o.jsonl.work"
    until = time.monotonic() + 60
    while not list(work.glob("5-join/*.json")) and time.monotonic() < until:
        time.sleep(0.02)
    assert process.is_alive()
    assert list(work.glob("5-join/*.json"))
    process.kill()
    process.join()
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            os.killpg(process.pid, 0)  # is anybody there?
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    pytest.fail("workers went on without the process that started them")
