"""What a corpus run learned: kept in a folder, taken up again."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pipeline_samples import invented_bitext

from spanbridge import CorpusMethod, InputError, SpanbridgeError
from spanbridge.core import registry
from spanbridge.pipeline import learned
from spanbridge.run.stream import Fitting, project_files

NAME = "statistical"


@pytest.fixture
def source_and_target(write):
    return [write(name, text) for name, text in invented_bitext(110).items()]


def fit_run(bitext, output, folder, name=NAME, options=None, **settings):
    projector = CorpusMethod()
    save = partial(keep, folder, name, options or {}, projector)
    return project_files(
        *bitext,
        str(output),
        projector=projector,
        make_aligner=lambda: registry.build("aligner", name, options or {}),
        fitting=Fitting(save=save),
        **settings,
    )


def keep(folder, name, options, projector, aligner):
    learned.save(folder, name, options, aligner, projector)


def apply_run(bitext, output, folder, solver="greedy"):
    aligner, projector, digest = learned.load(folder, solver, {})
    return project_files(
        *bitext,
        str(output),
        projector=projector,
        make_aligner=lambda: aligner,
        fitting=Fitting(applied=digest),
    )


@pytest.fixture
def fit(source_and_target, tmp_path):
    folder = tmp_path / "fit"
    fit_run(source_and_target, tmp_path / "fitted.jsonl", folder)
    return folder


def test_applied_to_its_own_text_it_gives_the_same_bytes(source_and_target, tmp_path, fit):
    run = apply_run(source_and_target, tmp_path / "applied.jsonl", fit)
    fitted, applied = (tmp_path / f"{name}.jsonl" for name in ("fitted", "applied"))
    assert applied.read_bytes() == fitted.read_bytes()
    assert run.account.n_target_spans > 150
    digest = json.loads((fit / "learned.json").read_text("utf-8"))["sha256"]
    assert f"|applied:{digest[:12]}|" in run.signature
    assert "fitted_on=110_pairs" in run.signature
    assert sorted(path.name for path in fit.iterdir()) == ["learned.json", "learned.npz"]


def test_nothing_is_learned_from_what_it_is_applied_to(source_and_target, tmp_path, fit, write):
    """A row's result does not depend on the other rows."""
    apply_run(source_and_target, tmp_path / "all.jsonl", fit)
    first = [write(name, text) for name, text in invented_bitext(3).items()]
    apply_run(first, tmp_path / "first.jsonl", fit)
    every, few = ((tmp_path / f"{n}.jsonl").read_text("utf-8") for n in ("all", "first"))
    assert every.splitlines()[:3] == few.splitlines()


def test_saved_and_loaded_and_saved_again(fit, tmp_path):
    aligner, projector, _ = learned.load(fit, "greedy", {})
    learned.save(tmp_path / "again", NAME, {}, aligner, projector)
    for name in ("learned.json", "learned.npz"):
        assert (tmp_path / "again" / name).read_bytes() == (fit / name).read_bytes()


@pytest.mark.parametrize("n_pairs", [5, 110])
def test_an_aligner_that_learns_nothing(n_pairs, write, tmp_path):
    """Also where the bitext is too small for a second pass; and the aligner's options stay."""
    bitext = [write(name, text) for name, text in invented_bitext(n_pairs).items()]
    options = {"min_similarity": 0.5}
    run = fit_run(bitext, tmp_path / "a.conll", tmp_path / "fit", "lexical", options)
    other = apply_run(bitext, tmp_path / "b.conll", tmp_path / "fit")
    assert (tmp_path / "a.conll").read_bytes() == (tmp_path / "b.conll").read_bytes()
    parts = [part for part in other.signature.split("|") if not part.startswith("applied:")]
    assert parts == run.signature.split("|")
    assert run.account.n_target_spans


def test_labels_that_were_not_there_in_learning(fit, write, tmp_path):
    bitext = [
        write(name, text.replace("-LOC", "-NEW-er")) for name, text in invented_bitext(4).items()
    ]
    run = apply_run(bitext, tmp_path / "o.conll", fit)
    assert run.account.n_target_spans
    assert "-NEW-er" in (tmp_path / "o.conll").read_text("utf-8")


def test_another_fit_replaces_it(fit, source_and_target, tmp_path):
    before = (fit / "learned.npz").read_bytes()
    fit_run(source_and_target, tmp_path / "o.conll", fit, "lexical")
    assert (fit / "learned.npz").read_bytes() != before
    assert learned.load(fit, "exact", {})[1].solver == "exact"
    assert len(list(fit.iterdir())) == 2


def test_a_folder_with_other_files(tmp_path, fit):
    (tmp_path / "other").mkdir()
    learned.check_place(tmp_path / "other")  # empty
    learned.check_place(tmp_path / "new")
    learned.check_place(fit)
    (tmp_path / "other" / "thesis.tex").write_text("", "utf-8")
    aligner, projector, _ = learned.load(fit, "greedy", {})
    for place, why in (
        ("other", "holds other files"),
        ("other/thesis.tex", "cannot be made into a folder"),
    ):
        with pytest.raises(InputError, match=f"{place}: {why}"):
            learned.check_place(tmp_path / place)
        with pytest.raises(InputError, match=why):
            learned.save(tmp_path / place, NAME, {}, aligner, projector)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.tex"]


def change(path, **fields):
    """Change the description, and the digest so that it fits."""
    content = json.loads(path.read_text("utf-8")) | fields
    content["sha256"] = learned._digest(content, (path.parent / "learned.npz").read_bytes())
    path.write_text(json.dumps(content), "utf-8")


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_damaged_numbers(fit, damage):
    path = fit / "learned.npz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes({"cut": data[:-10], "flipped": data, "empty": b""}[damage])
    with pytest.raises(InputError, match=r"learned\.npz is damaged"):
        learned.load(fit, "greedy", {})


def test_a_changed_description(fit):
    """What is learned stands in both files, and so both are checked."""
    path = fit / "learned.json"
    path.write_text(path.read_text("utf-8").replace('"n_pairs":', '"n_pairs":1'), "utf-8")
    with pytest.raises(InputError, match="is damaged; fit again"):
        learned.load(fit, "greedy", {})


@pytest.mark.parametrize("name", ["learned.json", "learned.npz"])
def test_a_missing_file(fit, name):
    (fit / name).unlink()
    with pytest.raises(InputError, match=f"{name}.*--fit"):
        learned.load(fit, "greedy", {})


@pytest.mark.parametrize("content", [b"", b'{"format": 1,', b"\xff\xfe", b"[", b'{"format": 1'])
def test_a_description_that_cannot_be_read(fit, content):
    (fit / "learned.json").write_bytes(content)
    with pytest.raises(InputError, match=r"learned\.json: cannot be read .*--fit"):
        learned.load(fit, "greedy", {})


@pytest.mark.parametrize("content", ["[]", "{}", '"x"', "null", '{"format": 0}', '{"format": 99}'])
def test_another_format(fit, content):
    (fit / "learned.json").write_text(content, "utf-8")
    with pytest.raises(InputError, match=r"learned\.json: .*format; fit again"):
        learned.load(fit, "greedy", {})


@pytest.mark.parametrize(
    "fields",
    [
        {"aligner": None},
        {"aligner": {"name": NAME}},
        {"statistics": {}},
        {"members": [["x", []]]},
        {"labels": None},
    ],
    ids=json.dumps,
)
def test_an_incomplete_description(fit, fields):
    change(fit / "learned.json", **fields)
    with pytest.raises(InputError, match=r"learned\.json: is damaged .*fit again"):
        learned.load(fit, "greedy", {})


@pytest.mark.parametrize("aligner", [("nosuch", {}), (NAME, {"nosuch": 1})])
def test_an_aligner_that_is_not_here(fit, aligner):
    change(fit / "learned.json", aligner={"name": aligner[0], "options": aligner[1]})
    with pytest.raises(InputError, match=r"learned\.json: its aligner cannot be made: .*nosuch"):
        learned.load(fit, "greedy", {})


def test_no_such_solver(fit):
    with pytest.raises(SpanbridgeError, match="nosuch"):
        learned.load(fit, "nosuch", {})


class Bomb:
    def __reduce__(self):
        return Path.touch, (Path("exploded"),)


def test_pickles_are_not_opened(fit, tmp_path, monkeypatch):
    """Even if the digest is right."""
    from hashlib import sha256

    monkeypatch.chdir(tmp_path)
    np.savez(fit / "learned.npz", bomb=np.array([Bomb()], object))
    change(fit / "learned.json", sha256=sha256((fit / "learned.npz").read_bytes()).hexdigest())
    with pytest.raises(InputError, match="pickle"):
        learned.load(fit, "greedy", {})
    assert not (tmp_path / "exploded").exists()
    with np.load(fit / "learned.npz", allow_pickle=True) as file:
        assert file["bomb"].shape == (1,)  # it would have gone off
    assert (tmp_path / "exploded").exists()
