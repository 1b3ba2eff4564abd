"""Counts over all rows of a document, and its scores against gold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spanbridge.core.rows import FOUND, NOTHING_FOUND, TAGGED, SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.evaluation.span_report import SpanCounts
from spanbridge.report.verdicts import VERDICTS, Judged

NO_STATUS = "no status"
_HEADS = ("projected", "empty", "rejected", "failed")


@dataclass(slots=True)
class Tally:
    """Counts of one document; as in the evaluation, equal spans of a row count once in scores."""

    rows: int = 0
    spans: int = 0
    any_result: bool = False
    any_source: bool = False
    statuses: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    source_labels: Counter[str] = field(default_factory=Counter)
    gold_labels: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    def add(self, pair: SentencePair, gold: Sentence | None, judged: Sequence[Judged]) -> None:
        """Count one row, with its gold spans if they are known."""
        spans = pair.target.spans
        self.rows += 1
        self.spans += len(spans)
        told = (pair.status, pair.confidence, pair.provenance, *(span.score for span in spans))
        self.any_result |= any(value is not None for value in told)
        self.any_source |= bool(pair.source.words)
        self.statuses[shown_status(pair)] += 1
        self.labels.update(span.label for span in spans)
        self.source_labels.update(span.label for span in pair.source.spans)
        if gold is None:
            return
        self.gold_labels.update(span.label for span in gold.spans)
        said = {(entry.span[:3], entry.verdict) for entry in judged}
        self.verdicts.update(verdict for _, verdict in said if verdict)
        found, true = {span[:3] for span in spans}, {span[:3] for span in gold.spans}
        for counter, places in (
            (self.right, found & true),
            (self.wrong, found - true),
            (self.lost, true - found),
        ):
            counter.update(label for _, _, label in places)

    def values(self, numbers: Mapping[str, int], has_gold: bool) -> dict[str, Any]:
        """The counts for the page's script."""
        labels = sorted({*self.labels, *self.source_labels, *self.gold_labels})
        values: dict[str, Any] = {
            "rows": self.rows,
            "spans": self.spans,
            "heads": self._heads(),
            "reasons": self._reasons(),
            "labels": [self._label(label, numbers[label], has_gold) for label in labels],
        }
        if has_gold:
            values["verdicts"] = [self.verdicts[verdict] for verdict in VERDICTS]
            whole = (counter.total() for counter in (self.right, self.wrong, self.lost))
            values["scores"] = _scores(SpanCounts(*whole))
        return values

    def _label(self, label: str, number: int, has_gold: bool) -> dict[str, Any]:
        counts = (self.labels[label], self.source_labels[label], self.gold_labels[label])
        values: dict[str, Any] = {"label": number, "counts": counts}
        if has_gold:
            scored = SpanCounts(self.right[label], self.wrong[label], self.lost[label])
            values["scores"] = _scores(scored)
        return values

    def _heads(self) -> list[tuple[str, int]]:
        """Rows by status without reason; the known ones first."""
        counts: Counter[str] = Counter()
        for status, n in self.statuses.items():
            counts[_head(status)] += n
        known = [(head, counts.pop(head)) for head in _HEADS if head in counts]
        return known + sorted(counts.items())

    def _reasons(self) -> list[tuple[str, int]]:
        """Rows by full status, for those with a reason; the most common first."""
        given = ((s, n) for s, n in self.statuses.items() if s != _head(s))
        return sorted(given, key=lambda item: (-item[1], item[0]))


def shown_status(pair: SentencePair) -> str:
    """The status of a row, or what its tagger found, where nothing was projected."""
    if pair.status is None and pair.provenance == TAGGED:
        return FOUND if pair.target.spans else NOTHING_FOUND
    return pair.status or NO_STATUS


def _head(status: str) -> str:
    """A status without its reason: ``empty: no link`` gives ``empty``."""
    return status.partition(":")[0].strip()


def _scores(counts: SpanCounts) -> tuple[float, float, float]:
    return counts.precision, counts.recall, counts.f1
