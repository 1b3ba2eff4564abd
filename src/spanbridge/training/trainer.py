"""The training loop: encoder, classifier, labelled sentences, and an optional further objective.

All randomness comes from the seed, the order of batches from the seed and the epoch alone, so a
killed training is resumed from its last state with the same final weights (on the same kind of
processor, with the same number of threads).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.progress import Progress, Task, silent
from spanbridge.core.spans import Sentence
from spanbridge.encode.tokenizer import HuggingFaceTokenizer
from spanbridge.evaluation import evaluate_spans
from spanbridge.tagging.base import decode
from spanbridge.tagging.encoder_tagger import softmax
from spanbridge.tagging.transformers_tagger import Classifier, longest_input
from spanbridge.training.augmentation import with_other_names
from spanbridge.training.examples import Labelled, Piece, batches, pieces
from spanbridge.training.loss import class_weights, label_loss
from spanbridge.training.resume import load_state, save_state
from spanbridge.training.settings import Settings

SAVE_SECONDS = 120.0
SHOW_STEPS = 100
# Interval, in steps, at which weights are averaged.
AVERAGE_EVERY = 10
Tensors = dict[str, torch.Tensor]


class Objective(Protocol):
    """A training objective in addition to the labels, such as hiding the language.

    Attributes:
        module: its own parameters, trained with the model's.
    """

    module: torch.nn.Module

    def loss(self, states: torch.Tensor, mask: torch.Tensor, model: Any, step: int) -> torch.Tensor:
        """Loss to add to that of the labels.

        Args:
            states: last hidden states of the labelled batch, [batch, tokens, hidden].
            mask: its attention mask, [batch, tokens].
            model: encoder for the states of other text.
            step: number of the batch, from 0.
        """
        ...

    def report(self) -> dict[str, float]:
        """Figures since the last report, for the history."""
        ...


@dataclass
class Position:
    """Position and intermediate results of a training.

    Attributes:
        epoch, batch: the next batch to learn from.
        step: number of batches learned from so far.
        best_f1: best dev F1 so far; -1 before the first evaluation.
        best_epoch: epoch of ``best_f1``.
        history: one row per epoch.
        averaged: number of steps in the mean of weights.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best_f1: float = -1.0
    best_epoch: int = -1
    history: list[dict[str, float]] = field(default_factory=list)
    averaged: int = 0


class Trainer:
    """Trainer of a token classifier.

    Args:
        model: a transformers model with a new or trained classifier.
        tokenizer: the model's tokenizer.
        classes: IOB2 classes in the order of the classifier's outputs.
        settings: training settings.
        tell: called after each epoch with its figures.
        objective: further objective, if any.
        progress: shows the progress.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: HuggingFaceTokenizer,
        classes: Sequence[str],
        settings: Settings,
        tell: Callable[[dict[str, float]], None] = lambda figures: None,
        objective: Objective | None = None,
        progress: Progress = silent,
    ) -> None:
        self.model = model
        self._tokenizer = tokenizer
        self._classes = tuple(classes)
        self._settings = settings
        self._tell = tell
        self._objective = objective
        self._progress = progress
        self._device = str(next(model.parameters()).device)
        groups = parameter_groups(model, settings)
        if objective is not None:
            objective.module.to(self._device)
            rate = {"lr": settings.learning_rate}
            groups.append({"params": list(objective.module.parameters()), **rate})
        self._rates = [group["lr"] for group in groups]
        self._optimizer = torch.optim.AdamW(groups, weight_decay=settings.weight_decay, fused=True)
        self._class_weights = torch.from_numpy(class_weights(classes, settings.class_weights))
        self._best: Tensors = {}
        self._mean: Tensors = {}

    def fit(
        self, examples: Sequence[Labelled], dev: Sequence[Sentence], folder: Path, signature: str
    ) -> Position:
        """Train, and leave the best weights (on dev, else the last ones) in the model.

        Args:
            examples: training examples.
            dev: sentences for choosing the best epoch and for early stopping; may be empty.
            folder: folder for the state; the caller deletes it after saving the result.
            signature: data and settings; a state with another signature is not resumed.

        Raises:
            SpanbridgeError: the folder holds the state of another training, or no example has a
                word.
            InputError: the state is damaged.
        """
        settings = self._settings
        torch.set_num_threads(settings.threads)
        plan = self._plan(examples)
        n_steps = sum(map(len, plan))
        torch.manual_seed(settings.seed)
        now = self._take_up(folder, signature) or Position()
        saved = time.monotonic()
        losses: list[float] = []
        going = iter(self._progress(range(now.step, n_steps), self._task(now, n_steps, losses)))
        while now.epoch < settings.epochs:
            self._learning()
            for batch, _ in zip(plan[now.epoch][now.batch :], going, strict=False):
                losses.append(self._learn(batch, now.step, n_steps))
                now.step += 1
                now.batch += 1
                self._average(now, n_steps)
                if time.monotonic() - saved > SAVE_SECONDS:
                    self._save(folder, signature, now)
                    saved = time.monotonic()
            self._end_epoch(now, dev, losses)
            losses.clear()
            if settings.patience and now.epoch - 1 - now.best_epoch >= settings.patience:
                break
            self._save(folder, signature, now)
            saved = time.monotonic()
        del going  # which ends what is shown
        self._choose(now, dev)
        self.model.eval()
        return now

    def _task(self, now: Position, n_steps: int, losses: list[float]) -> Task:
        """The steps that are left, with the epoch and the mean of the last losses."""

        def state() -> str:
            epoch = f"epoch {min(now.epoch + 1, self._settings.epochs)}"
            return f"{epoch}, loss {np.mean(losses[-50:]):.4g}" if losses else epoch

        return Task("train", n_steps - now.step, state, "steps", SHOW_STEPS)

    def _learning(self) -> None:
        """Set training mode, without dropout in frozen layers, so that their output is constant."""
        self.model.train()
        for module in self.model.base_model.modules():
            own = list(module.parameters())
            if own and not any(p.requires_grad for p in own):
                module.eval()

    def _average(self, now: Position, n_steps: int) -> None:
        if now.step <= (1 - self._settings.average) * n_steps or now.step % AVERAGE_EVERY:
            return
        now.averaged += 1
        for name, value in self._trained().items():
            if name in self._mean:
                self._mean[name].lerp_(value.detach(), 1 / now.averaged)
            else:
                self._mean[name] = value.detach().clone()

    def _choose(self, now: Position, dev: Sequence[Sentence]) -> None:
        """Load the weights to keep: the best epoch's, or the mean if it is better, or the last."""
        if self._mean:
            self._restore(self._mean)
            if not dev:
                return
            f1 = self.f1(dev)
            now.history.append({"averaged": float(now.averaged), "dev_f1": f1})
            self._tell(now.history[-1])
            if f1 > now.best_f1:
                return
        if self._best:
            self._restore(self._best)

    def _plan(self, examples: Sequence[Labelled]) -> list[list[list[Piece]]]:
        """The batches of each epoch."""
        settings, plan = self._settings, []
        items = self._pieces(examples)
        if not items:
            raise SpanbridgeError("there is nothing to learn from: no sentence has a word")
        for epoch in range(settings.epochs):
            seed = f"{settings.seed}/{epoch}"
            if settings.other_names:
                share = settings.other_names
                items = self._pieces(with_other_names(examples, self._classes, share, seed))
            plan.append(list(batches(items, settings.batch_tokens, seed)))
        return plan

    def _pieces(self, examples: Iterable[Labelled]) -> list[Piece]:
        longest = longest_input(self.model.config)
        return [p for e in examples for p in pieces(e, self._tokenizer, longest)]

    def _end_epoch(self, now: Position, dev: Sequence[Sentence], losses: list[float]) -> None:
        row = {"epoch": float(now.epoch + 1)}
        if losses:
            row["loss"] = float(np.mean(losses))
        if self._objective is not None:
            row |= self._objective.report()
        if dev:
            row["dev_f1"] = f1 = self.f1(dev)
            if f1 > now.best_f1:
                now.best_f1, now.best_epoch = f1, now.epoch
                self._best = {k: t.detach().clone() for k, t in self._trained().items()}
        now.history.append(row)
        now.epoch, now.batch = now.epoch + 1, 0
        self._tell(row)

    def _learn(self, batch: Sequence[Piece], step: int, n_steps: int) -> float:
        settings = self._settings
        warm = max(1, int(settings.warmup * n_steps))
        factor = min((step + 1) / warm, max(0.0, (n_steps - step) / max(1, n_steps - warm)))
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        ids, mask = pad(batch, self.model.config.pad_token_id or 0, self._device)
        mixed = settings.precision == "bfloat16"
        with (
            torch.autocast(self._device.partition(":")[0], torch.bfloat16)
            if mixed
            else nullcontext()
        ):
            output = self.model(
                input_ids=ids,
                attention_mask=mask,
                output_hidden_states=self._objective is not None,
            )
        loss = label_loss(output.logits.float(), batch, self._class_weights)
        if self._objective is not None:
            states = output.hidden_states[-1].float()
            loss = loss + self._objective.loss(states, mask, self.model, step)
        if not torch.isfinite(loss):
            raise SpanbridgeError(
                f"the loss of step {step + 1} is {loss.item()}; weights of data or classes are too "
                "large, or the learning rate is"
            )
        loss.backward()  # type: ignore[no-untyped-call]
        trained = [p for group in self._optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(trained, settings.clip)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return float(loss.item())

    def trial(self, examples: Sequence[Labelled], n_steps: int) -> float:
        """Seconds per subword, by some steps after a first one; they spoil the model."""
        torch.set_num_threads(self._settings.threads)
        order = list(batches(self._pieces(examples), self._settings.batch_tokens, "trial"))
        self._learning()
        self._learn(order[0], 0, n_steps)
        timed = [order[step % len(order)] for step in range(n_steps)]
        started = time.monotonic()
        for step, batch in enumerate(timed):
            self._learn(batch, step, n_steps)
        n = sum(len(piece.ids) for batch in timed for piece in batch)
        return (time.monotonic() - started) / n

    def f1(self, sentences: Sequence[Sentence]) -> float:
        """Micro F1 of entities; leaves the model in evaluation mode."""
        self.model.eval()
        pad_id = self.model.config.pad_token_id or 0
        longest = longest_input(self.model.config)
        classifier = Classifier(self.model, self._tokenizer, longest, pad_id, self._device)
        predicted = []
        found = classifier.logits([s.words for s in sentences])
        for sentence, (logits, words) in zip(sentences, found, strict=True):
            p = np.zeros((len(sentence.words), len(self._classes)), np.float32)
            p[:, 0] = 1
            p[words] = softmax(logits)
            predicted.append(sentence.with_spans(decode(p, self._classes)))
        return evaluate_spans(list(sentences), predicted).micro.f1

    def _trained(self) -> Tensors:
        return {name: p for name, p in self.model.named_parameters() if p.requires_grad}

    def _restore(self, values: Tensors) -> None:
        with torch.no_grad():
            for name, parameter in self._trained().items():
                parameter.copy_(values[name])

    def _save(self, folder: Path, signature: str, now: Position) -> None:
        tensors = {f"model.{name}": t for name, t in self._trained().items()}
        tensors |= {f"best.{name}": t for name, t in self._best.items()}
        tensors |= {f"mean.{name}": t for name, t in self._mean.items()}
        if self._objective is not None:
            own = self._objective.module.state_dict()
            tensors |= {f"objective.{name}": t for name, t in own.items()}
        for number, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": t for name, t in state.items()}
        tensors["random"] = torch.get_rng_state()
        save_state(folder, tensors, {"signature": signature, "progress": asdict(now)})

    def _take_up(self, folder: Path, signature: str) -> Position | None:
        found = load_state(folder)
        if found is None:
            return None
        tensors, rest = found
        if rest.get("signature") != signature:
            raise SpanbridgeError(
                f"{folder} holds the state of another training (other data or settings): "
                f"{rest.get('signature')}; train in another folder, or delete it"
            )

        def part(name: str) -> Tensors:
            start = f"{name}."
            return {k.removeprefix(start): t for k, t in tensors.items() if k.startswith(start)}

        self._restore(part("model"))
        self._best = {k: t.to(self._device) for k, t in part("best").items()}
        self._mean = {k: t.to(self._device) for k, t in part("mean").items()}
        if self._objective is not None:
            self._objective.module.load_state_dict(part("objective"))
        state: dict[int, Tensors] = {}
        for name, tensor in part("optimizer").items():
            number, _, key = name.partition(".")
            state.setdefault(int(number), {})[key] = tensor
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": state, "param_groups": groups})
        torch.set_rng_state(tensors["random"])
        return Position(**rest["progress"])


def parameter_groups(model: Any, settings: Settings) -> list[dict[str, Any]]:
    """Parameters to train, by layer, with their learning rates; all others are frozen.

    Raises SpanbridgeError if all layers would be frozen.
    """
    base = model.base_model
    layers = base.transformer.layer if hasattr(base, "transformer") else base.encoder.layer
    if settings.frozen_layers > len(layers):
        raise SpanbridgeError(
            f"{settings.frozen_layers} layers are to be frozen, but the encoder has {len(layers)}"
        )
    base.embeddings.requires_grad_(not settings.freeze_embeddings)
    groups: list[dict[str, Any]] = []
    own = {id(p) for p in base.parameters()}
    head = [p for p in model.parameters() if id(p) not in own]
    groups.append({"params": head, "lr": settings.learning_rate * settings.classifier_rate})
    for depth, layer in enumerate(reversed(layers)):
        if depth < len(layers) - settings.frozen_layers:
            rate = settings.learning_rate * settings.layer_decay**depth
            groups.append({"params": list(layer.parameters()), "lr": rate})
        else:
            layer.requires_grad_(False)
    if not settings.freeze_embeddings:
        rate = settings.learning_rate * settings.layer_decay ** len(layers)
        groups.append({"params": list(base.embeddings.parameters()), "lr": rate})
    return groups


def pad(batch: Sequence[Piece], pad_id: int, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and attention mask, [batch, tokens] each."""
    longest = max(len(piece.ids) for piece in batch)
    ids = torch.full((len(batch), longest), pad_id)
    mask = torch.zeros((len(batch), longest), dtype=torch.long)
    for row, piece in enumerate(batch):
        ids[row, : len(piece.ids)] = torch.tensor(piece.ids)
        mask[row, : len(piece.ids)] = 1
    return ids.to(device), mask.to(device)
