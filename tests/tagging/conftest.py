"""Where converted taggers go."""

import pytest


@pytest.fixture(autouse=True)
def tagger_cache(tmp_path_factory, monkeypatch):
    """Converted tiny taggers do not go to the user's cache."""
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path_factory.getbasetemp() / "tagger-cache"))
