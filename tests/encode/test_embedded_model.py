"""The embedded encoder: its file's numbers, and its states against a plain forward pass."""

import mmap
import struct

import numpy as np
import pytest
import torch
from packed_files import CHARACTERS, HIDDEN, PIECES, block, packed_file
from transformers import BertConfig, BertModel

from spanbridge.core.errors import InputError
from spanbridge.encode.packed import read_packed

TEXTS = [
    ["Berlin"],
    "Angela Merkel besuchte am Montag die Universität München .".split(),
    "التقت أنجيلا ميركل مجلس إدارة سيمنز في برلين .".split(),
    "Ангела Меркель встретилась с советом « Сименс » в Берлине .".split(),
    "安格拉 · 默克尔 周一 在 柏林 会见 了 西门子 董事会 。".split(),
    "Adéyẹmọ kọ́ 1,000 ilé 🦊 .".split(),
]
# our names -> those of BertModel
PARTS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
    "output_norm": "output.LayerNorm",
}


@pytest.fixture
def read(tmp_path):
    def read(data):
        path = tmp_path / "model.bin"
        path.write_bytes(data)
        return read_packed(path)

    return read


def test_vocabulary_and_characters(read):
    model = read(packed_file({}))
    assert model.pieces == tuple(PIECES)
    assert model.scores.tolist() == [-n / 2 for n in range(len(PIECES))]
    assert (model.bos, model.pad, model.eos, model.unk) == (0, 1, 2, 3)
    assert model.characters == CHARACTERS
    assert model.max_positions == 16
    assert (model.weights.n_layers, model.weights.n_heads) == (1, 4)


def test_block_by_hand(read):
    weights = [-8, -7, -1, 0, 1, 2, 3, 7] * 4
    weights[20] = -8  # so that the halves of the block differ
    model = read(packed_file({"l0.q.w": block(0.5, weights), "l0.q.b": [1.5] * HIDDEN}))
    assert model.weights.tensor("0.query.weight").tolist() == [[w / 2 for w in weights]]
    assert model.weights.tensor("0.query.bias").tolist() == [1.5] * HIDDEN


def test_feed_forward_weights_are_output_by_input(read):
    rows = [block(scale, [1] * 32) for scale in (1, 2, 3, 4)]
    model = read(packed_file({"l0.fi.w": b"".join(rows), "l0.fo.w": b"".join(rows * HIDDEN)}))
    inner, outer = (model.weights.tensor(f"0.{name}.weight") for name in ("intermediate", "output"))
    assert inner[:, 0].tolist() == [1, 2, 3, 4]
    assert outer.shape == (HIDDEN, 128)
    assert outer[5, ::32].tolist() == [1, 2, 3, 4]


def test_token_type_is_added_and_padding_rows_dropped(read):
    table = b"".join(block(n + 1, [1] * 32) for n in range(40))
    tensors = {
        "emb.word": table,
        "emb.pos": [0.25] * HIDDEN + [0.5] * HIDDEN,
        "emb.type": [1.0] * HIDDEN + [9.0] * HIDDEN,
    }
    model = read(packed_file(tensors))
    assert model.weights.tensor("embeddings")[:, 0].tolist() == list(range(1, len(PIECES) + 1))
    assert model.weights.tensor("positions")[:, 0].tolist() == [1.25, 1.5]


def test_a_missing_tensor_is_named(read):
    with pytest.raises(InputError, match=r"no tensor 'l0\.q\.w'"):
        read(packed_file({})).weights.tensor("0.query.weight")


@pytest.mark.filterwarnings("error")
def test_numbers_that_are_not_finite_are_refused(read):
    """Scales of blocks, values, and positions whose sum with the token type is out of range."""
    tensors = {
        "l0.q.w": block(float("inf"), [0] * 32),
        "l0.q.b": [float("nan")] * HIDDEN,
        "emb.pos": [3e38] * HIDDEN,
        "emb.type": [3e38] * HIDDEN,
    }
    model = read(packed_file(tensors))
    for name in ("0.query.weight", "0.query.bias", "positions"):
        with pytest.raises(InputError, match=rf"bin: is damaged: a number in '{name}' is not fin"):
            model.weights.tensor(name)


def test_a_cut_anywhere_is_noticed(read):
    data = packed_file({"emb.pos": [0.0] * HIDDEN, "l0.q.w": block(1, [0] * 32)})
    read(data)
    for n in range(0, len(data), 5):
        with pytest.raises(InputError, match=r"model\.bin"):
            read(data[:n])


def test_blocks_of_another_size_are_refused(read):
    data = packed_file({})
    at = 8 + 7 * 4 + 4
    assert data[at : at + 4] == struct.pack("<i", 32)
    with pytest.raises(InputError, match="blocks of 64 weights"):
        read(data[:at] + struct.pack("<i", 64) + data[at + 4 :])


@pytest.fixture(scope="module")
def table(packed):
    return packed.weights.tensor("embeddings")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stored", "name"),
    [("emb.word", "embeddings"), ("l0.q.w", "0.query.weight"), ("l11.fo.w", "11.output.weight")],
)
def test_blocks_of_the_real_file(embedded_file, packed, table, stored, name):
    found = (table if name == "embeddings" else packed.weights.tensor(name)).reshape(-1)
    with embedded_file.path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    key = struct.pack("<H", len(stored)) + stored.encode()
    kind, _, offset, _ = struct.unpack_from("<BIQQ", data, data.find(key) + len(key))
    assert kind == 1
    for n in (0, 1, 777, len(found) // 32 - 1):
        scale, *pairs = struct.unpack_from("<e16B", data, offset + 18 * n)
        low, high = [byte % 16 - 8 for byte in pairs], [byte // 16 - 8 for byte in pairs]
        expected = [np.float32(scale) * np.float32(weight) for weight in low + high]
        assert found[32 * n : 32 * n + 32].tolist() == expected
        assert any(expected)


@pytest.fixture(scope="module")
def bert(packed):
    """BertModel with the same tensors, seven layers; embeddings are looked up outside of it."""
    config = BertConfig(
        vocab_size=2,
        hidden_size=384,
        num_hidden_layers=7,
        num_attention_heads=12,
        intermediate_size=1536,
        max_position_embeddings=512,
        layer_norm_eps=1e-12,
    )
    model = BertModel(config, add_pooling_layer=False).eval()
    get = packed.weights.tensor
    tensors = {"embeddings.position_embeddings.weight": get("positions")}  # token type 0 added in
    for kind in ("weight", "bias"):
        tensors[f"embeddings.LayerNorm.{kind}"] = get(f"embeddings_norm.{kind}")
        for n in range(7):
            for ours, theirs in PARTS.items():
                tensors[f"encoder.layer.{n}.{theirs}.{kind}"] = get(f"{n}.{ours}.{kind}")
    result = model.load_state_dict({k: torch.tensor(v) for k, v in tensors.items()}, strict=False)
    left = {"embeddings.word_embeddings.weight", "embeddings.token_type_embeddings.weight"}
    assert set(result.missing_keys) == left
    assert not result.unexpected_keys
    with torch.no_grad():
        model.embeddings.token_type_embeddings.weight.zero_()
    return model


@pytest.mark.slow
def test_layer_7_equals_a_plain_forward_pass(bert, table, embedded_float32):
    for words, encoded in zip(TEXTS, embedded_float32.encode(TEXTS), strict=True):
        # the ids by the encoder's own splitting, which the tokenizer's tests check
        ids = [0, *(i for i, _, _ in embedded_float32.subwords(words).tolist()), 2]
        with torch.no_grad():
            output = bert(inputs_embeds=torch.tensor(table[ids])[None])
        expected = output.last_hidden_state[0, 1:-1].numpy()
        np.testing.assert_allclose(encoded.states, expected, rtol=1e-4, atol=1e-4)


def test_licence(embedded):
    assert embedded.licence == "MIT"


@pytest.mark.slow
def test_int8_is_near_float32(embedded, embedded_float32):
    pairs = zip(embedded.encode(TEXTS), embedded_float32.encode(TEXTS), strict=True)
    for rounded, exact in pairs:
        norms = np.linalg.norm(exact.states, axis=1) * np.linalg.norm(rounded.states, axis=1)
        cosines = (exact.states * rounded.states).sum(axis=1) / norms
        assert cosines.min() > 0.97
        assert not np.array_equal(exact.states, rounded.states)
