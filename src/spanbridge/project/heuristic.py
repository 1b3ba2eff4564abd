"""Heuristic projection along word alignments.

Source: García-Ferrero, Agerri and Rigau (2022), "Model and Data Transfer for Cross-Lingual Sequence
Labelling in Zero-Resource Settings", section 3.3, as the reference paper extends it (arXiv
2501.18750, section 3.2): merge distance, length-ratio threshold, top-k and a first-word rule.
"""

from __future__ import annotations

from collections.abc import Sequence

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import Span
from spanbridge.project.candidates import Option
from spanbridge.project.projector import Projection, conclude, in_order


class HeuristicProjector:
    """The linked words of an entity, gaps merged, short pieces dropped.

    Discontinuous links: runs of linked words at most ``merge_distance`` words apart become one
    piece; of the pieces left, the ``top_k`` longest are kept. Where two entities claim a word, the
    shorter entity keeps it.

    Args:
        merge_distance: most unlinked words between two pieces that are merged; 0 merges none.
        length_ratio: a piece is kept if its words / the entity's words exceed this; None keeps all.
        top_k: how many pieces of an entity are kept, longest first; None for all.
        first_word_rule: a piece that begins with a word linked to the entity's first word is not
            merged to the one before it (it begins the entity anew). Off by default: on the
            Europarl-NER dev files it lowers F1.
        min_score: abstain where the projected span's score, in [0, 1], is below this.

    Raises:
        SpanbridgeError: an argument is out of range.
    """

    name = "heuristic"

    def __init__(
        self,
        merge_distance: int = 1,
        length_ratio: float | None = 0.8,
        top_k: int | None = 1,
        first_word_rule: bool = False,
        min_score: float = 0.0,
    ) -> None:
        if merge_distance < 0:
            raise SpanbridgeError(f"merge_distance is {merge_distance}, but must not be negative")
        if length_ratio is not None and not length_ratio >= 0:  # nor NaN
            raise SpanbridgeError(f"length_ratio is {length_ratio}, but must not be negative")
        if top_k is not None and top_k < 1:
            raise SpanbridgeError(f"top_k is {top_k}, but at least one piece is kept")
        if not 0 <= min_score <= 1:
            raise SpanbridgeError(f"min_score is {min_score}, but scores lie in [0, 1]")
        self.merge_distance = merge_distance
        self.length_ratio = length_ratio
        self.top_k = top_k
        self.first_word_rule = first_word_rule
        self.min_score = min_score

    def describe(self) -> str:
        """Method and settings."""
        ratio = "none" if self.length_ratio is None else f"{self.length_ratio:g}"
        return (
            f"heuristic(merge={self.merge_distance},length_ratio>{ratio},"
            f"top_k={self.top_k or 'all'},first_word={'yes' if self.first_word_rule else 'no'},"
            f"min_score={self.min_score:g})"
        )

    def project(self, entities: Sequence[Span], alignment: WordAlignment) -> Projection:
        """Target spans, and the source spans that found none."""
        if not entities:
            return Projection((), ())
        ordered = in_order(entities)
        taken = [False] * alignment.n_target
        chosen = []
        by_length = sorted(range(len(ordered)), key=lambda e: ordered[e].end - ordered[e].start)
        for e in by_length:
            for start, end in self._pieces(ordered[e], alignment):
                if not any(taken[start:end]):
                    taken[start:end] = [True] * (end - start)
                    chosen.append(Option(e, start, end, 1.0))
        chosen.sort(key=lambda option: option.start)
        return conclude(ordered, chosen, alignment, self.min_score)

    def _pieces(self, entity: Span, alignment: WordAlignment) -> list[tuple[int, int]]:
        links = alignment.from_source(entity.start, entity.end)
        words = sorted({j for _, j in links})
        first_word = {j for i, j in links if self.first_word_rule and i == entity.start}
        pieces: list[tuple[int, int]] = []
        for j in words:
            if pieces:
                start, end = pieces[-1]
                gap = j - end
                # adjacent words are one run; the first-word rule is about bridging gaps
                if gap == 0 or (gap <= self.merge_distance and j not in first_word):
                    pieces[-1] = (start, j + 1)
                    continue
            pieces.append((j, j + 1))
        n_source = entity.end - entity.start
        if self.length_ratio is not None:
            pieces = [p for p in pieces if (p[1] - p[0]) / n_source > self.length_ratio]
        longest_first = sorted(pieces, key=lambda p: (p[0] - p[1], p[0]))
        return longest_first[: self.top_k]
