"""Real data, and a tagger that knows nothing."""

import pytest


@pytest.fixture(autouse=True)
def needed(real_data, monkeypatch):
    """Real data for the benchmarks."""
    monkeypatch.setenv("SPANBRIDGE_DATA", str(real_data))


@pytest.fixture
def tagger(tiny_tagger):
    """The folder of a tagger that knows nothing."""
    return str(tiny_tagger("bert-tagger"))
