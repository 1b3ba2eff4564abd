"""Encoder weights before conversion: one set of names for all checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class EncoderWeights:
    """Weights of a post-norm Transformer encoder (BERT and similar).

    Attributes:
        n_layers: number of layers of the whole model.
        n_heads: number of attention heads per layer.
        activation: name of the feed-forward activation, as in Hugging Face configurations.
        layer_norm_epsilon: added to the variance in every layer norm.
        tensor: function from a name to a float32 array. Names: ``embeddings`` [vocabulary, hidden];
            ``positions`` [positions, hidden], from position 0, with token type 0 added;
            ``embeddings_norm.weight``/``.bias``; and for each layer ``N``: ``N.query``, ``N.key``,
            ``N.value``, ``N.attention``, ``N.intermediate``, ``N.output`` (``.weight`` [out, in],
            ``.bias``) and ``N.attention_norm``, ``N.output_norm``.
    """

    n_layers: int
    n_heads: int
    activation: str
    layer_norm_epsilon: float
    tensor: Callable[[str], Array]
