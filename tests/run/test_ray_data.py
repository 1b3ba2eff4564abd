"""Batches of Ray Data, as dicts of columns."""

import pickle
import subprocess
import sys

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


def test_ray_is_not_imported():
    code = "import sys, spanbridge.ray; assert 'ray' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
