"""What scores look at: candidates, counts over a bitext, and a tagger's probabilities."""

from collections import Counter
from math import log, log1p, tanh

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project_instances import often, seldom
from soft_samples import bitext, evidence, hard, labelled, pair

from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.project.view import (
    EDGE,
    LEAST_MASS,
    MAX_PLACES,
    PLACES,
    REACH,
    Candidates,
    CorpusStatistics,
    TagView,
    View,
    boundary_words,
    cumulate,
    digest,
)

DIGEST = 16640467941339881401


def ranges(candidates):
    return list(zip(candidates.start.tolist(), candidates.end.tolist(), strict=True))


@pytest.fixture
def view():
    """One source word, at target word 4 of 9."""
    return View(pair("Bonn", "a b c d Bonn f g h i"), hard(1, 9, (0, 4)))


def test_candidates_reach_two_words_beyond_the_mass(view):
    places = range(2, 7)
    expected = [(a, b + 1) for a in places for b in places if a <= b]
    assert ranges(view.candidates(0, 1)) == expected


@often
@given(evidence(n_target=12), st.data())
def test_candidates_hold_every_span_near_mass(found, data):
    n, m = found.forward.shape
    start = data.draw(st.integers(0, n - 1))
    end = data.draw(st.integers(start + 1, n))
    candidates = ranges(View(pair("x " * n, "y " * m), found).candidates(start, end))
    inside = range(start, end)
    heavy = [
        j
        for j in range(m)
        if max(found.forward[i, j] for i in inside) > LEAST_MASS
        or sum(found.backward[i, j] for i in inside) > LEAST_MASS
    ]
    near = [j for j in range(m) if any(abs(j - k) <= REACH for k in heavy)]
    assert candidates == [(a, b + 1) for a in near for b in near if a <= b]


def test_many_candidates():
    """Of more places than MAX_PLACES, those with most mass."""
    n = 300
    view = View(pair("x", "y " * n), SoftAlignment(np.full((1, n), 0.02), np.ones((1, n))))
    assert len(view.candidates(0, 1).start) == MAX_PLACES * (MAX_PLACES + 1) // 2


def test_sums_and_where():
    candidates = Candidates(np.array([0, 1, 0]), np.array([1, 3, 3]))
    assert cumulate(np.array([1.0, 2.0, 4.0])).tolist() == [0, 1, 3, 7]
    assert candidates.sums(cumulate(np.array([1.0, 2.0, 4.0]))).tolist() == [1, 6, 7]
    assert ranges(candidates.where(np.array([True, False, True]))) == [(0, 1), (0, 3)]


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
    assert [found[place] for place in PLACES] == expected


def test_words_are_counted_once_a_pair():
    statistics = CorpusStatistics()
    statistics.add_words(pair("The the cat", "Die die Katze"))
    statistics.add_words(pair("the dog", "der Hund"))
    assert statistics.n_pairs == 2
    assert statistics.source == Counter(the=2, cat=1, dog=1)
    assert statistics.target == Counter(die=1, katze=1, der=1, hund=1)


def test_spans_are_counted_by_their_boundaries():
    statistics = CorpusStatistics()
    statistics.add_spans(["In", "Bonn", "am", "Rhein"], [(1, 2, "LOC"), (3, 4, "LOC")])
    assert statistics.policy == {
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


def test_the_digest_is_the_same_in_every_run():
    """A fixed number: what is learned on one machine is applied on another."""
    assert digest(pair("In Bonn", "À Bonn")) == DIGEST
    others = [
        pair("In Bonn À", "Bonn"),
        pair("In", "Bonn À Bonn"),
        pair("in Bonn", "À Bonn"),
        pair("InBonn", "À Bonn"),
    ]
    assert len({digest(other) for other in others} | {DIGEST}) == 5
    # neither id nor labels count
    assert digest(pair("In Bonn", "À Bonn", [(1, 2, "LOC")], "other")) == DIGEST


def test_frequency_and_rarity():
    statistics = CorpusStatistics(8, Counter(the=4), Counter(die=8, katze=1))
    view = View(pair("The cat", "Die Katze"), hard(2, 2, (0, 0), (1, 1)), statistics)
    assert view.frequency("source").tolist() == [4 / 8, 1 / 8]  # unseen words count as seen once
    assert view.frequency("target").tolist() == [8 / 8, 1 / 8]
    assert view.rarity("source") == pytest.approx([log1p(2), log1p(8)])
    assert view.rarity("target") == pytest.approx([log(2), log1p(8)])


def test_policy_by_hand():
    """(n - n') / (n + n') of 1 + counts: the closed form of tanh(log(n / n') / 2)."""
    statistics = CorpusStatistics(9)
    statistics.policy["first"].update(bonn=3)
    statistics.policy["before"].update({"die": 5, EDGE: 1})
    statistics.policy["last"].update(bonn=1)
    statistics.policy["after"].update({"die": 1, EDGE: 7})
    policy = View(pair("x", "Die Bonn"), hard(1, 2, (0, 1)), statistics).policy
    assert policy["start"] == pytest.approx([(1 - 6) / 7, (4 - 1) / 5, (1 - 2) / 3])
    assert policy["end"] == pytest.approx([(1 - 2) / 3, (2 - 1) / 3, (1 - 8) / 9])
    assert policy["start"][0] == pytest.approx(tanh(0.5 * log(1 / 6)))


def test_a_pair_does_not_vote_for_itself():
    """Counted with everything and its own counts left out, or never counted: the same."""
    rows = [(made.target.words, [span[:3] for span in made.source.spans]) for made, _ in bitext(9)]
    rows = [
        (words, [s for s in spans if s[1] <= len(words)]) for words, spans in rows if len(words) > 1
    ]
    everything, without, own = CorpusStatistics(), CorpusStatistics(), CorpusStatistics()
    for n, (words, spans) in enumerate(rows):
        everything.add_spans(words, spans)
        (own if n == 0 else without).add_spans(words, spans)
    made = pair("x", " ".join(rows[0][0]))
    found = hard(1, len(rows[0][0]), (0, 0))
    left_out = View(made, found, everything, own=own.policy).policy
    never = View(made, found, without).policy
    voted = View(made, found, everything).policy
    for side in ("start", "end"):
        assert left_out[side].tolist() == never[side].tolist()
    assert any(voted[side].tolist() != never[side].tolist() for side in ("start", "end"))


# two words; columns: O, then B, I, E, S of PER, then of LOC-x
PROBABILITIES = np.array(
    [[0.1, 0.5, 0.05, 0.05, 0.1, 0.1, 0.02, 0.03, 0.05], [0.2, 0, 0, 0.7, 0.1, 0, 0, 0, 0]]
)


def test_tags_by_hand():
    tags = TagView(PROBABILITIES, ["PER", "LOC-x"])
    # a span may start after O, E, S of any label; one may end before O, B, S; the edge is certain
    assert tags.closes == pytest.approx([log(0.1 + 0.08 + 0.15), log(0.2 + 0.7 + 0.1), 0])
    assert tags.opens == pytest.approx([log(0.1 + 0.6 + 0.15), log(0.2 + 0 + 0.1), 0])
    assert tags.inside("PER") == pytest.approx([0, log(0.7), log(0.7) + log(0.8)])
    # nothing is less probable than exp(-4)
    assert tags.inside("LOC-x") == pytest.approx([0, log(0.2), log(0.2) - 4])
    candidates = Candidates(np.array([0, 0, 1]), np.array([1, 2, 2]))
    assert tags.borders("PER", candidates) == pytest.approx(
        [2 * log(0.1), log(0.5) + log(0.7), 2 * log(0.1)]
    )
    assert tags.borders("LOC-x", candidates) == pytest.approx([2 * log(0.05), log(0.1) - 4, -8])
    # of what is not O: .7 of .9 and all of .8; .2 of .9 and nothing
    assert tags.label_share("PER", 0, 2) == pytest.approx((log(7 / 9) + 0) / 2)
    assert tags.label_share("LOC-x", 0, 2) == pytest.approx((log(2 / 9) - 4) / 2)
    assert TagView(np.array([[1.0, 0, 0, 0, 0]]), ["A"]).label_share("A", 0, 1) == -4
    assert tags.knows("LOC-x")
    assert not tags.knows("LOC")
