"""Scores of one cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from spanbridge.core.spans import Span
from spanbridge.evaluation import RowCounts, SpanCounts, match_spans, orphan_policy, score_cell
from spanbridge.evaluation.span_choice import SpanChoice, cap_row
from spanbridge.formats import Reading, labelled_rows, over_same_words, read_rows
from spanbridge.study.settings import Scores

# Lengths of gold spans in words by which errors are told apart; the last one and more.
LENGTHS = ("1", "2", "3", "4", "5+")


def scored(gold: Path, predicted: str, how: Scores) -> dict[str, Any]:
    """Scores of predictions, the counts of each row, and errors by length and label.

    Raises:
        InputError: a file is wrong, or the rows do not run parallel.
    """
    reading = Reading(orphans=orphan_policy(how.protocol))
    both = over_same_words(
        labelled_rows(gold, reading), str(gold), labelled_rows(predicted, reading), predicted
    )
    choice = SpanChoice(how.labels, how.map)
    n_other_words = 0
    golds: list[tuple[Span, ...]] = []
    found: list[tuple[Span, ...]] = []
    for one, other in both:
        n_other_words += one.words != other.words
        golds.append(one.spans)
        found.append(other.spans)
    report = score_cell(golds, found, how.protocol, choice=choice, max_examples=0)
    chosen = [(choice.of(a), choice.of(b)) for a, b in zip(golds, found, strict=True)]
    by_length, by_label = _fates(chosen, _length), _fates(chosen, lambda span: span.label)
    scores = {
        **report.to_dict(),
        "interval": report.interval().to_dict() if report.rows else None,
        "rows_with_different_words": n_other_words,
        "lengths": {length: by_length[length] for length in LENGTHS if length in by_length},
        "labels": dict(sorted(by_label.items())),
    }
    return {
        "scores": {**scores, **_caps(gold, golds, choice, report.rows)},
        "counts": [list(row) for row in report.rows],
        "boundary_counts": [list(row) for row in report.boundary_rows],
    }


def _fates(
    rows: Iterable[tuple[set[Span], set[Span]]], key: Callable[[Span], str]
) -> dict[str, dict[str, int]]:
    """What became of the gold spans, by something of theirs."""
    found: dict[str, Counter[str]] = {}
    for gold, predicted in rows:
        for match in match_spans(gold, predicted):
            if match.gold is not None:
                found.setdefault(key(match.gold), Counter())[match.error] += 1
    return {name: dict(sorted(counts.items())) for name, counts in found.items()}


def _length(span: Span) -> str:
    return LENGTHS[min(span.end - span.start, len(LENGTHS)) - 1]


def _caps(
    gold: Path, golds: Iterable[Iterable[Span]], choice: SpanChoice, rows: Iterable[RowCounts]
) -> dict[str, float]:
    """What projection could reach given the labels of both sides, if the source has any.

    ``cap``: the best F1 of any projection; ``agree``: F1 on the rows in which both sides have each
    label as often.
    """
    sources = [row.source.spans for _, row in read_rows(gold)]
    if not any(sources):
        return {}
    caps = [cap_row(choice.of(a), choice.of(b)) for a, b in zip(sources, golds, strict=True)]
    agree = [row for row, cap in zip(rows, caps, strict=True) if len(set(cap)) == 1]
    return {"cap": SpanCounts.total(caps).f1, "agree": SpanCounts.total(agree).f1}
