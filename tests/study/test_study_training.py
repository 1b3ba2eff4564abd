"""Studies that train: model transfer, translate-train; one model for all cells that share it."""

import pytest
import toy_study as toy

from spanbridge.study.check import check_plan
from spanbridge.study.plan import make_plan
from spanbridge.study.study import run_study
from spanbridge.study.study_file import read_study

TAG = [{"tag": {"side": "target", "tagger": {"checkpoint": {"model": "{model}"}}}}]


def systems(place, encoder):
    """Model transfer from German, and translate-train into each language."""
    how = {
        "encoder": encoder,
        "epochs": 1,
        "seed": "{seed}",
        "device": "cpu",
        "batch_tokens": 64,
        "learning_rate": 0.001,
    }
    german = {"files": f"{place}/de.conll", "source": "de"}
    english = {"files": f"{place}/en.conll"}
    given = {"given": {"model": f"{place}/en-{{language}}.tsv"}}
    project = {"method": "greedy", "aligner": "lexical", "least_parallel": 0}
    steps = [{"translate": {"side": "source", "translator": given}}, {"project": project}]
    return {
        "transfer": {
            "make": {"data": {**german, "name": "german"}},
            "train": {"train": ["{made}"], **how},
            "steps": TAG,
        },
        "translate-train": {
            "make": {"data": {**english, "name": "english"}, "steps": steps},
            "train": {"train": ["{made}"], **how},
            "steps": TAG,
        },
    }


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    pytest.importorskip("torch")
    from tiny_checkpoints import save

    return str(save(tmp_path_factory.mktemp("tiny") / "bert", "bert"))


@pytest.mark.slow
def test_models_are_trained_once_and_used_by_all_their_cells(tmp_path, encoder):
    path = toy.study(tmp_path, seeds=[1, 2], systems=systems(tmp_path, encoder))
    # English of the toy: its tags, and its translations the other way round
    tagged = (tmp_path / "de.en.conll").read_text("utf-8")
    (tmp_path / "en.conll").write_text(tagged, encoding="utf-8")
    for language in ("de", "es"):
        rows = (tmp_path / "de.tsv").read_text("utf-8").splitlines()
        turned = ["\t".join(reversed(row.split("\t"))) for row in rows]
        (tmp_path / f"en-{language}.tsv").write_text("\n".join(turned) + "\n", encoding="utf-8")
    plan = make_plan(read_study(path))
    kinds = [name.partition("/")[0] for name in plan.tasks]
    assert kinds.count("train") == 2 + 2 * 2  # by seed; by seed and language
    assert kinds.count("make") == 2
    assert kinds.count("cell") == 2 * 2 * 2
    assert not check_plan(plan).problems
    outcome = run_study(path)
    assert outcome.sound, outcome.text()
    before = toy.results(tmp_path / "out")
    assert run_study(path).sound
    assert toy.results(tmp_path / "out") == before
    signatures = {one.cell.name: one.record["signature"] for one in outcome.results}
    assert signatures["toy.de.transfer.s1"] == signatures["toy.es.transfer.s1"]
    assert signatures["toy.de.transfer.s1"] != signatures["toy.de.transfer.s2"]


def test_a_training_is_checked_before(tmp_path, command):
    given = systems(tmp_path, "nothing-there")
    given["transfer"]["train"]["epoch"] = 1
    path = toy.study(tmp_path, systems=given)
    found = command("study", path, "--check", code=2).stdout
    assert "train: there is no setting epoch (did you mean epochs?)" in found
    assert "en.conll: no such file" in found
    assert "nothing-there" in found


@pytest.mark.slow
def test_students_learn_from_other_systems_taggers_and_trainings_are_estimated(tmp_path, encoder):
    how = {"encoder": encoder, "epochs": 1, "batch_tokens": 64, "device": "cpu", "threads": 1}
    files = f"{tmp_path}/{{language}}.conll"
    given = {
        "german": {"data": {"name": "german", "files": files, "languages": ["de"]}},
        "own": {"data": {"name": "text", "files": files, "languages": ["{language}"]}},
    }
    taught = {
        "teacher": {
            "make": given["german"],
            "train": {"train": ["{made}"], "labels": ["LOC", "PER"]},
            "steps": TAG,
        },
        "student": {
            "make": given,
            "train": {
                "train": ["{made.german}"],
                "teachers": ["{model.teacher}"],
                "unlabelled": "{made.own}",
                "adversarial": ["{made.own}"],
                "labels": ["LOC", "PER"],
            },
            "steps": TAG,
        },
    }
    path = toy.study(tmp_path, systems=taught, train=how)
    plan = make_plan(read_study(path))
    found = check_plan(plan, estimate=3)
    assert not found.problems
    assert found.estimate is not None
    assert 0 < found.estimate.seconds["train"] < 60
    assert "what teachers find in texts" in found.estimate.left_out
    outcome = run_study(path)
    assert outcome.sound, outcome.text()
    assert {one.name for one in (tmp_path / "out" / "models").iterdir() if one.is_dir()} == {
        "teacher",
        "student.de",
        "student.es",
    }
    # another teacher makes other students
    record = plan.tasks["train/student.es"].record()
    path = toy.study(tmp_path, systems=taught, train={**how, "learning_rate": 0.001})
    again = make_plan(read_study(path)).tasks["train/student.es"]
    assert record is not None
    assert again.key != record["key"]
