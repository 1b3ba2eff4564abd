"""The loss of the labels, and the weights of their classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.similar import not_named
from spanbridge.training.examples import Piece


def class_weights(
    classes: Sequence[str], given: Sequence[tuple[str, float]]
) -> npt.NDArray[np.float32]:
    """Weight of each IOB2 class, [n_classes]; 1 by default; SpanbridgeError for unknown labels."""
    weights = dict(given)
    labels = [name if name == "O" else name[2:] for name in classes]
    unknown = sorted(set(weights) - set(labels))
    if unknown:
        why = not_named("label", unknown[0], dict.fromkeys(labels))
        raise SpanbridgeError(f"weights of classes: {why}")
    return np.array([weights.get(label, 1.0) for label in labels], np.float32)


def label_loss(
    logits: torch.Tensor, batch: Sequence[Piece], by_class: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy with the targets, a weighted mean over the words of the batch.

    A word's weight is its sentence's weight times the sum of its targets, each times its class
    weight.

    Args:
        logits: [batch, tokens, n_classes].
        batch: the pieces.
        by_class: weight of each class, [n_classes].
    """
    rows = torch.cat([torch.full((len(p.first),), n) for n, p in enumerate(batch)])
    places = torch.from_numpy(np.concatenate([p.first for p in batch]))
    weights = np.concatenate([np.full((len(p.first), 1), p.weight, np.float32) for p in batch])
    targets = torch.from_numpy(np.concatenate([p.targets for p in batch]) * weights) * by_class
    found = logits[rows.to(logits.device), places.to(logits.device)].log_softmax(-1)
    targets = targets.to(logits.device)
    return -(found * targets).sum() / targets.sum().clamp_min(1e-6)
