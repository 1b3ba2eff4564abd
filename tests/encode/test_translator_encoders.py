"""Encoders of NLLB-200 and M2M-100 against transformers' own, with the tokens of languages."""

import json
import shutil

import numpy as np
import pytest
import tiny_translators
import torch
from safetensors.numpy import load_file
from transformers import AutoModel, AutoTokenizer

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.encode import load_encoder
from spanbridge.encode.checkpoint import Checkpoint

WORDS = "the president of Berlin said que la reunión".split()


@pytest.fixture(scope="session")
def translators(tmp_path_factory):
    root = tmp_path_factory.mktemp("translators")
    return {kind: tiny_translators.save_encoder(root / kind, kind) for kind in ("nllb", "m2m")}


CODES = {"nllb": {"en": "eng_Latn", "es": "spa_Latn"}, "m2m": {"en": "en", "es": "es"}}


@pytest.mark.parametrize("layer", [1, 2])
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", ["nllb", "m2m"])
def test_states(translators, kind, language, layer):
    """Of the last layer, the norm at the end is part; of the others, it is not."""
    folder = translators[kind]
    tokenizer = AutoTokenizer.from_pretrained(folder, src_lang=CODES[kind][language])
    model = AutoModel.from_pretrained(folder).get_encoder().eval()
    pieces = [tokenizer.tokenize(word) for word in WORDS]
    ids = tokenizer.convert_tokens_to_ids([piece for word in pieces for piece in word])
    first, last = tokenizer("the").input_ids[0], tokenizer("the").input_ids[-1]
    assert last == tokenizer.eos_token_id
    with torch.no_grad():
        output = model(torch.tensor([[first, *ids, last]]), output_hidden_states=True)
    expected = output.hidden_states[layer][0, 1:-1].numpy()
    encoder = load_encoder(
        str(folder), layer=layer, compute_type="float32", threads=1, joined=False
    )
    found = encoder.in_language(language).encode([WORDS])[0]
    np.testing.assert_allclose(found.states, expected, rtol=1e-4, atol=1e-4)
    assert found.first.tolist() == [n for n, word in enumerate(pieces) for _ in word]
    other = encoder.in_language("es" if language == "en" else "en").encode([WORDS])[0]
    assert np.abs(other.states - expected).max() > 1e-3


def test_positions_are_those_of_transformers(translators):
    model = AutoModel.from_pretrained(translators["m2m"]).get_encoder()
    theirs = model.embed_positions.get_embedding(200, 16, 1).numpy()
    ours = Checkpoint(translators["m2m"]).weights().tensor("positions")
    np.testing.assert_allclose(ours, theirs[2 : 2 + len(ours)], rtol=0, atol=1e-5)


def test_languages(translators, tiny):
    encoder = load_encoder(str(translators["nllb"]), threads=1)
    with pytest.raises(SpanbridgeError, match="the encoder does not know got; it knows: ace_Arab"):
        encoder.in_language("got")
    with pytest.raises(SpanbridgeError, match="this encoder has no tokens of languages"):
        load_encoder(str(tiny("bert")), threads=1).in_language("en")
    with pytest.raises(SpanbridgeError, match="no tokens of languages"):
        load_encoder(threads=1).in_language("en")


def test_the_fingerprint_holds_the_files_of_the_tokenizer(translators, tmp_path):
    folder = shutil.copytree(translators["m2m"], tmp_path / "m2m")
    before = Checkpoint(folder).fingerprint()
    path = folder / "special_tokens_map.json"
    path.write_text(path.read_text() + " ")
    assert Checkpoint(folder).fingerprint() != before


def test_damaged_tokenizers_are_refused(translators, tmp_path):
    folder = shutil.copytree(translators["m2m"], tmp_path / "m2m")

    def refused(name, text, why):
        kept = (folder / name).read_bytes()
        (folder / name).write_text(text)
        with pytest.raises(InputError, match=why):
            load_encoder(str(folder), threads=1)
        (folder / name).write_bytes(kept)

    refused("vocab.json", '{"a": 5}', "does not number pieces by the")
    refused("vocab.json", '{"a": []}', "does not number pieces by the")
    many = json.dumps({"additional_special_tokens": ["__en__"] * 5000})
    refused("special_tokens_map.json", many, "has more tokens than the")
    refused("special_tokens_map.json", '{"additional_special_tokens": [{}]}', "is not as M2M-100")
    refused("sentencepiece.bpe.model", "<html>", r"sentencepiece\.bpe\.model: cannot be used")
    (folder / "vocab.json").unlink()
    with pytest.raises(InputError, match=r"has no tokenizer\.json"):
        load_encoder(str(folder), threads=1)


def test_tied_embeddings_have_several_names(translators):
    """What transformers writes of them is read, whatever it is called."""
    [name] = [n for n in load_file(translators["nllb"] / "model.safetensors") if "shared" in n]
    assert name.endswith("shared.weight")
