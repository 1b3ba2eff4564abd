"""Agreement of annotators: worked by hand, and as scikit-learn's formula has it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Sentence, Span
from spanbridge.evaluation import agreement

WORDS = tuple("abcdefghij")


def sentence(*spans: tuple[int, int, str]) -> Sentence:
    return Sentence(WORDS, tuple(Span(*span) for span in spans))


def test_worked_by_hand():
    """Ten words; A labels 4 and B 3 of them, 2 alike.

    Words: A = PER on 0, 1 and LOC on 5, 6; B = PER on 0, 1 and LOC on 5. Equal labels on 9 of 10.
    By chance: O .6 * .7, PER .2 * .2, LOC .2 * .1 = .48. Kappa = (.9 - .48) / .52. One span of two
    each is the same: F1 .5.
    """
    one = sentence((0, 2, "PER"), (5, 7, "LOC"))
    other = sentence((0, 2, "PER"), (5, 6, "LOC"))
    found = agreement([(one, other)], ("anna", "ben"))
    assert found.observed == pytest.approx(0.9)
    assert found.kappa == pytest.approx((0.9 - 0.48) / 0.52)
    assert found.f1 == 0.5
    assert (found.n_rows, found.n_equal, found.n_words) == (1, 0, 10)
    assert found.spans.per_label["PER"].f1 == 1
    assert "kappa 0.8077 on 10 words, of which 90.00% have equal labels" in found.table()
    assert "anna  ben" in found.table()


def test_equal_rows_agree_wholly_and_disjoint_ones_do_not():
    same = sentence((0, 2, "PER"))
    found = agreement([(same, same), (same, sentence((0, 2, "PER")))])
    assert (found.f1, found.kappa, found.n_equal) == (1, 1, 2)
    found = agreement([(sentence((0, 5, "A")), sentence((5, 10, "A")))])
    assert (found.f1, found.observed) == (0, 0)
    assert found.kappa == pytest.approx(-1)


def test_kappa_is_not_defined_where_nobody_labels_anything():
    found = agreement([(sentence(), sentence())])
    assert (found.kappa, found.observed, found.n_equal) == (None, 1, 1)
    assert "kappa not defined" in found.table()
    assert agreement([]).kappa is None


def test_words_that_were_cut_otherwise_are_split():
    text = "Ankara'da"
    one = Sentence((text,), (Span(0, 1, "LOC"),), text, ((0, 9),))
    other = Sentence(("Ankara", "'da"), (Span(0, 1, "LOC"),), text, ((0, 6), (6, 9)))
    found = agreement([(one, other)])
    assert (found.n_words, found.observed, found.f1) == (2, 0.5, 0)


def test_of_nested_spans_the_outer_one_counts_for_words():
    nested = sentence((0, 4, "ORG"), (0, 1, "LOC"))
    assert agreement([(nested, sentence((0, 4, "ORG")))]).kappa == 1
    assert agreement([(nested, sentence((0, 4, "ORG")))]).f1 == pytest.approx(2 / 3)


def test_other_words_are_refused():
    with pytest.raises(SpanbridgeError, match="gold has 10 words and predicted 1"):
        agreement([(sentence(), Sentence(("a",)))])


PLACES = st.tuples(st.integers(0, 8), st.integers(1, 2), st.sampled_from("AB"))
SIDES = st.lists(PLACES, max_size=3).map(
    lambda found: sentence(*{(a, a + n, label) for a, n, label in found})
)


@given(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=4))
def test_it_is_the_same_the_other_way_round(pairs):
    found = agreement(pairs)
    back = agreement([(other, one) for one, other in pairs])
    assert found.f1 == pytest.approx(back.f1)
    assert found.kappa == (None if back.kappa is None else pytest.approx(back.kappa))
    assert found.kappa is None or -1 <= found.kappa <= 1
    assert found.n_equal == back.n_equal
