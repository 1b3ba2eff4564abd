"""Studies that are killed: whatever is killed when, the same command ends with the same bytes."""

import multiprocessing
import os
import signal
import time
from pathlib import Path
from random import Random

import pytest
import toy_study as toy

from spanbridge.study.study import run_study

SPAWN = multiprocessing.get_context("spawn")  # nothing of what other tests have left in here


def _run(begun, path, output, workers, part):
    os.setsid()  # so that nothing but this process and its workers is killed
    begun.set()
    run_study(path, output, workers=workers, part=part)


def _started(*given):
    """A process that runs a study, with all modules loaded."""
    process = SPAWN.Process(target=_run, args=(begun := SPAWN.Event(), *given))
    process.start()
    assert begun.wait(60)
    return process


def _done(output):
    """Number of tasks that are done."""
    return len(list(Path(output, "state").glob("*/*.json")))


def _attempt(given, further):
    """Run until so many more tasks are done, then kill the process that started the workers."""
    enough = _done(given[1]) + further
    process = _started(*given)
    while process.is_alive() and _done(given[1]) < enough:
        process.join(0.01)
    alive = process.is_alive()
    if alive:
        process.kill()
        process.join()
    return alive


# SPANBRIDGE_LONG=1: 57 languages and 12 systems, 20 kills; some five minutes.
LONG = bool(os.environ.get("SPANBRIDGE_LONG"))
LANGUAGES, SYSTEMS, KILLS = (toy.LANGUAGES, 12, 20) if LONG else (toy.LANGUAGES[:9], 5, 6)


@pytest.mark.slow
def test_kills_of_a_study_change_no_byte(tmp_path):
    random = Random(1)
    path = toy.study(tmp_path, LANGUAGES, SYSTEMS)
    output = str(tmp_path / "out")
    for _ in range(KILLS):
        part = random.choice([(1, 1), (1, 2), (2, 2)])
        given = (path, output, random.choice([1, 2]), part)
        assert _attempt(given, random.randrange(5)), "it ended before it could be killed"
    outcome = run_study(path, output, workers=2)
    assert outcome.sound
    assert {one.status for one in outcome.results} == {"done"}
    assert len(outcome.results) == len(LANGUAGES) * SYSTEMS
    killed = toy.results(tmp_path / "out")
    run_study(path, str(tmp_path / "whole"))
    whole = toy.results(tmp_path / "whole")
    mine, other = str(tmp_path / "out").encode(), str(tmp_path / "whole").encode()
    told = {name: text.replace(other, mine) for name, text in whole.items()}
    different = [
        name
        for name in killed.keys() | told.keys()
        if not name.endswith(".run.json") and killed.get(name) != told.get(name)
    ]
    assert not different


@pytest.mark.slow
def test_workers_give_the_same_bytes(tmp_path):
    path = toy.study(tmp_path)
    run_study(path, workers=2)
    several = toy.results(tmp_path / "out")
    run_study(path, str(tmp_path / "one"))
    one = toy.results(tmp_path / "one")
    mine, other = str(tmp_path / "out").encode(), str(tmp_path / "one").encode()
    for name, text in several.items():
        if not name.endswith(".run.json"):
            assert one[name].replace(other, mine) == text, name


@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them(tmp_path):
    path = toy.study(tmp_path, toy.LANGUAGES[:8], 12)
    process = _started(path, None, 2, (1, 1))
    group = process.pid
    state = tmp_path / "out" / "state"
    until = time.monotonic() + 300
    while not list(state.glob("cell/*.json")) and time.monotonic() < until:
        time.sleep(0.05)
    assert process.is_alive()
    assert list(state.glob("cell/*.json"))
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)  # is anybody there?
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.killpg(group, signal.SIGKILL)
    pytest.fail("workers went on without the process that started them")
