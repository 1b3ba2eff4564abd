"""The input of scores: frequencies, boundary words, a tagger's probabilities, either alignment."""

from collections import Counter
from math import log, log1p, tanh

import numpy as np
import pytest
from project_instances import linked
from soft_samples import bitext, hard, pair

from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.projection.candidates import Intervals
from spanbridge.projection.corpus_statistics import EDGE, CorpusStatistics
from spanbridge.projection.score_input import LINK_SCORE, ScoreInput, TagProbabilities


def test_hard_links_as_a_soft_alignment():
    """Source word 0 has two links, and so has target word 1."""
    links = linked("0-0 0-1 1-1", 2, 2)
    given = ScoreInput(pair("a b", "x y"), links)
    assert given.links is links
    assert given.soft.forward.tolist() == [[0.5, 0.5], [0, 1]]
    assert given.soft.backward.tolist() == [[1, 0.5], [0, 0.5]]


def test_a_soft_alignment_as_hard_links():
    """Those whose geometric mean of both directions reaches LINK_SCORE, .45."""
    mass = np.array([[0.9, LINK_SCORE - 0.01], [0.1, LINK_SCORE + 0.01]])
    soft = SoftAlignment(mass, mass)
    given = ScoreInput(pair("a b", "x y"), soft)
    assert given.soft is soft
    assert given.links.pairs == ((0, 0), (1, 1))


def test_frequency_and_rarity():
    statistics = CorpusStatistics(8, Counter(the=4), Counter(die=8, katze=1))
    given = ScoreInput(pair("The cat", "Die Katze"), hard(2, 2, (0, 0), (1, 1)), statistics)
    assert given.frequency("source").tolist() == [4 / 8, 1 / 8]  # unseen words count as seen once
    assert given.frequency("target").tolist() == [8 / 8, 1 / 8]
    assert given.rarity("source") == pytest.approx([log1p(2), log1p(8)])
    assert given.rarity("target") == pytest.approx([log(2), log1p(8)])


def test_policy_by_hand():
    """(n - n') / (n + n') of 1 + counts: the closed form of tanh(log(n / n') / 2)."""
    statistics = CorpusStatistics(9)
    statistics.boundaries["first"].update(bonn=3)
    statistics.boundaries["before"].update({"die": 5, EDGE: 1})
    statistics.boundaries["last"].update(bonn=1)
    statistics.boundaries["after"].update({"die": 1, EDGE: 7})
    policy = ScoreInput(pair("x", "Die Bonn"), hard(1, 2, (0, 1)), statistics).boundary_policy
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
    left_out = ScoreInput(made, found, everything, own=own.boundaries).boundary_policy
    never = ScoreInput(made, found, without).boundary_policy
    voted = ScoreInput(made, found, everything).boundary_policy
    for side in ("start", "end"):
        assert left_out[side].tolist() == never[side].tolist()
    assert any(voted[side].tolist() != never[side].tolist() for side in ("start", "end"))


# two words; columns: O, then B, I, E, S of PER, then of LOC-x
PROBABILITIES = np.array(
    [[0.1, 0.5, 0.05, 0.05, 0.1, 0.1, 0.02, 0.03, 0.05], [0.2, 0, 0, 0.7, 0.1, 0, 0, 0, 0]]
)


def test_tags_by_hand():
    tags = TagProbabilities(PROBABILITIES, ["PER", "LOC-x"])
    # a span may start after O, E, S of any label; one may end before O, B, S; the edge is certain
    assert tags.closes == pytest.approx([log(0.1 + 0.08 + 0.15), log(0.2 + 0.7 + 0.1), 0])
    assert tags.opens == pytest.approx([log(0.1 + 0.6 + 0.15), log(0.2 + 0 + 0.1), 0])
    assert tags.inside("PER") == pytest.approx([0, log(0.7), log(0.7) + log(0.8)])
    # nothing is less probable than exp(-4)
    assert tags.inside("LOC-x") == pytest.approx([0, log(0.2), log(0.2) - 4])
    intervals = Intervals.of([(0, 1), (0, 2), (1, 2)])
    assert tags.borders("PER", intervals) == pytest.approx(
        [2 * log(0.1), log(0.5) + log(0.7), 2 * log(0.1)]
    )
    assert tags.borders("LOC-x", intervals) == pytest.approx([2 * log(0.05), log(0.1) - 4, -8])
    assert tags.knows("LOC-x")
    assert not tags.knows("LOC")
