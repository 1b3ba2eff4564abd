"""Differences of fine-tuned encoders: what goes in comes out, to a fifteenth of its block."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.learned import read_arrays, write_arrays
from spanbridge.encode import aligned, load_encoder
from spanbridge.encode.deltas import Deltas, differences
from spanbridge.encode.encoder_weights import EncoderWeights
from spanbridge.encode.load import ALIGNED

HIDDEN, INNER = 32, 64
MATRICES = {
    **dict.fromkeys(("query", "key", "value", "attention"), (HIDDEN, HIDDEN)),
    "intermediate": (INNER, HIDDEN),
    "output": (HIDDEN, INNER),
}


def encoder(seed: int, scale: float) -> EncoderWeights:
    rng = np.random.default_rng(seed)
    tensors = {"embeddings": rng.normal(size=(9, HIDDEN)).astype(np.float32)}
    for layer in range(3):
        for part, shape in MATRICES.items():
            tensors[f"{layer}.{part}.weight"] = rng.normal(0, scale, shape).astype(np.float32)
            tensors[f"{layer}.{part}.bias"] = rng.normal(0, scale, shape[0]).astype(np.float32)
        for part in ("attention_norm", "output_norm"):
            for kind in ("weight", "bias"):
                tensors[f"{layer}.{part}.{kind}"] = rng.normal(0, 1, HIDDEN).astype(np.float32)
    return EncoderWeights(3, 4, "gelu", 1e-12, tensors.__getitem__)


@pytest.fixture
def tuned() -> tuple[EncoderWeights, EncoderWeights]:
    base, change = encoder(0, 0.05), encoder(1, 0.002)
    return base, replace(base, tensor=lambda name: base.tensor(name) + change.tensor(name))


def test_a_tuned_layer_comes_back(tuned, tmp_path):
    base, after = tuned
    write_arrays(tmp_path / "d.npz", differences(base, after, [1, 2]))
    arrays = read_arrays(tmp_path / "d.npz", "")
    back = Deltas(tmp_path / "d.npz", "", arrays).applied_to(base)
    for layer in (1, 2):
        for part in MATRICES:
            name = f"{layer}.{part}.weight"
            change = (after.tensor(name) - base.tensor(name)).reshape(-1, 32)
            wrong = np.abs(back.tensor(name) - after.tensor(name)).reshape(-1, 32)
            # half a step, and what float16 and float32 round
            assert (wrong <= np.abs(change).max(1, keepdims=True) * (0.5 / 7 + 1e-3) + 1e-7).all()
            assert wrong.max() > 0
        for name in (f"{layer}.query.bias", f"{layer}.output_norm.weight"):
            np.testing.assert_array_equal(back.tensor(name), after.tensor(name))


def test_what_was_not_trained_is_the_base(tuned, tmp_path):
    base, after = tuned
    back = Deltas(tmp_path / "d.npz", "", differences(base, after, [2])).applied_to(base)
    for name in ("embeddings", "0.query.weight", "1.output.weight", "1.output_norm.bias"):
        np.testing.assert_array_equal(back.tensor(name), base.tensor(name))


def test_weights_that_did_not_change_come_back_exactly(tuned):
    base, _ = tuned
    same = Deltas(None, "", differences(base, base, [0])).applied_to(base)
    np.testing.assert_array_equal(same.tensor("0.value.weight"), base.tensor("0.value.weight"))


def test_another_encoder_is_refused(tuned, tmp_path):
    base, after = tuned
    deltas = Deltas(tmp_path / "d.npz", "", differences(base, after, [0]))
    smaller = replace(base, tensor=lambda name: np.zeros((HIDDEN, HIDDEN // 2), np.float32))
    with pytest.raises(InputError, match=r"d\.npz: does not fit the encoder \(0\.query\.weight"):
        deltas.applied_to(smaller).tensor("0.query.weight")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive at all"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "d.npz").write_bytes(content)
    for name in ("d", "e"):  # the latter is missing
        with pytest.raises(InputError, match=rf"{name}\.npz: is damaged .*; buy it again"):
            read_arrays(tmp_path / f"{name}.npz", "buy it again")


@pytest.mark.slow
def test_a_folder_of_ones_own_is_an_encoder(tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(aligned.FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    ours, mine = load_encoder(ALIGNED), load_encoder(str(folder))
    assert mine.name == "mine"
    assert mine.describe().partition("@")[2] == ours.describe().partition("@")[2]
    with pytest.raises(SpanbridgeError, match="mine has 7 layers"):
        load_encoder(str(folder), layer=8)
    (folder / aligned.ARRAYS).write_bytes(b"")
    with pytest.raises(InputError, match="copy it again"):
        load_encoder(str(folder))
