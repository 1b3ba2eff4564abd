"""Tuning of the embedded encoder's lower layers for word alignment."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spanbridge.core.learned import Arrays, write_arrays
from spanbridge.core.progress import Progress, Task, silent
from spanbridge.encode.architectures import BERT
from spanbridge.encode.deltas import packed_difference
from spanbridge.training.aligned.examples import LABELLED, Bitext, Ints
from spanbridge.training.aligned.objective import Batch, LossWeights, loss

EXAMPLES, TUNED, SETTINGS = "examples.npz", "tuned.npz", "tuned.json"
# Ids that open, close and pad every input of XLM-R's vocabulary.
SPECIAL = (0, 2, 1)
# Cells of attention, and subwords, of a batch at most.
MAX_CELLS, MAX_SUBWORDS = 4_000_000, 8192
MAX_LENGTH = 510


@dataclass(frozen=True)
class TuningSettings:
    """Settings of the training; all are written beside the result.

    Attributes:
        epochs: passes over the manuals; labelled pairs are seen ``repeats`` times in each.
        learning_rate: peak learning rate of AdamW; rises over ``warmup`` steps, then falls to 0.
        layers: number of layers that are kept and tuned; embeddings stay.
        weights: weights of the losses.
        repeats: how often each labelled pair is seen in an epoch.
        dropout: of the encoder's layers; attention has none.
        weight_decay, clip: of AdamW; greatest norm of a gradient.
        hold_out: share of the labelled English sentences that are left out, in [0, 1].
        without: patterns of sets that are left out.
        seed: seed of order and dropout.
    """

    epochs: int = 4
    learning_rate: float = 1e-4
    layers: int = 7
    weights: LossWeights = field(default_factory=LossWeights)
    repeats: int = 3
    dropout: float = 0.1
    warmup: int = 60
    weight_decay: float = 0.01
    clip: float = 1.0
    hold_out: float = 0.0
    without: tuple[str, ...] = ()
    seed: int = 0


def tune(
    work: Path,
    settings: TuningSettings,
    base: Path | None = None,
    device: str = "",
    progress: Progress = silent,
) -> None:
    """Train, and write the differences to the base and the settings into ``work``.

    Args:
        work: folder with the examples that ``prepare`` made.
        settings: what is trained.
        base: folder of the checkpoint to start from; None for the embedded encoder.
        device: of torch; empty for a GPU if there is one. The same bytes come out on one kind of
            CPU only.
        progress: told of the steps.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(settings.seed)
    bitext = Bitext.load(work / EXAMPLES)
    model = load_base(base, settings, device)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        parameter.requires_grad = name.startswith("encoder.layer.")
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        trained, lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    chosen = choose(bitext, settings)
    rng = np.random.default_rng(settings.seed)
    epochs = [list(batches(bitext, chosen, rng)) for _ in range(settings.epochs)]
    steps = [numbers for epoch in epochs for numbers in epoch]
    model.train()
    recent: deque[torch.Tensor] = deque(maxlen=100)
    task = Task("training", len(steps), lambda: f"loss {mean_of(recent):.3f}", unit="steps")
    for n, numbers in enumerate(progress(steps, task)):
        rate = settings.learning_rate * min(1.0, (n + 1) / settings.warmup)
        for group in optimiser.param_groups:
            group["lr"] = rate * (1 - n / len(steps))
        with torch.autocast(device, torch.bfloat16):
            value = loss(model, Batch(bitext, numbers, device, SPECIAL), settings.weights)
        optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(trained, settings.clip)
        optimiser.step()
        recent.append(value.detach())
    write_arrays(work / TUNED, changes(before, model.state_dict(), settings.layers))
    linked = int((np.diff(bitext.parts["links"][1]) > 0).sum())
    about = {
        "settings": asdict(settings),
        "pairs": len(bitext.sets),
        "pairs_with_links": linked,
        "made_on": f"{_name_of(device)}, torch {torch.__version__}",
    }
    (work / SETTINGS).write_text(json.dumps(about, indent=1) + "\n", "utf-8")


def mean_of(losses: Iterable[torch.Tensor]) -> float:
    """Mean of some losses; 0 of none."""
    found = list(losses)
    return float(torch.stack(found).mean()) if found else 0.0


def _name_of(device: str) -> str:
    return torch.cuda.get_device_name() if device.startswith("cuda") else device


def load_base(base: Path | None, settings: TuningSettings, device: str) -> Any:
    """The encoder without the layers above those that are tuned."""
    from transformers import BertModel

    from spanbridge.encode.export import export_embedded

    model: Any = BertModel.from_pretrained(
        base or export_embedded(),
        add_pooling_layer=False,
        num_hidden_layers=settings.layers,
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=0.0,
        # on a CPU, the gradient of torch's fast attention takes three times as long
        attn_implementation="eager" if device == "cpu" else "sdpa",
    )
    return model.to(device)


def choose(bitext: Bitext, settings: TuningSettings) -> Ints:
    """Numbers of the pairs of an epoch, labelled ones repeated."""
    names = [str(name) for name in bitext.sets]
    gold = np.array([name.partition("/")[0] in LABELLED for name in names])
    kept = np.array([not any(fnmatchcase(n, p) for p in settings.without) for n in names])
    sizes = {name: np.diff(begins) for name, (_, begins) in bitext.parts.items()}
    kept &= np.maximum(sizes["source"], sizes["target"]) <= MAX_LENGTH
    kept &= np.minimum(sizes["source"], sizes["target"]) > 0
    kept &= sizes["spans"] + sizes["links"] > 0  # others have nothing to learn from
    kept &= ~gold | (bitext.places >= settings.hold_out)
    others, labelled = np.flatnonzero(kept & ~gold), np.flatnonzero(kept & gold)
    return np.concatenate([others, *[labelled] * settings.repeats])


def batches(bitext: Bitext, chosen: Ints, rng: np.random.Generator) -> Iterator[Ints]:
    """Batches of pairs of similar length, in random order."""
    lengths = np.maximum(*(np.diff(bitext.parts[side][1]) for side in ("source", "target")))
    lengths = lengths[chosen]
    order = np.argsort(lengths + rng.random(len(lengths)) * 6, kind="stable")
    found: list[list[int]] = [[]]
    longest = 0
    for at in order.tolist():
        longest = max(longest, int(lengths[at]))
        size = len(found[-1]) + 1
        if found[-1] and (size * longest > MAX_SUBWORDS or size * longest**2 > MAX_CELLS):
            found.append([])
            longest = int(lengths[at])
        found[-1].append(int(chosen[at]))
    for at in rng.permutation(len(found)).tolist():
        yield np.array(found[at])


def changes(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor], layers: int) -> Arrays:
    """Differences of the layers, by the package's names, packed."""
    arrays: Arrays = {}
    for layer in range(layers):
        for part, name in BERT.items():
            for kind in ("weight", "bias"):
                key = f"{name.format(layer)}.{kind}"
                old, new = (tensors[key].float().cpu().numpy() for tensors in (before, after))
                arrays |= packed_difference(f"{layer}.{part}.{kind}", old, new)
    return arrays
