"""When a run fails: nothing half-written, and what an earlier run left stays."""

from pathlib import Path

import pytest
from toy_bitext import SOURCE, EqualWords, align, batches_of, dump, project, rows

from spanbridge import InputError, SpanbridgeError
from spanbridge.api import Loaded, read_pairs
from spanbridge.run import shards, stream
from spanbridge.run.config import make_pipeline
from spanbridge.steps.base import Context


def align_to_pairs(source, target, output, **settings):
    return align(source, target, output.replace(".conll", ".jsonl"), **settings)


TASKS = pytest.mark.parametrize("task", [project, align_to_pairs], ids=["project", "align"])


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def break_at_the_end(rows, task):
    yield from rows
    if task.doing != "read":
        raise KeyboardInterrupt


@pytest.fixture(params=["no older output", "older output"])
def before(request, bitext, tmp_path):
    """The folder's content; with the result, rejects and manifest of an earlier run, or without."""
    if request.param == "older output":
        project(*bitext)
    return content(tmp_path)


@TASKS
@pytest.mark.parametrize("row", ["1", "4", "7"])
def test_a_broken_aligner(task, row, before, bitext, tmp_path, monkeypatch):
    batches_of(monkeypatch, 2)
    with pytest.raises(RuntimeError, match="broken"):
        task(*bitext, aligner=EqualWords(fail_at=row))
    assert content(tmp_path) == before


@TASKS
def test_an_interrupt_after_the_last_row(task, before, bitext, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        task(*bitext, progress=break_at_the_end)
    assert content(tmp_path) == before


@TASKS
def test_an_aligner_that_cannot_be_made(task, before, bitext, tmp_path):
    with pytest.raises(SpanbridgeError, match="no such model"):
        task(*bitext, aligner={"encoder": {"encoder": "no such model"}})
    assert content(tmp_path) == before


@pytest.fixture
def no_parts(monkeypatch):
    """Lets the test fail if a part is made: the input is wrong, which is to be found before."""

    def build(context, part):
        raise AssertionError(f"{part} was made")

    monkeypatch.setattr(Context, "build", build)


@TASKS
@pytest.mark.parametrize("rest", ["", "one\n" * 3])
def test_unequal_numbers_of_rows(task, rest, before, bitext, tmp_path, no_parts):
    source, _, output = bitext
    target = tmp_path / "other.txt"
    target.write_text("a\n" * 5 + rest, encoding="utf-8")
    before["other.txt"] = target.read_bytes()
    with pytest.raises(InputError, match="must run parallel"):
        task(source, str(target), output)
    assert content(tmp_path) == before


@pytest.mark.parametrize("wrong", ["0-0\n" * 6, "\n" * 6 + "9-0\n", "\n" * 6 + "zero\n"])
def test_wrong_links(wrong, before, bitext, tmp_path):
    """They are read while the result is being written."""
    links = tmp_path / "links.pharaoh"
    links.write_text(wrong, encoding="utf-8")
    before["links.pharaoh"] = links.read_bytes()
    with pytest.raises(InputError, match=r"links\.pharaoh"):
        project(*bitext, links=str(links))
    assert content(tmp_path) == before


def test_a_row_that_conll_cannot_hold_is_rejected(write, tmp_path):
    """The others are written, each on its lines; streamed, in shards and in memory alike."""
    span = {"start": 0, "end": 1, "label": "X"}
    good = {"source_words": ["a"], "source_spans": [span], "target_words": ["a"]}
    bad = good | {"id": "seventh", "source_words": ["a", "b"], "target_words": ["a", "b\tc"]}
    source = write("in.jsonl", dump(good, bad, good | {"id": "8"}))
    step = {"project": {"method": "greedy", "aligner": "lexical"}}
    settings = {"input": {"source": source}, "steps": [step]}
    runs = []
    for runner in (stream.run, shards.run):
        given = {**settings, "output": str(tmp_path / f"{len(runs)}.conll")}
        runs.append(runner(make_pipeline(given).job())[0])
    runs.append(Loaded([step]).run(read_pairs(source)).save(tmp_path / "2.conll"))
    for run in runs:
        assert Path(run.output).read_text() == "a\tB-X\n\n\na\tB-X\n\n"
        (reject,) = rows(run.rejects)
        assert reject["id"] == "seventh"
        assert reject["reason"].startswith("cannot be written: the word ")
        statuses = {status.partition(":")[0]: n for status, n in run.account.statuses.items()}
        assert statuses == {"projected": 2, "rejected": 1}
        assert run.account.n_source_spans == 3
        assert run.account.n_target_spans == 2
        assert run.account.dropped == {"cannot be written": 1}
        assert run.account == runs[0].account


@TASKS
@pytest.mark.parametrize("name", ["no/out.conll", "s.conll/out.conll", "a_folder"])
def test_an_output_that_cannot_be_written(task, name, bitext, tmp_path, no_parts):
    (tmp_path / "a_folder.jsonl").mkdir()
    (tmp_path / "a_folder").mkdir()
    before = {path.name for path in tmp_path.rglob("*")}
    output = name if task is project else name.replace("a_folder", "a_folder.jsonl")
    with pytest.raises(InputError, match="cannot be written|where a file would go"):
        task(*bitext[:2], str(tmp_path / output))
    assert {path.name for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("role", ["source", "target", "links"])
@pytest.mark.parametrize("written", ["result", "manifest", "rejects"])
@pytest.mark.parametrize("spelling", ["same", "relative", "symlink"])
def test_an_input_is_never_written(role, written, spelling, tmp_path, monkeypatch):
    """Nor removed, as the rejects file of an earlier run would be."""
    output = tmp_path / "out"  # CoNLL for one command, links for the other
    suffix = {"result": "", "manifest": ".run.json", "rejects": ".rejects.jsonl"}[written]
    place = Path(f"{output}{suffix}")
    inputs = {name: tmp_path / name for name in ("source", "target", "links")}
    inputs[role] = place
    for path in inputs.values():
        path.write_text(SOURCE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    given = dict(inputs)
    if spelling == "relative":
        given[role] = Path(place.name)
    elif spelling == "symlink":
        given[role] = tmp_path / "link"
        given[role].symlink_to(place)
    source, target, links = (str(given[name]) for name in ("source", "target", "links"))
    with pytest.raises(SpanbridgeError, match="both input and output"):
        project(source, target, str(output), links=links)
    if role != "links":
        with pytest.raises(SpanbridgeError, match="both input and output"):
            align(source, target, str(output))
    assert all(path.read_text("utf-8") == SOURCE for path in inputs.values())
