"""What a training depends on, apart from its data."""

from __future__ import annotations

from dataclasses import dataclass

from spanbridge.core.errors import SpanbridgeError

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Settings:
    """How a token classifier is trained. Every field is a part of the run's signature.

    Attributes:
        epochs: passes over the data, at most.
        learning_rate: of the last layer, at its height.
        classifier_rate: how many times that the classifier's is, which starts from nothing.
        layer_decay: the learning rate of each layer below is this much of the one above, in (0, 1].
        batch_tokens: tokens of a batch, padding counted.
        warmup: share of the steps in which the learning rate rises, before it falls to 0.
        weight_decay: of AdamW.
        dropout: of the encoder's layers; attention has none.
        freeze_embeddings: leave the embeddings as they are: cheaper, and words of languages that
            the data do not hold keep their place.
        frozen_layers: lowest layers that are left as they are (Wu and Dredze 2019, section 5.3).
        clip: greatest norm of a step's gradient.
        average: last share of the steps whose weights are averaged in the end (Schmidt et al. 2023
            average checkpoints for cross-lingual transfer); with a dev file the mean is taken if
            it is better than every epoch. 0 averages none.
        patience: stop when so many evaluations brought no better dev F1; 0 never stops early.
        class_weights: how much the words of a label count against others (1), such as
            ``(("O", 0.5),)``; O are the words outside.
        precision: ``float32``, or ``bfloat16`` for the matrix products where the processor has it.
        seed: of the order, of dropout, and of the classifier's first weights.
        threads: of torch; results are the same bytes for the same number only.
        device: of torch, such as ``cpu`` or ``cuda``; empty takes a GPU where there is one. Same
            bytes are promised on a processor only.
    """

    epochs: int = 3
    learning_rate: float = 2e-4
    classifier_rate: float = 1.0
    layer_decay: float = 1.0
    batch_tokens: int = 768
    warmup: float = 0.1
    weight_decay: float = 0.01
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
            ("dropout", 0.0, 0.9),
            ("frozen_layers", 0, 1000),
            ("clip", 1e-6, 1e6),
            ("average", 0.0, 1.0),
            ("patience", 0, 10_000),
            ("seed", 0, 2**63 - 1),
            ("threads", 1, 4096),
        ):
            if not low <= getattr(self, name) <= high:
                raise SpanbridgeError(
                    f"{name} is {getattr(self, name)}, but lies between {low} and {high}"
                )
        for label, weight in self.class_weights:
            if not 0 <= weight < float("inf"):
                raise SpanbridgeError(f"the weight of {label} is {weight}, but must be 0 or more")
        if self.precision not in PRECISIONS:
            raise SpanbridgeError(
                f"no precision is named {self.precision!r}; there are: {', '.join(PRECISIONS)}"
            )
