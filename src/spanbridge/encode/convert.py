"""Conversion of encoder weights to a CTranslate2 model, truncated after the wanted layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from spanbridge.core.errors import SpanbridgeError
from spanbridge.encode.encoder_weights import EncoderWeights

# CTranslate2's names for the activations of Hugging Face configurations
_ACTIVATIONS = {
    "gelu": "GELU",
    "gelu_new": "GELUTanh",
    "gelu_pytorch_tanh": "GELUTanh",
    "relu": "RELU",
    "silu": "SWISH",
    "swish": "SWISH",
}


def check_layer(layer: int, n_layers: int) -> None:
    """Raise SpanbridgeError if an encoder of so many layers has no such one."""
    if not 1 <= layer <= n_layers:
        raise SpanbridgeError(
            f"layer {layer} was asked for, but the encoder has layers 1 to {n_layers}"
        )


def convert(weights: EncoderWeights, layer: int, quantization: str | None, folder: Path) -> None:
    """Write the first ``layer`` layers as a CTranslate2 model into an existing folder.

    The last hidden state of the result equals ``hidden_states[layer]`` of the whole model. Token
    type 0 is added to the position encodings, so that one embedding table is enough.

    Args:
        weights: weights of the encoder.
        layer: number of layers to keep, 1 to ``weights.n_layers``.
        quantization: ``"int8"``, or None for float32 on disk.
        folder: receives ``model.bin``, ``config.json`` and ``vocabulary.json``.

    Raises:
        SpanbridgeError: the model has fewer layers, or an activation that CTranslate2 lacks.
    """
    from ctranslate2.specs import common_spec, transformer_spec

    check_layer(layer, weights.n_layers)
    if weights.activation not in _ACTIVATIONS:
        known = ", ".join(_ACTIVATIONS)
        raise SpanbridgeError(
            f"activation {weights.activation!r} is not supported; there are {known}"
        )
    spec = transformer_spec.TransformerEncoderModelSpec(
        transformer_spec.TransformerEncoderSpec(
            layer,
            weights.n_heads,
            pre_norm=weights.pre_norm,
            no_final_norm=layer < weights.n_layers,  # as hidden_states has it
            activation=getattr(common_spec.Activation, _ACTIVATIONS[weights.activation]),
            layernorm_embedding=not weights.pre_norm,
        )
    )
    encoder = spec.encoder
    encoder.scale_embeddings = False if weights.scale == 1 else weights.scale
    encoder.embeddings[0].weight = weights.tensor("embeddings")
    encoder.position_encodings.encodings = weights.tensor("positions")
    if not weights.pre_norm:
        _norm(encoder.layernorm_embedding, weights, "embeddings_norm")
    elif layer == weights.n_layers:
        _norm(encoder.layer_norm, weights, "last_norm")
    for n, part in enumerate(encoder.layer):
        _layer(part, weights, n)
    # Inputs are given as ids, so the vocabulary only has to have the right size.
    spec.register_vocabulary([str(i) for i in range(len(encoder.embeddings[0].weight))])
    spec.config.unk_token = "0"  # noqa: S105 - a token of the vocabulary, not a secret
    spec.config.layer_norm_epsilon = weights.layer_norm_epsilon
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(folder))


def _layer(part: Any, weights: EncoderWeights, n: int) -> None:
    """Fill in the n-th layer; queries, keys and values are one matrix in CTranslate2."""
    fused = [
        (weights.tensor(f"{n}.{p}.weight"), weights.tensor(f"{n}.{p}.bias"))
        for p in ("query", "key", "value")
    ]
    part.self_attention.linear[0].weight = np.concatenate([w for w, _ in fused])
    part.self_attention.linear[0].bias = np.concatenate([b for _, b in fused])
    _linear(part.self_attention.linear[1], weights, f"{n}.attention")
    _norm(part.self_attention.layer_norm, weights, f"{n}.attention_norm")
    _linear(part.ffn.linear_0, weights, f"{n}.intermediate")
    _linear(part.ffn.linear_1, weights, f"{n}.output")
    _norm(part.ffn.layer_norm, weights, f"{n}.output_norm")


def _linear(part: object, weights: EncoderWeights, name: str) -> None:
    part.weight = weights.tensor(f"{name}.weight")  # type: ignore[attr-defined]
    part.bias = weights.tensor(f"{name}.bias")  # type: ignore[attr-defined]


def _norm(part: object, weights: EncoderWeights, name: str) -> None:
    part.gamma = weights.tensor(f"{name}.weight")  # type: ignore[attr-defined]
    part.beta = weights.tensor(f"{name}.bias")  # type: ignore[attr-defined]
