"""Candidates: scores as the paper's formula gives them, and the claim that tight ones suffice."""

import plain
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import instances, linked, often, seldom

from spanbridge import Span
from spanbridge.project.candidates import Candidate, alignment_options, support


def is_tight(span, start, end, links):
    return all(
        any(span.start <= i < span.end and j == edge for i, j in links) for edge in (start, end - 1)
    )


@often
@given(instances(), st.none() | st.integers(1, 5))
def test_options_are_the_tight_ngrams_with_the_papers_scores(instance, longest):
    spans, links = instance
    candidates = plain.ngrams(links.n_target, longest)
    scores = plain.score_matrix(spans, links.pairs, candidates)
    expected = [
        Candidate(row, start, end, scores[row, column])
        for row, span in enumerate(spans)
        for column, (start, end) in enumerate(candidates)
        if is_tight(span, start, end, links.pairs)
    ]
    assert alignment_options(spans, links, longest) == expected


@pytest.mark.parametrize(("k", "exactly"), [(1, False), (1, True), (2, False), (2, True)])
@seldom
@given(instances(n_target=6, n_spans=3), st.none() | st.integers(1, 3))
def test_tight_candidates_suffice(k, exactly, instance, longest):
    """The proof in candidates.py, by trying everything; no solver of the package takes part."""
    spans, links = instance
    candidates = plain.ngrams(links.n_target, longest)
    scores = plain.score_matrix(spans, links.pairs, candidates)
    tight = scores.copy()
    for row, span in enumerate(spans):
        for column, (start, end) in enumerate(candidates):
            tight[row, column] *= is_tight(span, start, end, links.pairs)
    best_of_all = plain.optimum(scores, candidates, k, exactly)
    assert plain.optimum(tight, candidates, k, exactly) == pytest.approx(best_of_all)


def test_scores_by_hand():
    # entity of 2 words, linked 0-0 0-2 1-2: word 0 has one link, word 1 none, word 2 two
    options = alignment_options([Span(0, 2, "X")], linked("0-0 0-2 1-2", 2, 4))
    assert options == [
        Candidate(0, 0, 1, 2 * 1 / (2 + 1)),
        Candidate(0, 0, 3, 2 * 3 / (2 + 3)),  # above 1: more links than words
        Candidate(0, 2, 3, 2 * 2 / (2 + 1)),
    ]


def test_support_by_hand():
    links = linked("0-0 0-2 1-2", 2, 4)
    entity = Span(0, 2, "X")
    assert support(entity, 0, 1, links) == (1 + 1) / (2 + 1)
    assert support(entity, 0, 3, links) == (2 + 2) / (2 + 3)
    assert support(entity, 2, 3, links) == (2 + 1) / (2 + 1)
    assert support(entity, 3, 4, links) == 0
