"""Europarl-NER dev with links of the embedded encoder."""

import pytest

from spanbridge import EncoderAligner, read_labelled, read_pairs


@pytest.fixture(scope="session")
def encoder():
    return EncoderAligner().encoder


@pytest.fixture(scope="session", params=["itermax", "argmax"])
def aligner(request, encoder):
    return EncoderAligner(encoder, request.param)


@pytest.fixture(scope="session", params=["de", "es"])
def europarl(request, real_data, aligner):
    """English to the other language and back: (source spans, links) of every sentence."""
    english, other = (real_data / "europarl-ner" / f"{x}.dev.conll" for x in ("en", request.param))
    pairs = list(read_pairs(english, other))
    links = aligner.align(pairs)
    forth = [(pair.source.spans, found) for pair, found in zip(pairs, links, strict=True)]
    gold = [sentence.spans for sentence in read_labelled(other)]
    back = [(spans, found.reversed()) for spans, found in zip(gold, links, strict=True)]
    assert len(forth) == len(back) == 400
    return forth + back
