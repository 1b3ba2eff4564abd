"""The whole encoder aligner against the package simalign, on the same checkpoints.

Sentences of scripts written without spaces are left out: there we split neighbours as one text, as
the encoder saw them in its training, and SimAlign splits every word on its own, so states differ.
"""

import json
import random

import pytest
import simalign
import tiny_checkpoints

from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.encode import load_encoder

LAYER = 2
METHODS = {"argmax": "inter", "match": "mwmf", "itermax": "itermax"}
N_PAIRS = 20


@pytest.fixture(scope="module", params=["bert", "roberta", "xlm-roberta"])
def both(request, tmp_path_factory):
    """The same checkpoint in both: SimAlign's aligner, and our encoder."""
    folder = tiny_checkpoints.save(tmp_path_factory.mktemp("parity") / request.param, request.param)
    reference = simalign.SentenceAligner(str(folder), "bpe", matching_methods="ami", layer=LAYER)
    return reference, load_encoder(str(folder), layer=LAYER, compute_type="float32", threads=2)


def assert_parity(both, pairs):
    reference, encoder = both
    sides = [(list(p.source.words), list(p.target.words)) for p in pairs]
    expected = [reference.get_word_aligns(*words) for words in sides]
    n_links = 0
    for extraction, method in METHODS.items():
        found = EncoderAligner(encoder, extraction).align(pairs)
        for ours, theirs in zip(found, expected, strict=True):
            assert list(ours.pairs) == theirs[method]
            n_links += len(ours.pairs)
    assert n_links > 3 * len(pairs)


def test_random_pairs(both, pair):
    rng = random.Random(7)
    words = " ".join(tiny_checkpoints.SENTENCES[:5]).split()
    pairs = [pair(*(rng.choices(words, k=rng.randint(1, 9)) for _ in "st")) for _ in range(N_PAIRS)]
    assert_parity(both, pairs)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["enfr", "roen"])
def test_real_pairs(both, pair, real_data, name):
    lines = (real_data / "alignment-gold" / f"{name}.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    pairs = [pair(row["source_tokens"], row["target_tokens"]) for row in rows]
    short = [p for p in pairs if 3 <= len(p.source.words) <= 8 and len(p.target.words) <= 8]
    assert len(short) >= N_PAIRS
    assert_parity(both, short[-N_PAIRS:])
