"""Token classifiers through CTranslate2 and a NumPy head: no torch, int8, any number of cores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.records import read_record
from spanbridge.core.tags import Scheme
from spanbridge.encode import load_encoder
from spanbridge.encode.checkpoint import Checkpoint, checkpoint_folder, licence_of
from spanbridge.encode.encoder import EncodedSentence
from spanbridge.tagging.base import Probabilities, SchemeMap, Tagged, Tagger, Words, decode

# Record of a tagger that was trained here.
RECORD = "training.json"
# Sentences encoded at a time: enough for batches of equal length, few enough for memory.
CHUNK = 512
# In nats; `python -m benchmarks tagging` measures what other values cost and bring.
RECHECK = 1.0


class CheckpointTagger(Tagger):
    """A fine-tuned BERT, RoBERTa/XLM-R or DistilBERT token classifier.

    The encoder runs in CTranslate2; the classifier is a matrix product on the first subword of each
    word. A long sentence is encoded in windows that overlap by half; a word's classes come from the
    window in which it stands farthest from an edge. A word without subwords (ignorable characters
    only) is O.

    Rounding to int8 changes the class of an occasional word. So a sentence in which some word's two
    most probable classes are close (``recheck``) is encoded again in float32: nearly all sentences
    get the tags that float32 gives, and most of them are encoded in int8 only.

    Args:
        model: a folder with the checkpoint (as `spanbridge train` and transformers save it), or an
            id on the Hugging Face Hub.
        scheme: tag scheme of the model's classes; None finds out (see
            :class:`~spanbridge.tagging.base.SchemeMap`).
        compute_type: ``int8`` (default), ``float32``, or another that CTranslate2 has here.
        threads: sentences at the same time; by default one per core.
        recheck: in int8, least difference of logits (nats) between a word's two most probable
            classes that is trusted; 0 trusts all, and float32 is never loaded.

        classes: names of the model's classes, in order, separated by commas (``O,B-PER,I-PER``),
            where its own are no tags.

    Attributes:
        n_rechecked: sentences encoded again so far.

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
        if not recheck >= 0:
            raise SpanbridgeError(f"recheck is {recheck}, but must be 0 or more")
        folder = tagger_folder(model)
        checkpoint = Checkpoint(folder)
        names = class_names(folder)
        self._weight, self._bias = _head(checkpoint, len(names))
        self._map = SchemeMap(names, scheme, classes)
        self.classes = self._map.classes
        self._load = partial(
            load_encoder,
            str(folder),
            layer=checkpoint.n_layers,
            threads=threads,
            joined=False,
            remember=False,
        )
        self._encoder = self._load(compute_type=compute_type)
        self._recheck = recheck if compute_type.startswith("int8") else 0.0
        # loaded here, so that no row waits for it
        self._exact = self._load(compute_type="float32") if self._recheck else self._encoder
        self.n_rechecked = 0
        self.licence = licence_of(folder)

    def describe(self) -> str:
        """Name, model, fingerprint, compute type, recheck, scheme."""
        recheck = f",recheck={self._recheck:g}" if self._recheck else ""
        return f"checkpoint({self._encoder.describe()}{recheck},{self._map.description})"

    def tag(self, sentences: Sequence[Words]) -> list[Tagged]:
        """Tag sentences of any length."""
        found = []
        for start in range(0, len(sentences), CHUNK):
            chunk = sentences[start : start + CHUNK]
            read = [self._logits(encoded) for encoded in self._encoder.encode(chunk)]
            unsure = [
                n for n, (logits, _) in enumerate(read) if least_margin(logits) < self._recheck
            ]
            if unsure:
                again = self._exact.encode([chunk[n] for n in unsure])
                for n, encoded in zip(unsure, again, strict=True):
                    read[n] = self._logits(encoded)
                self.n_rechecked += len(unsure)
            for words, (logits, places) in zip(chunk, read, strict=True):
                n_words = len(words)
                p = spread_over_words(softmax(logits), places, n_words, self._map)
                found.append(Tagged(n_words, decode(p, self.classes), p))
        return found

    def _logits(self, encoded: EncodedSentence) -> tuple[Probabilities, npt.NDArray[np.int64]]:
        """Logits [n, n_classes] of the words that have subwords, and the places of these words."""
        # subwords in order: the first of each word is where the word changes
        rows = np.flatnonzero(np.diff(encoded.first, prepend=-1))
        return encoded.states[rows] @ self._weight.T + self._bias, encoded.first[rows]


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


def least_margin(logits: Probabilities) -> float:
    """Least difference between a word's two greatest logits; infinite without words or choice."""
    if not logits.size or logits.shape[1] < 2:
        return float("inf")
    second, first = np.partition(logits, -2, axis=1)[:, -2:].T
    return float((first - second).min())


def softmax(logits: Probabilities) -> Probabilities:
    """Probabilities from logits, over the last axis.

    Raises:
        SpanbridgeError: a logit is not finite.
    """
    if not np.isfinite(logits).all():
        raise SpanbridgeError(
            "the model gives numbers that are not finite; its weights are damaged"
        )
    raised = np.exp(logits - logits.max(-1, keepdims=True, initial=-np.inf))
    result: Probabilities = raised / raised.sum(-1, keepdims=True)
    return result


def spread_over_words(
    found: Probabilities,
    words: Sequence[int] | npt.NDArray[np.int64],
    n_words: int,
    schemes: SchemeMap,
) -> Probabilities:
    """Probabilities of all words, in IOB2, from those of the words that have subwords.

    Args:
        found: [len(words), classes of the model].
        words: places of these words in the sentence.
        n_words: length of the sentence.
        schemes: maps the classes.
    """
    probabilities = np.zeros((n_words, len(schemes.classes)), np.float32)
    probabilities[:, 0] = 1
    probabilities[words] = schemes(found)
    return probabilities


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


def _head(checkpoint: Checkpoint, n_classes: int) -> tuple[Probabilities, Probabilities]:
    weight, bias = (checkpoint.read(f"classifier.{kind}") for kind in ("weight", "bias"))
    if weight.ndim != 2 or len(weight) != n_classes or bias.shape != (n_classes,):
        raise SpanbridgeError(
            f"{checkpoint.folder}: the classifier has {len(weight)} outputs, but config.json names "
            f"{n_classes} classes; do they belong together?"
        )
    return weight, bias
