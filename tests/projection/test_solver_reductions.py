"""What solving begins with: undisputed, undominated, components; and the greedy choice."""

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.projection.candidates import Candidate
from spanbridge.projection.solve.choice import components, exact, greedy, undisputed, undominated
from spanbridge.projection.solve.linear import slots


def overlap(a, b):
    return a.start < b.end and b.start < a.end


@st.composite
def candidate_lists(draw, n_words=7, n_entities=4, size=9):
    """Any spans, several of one entity or of none; scores with many ties."""
    span = st.tuples(st.integers(0, n_words - 1), st.integers(1, n_words)).filter(
        lambda s: s[0] < s[1]
    )
    entity = st.integers(0, n_entities - 1)
    score = st.sampled_from([0.25, 0.5, 1.0, 2.0]) | st.floats(0.01, 3.0)
    drawn = draw(st.lists(st.tuples(entity, span, score), max_size=size))
    return [Candidate(e, start, end, score) for e, (start, end), score in drawn]


def naive_greedy(candidates, k):
    """As the docstring of `greedy` says, each candidate compared with all chosen ones."""
    chosen = []
    for candidate in sorted(candidates, key=lambda c: (-c.score, c.entity, c.start, c.end)):
        n_used = sum(other.entity == candidate.entity for other in chosen)
        if n_used < k and not any(overlap(candidate, other) for other in chosen):
            chosen.append(candidate)
    return sorted(chosen, key=lambda c: c.start)


@given(candidate_lists(), st.integers(1, 3))
def test_greedy_takes_the_best_first(candidates, k):
    assert greedy(candidates, k) == naive_greedy(candidates, k)


@pytest.mark.parametrize("k", [1, 2])
def test_greedy_with_many_entities(k):
    rng = random.Random(0)
    candidates = []
    for entity in range(150):
        for start in rng.sample(range(300), 5):
            end = start + rng.randint(1, 9)
            candidates.append(Candidate(entity, start, end, rng.randint(1, 20) / 10))
    assert greedy(candidates, k) == naive_greedy(candidates, k)


@given(candidate_lists())
def test_an_undisputed_choice_is_the_greedy_one_and_optimal(candidates):
    chosen = undisputed(candidates)
    best = {c.entity: max(p.score for p in candidates if p.entity == c.entity) for c in candidates}
    if chosen is not None:
        assert {c.entity: c.score for c in chosen} == best
        assert chosen == naive_greedy(candidates, 1) == exact(candidates)


def test_undisputed():
    one, other = Candidate(0, 0, 2, 1.0), Candidate(1, 2, 3, 0.5)
    assert undisputed([other, Candidate(0, 1, 4, 0.9), one]) == [one, other]
    # two best candidates: the first, though the other one would overlap nothing
    assert undisputed([Candidate(0, 5, 6, 1.0), one, Candidate(1, 1, 3, 1.0)]) is None
    assert undisputed([Candidate(0, 5, 6, 1.0), one, other]) == [one, other]
    assert undisputed([]) == []


def test_of_two_candidates_within_each_other_the_outer_must_score_more():
    inner, outer = Candidate(0, 1, 2, 1.0), Candidate(0, 0, 3, 1.0)
    better = Candidate(0, 0, 2, 1.5)
    others = [Candidate(1, 0, 1, 0.1), Candidate(1, 2, 3, 0.2)]  # each word is a slot of its own
    assert set(undominated([outer, inner, better, *others])) == {inner, better, *others}


def test_inside_is_meant_of_slots():
    """No candidate ends before another starts: they all overlap, so of each entity one is left."""
    candidates = [Candidate(0, 0, 3, 1.0), Candidate(0, 1, 4, 0.9), Candidate(1, 2, 5, 0.5)]
    assert undominated(candidates) == [candidates[0], candidates[2]]


@given(candidate_lists())
def test_every_dropped_candidate_has_one_to_stand_in(candidates):
    kept = undominated(candidates)
    assert set(kept) <= set(candidates)
    for candidate in set(candidates) - set(kept):
        assert any(
            other.entity == candidate.entity
            and other.score >= candidate.score
            and all(overlap(candidate, third) for third in kept if overlap(other, third))
            for other in kept
        )


def test_components():
    chain = [Candidate(0, 0, 2, 1.0), Candidate(1, 1, 3, 1.0), Candidate(1, 8, 9, 1.0)]
    joined = [Candidate(2, 8, 12, 1.0)]  # overlaps the second candidate of entity 1
    apart = [Candidate(3, 3, 8, 1.0)]  # between the two, but touching neither
    found = components([*apart, *chain, *joined])
    assert [set(group) for group in found] == [set(apart), {*chain, *joined}]


@given(candidate_lists())
def test_components_share_nothing_and_lose_nothing(candidates):
    found = components(candidates)
    assert sorted(candidate for group in found for candidate in group) == sorted(candidates)
    for one, other in combinations(found, 2):
        assert not {a.entity for a in one} & {b.entity for b in other}
        assert not any(overlap(a, b) for a in one for b in other)


@given(candidate_lists(size=12))
def test_slots_tell_apart_which_candidates_overlap(candidates):
    if candidates:
        slot, after, n_slots = slots(candidates)
        assert all(0 <= slot[c.start] < after[c.end] <= n_slots for c in candidates)
        for a, b in combinations(candidates, 2):
            shared = slot[a.start] < after[b.end] and slot[b.start] < after[a.end]
            assert shared == overlap(a, b)
        # and each is needed: some candidate ends with every slot, before another one starts
        assert {after[c.end] for c in candidates} == set(range(1, n_slots + 1))
