"""Adversarial alignment: a discriminator tells languages apart, the encoder learns to hide them.

Gradient reversal (Ganin et al. 2016) on the encoder's last states, as Keung, Lu and Bhardwaj (2019)
and Chen et al. (2021) do for cross-lingual NER: the discriminator learns to tell the labelled text
from texts of the target languages, by subword (``token``) or by the mean of a sentence
(``sentence``); the reversed gradient makes the encoder's states alike. The trained discriminator is
saved beside the tagger (``discriminator.safetensors``) for :mod:`~spanbridge.training.selection`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.similar import not_named
from spanbridge.training.examples import Piece, batches
from spanbridge.training.trainer import pad

LEVELS = ("token", "sentence", "both")


@dataclass(frozen=True)
class Adversary:
    """Settings of adversarial alignment.

    Attributes:
        weight: weight of the reversed gradient, above 0.
        level: ``token``, ``sentence`` or ``both``.
        hidden: width of the discriminator's hidden layer.

    Raises:
        SpanbridgeError: a value is out of range.
    """

    weight: float = 0.1
    level: str = "sentence"
    hidden: int = 128

    def __post_init__(self) -> None:
        if not 0 < self.weight < float("inf"):
            raise SpanbridgeError(
                f"the adversary's weight is {self.weight}, but must be above 0 and finite"
            )
        if self.level not in LEVELS:
            raise SpanbridgeError(not_named("level", self.level, LEVELS))


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: torch.Tensor, weight: float) -> torch.Tensor:
        ctx.weight = weight
        return states.view_as(states)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return -ctx.weight * gradient, None


class AdversarialObjective:
    """Adversarial objective for :class:`~spanbridge.training.trainer.Trainer`.

    Args:
        texts: unlabelled pieces, one list per target language.
        width: width of the encoder's states.
        how: settings.
        batch_tokens: tokens per batch of target text.
        seed: random seed of the discriminator's initial weights and of the order of the text.

    Attributes:
        module: the discriminators, by level; class 0 is the labelled text, the others are the texts
            in their order.
    """

    def __init__(
        self,
        texts: Sequence[Sequence[Piece]],
        width: int,
        how: Adversary,
        batch_tokens: int,
        seed: int,
    ) -> None:
        if not all(texts):
            raise SpanbridgeError("a text for adversarial training has no words")
        self._texts = [list(text) for text in texts]
        self._how = how
        self._batch_tokens = batch_tokens
        self._seed = seed
        self._orders: dict[int, tuple[int, list[list[Piece]]]] = {}
        levels = ("token", "sentence") if how.level == "both" else (how.level,)
        torch.manual_seed(seed)
        self.module: Any = discriminators(width, how.hidden, levels, 1 + len(texts))
        self._n_right = self._n_seen = 0

    def loss(self, states: torch.Tensor, mask: torch.Tensor, model: Any, step: int) -> torch.Tensor:
        """Cross-entropy of the discriminators; its gradient reaches the encoder reversed."""
        own = step % len(self._texts)
        device = str(states.device)
        ids, other_mask = pad(self._batch(own, step), model.config.pad_token_id or 0, device)
        output = model.base_model(input_ids=ids, attention_mask=other_mask)
        total = states.new_zeros(())
        for level, discriminator in self.module.items():
            seen = [
                at_level(level, states, mask),
                at_level(level, output.last_hidden_state.float(), other_mask),
            ]
            truth = torch.cat(
                [torch.full((len(s),), n) for s, n in zip(seen, (0, own + 1), strict=True)]
            ).to(states.device)
            hidden = _Reverse.apply(torch.cat(seen), self._how.weight)  # type: ignore[no-untyped-call]
            logits = discriminator(hidden)
            total = total + torch.nn.functional.cross_entropy(logits, truth)
            self._n_right += int((logits.argmax(1) == truth).sum())
            self._n_seen += len(truth)
        return total

    def _batch(self, text: int, step: int) -> list[Piece]:
        """Batch of a step; it depends on the step alone, so that resuming changes nothing."""
        at = step // len(self._texts)
        epoch = 0
        while True:
            if self._orders.get(text, (-1, []))[0] != epoch:
                self._orders[text] = (epoch, list(self._order(text, epoch)))
            order = self._orders[text][1]
            if at < len(order):
                return order[at]
            at -= len(order)
            epoch += 1

    def _order(self, text: int, epoch: int) -> Iterator[list[Piece]]:
        seed = f"{self._seed}/adversarial/{text}/{epoch}"
        return batches(self._texts[text], self._batch_tokens, seed)

    def report(self) -> dict[str, float]:
        """Accuracy of the discriminators since the last report.

        Chance is 1 / 2, since each step shows the labelled text and one other.
        """
        accuracy = self._n_right / max(self._n_seen, 1)
        self._n_right = self._n_seen = 0
        return {"discriminator_accuracy": accuracy}


def discriminators(width: int, hidden: int, levels: Sequence[str], n_languages: int) -> Any:
    """New discriminators by level, from states of the given width to logits of the languages."""
    return torch.nn.ModuleDict(
        {
            level: torch.nn.Sequential(
                torch.nn.Linear(width, hidden),
                torch.nn.ReLU(),
                torch.nn.Linear(hidden, n_languages),
            )
            for level in levels
        }
    )


def at_level(level: str, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """States of tokens [n, width], or means of sentences [batch, width], without padding."""
    if level == "token":
        return states[mask.bool()]
    kept = mask.unsqueeze(-1).to(states.dtype)
    return (states * kept).sum(1) / kept.sum(1)
