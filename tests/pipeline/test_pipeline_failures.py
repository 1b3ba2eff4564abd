"""When a run fails: nothing half-written, and what an earlier run left stays."""

import json
from functools import partial
from pathlib import Path

import pytest
from pipeline_samples import SOURCE, EqualWords

from spanbridge import GreedyMethod, InputError, SpanbridgeError
from spanbridge.pipeline import files as pipeline_files
from spanbridge.run.stream import align_files, project_files
from spanbridge.steps.projection_old import align_pairs

project = partial(project_files, projector=GreedyMethod(), make_aligner=EqualWords)
align = partial(align_files, make_aligner=EqualWords)
TASKS = pytest.mark.parametrize("task", [project, align], ids=["project", "align"])


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def break_at_the_end(rows, total, stage):
    yield from rows
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
    monkeypatch.setattr(pipeline_files, "align_pairs", partial(align_pairs, chunk=2))
    with pytest.raises(RuntimeError, match="broken"):
        task(*bitext, make_aligner=lambda: EqualWords(fail_at=row))
    assert content(tmp_path) == before


@TASKS
def test_an_interrupt_after_the_last_row(task, before, bitext, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        task(*bitext, watch=break_at_the_end)
    assert content(tmp_path) == before


@TASKS
def test_an_aligner_that_cannot_be_made(task, before, bitext, tmp_path):
    def make():
        raise SpanbridgeError("no such model")

    with pytest.raises(SpanbridgeError, match="no such model"):
        task(*bitext, make_aligner=make)
    assert content(tmp_path) == before


def never():
    raise AssertionError("the input is wrong: no aligner should be made")


@TASKS
@pytest.mark.parametrize("rest", ["", "one more\nand more\n"])
def test_unequal_numbers_of_rows(task, rest, before, bitext, tmp_path):
    source, _, output = bitext
    target = tmp_path / "other.txt"
    target.write_text("a\n" * 6 + rest, encoding="utf-8")
    before["other.txt"] = target.read_bytes()
    with pytest.raises(InputError, match="must run parallel"):
        task(source, str(target), output, make_aligner=never)
    assert content(tmp_path) == before


@pytest.mark.parametrize("wrong", ["0-0\n" * 6, "\n" * 6 + "9-0\n", "\n" * 6 + "zero\n"])
def test_wrong_links(wrong, before, bitext, tmp_path):
    """Also where links are read while the result is being written."""
    links = tmp_path / "links.pharaoh"
    links.write_text(wrong, encoding="utf-8")
    before["links.pharaoh"] = links.read_bytes()
    for make_aligner in (None, never):
        with pytest.raises(InputError, match=r"links\.pharaoh"):
            project(*bitext, links=str(links), make_aligner=make_aligner)
        assert content(tmp_path) == before


def test_a_row_that_conll_cannot_hold(write, tmp_path):
    good = {"source_words": ["a"], "target_words": ["a"], "links": [[0, 0]]}
    bad = good | {"id": "seventh", "target_words": ["a\tb"]}
    source = write("in.jsonl", json.dumps(good) + "\n" + json.dumps(bad) + "\n")
    before = content(tmp_path)
    with pytest.raises(SpanbridgeError, match="row seventh: .*jsonl"):
        project(source, None, str(tmp_path / "out.conll"))
    assert content(tmp_path) == before


def test_an_output_folder_that_is_not_there(bitext, tmp_path):
    before = content(tmp_path)
    with pytest.raises(InputError, match="cannot be written"):
        project(*bitext[:2], str(tmp_path / "no" / "out.conll"))
    assert content(tmp_path) == before


@pytest.mark.parametrize("role", ["source", "target", "links"])
@pytest.mark.parametrize("written", ["result", "manifest", "rejects"])
@pytest.mark.parametrize("spelling", ["same", "relative", "symlink"])
def test_an_input_is_never_written(role, written, spelling, tmp_path, monkeypatch):
    """Nor removed, as the rejects file of an earlier run would be."""
    output = tmp_path / "out.conll"
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
