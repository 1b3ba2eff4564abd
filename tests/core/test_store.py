"""Whole files here and on another store: listings, folders, claims."""

import os
import signal
import time
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import pytest

from spanbridge.core import remote, store
from spanbridge.core.errors import InputError
from spanbridge.core.folders import folder_here, new_folder
from spanbridge.core.records import read_record, write_record
from spanbridge.core.store_claims import StoreClaims, claims_in

fsspec = pytest.importorskip("fsspec")
THERE = Path("memory://box/work")


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def memory():
    files = fsspec.filesystem("memory")
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


@pytest.fixture(params=["here", "there"])
def place(request, tmp_path):
    if request.param == "here":
        return tmp_path / "work"
    files = request.getfixturevalue("memory")
    assert not files.store
    return THERE


def test_the_same_files_here_and_there(place):
    paths = [place / "1-a" / f"{n:05}-k.gz" for n in (0, 1, 1000)]
    for path in paths:
        store.write(path, path.name.encode())
    store.write(paths[0], b"again")
    gone = place / "1-a" / "none"
    assert store.read(paths[0]) == b"again"
    found = list(store.read_many([*paths, gone]))
    assert found == [b"again", b"00001-k.gz", b"01000-k.gz", None]
    assert store.names(place) == ["1-a"]
    assert store.names(place / "none") == []
    with pytest.raises(FileNotFoundError):
        store.read(gone)
    listing = store.Listing()
    assert [listing.has(path) for path in (*paths, gone)] == [True, True, True, False]
    write_record(place / "r.json", {"a": 1}, paths)
    assert read_record(place / "r.json", "again")["files"].keys() == {
        f"1-a/{path.name}" for path in paths
    }
    store.write(paths[1], b"other")
    with pytest.raises(InputError, match=r"00001-k\.gz: is damaged"):
        read_record(place / "r.json", "again")


def test_what_is_there_is_listed_seldom(memory, monkeypatch):
    asked, listed = [], remote.listed

    def counted(*given):
        asked.append(given)
        return listed(*given)

    monkeypatch.setattr(remote, "listed", counted)
    paths = [THERE / f"{n:05}-key.json" for n in range(2500)]
    for path in paths[:1500]:
        remote.write(path, b"")
    clock = Clock()
    listing = store.Listing(2.0, clock)
    assert [listing.has(path) for path in paths] == [True] * 1500 + [False] * 1000
    assert asked == [(THERE, "00"), (THERE, "01"), (THERE, "02")]
    remote.write(paths[1500], b"")
    clock.now = 1.9
    assert not listing.has(paths[1500])
    clock.now = 2.0
    assert listing.has(paths[1500])
    assert not listing.has(paths[1501])
    assert asked[3:] == [(THERE, "01")]
    listing.add(paths[1501])
    assert listing.has(paths[1501])
    listing.look(paths[1501])
    assert not listing.has(paths[1501])
    listing.remove(paths[1499])
    assert not listing.has(paths[1499])  # nor asked for: it is not yet time
    assert len(asked) == 5
    listing.forget()
    assert listing.has(paths[1499])


def test_few_lists_are_kept(memory, monkeypatch):
    monkeypatch.setattr(store, "_LISTS", 2)
    paths = [THERE / f"{n:05}-key.json" for n in (0, 1000, 2000)]
    for path in paths:
        remote.write(path, b"")
    listing = store.Listing(60)
    assert all(listing.has(path) for path in paths)
    assert len(listing._seen) == 2
    memory.rm("memory://box/work/02000-key.json")
    assert all(listing.has(path) for path in paths[1:])


def test_a_folder_is_whole_or_not_there(place):
    listing = store.Listing(0.0)
    with folder_here(place / "f", listing) as here:
        assert here is None
    with suppress(ZeroDivisionError), new_folder(place / "f", listing) as made:
        (made / "a").write_text("half")
        raise ZeroDivisionError
    with folder_here(place / "f", listing) as here:
        assert here is None
    with new_folder(place / "f", listing) as made:
        (made / "deep").mkdir()
        (made / "deep" / "a").write_text("whole")
    with folder_here(place / "f", listing) as here:
        assert (here / "deep" / "a").read_text() == "whole"


def test_a_damaged_folder_is_named(memory):
    listing = store.Listing(0.0)
    with new_folder(THERE / "f", listing) as made:
        (made / "a").write_text("whole")
    remote.write(THERE / "f" / "a", b"whol3")
    named = pytest.raises(InputError, match=r"^memory://box/work/f: is damaged")
    with named, folder_here(THERE / "f", listing):
        pytest.fail("it is damaged")
    remote.remove(THERE / "f" / "a")
    named = pytest.raises(InputError, match=r"^memory://box/work/f: cannot be read")
    with named, folder_here(THERE / "f", listing):
        pytest.fail("it is gone")
    write_record(THERE / "f" / "whole.json", {}, {THERE / "f" / ".." / "b": "0"})
    named = pytest.raises(InputError, match="names a file elsewhere")
    with named, folder_here(THERE / "f", listing):
        pytest.fail("it is elsewhere")


@pytest.fixture
def two(memory):
    """Two processes' claims, and the clock of both."""
    clock = Clock()
    return StoreClaims(THERE, 60, clock), StoreClaims(THERE, 60, clock), clock


def test_one_holder_at_a_time(two, memory):
    one, other, clock = two
    assert isinstance(claims_in(THERE), StoreClaims)
    lease = one.take("a")
    assert other.take("a") is None
    assert other.take("b") is not None
    lease.release()
    lease.release()  # twice does no harm
    clock.now = 3
    mine = other.take("a")
    assert mine is not None
    assert one.take("a") is None
    mine.release()
    again = other.take("a")  # at once
    assert again is not None
    assert len(memory.ls("memory://box/work")) == 2


def test_two_that_have_not_seen_each_other(two):
    one, other, _ = two
    leases = [one.take("x"), other.take("y")]  # both have looked
    assert all(leases)
    assert one.take("a")
    assert other.take("a") is None


def test_a_lease_that_nobody_renews_ends_by_the_clock_of_who_looks(two):
    one, other, clock = two
    lease = one.take("a")
    assert other.take("a") is None
    clock.now = 59
    lease.renew()
    assert other.take("a") is None
    clock.now = 61
    assert other.take("a") is None  # it has changed: the time begins anew
    clock.now = 118
    assert other.take("a") is None
    clock.now = 122
    assert other.take("a") is not None


def test_leases_are_listed_once_for_many(two, monkeypatch):
    one, other, _ = two
    leases = [one.take(f"{n}") for n in range(20)]
    assert all(leases)
    asked, listed = [], remote.listed
    monkeypatch.setattr(remote, "listed", lambda *of: asked.append(of) or listed(*of))
    assert not any(other.take(f"{n}") for n in range(20))
    assert len(asked) == 2  # one of them to remove those of dead processes


def _hold(folder, pipe):
    pipe.send(StoreClaims(folder).take("a") is not None)
    time.sleep(60)


def test_a_dead_process_of_this_machine_holds_nothing(tmp_path):
    folder = Path(f"file://{tmp_path}/claims")
    mine, theirs = get_context("fork").Pipe()
    process = get_context("fork").Process(target=_hold, args=(folder, theirs))
    process.start()
    assert mine.recv()
    clock = Clock()
    one, other = StoreClaims(folder, 60, clock), StoreClaims(folder, 60, clock)
    assert one.take("a") is None
    assert other.take("a") is None
    clock.now = 21
    assert other.take("a") is None  # its holder lives, and that is not asked again
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert other.take("a") is None
    assert StoreClaims(folder).take("b")  # removes what the dead have left
    clock.now = 24
    lease = other.take("a")
    assert lease is not None
    lease.release()


def test_one_that_died_since_is_noticed_later(tmp_path):
    folder = Path(f"file://{tmp_path}/claims")
    mine, theirs = get_context("fork").Pipe()
    process = get_context("fork").Process(target=_hold, args=(folder, theirs))
    process.start()
    assert mine.recv()
    clock = Clock()
    claims = StoreClaims(folder, 60, clock)
    assert claims.take("a") is None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    clock.now = 19
    assert claims.take("a") is None
    clock.now = 21
    lease = claims.take("a")
    assert lease is not None
    lease.release()
    assert not list((tmp_path / "claims").iterdir())


def test_another_machine_is_given_its_time(two, monkeypatch):
    one, _, _ = two
    with monkeypatch.context() as there:
        there.setattr("spanbridge.core.store_claims._machine", lambda: b"elsewhere")
        there.setattr("spanbridge.core.store_claims._home", lambda: Path("/nowhere"))
        assert one.take("a")
    assert StoreClaims(THERE).take("a") is None
