"""The sample that is learned from: the same for every runner, spread over the input."""

from hypothesis import given
from hypothesis import strategies as st

from spanbridge.run.sample import BLOCK, FIT_ROWS, MIN_BLOCKS, sampled, sampled_of_each

LIMITS = st.one_of(st.integers(1, 600), st.sampled_from([BLOCK, 2 * BLOCK - 1, FIT_ROWS]))


@given(total=st.integers(0, 20_000), limit=LIMITS)
def test_a_sample(total, limit):
    blocks = sampled(total, limit)
    if total <= limit:
        assert [n for block in blocks for n in block] == list(range(total))
        return
    (size,) = {len(block) for block in blocks}
    assert 1 <= size <= BLOCK
    assert len(blocks) == limit // size >= min(limit, MIN_BLOCKS)
    assert limit - size < sum(map(len, blocks)) <= limit
    assert blocks[0].start == 0
    assert blocks[-1].stop <= total
    for before, after in zip(blocks, blocks[1:], strict=False):
        assert before.stop <= after.start


@given(total=st.integers(1, 20_000), limit=LIMITS)
def test_its_blocks_are_spread_evenly(total, limit):
    """From the start of each to the next, the distance differs by one at most."""
    starts = [block.start for block in sampled(total, limit)]
    distances = [after - before for before, after in zip(starts, starts[1:], strict=False)]
    assert max(distances, default=0) - min(distances, default=0) <= 1


@given(sizes=st.lists(st.integers(0, 900), max_size=40), limit=LIMITS)
def test_shards_have_the_same_rows_between_them(sizes, limit):
    rows, first = [], 0
    found = sampled_of_each(sizes, limit)
    for k, size in enumerate(sizes):
        own = [n for part in found.get(k, ()) for n in part]
        assert all(0 <= n < size for n in own)
        rows += [first + n for n in own]
        first += size
    assert rows == [n for block in sampled(sum(sizes), limit) for n in block]
