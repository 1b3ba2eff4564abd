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
    # trainings are killed in tests/training; ``make fuzz`` kills all of them
    left = ("explain", "train", "evaluate", "compare")
    jobs = [job for job in kills.JOBS if job.name not in left]
    found = list(kills.kills(len(jobs), seed=1, jobs=jobs))
    assert not [what for what in found if what.startswith("FAULT")]
