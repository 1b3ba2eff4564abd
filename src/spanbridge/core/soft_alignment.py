"""Soft alignments: probability mass between words, before links are cut out of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from spanbridge.core.errors import RowError
from spanbridge.core.links import WordAlignment

# Words times words: 2**22 cells take 32 MB, and an aligner works with a dozen such matrices.
MAX_CELLS = 2**22

Matrix = npt.NDArray[np.float64]
States = npt.NDArray[np.float32]


def too_long(n: int, m: int) -> RowError | None:
    """The reason why a pair of n and m words gets no matrix, if it is too long; else None."""
    if n * m <= MAX_CELLS:
        return None
    return RowError(f"too long to align: {n} x {m} words, more than {MAX_CELLS}; split the row")


@dataclass(frozen=True, slots=True)
class SoftAlignment:
    """The probability mass between the words of two sentences, in both directions.

    Attributes:
        forward: [n_source, n_target]; row i is the share of source word i that went to each target
            word. Entries lie in [0, 1], rows sum to at most 1 (the rest went nowhere).
        backward: [n_source, n_target]; column j is the share of target word j that came from each
            source word. Columns sum to at most 1.
        source_states, target_states: encoder states [words, hidden], for taggers; None without an
            encoder.
    """

    forward: Matrix
    backward: Matrix
    source_states: States | None = None
    target_states: States | None = None
    _links: dict[float, WordAlignment] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def from_links(
        cls,
        links: WordAlignment,
        source_states: States | None = None,
        target_states: States | None = None,
    ) -> SoftAlignment:
        """Hard links as a soft alignment: a word's mass is shared equally among its links."""
        mask = np.zeros((links.n_source, links.n_target))
        if links.pairs:
            rows, columns = np.array(links.pairs).T
            mask[rows, columns] = 1.0
        return cls(
            mask / np.maximum(mask.sum(1, keepdims=True), 1),
            mask / np.maximum(mask.sum(0, keepdims=True), 1),
            source_states,
            target_states,
        )

    def links(self, min_score: float) -> WordAlignment:
        """Hard links: pairs whose geometric mean of both directions is at least ``min_score``.

        A link's score is that mean, in [min_score, 1]. Kept, since several steps ask for the same.
        """
        if min_score not in self._links:
            n, m = self.forward.shape
            mean = np.sqrt(self.forward * self.backward).ravel()
            at = np.flatnonzero(mean >= min_score)
            pairs = tuple(divmod(cell, m) for cell in at.tolist())
            scores = tuple(np.minimum(mean[at], 1.0).tolist())
            self._links[min_score] = WordAlignment(pairs, n, m, scores)
        return self._links[min_score]
