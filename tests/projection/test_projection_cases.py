"""Candidate matching worked by hand; every number stands in a comment.

Scores of candidates are 2 * links / (words of entity + words of candidate), as in the paper
(arXiv 2501.18750, section 3.3); the confidence of a projected span is calibrated from its support,
the linked words / all words of both.
"""

import pytest
from project_instances import linked, placed, project, supported

from spanbridge.core.spans import Span
from spanbridge.projection.heuristic import HeuristicMethod
from spanbridge.projection.method import BELOW, LOST, NO_LINK
from spanbridge.projection.presets import ExactMethod, GreedyMethod

METHODS = [GreedyMethod(), ExactMethod(), HeuristicMethod()]
CANDIDATES = [GreedyMethod, ExactMethod]


def name(item):
    return getattr(item, "name", None) or item.describe().split("(")[0]


@pytest.mark.parametrize("method", METHODS, ids=name)
def test_a_function_word_between_linked_words_is_bridged(method):
    # the European Parliament agrees -> el Parlamento de Europa acepta
    # candidates: [1,2) = [3,4) = 2*1/(2+1) = 2/3, [1,4) = 2*2/(2+3) = 4/5
    links = linked("0-0 1-3 2-1 3-4", 4, 5)
    found = project(method, [Span(1, 3, "ORG")], links)
    # 2 + 2 linked words of 2 + 3
    assert found.spans == supported(method, (1, 4, "ORG", 4 / 5))
    assert found.dropped == ()


def test_two_function_words_do_not_pay_any_more():
    # European Parliament -> Parlamento de la Unión: [0,1) = 2/3 and [0,4) = 2*2/(2+4) = 2/3, a
    # tie, which goes to the shorter; with a third word between, [0,5) = 4/7 < 2/3
    for n_between in (2, 3):
        links = linked(f"1-0 0-{n_between + 1}", 2, n_between + 2)
        method = GreedyMethod()
        found = project(method, [Span(0, 2, "ORG")], links)
        # 1 + 1 linked words of 2 + 1
        assert found.spans == supported(method, (0, 1, "ORG", 2 / 3))
        # both parts are worth 2/3 + 2/3, so two projections beat one bridged span
        assert placed(project(ExactMethod(n_proj=2), [Span(0, 2, "ORG")], links)) == [
            (0, 1, "ORG"),
            (n_between + 1, n_between + 2, "ORG"),
        ]


def test_competing_entities():
    # A, two words, linked 0-0 1-1; B, two words, linked 2-1 (its other word to nothing)
    # A: [0,2) = 2*2/(2+2) = 1, [0,1) = [1,2) = 2*1/(2+1) = 2/3; B: [1,2) = 2/3
    entities, links = [Span(0, 2, "A"), Span(2, 4, "B")], linked("0-0 1-1 2-1", 4, 2)
    # greedy takes A whole (1) and nothing is left for B
    greedy = project(GreedyMethod(), entities, links)
    assert placed(greedy) == [(0, 2, "A")]
    assert greedy.dropped == ((entities[1], LOST),)
    # the paper's optimum gives each a word: 2/3 + 2/3 = 4/3 > 1
    exact = project(ExactMethod(whole=False), entities, links)
    assert placed(exact) == [(0, 1, "A"), (1, 2, "B")]
    assert exact.dropped == ()
    # but a half of A is worth 2/3 - 2 * (1 - 2/3) = 0
    exact = project(ExactMethod(), entities, links)
    assert (placed(exact), exact.dropped) == (placed(greedy), greedy.dropped)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_no_name_is_cut_in_two(n):
    # "Anna Maria Roe" twice, the target has a pronoun for the second one; all words of both link to
    # the only name: cut in two it would be worth 2a / (n + a) + 2b / (n + b) > 1
    names = [Span(0, n, "PER"), Span(n + 1, 2 * n + 1, "PER")]
    links = linked(" ".join(f"{i}-{i} {n + 1 + i}-{i}" for i in range(n)), 2 * n + 1, n + 3)
    assert placed(project(ExactMethod(), names, links)) == [(0, n, "PER")]
    assert len(project(ExactMethod(whole=False), names, links).spans) == 2


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("n", [2, 3, 4])
def test_no_name_is_cut_for_a_part_of_it(first, n):
    # "Anna Maria Roe" and "Roe", before or after it; the target has the whole name alone, which is
    # worth 1 for the one and 1 for the other; the longer one is taken
    whole, part = (0, n + 1) if first else (2, 0)
    spans = [Span(whole, whole + n, "PER"), Span(part, part + 1, "PER")]
    links = linked(f"{part}-{n - 1} " + " ".join(f"{whole + i}-{i}" for i in range(n)), n + 2, n)
    found = project(ExactMethod(), spans, links)
    assert placed(found) == [(0, n, "PER")]
    assert found.origins == (spans[0],)


def test_names_that_share_a_word_are_no_cut_name():
    # Structural Funds and Cohesion Funds -> Struktur- und Kohäsionsfonds; both Funds are linked to
    # the last word: [0,1) = 2/3, [0,3) = 2*2/(2+3) = 4/5; 2/3 - 2 * (4/5 - 2/3) = 2/5 each
    spans, links = [Span(0, 2, "A"), Span(3, 5, "B")], linked("0-0 1-2 2-1 3-2 4-2", 5, 3)
    found = project(ExactMethod(), spans, links)
    assert placed(found) == [(0, 1, "A"), (2, 3, "B")]


def test_exactly_puts_the_number_of_projections_first():
    # A, two words, four links to words 0 and 1: [0,2) = 2*4/(2+2) = 2, [0,1) = 2*2/(2+1) = 4/3
    # B, three words, one link to word 1: [1,2) = 2*1/(3+1) = 1/2, and 4/3 + 1/2 = 11/6 < 2
    entities, links = [Span(0, 2, "A"), Span(2, 5, "B")], linked("0-0 0-1 1-0 1-1 2-1", 5, 2)
    assert placed(project(ExactMethod(), entities, links)) == [(0, 2, "A")]
    both = project(ExactMethod(exactly=True), entities, links)
    assert placed(both) == [(0, 1, "A"), (1, 2, "B")]


@pytest.mark.parametrize("projector", CANDIDATES, ids=name)
def test_an_entity_linked_to_two_occurrences(projector):
    # Paul sleeps -> Paul , il dort , Paul: [0,1) = [5,6) = 2*1/(1+1) = 1, [0,6) = 2*2/(1+6) = 4/7
    entity, links = [Span(0, 1, "PER")], linked("0-0 0-5 1-3", 2, 6)
    assert len(project(projector(), entity, links).spans) == 1
    assert placed(project(GreedyMethod(), entity, links)) == [(0, 1, "PER")]
    twice = project(projector(n_proj=2), entity, links)
    assert twice.spans == supported(projector(), (0, 1, "PER", 1.0), (5, 6, "PER", 1.0))
    # there is no third place
    assert project(projector(n_proj=3, exactly=True), entity, links) == twice


@pytest.mark.parametrize("projector", CANDIDATES, ids=name)
def test_adjacent_occurrences_are_one_span(projector):
    # one word linked to 0 and 1: [0,1) = 2*1/(1+1) = 1, [0,2) = 2*2/(1+2) = 4/3
    found = project(projector(), [Span(0, 1, "PER")], linked("0-0 0-1", 1, 2))
    assert found.spans == supported(projector(), (0, 2, "PER", 1.0))
    assert found.raw_scores == (4 / 3,)


@pytest.mark.parametrize("method", METHODS, ids=name)
def test_repeated_names_land_on_their_own_occurrences(method):
    # Paul met Paul and Paul: same text, three people; links one to one, order changed
    pauls = [Span(0, 1, "first"), Span(2, 3, "second"), Span(4, 5, "third")]
    links = linked("0-4 1-1 2-0 3-3 4-2", 5, 5)
    found = project(method, pauls, links)
    assert placed(found) == [(0, 1, "second"), (2, 3, "third"), (4, 5, "first")]
    assert {span.score for span in found.spans} == {method.max_confidence()}


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # A's [0,3) = 2*2/(2+3) = 4/5 would cover B's word, and B's 1 comes first: A gets 2/3
        (GreedyMethod(), [(0, 1, "A"), (1, 2, "B")]),
        # 1 + 2/3 is the optimum too, at either end of A
        (ExactMethod(), [(0, 1, "A"), (1, 2, "B")]),
        (ExactMethod(n_proj=2), [(0, 1, "A"), (1, 2, "B"), (2, 3, "A")]),
        # B is shorter and keeps word 1; the piece [0,3) that A's links merge to is lost
        (HeuristicMethod(), [(1, 2, "B")]),
        # nothing merged: each piece stands, B between A's two
        (
            HeuristicMethod(0, length_ratio=None, top_k=None),
            [(0, 1, "A"), (1, 2, "B"), (2, 3, "A")],
        ),
    ],
    ids=lambda item: getattr(item, "describe", lambda: "")(),
)
def test_links_with_another_entity_in_their_gap(method, expected):
    # A, two words, linked 0-0 1-2; B, one word, linked 2-1
    entities, links = [Span(0, 2, "A"), Span(2, 3, "B")], linked("0-0 1-2 2-1", 3, 3)
    found = placed(project(method, entities, links))
    if isinstance(method, ExactMethod) and method.solve.n_proj == 1:
        assert found in (expected, [(1, 2, "B"), (2, 3, "A")])
    else:
        assert found == expected


@pytest.mark.parametrize("projector", CANDIDATES, ids=name)
def test_longest_candidate(projector):
    # words 0 1 2 3 linked one to one: [0,4) = 1; of two words 2*2/(4+2) = 2/3, of one 2/5
    entity, links = [Span(0, 4, "X")], linked("0-0 1-1 2-2 3-3", 4, 4)
    assert placed(project(projector(), entity, links)) == [(0, 4, "X")]
    (found,) = project(projector(max_words=2), entity, links).spans
    assert found.end - found.start == 2
    assert (found,) == supported(projector(), (*found[:3], (2 + 2) / (4 + 2)))


@pytest.mark.parametrize("projector", CANDIDATES, ids=name)
def test_abstaining(projector):
    # the span of score 4/5 of the first test, and an entity of score 1: a score must exceed the
    # least one
    entities, links = [Span(1, 3, "ORG"), Span(3, 4, "X")], linked("1-3 2-1 3-4", 4, 5)
    found = project(projector(min_score=0.79), entities, links)
    assert placed(found) == [(1, 4, "ORG"), (4, 5, "X")]
    assert found.raw_scores == pytest.approx((4 / 5, 1.0))
    found = project(projector(min_score=0.8), entities, links)
    assert found.spans == supported(projector(), (4, 5, "X", 1.0))
    assert found.dropped == ((entities[0], BELOW),)


@pytest.mark.parametrize("projector", CANDIDATES, ids=name)
def test_what_is_below_the_least_score_blocks_nothing(projector):
    # A, five words, one link: [0,1) = 2*1/(5+1) = 1/3; B, one word, two links: [0,1) = 2*1/(1+1) =
    # 1, [0,3) = 2*2/(1+3) = 1, [2,3) = 1; a longer candidate of A cannot take B's word away
    entities, links = [Span(0, 5, "A"), Span(5, 6, "B")], linked("0-0 5-0 5-2", 6, 3)
    found = project(projector(), entities, links)
    assert len(found.spans) == 2 - (projector is GreedyMethod)
    found = project(projector(min_score=0.5), entities, links)
    assert placed(found) == [(0, 1, "B")]
    assert found.dropped == ((entities[0], BELOW),)


def test_the_least_score_counts_in_the_choice():
    # the two entities of test_competing_entities: together they are worth 2/3 + 2/3 > 1, but each
    # exceeds .5 by 1/6 only, and A whole by 1/2
    entities, links = [Span(0, 2, "A"), Span(2, 4, "B")], linked("0-0 1-1 2-1", 4, 2)
    found = project(ExactMethod(min_score=0.5), entities, links)
    assert placed(found) == [(0, 2, "A")]
    assert found.raw_scores == (1.0,)
    assert found.dropped == ((entities[1], LOST),)  # it has a candidate
    found = project(ExactMethod(min_score=0.7), entities, links)
    assert found.dropped == ((entities[1], BELOW),)


def test_one_of_two_projections_below_the_least_score():
    # A, two words, linked 0-0 1-1 1-4: [0,2) = 1, [4,5) = 2*1/(2+1) = 2/3
    entity, links = [Span(0, 2, "A")], linked("0-0 1-1 1-4", 2, 5)
    found = project(GreedyMethod(n_proj=2), entity, links)
    assert placed(found) == [(0, 2, "A"), (4, 5, "A")]
    assert found.origins == (entity[0], entity[0])
    found = project(GreedyMethod(n_proj=2, min_score=0.7), entity, links)
    assert placed(found) == [(0, 2, "A")]
    assert found.dropped == ()


@pytest.mark.parametrize("method", METHODS, ids=name)
@pytest.mark.parametrize("n_target", [0, 2])
def test_without_links(method, n_target):
    entities = [Span(0, 1, "A"), Span(1, 2, "B")]
    found = project(method, entities, linked("", 2, n_target))
    assert found.spans == ()
    assert found.dropped == ((entities[0], NO_LINK), (entities[1], NO_LINK))
    assert project(method, [], linked("0-0", 1, 1)).dropped == ()


@pytest.mark.parametrize("method", METHODS, ids=name)
def test_nested_source_spans(method):
    # New York City inside New York City Council, in any order; links one to one
    entities, links = [Span(0, 3, "LOC"), Span(0, 4, "ORG")], linked("0-0 1-1 2-2 3-3", 4, 4)
    for given in (entities, entities[::-1]):
        assert placed(project(method, given, links)) == [(0, 4, "ORG"), (0, 3, "LOC")]


@pytest.mark.parametrize("method", METHODS, ids=name)
def test_three_layers_and_two_labels(method):
    # a b c d: X [0,4) around Y [1,4) around Z [2,3), which is W too; reordered, each in the other
    spans = [Span(0, 4, "X"), Span(1, 4, "Y"), Span(2, 3, "Z"), Span(2, 3, "W")]
    found = project(method, spans, linked("0-3 1-2 2-0 3-1", 4, 4))
    assert placed(found) == [(0, 4, "X"), (0, 3, "Y"), (0, 1, "Z"), (0, 1, "W")]
    assert found.origins == tuple(spans)
    assert {span.score for span in found.spans} == {method.max_confidence()}


@pytest.mark.parametrize("method", METHODS, ids=name)
def test_an_inner_span_lies_inside_if_it_can(method):
    # outer [0,2) -> words 0 1; the inner word 1 is linked to 1 and, wrongly, to 4
    outer, inner = Span(0, 2, "ORG"), Span(1, 2, "LOC")
    found = project(method, [outer, inner], linked("0-0 1-1", 2, 5))
    assert placed(found) == [(0, 2, "ORG"), (1, 2, "LOC")]
    found = project(method, [outer, inner], linked("0-0 1-1 1-4", 2, 5))
    assert placed(found) == [(0, 2, "ORG"), (1, 2, "LOC")]


def test_an_inner_span_that_has_no_word_inside_stands_alone():
    # outer: three words, of which two are linked to 0 1; the third, inner, to 5:
    # [0,2) = 2*2/(3+2) = 4/5 > [0,6) = 2*3/(3+6) = 2/3
    spans = [Span(0, 3, "ORG"), Span(2, 3, "LOC")]
    found = project(GreedyMethod(), spans, linked("0-0 1-1 2-5", 3, 6))
    assert placed(found) == [(0, 2, "ORG"), (5, 6, "LOC")]
    # without any place for the outer one, the inner one keeps its own
    found = project(GreedyMethod(min_score=0.9), spans, linked("2-5", 3, 6))
    assert placed(found) == [(5, 6, "LOC")]
    assert found.dropped == ((spans[0], BELOW),)


def test_crossing_source_spans():
    # A [0,2) and B [1,3) share word 1; links one to one
    entities, links = [Span(1, 3, "B"), Span(0, 2, "A")], linked("0-0 1-1 2-2", 3, 3)
    # both are worth 1 whole; A is first, B keeps its other word
    assert placed(project(GreedyMethod(), entities, links)) == [(0, 2, "A"), (2, 3, "B")]
    # equally long, so the first keeps the shared word, and B's one piece is lost
    assert placed(project(HeuristicMethod(), entities, links)) == [(0, 2, "A")]
