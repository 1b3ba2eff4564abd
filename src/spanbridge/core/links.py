"""Word alignments as (source, target) links, with both lengths and, where known, link scores."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spanbridge.core.errors import SpanbridgeError


@dataclass(frozen=True, slots=True)
class WordAlignment:
    """Links between the words of a source sentence and those of its translation.

    Build one with :meth:`of`, which checks and sorts.

    Attributes:
        pairs: (source index, target index), 0-based, sorted, each link once.
        n_source: number of source words.
        n_target: number of target words.
        scores: one per link, in [0, 1]; None if the aligner gives none.
    """

    pairs: tuple[tuple[int, int], ...]
    n_source: int
    n_target: int
    scores: tuple[float, ...] | None = None

    @classmethod
    def of(
        cls,
        pairs: Iterable[tuple[int, int]],
        n_source: int,
        n_target: int,
        scores: Iterable[float] | None = None,
    ) -> WordAlignment:
        """Check, sort and deduplicate links (of equal links the best score is kept).

        Raises:
            SpanbridgeError: a link lies outside the sentences, or there is not one score per link.
        """
        given = list(pairs)
        unique = sorted(set(given))
        if unique:
            targets = [j for _, j in unique]
            inside = unique[0][0] >= 0 and unique[-1][0] < n_source
            if not (inside and min(targets) >= 0 and max(targets) < n_target):
                i, j = next(
                    (i, j) for i, j in given if not (0 <= i < n_source and 0 <= j < n_target)
                )
                raise SpanbridgeError(
                    f"link {i}-{j} lies outside its sentences of {n_source} and {n_target} words; "
                    "links are (source, target) and 0-based"
                )
        if scores is None:
            return cls(tuple(unique), n_source, n_target)
        values = list(scores)
        if len(values) != len(given):
            raise SpanbridgeError(f"{len(given)} links have {len(values)} scores; give one each")
        best = dict(zip(given, values, strict=True))
        if len(best) < len(given):
            for pair, value in zip(given, values, strict=True):
                best[pair] = max(value, best[pair])
        return cls(tuple(unique), n_source, n_target, tuple(best[pair] for pair in unique))

    @classmethod
    def concatenated(cls, parts: Sequence[WordAlignment | None]) -> WordAlignment | None:
        """The links of sentence pairs one after the other; None if any of them has none."""
        pairs: list[tuple[int, int]] = []
        scores: list[float] = []
        i = j = 0
        for links in parts:
            if links is None:
                return None
            pairs += ((a + i, b + j) for a, b in links.pairs)
            scores += links.scores or ()
            i, j = i + links.n_source, j + links.n_target
        return cls.of(pairs, i, j, scores if len(scores) == len(pairs) else None)

    def from_source(self, start: int, end: int) -> tuple[tuple[int, int], ...]:
        """The links whose source word lies in [start, end), in order."""
        return self.pairs[bisect_left(self.pairs, (start,)) : bisect_left(self.pairs, (end,))]

    def reversed(self) -> WordAlignment:
        """The same links as (target, source) pairs."""
        scores = None if self.scores is None else list(self.scores)
        return WordAlignment.of(
            ((j, i) for i, j in self.pairs), self.n_target, self.n_source, scores
        )
