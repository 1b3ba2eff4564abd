"""Projection along soft alignments, sentence by sentence and with what a bitext teaches."""

from collections import Counter
from dataclasses import replace
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import often
from soft_samples import bitext, hard, labelled, pair

from spanbridge import CorpusMethod, Span, SpanbridgeError
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.project import soft
from spanbridge.project.confidence import CALIBRATIONS
from spanbridge.project.projector import BELOW, LOST, NO_LINK, in_order
from spanbridge.project.soft import MIN_PAIRS, SoftMethod, score, solve
from spanbridge.project.tagger import FOLDS
from spanbridge.project.view import CorpusStatistics, View, digest
from spanbridge.project.weights import FIRST, ONE_BY_ONE, SECOND

SOLVERS = pytest.mark.parametrize("solver", ["greedy", "exact"])


def triples(projection):
    return [span[:3] for span in projection.spans]


# --- sentence by sentence


@SOLVERS
def test_hard_links_of_a_sentence(solver):
    """Both words of the name went to both; the article beside it has no mass."""
    row = pair("Angela Merkel left", "die Angela Merkel ging", [(0, 2, "PER")])
    found = SoftMethod(solver).project(row, hard(3, 4, (0, 1), (1, 2), (2, 3)))
    assert triples(found) == [(1, 3, "PER")]
    # score 1; the next best, [0, 3), [1, 4) with 2*2/5 or [1, 2), [2, 3) with 2*1/3: margin .2,
    # and 1 / (1 + exp(-(-.09 + .61 * -log(.01) + 3.31 * .2)))
    assert found.spans[0].score == pytest.approx(1 / (1 + exp(-3.38115)), abs=1e-4)
    assert found.dropped == ()
    assert found.origins == (Span(0, 2, "PER"),)


def test_greedy_takes_the_best_and_exact_the_most():
    """Gains above the threshold of .3: A .2 on word 2 and .15 on word 0, B .15 on word 2 alone.

    Best first leaves nothing for B; .15 twice is more. (With the same mass p both ways F of one
    word is p; A's [0, 3) has r = .95, p = .95 / 3, F = .475.)
    """
    mass = np.array([[0.45, 0, 0.5], [0, 0, 0.45]])
    row = pair("a b", "x y z", [(0, 1, "A"), (1, 2, "B")])
    evidence = SoftAlignment(mass, mass)
    best = SoftMethod("greedy").project(row, evidence)
    assert triples(best) == [(2, 3, "A")]
    assert best.dropped == ((Span(1, 2, "B"), LOST),)
    most = SoftMethod("exact").project(row, evidence)
    assert triples(most) == [(0, 1, "A"), (2, 3, "B")]


def test_a_spurious_entity_is_abstained_from():
    """No mass at all; and mass that is spread too thin."""
    row = pair("a b c", "x y z", [(0, 1, "A"), (1, 2, "B"), (2, 3, "C")])
    mass = np.array([[1.0, 0, 0], [0, 0, 0], [0, 0.05, 0.05]])
    found = SoftMethod().project(row, SoftAlignment(mass, mass))
    assert triples(found) == [(0, 1, "A")]
    assert [(span.label, why) for span, why in found.dropped] == [("B", NO_LINK), ("C", NO_LINK)]
    # between what is scored at all (.12) and the threshold (.3)
    mass[2] = [0, 0.25, 0]
    found = SoftMethod().project(row, SoftAlignment(mass, mass))
    assert found.dropped[1] == (Span(2, 3, "C"), BELOW)


def test_a_one_to_many_translation():
    """A compound to three words: each came from it wholly, it went to each by a third."""
    forward = np.array([[1 / 3, 1 / 3, 1 / 3, 0]])
    backward = np.array([[1.0, 1, 1, 0]])
    row = pair("Bundesverfassungsgericht", "Federal Constitutional Court .", [(0, 1, "ORG")])
    found = SoftMethod().project(row, SoftAlignment(forward, backward))
    assert triples(found) == [(0, 3, "ORG")]


def test_nothing_to_project():
    found = SoftMethod().project(pair("a", "b"), hard(1, 1, (0, 0)))
    assert (found.spans, found.dropped, found.origins) == ((), (), ())


def test_a_target_without_words():
    row = pair("a", "", [(0, 1, "A")])
    found = SoftMethod().project(row, hard(1, 0))
    assert found.dropped == ((Span(0, 1, "A"), NO_LINK),)


@pytest.mark.parametrize("method", [SoftMethod, CorpusMethod])
def test_no_such_solver(method):
    with pytest.raises(SpanbridgeError, match="nosuch.*greedy, exact"):
        method("nosuch")


@pytest.mark.parametrize("method", [SoftMethod, CorpusMethod])
def test_the_signature_names_method_solver_and_weights(method):
    greedy, exact = method().describe(), method("exact").describe()
    assert greedy.startswith(f"{method.name}(greedy,")
    assert exact == greedy.replace("(greedy,", "(exact,")
    assert method().weights().describe() in greedy


def check(projection, row):
    """Disjoint, in order, inside; every entity either projected once or dropped; scores."""
    edges = [edge for span in projection.spans for edge in span[:2]]
    assert edges == sorted(edges)
    assert all(span.start < span.end for span in projection.spans)
    assert all(0 <= edge <= len(row.target.words) for edge in edges)
    assert all(0 < span.score < 1 for span in projection.spans)
    assert [s.label for s in projection.origins] == [s.label for s in projection.spans]
    ends = Counter([*projection.origins, *(span for span, _ in projection.dropped)])
    assert ends == Counter(row.source.spans)
    assert {why for _, why in projection.dropped} <= {NO_LINK, BELOW, LOST}


@SOLVERS
@often
@given(labelled(n_spans=4, labels=("PER", "LOC-x", "ORG")))
def test_promises_to_any_sentence(solver, drawn):
    """Also for nested and equal source spans."""
    row, found = drawn
    for method in (SoftMethod(solver), CorpusMethod(solver)):
        check(method.project(row, found), row)


@often
@given(labelled(n_spans=3, labels=("A", "B")))
def test_exact_is_worth_at_least_as_much_and_both_are_above_the_threshold(drawn):
    row, found = drawn
    view, entities = View(row, found), in_order(row.source.spans)
    totals = {}
    for solver in ("greedy", "exact"):
        chosen, scored = solve(view, entities, ONE_BY_ONE, solver)
        totals[solver] = sum(option.score for option in chosen)
        for option in chosen:
            own = scored[option.entity]
            total = own.total[own.place(option.start, option.end)]
            assert total > ONE_BY_ONE.threshold
            assert option.score == pytest.approx(total - ONE_BY_ONE.threshold)
    assert totals["exact"] >= totals["greedy"] - 1e-12


@often
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
    scored = score(View(row, found), entity, ONE_BY_ONE)
    projection = SoftMethod().project(row, found)
    if best > ONE_BY_ONE.threshold + 1e-9:
        (span,) = projection.spans
        assert scored.total[scored.place(span.start, span.end)] == pytest.approx(best)
    elif best < ONE_BY_ONE.threshold - 1e-9:
        assert not projection.spans


def test_the_margin():
    """To the next best candidate, or to the threshold if that is nearer."""
    scored = soft.Scored(None, {}, np.array([0.9, 0.7, 0.2]))
    assert scored.margin(0, 0.3) == pytest.approx(0.2)
    assert scored.margin(0, 0.8) == pytest.approx(0.1)
    assert scored.margin(1, 0.3) == pytest.approx(-0.2)
    assert soft.Scored(None, {}, np.array([0.9])).margin(0, 0.3) == pytest.approx(0.6)


# --- with what a bitext teaches


def fitted(rows, solver="greedy"):
    method = CorpusMethod(solver)
    method.fit(rows)
    return method


@pytest.fixture(scope="module")
def rows():
    return bitext(120)


@pytest.fixture(scope="module")
def corpus(rows):
    return fitted(rows)


@pytest.fixture(scope="module")
def with_states():
    return bitext(MIN_PAIRS, states=True)


@pytest.fixture(scope="module")
def encoded(with_states):
    return fitted(with_states)


def names(row):
    """Where a bitext's names are on the target side, by their labels."""
    found, place, words = [], 0, row.target.words
    for span in sorted(row.source.spans):
        first = row.source.words[span.start] + "en"
        place = words.index(first, place)
        found.append((place, place + span.end - span.start, span.label))
        place += span.end - span.start
    return found


def test_a_small_bitext_stays_at_the_first_pass(rows):
    few, enough = fitted(rows[: MIN_PAIRS - 1]), fitted(rows[:MIN_PAIRS])
    assert few.learned.words is None
    assert few.learned.members == {}
    assert few.learned.statistics.n_pairs == MIN_PAIRS - 1
    assert few.weights() is FIRST["no encoder"]
    assert few.regime == "corpus, first pass, no encoder"
    assert enough.learned.words is not None
    assert enough.weights() is SECOND["no encoder"]
    assert enough.regime == "corpus, no encoder"
    assert "fitted_on=99_pairs" in few.describe()
    assert few.describe() != enough.describe()


def test_states_are_learned_from_the_pairs_that_have_them(with_states, encoded):
    assert encoded.learned.states is not None
    assert encoded.weights() is SECOND["encoder"]
    row, found = with_states[0]
    mixed = fitted([(row, SoftAlignment(found.forward, found.backward)), *with_states[1:]])
    assert mixed.learned.states is not None
    assert mixed.weights() is SECOND["encoder"]


@pytest.mark.parametrize("sample", ["corpus", "encoded"])
def test_what_is_learned_projects_what_it_was_learned_from(sample, request):
    method = request.getfixturevalue(sample)
    pairs = request.getfixturevalue("rows" if sample == "corpus" else "with_states")
    right = 0
    for row, found in pairs:
        projection = method.project(row, found)
        check(projection, row)
        right += triples(projection) == names(row)
    assert right >= 0.95 * len(pairs)


def test_a_pair_without_states_among_pairs_with_them(with_states, encoded):
    """Such as one that brings its own links, in text that learned taggers are applied to."""
    for row, found in with_states[:5]:
        projection = encoded.project(row, SoftAlignment(found.forward, found.backward))
        check(projection, row)
        assert triples(projection) == names(row)


def test_statistics_are_those_of_the_result(rows, corpus):
    """Of the first pass: boundaries counted anew, and kept for each pair to leave out."""
    first = CorpusMethod()
    statistics = CorpusStatistics()
    for row, _ in rows:
        statistics.add_words(row)
    first.learned.statistics = statistics
    first.learned.has_states = False
    for row, found in rows:
        spans = triples(first.project(row, found))
        statistics.add_spans(row.target.words, spans)
        assert set(spans) <= set(corpus.learned.members[digest(row)])
    assert corpus.learned.statistics == statistics
    assert corpus.learned.labels == ("LOC", "PER")


def test_the_sentence_at_hand_is_left_out(rows, corpus):
    """Its boundaries, and its tags: the tagger is that of its own fold."""
    row, found = rows[0]
    view = corpus.view(row, found)
    own = CorpusStatistics()
    own.add_spans(row.target.words, corpus.learned.members[digest(row)])
    assert view.own == own.policy
    assert own.policy["first"]
    fold = digest(row) % FOLDS
    table = corpus.learned.words.probabilities(row.target.words, fold)
    assert (view.tags["words"]._p == table).all()


def test_a_pair_that_stands_there_twice_is_left_out_twice(rows):
    twice = fitted([*rows[:MIN_PAIRS], rows[0]])
    once = fitted(rows[:MIN_PAIRS])
    row, found = rows[0]
    policies = [method.view(row, found).policy for method in (once, twice)]
    for side in ("start", "end"):
        assert policies[0][side].tolist() == policies[1][side].tolist()


def test_other_text_has_nothing_left_out(corpus):
    row = pair("sees Otto", "sees der Otto", [(1, 2, "PER")])
    view = corpus.view(row, hard(2, 3, (0, 0), (1, 2)))
    assert not any(view.own.values())
    assert triples(corpus.project(row, hard(2, 3, (0, 0), (1, 2)))) == [(2, 3, "PER")]


def test_labels_never_seen_in_learning(corpus, encoded):
    row = pair("sees Otto", "sees Otto", [(1, 2, "MISC-new")])
    for method in (corpus, encoded):
        found = method.project(row, hard(2, 2, (0, 0), (1, 1)))
        assert triples(found) == [(1, 2, "MISC-new")]


@pytest.mark.parametrize(
    "labels",
    [("A",), ("B-I-x", "B-I-y"), tuple(f"L{n}" for n in range(8)), ("O", "名前", "a b")],
    ids=lambda labels: labels[0],
)
def test_any_labels(labels):
    pairs = bitext(MIN_PAIRS, labels)
    method = fitted(pairs)
    assert method.learned.labels == tuple(sorted(labels))
    right = sum(triples(method.project(*row)) == names(row[0]) for row in pairs)
    assert right >= 0.95 * len(pairs)


def test_nested_source_spans(with_states):
    """A whole sentence around the names: the taggers learn, each span still goes its own way."""
    pairs = []
    for row, found in with_states:
        whole = Span(0, len(row.source.words), "ALL")
        source = row.source.with_spans((*row.source.spans, whole))
        pairs.append((replace(row, source=source), found))
    method = fitted(pairs)
    assert method.learned.labels == ("ALL", "LOC", "PER")
    for row, found in pairs:
        check(method.project(row, found), row)


def test_a_bitext_without_labels(rows):
    bare = [(replace(row, source=row.source.with_spans(())), found) for row, found in rows]
    method = fitted(bare)
    assert method.learned.labels == ()
    assert method.learned.words is None
    assert method.learned.statistics.n_pairs == len(rows)
    assert method.project(*bare[0]).spans == ()


def test_pairs_without_words_are_not_learned_from(rows):
    empty = (pair("", "x"), hard(0, 1)), (pair("x", "", [(0, 1, "PER")]), hard(1, 0))
    method = fitted([*empty, *rows[: MIN_PAIRS - 1]])
    assert method.learned.statistics.n_pairs == MIN_PAIRS - 1
    assert method.learned.words is None


def test_fitting_anew_forgets(rows, corpus):
    method = fitted(bitext(MIN_PAIRS, ("X",), seed=7))
    method.fit(rows)
    assert method.learned.statistics == corpus.learned.statistics
    assert [method.project(*row) for row in rows[:20]] == [
        corpus.project(*row) for row in rows[:20]
    ]


def same(one, other):
    assert triples(one) == triples(other)
    assert [span.score for span in one.spans] == pytest.approx(
        [span.score for span in other.spans], abs=2e-3
    )
    assert one.dropped == other.dropped


def test_the_order_of_pairs_does_not_matter(rows, corpus):
    """Sums differ in their last bits, since they are made in another order."""
    shuffled = fitted(rows[::-1])
    assert shuffled.learned.statistics == corpus.learned.statistics
    assert shuffled.learned.members == corpus.learned.members
    for row in rows:
        same(shuffled.project(*row), corpus.project(*row))


def test_the_order_of_projecting_does_not_matter(rows, corpus):
    there = [corpus.project(*row) for row in rows]
    back = [corpus.project(*row) for row in rows[::-1]]
    assert there == back[::-1]


def test_the_same_input_learns_the_same_bits(with_states, encoded):
    again = fitted(with_states)
    for tagger in ("words", "states"):
        for one, other in zip(
            getattr(again.learned, tagger).weights,
            getattr(encoded.learned, tagger).weights,
            strict=True,
        ):
            assert (one == other).all()


@pytest.mark.parametrize(("n", "seed"), [(MIN_PAIRS, 3)])
def test_the_second_pass_may_still_project_with_the_exact_solver(n, seed):
    pairs = bitext(n, seed=seed)
    method = fitted(pairs, "exact")
    assert all(triples(method.project(*row)) == names(row[0]) for row in pairs)


@often
@given(st.integers(0, 119), labelled(n_spans=3, labels=("PER", "LOC", "new")))
def test_promises_of_the_second_pass(corpus, rows, at, drawn):
    row, found = drawn
    check(corpus.project(row, found), row)
    check(corpus.project(*rows[at]), rows[at][0])


def test_what_the_confidence_of_a_second_pass_comes_from(corpus, rows):
    """Score, margin, and what the tagger on word forms says of the label, 0 where it knows none."""
    row, found = rows[0]
    decision = corpus.decide(row, found)
    tagger = corpus.view(row, found).tags["words"]
    assert decision.chosen
    for (e, at), span in zip(decision.chosen.items(), decision.projection.spans, strict=True):
        score, margin, label = decision.grounds[e]
        assert score == decision.scored[e].total[at]
        assert 0 < margin <= 0.5
        assert label == tagger.label_share(span.label, span.start, span.end) < 0
        assert span.score == CALIBRATIONS[corpus.regime](score, margin, label)
    renamed = tuple(span._replace(label="new") for span in row.source.spans)
    row = replace(row, source=row.source.with_spans(renamed))
    assert {grounds[2] for grounds in corpus.decide(row, found).grounds.values()} == {0.0}
