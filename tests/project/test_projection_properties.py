"""What every method promises of every sentence, and how it takes its settings."""

import inspect
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import instances, often

from spanbridge import ExactMethod, GreedyMethod, SpanbridgeError
from spanbridge.project.heuristic import HeuristicMethod
from spanbridge.project.projector import BELOW, LOST, NO_LINK, in_order

min_scores = st.sampled_from([0.0, 0.5, 0.8, 1.0])
candidate_settings = st.fixed_dictionaries(
    {
        "n_proj": st.integers(1, 3),
        "exactly": st.booleans(),
        "max_words": st.none() | st.integers(1, 4),
        "min_score": min_scores,
    }
)
heuristic_settings = st.fixed_dictionaries(
    {
        "merge_distance": st.integers(0, 3),
        "length_ratio": st.sampled_from([None, 0.0, 0.5, 0.8]),
        "top_k": st.none() | st.integers(1, 2),
        "first_word_rule": st.booleans(),
        "min_score": min_scores,
    }
)
projectors = st.one_of(
    st.builds(lambda kw: GreedyMethod(**kw), candidate_settings),
    st.builds(lambda kw: ExactMethod(**kw), candidate_settings),
    st.builds(lambda kw: HeuristicMethod(**kw), heuristic_settings),
)


@often
@given(instances(), projectors)
def test_every_source_span_is_accounted_for(instance, projector):
    spans, links = instance
    found = projector.project(spans, links)
    projected = Counter(span.label for span in found.spans)
    dropped = Counter(span.label for span, _ in found.dropped)
    assert projected.keys() | dropped.keys() == {span.label for span in spans}
    assert not projected.keys() & dropped.keys()
    assert set(dropped.values()) <= {1}
    per_span = getattr(projector, "n_proj", None) or getattr(projector, "top_k", None) or math.inf
    assert all(count <= per_span for count in projected.values())


@often
@given(instances(), projectors)
def test_target_spans_are_disjoint_in_order_and_inside(instance, projector):
    spans, links = instance
    edges = [edge for span in projector.project(spans, links).spans for edge in span[:2]]
    assert edges == sorted(edges)
    assert not edges or (edges[0] >= 0 and edges[-1] <= links.n_target)


@often
@given(instances(), projectors)
def test_scores(instance, projector):
    """In [0, 1], not below the threshold; 1 just where all words of both are linked."""
    spans, links = instance
    source_of = {span.label: span for span in spans}
    for start, end, label, score in projector.project(spans, links).spans:
        entity = source_of[label]
        sources = set(range(entity.start, entity.end))
        targets = set(range(start, end))
        between = [(i, j) for i, j in links.pairs if i in sources and j in targets]
        whole = {i for i, _ in between} == sources and {j for _, j in between} == targets
        assert projector.min_score <= score <= 1
        assert score > 0
        assert (score == 1) == whole


@often
@given(instances(), projectors)
def test_reasons(instance, projector):
    spans, links = instance
    for span, reason in projector.project(spans, links).dropped:
        unlinked = not any(span.start <= i < span.end for i, _ in links.pairs)
        assert (reason == NO_LINK) == unlinked
        assert reason in (NO_LINK, LOST, BELOW)
        assert reason != BELOW or projector.min_score > 0


@often
@given(instances(), projectors, st.randoms(use_true_random=False))
def test_the_order_of_source_spans_does_not_matter(instance, projector, rng):
    spans, links = instance
    # equal ranges keep the order in which they were given, so are left out
    distinct = list({span[:2]: span for span in spans}.values())
    shuffled = rng.sample(distinct, len(distinct))
    assert in_order(shuffled) == distinct
    assert projector.project(shuffled, links) == projector.project(distinct, links)


@pytest.mark.parametrize("method", [GreedyMethod, ExactMethod, HeuristicMethod])
@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_bad_thresholds(method, value):
    with pytest.raises(SpanbridgeError, match=r"min_score is .* \[0, 1\]"):
        method(min_score=value)


@pytest.mark.parametrize("method", [GreedyMethod, ExactMethod])
@pytest.mark.parametrize("option", ["n_proj", "max_words"])
@pytest.mark.parametrize("value", [0, -1])
def test_bad_candidate_settings(method, option, value):
    with pytest.raises(SpanbridgeError, match=f"{option} is {value}"):
        method(**{option: value})


@pytest.mark.parametrize(
    ("option", "value"),
    [("merge_distance", -1), ("length_ratio", -0.1), ("length_ratio", math.nan), ("top_k", 0)],
)
def test_bad_heuristic_settings(option, value):
    with pytest.raises(SpanbridgeError, match=f"{option} is {value}"):
        HeuristicMethod(**{option: value})


OTHER = {
    GreedyMethod: {"n_proj": 2, "exactly": True, "max_words": 3, "min_score": 0.5},
    ExactMethod: {"n_proj": 2, "exactly": True, "max_words": 3, "min_score": 0.5},
    HeuristicMethod: {
        "merge_distance": 2,
        "length_ratio": None,
        "top_k": None,
        "first_word_rule": True,
        "min_score": 0.5,
    },
}


@pytest.mark.parametrize("method", OTHER)
def test_the_signature_shows_every_setting(method):
    assert OTHER[method].keys() == inspect.signature(method).parameters.keys()
    shown = [method().describe()] + [method(**{k: v}).describe() for k, v in OTHER[method].items()]
    assert len(set(shown)) == len(shown)
    assert method().describe() == method().describe()


def test_signatures():
    assert (
        ExactMethod(2, True, 5, 0.25).describe()
        == "exact(ngrams=5,score=alignment,n_proj=2,min_score=0.25)"
    )
    assert (
        GreedyMethod().describe() == "greedy(ngrams=any,score=alignment,n_proj<=1,min_score=0)"
    )
    assert (
        HeuristicMethod().describe()
        == "heuristic(merge=1,length_ratio>0.8,top_k=1,first_word=no,min_score=0)"
    )
