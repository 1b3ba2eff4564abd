"""The hash table of cells against a dictionary."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spanbridge.alignment.cell_table import CellTable

numbers = st.lists(st.integers(0, 2**62) | st.integers(0, 40), max_size=60, unique=True)


@given(numbers, st.lists(st.integers(-3, 2**62) | st.integers(-3, 40), max_size=60))
def test_as_a_dictionary(some, others):
    known = {number: n for n, number in enumerate(some)}
    wanted = np.array([*some, *others], np.int64)
    expected = [known.get(number, len(some)) for number in wanted.tolist()]
    assert CellTable(np.array(some, np.int64)).find(wanted).tolist() == expected


def test_numbers_that_share_a_slot():
    """A thousand neighbours, then a thousand that differ in their highest bits only."""
    for some in (np.arange(1000), np.arange(1000) << 52):
        table = CellTable(some)
        assert table.find(some[::-1].copy()).tolist() == list(range(1000))[::-1]
        assert set(table.find(-1 - some).tolist()) == {1000}
