"""Taggers in checkpoints of Hugging Face's layout: their folder, classes and classifier."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.records import read_record
from spanbridge.core.tags import Scheme
from spanbridge.encode import load_encoder
from spanbridge.encode.checkpoint import Checkpoint, checkpoint_folder, licence_of
from spanbridge.tagging.base import SchemeMap
from spanbridge.tagging.encoder_tagger import EncoderTagger, Head

# Record of a tagger that was trained here.
RECORD = "training.json"
# In nats; `python -m benchmarks tagging` measures what other values cost and bring.
RECHECK = 1.0


class CheckpointTagger(EncoderTagger):
    """A fine-tuned BERT, RoBERTa/XLM-R or DistilBERT token classifier, without torch.

    Args:
        model: a folder with the checkpoint (as `spanbridge train` and transformers save it), or an
            id on the Hugging Face Hub.
        scheme: tag scheme of the model's classes; None finds out (see
            :class:`~spanbridge.tagging.base.SchemeMap`).
        compute_type: ``int8`` (default), ``float32``, or another that CTranslate2 has here.
        threads: sentences at the same time; by default one per core.
        recheck: in int8, least difference of logits (nats) between a word's two most probable
            classes that is trusted; the others' sentences are encoded again in float32.
        classes: names of the model's classes, in order, separated by commas (``O,B-PER,I-PER``),
            where its own are no tags.

    Raises:
        MissingExtraError: ``spanbridge[hf]`` is not installed.
        SpanbridgeError: it is no token classifier, or cannot be used; the message says why.
    """

    requires = ("safetensors", "tokenizers")

    def __init__(
        self,
        model: str,
        scheme: Scheme | None = None,
        compute_type: str = "int8",
        threads: int | None = None,
        recheck: float = RECHECK,
        classes: str | None = None,
    ) -> None:
        folder = tagger_folder(model)
        checkpoint = Checkpoint(folder)
        names = class_names(folder)
        load = partial(
            load_encoder,
            str(folder),
            layer=checkpoint.n_layers,
            threads=threads,
            joined=False,
            remember=False,
        )
        head, schemes = classifier(checkpoint, len(names)), SchemeMap(names, scheme, classes)
        super().__init__("checkpoint", load, head, schemes, compute_type, recheck)
        self.licence = licence_of(folder)


def tagger_folder(model: str) -> Path:
    """The folder of a tagger's checkpoint, fetched from the Hub where the name is an id.

    What `spanbridge train` saved is checked against its record. Raises InputError if it is damaged;
    otherwise as :func:`~spanbridge.encode.checkpoint.checkpoint_folder`.
    """
    if Path(model).is_file():
        why = "is a file, but a tagger is a folder; for tags from a file name the tagger 'given'"
        raise InputError(model, None, why)
    folder = checkpoint_folder(model)
    if (folder / RECORD).is_file():
        read_record(
            folder / RECORD, f"train again, or delete {RECORD} if it was changed on purpose"
        )
    return folder


def class_names(folder: Path) -> list[str]:
    """Names of a checkpoint's classes, in order.

    Raises:
        InputError: it names none, or not one for each number.
    """
    path = folder / "config.json"
    try:
        names = json.loads(path.read_text("utf-8")).get("id2label")
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(path, None, f"cannot be read: {error}") from error
    if not isinstance(names, dict) or set(names) != {str(n) for n in range(len(names))}:
        raise InputError(path, None, "has no id2label with a name for each class; is it a tagger?")
    return [str(names[str(n)]) for n in range(len(names))]


def classifier(checkpoint: Checkpoint, n_classes: int) -> Head:
    """A checkpoint's classifier. Raises SpanbridgeError if it has other than ``n_classes``."""
    weight, bias = (checkpoint.read(f"classifier.{kind}") for kind in ("weight", "bias"))
    if weight.ndim != 2 or len(weight) != n_classes or bias.shape != (n_classes,):
        raise SpanbridgeError(
            f"{checkpoint.folder}: the classifier has {len(weight)} outputs, but config.json names "
            f"{n_classes} classes; do they belong together?"
        )
    return Head(weight, bias)
