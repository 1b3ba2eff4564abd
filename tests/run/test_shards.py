"""Pipelines in shards: the same bytes whatever the shards, machines and interruptions."""

import multiprocessing
import os
import shutil
import signal
import time
import warnings
from fnmatch import fnmatch
from pathlib import Path
from random import Random

import pytest
import toy_pipeline as toy
from toy_bitext import dump, rows

from spanbridge import InputError
from spanbridge.api import Loaded, read_pairs
from spanbridge.core.errors import RepairWarning
from spanbridge.formats.shard_files import read_shard
from spanbridge.run import manifest as manifest_module
from spanbridge.run import stream
from spanbridge.run.config import make_pipeline
from spanbridge.run.shards import run as shards_run

# What a run imports on the way, which its attempts are to have at once.
MODULES = [
    *("rapidfuzz.process", "rapidfuzz.distance", "sentencex", "threadpoolctl"),
    *("spanbridge.run.config", "spanbridge.run.shards", "spanbridge.projection.presets"),
    *("spanbridge.steps.raw_text", "spanbridge.steps.translating", "spanbridge.steps.tagging"),
    *("spanbridge.steps.projecting", "spanbridge.translation.given", "spanbridge.tagging.given"),
    *("spanbridge.alignment.lexical_aligner", "langcodes"),
]


def shards(work):
    """Every finished shard, and which file it is."""
    # by walk(), which does not mind that a folder vanishes meanwhile
    files = (Path(place, name) for place, _, names in os.walk(work) for name in names)
    return {
        path: (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in files
        if fnmatch(path.name, "[0-9]*.gz") and path.with_suffix(".json").is_file()  # written last
    }


def test_raw_text_to_entities(tmp_path):
    toy.write(tmp_path, 30)
    done, reports = toy.run(toy.settings(tmp_path, shard_rows=8))
    found = rows(tmp_path / "o.jsonl")
    text = (tmp_path / "es.txt").read_text("utf-8").split("\n")[:-1]
    assert [row["target_text"] for row in found] == text
    for n, row in enumerate(found):
        spans = [
            (row["target_text"][s["start"] : s["end"]], s["label"]) for s in row["target_spans"]
        ]
        expected = [("Pedro", "PER"), (f"Lugar{2 * n}", "LOC")]
        expected += [("Ana", "PER"), (f"Lugar{2 * n + 1}", "LOC")] if n % 3 == 0 else []
        assert spans == ([] if n % 7 == 6 else expected)
    assert sum(done.account.statuses.values()) == 30
    # 8 rows with two sentences, 18 with one; two spans a sentence
    assert done.account.n_source_spans == done.account.n_target_spans == 8 * 4 + 18 * 2
    assert [p.name for p in reports] == ["read", "split", "translate", "tag", "project", "join"]
    assert [p.shards for p in reports] == [4] * 6
    assert "4-project:aligner=lexical" in done.signature
    assert (tmp_path / "o.jsonl.run.json").is_file()


def test_shards_change_no_byte(tmp_path):
    toy.write(tmp_path, 50)
    toy.run(toy.settings(tmp_path))
    whole = (tmp_path / "o.jsonl").read_bytes()
    toy.run(toy.settings(tmp_path, "small.jsonl", shard_rows=7))
    assert (tmp_path / "small.jsonl").read_bytes() == whole


@pytest.mark.parametrize("words", [1, 30])
def test_shards_are_bounded_by_words_too(tmp_path, monkeypatch, words):
    """Also where some of the rows are learned from."""
    toy.write(tmp_path, 12)
    steps = [*toy.STEPS[1:2], {"align": {"aligner": "statistical"}}]
    toy.run(toy.settings(tmp_path, steps=steps, fit_rows=5))
    whole = (tmp_path / "o.jsonl").read_bytes()
    monkeypatch.setattr(manifest_module, "SHARD_WORDS", words)
    _, reports = toy.run(toy.settings(tmp_path, "small.jsonl", steps=steps, fit_rows=5))
    assert reports[-1].shards == (12 if words == 1 else reports[0].made) > 1
    assert (tmp_path / "small.jsonl").read_bytes() == whole


@pytest.mark.slow
def test_a_learning_method_learns_the_same_whatever_the_shards(tmp_path):
    toy.write(tmp_path, 250)
    steps = [*toy.STEPS[1:3], {"project": {"method": "corpus", "aligner": "statistical"}}]
    given = toy.settings(tmp_path, steps=steps)
    toy.run(given)
    whole = (tmp_path / "o.jsonl").read_bytes()
    assert len(list((tmp_path / "o.jsonl.work" / "3-project").glob("learned-*"))) == 1
    assert ",learned_on=250_rows|" in (tmp_path / "o.jsonl.run.json").read_text("utf-8")
    toy.run({**given, "output": str(tmp_path / "small.jsonl"), "shard_rows": 40})
    assert (tmp_path / "small.jsonl").read_bytes() == whole


def test_what_is_done_is_not_done_again(tmp_path):
    toy.write(tmp_path, 40)
    given = toy.settings(tmp_path, shard_rows=10)
    toy.run(given)
    first, bytes_ = shards(tmp_path / "o.jsonl.work"), (tmp_path / "o.jsonl").read_bytes()
    _, reports = toy.run(given)
    assert [p.made for p in reports] == [0] * 6
    assert shards(tmp_path / "o.jsonl.work") == first
    given["steps"][3]["project"]["min_confidence"] = 0.5
    _, reports = toy.run(given)
    assert [p.made for p in reports] == [0, 0, 0, 0, 4, 4]
    tags = tmp_path / "en.conll"
    tags.write_text(tags.read_text("utf-8").replace("LOC", "GPE"), encoding="utf-8")
    _, reports = toy.run(given)
    assert [p.made for p in reports] == [0, 0, 0, 4, 4, 4]
    assert b'"GPE"' in (tmp_path / "o.jsonl").read_bytes() != bytes_


def test_more_text_at_the_end_costs_only_itself(tmp_path):
    toy.write(tmp_path, 40)
    given = toy.settings(tmp_path, shard_rows=10)
    toy.run(given)
    with (tmp_path / "es.txt").open("a", encoding="utf-8") as text:
        text.write("Pedro vive en Lugar0.\n" * 5)
    _, reports = toy.run(given)
    assert [p.made for p in reports] == [1] * 6
    assert len(rows(tmp_path / "o.jsonl")) == 45


@pytest.mark.slow
def test_a_longer_text_is_learned_from_anew(tmp_path):
    """Other rows make up the sample then, though the shards that they stand in are the same."""
    toy.write(tmp_path, 1010, blank=10**9)
    longer = (tmp_path / "es.txt").read_text("utf-8")
    (tmp_path / "es.txt").write_text("\n".join(longer.split("\n")[:1000]) + "\n", "utf-8")
    steps = [*toy.STEPS[:2], {"align": {"aligner": "statistical"}}]
    given = toy.settings(tmp_path, steps=steps, shard_rows=500, fit_rows=500)
    toy.run(given)
    (tmp_path / "es.txt").write_text(longer, "utf-8")
    _, reports = toy.run(given)
    assert [p.made for p in reports] == [1, 1, 1, 3]


def test_what_any_step_rejects_is_written_down(tmp_path):
    toy.write(tmp_path, 3)
    marked = {"source_words": ["a", "[", "b"], "source_spans": [], "target_text": "x"}
    (tmp_path / "p.jsonl").write_text(dump(marked, marked), "utf-8")
    steps = [{"mark": {"translator": {"given": {"model": "t.tsv"}}}}, "repair"]
    given = toy.settings(tmp_path, steps=steps)
    given["input"] = str(tmp_path / "p.jsonl")
    done, _ = toy.run(given)
    streamed, _ = stream.run(make_pipeline({**given, "output": str(tmp_path / "s.jsonl")}).job())
    loaded = Loaded(given["steps"], given["languages"]).run(read_pairs(given["input"]))
    assert done.account == streamed.account == loaded.account
    found = rows(tmp_path / "o.jsonl.rejects.jsonl")
    assert [(row["id"], row["reason"]) for row in found] == [
        ("1", "it holds such marks already"),
        ("2", "it holds such marks already"),
    ]
    assert done.rejects


def test_explanations_are_no_older_shards(tmp_path):
    (tmp_path / "p.jsonl").write_text(dump(*[toy_row()] * 3), "utf-8")
    project = {"method": "greedy", "aligner": "lexical"}
    for explain in (False, True):
        steps = [{"project": {**project, "explain": explain}}]
        given = toy.settings(tmp_path, steps=steps)
        toy.run({**given, "input": str(tmp_path / "p.jsonl")})
        assert all(("explanation" in row) == explain for row in rows(tmp_path / "o.jsonl"))


def toy_row():
    span = {"start": 0, "end": 1, "label": "PER"}
    return {"source_words": ["Ana", "x"], "source_spans": [span], "target_words": ["Ana", "y"]}


def test_rows_that_bring_places_in_texts_are_learned_from(tmp_path):
    """As `split` without `join` leaves them: here they are rows like others."""
    place = {"id": "t", "side": "target", "start": 0, "text": "whole"}
    given = [{**toy_row(), "sentence_of": {**place, "start": n}} for n in range(4)]
    given[1]["sentence_of"]["text"] = None
    (tmp_path / "p.jsonl").write_text(dump(*given), "utf-8")
    settings = toy.settings(tmp_path, steps=[{"align": {"aligner": "statistical"}}])
    done, _ = toy.run({**settings, "input": str(tmp_path / "p.jsonl")})
    assert done.account.n_rows == 4


def test_a_folder_of_others_is_no_work_folder(tmp_path):
    toy.write(tmp_path, 2)
    (tmp_path / "o.jsonl.work").mkdir()
    (tmp_path / "o.jsonl.work" / "thesis.tex").touch()
    job = make_pipeline(toy.settings(tmp_path)).job()
    with pytest.raises(InputError, match=r"o\.jsonl\.work: holds other files, such as thesis\.tex"):
        shards_run(job)
    stream.run(job)  # needs none


def test_a_shard_under_another_name_is_not_believed(tmp_path):
    toy.write(tmp_path, 20)
    given = toy.settings(tmp_path, shard_rows=10)
    toy.run(given)
    whole = (tmp_path / "o.jsonl").read_bytes()
    for suffix in ("gz", "json"):
        first, second = sorted((tmp_path / "o.jsonl.work" / "5-join").glob(f"*.{suffix}"))
        second.write_bytes(first.read_bytes())
        with pytest.warns(RepairWarning, match=r"00001-\w+\.(gz|json): is .*; made anew"):
            assert toy.run(given)[1][-1].made == 1
        assert (tmp_path / "o.jsonl").read_bytes() == whole


@pytest.mark.parametrize("step", ["0-read", "2-translate", "5-join"])
@pytest.mark.parametrize(
    "damage",
    ["flipped", *(pytest.param(x, marks=pytest.mark.slow) for x in ("cut", "empty", "gone"))],
)
def test_a_damaged_shard_is_named_and_made_anew(tmp_path, step, damage):
    toy.write(tmp_path, 20)
    given = toy.settings(tmp_path, shard_rows=10)
    toy.run(given)
    whole = (tmp_path / "o.jsonl").read_bytes()
    first, _ = sorted((tmp_path / "o.jsonl.work" / step).glob("*.gz"))
    data = bytearray(first.read_bytes())
    data[len(data) // 2] ^= 1
    first.write_bytes({"cut": data[:100], "flipped": data}.get(damage, b""))
    if damage == "gone":
        first.unlink()
    with pytest.warns(RepairWarning, match=r"00000-\w+\.gz: .*; made anew"):
        made = toy.run(given)[1]
    assert {p.name: p.made for p in made} == {p.name: int(p.name in step) for p in made}
    assert (tmp_path / "o.jsonl").read_bytes() == whole
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        toy.run(given)


def test_damaged_learned_state_is_named_and_learned_anew(tmp_path):
    toy.write(tmp_path, 60)
    steps = [*toy.STEPS[1:2], {"align": {"aligner": "statistical"}}]
    given = toy.settings(tmp_path, steps=steps, shard_rows=30)
    toy.run(given)
    whole = (tmp_path / "o.jsonl").read_bytes()
    work = tmp_path / "o.jsonl.work" / "2-align"
    (learned,) = work.glob("learned-*/aligner/learned.npz")
    data = bytearray(learned.read_bytes())
    data[len(data) // 2] ^= 1
    learned.write_bytes(data)
    for record in work.glob("*.json"):
        record.unlink()
    with pytest.warns(RepairWarning, match=r"learned\.npz: is damaged, .*; learned anew"):
        toy.run(given)
    assert (tmp_path / "o.jsonl").read_bytes() == whole
    assert learned.read_bytes() != data


@pytest.mark.slow
def test_thirty_kills_at_random_moments(tmp_path):
    """Each attempt comes a few shards further, whatever the speed of the machine."""
    toy.write(tmp_path, 300)
    given = toy.settings(tmp_path, shard_rows=30)
    work = tmp_path / "o.jsonl.work"
    fresh = multiprocessing.get_context("forkserver")
    fresh.set_forkserver_preload(["toy_pipeline", *MODULES])

    def attempt(settings, further=10**9):
        """Run it until there are so many more shards; True if it was killed."""
        process = fresh.Process(target=toy.run, args=(settings,))
        enough = len(shards(work)) + further
        process.start()
        while process.exitcode is None and len(shards(work)) < enough:
            process.join(0.005)
        killed = process.exitcode is None
        if killed:
            os.kill(process.pid, signal.SIGKILL)
            process.join()
        assert killed or process.exitcode == 0
        return killed

    attempt({**given, "output": str(tmp_path / "whole.jsonl")})
    random, finished, n_kills, n_further = Random(7), {}, 0, 0
    while n_kills < 30:
        killed = attempt(given, random.randrange(9))
        n_kills += killed
        after = shards(work)
        assert finished.items() <= after.items(), "what was finished was made again"
        n_further += killed and len(after) > len(finished)
        finished = after
        if not killed:  # done before the thirtieth: once more from the beginning
            assert (tmp_path / "o.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
            shutil.rmtree(work)
            finished = {}
    attempt(given)
    assert n_further
    assert finished.items() <= shards(work).items()
    assert (tmp_path / "o.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not [path for path in work.rglob(".*") if path.is_file()], "half-written files are left"


def test_a_shard_holds_the_rows_of_its_step(tmp_path):
    toy.write(tmp_path, 6)
    toy.run(toy.settings(tmp_path))
    (path,) = (tmp_path / "o.jsonl.work" / "3-tag").glob("*.gz")
    found = read_shard(path)
    assert [pair.id for pair in found] == ["1.1", "1.2", "2", "3", "4.1", "4.2", "5", "6"]
    assert [span.label for span in found[0].source.spans] == ["PER", "LOC"]


def test_time_is_that_of_all_runs(tmp_path):
    toy.write(tmp_path, 200)
    given = toy.settings(tmp_path)
    _, first = toy.run(given)
    time.sleep(0.01)
    _, second = toy.run(given)
    assert [p.seconds for p in first] == [p.seconds for p in second]
    assert "shards done before" in second[-1].text()


def test_files_of_this_machine_by_address(tmp_path):
    """Folders are made there as on other stores, which have none."""
    toy.write(tmp_path, 10)
    given = toy.settings(tmp_path, shard_rows=4)
    toy.run(given)
    toy.run({**given, "output": f"file://{tmp_path}/new/o.jsonl"})
    assert (tmp_path / "new/o.jsonl").read_bytes() == (tmp_path / "o.jsonl").read_bytes()
    assert list((tmp_path / "new/o.jsonl.work/5-join").glob("*.json"))


def test_memory_of_one_process_is_not_shared(tmp_path):
    toy.write(tmp_path, 10)
    with pytest.raises(InputError, match="memory://w: only one process sees .*workers share"):
        toy.run(toy.settings(tmp_path, work="memory://w", workers=2))
