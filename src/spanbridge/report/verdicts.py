"""Projected spans compared with gold ones: the error classes of the evaluation, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from spanbridge.core.spans import Span
from spanbridge.evaluation.error_classes import ErrorClass, match_spans

Verdict = Literal[
    "right",
    "wrong boundary",
    "wrong label",
    "wrong label and boundary",
    "spurious",
    "missed",
]
_VERDICT_OF: dict[ErrorClass, Verdict] = {
    "correct": "right",
    "boundary": "wrong boundary",
    "type": "wrong label",
    "type+boundary": "wrong label and boundary",
    "spurious": "spurious",
    "missed": "missed",
}
VERDICTS: tuple[Verdict, ...] = tuple(_VERDICT_OF.values())


class Words(NamedTuple):
    """What a page calls what it found by a comparison.

    Attributes:
        verdicts: the verdicts, in the order of ``VERDICTS``.
        scores: precision, recall and F1.
        errors: all that is not equal.
        sign: the sign before such a span.
    """

    verdicts: tuple[str, ...]
    scores: tuple[str, str, str]
    errors: str
    sign: str


AGAINST_GOLD = Words(VERDICTS, ("precision", "recall", "F1"), "errors", "\u2717")


def between(first: str, second: str) -> Words:
    """Words for a comparison of two annotators, of whom neither is right, by their names."""
    return Words(
        (
            *("equal", "other boundary", "other label", "other label and boundary"),
            *(f"only {first}", f"only {second}"),
        ),
        (f"of {first}\u2019s spans equal", f"of {second}\u2019s spans equal", "F1"),
        "differences",
        "\u2260",
    )


class Judged(NamedTuple):
    """One span with its verdict.

    Attributes:
        span: the projected span, or the gold one if it was missed.
        verdict: result of the comparison; None without gold.
        gold: the matched gold span; None for a spurious span.
    """

    span: Span
    verdict: Verdict | None
    gold: Span | None


def judge(projected: Sequence[Span], gold: Sequence[Span]) -> list[Judged]:
    """Give every projected span its verdict, matched by :func:`match_spans`.

    Returns:
        One entry per projected span, in the given order, then one per missed gold span.
    """
    matches = match_spans(gold, projected)
    found = {match.predicted[:3]: match for match in matches if match.predicted}
    judged = []
    for span in projected:
        match = found[span[:3]]
        judged.append(Judged(span, _VERDICT_OF[match.error], match.gold))
    missed = [match.gold for match in matches if match.gold and not match.predicted]
    return [*judged, *(Judged(span, "missed", span) for span in missed)]
