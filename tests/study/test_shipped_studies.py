"""The studies that ship: each is sound down to its last cell, with stand-ins for data and models.

The stand-ins are a few made-up rows of every data set, and checkpoints of the true architectures in
a cache of the Hub, with random weights. So nothing but data and weights is unlike the true run.
"""

import json
from pathlib import Path

import pytest

from spanbridge.study.check import check_plan
from spanbridge.study.plan import make_plan
from spanbridge.study.study_file import read_study
from spanbridge.study.tasks import CorpusTask, DataTask

ROOT = Path(__file__).parents[2]
STUDIES = sorted(path.relative_to(ROOT / "studies") for path in ROOT.glob("studies/*/*.yaml"))
FULL = [path for path in STUDIES if path.parent.name == "full"]
ROWS = "Ana\tB-PER\nsaw\tO\nRoma\tB-LOC\n.\tO\n\nAcme\tB-ORG\ngrew\tO\n.\tO\n\n"
ANSWER = {"id": "1", "question": "Where?", "answers": [{"text": "Roma", "answer_start": 8}]}
PARAGRAPH = {"context": "Ana saw Roma.", "qas": [ANSWER]}
# Rows of data sets that have a format of their own, by the beginnings of their names.
OTHER_ROWS = {
    "relx": '1\t"The <e1> Acme </e1>, of <e2> Rome </e2>."\nr\n\n\n',
    "crossner": ROWS.replace("PER", "person")
    .replace("LOC", "location")
    .replace("ORG", "organisation"),
    "xsid": "".join(
        f"# text = {n}\n# text-en = {n}\n{rows}\n\n"
        for n, rows in enumerate(ROWS.split("\n\n")[:2])
    ),
    "m-absa": "Good food####[['food', 'FOOD', 'pos']]\n",
    "xquad": json.dumps({"data": [{"title": "t", "paragraphs": [PARAGRAPH]}]}),
    "mlqa": json.dumps({"data": [{"title": "t", "paragraphs": [PARAGRAPH]}]}),
}
PUBLISHED = "lang,method,overall_f1\nde,all,0.5\n"
# Files of data that its owners may not give away.
OWN = {("conll2003", "en", "train"): ("conll2003/eng.train",)}
# Encoders on the Hub and the kinds of tiny checkpoints that stand in for them.
ENCODERS = {
    "FacebookAI/xlm-roberta-base": "xlm-roberta",
    "google-bert/bert-base-multilingual-cased": "bert",
}
TRANSLATOR = "facebook/nllb-200-3.3B"


def in_cache(cache, name):
    """The folder of a model's snapshot, as the Hub's own client lays it out."""
    folder, commit = cache / f"models--{name.replace('/', '--')}", "0" * 40
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(commit, encoding="utf-8")
    return folder / "snapshots" / commit


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A cache of the Hub with stand-ins."""
    pytest.importorskip("torch")
    import tiny_checkpoints
    import tiny_translators

    cache = tmp_path_factory.mktemp("hub")
    for name, kind in ENCODERS.items():
        tiny_checkpoints.save(in_cache(cache, name), kind, num_hidden_layers=12)
    tiny_translators.save(in_cache(cache, TRANSLATOR), "nllb")
    return cache


@pytest.fixture
def place(hub, tmp_path, monkeypatch):
    """A machine that holds the stand-ins and nothing else, without a network."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("SPANBRIDGE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("spanbridge.datasets.places._users", lambda: tmp_path / "user")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def inputs_of(plan):
    """All data of a plan."""
    for task in plan.tasks.values():
        if isinstance(task, DataTask):
            yield task.input
        elif isinstance(task, CorpusTask):
            yield from task.corpus.inputs


def write_data(plan, folder):
    """A few rows for every data set, and published results."""
    for given in inputs_of(plan):
        dataset, code, split = given.dataset, given.code, given.data.split
        source = dataset.source(code, split)
        for path in OWN[dataset.name, code, split] if source is None else source.paths:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            own = (rows for name, rows in OTHER_ROWS.items() if dataset.name.startswith(name))
            (folder / path).write_text(next(own, ROWS), encoding="utf-8")
    for given in plan.study.report.published.values():
        (folder / given.file).parent.mkdir(parents=True, exist_ok=True)
        (folder / given.file).write_text(PUBLISHED, encoding="utf-8")


def plan_of(path, place):
    return make_plan(read_study(str(ROOT / "studies" / path), str(place / "out")))


@pytest.mark.slow
@pytest.mark.parametrize("path", FULL, ids=str)
def test_a_full_study_lacks_nothing_but_data_and_weights(place, path):
    plan = plan_of(path, place)
    write_data(plan, place / "data")
    found = check_plan(plan)
    assert not found.problems, found.told_problems()
    assert len(found.texts) == len({cell.text.name for cell in plan.cells})
    assert all(n_systems != "0" for *_, n_systems in found.texts)


@pytest.mark.slow
def test_what_a_full_study_lacks_is_told_with_the_way_to_get_it(place, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(place / "empty"))
    problems = check_plan(plan_of("full/adversarial.yaml", place)).problems
    named = (why.partition(": ")[2] for why in problems if "is not on this machine" in why)
    data = {why.split(",")[0] for why in named}
    assert data == {"panx", "masakhaner2", "conll2003"}
    for why in problems:
        if "Hub" in why:
            assert "`hf download " in why
        else:
            assert "spanbridge data get" in why or "a folder that SPANBRIDGE_DATA names" in why
    missing = {why.split(" ", 1)[1] for why in problems if "Hub" in why}
    assert all(any(name in why for why in missing) for name in ENCODERS)


@pytest.mark.parametrize("path", STUDIES, ids=str)
def test_a_shipped_study_is_read_without_data_or_models(path):
    study = read_study(str(ROOT / "studies" / path)).study
    assert study.report.title
    assert (ROOT / "studies" / ("small", "full")[path.parent.name == "small"] / path.name).is_file()
