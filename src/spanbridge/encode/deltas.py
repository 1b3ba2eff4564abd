"""Fine-tuned encoders that are kept as differences to the weights that they were tuned from.

Fine-tuning moves weights little, so four bits of the difference say about as much as the whole
weight: blocks of 32 neighbours along an output, each with its greatest difference as scale. Biases
and layer norms are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spanbridge.core.errors import InputError
from spanbridge.core.learned import Arrays
from spanbridge.encode.encoder_weights import Array, EncoderWeights, finite
from spanbridge.encode.packed import BLOCK, signed

_STEPS = 7  # a difference is one of -7 to 7 parts of its block's greatest
# Differences are near a thousandth, where float16 has few digits left; scales are kept larger.
_MAGNIFIED = 1024.0
_QUANTISED, _SCALES = ".nibbles", ".scales"
_PARTS = (
    *("query", "key", "value", "attention", "intermediate", "output"),
    *("attention_norm", "output_norm"),
)
_KINDS = ("weight", "bias")


@dataclass(frozen=True)
class Deltas:
    """What a fine-tuned encoder differs in.

    Attributes:
        path: the file of the arrays, for messages.
        sha256: a digest of them.
        arrays: as :func:`differences` gives them; others may stand among them.
    """

    path: Path
    sha256: str
    arrays: Arrays

    def applied_to(self, base: EncoderWeights) -> EncoderWeights:
        """The fine-tuned encoder's weights.

        Reading a tensor raises InputError where it does not have the base's shape.
        """

        def tensor(name: str) -> Array:
            return finite(self._changed(name, base.tensor(name)), self.path, name)

        return replace(base, tensor=tensor)

    def _changed(self, name: str, weight: Array) -> Array:
        try:
            if name in self.arrays:
                return np.asarray(self.arrays[name].reshape(weight.shape), np.float32)
            if f"{name}{_QUANTISED}" not in self.arrays:
                return weight
            nibbles = np.asarray(self.arrays[f"{name}{_QUANTISED}"], np.uint8).reshape(
                -1, BLOCK // 2
            )
            scales = np.asarray(self.arrays[f"{name}{_SCALES}"], np.float32).reshape(-1, 1)
            with np.errstate(over="ignore", invalid="ignore"):
                change = signed(nibbles) * (scales / np.float32(_MAGNIFIED * _STEPS))
                return np.asarray(weight + change.reshape(weight.shape), np.float32)
        except (KeyError, ValueError) as error:
            why = f"does not fit the encoder ({name}: {error}); was it tuned from another?"
            raise InputError(self.path, None, why) from error


def differences(base: EncoderWeights, tuned: EncoderWeights, layers: Iterable[int]) -> Arrays:
    """What fine-tuning changed, from the weights before and after fine-tuning.

    Args:
        base, tuned: encoders of the same shape.
        layers: numbers of the layers that were trained, from 0.
    """
    arrays: Arrays = {}
    for name in (f"{n}.{part}.{kind}" for n in layers for part in _PARTS for kind in _KINDS):
        arrays |= packed_difference(name, base.tensor(name), tuned.tensor(name))
    return arrays


def packed_difference(name: str, before: Array, after: Array) -> Arrays:
    """What fine-tuning changed of one tensor; biases and layer norms as they are afterwards."""
    if after.ndim == 1:
        return {name: after}
    blocks = (after - before).reshape(-1, BLOCK)
    scales = (np.abs(blocks).max(1, keepdims=True) * _MAGNIFIED).astype(np.float16)
    unit = np.maximum(scales.astype(np.float32), 1e-6) / (_MAGNIFIED * _STEPS)
    steps = np.clip(np.rint(blocks / unit), -_STEPS, _STEPS).astype(np.int8) + 8
    low, high = np.hsplit(steps.astype(np.uint8), 2)
    return {f"{name}{_QUANTISED}": low | (high << 4), f"{name}{_SCALES}": scales[:, 0]}
