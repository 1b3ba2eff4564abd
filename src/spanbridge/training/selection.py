"""Selection of unlabelled sentences whose language the discriminator is least sure of.

Chen et al. (2021, "AdvPicker") train a teacher and a language discriminator against each other; the
student then learns only from these sentences, since there the teacher's predictions rest on
features that the languages share.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.tagging.base import Words

if TYPE_CHECKING:
    from spanbridge.training.examples import Piece

DISCRIMINATOR = "discriminator.safetensors"
# Pieces per batch.
BATCH = 32


def save_discriminator(module: Any, folder: Path) -> None:
    """Save discriminators beside the tagger that they were trained with."""
    from safetensors.torch import save_file

    save_file(
        {name: t.detach().cpu().contiguous() for name, t in module.state_dict().items()},
        folder / DISCRIMINATOR,
    )


def language_independent(
    taggers: Sequence[str], sentences: Sequence[Words], share: float
) -> list[Words]:
    """The share of the sentences whose language a tagger's discriminator is least sure of.

    Args:
        taggers: folders; the first one that was trained with an adversary is used.
        sentences: sentences of a language used in its adversarial training.
        share: in (0, 1]; at least one sentence is kept.

    Returns:
        The sentences with the least ``abs(p - 1/2)``, in their order; p is the probability of the
        labelled text's language (mean over levels, and over the words of a sentence).

    Raises:
        SpanbridgeError: the share is out of range, or no tagger has a discriminator.
        InputError: the discriminator cannot be read.
    """
    if not 0 < share <= 1:
        raise SpanbridgeError(f"the share to be selected is {share}, but lies in (0, 1]")
    folders = [Path(name) for name in taggers if (Path(name) / DISCRIMINATOR).is_file()]
    if not folders:
        raise SpanbridgeError(
            f"none of {', '.join(taggers)} holds a {DISCRIMINATOR}; sentences can be selected by a "
            "teacher that was trained with --adversarial"
        )
    p = _labelled_language(folders[0], sentences)
    n = max(1, math.ceil(share * len(sentences)))
    kept = heapq.nsmallest(n, range(len(p)), key=lambda k: (abs(p[k] - 0.5), k))
    return [sentences[k] for k in sorted(kept)]


def _labelled_language(folder: Path, sentences: Sequence[Words]) -> list[float]:
    """Probability that each sentence is in the labelled text's language."""
    import numpy as np
    import torch

    from spanbridge.encode.tokenizer import HuggingFaceTokenizer
    from spanbridge.tagging.transformers_tagger import load_classifier, longest_input
    from spanbridge.training.adversarial import at_level
    from spanbridge.training.examples import Labelled, pieces
    from spanbridge.training.trainer import pad

    module = _load(folder)
    model = load_classifier(folder).eval()
    tokenizer = HuggingFaceTokenizer(folder / "tokenizer.json", model.config.vocab_size)
    by_length: dict[int, list[tuple[int, Piece]]] = defaultdict(list)
    for n, words in enumerate(sentences):
        example = Labelled(tuple(words), np.zeros((len(words), 1), np.float32))
        for piece in pieces(example, tokenizer, longest_input(model.config)):
            by_length[len(piece.ids)].append((n, piece))
    said: list[list[float]] = [[] for _ in sentences]
    for _, rows in sorted(by_length.items()):  # equal lengths, so no padding
        for at in range(0, len(rows), BATCH):
            part = rows[at : at + BATCH]
            ids, mask = pad([piece for _, piece in part], model.config.pad_token_id or 0, "cpu")
            with torch.inference_mode():
                states = model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
                levels = [
                    d(at_level(name, states, mask)).softmax(-1)[:, 0].reshape(len(part), -1).mean(1)
                    for name, d in module.items()
                ]
            for (n, _), p in zip(part, torch.stack(levels).mean(0).tolist(), strict=True):
                said[n].append(p)
    return [sum(p) / len(p) if p else 0.0 for p in said]


def _load(folder: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from spanbridge.training.adversarial import discriminators

    path = folder / DISCRIMINATOR
    try:
        tensors = load_file(path)
        levels = sorted({name.partition(".")[0] for name in tensors})
        hidden, width = tensors[f"{levels[0]}.0.weight"].shape
        module = discriminators(width, hidden, levels, len(tensors[f"{levels[0]}.2.weight"]))
        module.load_state_dict(tensors)
    except (OSError, SafetensorError, IndexError, KeyError, ValueError, RuntimeError) as error:
        raise InputError(path, None, f"is no discriminator: {error}") from error
    return module.eval()
