"""Projected spans held against gold ones: right, wrong in one of four ways, or missed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, NamedTuple

from spanbridge.core.spans import Span

Verdict = Literal[
    "right",
    "wrong label",
    "wrong boundary",
    "wrong label and boundary",
    "spurious",
    "missed",
]
VERDICTS: tuple[Verdict, ...] = (
    "right",
    "wrong boundary",
    "wrong label",
    "wrong label and boundary",
    "spurious",
    "missed",
)


class Judged(NamedTuple):
    """One span with its verdict.

    Attributes:
        span: the projected span, or the gold one where it was missed.
        verdict: what became of it.
        gold: the gold span it stands for; None where it is spurious.
    """

    span: Span
    verdict: Verdict
    gold: Span | None


def _overlap(a: Span, b: Span) -> int:
    return min(a.end, b.end) - max(a.start, b.start)


# Strictest first: a gold span goes to the projected span that comes nearest to it.
_PASSES: tuple[tuple[Verdict, Callable[[Span, Span], bool]], ...] = (
    ("right", lambda a, b: a[:3] == b[:3]),
    ("wrong label", lambda a, b: a[:2] == b[:2]),
    ("wrong boundary", lambda a, b: a.label == b.label and _overlap(a, b) > 0),
    ("wrong label and boundary", lambda a, b: _overlap(a, b) > 0),
)


def judge(projected: Sequence[Span], gold: Sequence[Span]) -> list[Judged]:
    """Pair projected with gold spans, each at most once, and give every span its verdict.

    Returns:
        One entry per projected span, in the order given, then one per missed gold span.
    """
    verdicts: list[Judged | None] = [None] * len(projected)
    left = list(gold)
    for verdict, matches in _PASSES:
        for i, span in enumerate(projected):
            found = [g for g in left if matches(span, g)] if verdicts[i] is None else []
            if found:
                best = max(found, key=partial(_overlap, span))
                left.remove(best)
                verdicts[i] = Judged(span, verdict, best)
    judged = [v or Judged(s, "spurious", None) for s, v in zip(projected, verdicts, strict=True)]
    return [*judged, *(Judged(span, "missed", span) for span in left)]
