"""Static states: a subword's mean state over a sample, looked up instead of computed.

An encoder computes a state for each subword in its context, which takes nearly all the time that a
sentence takes. The mean over contexts tells words apart nearly as well, and costs a row of a table.
A subword that the sample lacks has the state that it has alone, moved by the mean difference
between the two.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spanbridge.core.learned import Arrays
from spanbridge.core.soft_alignment import States
from spanbridge.encode.encoder import EncodedSentence, Encoder

# Sentences encoded at a time while learning.
CHUNK = 512
# Subwords that the difference to states alone is measured on, at most.
COMPARED = 256

Ids = npt.NDArray[np.int64]


class StaticEncoder:
    """Looks up the states of an encoder's subwords, once it has learned them from sentences.

    Args:
        encoder: the encoder that the states come from.

    Attributes:
        name, licence, layer: those of the encoder.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name, self.licence, self.layer = encoder.name, encoder.licence, encoder.layer
        self._forget()

    def _forget(self) -> None:
        self._row: Ids = np.full(1, -1)  # of each subword in the table; -1: it has none
        self._table: States = np.zeros((0, 0), np.float32)
        self._n_learned = 0
        self._shift: States = np.zeros(0, np.float32)
        # those of the last call: rows are aligned first, and then judged by the same states
        self._last: dict[tuple[str, ...], EncodedSentence] = {}

    def describe(self) -> str:
        """The encoder, and that its states are looked up."""
        return f"static({self._encoder.describe()})"

    def learn(self, sentences: Sequence[Sequence[str]]) -> None:
        """Learn the mean state of each subword of a sample of tokenised sentences."""
        self._forget()
        found = [self._encoder.subwords(words)[:, 0] for words in sentences]
        kinds, counts = np.unique(
            np.concatenate([*found, np.zeros(0, np.int64)]), return_counts=True
        )
        if not len(kinds):
            return
        sums = np.zeros((len(kinds), self._encoder.size))
        for start in range(0, len(sentences), CHUNK):
            states = [one.states for one in self._encoder.encode(sentences[start : start + CHUNK])]
            ids = np.concatenate(found[start : start + CHUNK])
            order = np.argsort(ids, kind="stable")
            here, first = np.unique(ids[order], return_index=True)
            if len(here):
                at = np.searchsorted(kinds, here)
                sums[at] += np.add.reduceat(np.concatenate(states)[order], first)
        # a fit keeps half precision, so that is what is used before it is kept, too
        table = (sums / counts[:, None]).astype(np.float16).astype(np.float32)
        some = slice(None, None, -(-len(kinds) // COMPARED))
        alone = self._encoder.states_alone(kinds[some])
        self._settle(kinds, table, (table[some] - alone).mean(0))

    def _settle(self, kinds: Ids, table: States, shift: States) -> None:
        self._n_learned, self._shift = len(kinds), shift
        self._add(kinds, table)

    def _add(self, kinds: Ids, states: States) -> None:
        most = int(kinds.max(initial=-1))
        if most >= len(self._row):
            self._row = np.pad(self._row, (0, most + 1 - len(self._row)), constant_values=-1)
        self._row[kinds] = np.arange(len(kinds)) + len(self._table)
        self._table = np.concatenate([self._table, states]) if len(self._table) else states

    def encode(self, sentences: Sequence[Sequence[str]]) -> list[EncodedSentence]:
        """Static states of tokenised sentences of any length; computed ones before learning."""
        if not self._n_learned:
            return self._encoder.encode(sentences)
        keys = [tuple(sentence) for sentence in sentences]
        if not self._last.keys() >= set(keys):
            kinds = list(dict.fromkeys(keys))
            self._last = dict(zip(kinds, self._look_up(kinds), strict=True))
        return [self._last[key] for key in keys]

    def _look_up(self, sentences: Sequence[Sequence[str]]) -> list[EncodedSentence]:
        subwords = [self._encoder.subwords(words) for words in sentences]
        ids = np.concatenate([*(one[:, 0] for one in subwords), np.zeros(0, np.int64)])
        new = np.unique(
            ids[(ids >= len(self._row)) | (self._row[np.minimum(ids, len(self._row) - 1)] < 0)]
        )
        if len(new):
            self._add(new, self._encoder.states_alone(new) + self._shift)
        states = (
            self._table[self._row[ids]]
            if len(ids)
            else np.zeros((0, self._encoder.size), np.float32)
        )
        ends = np.cumsum([len(one) for one in subwords])
        return [
            EncodedSentence(own, one[:, 1], one[:, 2], len(words))
            for own, one, words in zip(
                np.split(states, ends[:-1]) if len(ends) else [], subwords, sentences, strict=True
            )
        ]

    def learned(self) -> Arrays:
        """What was learned: subwords, their states in half precision, and the difference."""
        [kinds] = np.nonzero((self._row >= 0) & (self._row < self._n_learned))
        kinds = kinds[np.argsort(self._row[kinds])]
        table = self._table[: self._n_learned].astype(np.float16)
        return {"subwords": kinds, "states": table, "shift": self._shift}

    def restore(self, arrays: Arrays) -> None:
        """Take up what :meth:`learned` gave."""
        self._forget()
        self._settle(arrays["subwords"], arrays["states"].astype(np.float32), arrays["shift"])
