"""The aligners as published against the packages of their authors, on the same checkpoints."""

import random
from itertools import chain

import pytest
import simalign
import tiny_checkpoints
import torch
from awesome_align import modeling
from awesome_align.configuration_bert import BertConfig
from safetensors.torch import load_file
from transformers import AutoTokenizer

from spanbridge.alignment.published import Awesome, SimAlign
from spanbridge.core.errors import SpanbridgeError

LAYER = 2
# also words of a script without spaces, which both split one by one
WORDS = " ".join(tiny_checkpoints.SENTENCES[:5]).split() + list("北京天")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint of mBERT's architecture."""
    place = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPANBRIDGE_CACHE", str(place / "cache"))
        yield tiny_checkpoints.save(place / "bert", "bert")


@pytest.fixture
def pairs(pair):
    rng = random.Random(3)
    return [pair(*(rng.choices(WORDS, k=rng.randint(1, 9)) for _ in "st")) for _ in range(20)]


@pytest.mark.parametrize(
    ("extraction", "method"),
    [(None, "itermax"), ("itermax", "itermax"), ("argmax", "inter"), ("match", "mwmf")],
)
def test_simalign(folder, pairs, extraction, method):
    theirs = simalign.SentenceAligner(str(folder), "bpe", matching_methods="ami", layer=LAYER)
    ours = SimAlign(str(folder), extraction, layer=LAYER, threads=1)
    for one, found in zip(pairs, ours.align(pairs), strict=True):
        sides = list(one.source.words), list(one.target.words)
        assert list(found.pairs) == theirs.get_word_aligns(*sides)[method]


@pytest.fixture(scope="module")
def awesome_align(folder):
    """Links of the package awesome-align, one pair at a time, as its program finds them."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PAD", "CLS", "SEP"):
            patch.setattr(modeling, f"{name}_ID", getattr(tokenizer, f"{name.lower()}_token_id"))
        model = modeling.BertForMaskedLM(BertConfig.from_json_file(str(folder / "config.json")))
        weights = load_file(folder / "model.safetensors")
        own = {key.removeprefix("bert."): value for key, value in weights.items()}
        assert not model.bert.load_state_dict(own, strict=False).missing_keys
        model.eval()

        def ids(words):
            found = [tokenizer.convert_tokens_to_ids(tokenizer.tokenize(word)) for word in words]
            whole = [tokenizer.cls_token_id, *chain(*found), tokenizer.sep_token_id]
            return torch.tensor([whole]), [n for n, word in enumerate(found) for _ in word]

        def links(one, extraction):
            source, target = ids(one.source.words), ids(one.target.words)
            [found] = model.get_aligned_word(
                *(source[0], target[0], [source[1]], [target[1]], "cpu", 0, 0),
                align_layer=LAYER,
                extraction=extraction,
                softmax_threshold=0.001,
                test=True,
            )
            return sorted(found)

        yield links


@pytest.mark.parametrize(("extraction", "theirs"), [(None, "softmax"), ("entmax", "entmax15")])
def test_awesome(folder, pairs, awesome_align, extraction, theirs):
    ours = Awesome(str(folder), extraction, layer=LAYER, threads=1)
    n_links = 0
    for one, found in zip(pairs, ours.align(pairs), strict=True):
        assert list(found.pairs) == awesome_align(one, theirs)
        n_links += len(found.pairs)
    assert n_links > 2 * len(pairs)


def test_the_extractions_of_the_other_are_refused(folder):
    with pytest.raises(SpanbridgeError, match="no extraction is named 'softmax'"):
        SimAlign(str(folder), "softmax", layer=LAYER)
    with pytest.raises(SpanbridgeError, match="no extraction is named 'itermax'"):
        Awesome(str(folder), "itermax", layer=LAYER)
