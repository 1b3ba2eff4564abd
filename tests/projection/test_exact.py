"""The exact solver: against every assignment tried, and against HiGHS."""

import random
from collections import Counter

import numpy as np
import plain
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import instances, random_instance, seldom
from scipy.optimize import LinearConstraint, milp

from spanbridge.core.errors import SpanbridgeError
from spanbridge.projection.candidates import Candidate, TightNgrams
from spanbridge.projection.solve import search
from spanbridge.projection.solve.choice import exact, greedy

LIMITS = [(1, False), (1, True), (2, False), (2, True), (3, False)]  # <= 1, = 1, <= 2, = 2, <= 3
small = instances(n_target=6, n_spans=3)
longest_words = st.none() | st.integers(1, 3)


def tight(spans, links, longest=None):
    return TightNgrams(longest).candidates(spans, links, 0.0)


def value(candidates):
    return sum(candidate.score for candidate in candidates)


def check_feasible(chosen, k):
    assert all(a.end <= b.start for a, b in zip(chosen, chosen[1:], strict=False))
    assert max(Counter(candidate.entity for candidate in chosen).values(), default=0) <= k


@pytest.mark.parametrize(("k", "exactly"), LIMITS)
@seldom
@given(small, longest_words)
def test_no_assignment_of_ngrams_is_better(k, exactly, instance, longest):
    """Equation 1 of the paper, over all n-grams, though the solver sees tight ones only."""
    spans, links = instance
    ngrams = plain.ngrams(links.n_target, longest)
    best = plain.optimum(plain.score_matrix(spans, links.pairs, ngrams), ngrams, k, exactly)
    chosen = exact(tight(spans, links, longest), k, exactly)
    assert (len(chosen) if exactly else 0, value(chosen)) == pytest.approx(best)
    check_feasible(chosen, k)
    assert all(
        longest is None or candidate.end - candidate.start <= longest for candidate in chosen
    )


@pytest.mark.parametrize("k", [1, 2])
@seldom
@given(small, longest_words)
def test_greedy_is_feasible_and_at_most_as_good(k, instance, longest):
    candidates = tight(*instance, longest)
    chosen = greedy(candidates, k)
    check_feasible(chosen, k)
    assert value(chosen) <= value(exact(candidates, k)) + 1e-9


def pairwise_optimum(candidates, k):
    """The paper's own constraints: x[., t] + x[., u] <= 1 for every two that overlap."""
    rows = []
    for entity in {candidate.entity for candidate in candidates}:
        rows.append(([c.entity == entity for c in candidates], k))
    for at, a in enumerate(candidates):
        for other in range(at + 1, len(candidates)):
            b = candidates[other]
            if a.start < b.end and b.start < a.end:
                row = np.zeros(len(candidates))
                row[[at, other]] = 1
                rows.append((row, 1))
    matrix, limits = np.array([row for row, _ in rows], float), [limit for _, limit in rows]
    result = milp(
        [-candidate.score for candidate in candidates],
        integrality=np.ones(len(candidates)),
        bounds=(0, 1),
        constraints=LinearConstraint(matrix, ub=limits),
    )
    assert result.success
    return -result.fun


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("rounds", [search.ROUNDS, ((1, 1),), ()])
@pytest.mark.parametrize("moves", [search.MOVES, 0])
def test_many_open_entities(monkeypatch, k, rounds, moves):
    """By price steps, by the linear relaxation, and by the integer programme on what is left."""
    monkeypatch.setattr(search, "ROUNDS", rounds)
    monkeypatch.setattr(search, "MOVES", moves)
    spans, links = random_instance(random.Random(5), 18, 30, 3)
    candidates = tight(spans, links)
    chosen = exact(candidates, k)
    check_feasible(chosen, k)
    assert value(chosen) == pytest.approx(pairwise_optimum(candidates, k), abs=1e-6)


@seldom
@given(small, st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(instance, rng):
    candidates = tight(*instance)
    shuffled = rng.sample(candidates, len(candidates))
    assert greedy(shuffled) == greedy(candidates)
    assert exact(shuffled, 2) == exact(candidates, 2)


def test_no_candidate_no_choice():
    for k, exactly in LIMITS:
        assert exact([], k, exactly) == greedy([], k) == []


def test_an_unproved_optimum_is_an_error(monkeypatch):
    """A solver that stops early must not pass for exact."""
    import scipy.optimize

    def stopped(*args, **kwargs):
        result = milp(*args, **kwargs)
        result.status, result.message = 1, "time limit reached"
        return result

    monkeypatch.setattr(scipy.optimize, "milp", stopped)
    monkeypatch.setattr(search, "ROUNDS", ())
    monkeypatch.setattr(search, "MOVES", 0)
    monkeypatch.setattr(search, "WIDTH", 0)  # nothing is proved before HiGHS
    spans = [(0, 0, 1), (0, 1, 2), (0, 3, 4), (1, 0, 3), (2, 3, 4)]  # relaxation not integral
    candidates = [Candidate(*span, 2.0) for span in spans]
    with pytest.raises(SpanbridgeError, match="time limit reached"):
        exact(candidates)
