"""What a corpus method has learned: kept in a folder, taken up again, and checked."""

import json
from pathlib import Path

import numpy as np
import pytest
from project_instances import placed, project_row
from soft_samples import bitext, fitted, names

from spanbridge.alignment.statistical import StatisticalAligner
from spanbridge.core.errors import InputError
from spanbridge.core.learned import (
    FILES,
    FORMAT,
    check_folder,
    digest_of,
    read_learned,
    write_learned,
)
from spanbridge.core.records import write_record
from spanbridge.projection.corpus import CorpusMethod


@pytest.fixture
def saved(corpus, tmp_path):
    folder = tmp_path / "fit"
    corpus.save(folder)
    return folder


@pytest.mark.parametrize("sample", ["corpus", "encoded", "few", "nothing"])
def test_it_projects_as_before(sample, request, tmp_path, rows, with_states):
    """With both taggers, with that on words alone, and where there was too little to learn."""
    if sample in ("few", "nothing"):
        method = fitted(rows[:1] if sample == "few" else [])
    else:
        method = request.getfixturevalue(sample)
    method.save(tmp_path / "fit")
    loaded = CorpusMethod().load(tmp_path / "fit")
    pairs = with_states if sample == "encoded" else rows
    other = bitext(20, labels=("PER", "new"), seed=9, states=sample == "encoded")
    batch = [*pairs[:40], *other]
    assert loaded.project(batch) == method.project(batch)
    assert loaded.describe() == method.describe()
    assert loaded.calibration() == method.calibration()
    assert loaded.max_confidence() == method.max_confidence()
    assert sorted(path.name for path in (tmp_path / "fit").iterdir()) == sorted(FILES)


@pytest.mark.parametrize("sample", ["corpus", "encoded"])
def test_saved_and_loaded_and_saved_again(sample, request, tmp_path):
    method = request.getfixturevalue(sample)
    method.save(tmp_path / "once")
    loaded = CorpusMethod().load(tmp_path / "once")
    loaded.save(tmp_path / "twice")
    for name in FILES:
        assert (tmp_path / "twice" / name).read_bytes() == (tmp_path / "once" / name).read_bytes()
    assert loaded.state.statistics == method.state.statistics
    assert loaded.state.members == method.state.members
    assert loaded.state.labels == method.state.labels
    assert digest_of(tmp_path / "once") == digest_of(tmp_path / "twice")


def test_another_solver_takes_it_up_too(saved, rows):
    exact = CorpusMethod("exact").load(saved)
    assert exact.solve.name == "exact"
    right = sum(placed(project_row(exact, row)) == names(row[0]) for row in rows[:40])
    assert right >= 38


def test_loading_forgets_what_was_learned_before(saved, corpus, rows):
    method = fitted(bitext(100, ("X",), seed=7))
    method.load(saved)
    assert method.project(rows[:20]) == corpus.project(rows[:20])


def test_another_fit_replaces_it(saved, rows):
    before = digest_of(saved)
    fitted(rows[:20]).save(saved)
    assert digest_of(saved) != before
    assert CorpusMethod().load(saved).state.statistics.n_pairs == 20
    assert sorted(path.name for path in saved.iterdir()) == sorted(FILES)


def test_what_is_kept_can_be_read_by_people(saved):
    content = json.loads((saved / "learned.json").read_text("utf-8"))
    assert content["format"] == FORMAT
    assert content["described"].startswith("corpus(")
    assert content["learned"]["labels"] == ["LOC", "PER"]
    assert content["sha256"].startswith(digest_of(saved))


# --- damage


def refused(folder, match):
    """Loading names the file and what to do, and leaves the method as it was."""
    method = CorpusMethod()
    before = method.state
    with pytest.raises(InputError, match=match) as error:
        method.load(folder)
    assert str(folder) in str(error.value)
    assert method.state is before
    return error.value


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_damaged_numbers(saved, damage):
    path = saved / "learned.npz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes({"cut": data[:-10], "flipped": data, "empty": b""}[damage])
    refused(saved, r"learned\.npz: is damaged, .*; fit again")


def test_a_changed_description(saved):
    """What is learned stands in both files, and so both are checked."""
    path = saved / "learned.json"
    path.write_text(path.read_text("utf-8").replace('"n_pairs":', '"n_pairs":1'), "utf-8")
    refused(saved, "is damaged.*; fit again")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file(saved, name):
    (saved / name).unlink()
    refused(saved, f"{name}.*fit again")


def test_a_folder_that_is_not_there(tmp_path):
    refused(tmp_path / "nosuch", r"learned\.json: cannot be read .*fit again")


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"format": 1,', b"\xff\xfe", b"[", b"[" * 100_000]
)
def test_a_description_that_cannot_be_read(saved, content):
    (saved / "learned.json").write_bytes(content)
    refused(saved, r"learned\.json: is damaged.*; fit again")


@pytest.mark.parametrize("content", ["[]", '"x"', "null", '{"format": 0}', '{"format": 99}'])
def test_another_format(saved, content):
    (saved / "learned.json").write_text(content, "utf-8")
    refused(saved, r"learned\.json: .*format; fit again")


def change(folder, content):
    """Another description, its digest right."""
    written, arrays = read_learned(folder)
    write_learned(folder, {**written, **content}, arrays)


@pytest.mark.parametrize(
    "content",
    [
        {"learned": None},
        {"learned": {}},
        {"statistics": {}},
        {"members": [["x", []]]},
        {"members": None},
        {"labels": None},
        {"word_features": 1},
    ],
    ids=json.dumps,
)
def test_an_incomplete_description(saved, content):
    learned = read_learned(saved)[0]["learned"]
    change(saved, content if "learned" in content else {"learned": {**learned, **content}})
    refused(saved, r"learned\.json: is damaged, or another part's .*fit again")


def test_missing_arrays(saved):
    written, arrays = read_learned(saved)
    write_learned(saved, written, {"words.0": arrays["words.0"]})
    refused(saved, r"another part's .*words\.1")


def test_what_another_part_learned(tmp_path, rows):
    aligner = StatisticalAligner()
    aligner.fit([row for row, _ in rows[:20]])
    aligner.save(tmp_path / "aligner")
    refused(tmp_path / "aligner", "is damaged, or another part's")


class Bomb:
    def __reduce__(self):
        return Path.touch, (Path("exploded"),)


def test_pickles_are_not_opened(saved, tmp_path, monkeypatch):
    """Even if the digest is right."""
    monkeypatch.chdir(tmp_path)
    written, _ = read_learned(saved)
    np.savez(saved / "learned.npz", bomb=np.array([Bomb()], object))
    write_record(saved / "learned.json", written, [saved / "learned.npz"])
    refused(saved, r"learned\.npz: is damaged .*pickle")
    assert not (tmp_path / "exploded").exists()
    with np.load(saved / "learned.npz", allow_pickle=True) as file:
        assert file["bomb"].shape == (1,)  # it would have gone off
    assert (tmp_path / "exploded").exists()


# --- the place


def test_a_folder_with_other_files(tmp_path, saved):
    (tmp_path / "other").mkdir()
    for place in (tmp_path / "other", tmp_path / "new", saved):  # empty, none yet, of ours
        check_folder(place, FILES)
    (tmp_path / "other" / "thesis.tex").write_text("", "utf-8")
    with pytest.raises(InputError, match="other: holds other files"):
        check_folder(tmp_path / "other", FILES)
    with pytest.raises(InputError, match=r"thesis\.tex: cannot be made into a folder"):
        check_folder(tmp_path / "other" / "thesis.tex", FILES)


def test_where_nothing_can_be_written(tmp_path, corpus):
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(InputError, match="file: cannot be written to"):
        corpus.save(tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
