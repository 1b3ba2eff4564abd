"""Loading of a checkpoint to train, and saving of the tagger: weights, tokenizer, model card."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError
from spanbridge.core.files import atomic_output
from spanbridge.core.records import write_record
from spanbridge.core.temporary import place
from spanbridge.encode.checkpoint import Checkpoint, checkpoint_folder
from spanbridge.encode.export import export_embedded
from spanbridge.encode.load import EMBEDDED
from spanbridge.encode.tokenizer import HuggingFaceTokenizer
from spanbridge.tagging.checkpoint_tagger import RECORD, class_names
from spanbridge.tagging.transformers_tagger import load_classifier
from spanbridge.training.settings import Settings

CONFIG = "config.json"
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)


def find_checkpoint(name: str) -> Checkpoint:
    """Find a checkpoint by folder, Hub id, or ``multilingual-e5-small`` (embedded).

    Raises as :class:`~spanbridge.encode.checkpoint.Checkpoint`.
    """
    if name == EMBEDDED:
        return Checkpoint(export_embedded())
    return Checkpoint(checkpoint_folder(name))


def new_model(
    checkpoint: Checkpoint, classes: Sequence[str], settings: Settings
) -> tuple[Any, HuggingFaceTokenizer]:
    """The encoder with a classifier, and its tokenizer.

    A checkpoint that is a tagger with the same classes keeps its classifier; otherwise a new one is
    initialised from the seed.

    Raises:
        SpanbridgeError: as :func:`~spanbridge.tagging.transformers_tagger.load_classifier`.
    """
    layers, attention = "hidden_dropout_prob", "attention_probs_dropout_prob"
    if checkpoint.model_type == "distilbert":
        layers, attention = "dropout", "attention_dropout"
    model = load_classifier(
        checkpoint.folder,
        new_head=True,
        # on a CPU, the gradient of torch's fast attention takes three times as long
        attn_implementation="eager" if settings.device == "cpu" else "sdpa",
        num_labels=len(classes),
        id2label=dict(enumerate(classes)),
        label2id={name: n for n, name in enumerate(classes)},
        **{layers: settings.dropout, attention: 0.0},
    )
    if _class_names(checkpoint) != list(classes):  # outputs, if any, of other classes
        import torch

        torch.manual_seed(settings.seed)
        torch.nn.init.normal_(model.classifier.weight, std=0.02)
        torch.nn.init.zeros_(model.classifier.bias)
    return model, HuggingFaceTokenizer(checkpoint.tokenizer_file, checkpoint.n_ids)


def _class_names(checkpoint: Checkpoint) -> list[str] | None:
    try:
        return class_names(checkpoint.folder)
    except InputError:  # an encoder without a classifier names none
        return None


def save_model(model: Any, checkpoint: Checkpoint, folder: Path) -> None:
    """Save the trained tagger with its checkpoint's tokenizer, for `spanbridge tag` and the Hub."""
    model.save_pretrained(folder, safe_serialization=True)
    for name in _TOKENIZER_FILES:
        if (checkpoint.folder / name).is_file():
            shutil.copyfile(checkpoint.folder / name, folder / name)


def publish(work: Path, folder: Path) -> None:
    """Move a saved tagger's files into a folder, ``config.json``, without which it is none, last.

    Raises OSError.
    """
    (folder / CONFIG).unlink(missing_ok=True)
    for path in sorted(work.iterdir(), key=lambda path: path.name == CONFIG):
        place(path, folder / path.name)


def save_account(folder: Path, card: str, about: Mapping[str, Any]) -> None:
    """Write ``README.md`` (model card) and ``training.json`` (scores, settings, data, history).

    The latter is the record of the whole folder.
    """
    with atomic_output(folder / "README.md") as out:
        out.write(card)
    names = ("*.json", "*.safetensors")  # the card may be edited
    files = sorted({path for name in names for path in folder.glob(name)} - {folder / RECORD})
    write_record(folder / RECORD, about, files)
