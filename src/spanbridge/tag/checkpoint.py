"""Token classifiers through CTranslate2 and a NumPy head: no torch, int8, any number of cores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.tags import Scheme
from spanbridge.encode import load_encoder
from spanbridge.encode.checkpoint import Checkpoint, download
from spanbridge.tag.base import Probabilities, SchemeMap, Tagged, Words, decode

# Sentences encoded at a time: enough for batches of equal length, few enough for memory.
CHUNK = 512


class CheckpointTagger:
    """A fine-tuned BERT, RoBERTa/XLM-R or DistilBERT token classifier.

    The encoder runs in CTranslate2; the classifier is a matrix product on the first subword of each
    word. A long sentence is encoded in windows that overlap by half; a word's classes come from the
    window in which it stands farthest from an edge. A word without subwords (ignorable characters
    only) is O.

    Args:
        model: a folder with the checkpoint (as `spanbridge train` and transformers save it), or an
            id on the Hugging Face Hub.
        scheme: of the model's classes; None finds out (:class:`~spanbridge.tag.base.SchemeMap`).
        compute_type: ``int8`` (default), ``float32``, or another that CTranslate2 has here.
        threads: sentences at the same time; by default one a core.

    Raises:
        SpanbridgeError: it is no token classifier, or cannot be used; the message says why.
    """

    def __init__(
        self,
        model: str,
        scheme: Scheme | None = None,
        compute_type: str = "int8",
        threads: int | None = None,
    ) -> None:
        folder = Path(model) if Path(model).is_dir() else download(model)
        checkpoint = Checkpoint(folder)
        names = class_names(folder)
        self._weight, self._bias = _head(checkpoint, len(names))
        self._map = SchemeMap(names, scheme)
        self.classes = self._map.classes
        self._encoder = load_encoder(
            str(folder),
            layer=checkpoint.n_layers,
            compute_type=compute_type,
            threads=threads,
            joined=False,
            remember=False,
        )

    def describe(self) -> str:
        """Model, fingerprint, compute type, scheme."""
        return f"checkpoint({self._encoder.describe()},{self._map.scheme})"

    def tag(self, sentences: Sequence[Words]) -> list[Tagged]:
        """Tag sentences of any length."""
        found = []
        for start in range(0, len(sentences), CHUNK):
            for encoded in self._encoder.encode(sentences[start : start + CHUNK]):
                # subwords in order: the first of each word is where the word changes
                rows = np.flatnonzero(np.diff(encoded.first, prepend=-1))
                logits = encoded.states[rows] @ self._weight.T + self._bias
                found.append(self._tagged(logits, encoded.first[rows], encoded.n_words))
        return found

    def _tagged(self, logits: Probabilities, words: Any, n_words: int) -> Tagged:
        probabilities = spread_over_words(softmax(logits), words, n_words, self._map)
        return Tagged(n_words, decode(probabilities, self.classes), probabilities)


def softmax(logits: Probabilities) -> Probabilities:
    """Over the last axis."""
    raised = np.exp(logits - logits.max(-1, keepdims=True, initial=-np.inf))
    result: Probabilities = raised / raised.sum(-1, keepdims=True)
    return result


def spread_over_words(
    found: Probabilities, words: Sequence[int], n_words: int, schemes: SchemeMap
) -> Probabilities:
    """Probabilities of the words that have subwords -> those of all words, in IOB2.

    Args:
        found: [len(words), classes of the model].
        words: which words these are.
        n_words: of the sentence.
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
