"""The greedy method against the paper's algorithm written plainly (plain.py)."""

import plain
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import instances, linked, placed, project, without_inner

from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import Span
from spanbridge.core.tags import tags_from_spans
from spanbridge.projection.presets import GreedyMethod


def tags(method, spans, links):
    return tags_from_spans(project(method, spans, links).spans, links.n_target)


@pytest.mark.slow
@pytest.mark.parametrize("longest", [None, 3])
def test_every_europarl_sentence(europarl, longest):
    method = GreedyMethod(max_words=longest)
    for spans, links in europarl:
        expected = plain.greedy_tags(spans, links.pairs, links.n_target, longest)
        assert tags(method, spans, links) == expected


@given(instances(), st.none() | st.integers(1, 5))
def test_any_spans_and_links(instance, longest):
    spans, links = without_inner(instance[0]), instance[1]
    expected = plain.greedy_tags(spans, links.pairs, links.n_target, longest)
    assert tags(GreedyMethod(max_words=longest), spans, links) == expected


@given(st.integers(1, 5), st.integers(1, 7), st.booleans())
def test_nothing_but_ties(n_spans, n_target, everywhere):
    """One-word entities that all link to the same words: every choice is a choice among equals."""
    spans = [Span(i, i + 1, f"L{i}") for i in range(n_spans)]
    step = 1 if everywhere else 2
    pairs = [(i, j) for i in range(n_spans) for j in range(0, n_target, step)]
    links = WordAlignment.of(pairs, n_spans, n_target)
    assert tags(GreedyMethod(), spans, links) == plain.greedy_tags(spans, pairs, n_target)


def test_ties_go_to_the_first_entity_then_the_first_start_then_the_shorter():
    # both entities have one word, linked to words 1 and 3: four candidates of score 2*1/(1+1) = 1;
    # row-major: (A, 1), then (B, 3), since A's row and column 1 are used up
    links = linked("0-1 0-3 1-1 1-3", 2, 4)
    found = project(GreedyMethod(), [Span(0, 1, "A"), Span(1, 2, "B")], links)
    assert placed(found) == [(1, 2, "A"), (3, 4, "B")]
    # two words each, A linked to 1 2, B to 0 1: [1,3) = [0,2) = 1; A is first, though its candidate
    # starts later, and leaves B [0,1) = 2*1/(2+1) = 2/3
    found = project(
        GreedyMethod(), [Span(0, 2, "A"), Span(2, 4, "B")], linked("0-1 1-2 2-0 3-1", 4, 3)
    )
    assert placed(found) == [(0, 1, "B"), (1, 3, "A")]
    # two words, linked to 0 and 3: [0,1) = 2*1/(2+1) = 2/3 = [3,4) = 2*2/(2+4) = [0,4)
    found = project(GreedyMethod(), [Span(0, 2, "A")], linked("0-0 1-3", 2, 4))
    assert placed(found) == [(0, 1, "A")]
