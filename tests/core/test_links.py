"""Word alignments: checked, sorted, each link once with its best score."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment

SIZES = st.tuples(st.integers(1, 8), st.integers(1, 8))


@st.composite
def alignments(draw):
    """Links in any order and with repetitions, and both lengths."""
    n, m = draw(SIZES)
    one = st.tuples(st.integers(0, n - 1), st.integers(0, m - 1))
    return draw(st.lists(one, max_size=20)), n, m


@given(alignments(), st.randoms())
def test_of_sorts_and_keeps_the_best_score(alignment, rng):
    pairs, n, m = alignment
    scores = [rng.random() for _ in pairs]
    links = WordAlignment.of(iter(pairs), n, m, iter(scores))
    assert list(links.pairs) == sorted(set(pairs))
    best = {pair: max(s for p, s in zip(pairs, scores, strict=True) if p == pair) for pair in pairs}
    assert links.scores == tuple(best[pair] for pair in links.pairs)
    assert (links.n_source, links.n_target) == (n, m)
    assert WordAlignment.of(pairs, n, m).scores is None


@given(alignments(), st.integers(0, 9), st.integers(0, 9))
def test_from_source_is_a_filter(alignment, start, end):
    links = WordAlignment.of(*alignment)
    expected = tuple((i, j) for i, j in links.pairs if start <= i < end)
    assert links.from_source(start, end) == expected


@given(alignments(), st.randoms())
def test_reversed_swaps_sides_and_keeps_scores(alignment, rng):
    pairs, n, m = alignment
    links = WordAlignment.of(pairs, n, m, [rng.random() for _ in pairs])
    back = links.reversed()
    assert (back.n_source, back.n_target) == (m, n)
    swapped = {(j, i): s for (i, j), s in zip(links.pairs, links.scores, strict=True)}
    assert dict(zip(back.pairs, back.scores, strict=True)) == swapped
    assert list(back.pairs) == sorted(swapped)
    assert back.reversed() == links


def test_reversed_without_scores():
    links = WordAlignment.of([(0, 1), (1, 0)], 2, 3).reversed()
    assert links == WordAlignment(((0, 1), (1, 0)), 3, 2)


@pytest.mark.parametrize("link", [(-1, 0), (0, -1), (2, 0), (0, 3), (5, 5)])
def test_a_link_outside_is_named(link):
    with pytest.raises(SpanbridgeError, match=rf"link {link[0]}-{link[1]} lies outside .* 2 and 3"):
        WordAlignment.of([(0, 0), link, (1, 2)], 2, 3)


def test_an_empty_side_takes_no_links():
    assert WordAlignment.of([], 0, 5, []) == WordAlignment((), 0, 5, ())
    with pytest.raises(SpanbridgeError, match="outside"):
        WordAlignment.of([(0, 0)], 0, 5)


@pytest.mark.parametrize("scores", [[], [0.5], [0.5, 0.5, 0.5]])
def test_one_score_a_link(scores):
    with pytest.raises(SpanbridgeError, match=f"2 links have {len(scores)} scores"):
        WordAlignment.of([(0, 0), (1, 1)], 2, 2, scores)
