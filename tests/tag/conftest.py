"""Tiny taggers, saved once a session."""

import pytest
import tiny_checkpoints

CLASSES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


@pytest.fixture(scope="session")
def tiny_tagger(tmp_path_factory):
    """``tiny_tagger(kind)``: the folder of a tiny token classifier."""
    root = tmp_path_factory.mktemp("taggers")
    saved = {}

    def get(kind, classes=tuple(CLASSES)):
        name = f"{kind}-{len(saved)}"
        if (kind, classes) not in saved:
            names = dict(enumerate(classes))
            numbers = {c: n for n, c in names.items()}
            made = tiny_checkpoints.save(root / name, kind, id2label=names, label2id=numbers)
            saved[kind, classes] = made
        return saved[kind, classes]

    return get


@pytest.fixture(autouse=True)
def tagger_cache(tmp_path_factory, monkeypatch):
    """Converted tiny taggers do not go to the user's cache."""
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path_factory.getbasetemp() / "tagger-cache"))
