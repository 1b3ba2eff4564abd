"""Adapters of encoders, trained by others: small matrices beside the weights of a checkpoint.

LoRA (Hu et al. 2022; written by the package ``peft``) adds a product of two matrices to a weight,
so the sum is the weight of an ordinary encoder. Bottlenecks (Houlsby et al. 2019; written by
``adapters``, formerly ``adapter-transformers``) are layers of their own, which
:mod:`spanbridge.encode.bottlenecks` computes. Both are read from safetensors only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from spanbridge.core.errors import InputError
from spanbridge.encode.architectures import Architecture
from spanbridge.encode.checkpoint import read_tensor, tensor_names
from spanbridge.encode.encoder_weights import Array, EncoderWeights, finite
from spanbridge.encode.model_files import fingerprint, read_json, refuse_pickles

CONFIG = "adapter_config.json"
LORA, BOTTLENECKS = "adapter_model.safetensors", "adapter.safetensors"
HUB_FILES = (CONFIG, LORA, BOTTLENECKS, "README.md")
# Settings of peft that change what is added, beyond the two matrices, with what they usually are.
_PLAIN_LORA: dict[str, tuple[Any, ...]] = {
    "bias": ("none",),
    "modules_to_save": (None, []),
    "alpha_pattern": ({}, None),
    "fan_in_fan_out": (False,),
    "use_dora": (False,),
    "lora_bias": (False,),
    "layer_replication": (None,),
    # others change the weights that they are added to
    "init_lora_weights": (True, False, "gaussian", "orthogonal", "eva"),
}
_LORA_KEY = re.compile(r"(?:base_model\.model\.)?(.+)\.lora_([AB])\.weight")
# What the bottlenecks of Houlsby et al. are to ``adapters`` (DoubleSeqBnConfig).
_HOULSBY: dict[str, Any] = {
    "mh_adapter": True,
    "output_adapter": True,
    "ln_before": False,
    "ln_after": False,
    "original_ln_before": False,
    "original_ln_after": True,
    "residual_before_ln": True,
    "adapter_residual_before_ln": False,
    "is_parallel": False,
    "use_gating": False,
    "scaling": 1.0,
    "phm_layer": False,
    "inv_adapter": None,
}
_BOTTLENECK_KEY = re.compile(
    r"(?:\w+\.)?encoder\.layer\.(\d+)\.(attention\.)?output\.adapters\.([^.]+)"
    r"\.adapter_(down\.0|up)\.(weight|bias)"
)


@dataclass(frozen=True)
class Lora:
    """LoRA matrices of an encoder.

    Attributes:
        path: file of the matrices.
        sha256: over configuration and matrices.
        matrices: our names of weights -> (A [rank, in], B [out, rank]), B multiplied by the scale.
    """

    path: Path
    sha256: str
    matrices: Mapping[str, tuple[Array, Array]]

    def applied_to(self, base: EncoderWeights) -> EncoderWeights:
        """The weights with all products added. Raises InputError if one has another shape."""

        def tensor(name: str) -> Array:
            weight = base.tensor(name)
            if name not in self.matrices:
                return weight
            a, b = self.matrices[name]
            if (len(b), a.shape[1]) != weight.shape:
                why = (
                    f"does not fit the encoder: {name} is {weight.shape}, not {len(b), a.shape[1]}"
                )
                raise InputError(self.path, None, f"{why}; was it trained for another?")
            with np.errstate(over="ignore", invalid="ignore"):
                merged = np.asarray(weight + b @ a, np.float32)
            return finite(merged, self.path, name)

        return replace(base, tensor=tensor)


@dataclass(frozen=True)
class Bottlenecks:
    """Bottleneck layers after both sublayers of each layer.

    Attributes:
        path: file of the tensors.
        sha256: over configuration and tensors.
        tensors: by our names (:class:`EncoderWeights`).
        activation: name of their activation.
    """

    path: Path
    sha256: str
    tensors: Mapping[str, Array]
    activation: str

    def applied_to(self, base: EncoderWeights) -> EncoderWeights:
        """The weights with the bottlenecks. Reading raises InputError where a layer has none."""

        def tensor(name: str) -> Array:
            if "_adapter." not in name:
                return base.tensor(name)
            if name not in self.tensors:
                raise InputError(self.path, None, f"has no {name}; was it trained for another?")
            return self.tensors[name]

        return replace(base, tensor=tensor, bottleneck=self.activation)


def adapter_file(folder: Path) -> Path:
    """The file of an adapter's matrices. Raises InputError if there is none, or it is pickled."""
    for name in (LORA, BOTTLENECKS):
        if (folder / name).is_file():
            return folder / name
    refuse_pickles(folder, "peft or adapters: load it, and save it with safetensors")
    raise InputError(folder, None, f"has neither {LORA} nor {BOTTLENECKS}")


def read_adapter(folder: Path, architecture: Architecture, n_layers: int) -> Lora | Bottlenecks:
    """Read the adapter in a folder.

    Args:
        folder: has ``adapter_config.json``, and ``adapter_model.safetensors`` (LoRA) or
            ``adapter.safetensors`` (bottlenecks).
        architecture, n_layers: of the encoder that it was trained for.

    Raises:
        InputError: a file is missing, damaged or pickled, or the adapter is of another kind, or
            changes what the encoder does not have.
    """
    config, path = read_json(folder / CONFIG), adapter_file(folder)
    tensors = {name: read_tensor(path, name) for name in tensor_names(path)}
    sha256 = fingerprint([folder / CONFIG, path])
    if str(config.get("peft_type", "")).upper() == "LORA":
        _check_plain(folder / CONFIG, config)
        ours = {
            theirs.format(n): f"{n}.{part}.weight"
            for n in range(n_layers)
            for part, theirs in architecture.parts.items()
        }
        return Lora(path, sha256, dict(_lora(path, config, tensors, ours)))
    settings = config.get("config")
    if not isinstance(settings, dict):
        why = "is neither LoRA (peft) nor bottlenecks (adapters, saved with their configuration)"
        raise InputError(folder / CONFIG, None, why)
    for name, usual in _HOULSBY.items():
        if settings.get(name, usual) != usual:
            why = f"has {name} = {settings[name]!r}; only bottlenecks of Houlsby et al. can be read"
            raise InputError(folder / CONFIG, None, why)
    found = {_bottleneck(path, name): tensor for name, tensor in tensors.items()}
    if len(found) != len(tensors):
        raise InputError(path, None, "holds more than one adapter; keep the one that aligns words")
    return Bottlenecks(path, sha256, found, str(settings.get("non_linearity")))


def _check_plain(path: Path, config: Mapping[str, Any]) -> None:
    """Raise InputError unless a configuration of peft is that of two matrices and a scale."""
    for name, usual in _PLAIN_LORA.items():
        if config.get(name, usual[0]) not in usual:
            why = f"has {name} = {config[name]!r}, which is not supported"
            raise InputError(path, None, f"{why}; merge it with peft (merge_and_unload)")
    alpha = config.get("lora_alpha")
    if type(alpha) not in (int, float):
        raise InputError(path, None, f"'lora_alpha' is {alpha!r}, but must be a number")


def _lora(
    path: Path, config: Mapping[str, Any], tensors: Mapping[str, Array], ours: Mapping[str, str]
) -> Iterator[tuple[str, tuple[Array, Array]]]:
    """Our names of weights, with the two matrices; ``ours`` has them by the checkpoint's names."""
    pairs: dict[str, dict[str, Array]] = {}
    for key, tensor in tensors.items():
        match = _LORA_KEY.fullmatch(key)
        if match is None or tensor.ndim != 2:
            raise InputError(path, None, f"holds {key!r}, which is no matrix of LoRA")
        if "decoder." not in match[1]:  # of a whole translator
            pairs.setdefault(match[1], {})[match[2]] = tensor
    for module, pair in pairs.items():
        full = [
            name
            for name in ours
            if f".{module}".endswith(f".{name}") or f".{name}".endswith(f".{module}")
        ]
        if len(full) != 1:
            why = f"changes {module!r}, which the encoder does not have"
            raise InputError(path, None, f"{why}; was it trained for another?")
        a, b = pair.get("A"), pair.get("B")
        if a is None or b is None or len(a) != b.shape[1] or not len(a):
            raise InputError(path, None, f"has no two matrices that fit each other for {module!r}")
        rank = len(a) ** 0.5 if config.get("use_rslora") else len(a)
        with np.errstate(over="ignore", invalid="ignore"):  # the sum is checked
            scaled = np.asarray(b * np.float32(config["lora_alpha"] / rank), np.float32)
        yield ours[full[0]], (a, scaled)


def _bottleneck(path: Path, key: str) -> str:
    match = _BOTTLENECK_KEY.fullmatch(key)
    if match is None:
        raise InputError(path, None, f"holds {key!r}, which is no tensor of bottlenecks of BERT")
    layer, attention, _, which, kind = match.groups()
    place = "attention_adapter" if attention else "output_adapter"
    return f"{layer}.{place}.{which.partition('.')[0]}.{kind}"
