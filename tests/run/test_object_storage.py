"""Runs whose folder of shards lies on a server that speaks S3."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
import toy_pipeline as toy

from s3_server import SECRET, serving
from spanbridge.core import store
from spanbridge.core.errors import RepairWarning
from spanbridge.core.settings_file import write_settings

LEARNING = [*toy.STEPS[:3], {"project": {"method": "soft", "aligner": "statistical"}}]
pytestmark = pytest.mark.slow
SHARDS = 3  # of ten rows


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def given(s3, tmp_path, request):
    """Settings with the folder of shards on S3, and the bytes that come of them."""
    toy.write(tmp_path, 10 * SHARDS)
    os.utime(tmp_path / "es.txt", (10**9, 10**9))  # else it could have changed since
    steps = LEARNING if "learned" in request.node.name else toy.STEPS[:4]
    made = toy.settings(tmp_path, steps=steps, shard_rows=10)
    _, reports = toy.run({**made, "output": str(tmp_path / "one.jsonl")})
    work = f"s3://box/{tmp_path.name}"
    return {**made, "work": work}, (tmp_path / "one.jsonl").read_bytes(), reports


def commands(place, settings, *args, n=1):
    """Start the command n times at once."""
    (place / "p.yaml").write_text(write_settings(settings), "utf-8")
    whole = [sys.executable, "-m", "spanbridge", "run", "p.yaml", "--json", *args]
    out = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return [subprocess.Popen(whole, cwd=place, **out) for _ in range(n)]


def ended(processes):
    """What each of them printed as JSON."""
    found = []
    for process in processes:
        out, err = process.communicate()
        assert process.returncode == 0, err
        assert SECRET not in out + err
        found.append(json.loads(out))
    return found


def test_the_same_bytes(given, tmp_path, s3, monkeypatch):
    settings, whole, reports = given
    monkeypatch.setattr(store, "LOOK", 1e9)  # what is asked is not to depend on the time it takes
    place = s3.store.find(f"box/{tmp_path.name}")
    assert not place
    n = len(s3.requests())
    done, own = toy.run(settings)
    assert (tmp_path / "o.jsonl").read_bytes() == whole
    assert [(r.name, r.shards, r.made, r.account) for r in own] == [
        (r.name, r.shards, r.made, r.account) for r in reports
    ]
    # of each shard and of 5 steps: all are put with their records, and got if the next
    # step's process has not made them; records are got once for the account
    asked = [r for r in s3.requests()[n:] if tmp_path.name in r.path and "claim" not in r.path]
    assert sum(r.method == "PUT" for r in asked) <= SHARDS * 5 * 2 + 10
    assert sum(r.method in ("GET", "HEAD") for r in asked) <= SHARDS * 5 * 2 + SHARDS + 20
    assert sum("list-type" in r.query for r in s3.requests()[n:]) <= SHARDS * 2 + 20
    n = len(s3.requests())
    _, again = toy.run(settings)
    assert sum(report.made for report in again) == 0
    assert not [r for r in s3.requests()[n:] if r.method == "PUT" and "project" in r.path]
    assert not s3.store.find(f"box/{tmp_path.name}/.claims")
    toy.run({**settings, "output": f"s3://box/{tmp_path.name}.jsonl", "work": None})
    assert s3.store.cat(f"box/{tmp_path.name}.jsonl") == whole
    assert s3.store.find(f"box/{tmp_path.name}.jsonl.work/4-project")
    assert done.signature


@pytest.mark.parametrize(
    ("step", "damage"),
    [
        *(("0-read", "flipped"), ("2-translate", "cut"), ("2-translate", "gone")),
        ("4-project", "empty"),
    ],
)
def test_a_damaged_object_is_named_and_made_anew(given, tmp_path, s3, step, damage):
    settings, whole, _ = given
    toy.run(settings)
    place = f"box/{tmp_path.name}"
    path = s3.store.glob(f"{place}/{step}/00000-*.gz")[0]
    data = bytearray(s3.store.cat_file(path))
    data[len(data) // 2] ^= 1
    if damage == "gone":
        s3.store.rm_file(path)
    else:
        s3.store.pipe_file(path, {"cut": data[:100], "flipped": data}.get(damage, b""))
    for later in range(int(step[0]) + 1, 5):  # else nobody needs it, nor looks at it
        for other in s3.store.glob(f"{place}/{later}-*/00000-*.json"):
            s3.store.rm_file(other)
    (tmp_path / "o.jsonl").unlink()
    with pytest.warns(RepairWarning, match=r"00000-\w+\.gz: .*; made anew"):
        toy.run(settings)
    assert (tmp_path / "o.jsonl").read_bytes() == whole
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        toy.run(settings)


def test_what_was_learned_is_fetched_or_learned_anew(given, tmp_path, s3):
    settings, whole, _ = given
    toy.run(settings)
    place = f"box/{tmp_path.name}/4-project"
    (marker,) = s3.store.glob(f"{place}/learned-*/whole.json")
    learned = s3.store.glob(f"{place}/learned-*/**/learned.npz")

    def again():
        for record in s3.store.glob(f"{place}/0*.json"):
            s3.store.rm_file(record)
        (tmp_path / "o.jsonl").unlink()
        n = len(s3.requests())
        _, reports = toy.run(settings)
        assert (tmp_path / "o.jsonl").read_bytes() == whole
        fetched = [r for r in s3.requests()[n:] if "/learned-" in r.path and r.method == "GET"]
        return reports[-1].learning, len(fetched)

    n_files = len(s3.store.find(str(Path(marker).parent)))
    assert again() == (0.0, n_files)  # each once
    s3.store.pipe_file(learned[0], b"damaged")
    with pytest.warns(RepairWarning, match=rf"s3://{place}/learned-\w+: is damaged.*learned anew"):
        assert again()[0] > 0
    s3.store.rm_file(marker)
    assert again()[0] > 0


def test_two_commands_with_workers(given, tmp_path, s3):
    settings, whole, reports = given
    found = ended(commands(tmp_path, settings, "--workers", "2", n=2))
    assert (tmp_path / "o.jsonl").read_bytes() == whole
    for n, report in enumerate(reports):
        made = [one["steps"][n]["made"] for one in found]
        assert sum(made) >= report.shards  # a claim is advice
        assert {one["steps"][n]["shards"] for one in found} == {report.shards}
    assert sum(one["steps"][0]["made"] for one in found) == reports[0].shards  # read once


def test_actors_of_ray(given, tmp_path, s3, monkeypatch):
    """Two of them on a cluster of this machine, which share nothing but the store."""
    pytest.importorskip("ray")
    settings, whole, reports = given
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # loopback only
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    settings |= {"shard_rows": 5}
    (found,) = ended(commands(tmp_path, settings, "--engine", "ray", "--workers", "2"))
    assert (tmp_path / "o.jsonl").read_bytes() == whole
    assert found["cost"]["workers"] == 2
    assert [one["step"] for one in found["steps"]] == [report.name for report in reports]
    assert all(one["shards"] == 2 * SHARDS for one in found["steps"])
    made = s3.store.find(f"box/{tmp_path.name}/4-project")
    assert len([path for path in made if path.endswith(".gz")]) == 2 * SHARDS
    assert not (tmp_path / "o.jsonl.work").exists()
    assert not s3.store.find(f"box/{tmp_path.name}/.claims")


@pytest.mark.parametrize("whom", ["command", "worker"])
def test_killed_in_the_middle(given, tmp_path, s3, whom):
    settings, whole, _ = given
    settings |= {"shard_rows": 3}
    (process,) = commands(tmp_path, settings, "--workers", "2")
    try:
        holders = _at_work(s3, tmp_path.name)
        if whom == "command":
            process.kill()
            process.communicate()
            (process,) = commands(tmp_path, settings, "--workers", "2")
        else:
            os.kill(_worker(process.pid, holders), signal.SIGKILL)
        ended([process])
    finally:
        process.kill()
    assert (tmp_path / "o.jsonl").read_bytes() == whole
    assert not s3.store.find(f"box/{tmp_path.name}/.claims")
    removed = [r for r in s3.requests() if r.method == "DELETE" and tmp_path.name in r.path]
    assert len([r for r in removed if "/claim-" in r.path]) >= 3 * SHARDS


def _at_work(s3, name):
    """Wait until some shards are made; the folders that mark processes which hold claims then."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        if s3.store.glob(f"box/{name}/2-translate/*.json"):
            held = s3.store.cat(s3.store.find(f"box/{name}/.claims"), on_error="omit").values()
            if held:
                return [content.split(b"\n")[1] for content in held]
        time.sleep(0.02)
    raise AssertionError("nobody is at work")


def _worker(parent, holders):
    """A process other than the first that has one of some folders open."""
    for number in Path("/proc").glob("[0-9]*/fd/*"):
        pid = int(number.parts[2])
        with suppress(OSError):
            if os.fsencode(os.path.realpath(number)) in holders and pid != parent:
                return pid
    raise AssertionError("no worker holds anything")


@pytest.mark.parametrize("place", ["here", "s3"])
def test_the_input_is_read_once(tmp_path, s3, place):
    """By two machines with two workers each; all look at its first rows."""
    row = {"source_words": ["Ana"], "source_spans": [{"start": 0, "end": 1, "label": "PER"}]}
    row |= {"target_words": ["Ana"], "more": "x" * 6000}
    text = "".join(json.dumps(row | {"id": str(n)}) + "\n" for n in range(3000))
    path = tmp_path / "in.jsonl"
    path.write_text(text, "utf-8")
    os.utime(path, (10**9, 10**9))
    settings = {
        "input": str(path),
        "output": str(tmp_path / "o.jsonl"),
        "steps": [{"project": {"method": "greedy", "aligner": "lexical", "least_parallel": 0}}],
        "shard_rows": 500,
    }
    if place == "s3":
        s3.store.put_file(str(path), f"box/{tmp_path.name}.jsonl")
        settings |= {
            "input": f"s3://box/{tmp_path.name}.jsonl",
            "work": f"s3://box/{tmp_path.name}",
        }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNT_READS_OF", str(path))
        paths = [str(Path(__file__).parent / "counted_reads"), os.environ.get("PYTHONPATH", "")]
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        made = ended(commands(tmp_path, settings, "--workers", "2", n=2))
    assert sum(one["steps"][0]["made"] for one in made) == 6
    size = len(text)
    if place == "s3":
        reads = [r for r in s3.requests(f"/box/{tmp_path.name}.jsonl") if r.method == "GET"]
        found = [(int(re.split("[-/]", r.part)[1]) + 1, r.n_bytes) for r in reads]
    else:
        lines = Path(f"{path}.reads").read_text().splitlines()
        found = [tuple(map(int, line.split())) for line in lines]
    assert sum(end == size and n > 0 for end, n in found) == 1  # its last part
    assert size <= sum(n for _, n in found) < 4 * size


@pytest.mark.apart
def test_what_goes_wrong_is_said(s3, tmp_path, spanbridge, monkeypatch):
    toy.write(tmp_path, 10)
    config = tmp_path / "p.yaml"
    for work, why in (
        ("s3://nobox/w", "s3://nobox/w.* cannot be written"),
        ("hf://datasets/a/b", "work: shards cannot be kept there"),
    ):
        config.write_text(write_settings(toy.settings(tmp_path, work=work)), "utf-8")
        (told,) = spanbridge("run", config, code=2).stderr.splitlines()
        assert re.search(why, told), told
    s3.store.pipe_file("box/other/thesis.tex", b"x")
    config.write_text(write_settings(toy.settings(tmp_path, work="s3://box/other")), "utf-8")
    assert "holds other files, such as thesis.tex" in spanbridge("run", config, code=2).stderr
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    config.write_text(write_settings(toy.settings(tmp_path, work="s3://box/w")), "utf-8")
    told = spanbridge("run", config, code=2).stderr
    assert "s3://box/w" in told
    assert "redentials" in told
