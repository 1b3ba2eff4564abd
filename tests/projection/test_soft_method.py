"""Projection along soft alignments, sentence by sentence."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import assume, given
from project_instances import placed, project_row
from soft_samples import check, hard, labelled, pair

from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Span, nesting
from spanbridge.projection.candidates import Intervals
from spanbridge.projection.corpus import CorpusMethod
from spanbridge.projection.method import BELOW, LOST, NO_LINK
from spanbridge.projection.pool import Scored
from spanbridge.projection.presets import SoftMethod
from spanbridge.projection.solve import Solver
from spanbridge.projection.weights import ONE_BY_ONE

SOLVERS = pytest.mark.parametrize("solver", ["greedy", "exact"])


@SOLVERS
def test_hard_links_of_a_sentence(solver):
    """Both words of the name went to both; the article beside it has no mass."""
    row = pair("Angela Merkel left", "die Angela Merkel ging", [(0, 2, "PER")])
    found = project_row(SoftMethod(solver), (row, hard(3, 4, (0, 1), (1, 2), (2, 3))))
    assert placed(found) == [(1, 3, "PER")]
    # score 1; the next best, [0, 3), [1, 4) with 2*2/5 or [1, 2), [2, 3) with 2*1/3: margin .2,
    # times the root of 2; the row's characters are 16 and 19
    log_odds = 4.91 + 0.68 * log(0.2 * 2**0.5 / 0.5) - 0.61 * abs(log((2 + 16) / (2 + 19)))
    assert found.spans[0].score == pytest.approx(1 / (1 + exp(-log_odds)), abs=1e-4)
    assert found.dropped == ()
    assert found.origins == (Span(0, 2, "PER"),)


def test_greedy_takes_the_best_and_exact_the_most():
    """Gains above the least score of .3: A .2 on word 2 and .15 on word 0, B .15 on word 2 alone.

    Best first leaves nothing for B; .15 twice is more. (With the same mass p both ways F of one
    word is p; A's [0, 3) has r = .95, p = .95 / 3, F = .475.)
    """
    mass = np.array([[0.45, 0, 0.5], [0, 0, 0.45]])
    row = pair("a b", "x y z", [(0, 1, "A"), (1, 2, "B")])
    mass_of_both = SoftAlignment(mass, mass)
    best = project_row(SoftMethod("greedy"), (row, mass_of_both))
    assert placed(best) == [(2, 3, "A")]
    assert best.dropped == ((Span(1, 2, "B"), LOST),)
    most = project_row(SoftMethod("exact"), (row, mass_of_both))
    assert placed(most) == [(0, 1, "A"), (2, 3, "B")]


def test_a_spurious_entity_is_abstained_from():
    """No mass at all; and mass that is spread too thin."""
    row = pair("a b c", "x y z", [(0, 1, "A"), (1, 2, "B"), (2, 3, "C")])
    mass = np.array([[1.0, 0, 0], [0, 0, 0], [0, 0.05, 0.05]])
    found = project_row(SoftMethod(), (row, SoftAlignment(mass, mass)))
    assert placed(found) == [(0, 1, "A")]
    assert [(span.label, why) for span, why in found.dropped] == [("B", NO_LINK), ("C", NO_LINK)]
    # between what is scored at all (.12) and the least score (.3)
    mass[2] = [0, 0.25, 0]
    found = project_row(SoftMethod(), (row, SoftAlignment(mass, mass)))
    assert found.dropped[1] == (Span(2, 3, "C"), BELOW)


def test_a_one_to_many_translation():
    """A compound to three words: each came from it wholly, it went to each by a third."""
    forward = np.array([[1 / 3, 1 / 3, 1 / 3, 0]])
    backward = np.array([[1.0, 1, 1, 0]])
    row = pair("Bundesverfassungsgericht", "Federal Constitutional Court .", [(0, 1, "ORG")])
    found = project_row(SoftMethod(), (row, SoftAlignment(forward, backward)))
    assert placed(found) == [(0, 3, "ORG")]


def test_nothing_to_project():
    found = project_row(SoftMethod(), (pair("a", "b"), hard(1, 1, (0, 0))))
    assert (found.spans, found.dropped, found.origins) == ((), (), ())


def test_a_target_without_words():
    row = pair("a", "", [(0, 1, "A")])
    found = project_row(SoftMethod(), (row, hard(1, 0)))
    assert found.dropped == ((Span(0, 1, "A"), NO_LINK),)


@pytest.mark.parametrize("method", [SoftMethod, CorpusMethod])
def test_the_signature_names_method_solver_and_weights(method):
    greedy, exact = method().describe(), method("exact").describe()
    assert greedy.startswith(f"{method.name}(near_mass,greedy,")
    whole = ",whole" if method is SoftMethod else ""
    assert exact == greedy.replace(",greedy,n_proj<=1", f",exact,n_proj<=1{whole}")
    assert method().describe_weights() in greedy


@SOLVERS
@given(labelled(n_spans=4, labels=("PER", "LOC-x", "ORG")))
def test_promises_to_any_sentence(solver, drawn):
    """Also for nested and equal source spans."""
    row, found = drawn
    for method in (SoftMethod(solver), CorpusMethod(solver)):
        check(project_row(method, (row, found)), row)


@given(labelled(n_spans=3, labels=("A", "B")))
def test_exact_is_worth_at_least_as_much_and_both_are_above_the_least_score(drawn):
    """Of spans of one layer: outer layers are chosen before what lies in them is known."""
    assume(not any(nesting([span[:2] for span in drawn[0].source.spans])[0]))
    totals = {}
    for solver in ("greedy", "exact"):
        method = SoftMethod()
        method.solve = Solver(solver)
        found = project_row(method, drawn)
        assert all(raw > ONE_BY_ONE.min_score for raw in found.raw_scores)
        totals[solver] = sum(raw - ONE_BY_ONE.min_score for raw in found.raw_scores)
    assert totals["exact"] >= totals["greedy"] - 1e-12


@given(labelled())
def test_a_lone_entity_goes_to_the_best_span_of_all(drawn):
    """Brute force over every span: leaving far and faint ones out loses nothing."""
    row, found = drawn
    entity = row.source.spans[0]
    own = slice(entity.start, entity.end)
    n = len(row.target.words)
    best = 0.0
    for a in range(n):
        for b in range(a + 1, n + 1):
            r = found.forward[own, a:b].sum() / (entity.end - entity.start)
            p = found.backward[own, a:b].sum() / (b - a)
            best = max(best, 2 * r * p / (r + p) if r + p else 0)
    projection = project_row(SoftMethod(), drawn)
    if best > ONE_BY_ONE.min_score + 1e-9:
        assert projection.raw_scores == pytest.approx((best,))
    elif best < ONE_BY_ONE.min_score - 1e-9:
        assert not projection.spans


def test_the_margin():
    """To the next best candidate, or to the least score if that is nearer."""
    scored = Scored(Intervals.of([(0, 1), (1, 3), (2, 3)]), {}, np.array([0.9, 0.7, 0.2]))
    assert scored.number(1, 3) == 1
    assert scored.margin(0, 0.3) == pytest.approx(0.2)
    assert scored.margin(0, 0.8) == pytest.approx(0.1)
    assert scored.margin(1, 0.3) == pytest.approx(-0.2)
    assert Scored(Intervals.of([(0, 1)]), {}, np.array([0.9])).margin(0, 0.3) == pytest.approx(0.6)
