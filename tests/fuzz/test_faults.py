"""A few cases of the harnesses that flip bits and kill."""

import pytest

from . import bitflips, kills


@pytest.mark.slow
def test_flipped_bits():
    found = bitflips.flips(140, seed=1)
    assert not [what for what in found if what.startswith("FAULT")]
    assert sum(found.values()) == 140


@pytest.mark.slow
def test_kills():
    found = list(kills.kills(13, seed=1))
    assert not [what for what in found if what.startswith("FAULT")]
