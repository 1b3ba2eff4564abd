"""Which rows a person should correct first: doubt, and mistakes of many kinds.

The doubt of a row is minus the logarithm of its confidence: about the number of mistakes to be
expected in it. Taken by doubt alone, rows may all show the same mistake. So in ``mixture`` the
doubt of each span counts for less the more spans of its kind are in the rows chosen before: its
label, and whether articles, other small words, marks or words stand at both of its ends, inside and
outside. ``python -m benchmarks corrections`` measures what corrected rows are worth, by each way.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Sequence
from typing import Literal, get_args

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import CORRECTED, SentencePair
from spanbridge.core.similar import not_named
from spanbridge.core.spans import Span
from spanbridge.formats.closed_classes import ARTICLE, every_article, every_word, normal

By = Literal["mixture", "doubt"]
# Kind of a place, and its doubt.
Doubt = tuple[tuple[str, ...], float]
LEAST = 1e-6  # probability, for its logarithm


def choose(rows: Sequence[SentencePair], n: int | None = None, by: By = "mixture") -> list[int]:
    """Numbers of the rows to correct first, best first; the first of equals first.

    Rows without doubt come last; those that were corrected, and those without a confidence, which
    nothing was projected to, are left out.

    Args:
        rows: projected rows.
        n: so many at most; None for all.
        by: ``mixture``, or ``doubt`` alone.

    Raises:
        SpanbridgeError: there is no such way, or ``n`` is less than 1.
    """
    if by not in get_args(By):
        raise SpanbridgeError(not_named("way", by, get_args(By)))
    if n is not None and n < 1:
        raise SpanbridgeError(f"n is {n}, but must be 1 or more")
    doubts = {k: doubts_of(row) for k, row in enumerate(rows) if open_to_doubt(row)}
    most = len(doubts) if n is None else min(n, len(doubts))
    if by == "doubt":
        return sorted(doubts, key=lambda k: (-sum(d for _, d in doubts[k]), k))[:most]
    seen: Counter[tuple[str, ...]] = Counter()
    # what a row is worth only falls, so that one whose worth is still the greatest is the best
    heap = [(-_worth(doubts[k], seen), k) for k in doubts]
    heapq.heapify(heap)
    chosen: list[int] = []
    while len(chosen) < most:
        _, k = heapq.heappop(heap)
        worth = -_worth(doubts[k], seen)
        if heap and (worth, k) > heap[0]:
            heapq.heappush(heap, (worth, k))
            continue
        chosen.append(k)
        seen.update(kind for kind, _ in doubts[k])
    return chosen


def open_to_doubt(row: SentencePair) -> bool:
    """Check if a row was projected, and nobody has corrected it."""
    return row.confidence is not None and row.status != CORRECTED and bool(row.source.spans)


def _worth(doubts: Sequence[Doubt], seen: Counter[tuple[str, ...]]) -> float:
    return sum(doubt / math.sqrt(1 + seen[kind]) for kind, doubt in doubts)


def doubts_of(row: SentencePair) -> list[Doubt]:
    """Kind and doubt of each of a row's spans, and of what was not projected.

    The doubts sum up to minus the logarithm of the row's confidence.
    """
    whole = _minus_log(row.confidence or 0.0)
    found: list[Doubt] = []
    sure: dict[tuple[int, int], Span] = {}
    for span in row.target.spans:  # labels of one place are right or wrong together
        other = sure.get(span[:2], span)
        sure[span[:2]] = min(span, other, key=lambda s: 1.0 if s.score is None else s.score)
    for span in sure.values():
        found.append((_kind(row, span), _minus_log(1.0 if span.score is None else span.score)))
    rest = whole - sum(doubt for _, doubt in found)
    if rest > LEAST:
        labels = sorted({span.label for span in row.source.spans})
        found.append((("not projected", *labels), rest))
    return found


def _minus_log(p: float) -> float:
    return -math.log(max(p, LEAST))


def _kind(row: SentencePair, span: Span) -> tuple[str, ...]:
    words = row.target.words
    ends = (span.start - 1, span.start, span.end - 1, span.end)
    return (span.label, *(_class(words[n]) if 0 <= n < len(words) else "" for n in ends))


def _class(word: str) -> str:
    form = normal(word)
    if form in every_word():
        return ARTICLE if form in every_article() else "small"
    return "word" if any(map(str.isalnum, word)) else "mark"
