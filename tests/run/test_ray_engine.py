"""Workers on a cluster of Ray: two nodes on this machine, whatever is lost."""

import os
import re
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

from spanbridge.core.errors import SpanbridgeError

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
    """A cluster of two nodes with a core each."""
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
            made.add_node()
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


def actors(cluster):
    """Numbers of the processes that make shards, on all nodes of the cluster."""
    nodes = [cluster.head_node, *cluster.worker_nodes]
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
        cluster.add_node()
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
