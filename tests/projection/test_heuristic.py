"""The heuristic's settings, worked by hand.

Sources: García-Ferrero, Agerri and Rigau (2022), section 3.3; arXiv 2501.18750, section 3.2.
"""

import pytest
from project_instances import linked, placed, project, supported

from spanbridge.core.spans import Span
from spanbridge.projection.heuristic import HeuristicMethod
from spanbridge.projection.method import LOST


def pieces(links, n_source=2, n_target=12, **settings):
    """Where one entity of all source words goes."""
    method = HeuristicMethod(**{"length_ratio": None, "top_k": None} | settings)
    found = project(method, [Span(0, n_source, "X")], linked(links, n_source, n_target))
    return [(span.start, span.end) for span in found.spans]


@pytest.mark.parametrize(
    ("links", "distance", "expected"),
    [
        # linked words 0 and 2, one word between
        ("0-0 1-2", 0, [(0, 1), (2, 3)]),
        ("0-0 1-2", 1, [(0, 3)]),
        # two words between
        ("0-0 1-3", 1, [(0, 1), (3, 4)]),
        ("0-0 1-3", 2, [(0, 4)]),
        # adjacent words are one piece at any distance, in either order
        ("0-1 1-0", 0, [(0, 2)]),
        # gaps of 1 and 2: the distance counts from piece to piece
        ("0-0 1-2 0-5", 1, [(0, 3), (5, 6)]),
        ("0-0 1-2 0-5", 2, [(0, 6)]),
    ],
)
def test_merge_distance(links, distance, expected):
    assert pieces(links, merge_distance=distance) == expected


@pytest.mark.parametrize(
    ("n_linked", "ratio", "kept"),
    [
        (4, 0.8, False),  # 4/5 is 0.8, not more
        (4, 0.79, True),
        (5, 0.8, True),
        (5, 1.0, False),
        (6, 1.0, True),  # a piece may be longer than its entity
        (1, 0.2, False),
        (1, 0.0, True),
        (1, None, True),
    ],
)
def test_length_ratio_must_be_exceeded(n_linked, ratio, kept):
    links = " ".join(f"{min(j, 4)}-{j}" for j in range(n_linked))
    assert pieces(links, 5, length_ratio=ratio) == ([(0, n_linked)] if kept else [])


def test_a_span_lost_to_the_ratio_says_so():
    found = project(HeuristicMethod(), [Span(0, 2, "X")], linked("0-0", 2, 1))
    assert found.dropped == ((Span(0, 2, "X"), LOST),)


def test_the_ratio_counts_merged_pieces():
    # two single words of 1/2 each, together [0,3) with 3/2
    assert pieces("0-0 1-2", length_ratio=0.8, merge_distance=0) == []
    assert pieces("0-0 1-2", length_ratio=0.8, merge_distance=1) == [(0, 3)]


@pytest.mark.parametrize(
    ("top_k", "expected"),
    [(1, [(6, 9)]), (2, [(2, 4), (6, 9)]), (None, [(0, 1), (2, 4), (6, 9), (11, 12)])],
)
def test_top_k_longest_pieces(top_k, expected):
    # pieces of 1, 2, 3 and 1 words
    links = "0-0 0-2 1-3 0-6 1-7 1-8 0-11"
    assert pieces(links, merge_distance=0, top_k=top_k) == expected


def test_of_equally_long_pieces_the_first_is_kept():
    assert pieces("0-3 1-0", merge_distance=0, top_k=1) == [(0, 1)]


@pytest.mark.parametrize(
    ("links", "rule", "expected"),
    [
        # New York , New York: the first word is linked to 0 and 3, the gap of 1 would be merged
        ("0-0 1-1 0-3 1-4", False, [(0, 5)]),
        ("0-0 1-1 0-3 1-4", True, [(0, 2), (3, 5)]),
        # York New: adjacent words are one piece, whichever comes first
        ("1-0 0-1", True, [(0, 2)]),
        # York , New: the piece after the gap begins with the first word
        ("1-0 0-2", False, [(0, 3)]),
        ("1-0 0-2", True, [(0, 1), (2, 3)]),
        # New , York: it does not
        ("0-0 1-2", True, [(0, 3)]),
    ],
)
def test_first_word_rule(links, rule, expected):
    assert pieces(links, merge_distance=1, first_word_rule=rule) == expected


def test_the_rule_looks_at_the_entitys_own_first_word():
    # of the entity [1,3), word 1 is the first; word 0 has nothing to do with it
    method = HeuristicMethod(1, None, None, first_word_rule=True)
    found = project(method, [Span(1, 3, "X")], linked("0-3 1-0 2-1 1-3", 3, 4))
    assert [span[:2] for span in found.spans] == [(0, 2), (3, 4)]


def test_the_shorter_entity_keeps_a_word_that_two_claim():
    # long, three words, linked to 0 1 2; short, one word, linked to 2
    entities, links = [Span(0, 3, "long"), Span(3, 4, "short")], linked("0-0 1-1 2-2 3-2", 4, 4)
    found = project(HeuristicMethod(), entities, links)
    assert placed(found) == [(2, 3, "short")]
    assert found.dropped == ((entities[0], LOST),)
    # a piece is kept or lost whole; another piece of the same entity may still stand
    links = linked("0-0 1-1 2-3 3-3", 4, 4)
    found = project(HeuristicMethod(0, None, None), entities, links)
    assert placed(found) == [(0, 2, "long"), (3, 4, "short")]


def test_of_equally_long_entities_the_first_keeps_the_word():
    entities = [Span(1, 2, "second"), Span(0, 1, "first")]
    found = project(HeuristicMethod(), entities, linked("0-0 1-0", 2, 1))
    assert placed(found) == [(0, 1, "first")]


def test_confidence_counts_linked_words():
    # [0,3) with word 1 unlinked: 2 of 2 source words and 2 of 3 target words
    method = HeuristicMethod()
    found = project(method, [Span(0, 2, "X")], linked("0-0 1-2", 2, 3))
    assert found.spans == supported(method, (0, 3, "X", (2 + 2) / (2 + 3)))
    # and it was chosen by its brevity
    assert found.raw_scores == (1 / 2,)
