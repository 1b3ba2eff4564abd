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
from spanbridge.projection.candidates import Candidate, Generator, Intervals
from spanbridge.projection.presets import LinkMatcher
from spanbridge.projection.score_input import ScoreInput
from spanbridge.projection.solve import Solver
from spanbridge.projection.weights import Weights


class LinkedRuns(Generator):
    """The linked words of an entity in runs, gaps merged, short runs dropped.

    Discontinuous links: runs of linked words at most ``merge_distance`` words apart become one; of
    the remaining runs, the ``top_k`` longest are kept. They bring the score ``brevity``, 1 / words
    of the entity, so that the shorter of two entities that compete for a word keeps it.

    Args:
        merge_distance: greatest number of unlinked words between two runs that are merged; 0 merges
            none.
        length_ratio: a run is kept if its words / the entity's words exceed this; None keeps all.
        top_k: number of runs kept per entity, longest first; None for all.
        first_word_rule: a run that begins with a word linked to the entity's first word is not
            merged with the one before it (it begins the entity again).

    Raises:
        SpanbridgeError: an argument is out of range.
    """

    own_score = "brevity"

    def __init__(
        self,
        merge_distance: int,
        length_ratio: float | None,
        top_k: int | None,
        first_word_rule: bool,
    ) -> None:
        if merge_distance < 0:
            raise SpanbridgeError(f"merge_distance is {merge_distance}, but must not be negative")
        if length_ratio is not None and not length_ratio >= 0:  # nor NaN
            raise SpanbridgeError(f"length_ratio is {length_ratio}, but must not be negative")
        if top_k is not None and top_k < 1:
            raise SpanbridgeError(f"top_k is {top_k}, but at least one run is kept")
        self.merge_distance = merge_distance
        self.length_ratio = length_ratio
        self.top_k = top_k
        self.first_word_rule = first_word_rule

    def describe(self) -> str:
        """All settings."""
        ratio = "none" if self.length_ratio is None else f"{self.length_ratio:g}"
        return (
            f"merge={self.merge_distance},length_ratio>{ratio},top_k={self.top_k or 'all'},"
            f"first_word={'yes' if self.first_word_rule else 'no'}"
        )

    def intervals(self, given: ScoreInput, entity: Span) -> Intervals:
        """Runs of one entity."""
        return Intervals.of(self._runs(entity, given.links))

    def candidates(
        self, entities: Sequence[Span], links: WordAlignment, min_score: float
    ) -> list[Candidate]:
        """Runs of all entities, with their brevity."""
        return [
            Candidate(e, start, end, 1 / (entity.end - entity.start))
            for e, entity in enumerate(entities)
            for start, end in self._runs(entity, links)
        ]

    def _runs(self, entity: Span, alignment: WordAlignment) -> list[tuple[int, int]]:
        links = alignment.from_source(entity.start, entity.end)
        words = sorted({j for _, j in links})
        first_word = {j for i, j in links if self.first_word_rule and i == entity.start}
        runs: list[tuple[int, int]] = []
        for j in words:
            if runs:
                start, end = runs[-1]
                gap = j - end
                # adjacent words are one run; the first-word rule applies to gaps only
                if gap == 0 or (gap <= self.merge_distance and j not in first_word):
                    runs[-1] = (start, j + 1)
                    continue
            runs.append((j, j + 1))
        n_source = entity.end - entity.start
        if self.length_ratio is not None:
            runs = [run for run in runs if (run[1] - run[0]) / n_source > self.length_ratio]
        longest_first = sorted(runs, key=lambda run: (run[0] - run[1], run[0]))
        return longest_first[: self.top_k]


class HeuristicMethod(LinkMatcher):
    """The linked words of each entity, gaps merged, short runs dropped; hard links.

    Args:
        merge_distance, length_ratio, top_k, first_word_rule: as in :class:`LinkedRuns`. The
            first-word rule is off by default: on the Europarl-NER dev files it lowers F1.

    Raises:
        SpanbridgeError: an argument is out of range.
    """

    name, calibration_key = "heuristic", "heuristic"
    own_weights = Weights({"brevity": 1.0})

    def __init__(
        self,
        merge_distance: int = 1,
        length_ratio: float | None = 0.8,
        top_k: int | None = 1,
        first_word_rule: bool = False,
    ) -> None:
        runs = LinkedRuns(merge_distance, length_ratio, top_k, first_word_rule)
        super().__init__(runs, Solver("greedy", top_k))
