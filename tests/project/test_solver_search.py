"""The search, its bounds, and HiGHS behind it: on any options, not only those of alignments."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import often, seldom
from scipy.optimize import LinearConstraint, milp
from test_solver_reductions import option_lists, overlap

from spanbridge import SpanbridgeError
from spanbridge.project import linear, search
from spanbridge.project.candidates import Candidate, alignment_options
from spanbridge.project.solve.linear import integer_programme, relaxation
from spanbridge.project.solve.search import Search, choose, most_first
from spanbridge.project.solve.choice import exact, greedy

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


def value(options, exactly=False):
    return (len(options) if exactly else 0, sum(option.score for option in options))


def check_feasible(chosen, k):
    assert all(a.end <= b.start for a, b in zip(chosen, chosen[1:], strict=False))
    assert max(Counter(option.entity for option in chosen).values(), default=0) <= k


def brute_force(options, k, exactly):
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

    return best_of(list(options), [])


def highs_optimum(options, k):
    """Of the options over each word at most one, of each entity at most k; HiGHS at default."""
    groups = [([o.entity == e for o in options], k) for e in {o.entity for o in options}]
    for word in {option.start for option in options}:
        groups.append(([o.start <= word < o.end for o in options], 1))
    result = milp(
        [-option.score for option in options],
        integrality=np.ones(len(options)),
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
@given(options=option_lists(size=10))
def test_no_choice_is_better(options, k, exactly):
    chosen = exact(options, k, exactly)
    check_feasible(chosen, k)
    assert set(chosen) <= set(options)
    assert value(chosen, exactly) == pytest.approx(brute_force(options, k, exactly), abs=1e-9)


@often
@given(option_lists(n_words=12, size=25), st.integers(1, 3), st.booleans(), st.randoms())
def test_the_order_of_options_does_not_matter(options, k, exactly, rng):
    chosen = exact(options, k, exactly)
    assert exact(rng.sample(options, len(options)), k, exactly) == chosen
    check_feasible(chosen, k)
    assert value(chosen, exactly) >= value(greedy(options, k), exactly) or value(
        chosen, exactly
    ) == pytest.approx(value(greedy(options, k), exactly))


@pytest.mark.usefixtures("effort")
def test_a_relaxation_that_is_not_integral():
    """Worth 2 each. A has words 0, 1, 3; B words 0 to 2; C word 3.

    With C on word 3 and B on the first three none is left for A: two can be placed, not three. The
    relaxation places two and a half: C, half of B, and A half on word 0, half on word 1.
    """
    spans = [(0, 0, 1), (0, 1, 2), (0, 3, 4), (1, 0, 3), (2, 3, 4)]
    options = [Candidate(*span, 2.0) for span in spans]
    assert value(exact(options)) == (0, 4.0)
    _, used = relaxation(options, 1, 0.0)
    assert len(used) == 4


def test_the_best_of_each_in_turn_is_not_the_best_of_all():
    """Greedy takes the 1.0 and blocks both; together they are worth 1.8."""
    options = [Candidate(0, 1, 3, 1.0), Candidate(1, 0, 2, 0.9), Candidate(2, 2, 4, 0.9)]
    assert exact(options) == options[1:]
    assert greedy(options) == options[:1]
    # the same entity twice, where that is allowed
    options = [Candidate(0, 1, 3, 1.0), Candidate(1, 0, 2, 0.9), Candidate(1, 2, 4, 0.9)]
    assert exact(options) == options[:1]
    assert exact(options, 2) == options[1:]


@often
@given(option_lists(), st.integers(1, 3))
def test_the_start_with_many_options_is_feasible(options, k):
    ordered = most_first(options)
    assert sorted(ordered) == sorted(options)
    check_feasible(sorted(choose(ordered, k), key=lambda o: o.start), k)


def test_the_start_with_many_options_leaves_room():
    """By score one is taken, by length three; of equal length first what cannot go elsewhere."""
    options = [Candidate(0, 0, 3, 9.0), Candidate(1, 0, 1, 0.5), Candidate(1, 1, 2, 0.5)]
    options += [Candidate(2, 0, 1, 0.4), Candidate(0, 2, 3, 0.1)]
    assert len(choose(options, 1)) == 1
    assert len(choose(most_first(options), 1)) == 3


def test_more_projections_come_before_a_higher_score():
    options = [Candidate(0, 0, 4, 9.0), Candidate(1, 0, 2, 0.1), Candidate(2, 2, 4, 0.1)]
    assert exact(options) == options[:1]
    assert exact(options, exactly=True) == options[1:]


def window_options(rng, n_entities, n_words, kind, crowd):
    """All spans inside a window of each entity."""
    options = []
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
                options.append(Candidate(entity, start, end, score))
    return options


@pytest.mark.parametrize("kind", ["any", "rising", "alike", "whole", "equal"])
@pytest.mark.parametrize("crowd", [3, 15, 200])
@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("exactly", [False, True])
def test_random_windows(kind, crowd, k, exactly):
    """Up to 16 entities and 200 words; in a crowd of 3 all of them want the same words."""
    rng = random.Random(f"{kind} {crowd} {k}")
    for n_words in (12, 40, 200):
        options = window_options(rng, rng.randint(6, 16), n_words, kind, crowd)
        chosen = exact(options, k, exactly)
        check_feasible(chosen, k)
        bonus = 200.0 if exactly else 0.0  # more than the options of a choice together
        best = highs_optimum([o._replace(score=o.score + bonus) for o in options], k)
        assert len(chosen) * bonus + value(chosen)[1] == pytest.approx(best, abs=1e-9)


def test_every_europarl_sentence(europarl):
    for spans, links in europarl:
        if options := alignment_options(spans, links):
            chosen = exact(options)
            check_feasible(chosen, 1)
            assert value(chosen)[1] == pytest.approx(highs_optimum(options, 1), abs=1e-9)


@often
@given(option_lists(), st.integers(1, 2), st.lists(st.floats(0, 3), min_size=4, max_size=4))
def test_any_prices_bound_the_optimum(options, k, prices):
    """Weak duality; and no option of a better choice is dropped."""
    if not options:
        return
    found = Search(sorted(options, key=lambda o: -o.score), k, 0.0)
    found.prices = prices[: len(found.prices)]
    found.ahead, _ = found._pass(found.prices)
    found.bound = found._bound(found.prices, found.ahead)
    best = brute_force(options, k, False)[1]
    assert found.bound >= best - 1e-9
    found._fix()
    assert max(found.value, brute_force(found.rest, k, False)[1]) == pytest.approx(best)
    assert found._walk(10**6)
    assert found.value == pytest.approx(best)


def test_scores_of_any_size():
    rng = random.Random(3)
    options = window_options(rng, 12, 15, "rising", 15)
    best = value(exact(options))[1]
    for factor in (1e-6, 1e6):
        scaled = [option._replace(score=factor * option.score) for option in options]
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
    options = window_options(rng, 8, 12, "any", 12)
    chosen = sorted(integer_programme(options, 1), key=lambda o: o.start)
    check_feasible(chosen, 1)
    assert value(chosen)[1] == pytest.approx(value(exact(options))[1], abs=1e-9)
    assert linear.integer_programme(options, 2, 100.0)
