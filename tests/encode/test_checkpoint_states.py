"""States of Hugging Face checkpoints against transformers' own ``hidden_states``."""

import json

import numpy as np
import pytest
import safetensors.numpy
import tiny_checkpoints
import torch
from safetensors.torch import load_file, save_file
from tiny_checkpoints import KINDS, POSITIONS, SENTENCES, hidden_states

from spanbridge.encode import load_encoder
from spanbridge.encode.checkpoint import Checkpoint

# Scripts written without spaces are split differently on purpose; test_unspaced.py has those.
TEXTS = [
    *([words] for words in ("The", "Universität", "ﬁne", "🦊")),
    *(sentence.split() for sentence in SENTENCES[:5]),
    "The fox , the fox and « la zorra » : 1,000 лис .".split(),
    [*SENTENCES[0].split(), *SENTENCES[2].split()],
]


def states(folder, layer, words, **options):
    encoder = load_encoder(str(folder), layer=layer, compute_type="float32", threads=1, **options)
    return encoder.encode([words])[0]


def assert_equal_to_transformers(folder, layer, words):
    encoded = states(folder, layer, words)
    expected, places = hidden_states(folder, words, layer)
    assert encoded.first.tolist() == places
    assert encoded.last.tolist() == [place + 1 for place in places]
    assert encoded.n_words == len(words)
    np.testing.assert_allclose(encoded.states, expected, rtol=1e-4, atol=1e-4)
    return encoded.states


@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_states(tiny, kind, layer):
    for words in TEXTS:
        assert_equal_to_transformers(tiny(kind), layer, words)


def test_head_prefix_is_found(tiny):
    folder = tiny("bert-tagger")
    names = load_file(folder / "model.safetensors")
    assert "bert.embeddings.word_embeddings.weight" in names  # else the test above shows nothing
    assert "classifier.weight" in names


def test_shards(tiny):
    sharded = tiny("bert", shard_size="20KB")
    assert len(list(sharded.glob("*.safetensors"))) > 2
    words = SENTENCES[1].split()
    found = assert_equal_to_transformers(sharded, 3, words)
    np.testing.assert_array_equal(found, states(tiny("bert"), 3, words).states)


def test_gelu_new(tiny):
    words = SENTENCES[1].split()
    found = assert_equal_to_transformers(tiny("bert", hidden_act="gelu_new"), 3, words)
    plain, _ = hidden_states(tiny("bert"), words, 3)  # equal weights, the exact gelu
    assert np.abs(found - plain).max() > 2e-4


@pytest.mark.parametrize("activation", ["relu", "silu"])
def test_other_activations(tiny, activation):
    folder = tiny("bert", hidden_act=activation)
    assert_equal_to_transformers(folder, 3, SENTENCES[0].split())


def test_layer_norm_epsilon(tiny):
    folder = tiny("bert", layer_norm_eps=0.1)
    assert_equal_to_transformers(folder, 3, SENTENCES[0].split())


@pytest.mark.parametrize("kind", ["roberta", "xlm-roberta"])
def test_roberta_positions_start_after_the_padding_id(tiny, kind):
    checkpoint = Checkpoint(tiny(kind))
    raw = safetensors.numpy.load_file(tiny(kind) / "model.safetensors")
    table = raw["embeddings.position_embeddings.weight"]
    expected = table[2:] + raw["embeddings.token_type_embeddings.weight"][0]
    np.testing.assert_array_equal(checkpoint.weights().tensor("positions"), expected)
    assert checkpoint.max_positions == POSITIONS - 2


@pytest.mark.parametrize(("kind", "longest"), [("bert", POSITIONS), ("roberta", POSITIONS - 2)])
def test_the_last_position_is_used(tiny, kind, longest):
    """A sentence that fills the model is one window; a longer one is too long for transformers."""
    words = ([".", ","] * POSITIONS)[: longest - 2]  # one subword each
    found = assert_equal_to_transformers(tiny(kind), 3, words)
    assert len(found) == longest - 2
    encoder = load_encoder(str(tiny(kind)), layer=3, compute_type="float32", threads=1)
    encoder.encode([words])
    assert encoder.n_encoded == 1
    with pytest.raises((IndexError, RuntimeError)):
        hidden_states(tiny(kind), [*words, "."], 3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_weights(tiny, tmp_path, dtype):
    folder = tiny_checkpoints.save(tmp_path / "half", "bert")
    weights = load_file(folder / "model.safetensors")
    halves = {name: tensor.to(dtype) for name, tensor in weights.items()}
    save_file(halves, folder / "model.safetensors", {"format": "pt"})
    assert_equal_to_transformers(folder, 3, SENTENCES[1].split())


def test_default_layer_is_the_last_of_a_shallow_model(tiny):
    encoder = load_encoder(str(tiny("bert")), threads=1)
    assert encoder.layer == 3
    assert encoder.describe().endswith(",layer=3,int8")


def test_the_licence_is_on_the_card(tmp_path):
    folder = tiny_checkpoints.save(tmp_path / "bert", "bert")
    assert load_encoder(str(folder), threads=1).licence == "unknown"
    (folder / "README.md").write_text("---\nlicense: Apache-2.0\n---\n", encoding="utf-8")
    assert load_encoder(str(folder), threads=1).licence == "apache-2.0"


def test_fingerprint_holds_configuration_tokenizer_and_weights(tmp_path):
    folder = tiny_checkpoints.save(tmp_path / "bert", "bert")
    seen = {Checkpoint(folder).fingerprint()}
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "hidden_act": "relu"}))
    seen.add(Checkpoint(folder).fingerprint())
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text() + " ")
    seen.add(Checkpoint(folder).fingerprint())
    weights = load_file(folder / "model.safetensors")
    weights["embeddings.LayerNorm.bias"] += 1
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    seen.add(Checkpoint(folder).fingerprint())
    assert len(seen) == 4
