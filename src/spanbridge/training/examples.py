"""Labelled sentences -> what a token classifier learns from."""

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
# Batches are made of equally long pieces out of so many neighbours in the shuffled order.
POOL = 64


@dataclass(frozen=True)
class Labelled:
    """A sentence to learn from.

    Attributes:
        words: its tokens.
        targets: [n_words, n_classes], the probability of each class: one-hot for labels, soft for
            what teachers said; a row of zeros is not learned from.
        weight: how much the sentence counts.
    """

    words: tuple[str, ...]
    targets: Floats
    weight: float = 1.0


@dataclass(frozen=True)
class Piece:
    """A sentence, or a part of one that is too long for the model, in subwords.

    Attributes:
        ids: with the special tokens.
        first: place in ``ids`` of the first subword of each word.
        targets: [len(first), n_classes].
        weight: of the sentence.
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

    Only the first subword of a word is learned from (Devlin et al. 2019, section 5.3). Words of
    which the tokenizer leaves nothing are passed over; a word longer than a piece keeps its
    beginning.
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
    """All pieces in random order, those of a batch being alike in length.

    The shuffled pieces are sorted by length within pools of neighbours, cut into batches of at most
    ``n_tokens`` tokens (padding counted), and the batches of a pool shuffled again.

    Args:
        items: the pieces.
        n_tokens: of a batch, at most; a longer piece is a batch by itself.
        seed: the order depends on it alone.
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
