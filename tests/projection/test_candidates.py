"""Candidates: tight ones with the paper's scores (arXiv 2501.18750, section 3.3), and near mass."""

import numpy as np
import plain
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import instances, linked, row_of, seldom
from soft_samples import hard, pair, soft_alignments

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Span
from spanbridge.projection.candidates import (
    MAX_BOUNDARIES,
    MAX_EXTENSION,
    MIN_MASS,
    MIN_SOFT,
    Candidate,
    Intervals,
    NearMass,
    Ngrams,
    TaggedSpans,
    TightNgrams,
    cumulate,
    support,
)
from spanbridge.projection.score_input import ScoreInput
from spanbridge.tagging.base import Tagged


def ranges(intervals):
    return list(zip(intervals.start.tolist(), intervals.end.tolist(), strict=True))


def is_tight(span, start, end, links):
    return all(
        any(span.start <= i < span.end and j == edge for i, j in links) for edge in (start, end - 1)
    )


# --- n-grams along hard links


@given(instances(), st.none() | st.integers(1, 5), st.sampled_from([0.0, 0.3, 2 / 3]))
def test_candidates_are_the_tight_ngrams_with_the_papers_scores(instance, longest, min_score):
    spans, links = instance
    ngrams = plain.ngrams(links.n_target, longest)
    scores = plain.score_matrix(spans, links.pairs, ngrams)
    tight = [
        Candidate(row, start, end, scores[row, column])
        for row, span in enumerate(spans)
        for column, (start, end) in enumerate(ngrams)
        if is_tight(span, start, end, links.pairs)
    ]
    generator = TightNgrams(longest)
    assert generator.candidates(spans, links, min_score) == [
        c._replace(score=c.score - min_score) for c in tight if c.score > min_score
    ]
    given_ = ScoreInput(*row_of(spans, links))
    for row, span in enumerate(spans):
        own = [(start, end) for entity, start, end, _ in tight if entity == row]
        assert ranges(generator.intervals(given_, span)) == own


@pytest.mark.parametrize(("k", "exactly"), [(1, False), (1, True), (2, False), (2, True)])
@seldom
@given(instances(n_target=6, n_spans=3), st.none() | st.integers(1, 3))
def test_tight_candidates_suffice(k, exactly, instance, longest):
    """The proof in candidates.py, by trying everything; no solver of the package takes part."""
    spans, links = instance
    ngrams = plain.ngrams(links.n_target, longest)
    scores = plain.score_matrix(spans, links.pairs, ngrams)
    tight = scores.copy()
    for row, span in enumerate(spans):
        for column, (start, end) in enumerate(ngrams):
            tight[row, column] *= is_tight(span, start, end, links.pairs)
    best_of_all = plain.optimum(scores, ngrams, k, exactly)
    assert plain.optimum(tight, ngrams, k, exactly) == pytest.approx(best_of_all)


def test_scores_by_hand():
    # entity of 2 words, linked 0-0 0-2 1-2: word 0 has one link, word 1 none, word 2 two
    links = linked("0-0 0-2 1-2", 2, 4)
    assert TightNgrams().candidates([Span(0, 2, "X")], links, 0.0) == [
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


@pytest.mark.parametrize(
    ("n_words", "longest", "expected"),
    [
        (3, 2, [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]),
        (2, 9, [(0, 1), (0, 2), (1, 2)]),
        (0, 5, []),
    ],
)
def test_all_ngrams(n_words, longest, expected):
    given_ = ScoreInput(*row_of([Span(0, 1, "X")], linked("", 1, n_words)))
    assert ranges(Ngrams(longest).intervals(given_, Span(0, 1, "X"))) == expected


def test_spans_of_a_tagger_and_all_within_them():
    """Each once, though the tagger's spans overlap; none without an opinion."""
    given_ = ScoreInput(*row_of([Span(0, 1, "X")], linked("", 1, 5)))
    assert ranges(TaggedSpans().intervals(given_, Span(0, 1, "X"))) == []
    given_ = ScoreInput(*row_of([Span(0, 1, "X")], linked("", 1, 5)))
    given_.opinion = Tagged(5, (Span(1, 3, "PER"), Span(2, 3, "LOC")))
    assert ranges(TaggedSpans().intervals(given_, Span(0, 1, "X"))) == [(1, 2), (1, 3), (2, 3)]


# --- near mass


def test_candidates_reach_two_words_beyond_the_mass():
    """One source word, at target word 4 of 9: r = 1 and p = 1 / length for all that hold it."""
    given_ = ScoreInput(pair("Bonn", "a b c d Bonn f g h i"), hard(1, 9, (0, 4)))
    expected = [(a, b + 1) for a in range(2, 5) for b in range(4, 7)]
    assert ranges(NearMass().intervals(given_, Span(0, 1, "LOC"))) == expected


@given(soft_alignments(n_target=12), st.data())
def test_candidates_hold_every_span_near_mass_that_has_some(found, data):
    n, m = found.forward.shape
    start = data.draw(st.integers(0, n - 1))
    end = data.draw(st.integers(start + 1, n))
    given_ = ScoreInput(pair("x " * n, "y " * m), found)
    candidates = ranges(NearMass().intervals(given_, Span(start, end, "L")))
    inside = range(start, end)
    heavy = [
        j
        for j in range(m)
        if max(found.forward[i, j] for i in inside) > MIN_MASS
        or sum(found.backward[i, j] for i in inside) > MIN_MASS
    ]
    near = [j for j in range(m) if any(abs(j - k) <= MAX_EXTENSION for k in heavy)]
    scores = {}
    for a, b in ((a, b + 1) for a in near for b in near if a <= b):
        r = found.forward[start:end, a:b].sum() / (end - start)
        p = found.backward[start:end, a:b].sum() / (b - a)
        scores[a, b] = 2 * r * p / (r + p) if r + p else 0
    surely = {place for place, score in scores.items() if score > MIN_SOFT + 1e-9}
    perhaps = {place for place, score in scores.items() if score > MIN_SOFT - 1e-9}
    assert candidates == sorted(set(candidates))
    assert surely <= set(candidates) <= perhaps


def test_many_candidates():
    """Of more words with mass than MAX_BOUNDARIES, those with most, here the first.

    L words have r = .02 L and p = 1; F = .04 L / (.02 L + 1) exceeds .12 from L = 4 on.
    """
    n = 300
    mass = SoftAlignment(np.full((1, n), 0.02), np.ones((1, n)))
    found = NearMass().intervals(ScoreInput(pair("x", "y " * n), mass), Span(0, 1, "L"))
    n_starts = MAX_BOUNDARIES - 4 + 1
    assert len(found) == n_starts * (n_starts + 1) // 2
    assert found.end.max() == MAX_BOUNDARIES
    assert (found.end - found.start).min() == 4


def test_sums():
    intervals = Intervals.of([(0, 1), (1, 3), (0, 3)])
    assert cumulate(np.array([1.0, 2.0, 4.0])).tolist() == [0, 1, 3, 7]
    assert intervals.sums(cumulate(np.array([1.0, 2.0, 4.0]))).tolist() == [1, 6, 7]
    assert len(Intervals.of([])) == 0


@pytest.mark.parametrize("generator", [Ngrams(3), TaggedSpans(), NearMass()])
def test_a_generator_without_a_score_brings_none(generator):
    assert generator.own_score == ""
    with pytest.raises(NotImplementedError, match=type(generator).__name__):
        generator.candidates([], linked("", 1, 1), 0.0)


@pytest.mark.parametrize("max_words", [0, -1])
def test_candidates_have_at_least_one_word(max_words):
    with pytest.raises(SpanbridgeError, match=f"max_words is {max_words}"):
        TightNgrams(max_words)
