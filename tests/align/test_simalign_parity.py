"""Links equal the ``simalign`` package's on the same local checkpoint and layer (float32).

Sentences are in scripts with spaces: words of the others are tokenised together with their
neighbours here, on purpose, which simalign does not do.
"""

from __future__ import annotations

import pytest
import tiny_checkpoints
from simalign import SentenceAligner

from spanbridge.align.encoder import EncoderAligner
from spanbridge.core.spans import Sentence, SentencePair
from spanbridge.data.formats import read_labelled

METHODS = {"argmax": "inter", "itermax": "itermax", "match": "mwmf"}
LAYER = 2


@pytest.fixture(scope="module", params=["bert", "xlm-roberta", "distilbert"])
def checkpoint(request, tmp_path_factory):
    return tiny_checkpoints.save(tmp_path_factory.mktemp("simalign") / request.param, request.param)


@pytest.fixture
def check(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tmp_path))
    theirs = SentenceAligner(str(checkpoint), matching_methods="mai", layer=LAYER)

    def check(pairs):
        wanted = [
            theirs.get_word_aligns(list(pair.source.words), list(pair.target.words))
            for pair in pairs
        ]
        for extraction, name in METHODS.items():
            ours = EncoderAligner(
                str(checkpoint), extraction, layer=LAYER, compute_type="float32"
            ).align(pairs)
            assert [list(links.pairs) for links in ours] == [links[name] for links in wanted]
            assert all(links.pairs for links in ours)

    return check


def test_on_the_sentences_it_was_made_of(check):
    sides = [tuple(text.split()) for text in tiny_checkpoints.SENTENCES[:5]]
    check([SentencePair("", Sentence(a), Sentence(b)) for a in sides for b in sides])


def test_on_real_sentences(check, real_data):
    sides = (read_labelled(real_data / f"europarl-ner/{side}.dev.conll") for side in ("en", "de"))
    pairs = [SentencePair("", a, b) for a, b in zip(*sides, strict=True)]
    short = [pair for pair in pairs if len(pair.source.words) < 15 and len(pair.target.words) < 15]
    check(short[:40])
