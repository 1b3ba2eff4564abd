"""What every method promises of every sentence, and how it takes its settings."""

import inspect
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import instances, linked, project, row_of, without_inner

from spanbridge.core import registry
from spanbridge.core.errors import SpanbridgeError
from spanbridge.projection.confidence import CALIBRATIONS
from spanbridge.projection.corpus import CorpusMethod
from spanbridge.projection.evidence import closeness
from spanbridge.projection.heuristic import HeuristicMethod
from spanbridge.projection.method import BELOW, LOST, NO_LINK, Method, in_order
from spanbridge.projection.presets import ExactMethod, GreedyMethod, MatchMethod, SoftMethod
from spanbridge.projection.solve import Solver

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
    }
)
methods = st.one_of(
    st.builds(lambda kw: GreedyMethod(**kw), candidate_settings),
    st.builds(lambda kw: ExactMethod(**kw), candidate_settings),
    st.builds(lambda kw: HeuristicMethod(**kw), heuristic_settings),
)


@given(instances(), methods)
def test_every_source_span_is_accounted_for(instance, method):
    spans, links = instance
    found = project(method, spans, links)
    projected = Counter(span.label for span in found.spans)
    dropped = Counter(span.label for span, _ in found.dropped)
    assert projected.keys() | dropped.keys() == {span.label for span in spans}
    assert not projected.keys() & dropped.keys()
    assert set(dropped.values()) <= {1}
    assert all(count <= (method.solve.n_proj or math.inf) for count in projected.values())
    assert [origin.label for origin in found.origins] == [span.label for span in found.spans]
    assert set(found.origins) <= set(spans)


@given(instances(), methods)
def test_target_spans_are_in_order_and_inside_and_nested_only_as_their_sources(instance, method):
    spans, links = instance
    found = project(method, spans, links)
    places = [span[:2] for span in found.spans]
    assert places == sorted(places, key=lambda place: (place[0], -place[1]))
    assert all(0 <= start < end <= links.n_target for start, end in places)
    both = list(zip(places, found.origins, strict=True))
    for n, ((start, end), origin) in enumerate(both):
        for (other_start, other_end), other in both[n + 1 :]:
            if start < other_end and other_start < end:
                assert start <= other_start < other_end <= end
                assert origin.start <= other.start < other.end <= origin.end


@given(instances(), methods)
def test_outer_spans_are_projected_as_if_there_were_no_inner_ones(instance, method):
    spans, links = instance
    outer = without_inner(spans)
    labels = {span.label for span in outer}
    found = project(method, spans, links).spans
    assert sorted(s for s in found if s.label in labels) == sorted(
        project(method, outer, links).spans
    )


@given(instances(), methods)
def test_labels_of_one_place_stay_together(instance, method):
    spans, links = instance
    twice = [s for span in spans for s in (span, span._replace(label=f"{span.label}'"))]
    once, both = project(method, spans, links), project(method, twice, links)
    assert sorted(s for s in both.spans if s.label[-1] != "'") == sorted(once.spans)
    assert sorted(s._replace(label=s.label[:-1]) for s in both.spans if s.label[-1] == "'") == (
        sorted(once.spans)
    )


@given(instances(), methods)
def test_confidences_and_scores(instance, method):
    """The calibrated share of linked words; greatest just where all words of both are linked."""
    spans, links = instance
    found = project(method, spans, links)
    least = method.weights().min_score
    for (start, end, _, score, _), entity, raw in zip(
        found.spans, found.origins, found.raw_scores, strict=True
    ):
        sources, targets = range(entity.start, entity.end), range(start, end)
        between = [(i, j) for i, j in links.pairs if i in sources and j in targets]
        n_linked = len({i for i, _ in between}) + len({j for _, j in between})
        n_words = len(sources) + len(targets)
        assert score == CALIBRATIONS[method.name](closeness(n_linked / n_words))
        assert 0 < score <= method.max_confidence() < 1
        assert (score == method.max_confidence()) == (n_linked == n_words)
        assert raw > least
        heuristic = isinstance(method, HeuristicMethod)
        expected = 1 / len(sources) if heuristic else 2 * len(between) / n_words
        assert raw == pytest.approx(expected)


@given(instances(), methods)
def test_reasons(instance, method):
    spans, links = instance
    least = method.weights().min_score
    for span, reason in project(method, spans, links).dropped:
        unlinked = not any(span.start <= i < span.end for i, _ in links.pairs)
        assert (reason == NO_LINK) == unlinked
        assert reason in (NO_LINK, LOST, BELOW)
        assert reason != BELOW or least > 0


@given(instances(), methods, st.randoms(use_true_random=False))
def test_the_order_of_source_spans_does_not_matter(instance, method, rng):
    spans, links = instance
    # equal ranges keep the order in which they were given, so are left out
    distinct = list({span[:2]: span for span in spans}.values())
    shuffled = rng.sample(distinct, len(distinct))
    assert in_order(shuffled) == distinct
    assert project(method, shuffled, links) == project(method, distinct, links)


@pytest.mark.parametrize("method", [GreedyMethod, ExactMethod, MatchMethod])
@pytest.mark.parametrize("value", [-0.1, math.nan])
def test_bad_least_scores(method, value):
    with pytest.raises(SpanbridgeError, match=f"min_score is {value}"):
        method(min_score=value)


def test_a_share_is_at_most_one():
    with pytest.raises(SpanbridgeError, match=r"min_score is 1.1, but lies in \[0, 1\]"):
        MatchMethod(min_score=1.1)


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


@pytest.mark.parametrize("option", ["alignment", "ner", "translation"])
@pytest.mark.parametrize("value", [-0.1, math.nan])
def test_bad_weights_of_match(option, value):
    with pytest.raises(SpanbridgeError, match="weights of match are at least 0"):
        MatchMethod(**{option: value})


def test_match_needs_words():
    with pytest.raises(SpanbridgeError, match="max_words is 0"):
        MatchMethod(max_words=0)


@pytest.mark.parametrize("method", [SoftMethod, CorpusMethod, MatchMethod, Solver])
def test_no_such_solver(method):
    with pytest.raises(SpanbridgeError, match="nosuch.*greedy, exact"):
        method(**{"name" if method is Solver else "solver": "nosuch"})


OTHER = {
    "greedy": {"n_proj": 2, "exactly": True, "max_words": 3, "min_score": 0.5},
    "exact": {"n_proj": 2, "exactly": True, "max_words": 3, "min_score": 0.5, "whole": False},
    "heuristic": {
        "merge_distance": 2,
        "length_ratio": None,
        "top_k": None,
        "first_word_rule": True,
    },
    "match": {
        "candidates": "tagger",
        "max_words": 3,
        "alignment": 2.0,
        "ner": 1.0,
        "translation": 1.0,
        "min_score": 0.5,
        "per_class": False,
        "capped": False,
        "solver": "exact",
    },
    "soft": {"solver": "exact"},
    "corpus": {"solver": "exact"},
}


def test_every_method_is_tested():
    # those that ask a server or a model have files of their own
    assert OTHER.keys() | {"chat", "codec", "t-projection"} == registry.names("method").keys()


@pytest.mark.parametrize("name", OTHER)
def test_the_signature_shows_every_setting(name):
    method, other = registry.load("method", name), OTHER[name]
    assert other.keys() == inspect.signature(method).parameters.keys()
    shown = [method().describe()] + [method(**{k: v}).describe() for k, v in other.items()]
    assert len(set(shown)) == len(shown)
    assert method().describe() == method().describe()
    assert all(one.startswith(f"{name}(") for one in shown)
    assert method().describe_weights() in method().describe()


def test_signatures():
    assert (
        ExactMethod(2, True, 5, 0.25).describe()
        == "exact(ngrams=5,exact,n_proj=2,+1*alignment>0.25)"
    )
    assert GreedyMethod().describe() == "greedy(ngrams=any,greedy,n_proj<=1,+1*alignment>0)"
    assert (
        HeuristicMethod().describe()
        == "heuristic(merge=1,length_ratio>0.8,top_k=1,first_word=no,greedy,n_proj<=1,+1*brevity>0)"
    )
    assert (
        SoftMethod().describe() == "soft(near_mass,greedy,n_proj<=1,+1*soft-0.1*bad_boundary>0.3)"
    )
    assert (
        MatchMethod(min_score=0.25, alignment=2).describe()
        == "match(ngrams=10,greedy,n_proj<=1,+2*alignment>0.5,per_class=True,capped=True)"
    )


@pytest.mark.parametrize("name", OTHER)
def test_a_row_without_an_alignment_is_named(name):
    row, _ = row_of([], linked("", 1, 1))
    with pytest.raises(SpanbridgeError, match="row 1 comes without an alignment"):
        registry.build("method", name, {}).project([(row, None)])


class Nothing(Method):
    """A method of another kind, which reads no alignment."""

    name = "nothing"
    reads = "nothing"

    def describe(self):
        return "nothing()"

    def project(self, rows):
        return []


def test_methods_that_are_no_matchers_take_no_scores():
    method = Nothing()
    method.check()
    method.fit([])
    assert not method.counts
    with pytest.raises(SpanbridgeError, match="'nothing' takes no weights, tagger or translator"):
        method.add_scores(weights={"spelling": 1.0})
