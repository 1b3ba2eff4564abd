"""Adapters: LoRA merged as peft merges it, and bottlenecks as transformers' BERT has them."""

import re

import numpy as np
import pytest
import tiny_checkpoints
import torch
from safetensors.numpy import load_file
from tiny_adapters import BOTTLENECKS, LORA, PLAIN, bottlenecks, insert_bottlenecks, lora, write
from transformers import AutoModel

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.encode import load_encoder
from spanbridge.encode.adapters import read_adapter
from spanbridge.encode.architectures import ARCHITECTURES

WORDS = tiny_checkpoints.SENTENCES[1].split()


def states(folder, layer=3, **options):
    encoder = load_encoder(str(folder), layer=layer, compute_type="float32", threads=1, **options)
    return encoder.encode([WORDS])[0].states


def test_a_product_worked_by_hand(tmp_path):
    """[[1], [2]] times [[3, 4, 5]], times 6 / 1, added to ones."""
    tensors = {
        "base_model.model.encoder.layer.1.output.dense.lora_A.weight": np.float32([[3, 4, 5]]),
        "base_model.model.encoder.layer.1.output.dense.lora_B.weight": np.float32([[1], [2]]),
    }
    found = read_adapter(write(tmp_path / "a", tensors, PLAIN), ARCHITECTURES["bert"], 3)
    assert set(found.matrices) == {"1.output.weight"}
    a, b = found.matrices["1.output.weight"]
    np.testing.assert_array_equal(1 + b @ a, [[19, 25, 31], [37, 49, 61]])
    rooted = PLAIN | {"use_rslora": True, "lora_alpha": 8}
    found = read_adapter(write(tmp_path / "b", tensors, rooted), ARCHITECTURES["bert"], 3)
    np.testing.assert_array_equal(found.matrices["1.output.weight"][1], [[8], [16]])


@pytest.mark.parametrize("rooted", [False, True])
@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "distilbert"])
def test_lora_is_merged_as_by_peft(tiny, tmp_path, kind, rooted):
    peft = pytest.importorskip("peft")
    modules = {
        "distilbert": ["q_lin", "lin1", "lin2"],
        "bert": ["query", "intermediate.dense", "output.dense"],
    }
    config = peft.LoraConfig(
        task_type=peft.TaskType.FEATURE_EXTRACTION,
        target_modules=modules.get(kind, modules["bert"]),
        r=4,
        lora_alpha=9,
        use_rslora=rooted,
    )
    torch.manual_seed(1)
    model = peft.get_peft_model(AutoModel.from_pretrained(tiny(kind)), config)
    with torch.no_grad():
        for name, values in model.named_parameters():
            if "lora_" in name:
                values.normal_(0, 0.3)
    model.save_pretrained(tmp_path / "adapter")
    merged = model.merge_and_unload()
    merged.save_pretrained(tmp_path / "merged")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "merged" / name).write_bytes((tiny(kind) / name).read_bytes())
    found = states(tiny(kind), adapter=str(tmp_path / "adapter"))
    np.testing.assert_allclose(found, states(tmp_path / "merged"), rtol=1e-4, atol=1e-4)
    assert np.abs(found - states(tiny(kind))).max() > 0.1


def test_an_adapter_has_a_converted_model_of_its_own(tiny, tmp_path):
    module = {"encoder.layer.0.intermediate.dense": (64, 32)}
    first = write(tmp_path / "a", *lora(module))
    second = write(tmp_path / "b", *lora(module, seed=1))
    one, other = (
        load_encoder(str(tiny("bert")), threads=1, adapter=str(at)) for at in (first, second)
    )
    assert one.describe() != other.describe()
    assert one.name == "bert+a"
    assert one.licence == "unknown + unknown"
    assert np.abs(one.encode([WORDS])[0].states - other.encode([WORDS])[0].states).max() > 0.01


MISTAKES = [
    ({"use_dora": True}, "adapter_config.json: has use_dora = True, which is not supported"),
    ({"bias": "all"}, "has bias = 'all'"),
    ({"modules_to_save": ["pooler"]}, "has modules_to_save"),
    ({"init_lora_weights": "pissa"}, "has init_lora_weights = 'pissa'"),
    ({"lora_alpha": "2"}, "'lora_alpha' is '2', but must be a number"),
    ({"peft_type": "IA3"}, "is neither LoRA"),
]


@pytest.mark.parametrize(("change", "why"), MISTAKES)
def test_other_adapters_are_refused(tiny, tmp_path, change, why):
    tensors, config = lora({"encoder.layer.0.output.dense": (32, 64)})
    folder = write(tmp_path / "a", tensors, config | change)
    with pytest.raises(InputError, match=re.escape(why)):
        states(tiny("bert"), adapter=str(folder))


SHAPES = [
    ({"encoder.layer.0.output.dense": (32, 63)}, "does not fit the encoder: 0.output.weight is"),
    ({"encoder.layer.9.output.dense": (32, 64)}, "changes 'encoder.layer.9.output.dense', which"),
    ({"pooler.dense": (32, 32)}, "changes 'pooler.dense', which the encoder does not have"),
    ({"layer.0.lora_A": (2, 2)}, "changes 'layer.0.lora_A'"),
]


@pytest.mark.parametrize(("modules", "why"), SHAPES)
def test_adapters_of_other_encoders_are_refused(tiny, tmp_path, modules, why):
    folder = write(tmp_path / "a", *lora(modules))
    with pytest.raises(InputError, match=re.escape(why)):
        states(tiny("bert"), adapter=str(folder))


def test_damaged_adapters_are_refused(tiny, tmp_path):
    tensors, config = lora({"encoder.layer.0.output.dense": (32, 64)})
    [a, b] = tensors
    folder = write(tmp_path / "half", {a: tensors[a]}, config)
    with pytest.raises(InputError, match="has no two matrices that fit each other"):
        states(tiny("bert"), adapter=str(folder))
    write(folder, {**tensors, b: tensors[b] * np.float32("nan")}, config)
    with pytest.raises(InputError, match=r"safetensors: is damaged: a number in .* is not f"):
        states(tiny("bert"), adapter=str(folder))
    write(folder, {"x": tensors[a]}, config)
    with pytest.raises(InputError, match="holds 'x', which is no matrix of LoRA"):
        states(tiny("bert"), adapter=str(folder))
    (folder / LORA).rename(folder / "adapter_model.bin")
    with pytest.raises(InputError, match=r"adapter_model\.bin: is a pickle.*peft or adapters"):
        states(tiny("bert"), adapter=str(folder))
    (folder / "adapter_model.bin").unlink()
    with pytest.raises(InputError, match="half: has neither adapter_model.safetensors nor"):
        states(tiny("bert"), adapter=str(folder))


def test_weights_that_an_adapter_makes_infinite_are_refused(tiny, tmp_path):
    tensors, config = lora({"encoder.layer.0.output.dense": (32, 64)})
    folder = write(tmp_path / "a", {k: v * 0 + 1 for k, v in tensors.items()}, config)
    assert np.isfinite(states(tiny("bert"), adapter=str(folder))).all()
    large = {k: np.full_like(v, 3e38) for k, v in tensors.items()}
    folder = write(tmp_path / "b", large, config)
    with pytest.raises(InputError, match=r"safetensors: .* '0\.output\.weight' is not finite"):
        states(tiny("bert"), adapter=str(folder))


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_bottlenecks_are_as_in_torch(tiny, tmp_path, layer):
    tensors, config = bottlenecks()
    folder = write(tmp_path / "a", tensors, config, BOTTLENECKS)
    model = insert_bottlenecks(AutoModel.from_pretrained(tiny("bert")).eval(), tensors)
    _, tokenizer = tiny_checkpoints._reference(tiny("bert"))
    inputs = tokenizer(WORDS, is_split_into_words=True, return_tensors="pt")
    with torch.no_grad():
        expected = model(**inputs, output_hidden_states=True).hidden_states[layer][0, 1:-1]
    found = states(tiny("bert"), layer=layer, adapter=str(folder))
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-4)
    assert np.abs(found - states(tiny("bert"), layer=layer)).max() > 0.1


def test_bottlenecks_do_not_depend_on_batches(tiny, tmp_path):
    tensors, config = bottlenecks()
    folder = write(tmp_path / "a", tensors, config, BOTTLENECKS)
    options = {"compute_type": "float32", "adapter": str(folder), "layer": 3, "remember": False}
    encoder = load_encoder(str(tiny("bert")), threads=2, **options)
    sentences = [sentence.split() for sentence in tiny_checkpoints.SENTENCES]
    together = encoder.encode([*sentences, sentences[0] * 20])  # the last one in windows
    for sentence, found in zip(sentences, together, strict=False):
        np.testing.assert_array_equal(encoder.encode([sentence])[0].states, found.states)
    assert len(together[-1].states) > tiny_checkpoints.POSITIONS


def test_other_bottlenecks_are_refused(tiny, tmp_path):
    def refused(why, kind=InputError, **options):
        with pytest.raises(kind, match=re.escape(why)):
            states(tiny("bert"), adapter=str(tmp_path / "a"), **options)

    tensors, config = bottlenecks(ln_before=True)
    write(tmp_path / "a", tensors, config, BOTTLENECKS)
    refused("has ln_before = True; only bottlenecks of Houlsby et al. can be read")
    tensors, config = bottlenecks(non_linearity="mish")
    write(tmp_path / "a", tensors, config, BOTTLENECKS)
    refused("activation 'mish' is not supported beside adapters", SpanbridgeError)
    tensors, config = bottlenecks(n_layers=2)
    write(tmp_path / "a", tensors, config, BOTTLENECKS)
    refused("has no 2.attention_adapter.down.weight")
    refused("layer 4 was asked for, but the encoder has layers 1 to 3", SpanbridgeError, layer=4)
    write(tmp_path / "a", *bottlenecks(size=30), BOTTLENECKS)
    refused("does not fit the encoder (0.attention_adapter)")
    tensors, config = bottlenecks()
    other = {name.replace("alignment_adapter", "other"): value for name, value in tensors.items()}
    write(tmp_path / "a", tensors | other, config, BOTTLENECKS)
    refused("holds more than one adapter")
    write(tmp_path / "a", tensors | {"head.weight": np.zeros(3, np.float32)}, config, BOTTLENECKS)
    refused("holds 'head.weight', which is no tensor of bottlenecks of BERT")
    write(tmp_path / "a", tensors, config, BOTTLENECKS)
    with pytest.raises(SpanbridgeError, match="computed in float32 on the processor alone"):
        load_encoder(str(tiny("bert")), adapter=str(tmp_path / "a"))
    assert load_file(tmp_path / "a" / BOTTLENECKS).keys() == tensors.keys()
