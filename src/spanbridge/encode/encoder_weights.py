"""Encoder weights before conversion: one set of names for all checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spanbridge.core.errors import InputError

Array = npt.NDArray[np.float32]


def finite(values: Array, path: Path, name: str) -> Array:
    """The values of a tensor. Raises InputError if one is no number, or infinite.

    Args:
        values: its values.
        path: the file that they come from.
        name: its name there.
    """
    if not np.isfinite(values).all():
        raise InputError(path, None, f"is damaged: a number in {name!r} is not finite")
    return values


@dataclass(frozen=True)
class EncoderWeights:
    """Weights of a Transformer encoder (BERT and similar, or that of M2M-100).

    Attributes:
        n_layers: number of layers of the whole model.
        n_heads: number of attention heads per layer.
        activation: name of the feed-forward activation, as in Hugging Face configurations.
        layer_norm_epsilon: added to the variance in every layer norm.
        tensor: function from a name to a float32 array. Names: ``embeddings`` [vocabulary, hidden];
            ``positions`` [positions, hidden], from position 0, with token type 0 added;
            ``embeddings_norm.weight``/``.bias`` (post-norm only) or ``last_norm`` (pre-norm only);
            and for each layer ``N``: ``N.query``, ``N.key``, ``N.value``, ``N.attention``,
            ``N.intermediate``, ``N.output`` (``.weight`` [out, in], ``.bias``) and
            ``N.attention_norm``, ``N.output_norm``.
        pre_norm: True if norms stand before the sublayers, False if after them.
        scale: what embeddings are multiplied by.
        bottleneck: activation of adapters after both sublayers, whose tensors are
            ``N.attention_adapter.down``, ``.up`` and ``N.output_adapter.down``, ``.up``
            (``.weight``, ``.bias``); None if there are none.
    """

    n_layers: int
    n_heads: int
    activation: str
    layer_norm_epsilon: float
    tensor: Callable[[str], Array]
    pre_norm: bool = False
    scale: float = 1.0
    bottleneck: str | None = None
