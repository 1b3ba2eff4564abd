"""Unfinished files: whole or absent, swept when nobody's, never another's; modes are kept."""

import multiprocessing
import os
import signal
import stat
import time
from contextlib import suppress
from pathlib import Path

import pytest

from spanbridge.core.errors import InputError
from spanbridge.core.files import alone, atomic_output
from spanbridge.core.temporary import (
    BusyError,
    claimed,
    is_temporary,
    scratch_folder,
    sweep,
    unfinished,
    unfinished_folder,
)

FORK = multiprocessing.get_context("fork")


def hold(kind, path, ready):
    """Be in the middle of writing, for ever."""
    with kind(path) as place:
        if place is not None and kind is not atomic_output:
            (place if place.is_dir() else place.parent).joinpath("half").write_text("x")
        ready.set()
        time.sleep(60)


@pytest.fixture
def holder():
    """Starts a process that is in the middle of writing; kills it in the end."""
    running = []

    def start(kind, path):
        ready = FORK.Event()
        process = FORK.Process(target=hold, args=(kind, path, ready))
        process.start()
        running.append(process)
        assert ready.wait(10)
        return process

    yield start
    for process in running:
        process.kill()
        process.join()


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", [atomic_output, unfinished, unfinished_folder, scratch_folder])
def test_what_a_killed_process_leaves_is_swept_and_no_other(tmp_path, holder, kind):
    process = holder(kind, tmp_path / "out")
    (tmp_path / ".spanbridge-otherhost-00.tmp").touch()
    sweep(tmp_path)
    assert len(names(tmp_path)) == 2, "a living process's file is swept"
    assert all(is_temporary(name) for name in names(tmp_path))
    kill(process)
    sweep(tmp_path)
    assert names(tmp_path) == [".spanbridge-otherhost-00.tmp"]


def test_the_next_output_sweeps(tmp_path, holder):
    kill(holder(atomic_output, tmp_path / "out"))
    with atomic_output(tmp_path / "another") as out:
        out.write("x")
    assert names(tmp_path) == ["another"]


def test_a_claim_excludes_others_and_ends_with_its_process(tmp_path, holder):
    process = holder(claimed, tmp_path / "out")
    with (
        pytest.raises(InputError, match=r"out: another run is writing it"),
        alone(tmp_path / "out"),
    ):
        pass
    with pytest.raises(BusyError), claimed(tmp_path / "out"):
        pass
    with alone(tmp_path / "other"):
        pass
    kill(process)
    with alone(tmp_path / "out"):
        pass
    assert names(tmp_path) == []


def test_a_claim_is_waited_for(tmp_path):
    done = tmp_path / "done"

    def first(ready):
        with claimed(tmp_path / "out"):
            ready.set()
            time.sleep(0.1)
            done.touch()

    ready = FORK.Event()
    process = FORK.Process(target=first, args=(ready,))
    process.start()
    assert ready.wait(10)
    with claimed(tmp_path / "out", wait=True):
        assert done.exists()
    process.join()


def test_a_claim_goes_by_the_file_whatever_the_link(tmp_path):
    (tmp_path / "link").symlink_to("out")
    with (
        claimed(tmp_path / "out"),
        pytest.raises(InputError, match="another run"),
        alone(tmp_path / "link"),
    ):
        pass


@pytest.mark.parametrize("mask", [0o022, 0o002, 0o077])
def test_modes(tmp_path, mask):
    """New files get the usual mode, whatever a library gave them; replaced ones keep theirs."""
    before = os.umask(mask)
    try:
        with atomic_output(tmp_path / "new") as out:
            out.write("x")
        for mode in (0o600, 0o664, 0o444):
            old = tmp_path / f"{mode:o}"
            old.touch()
            old.chmod(mode)
            with atomic_output(old) as out:
                out.write("x")
            assert stat.S_IMODE(old.stat().st_mode) == mode
        with unfinished_folder(tmp_path / "folder") as work:
            (work / "private").touch(0o600)
    finally:
        os.umask(before)
    for path in (tmp_path / "new", tmp_path / "folder" / "private"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o777 & ~mask


def test_a_folder_replaces_another(tmp_path):
    for text in "ab":
        with unfinished_folder(tmp_path / "deep" / "out") as work:
            (work / text).write_text(text)
    assert names(tmp_path / "deep") == ["out"]
    assert names(tmp_path / "deep" / "out") == ["b"]


def test_what_fails_leaves_the_older_one(tmp_path):
    (tmp_path / "out").write_text("old")
    with suppress(KeyError), unfinished(tmp_path / "out") as path:
        path.write_text("new")
        raise KeyError
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out").read_text() == "old"


def test_links_and_pipes_are_not_taken_for_unfinished_files(tmp_path):
    host = Path(tmp_path / "x")
    with scratch_folder(host) as mine:
        start = mine.name.rpartition("-")[0]
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "kept").touch()
    (tmp_path / f"{start}-1.tmp").symlink_to("thesis")
    os.mkfifo(tmp_path / f"{start}-2.tmp")
    sweep(tmp_path)
    assert names(tmp_path / "thesis") == ["kept"]
