"""Counts over a bitext: words, and what stands at the boundaries of spans."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import seldom
from soft_samples import labelled, pair

from spanbridge.projection.corpus_statistics import (
    EDGE,
    POSITIONS,
    CorpusStatistics,
    boundary_words,
)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 1, ["die", EDGE, "die", "stadt"]),
        (1, 2, ["stadt", "die", "stadt", "bonn"]),
        (1, 3, ["stadt", "die", "bonn", EDGE]),
        (0, 3, ["die", EDGE, "bonn", EDGE]),
    ],
)
def test_boundary_words(start, end, expected):
    found = boundary_words(["Die", "Stadt", "BONN"], start, end)
    assert [found[position] for position in POSITIONS] == expected


def test_words_are_counted_once_per_pair():
    statistics = CorpusStatistics()
    statistics.add_words(pair("The the cat", "Die die Katze"))
    statistics.add_words(pair("the dog", "der Hund"))
    assert statistics.n_pairs == 2
    assert statistics.source == Counter(the=2, cat=1, dog=1)
    assert statistics.target == Counter(die=1, katze=1, der=1, hund=1)


def test_spans_are_counted_by_their_boundaries():
    statistics = CorpusStatistics()
    statistics.add_spans(["In", "Bonn", "am", "Rhein"], [(1, 2, "LOC"), (3, 4, "LOC")])
    assert statistics.boundaries == {
        "first": Counter(bonn=1, rhein=1),
        "before": Counter({"in": 1, "am": 1}),
        "last": Counter(bonn=1, rhein=1),
        "after": Counter({"am": 1, EDGE: 1}),
    }


@seldom
@given(st.lists(labelled(n_spans=3), max_size=6), st.integers(0, 6))
def test_counts_of_parts_add_up(rows, cut):
    def counted(some):
        statistics = CorpusStatistics()
        for made, _ in some:
            statistics.add_words(made)
            statistics.add_spans(made.source.words, [span[:3] for span in made.source.spans])
        return statistics

    parts = counted(rows[:cut])
    parts.merge(counted(rows[cut:]))
    assert parts == counted(rows)
