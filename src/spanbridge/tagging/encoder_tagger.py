"""Token classifiers through CTranslate2 and a NumPy head: no torch, int8, any number of cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spanbridge.core.errors import SpanbridgeError
from spanbridge.encode.encoder import EncodedSentence, Encoder
from spanbridge.tagging.base import Probabilities, SchemeMap, Tagged, Tagger, Words, decode

# Sentences encoded at a time: enough for batches of equal length, few enough for memory.
CHUNK = 512


@dataclass(frozen=True)
class Head:
    """A classifier of subwords.

    Attributes:
        weight: [n_classes, hidden].
        bias: [n_classes].
    """

    weight: Probabilities
    bias: Probabilities


class EncoderTagger(Tagger):
    """A fine-tuned encoder with a classifier; its subclasses say where both come from.

    The encoder runs in CTranslate2; the classifier is a matrix product on the first subword of each
    word. A long sentence is encoded in windows that overlap by half; a word's classes come from the
    window in which it stands farthest from an edge. A word without subwords (ignorable characters
    only) is O.

    Rounding to int8 changes the class of an occasional word. So a sentence in which some word's two
    most probable classes are close (``recheck``) is encoded again in float32: nearly all sentences
    get the tags that float32 gives, and most of them are encoded in int8 only.

    Args:
        kind: name of the subclass, for the signature.
        load: opens the encoder, given ``compute_type``.
        head: the classifier.
        schemes: maps its classes to IOB2.
        compute_type: ``int8``, ``float32``, or another that CTranslate2 has here.
        recheck: in int8, least difference of logits (nats) between a word's two most probable
            classes that is trusted; 0 trusts all, and float32 is never loaded.

    Attributes:
        n_rechecked: sentences encoded again so far.
    """

    def __init__(
        self,
        kind: str,
        load: Callable[..., Encoder],
        head: Head,
        schemes: SchemeMap,
        compute_type: str,
        recheck: float,
    ) -> None:
        if not recheck >= 0:
            raise SpanbridgeError(f"recheck is {recheck}, but must be 0 or more")
        self._kind, self._head, self._map = kind, head, schemes
        self.classes = schemes.classes
        self._encoder = load(compute_type=compute_type)
        self._recheck = recheck if compute_type.startswith("int8") else 0.0
        # loaded here, so that no row waits for it
        self._exact = load(compute_type="float32") if self._recheck else None
        self.n_rechecked = 0

    def describe(self) -> str:
        """Name, model, fingerprint, compute type, recheck, scheme."""
        recheck = f",recheck={self._recheck:g}" if self._recheck else ""
        return f"{self._kind}({self._encoder.describe()}{recheck},{self._map.description})"

    def tag(self, sentences: Sequence[Words]) -> list[Tagged]:
        """Tag sentences of any length."""
        found = []
        for start in range(0, len(sentences), CHUNK):
            chunk = sentences[start : start + CHUNK]
            read = [self._logits(encoded) for encoded in self._encoder.encode(chunk)]
            unsure = [
                n for n, (logits, _) in enumerate(read) if least_margin(logits) < self._recheck
            ]
            if unsure and self._exact is not None:
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
        return encoded.states[rows] @ self._head.weight.T + self._head.bias, encoded.first[rows]


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
