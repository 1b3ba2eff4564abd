"""Conversion of labelled sentences to training examples of a token classifier."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spanbridge.core.spans import Sentence
from spanbridge.core.tags import tags_from_spans
from spanbridge.encode.tokenizer import Tokenizer

Floats = npt.NDArray[np.float32]
# Size of the pools, in the shuffled order, within which pieces are sorted by length.
POOL = 64


@dataclass(frozen=True)
class Labelled:
    """A training sentence.

    Attributes:
        words: its tokens.
        targets: [n_words, n_classes], the probability of each class: one-hot for labels, soft for
            teachers' predictions; words with a row of zeros are not learned from.
        weight: weight of the sentence in the loss.
    """

    words: tuple[str, ...]
    targets: Floats
    weight: float = 1.0


@dataclass(frozen=True)
class Piece:
    """A sentence, or a part of one that is too long for the model, in subwords.

    Attributes:
        ids: token ids with the special tokens.
        first: index in ``ids`` of the first subword of each word.
        targets: [len(first), n_classes].
        weight: weight of the sentence.
    """

    ids: tuple[int, ...]
    first: npt.NDArray[np.int64]
    targets: Floats
    weight: float


def one_hot(sentence: Sentence, classes: Sequence[str]) -> Floats:
    """Targets of a sentence with spans, [n_words, n_classes].

    Raises:
        SpanbridgeError: spans overlap.
        ValueError: a span's label is not among the classes.
    """
    targets = np.zeros((len(sentence.words), len(classes)), np.float32)
    for n, tag in enumerate(tags_from_spans(sentence.spans, len(sentence.words))):
        targets[n, classes.index(tag)] = 1
    return targets


def pieces(example: Labelled, tokenizer: Tokenizer, longest: int) -> Iterator[Piece]:
    """An example in subwords, cut between words into pieces of at most ``longest`` tokens.

    Only the first subword of a word is learned from (Devlin et al. 2019, section 5.3). Words
    without subwords are skipped; a word longer than a piece is truncated.
    """
    room = longest - len(tokenizer.prefix) - len(tokenizer.suffix)
    ids: list[int] = []
    first: list[int] = []
    rows: list[int] = []

    def piece() -> Piece:
        whole = (*tokenizer.prefix, *ids, *tokenizer.suffix)
        places = np.array(first, np.int64) + len(tokenizer.prefix)
        return Piece(whole, places, example.targets[rows], example.weight)

    for n, subwords in enumerate(tokenizer.encode_words(example.words)):
        if not subwords:
            continue
        if len(ids) + len(subwords) > room and ids:
            yield piece()
            ids, first, rows = [], [], []
        first.append(len(ids))
        rows.append(n)
        ids += subwords[:room]
    if ids:
        yield piece()


def batches(items: Sequence[Piece], n_tokens: int, seed: str) -> Iterator[list[Piece]]:
    """All pieces in random order, in batches of similar length.

    The shuffled pieces are sorted by length within pools of neighbours and cut into batches; the
    batches of a pool are shuffled again.

    Args:
        items: the pieces.
        n_tokens: tokens per batch, at most, padding included; a longer piece is a batch by itself.
        seed: seed of the order.
    """
    rng = random.Random(seed)
    order = list(items)
    rng.shuffle(order)
    mean = sum(len(item.ids) for item in items) / max(len(items), 1)
    size = max(1, int(POOL * n_tokens / max(mean, 1)))
    for start in range(0, len(order), size):
        pool = sorted(order[start : start + size], key=lambda item: len(item.ids))
        cut: list[list[Piece]] = [[]]
        for item in pool:
            if cut[-1] and (len(cut[-1]) + 1) * len(item.ids) > n_tokens:
                cut.append([])
            cut[-1].append(item)
        rng.shuffle(cut)
        yield from cut
