"""Batches of Ray Data, as dicts of columns."""

import pickle
import subprocess
import sys
import tempfile

import numpy as np
import pytest

import spanbridge
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.ray import Project

GREEDY = {"method": {"greedy": {"min_score": 0.0}}, "aligner": "lexical", "least_parallel": 0.0}


def columns(**each):
    """Columns as Ray Data gives them."""
    found = {}
    for name, values in each.items():
        found[name] = np.empty(len(values), dtype=object)
        found[name][:] = values
    return found


def batch():
    span = {"start": 0, "end": 5, "label": "PER", "score": None}
    return columns(
        id=["a", "b"],
        source_text=["Pedro sleeps", "He sleeps"],
        source_spans=[[span], []],
        target_text=["Pedro duerme", "Duerme"],
        page=[7, 8],
    )


def test_a_batch_is_projected_as_by_the_projector():
    done = Project(**GREEDY)(batch())
    assert done["id"] == ["a", "b"]
    assert done["page"] == [7, 8]
    ((span,), none) = done["target_spans"]
    assert (span["start"], span["end"], span["label"]) == (0, 5, "PER")
    assert none == []
    assert done["status"][0] == "projected"
    sentence = spanbridge.Sentence
    pair = spanbridge.SentencePair(
        "a",
        sentence(("Pedro", "sleeps"), (spanbridge.Span(0, 1, "PER"),)),
        sentence(("Pedro", "duerme")),
    )
    assert done["confidence"][0] == round(spanbridge.Projector(**GREEDY)(pair).confidence, 4)


def test_all_batches_have_the_same_columns():
    one = Project(**GREEDY)(batch())
    other = Project(**GREEDY)({k: v[1:] for k, v in batch().items()})
    assert set(one) == set(other)


def test_it_travels_without_models():
    project = Project(**GREEDY)
    before = project(batch())
    sent = pickle.dumps(project)
    assert len(sent) < 1000
    assert pickle.loads(sent)(batch()) == before


def test_a_method_that_learns_needs_a_fit():
    with pytest.raises(SpanbridgeError, match="has to learn first"):
        Project(method="corpus")(batch())


def test_a_wrong_row_is_named():
    wrong = batch()
    wrong["source_spans"][1] = [{"start": 0, "end": 99, "label": "PER"}]
    with pytest.raises(InputError, match="batch:2: "):
        Project(**GREEDY)(wrong)
    with pytest.raises(SpanbridgeError, match="names and numbers only"):
        Project(aligner=object())


def test_what_is_no_batch_is_told():
    for given, why in [
        ([1, 2], "columns by their names, and no list"),
        ({"source_text": ["a"], "target_text": []}, "different lengths: {'source_text': 1, 'tar"),
        ({"source_text": [b"a"], "target_text": ["b"]}, "column source_text holds what JSON does"),
        ({"source_text": ["a"], "target_text": ["b"], "x": [b"a"]}, "column x .*bytes.* leave it"),
    ]:
        with pytest.raises(SpanbridgeError, match=why):
            Project(**GREEDY)(given)


@pytest.fixture
def ray_data(monkeypatch):
    """Ray Data on a cluster of two cores, which ends with the test."""
    for name, value in {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # loopback only
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    ray = pytest.importorskip("ray")
    data = pytest.importorskip("ray.data")
    with tempfile.TemporaryDirectory() as temp:  # paths of sockets are short
        options = {"include_dashboard": False, "object_store_memory": 80 * 2**20}
        quiet = {"log_to_driver": False, "logging_level": "error", "configure_logging": False}
        ray.init(address="local", num_cpus=2, _temp_dir=temp, **options, **quiet)
        data.DataContext.get_current().enable_progress_bars = False
        try:
            yield data
        finally:
            ray.shutdown()


@pytest.mark.slow
def test_a_dataset_is_projected_by_actors_and_by_tasks(ray_data):
    """Of both kinds, and the rows are those that the callable gives by itself."""
    names = ["Pedro", "Ana", "Eva"]
    given = [
        {
            "id": str(n),
            "source_text": f"{names[n % 3]} sleeps",
            "source_spans": [{"start": 0, "end": len(names[n % 3]), "label": "PER"}] * (n % 4 > 0),
            "target_text": f"{names[n % 3]} duerme",
            "page": n,
        }
        for n in range(40)
    ]
    whole = Project(**GREEDY)({name: [row[name] for row in given] for name in given[0]})
    rows = ray_data.from_items(given)
    by_actors = rows.map_batches(
        Project,
        fn_constructor_kwargs=GREEDY,
        batch_size=8,
        compute=ray_data.ActorPoolStrategy(size=1),
    )
    by_tasks = rows.map_batches(Project(**GREEDY), batch_size=8)
    for made in (by_actors, by_tasks):
        found = sorted(made.take_all(), key=lambda row: row["page"])
        assert len(found) == len(given)
        for n, row in enumerate(found):
            # keys that a row lacks and another has are null in Ray Data
            own = {name: values[n] for name, values in whole.items()}
            assert _bare(row) == _bare(own)
    assert sum(bool(spans) for spans in whole["target_spans"]) == 30


def _bare(value):
    """A value of a row without what is null, as lists and dicts."""
    if isinstance(value, dict):
        return {key: _bare(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple | np.ndarray):
        return [_bare(one) for one in value]
    return value


def test_ray_is_not_imported():
    code = "import sys, spanbridge.ray; assert 'ray' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
