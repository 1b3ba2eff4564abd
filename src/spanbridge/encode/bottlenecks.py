"""Encoders with bottleneck adapters, in NumPy: CTranslate2 has no such layers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.encode.convert import check_layer
from spanbridge.encode.encoder_weights import Array, EncoderWeights

_Linear = tuple[Array, Array]


def _relu(x: Array) -> Array:
    return np.maximum(x, 0)


def _swish(x: Array) -> Array:
    from scipy.special import expit

    return np.asarray(x * expit(x))


def _gelu(x: Array) -> Array:
    from scipy.special import erf

    return np.asarray(x * np.float32(0.5) * (1 + erf(x * np.float32(0.5**0.5))))


_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": _relu,
    "swish": _swish,
    "silu": _swish,
    "gelu": _gelu,
}


class BottleneckEncoder:
    """The first layers of a post-norm encoder with bottlenecks, in float32 on the processor.

    Args:
        weights: with ``bottleneck`` set.
        layer: number of layers to compute, 1 to ``weights.n_layers``.
        path: of the adapter, for messages.

    Raises:
        SpanbridgeError: there are fewer layers, or an activation is not known.
        InputError: the adapter lacks a tensor, or one does not fit the encoder.
    """

    def __init__(self, weights: EncoderWeights, layer: int, path: Path) -> None:
        check_layer(layer, weights.n_layers)
        if weights.pre_norm:
            raise InputError(path, None, "holds bottlenecks, which only BERT's family can have")
        for name in (weights.activation, str(weights.bottleneck)):
            if name not in _ACTIVATIONS:
                known = ", ".join(_ACTIVATIONS)
                raise SpanbridgeError(
                    f"activation {name!r} is not supported beside adapters; there are {known}"
                )
        self._heads, self._epsilon = weights.n_heads, np.float32(weights.layer_norm_epsilon)
        self._activation = _ACTIVATIONS[weights.activation]
        self._squeezed = _ACTIVATIONS[str(weights.bottleneck)]
        self._embeddings, self._positions = (
            weights.tensor("embeddings"),
            weights.tensor("positions"),
        )

        def linear(name: str) -> _Linear:
            weight, bias = weights.tensor(f"{name}.weight"), weights.tensor(f"{name}.bias")
            return np.ascontiguousarray(weight.T), bias

        names = (
            *("query", "key", "value", "attention", "attention_norm"),
            *("attention_adapter.down", "attention_adapter.up", "intermediate", "output"),
            *("output_adapter.down", "output_adapter.up", "output_norm"),
        )
        self._norm_first = linear("embeddings_norm")
        self._layers = [{name: linear(f"{n}.{name}") for name in names} for n in range(layer)]
        for place in ("attention_adapter", "output_adapter"):
            for n, (down, up) in enumerate(
                (parts[f"{place}.down"], parts[f"{place}.up"]) for parts in self._layers
            ):
                size, narrow = self._embeddings.shape[1], len(down[1])
                if (down[0].shape, up[0].shape, up[1].shape) != (
                    (size, narrow),
                    (narrow, size),
                    (size,),
                ):
                    why = f"does not fit the encoder ({n}.{place}); was it trained for another?"
                    raise InputError(path, None, why)

    def forward(self, inputs: list[list[int]]) -> npt.NDArray[np.float32]:
        """States of inputs of one length, [n, length, hidden]."""
        ids = np.array(inputs)
        x = self._embeddings[ids] + self._positions[: ids.shape[1]]
        x = self._norm(x, self._norm_first)
        for layer in self._layers:
            x = self._layer(x, layer)
        return x

    def session(self) -> AbstractContextManager[object]:
        """Meanwhile, sums do not depend on the number of cores."""
        from threadpoolctl import threadpool_limits

        limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
        return limits

    def _layer(self, x: Array, layer: dict[str, _Linear]) -> Array:
        n, length, size = x.shape
        split = (n, length, self._heads, size // self._heads)
        query, key, value = (
            _apply(x, layer[name]).reshape(split).transpose(0, 2, 1, 3)
            for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32((size // self._heads) ** 0.5)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (scores / scores.sum(-1, keepdims=True) @ value).transpose(0, 2, 1, 3)
        found = _apply(mixed.reshape(x.shape), layer["attention"])
        x = self._norm(x + self._adapted(found, layer, "attention"), layer["attention_norm"])
        found = _apply(self._activation(_apply(x, layer["intermediate"])), layer["output"])
        return self._norm(x + self._adapted(found, layer, "output"), layer["output_norm"])

    def _adapted(self, x: Array, layer: dict[str, _Linear], place: str) -> Array:
        squeezed = self._squeezed(_apply(x, layer[f"{place}_adapter.down"]))
        return np.asarray(x + _apply(squeezed, layer[f"{place}_adapter.up"]))

    def _norm(self, x: Array, norm: _Linear) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        spread = np.sqrt(np.square(centred).mean(-1, keepdims=True) + self._epsilon)
        return np.asarray(centred / spread * norm[0] + norm[1])


def _apply(x: Array, linear: _Linear) -> Array:
    return np.asarray(x @ linear[0] + linear[1])
