"""Training settings, apart from the data."""

from __future__ import annotations

from dataclasses import dataclass

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.similar import not_named
from spanbridge.core.threads import MAX_THREADS

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Settings:
    """Settings of training a token classifier; every field is part of the run's signature.

    Attributes:
        epochs: passes over the data, at most.
        learning_rate: peak learning rate of the encoder's last layer.
        classifier_rate: learning rate of the classifier, which is new, as a multiple of that.
        layer_decay: factor of the learning rate from each layer to the one below, in (0, 1].
        batch_tokens: tokens per batch, padding included.
        warmup: share of the steps in which the learning rate rises, before it falls to 0.
        weight_decay: weight decay of AdamW.
        other_names: share of the sentences with names in which some are replaced by names of other
            sentences that have the same label, anew in each epoch.
        dropout: dropout of the encoder's layers; attention has none.
        freeze_embeddings: keep the embeddings fixed: cheaper, and preserves words of languages that
            are not in the data.
        frozen_layers: number of lowest layers kept fixed (Wu and Dredze 2019, section 5.3).
        clip: greatest norm of a step's gradient.
        average: last share of the steps whose weights are averaged (Schmidt et al. 2023 average
            checkpoints for cross-lingual transfer); with a dev file, the mean is taken if it is
            better than every epoch. 0 averages none.
        patience: evaluations without a better dev F1 before training stops; 0 never stops early.
        class_weights: loss weights of the words of a label (default 1), such as ``(("O", 0.5),)``;
            O is for words outside spans.
        precision: ``float32``, or ``bfloat16`` for matrix products if the processor supports it.
        seed: random seed of the order, of dropout, and of the classifier's initial weights.
        threads: threads of torch; results are reproducible to the byte only for the same number.
        device: device of torch, such as ``cpu`` or ``cuda``; empty takes a GPU if there is one.
            Results are reproducible to the byte on a CPU only.
    """

    epochs: int = 3
    learning_rate: float = 2e-4
    classifier_rate: float = 1.0
    layer_decay: float = 1.0
    batch_tokens: int = 768
    warmup: float = 0.1
    weight_decay: float = 0.01
    other_names: float = 0.0
    dropout: float = 0.1
    freeze_embeddings: bool = True
    frozen_layers: int = 0
    clip: float = 1.0
    average: float = 0.0
    patience: int = 0
    class_weights: tuple[tuple[str, float], ...] = ()
    precision: str = "float32"
    seed: int = 0
    threads: int = 2
    device: str = ""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("epochs", 1, 10_000),
            ("learning_rate", 1e-9, 1.0),
            ("classifier_rate", 1e-3, 1e3),
            ("layer_decay", 1e-3, 1.0),
            ("batch_tokens", 8, 10**7),
            ("warmup", 0.0, 1.0),
            ("weight_decay", 0.0, 1.0),
            ("other_names", 0.0, 1.0),
            ("dropout", 0.0, 0.9),
            ("frozen_layers", 0, 1000),
            ("clip", 1e-6, 1e6),
            ("average", 0.0, 1.0),
            ("patience", 0, 10_000),
            ("seed", 0, 2**63 - 1),
            ("threads", 1, MAX_THREADS),
        ):
            if not low <= getattr(self, name) <= high:
                raise SpanbridgeError(
                    f"{name} is {getattr(self, name)}, but lies between {low} and {high}"
                )
        for label, weight in self.class_weights:
            if not 0 <= weight < float("inf"):
                raise SpanbridgeError(f"the weight of {label} is {weight}, but must be 0 or more")
        if self.precision not in PRECISIONS:
            raise SpanbridgeError(not_named("precision", self.precision, PRECISIONS))
