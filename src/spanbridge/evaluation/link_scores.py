"""Alignment error rate: word links against sure and possible gold links."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from spanbridge.core.signature import signature
from spanbridge.evaluation._common import aligned, paired, ratio

Links = Iterable[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class AlignmentReport:
    """Counts over all rows, and the scores of Och and Ney (2003, section 5) computed from them.

    A are the predicted links, S the sure ones, P the possible ones, which include S.

    Attributes:
        n_predicted, n_sure, n_possible: sizes of A, S and P.
        sure_hits, possible_hits: sizes of A & S and A & P.
        n_rows: number of sentence pairs.
        signature: one line that says how the numbers came about.
    """

    n_predicted: int
    n_sure: int
    n_possible: int
    sure_hits: int
    possible_hits: int
    n_rows: int
    signature: str

    @property
    def precision(self) -> float:
        """``|A & P| / |A|``, in [0, 1]; 0 if nothing was predicted."""
        return ratio(self.possible_hits, self.n_predicted)

    @property
    def recall(self) -> float:
        """``|A & S| / |S|``, in [0, 1]; 0 if no link is sure."""
        return ratio(self.sure_hits, self.n_sure)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in [0, 1]; 0 if both are 0."""
        return ratio(2 * self.precision * self.recall, self.precision + self.recall)

    @property
    def aer(self) -> float:
        """``1 - (|A & S| + |A & P|) / (|A| + |S|)``, in [0, 1], lower is better.

        0 if nothing was predicted and no link is sure.
        """
        size = self.n_predicted + self.n_sure
        return 1 - (self.sure_hits + self.possible_hits) / size if size else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, in a fixed order."""
        return {
            "signature": self.signature,
            "rows": self.n_rows,
            "aer": self.aer,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "predicted": self.n_predicted,
            "sure": self.n_sure,
            "possible": self.n_possible,
            "sure_hits": self.sure_hits,
            "possible_hits": self.possible_hits,
        }

    def table(self) -> str:
        """Plain text: scores in [0, 1], counts, signature."""
        scores = (f"{score:.4f}" for score in (self.aer, self.precision, self.recall, self.f1))
        counts = (self.n_predicted, self.n_sure, self.n_possible)
        header = ["AER", "precision", "recall", "F1", "predicted", "sure", "possible"]
        lines = aligned([["", *header], ["links", *scores, *map(str, counts)]])
        return "\n".join([*lines, "", self.signature])


def evaluate_links(
    gold: Iterable[tuple[Links, Links]], predicted: Iterable[Links]
) -> AlignmentReport:
    """Score word alignments, micro-averaged over all rows.

    Args:
        gold: (sure links, possible links) of each sentence pair; possible links need not repeat the
            sure ones. If gold does not distinguish them, give the same links twice.
        predicted: links of the same pairs in the same order (``WordAlignment.pairs``). All links
            are (source, target) with the same base index; equal links count once.

    Raises:
        SpanbridgeError: the numbers of rows differ.
    """
    n_rows = n_predicted = n_sure = n_possible = sure_hits = possible_hits = 0
    for (sure_links, possible_links), links in paired(gold, predicted):
        n_rows += 1
        sure = {(i, j) for i, j in sure_links}
        possible = sure | {(i, j) for i, j in possible_links}
        found = {(i, j) for i, j in links}
        n_predicted += len(found)
        n_sure += len(sure)
        n_possible += len(possible)
        sure_hits += len(found & sure)
        possible_hits += len(found & possible)
    parts = {"metric": "aer", "possible": "includes-sure", "average": "micro", "rows": n_rows}
    return AlignmentReport(
        n_predicted, n_sure, n_possible, sure_hits, possible_hits, n_rows, signature(parts)
    )
