"""What a corpus run learned: kept in a folder, taken up again."""

import json
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from toy_bitext import invented_bitext, project

from spanbridge import InputError
from spanbridge.alignment.judging import Judge
from spanbridge.core import learned
from spanbridge.core.records import write_record
from spanbridge.core.signature import package_version
from spanbridge.run import stream
from spanbridge.run.config import make_pipeline
from spanbridge.steps import learning
from spanbridge.steps.base import PartSettings

PARTS = ["aligner", "method", "judge"]
FILES = ["learned.json", "learned.npz"]


@pytest.fixture
def source_and_target(write):
    return [write(name, text) for name, text in invented_bitext(110).items()]


def fit_run(bitext, output, folder, aligner="statistical"):
    source, target = bitext
    settings = {
        "input": {"source": source, "target": target},
        "output": str(output),
        "steps": [{"project": {"method": "corpus", "aligner": aligner}}],
    }
    return stream.run(make_pipeline(settings).job(keep=str(folder)))[0]


def apply_run(bitext, output, folder, **settings):
    return project(*bitext, str(output), method=None, apply=str(folder), **settings)


def made(folder):
    """The parts of a fit, with what they learned."""
    recipe = learning.recipe(folder)
    step = make_pipeline({"steps": [{"project": {"apply": str(folder)}}]}).open()[0]
    return step._chain.aligner, step._chain.method, recipe.aligner, recipe.method


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A folder with the result of a run, and with the fit that it kept."""
    place = tmp_path_factory.mktemp("fitted")
    bitext = []
    for name, text in invented_bitext(110).items():
        (place / name).write_text(text, encoding="utf-8", newline="\n")
        bitext.append(str(place / name))
    fit_run(bitext, place / "fitted.jsonl", place / "fit")
    return place


@pytest.fixture
def fit(fitted, tmp_path):
    """A copy of the fit, which may be damaged."""
    shutil.copy(fitted / "fitted.jsonl", tmp_path)
    return shutil.copytree(fitted / "fit", tmp_path / "fit")


def test_applied_to_its_own_text_it_gives_the_same_bytes(source_and_target, tmp_path, fit):
    run = apply_run(source_and_target, tmp_path / "applied.jsonl", fit)
    fitted, applied = (tmp_path / f"{name}.jsonl" for name in ("fitted", "applied"))
    assert applied.read_bytes() == fitted.read_bytes()
    assert run.account.n_target_spans > 150
    assert f"|applied:{learning.recipe(fit)[0]}|" in run.signature
    assert "trained_on=110_pairs" in run.signature
    files = [f"{part}/{name}" for part in PARTS for name in FILES]
    assert sorted(content(fit)) == sorted([*files, "parts.json"])


def test_nothing_is_learned_from_what_it_is_applied_to(source_and_target, tmp_path, fit, write):
    """A row's result does not depend on the other rows."""
    apply_run(source_and_target, tmp_path / "all.jsonl", fit)
    first = [write(name, text) for name, text in invented_bitext(3).items()]
    apply_run(first, tmp_path / "first.jsonl", fit)
    every, few = ((tmp_path / f"{n}.jsonl").read_text("utf-8") for n in ("all", "first"))
    assert every.splitlines()[:3] == few.splitlines()


def test_saved_and_loaded_and_saved_again(fit, tmp_path):
    aligner, method, aligner_settings, method_settings = made(fit)
    judge = Judge().load(fit / "judge")
    parts = (aligner_settings, aligner, method_settings, method)
    learning.save(tmp_path / "again", *parts, judge=judge)
    assert content(tmp_path / "again") == content(fit)


@pytest.mark.parametrize("n_pairs", [5, 110])
def test_an_aligner_that_learns_nothing(n_pairs, write, tmp_path):
    """Also where the bitext is too small for a second pass; and the aligner's options stay."""
    bitext = [write(name, text) for name, text in invented_bitext(n_pairs).items()]
    aligner = {"lexical": {"min_score": 0.5}}
    run = fit_run(bitext, tmp_path / "a.conll", tmp_path / "fit", aligner)
    other = apply_run(bitext, tmp_path / "b.conll", tmp_path / "fit")
    assert (tmp_path / "a.conll").read_bytes() == (tmp_path / "b.conll").read_bytes()
    assert "|aligner:lexical(min_score=0.5," in other.signature
    assert f"|learned_on:{n_pairs}_rows|" in run.signature
    assert run.account.n_target_spans


def test_labels_that_were_not_there_in_learning(fit, write, tmp_path):
    bitext = [
        write(name, text.replace("-LOC", "-NEW-er")) for name, text in invented_bitext(4).items()
    ]
    run = apply_run(bitext, tmp_path / "o.conll", fit)
    assert run.account.n_target_spans
    assert "-NEW-er" in (tmp_path / "o.conll").read_text("utf-8")


def test_another_fit_replaces_it(fit, source_and_target, tmp_path):
    before = content(fit)
    fit_run(source_and_target, tmp_path / "o.conll", fit, "lexical")
    after = content(fit)
    assert after.keys() == before.keys()
    assert after["method/learned.npz"] != before["method/learned.npz"]
    assert learning.recipe(fit)[2] == PartSettings("aligner", "lexical")


def test_threads_are_the_next_machines_own_affair(tmp_path):
    settings = PartSettings("aligner", "encoder", {"threads": 7, "layer": 3})
    assert learning._named(settings) == {"name": "encoder", "options": {"layer": 3}}


def test_a_folder_with_other_files(tmp_path, fit):
    (tmp_path / "other").mkdir()
    learning.check_place(tmp_path / "other")  # empty
    learning.check_place(tmp_path / "new")
    learning.check_place(fit)
    (tmp_path / "other" / "thesis.tex").write_text("", "utf-8")
    for place, why in (
        ("other", "holds other files"),
        ("other/thesis.tex", "cannot be made into a folder"),
    ):
        with pytest.raises(InputError, match=f"{place}: {why}"):
            learning.check_place(tmp_path / place)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.tex"]


def test_a_fit_cannot_go_where_a_file_is(tmp_path, write):
    bitext = [write(name, text) for name, text in invented_bitext(5).items()]
    place = write("thesis.tex", "")
    with pytest.raises(InputError, match="cannot be written to"):
        fit_run(bitext, tmp_path / "o.conll", place, "lexical")
    assert not (tmp_path / "o.conll").exists()


def change(path, **fields):
    """Change what was learned, and the digest so that it fits."""
    changed = json.loads(path.read_text("utf-8"))
    changed["learned"] |= fields
    write_record(path, changed, [path.parent / FILES[1]])
    anew(path.parent.parent)


def anew(fit, **fields):
    """Write what a fit says of its parts again, with other fields."""
    parts = json.loads((fit / "parts.json").read_text("utf-8"))
    write_record(fit / "parts.json", parts | fields, [fit / part / FILES[0] for part in PARTS])


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_damaged_numbers(fit, part, damage):
    path = fit / part / "learned.npz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes({"cut": data[:-10], "flipped": data, "empty": b""}[damage])
    with pytest.raises(InputError, match=rf"{part}/learned\.npz: is damaged, .*; fit again"):
        learning.recipe(fit)


def test_a_changed_description(fit):
    """What is learned stands in both files, and so both are checked."""
    path = fit / "method" / "learned.json"
    path.write_text(path.read_text("utf-8").replace('"n_pairs":', '"n_pairs":1'), "utf-8")
    with pytest.raises(InputError, match=r"method/learned\.json: is damaged, .*; fit again"):
        learning.recipe(fit)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", FILES)
def test_a_missing_file(fit, part, name):
    (fit / part / name).unlink()
    with pytest.raises(InputError, match=f"{name}.*fit again"):
        learning.recipe(fit)


@pytest.mark.parametrize("text", [b"", b'{"format": 2,', b"\xff\xfe", b"[", b"[]", b"null", b"{}"])
@pytest.mark.parametrize("name", ["parts.json", "method/learned.json"])
def test_a_description_that_cannot_be_read(fit, name, text):
    (fit / name).write_bytes(text)
    with pytest.raises(InputError, match=rf"{name}: (is damaged|is not of this).*; fit again"):
        learning.recipe(fit)


@pytest.mark.parametrize("form", [0, 1, 99])
@pytest.mark.parametrize("name", ["parts.json", "method/learned.json"])
def test_another_format(fit, name, form):
    old = json.loads((fit / name).read_text("utf-8"))
    (fit / name).write_text(json.dumps(old | {"format": form}), "utf-8")
    if name != "parts.json":
        anew(fit)
    with pytest.raises(InputError, match=rf"{name}: is not of this version's format; fit again"):
        learning.recipe(fit)


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        ("method", {"statistics": {}}),
        ("method", {"members": [["x", []]]}),
        ("method", {"labels": None}),
        ("aligner", {"n_pairs": "many"}),
    ],
    ids=str,
)
def test_an_incomplete_description(fit, part, fields, source_and_target, tmp_path):
    change(fit / part / "learned.json", **fields)
    with pytest.raises(InputError, match=rf"{part}/learned\.json: is damaged.*fit again"):
        apply_run(source_and_target, tmp_path / "o.jsonl", fit)


@pytest.mark.parametrize(
    ("aligner", "why"),
    [
        ({"name": "nosuch", "options": {}}, "no aligner is named 'nosuch'"),
        ({"name": "statistical", "options": {"nosuch": 1}}, "nosuch: there is no such setting"),
        ({"name": "statistical"}, "is damaged; fit again"),
    ],
)
def test_an_aligner_that_is_not_here(fit, aligner, why):
    anew(fit, aligner=aligner)
    with pytest.raises(InputError, match=rf"parts\.json: .*{why}"):
        learning.recipe(fit)


class Bomb:
    def __reduce__(self):
        return Path.touch, (Path("exploded"),)


def test_pickles_are_not_opened(fit, tmp_path, monkeypatch):
    """Even if the digest is right."""
    monkeypatch.chdir(tmp_path)
    np.savez(fit / "method" / "learned.npz", bomb=np.array([Bomb()], object))
    change(fit / "method" / "learned.json")
    with pytest.raises(InputError, match="pickle"):
        learning.recipe(fit)
    assert not (tmp_path / "exploded").exists()
    with np.load(fit / "method" / "learned.npz", allow_pickle=True) as file:
        assert file["bomb"].shape == (1,)  # it would have gone off
    assert (tmp_path / "exploded").exists()


def test_the_digest_is_of_all_parts(fit):
    digests = [learned.digest_of(fit / part) for part in PARTS]
    assert learning.recipe(fit)[0] == sha256("|".join([*digests, ""]).encode()).hexdigest()[:12]
    kept = json.loads((fit / "method" / "learned.json").read_text("utf-8"))
    assert (kept["format"], kept["version"]) == (learned.FORMAT, package_version())
