"""The search, its bounds, and HiGHS behind it: on any candidates, not only those of alignments."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import seldom
from scipy.optimize import LinearConstraint, milp
from test_solver_reductions import candidate_lists, overlap

from spanbridge.core.errors import SpanbridgeError
from spanbridge.projection.candidates import Candidate, TightNgrams
from spanbridge.projection.solve import linear, search
from spanbridge.projection.solve.choice import exact, greedy
from spanbridge.projection.solve.linear import integer_programme, relaxation
from spanbridge.projection.solve.search import Search, choose, most_first

# (ROUNDS, MOVES, WIDTH) that leave nearly all of the work to one part
EFFORT = {
    "as it is": (search.ROUNDS, search.MOVES, search.WIDTH),
    "walks alone": (((1, 10**6),), 0, 0),
    "relaxation": ((), 0, 10**6),
    "integer programme": ((), 0, 0),
}


@pytest.fixture(params=EFFORT)
def effort(request):
    with pytest.MonkeyPatch.context() as patch:
        for name, effort in zip(("ROUNDS", "MOVES", "WIDTH"), EFFORT[request.param], strict=True):
            patch.setattr(search, name, effort)
        yield


def value(candidates, exactly=False):
    return (len(candidates) if exactly else 0, sum(candidate.score for candidate in candidates))


def check_feasible(chosen, k):
    assert all(a.end <= b.start for a, b in zip(chosen, chosen[1:], strict=False))
    assert max(Counter(candidate.entity for candidate in chosen).values(), default=0) <= k


def brute_force(candidates, k, exactly):
    """The value of the best choice, all choices tried."""

    def best_of(rest, chosen):
        if not rest:
            return value(chosen, exactly)
        first, *others = rest
        best = best_of(others, chosen)
        n_used = sum(other.entity == first.entity for other in chosen)
        if n_used < k and not any(overlap(first, other) for other in chosen):
            best = max(best, best_of(others, [*chosen, first]))
        return best

    return best_of(list(candidates), [])


def highs_optimum(candidates, k):
    """Of the candidates over each word at most one, of each entity at most k; HiGHS at default."""
    groups = [([c.entity == e for c in candidates], k) for e in {c.entity for c in candidates}]
    for word in {candidate.start for candidate in candidates}:
        groups.append(([c.start <= word < c.end for c in candidates], 1))
    result = milp(
        [-candidate.score for candidate in candidates],
        integrality=np.ones(len(candidates)),
        bounds=(0, 1),
        constraints=LinearConstraint(
            np.array([g for g, _ in groups], float), ub=[n for _, n in groups]
        ),
        options={"mip_rel_gap": 0.0},
    )
    assert result.success
    return -result.fun


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("exactly", [False, True])
@pytest.mark.usefixtures("effort")
@seldom
@given(candidates=candidate_lists(size=10))
def test_no_choice_is_better(candidates, k, exactly):
    chosen = exact(candidates, k, exactly)
    check_feasible(chosen, k)
    assert set(chosen) <= set(candidates)
    assert value(chosen, exactly) == pytest.approx(brute_force(candidates, k, exactly), abs=1e-9)


@given(candidate_lists(n_words=12, size=25), st.integers(1, 3), st.booleans(), st.randoms())
def test_the_order_of_candidates_does_not_matter(candidates, k, exactly, rng):
    chosen = exact(candidates, k, exactly)
    assert exact(rng.sample(candidates, len(candidates)), k, exactly) == chosen
    check_feasible(chosen, k)
    assert value(chosen, exactly) >= value(greedy(candidates, k), exactly) or value(
        chosen, exactly
    ) == pytest.approx(value(greedy(candidates, k), exactly))


@pytest.mark.usefixtures("effort")
def test_a_relaxation_that_is_not_integral():
    """Worth 2 each. A has words 0, 1, 3; B words 0 to 2; C word 3.

    With C on word 3 and B on the first three none is left for A: two can be placed, not three. The
    relaxation places two and a half: C, half of B, and A half on word 0, half on word 1.
    """
    spans = [(0, 0, 1), (0, 1, 2), (0, 3, 4), (1, 0, 3), (2, 3, 4)]
    candidates = [Candidate(*span, 2.0) for span in spans]
    assert value(exact(candidates)) == (0, 4.0)
    _, used = relaxation(candidates, 1, 0.0)
    assert len(used) == 4


def test_the_best_of_each_in_turn_is_not_the_best_of_all():
    """Greedy takes the 1.0 and blocks both; together they are worth 1.8."""
    candidates = [Candidate(0, 1, 3, 1.0), Candidate(1, 0, 2, 0.9), Candidate(2, 2, 4, 0.9)]
    assert exact(candidates) == candidates[1:]
    assert greedy(candidates) == candidates[:1]
    # the same entity twice, where that is allowed
    candidates = [Candidate(0, 1, 3, 1.0), Candidate(1, 0, 2, 0.9), Candidate(1, 2, 4, 0.9)]
    assert exact(candidates) == candidates[:1]
    assert exact(candidates, 2) == candidates[1:]


@given(candidate_lists(), st.integers(1, 3))
def test_the_start_with_many_candidates_is_feasible(candidates, k):
    ordered = most_first(candidates)
    assert sorted(ordered) == sorted(candidates)
    check_feasible(sorted(choose(ordered, k), key=lambda c: c.start), k)


def test_the_start_with_many_candidates_leaves_room():
    """By score one is taken, by length three; of equal length first what cannot go elsewhere."""
    candidates = [Candidate(0, 0, 3, 9.0), Candidate(1, 0, 1, 0.5), Candidate(1, 1, 2, 0.5)]
    candidates += [Candidate(2, 0, 1, 0.4), Candidate(0, 2, 3, 0.1)]
    assert len(choose(candidates, 1)) == 1
    assert len(choose(most_first(candidates), 1)) == 3


def test_more_projections_come_before_a_higher_score():
    candidates = [Candidate(0, 0, 4, 9.0), Candidate(1, 0, 2, 0.1), Candidate(2, 2, 4, 0.1)]
    assert exact(candidates) == candidates[:1]
    assert exact(candidates, exactly=True) == candidates[1:]


def window_candidates(rng, n_entities, n_words, kind, crowd):
    """All spans inside a window of each entity."""
    candidates = []
    for entity in range(n_entities):
        width = rng.randint(2, min(n_words, 9))
        at = rng.randrange(min(crowd, n_words - width + 1))
        for start in range(at, at + width):
            for end in range(start + 1, at + width + 1):
                score = {
                    "any": rng.random() + 0.01,
                    "rising": (end - start) ** 0.5 * rng.uniform(1, 1.05),
                    "alike": rng.uniform(1, 1.02),
                    "whole": float(rng.randint(1, 3)),
                    "equal": 1.0,
                }[kind]
                candidates.append(Candidate(entity, start, end, score))
    return candidates


@pytest.mark.parametrize("kind", ["any", "rising", "alike", "whole", "equal"])
@pytest.mark.parametrize("crowd", [3, 15, 200])
@pytest.mark.parametrize("k", [1, *(pytest.param(k, marks=pytest.mark.slow) for k in (2, 3))])
@pytest.mark.parametrize("exactly", [False, True])
def test_random_windows(kind, crowd, k, exactly):
    """Up to 16 entities and 200 words; in a crowd of 3 all of them want the same words."""
    rng = random.Random(f"{kind} {crowd} {k}")
    for n_words in (12, 40, 200):
        candidates = window_candidates(rng, rng.randint(6, 16), n_words, kind, crowd)
        chosen = exact(candidates, k, exactly)
        check_feasible(chosen, k)
        bonus = 200.0 if exactly else 0.0  # more than the candidates of a choice together
        best = highs_optimum([c._replace(score=c.score + bonus) for c in candidates], k)
        assert len(chosen) * bonus + value(chosen)[1] == pytest.approx(best, abs=1e-9)


@pytest.mark.slow
def test_every_europarl_sentence(europarl):
    for spans, links in europarl:
        if candidates := TightNgrams().candidates(spans, links, 0.0):
            chosen = exact(candidates)
            check_feasible(chosen, 1)
            assert value(chosen)[1] == pytest.approx(highs_optimum(candidates, 1), abs=1e-9)


@given(candidate_lists(), st.integers(1, 2), st.lists(st.floats(0, 3), min_size=4, max_size=4))
def test_any_prices_bound_the_optimum(candidates, k, prices):
    """Weak duality; and no candidate of a better choice is dropped."""
    if not candidates:
        return
    found = Search(sorted(candidates, key=lambda c: -c.score), k, 0.0)
    found.prices = prices[: len(found.prices)]
    found.ahead, _ = found._pass(found.prices)
    found.bound = found._bound(found.prices, found.ahead)
    best = brute_force(candidates, k, False)[1]
    assert found.bound >= best - 1e-9
    found._fix()
    assert max(found.value, brute_force(found.rest, k, False)[1]) == pytest.approx(best)
    assert found._walk(10**6)
    assert found.value == pytest.approx(best)


def test_scores_of_any_size():
    rng = random.Random(3)
    candidates = window_candidates(rng, 12, 15, "rising", 15)
    best = value(exact(candidates))[1]
    for factor in (1e-6, 1e6):
        scaled = [candidate._replace(score=factor * candidate.score) for candidate in candidates]
        assert value(exact(scaled))[1] == pytest.approx(factor * best, rel=1e-9)


def test_an_unsolved_relaxation_is_an_error(monkeypatch):
    import scipy.optimize

    linprog = scipy.optimize.linprog

    def stopped(*args, **kwargs):
        result = linprog(*args, **kwargs)
        result.status, result.message = 4, "numerical difficulties"
        return result

    monkeypatch.setattr(scipy.optimize, "linprog", stopped)
    with pytest.raises(SpanbridgeError, match="numerical difficulties"):
        relaxation([Candidate(0, 0, 1, 1.0)], 1, 0.0)


def test_the_integer_programme_alone():
    rng = random.Random(4)
    candidates = window_candidates(rng, 8, 12, "any", 12)
    chosen = sorted(integer_programme(candidates, 1), key=lambda c: c.start)
    check_feasible(chosen, 1)
    assert value(chosen)[1] == pytest.approx(value(exact(candidates))[1], abs=1e-9)
    assert linear.integer_programme(candidates, 2, 100.0)
