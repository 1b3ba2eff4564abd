"""Workers on a cluster of Ray: two nodes on this machine, whatever is lost."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
import toy_pipeline as toy
import yaml
from test_workers import LEARNING, Odd

from spanbridge.core import registry
from spanbridge.core.errors import NoteWarning, SpanbridgeError
from spanbridge.core.resources import Resources
from spanbridge.run import ray_engine

pytestmark = pytest.mark.slow
SETTINGS = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # loopback only
    "RAY_USAGE_STATS_ENABLED": "0",
    "PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{Path(__file__).parent}",
}
# SPANBRIDGE_LONG=1: 100,000 rows, and an actor is killed thirty times; some minutes.
LONG = bool(os.environ.get("SPANBRIDGE_LONG"))
SHARDS, EACH, KILLS = (1000, 100, 30) if LONG else (36, 10, 3)
PATIENCE = 3600 if LONG else 400  # seconds, after which something hangs


@pytest.fixture(scope="module")
def cluster():
    """A cluster of two nodes with a core each, and, as it is told, a GPU in the second one."""
    # paths of sockets are short, so pytest's own folders will not do
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as temp:
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        pytest.importorskip("ray")
        from ray.cluster_utils import Cluster

        (Path(temp) / "ray").mkdir()
        patch.setenv("RAY_TMPDIR", temp)
        try:
            made = Cluster(True, head_node_args={"include_dashboard": False, "temp_dir": temp})
            made.add_node(num_gpus=1)
        except Exception as error:  # noqa: BLE001  # its own limits of time cannot be changed
            pytest.skip(f"Ray does not start here: {error}")
        patch.setenv("RAY_ADDRESS", made.address)
        yield made
        made.shutdown()


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A pipeline that learns, and what one process makes of it."""
    place = tmp_path_factory.mktemp("toy")
    toy.write(place, EACH * SHARDS)
    one = toy.settings(place, steps=LEARNING, shard_rows=EACH)
    done, reports = toy.run({**one, "output": str(place / "one.jsonl")})
    return place, one, done, reports


def same(given, name):
    place = given[0]
    return (place / name).read_bytes() == (place / "one.jsonl").read_bytes()


def n_made(place, name):
    return len(list((place / f"{name}.work").glob("4-project/*.json")))


def when(reached, do):
    """Do something in a thread once something is so."""

    def wait():
        while not reached():
            time.sleep(0.02)
        do()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def actors(cluster, nodes=None):
    """Numbers of the processes that make shards, on some or all nodes of the cluster."""
    nodes = nodes or [cluster.head_node, *cluster.worker_nodes]
    raylets = {str(node.all_processes["raylet"][0].process.pid) for node in nodes}
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may have ended
            parent = re.search(r"^PPid:\s*(\d+)", (place / "status").read_text(), re.MULTILINE)
            name = (place / "cmdline").read_bytes()
            if parent[1] in raylets and name.startswith(b"ray::Actor"):
                found.append(int(place.name))
    return found


def test_whatever_is_killed(cluster, given):
    """An actor now and then, the driver twice, and one of two nodes."""
    place, settings, *_ = given
    (place / "p.yaml").write_text(yaml.safe_dump({**settings, "output": str(place / "k.jsonl")}))
    command = [sys.executable, "-m", "spanbridge", "run", "p.yaml", "--engine", "ray", "--quiet"]
    random, over, kills = Random(3), threading.Event(), []

    def kill():
        """As shards are made, not as time goes by: else a slow machine might make none."""
        while not over.wait(0.02):
            made = n_made(place, "k.jsonl")
            if made > len(kills) * SHARDS // KILLS and (mine := actors(cluster)):
                with suppress(ProcessLookupError):
                    os.kill(random.choice(mine), signal.SIGKILL)
                    kills.append(made)

    killer = threading.Thread(target=kill)
    killer.start()
    lost = next(iter(cluster.worker_nodes))
    try:
        for least in (SHARDS // 6, SHARDS // 3, None):
            driver = subprocess.Popen(command, cwd=place, stderr=subprocess.PIPE, text=True)
            latest = time.monotonic() + PATIENCE
            while n_made(place, "k.jsonl") < (least or SHARDS // 2) and driver.poll() is None:
                assert time.monotonic() < latest
                time.sleep(0.01)
            assert driver.poll() is None, driver.stderr.read()
            if least is None:
                cluster.remove_node(lost, allow_graceful=False)
            else:
                driver.send_signal(signal.SIGKILL)
                driver.wait()
        assert driver.wait(PATIENCE) == 0, driver.stderr.read()
    finally:
        over.set()
        killer.join()
        cluster.add_node(num_gpus=1)
    print(f"actors were killed when so many of {SHARDS} shards were there: {kills}")
    assert kills
    assert same(given, "k.jsonl")


def test_errors_and_warnings_come_from_actors(cluster, tmp_path):
    toy.write(tmp_path, 60)
    odd = toy.settings(tmp_path, shard_rows=10, engine="ray")
    odd["steps"][1] = {"translate": {"translator": Odd({toy.sentence(90)[0]}, [], "input")}}
    with pytest.raises(SpanbridgeError, match="t.tsv:7: is odd") as error:
        toy.run(odd)
    assert error.value.__notes__[0] == "in the step translate, shard 4 (counted from 0)"
    assert not (tmp_path / "o.jsonl").exists()


class Noted:
    """Notes in which process a step loads its models."""

    def open(self, context):
        super().open(context)
        with Path("opened.txt").open("a", encoding="utf-8") as notes:
            print(self.name, os.getpid(), file=notes)


class Light(Noted, registry.load("step", "translate")):
    """Needs a core."""


class OnGpu(Noted, registry.load("step", "tag")):
    """Needs a GPU, and so long for a shard that it can be killed in between."""

    resources = Resources(gpus=1.0)

    def work(self, rows, account):
        time.sleep(0.05)
        return super().work(rows, account)


class Auto(Noted, registry.load("step", "tag")):
    """Needs a GPU where there is one; once it hangs."""

    resources = Resources(spare_gpus=1.0)

    def open(self, context):
        import ray

        super().open(context)
        Path("gpus.txt").write_text(str(len(ray.get_gpu_ids())))

    def work(self, rows, account):
        with suppress(FileExistsError):
            Path("hung.txt").touch(exist_ok=False)
            time.sleep(1000)
        return super().work(rows, account)


class Large(Noted, registry.load("step", "tag")):
    """Needs some memory."""

    resources = Resources(memory=1)


def in_pools(given, kind):
    """The pipeline, with a step that needs something of its own."""
    place, settings, *_ = given
    steps = list(settings["steps"])
    steps[1] = Light(translator={"given": {"model": str(place / "t.tsv")}})
    steps[2] = kind(tagger={"given": {"model": str(place / "en.conll")}})
    return {**settings, "steps": steps, "engine": "ray", "output": str(place / "p.jsonl")}


def opened(place):
    """Processes that have loaded each of the steps that note it."""
    found = {"translate": set(), "tag": set()}
    for line in (place / "opened.txt").read_text("utf-8").splitlines():
        found[line.split()[0]].add(int(line.split()[1]))
    (place / "opened.txt").unlink()
    return found


def test_steps_with_a_gpu_have_actors_of_their_own(cluster, given, monkeypatch):
    """One of them is killed; another takes its place."""
    place, _, done, reports = given
    monkeypatch.chdir(place)
    killed = []

    def kill():
        killed.extend(actors(cluster, list(cluster.worker_nodes)))
        os.kill(killed[0], signal.SIGKILL)

    thread = when(lambda: list((place / "p.jsonl.work" / "3-tag").glob("*.json")), kill)
    own, figures = toy.run(in_pools(given, OnGpu))
    thread.join(30)
    assert same(given, "p.jsonl")
    assert own.account == done.account
    assert [(r.name, r.shards, r.rows) for r in figures] == [
        (r.name, r.shards, r.rows) for r in reports
    ]
    by = opened(place)
    # on a busy machine Ray may lose, or place anew, one more
    assert own.cost.workers >= 2
    assert own.cost.lost >= 1
    assert killed[0] in by["tag"]
    assert len(by["tag"]) >= 2
    assert not by["tag"] & by["translate"]


def test_an_actor_alone_in_its_pool_hangs(cluster, given, monkeypatch):
    """It is ended, and another with the GPU that it was given makes its shard."""
    place, *_ = given
    monkeypatch.chdir(place)
    shutil.rmtree(place / "p.jsonl.work", ignore_errors=True)
    settings = {**in_pools(given, Auto), "patience": 0.1, "actors": {"tag": 1}}
    with pytest.raises(SpanbridgeError, match="workers is 3, but by actors it is 4 or more"):
        toy.run({**settings, "workers": 3, "actors": {"tag": 3}})
    with pytest.warns(NoteWarning, match=r"ended after 0\.1 minutes in which no row passed"):
        own, _ = toy.run(settings)
    assert same(given, "p.jsonl")
    assert own.cost.workers == 2
    assert own.cost.lost >= 1
    by = opened(place)
    assert len(by["tag"]) >= 2
    assert not by["tag"] & by["translate"]
    assert (place / "gpus.txt").read_text() == "1"


def test_pools_without_room(cluster, given, monkeypatch):
    """Another work holds one of two nodes: steps are joined if that helps, else waited for."""
    import ray

    place = given[0]
    monkeypatch.chdir(place)
    monkeypatch.setattr(ray_engine, "_PATIENCE", 1.0)
    ray.init(cluster.address, log_to_driver=False, logging_level="error")

    @ray.remote(num_cpus=1, num_gpus=1)
    class Holder:
        def ready(self):
            pass

    try:
        holder = Holder.remote()
        ray.get(holder.ready.remote())
        with pytest.warns(NoteWarning, match=r"2 kinds \(1 core; 1 core, 1 MB.* found no place"):
            toy.run(in_pools(given, Large))
        assert same(given, "p.jsonl")
        by = opened(place)
        assert by["tag"] <= by["translate"]
        shutil.rmtree(place / "p.jsonl.work")
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            said = re.compile(r"room yet for a worker with 1 core, 1 GPU; waiting").search

            def let_go():
                monkeypatch.setattr(
                    ray_engine, "_PATIENCE", 60.0
                )  # an actor takes a while to start
                ray.kill(holder)

            thread = when(lambda: any(said(str(one.message)) for one in told), let_go)
            toy.run(in_pools(given, OnGpu))
        thread.join(30)
        assert any(said(str(one.message)) for one in told)
        assert same(given, "p.jsonl")
        by = opened(place)
        assert not by["tag"] & by["translate"]
        with pytest.warns(NoteWarning, match="but no more than 1 asked for; so all"):
            toy.run({**in_pools(given, OnGpu), "workers": 1})
    finally:
        ray.shutdown()


def test_a_node_is_lost(cluster, given):
    """The last test on the cluster."""
    place, settings, done, reports = given
    lost = next(iter(cluster.worker_nodes))
    thread = when(
        lambda: n_made(place, "n.jsonl") >= 5,
        lambda: cluster.remove_node(lost, allow_graceful=False),
    )
    own, figures = toy.run({**settings, "engine": "ray", "output": str(place / "n.jsonl")})
    thread.join(30)
    assert not cluster.worker_nodes
    assert same(given, "n.jsonl")
    assert own.signature == done.signature
    assert own.account == done.account
    assert [r.shards for r in figures] == [r.shards for r in reports]


@pytest.mark.skipif(
    not os.environ.get("SPANBRIDGE_LONG"), reason="looks at every port that anybody opens meanwhile"
)
def test_without_an_address(given, monkeypatch):
    """A cluster on this machine, which others cannot reach, and which leaves nothing."""
    pytest.importorskip("ray")
    place, settings, *_ = given
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    seen = []

    def look():
        seen.extend(listening())

    before = set(listening())
    thread = when(lambda: n_made(place, "l.jsonl") >= 5, look)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        own, _ = toy.run(
            {**settings, "engine": "ray", "workers": 2, "output": str(place / "l.jsonl")}
        )
    thread.join(30)
    assert same(given, "l.jsonl")
    assert own.cost.workers == 2
    own = {port for port in seen if port not in before}
    assert own
    assert all("0100007F" in address for address, _ in own), own


def listening():
    """Addresses and ports on which somebody on this machine listens."""
    found = []
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                found.append(tuple(fields[1].rsplit(":", 1)))
    return found


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:99999", "nonsense"])
def test_a_cluster_that_is_not_there(tmp_path, monkeypatch, address):
    """It is told in seconds, and not after minutes."""
    pytest.importorskip("ray")
    toy.write(tmp_path, 3)
    for name, value in {**SETTINGS, "RAY_ADDRESS": address}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SpanbridgeError, match=f"the cluster at {address} cannot be reached: "):
        toy.run(toy.settings(tmp_path, engine="ray"))
