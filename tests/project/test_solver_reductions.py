"""What solving begins with: undisputed, undominated, components; and the greedy choice."""

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import often

from spanbridge.project.candidates import Candidate
from spanbridge.project.solve.linear import places
from spanbridge.project.solve.choice import components, exact, greedy, undisputed, undominated


def overlap(a, b):
    return a.start < b.end and b.start < a.end


@st.composite
def option_lists(draw, n_words=7, n_entities=4, size=9):
    """Any spans, several of one entity or of none; scores with many ties."""
    span = st.tuples(st.integers(0, n_words - 1), st.integers(1, n_words)).filter(
        lambda s: s[0] < s[1]
    )
    entity = st.integers(0, n_entities - 1)
    score = st.sampled_from([0.25, 0.5, 1.0, 2.0]) | st.floats(0.01, 3.0)
    drawn = draw(st.lists(st.tuples(entity, span, score), max_size=size))
    return [Candidate(e, start, end, score) for e, (start, end), score in drawn]


def naive_greedy(options, k):
    """As the docstring of `greedy` says, each option compared with all chosen ones."""
    chosen = []
    for option in sorted(options, key=lambda o: (-o.score, o.entity, o.start, o.end)):
        n_used = sum(other.entity == option.entity for other in chosen)
        if n_used < k and not any(overlap(option, other) for other in chosen):
            chosen.append(option)
    return sorted(chosen, key=lambda o: o.start)


@often
@given(option_lists(), st.integers(1, 3))
def test_greedy_takes_the_best_first(options, k):
    assert greedy(options, k) == naive_greedy(options, k)


@pytest.mark.parametrize("k", [1, 2])
def test_greedy_with_many_entities(k):
    rng = random.Random(0)
    options = []
    for entity in range(150):
        for start in rng.sample(range(300), 5):
            end = start + rng.randint(1, 9)
            options.append(Candidate(entity, start, end, rng.randint(1, 20) / 10))
    assert greedy(options, k) == naive_greedy(options, k)


@often
@given(option_lists())
def test_an_undisputed_choice_is_the_greedy_one_and_optimal(options):
    chosen = undisputed(options)
    best = {o.entity: max(p.score for p in options if p.entity == o.entity) for o in options}
    if chosen is not None:
        assert {o.entity: o.score for o in chosen} == best
        assert chosen == naive_greedy(options, 1) == exact(options)


def test_undisputed():
    one, other = Candidate(0, 0, 2, 1.0), Candidate(1, 2, 3, 0.5)
    assert undisputed([other, Candidate(0, 1, 4, 0.9), one]) == [one, other]
    # two best options: the first, though the other one would overlap nothing
    assert undisputed([Candidate(0, 5, 6, 1.0), one, Candidate(1, 1, 3, 1.0)]) is None
    assert undisputed([Candidate(0, 5, 6, 1.0), one, other]) == [one, other]
    assert undisputed([]) == []


def test_of_two_options_within_each_other_the_outer_must_score_more():
    inner, outer = Candidate(0, 1, 2, 1.0), Candidate(0, 0, 3, 1.0)
    better = Candidate(0, 0, 2, 1.5)
    others = [Candidate(1, 0, 1, 0.1), Candidate(1, 2, 3, 0.2)]  # each word is a place of its own
    assert set(undominated([outer, inner, better, *others])) == {inner, better, *others}


def test_inside_is_meant_of_places():
    """No option ends before another starts: they all overlap, so of each entity one is left."""
    options = [Candidate(0, 0, 3, 1.0), Candidate(0, 1, 4, 0.9), Candidate(1, 2, 5, 0.5)]
    assert undominated(options) == [options[0], options[2]]


@often
@given(option_lists())
def test_every_dropped_option_has_one_to_stand_in(options):
    kept = undominated(options)
    assert set(kept) <= set(options)
    for option in set(options) - set(kept):
        assert any(
            other.entity == option.entity
            and other.score >= option.score
            and all(overlap(option, third) for third in kept if overlap(other, third))
            for other in kept
        )


def test_components():
    chain = [Candidate(0, 0, 2, 1.0), Candidate(1, 1, 3, 1.0), Candidate(1, 8, 9, 1.0)]
    joined = [Candidate(2, 8, 12, 1.0)]  # overlaps the second place of entity 1
    apart = [Candidate(3, 3, 8, 1.0)]  # between the two, but touching neither
    found = components([*apart, *chain, *joined])
    assert [set(group) for group in found] == [set(apart), {*chain, *joined}]


@often
@given(option_lists())
def test_components_share_nothing_and_lose_nothing(options):
    found = components(options)
    assert sorted(option for group in found for option in group) == sorted(options)
    for one, other in combinations(found, 2):
        assert not {a.entity for a in one} & {b.entity for b in other}
        assert not any(overlap(a, b) for a in one for b in other)


@often
@given(option_lists(size=12))
def test_places_tell_apart_which_options_overlap(options):
    if options:
        place, after, n_places = places(options)
        assert all(0 <= place[o.start] < after[o.end] <= n_places for o in options)
        for a, b in combinations(options, 2):
            shared = place[a.start] < after[b.end] and place[b.start] < after[a.end]
            assert shared == overlap(a, b)
        # and each is needed: some option ends with every place, before another one starts
        assert {after[o.end] for o in options} == set(range(1, n_places + 1))
