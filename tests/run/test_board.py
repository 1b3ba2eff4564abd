"""What is seen of a run while it goes on, and what it has cost."""

import json
import os
import shutil
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
import toy_pipeline as toy
from test_retries import Flaky

from spanbridge.cli import running
from spanbridge.core import requirements
from spanbridge.core.machine import Used
from spanbridge.core.progress import View
from spanbridge.run import board, shards
from spanbridge.run.board import Board, Whole
from spanbridge.run.config import make_pipeline
from spanbridge.run.reports import Cost, Meter, Part, StepReport
from spanbridge.steps.account import Account


def report(name, rows, seconds, **others):
    statuses = Counter(
        {key.replace("_", " ", 1): n for key, n in others.pop("statuses", {}).items()}
    )
    return StepReport(name, rows=rows, seconds=seconds, account=Account(statuses), **others)


def test_lines_and_record():
    """Costs by hand; what the last step hides of failures is told."""
    seen = Board([StepReport(name) for name in ("translate", "project", "join")])
    seen.whole = Whole([100, 100, 50], lambda k: k == 0)
    assert seen.lines() == ["shards: 1 of 3 done"]
    for n in (1, 2):
        part = Part(50.0)
        failed = {"failed: too slow": 3, "rejected: odd": n}
        part.add(1, report("translate", 60, 6.0, statuses={"ok": 57, "failed: slow": 3}), 25.0)
        part.add(2, report("project", 60, 1.5, statuses={"projected": 57 - n, **failed}), 20.0)
        part.add(3, report("join", 50, 0.0, statuses={"projected": 49, "failed: too slow": 1}), 5.0)
        part.shards = [n]
        assert part.rows == 100.0
        seen.add(part)
    assert seen.lines() == [
        "98 projected, 2 failed: too slow",
        "at project: 6 failed: too slow, 3 rejected: odd",
        "seconds per 1,000 rows (share of time): translate 100 (80%), project 25 (20%), "
        "join 0 (0%)",
        "shards: 3 of 3 done",
    ]
    assert seen.record() == {
        "status": {"projected": 98, "failed: too slow": 2},
        "failures": {"failed: too slow": 6, "rejected: odd": 3},
        "steps": [
            {
                "step": "translate",
                "rows": 120,
                "seconds": 12.0,
                "share": 0.8,
                "seconds_per_1000_rows": 100.0,
            },
            {
                "step": "project",
                "rows": 120,
                "seconds": 3.0,
                "share": 0.2,
                "seconds_per_1000_rows": 25.0,
            },
            {
                "step": "join",
                "rows": 100,
                "seconds": 0.0,
                "share": 0.0,
                "seconds_per_1000_rows": 0.0,
            },
        ],
        "shards": {"done": 3, "total": 3},
    }


def test_many_reasons_are_told_in_part():
    many = {f"rejected: reason {n}": 10 - n for n in range(9)}
    seen = Board([report("project", 55, 0.0, statuses={"projected": 1, **many})], lambda: (2, 1))
    told = ", ".join(f"{10 - n} rejected: reason {n}" for n in range(6))
    assert seen.lines() == [f"{told}, and 10 otherwise", "workers: 2 at work, 1 lost"]
    assert seen.record()["workers"] == {"alive": 2, "lost": 1}
    assert len(seen.record()["failures"]) == 9


def test_a_step_that_amends_another_does_not_hide_it():
    steps = [
        report("project", 3, 0.0, statuses={"projected": 3}),
        report("calibrate", 3, 0.0, statuses={"calibrated": 3}, amends=True),
    ]
    assert Board(steps).lines() == ["3 projected"]


def test_what_others_have_done():
    """Looked at each minute; seldomer, if it takes more than a hundredth of the time."""
    now, done, looks = [0.0], {0}, []

    def is_done(k):
        looks.append(k)
        now[0] += took[0]
        return k in done

    took = [0.0]
    whole = Whole([10, 20, 30, 40, 50], is_done, lambda: now[0])
    assert (whole.n, whole.n_done, whole.others) == (5, 1, 0)
    looks.clear()
    now[0] = 59.0
    whole.look()
    assert not looks
    done |= {1, 2}
    whole.add([1])  # mine
    now[0], took[0] = 60.0, 3.0
    whole.look()
    assert (whole.n_done, whole.others) == (3, 30)
    assert sorted(looks) == [2, 3, 4]
    # a look of 9 seconds, so the next is due 900 seconds later
    looks.clear()
    now[0] = 968.0
    whole.look()
    assert not looks
    done |= {3}  # mine, but seen on disk before it was told
    now[0] = 969.0
    whole.look()
    assert (whole.n_done, whole.others) == (4, 70)
    whole.add([3])
    assert (whole.n_done, whole.others) == (4, 30)


def test_cost():
    one = Cost(2_000_000, 3600.0, 1234.5, None, 3 * 2**20)
    assert one.lines() == ["2,000,000 rows in 1 h 0 min: 1,234 CPU seconds (617 per million rows)"]
    several = Cost(2000, 60.0, 90.0, 30.0, 3 * 2**20, workers=2, lost=1)
    assert several.lines() == [
        "made by 2 workers (1 lost), each of at most 3 MB",
        "2,000 rows in 1 min 0 s: 90 CPU seconds (45,000 per million rows), "
        "30 GPU seconds (15,000 per million rows)",
    ]
    assert several.to_dict() == {
        "rows": 2000,
        "seconds": 60.0,
        "cpu_seconds": 90.0,
        "gpu_seconds": 30.0,
        "cpu_seconds_per_million_rows": 45_000.0,
        "gpu_seconds_per_million_rows": 15_000.0,
        "peak_bytes": 3 * 2**20,
        "workers": 2,
        "workers_lost": 1,
    }
    assert Cost(999, 1.0, 1.0, None, 0).lines() == []
    assert Cost(0, 1.0, 1.0, None, 0).to_dict() == {
        "rows": 0,
        "seconds": 1.0,
        "cpu_seconds": 1.0,
        "peak_bytes": 0,
    }


def test_a_meter():
    """Workers say what they used; a step on two GPUs that learned counts twice."""
    meter = Meter()
    steps = [report("tag", 5, 3.0, gpus=2.0, learning=1.0), report("join", 5, 7.0)]
    cost = meter.cost(5, steps, [Used(10, 100.0), Used(30, 50.0), Used(20, 7.0)], lost=1)
    assert (cost.gpu, cost.memory, cost.workers, cost.lost) == (8.0, 30, 2, 1)
    assert 157.0 <= cost.cpu < 167.0
    alone = meter.cost(5, steps[1:])
    assert (alone.gpu, alone.workers) == (None, 0)
    assert alone.cpu < 10.0


def test_a_step_is_on_a_gpu_if_a_part_of_it_is(monkeypatch):
    settings = {
        "steps": [{"project": {"method": "greedy", "aligner": "lexical"}}],
        "side": "source",
    }
    [step] = make_pipeline(settings).open()
    assert StepReport.of(step).gpus == 0
    monkeypatch.setattr(requirements.Part, "on_gpu", True)
    assert StepReport.of(step).gpus == 1
    assert StepReport.of(step).fresh().gpus == 1


@dataclass
class Fatal(Flaky):
    """Ends its process where it meets a text, if a file is not there yet."""

    mark: str = ""

    def translate(self, sentences, source, target):
        if any(text in self.failing for text in sentences) and not os.path.exists(self.mark):
            open(self.mark, "x").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().translate(sentences, source, target)


def watched(given):
    """A run, and the records of it after each word of its progress."""
    seen = []
    view = View(lambda task, now: seen.append(task.record(now)), 0.0)
    done, reports = shards.run(make_pipeline(given).job(), running.shown_in([view]))
    return done, [one for one in seen if "steps" in one]


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_run_in_shards_ends_with_all_that_was_done(tmp_path, workers):
    toy.write(tmp_path, 60)
    given = toy.settings(tmp_path, shard_rows=10, workers=workers)
    # one sentence of a text that has another, and one that is all of its text
    failing = {toy.sentence(0)[0], toy.sentence(2)[0]}
    given["steps"][1] = {"translate": {"translator": Flaky(failing, [])}}
    done, seen = watched(given)
    last = seen[-1]
    assert last["status"] == done.account.to_dict()["status"]
    assert (last["done"], last["total"]) == (60, 60)
    assert last["failures"] == {"failed: translation: busy": 2}
    assert last["shards"] == {"done": 6, "total": 6}
    assert [one["step"] for one in last["steps"]] == "split translate tag project join".split()
    assert sum(one["share"] for one in last["steps"]) == pytest.approx(1, abs=0.01)
    assert [one["done"] for one in seen] == sorted(one["done"] for one in seen)
    assert done.cost.rows == pytest.approx(60)
    assert done.cost.cpu > 0
    if workers > 1:
        assert last["workers"]["lost"] == 0
        assert (done.cost.workers, done.cost.lost) == (2, 0)
    else:
        assert "workers" not in last
        again, nothing = watched(given)
        # what failed is tried again, and nothing else
        assert 0 < again.cost.rows < 60


@pytest.mark.slow
def test_a_lost_worker_is_told(tmp_path):
    toy.write(tmp_path, 60)
    given = toy.settings(tmp_path, shard_rows=10, workers=2)
    fatal = Fatal({toy.sentence(20)[0]}, [], mark=str(tmp_path / "killed"))
    given["steps"][1] = {"translate": {"translator": fatal}}
    done, seen = watched(given)
    assert seen[-1]["workers"]["lost"] == 1
    assert (done.cost.workers, done.cost.lost) == (2, 1)
    assert "made by 2 workers (1 lost), each of at most" in done.text()
    assert done.account.n_rows == 60


def test_the_work_of_another_machine_is_told(tmp_path, monkeypatch):
    """It made the shards while this one was making its first."""
    monkeypatch.setattr(board, "_LOOK", 0.0)
    monkeypatch.setattr(board, "_SHARE", 1e9)
    toy.write(tmp_path, 60)
    given = toy.settings(tmp_path, shard_rows=10)
    seen = []

    def helped(task, now):
        # no shard is claimed at this word, the first after one was made
        if task.board.whole.n_done == 1 and not Path(other).exists():
            toy.run({**given, "output": other, "work": work})
        seen.append(task.record(now))

    work, other = str(tmp_path / "o.jsonl.work"), str(tmp_path / "other.jsonl")
    shown = running.shown_in([View(helped, 0.0)])

    def after_reading(items, task):
        return shown(items, task) if task.board else items

    done, _ = shards.run(make_pipeline(given).job(), after_reading)
    last = seen[-1]
    assert last["shards"] == {"done": 6, "total": 6}
    assert last["by_others"] == 50
    assert last["done"] == 10
    assert last["seconds_left"] == 0
    assert done.cost.rows == pytest.approx(10)


def test_times_are_in_no_file_of_a_result(tmp_path):
    toy.write(tmp_path, 20)
    made = []
    for _ in range(2):
        done, _ = toy.run(toy.settings(tmp_path, shard_rows=5))
        files = [path for path in tmp_path.glob("o.jsonl*") if path.is_file()]
        made.append({path.name: path.read_bytes() for path in files})
        assert sorted(made[-1]) == ["o.jsonl", "o.jsonl.run.json"]
        assert done.cost.seconds > 0
        assert "seconds" not in json.dumps(done.to_dict())
        for path in files:
            path.unlink()
        shutil.rmtree(tmp_path / "o.jsonl.work")
    assert made[0] == made[1]
