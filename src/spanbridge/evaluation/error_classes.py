"""Error classes of spans: correct, wrong type, wrong boundaries, missed, spurious.

The classes are those of the MUC scorer as adopted by SemEval-2013 task 9 (Segura-Bedmar et al.
2013; also in nervaluate): *type* is its "incorrect" with exact boundaries, *boundary* its "partial"
with the right type. Unlike there, spans are matched one to one, so that every gold and every
predicted span is counted exactly once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from spanbridge.core.spans import Span
from spanbridge.evaluation._common import aligned

ErrorClass = Literal["correct", "type", "boundary", "type+boundary", "missed", "spurious"]
BoundaryKind = Literal["too long", "too short", "shifted"]
BoundarySide = Literal["left", "right", "both"]

ERROR_CLASSES: tuple[ErrorClass, ...] = (
    "correct",
    "type",
    "boundary",
    "type+boundary",
    "missed",
    "spurious",
)
BOUNDARY_KINDS: tuple[BoundaryKind, ...] = ("too long", "too short", "shifted")
BOUNDARY_SIDES: tuple[BoundarySide, ...] = ("left", "right", "both")


class SpanMatch(NamedTuple):
    """A gold span, the predicted span matched with it, and the difference.

    Attributes:
        error: error class, or ``correct``.
        gold: None only if the class is ``spurious``.
        predicted: None only if the class is ``missed``.
    """

    error: ErrorClass
    gold: Span | None
    predicted: Span | None


class ErrorExample(NamedTuple):
    """One error and its row.

    Attributes:
        row: 1-based.
        error, gold, predicted: as in :class:`SpanMatch`; never ``correct``.
    """

    row: int
    error: ErrorClass
    gold: Span | None
    predicted: Span | None


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """Number of spans per class.

    Attributes:
        counts: all six classes, in the order of ``ERROR_CLASSES``. All but ``spurious`` add up to
            the gold spans, all but ``missed`` to the predicted ones.
        kinds: ``boundary`` errors by ``BOUNDARY_KINDS``.
        sides: ``boundary`` errors by the side that is wrong (``BOUNDARY_SIDES``).
        examples: the first few errors of each class, by row.
    """

    counts: Mapping[ErrorClass, int]
    kinds: Mapping[BoundaryKind, int]
    sides: Mapping[BoundarySide, int]
    examples: tuple[ErrorExample, ...] = ()

    @property
    def n_gold(self) -> int:
        """Number of gold spans."""
        return sum(self.counts.values()) - self.counts["spurious"]

    @property
    def n_predicted(self) -> int:
        """Number of predicted spans."""
        return sum(self.counts.values()) - self.counts["missed"]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; examples as ``{row, error, gold, predicted}``."""
        return {
            "counts": dict(self.counts),
            "boundary_kinds": dict(self.kinds),
            "boundary_sides": dict(self.sides),
            "examples": [
                {
                    "row": example.row,
                    "error": example.error,
                    "gold": None if example.gold is None else list(example.gold[:3]),
                    "predicted": None if example.predicted is None else list(example.predicted[:3]),
                }
                for example in self.examples
            ],
        }

    def table(self) -> str:
        """Plain text: one line per class (``-`` if it cannot occur), then boundary errors."""
        rows = [["errors", "gold", "predicted"]]
        for error, n in self.counts.items():
            gold = "-" if error == "spurious" else str(n)
            rows.append([error, gold, "-" if error == "missed" else str(n)])
        kinds = ", ".join(f"{n} {kind}" for kind, n in self.kinds.items())
        sides = ", ".join(f"{n} {side}" for side, n in self.sides.items())
        return "\n".join([*aligned(rows), f"boundary errors: {kinds}; on the side: {sides}"])


def match_spans(gold: Iterable[Span], predicted: Iterable[Span]) -> list[SpanMatch]:
    """Match the spans of one row one to one, and classify each match.

    - ``correct``: same boundaries, same label;
    - ``type``: same boundaries, another label;
    - ``boundary``: same label, overlapping, other boundaries;
    - ``type+boundary``: overlapping, both differ;
    - ``missed``: a gold span without a predicted one;
    - ``spurious``: a predicted span without a gold one.

    Correct spans are matched first. The others are matched greedily: the overlapping pair that
    shares most words goes first; of equals the pair that covers fewer words together, then one with
    equal labels, then the leftmost. If a gold span is predicted as two parts, the longer one is a
    ``boundary`` error and the other ``spurious``; if two gold spans are predicted as one, they are
    a ``boundary`` error and ``missed``.

    Scores are ignored, and equal spans count once.

    Returns:
        One match per gold span and one per spurious span, by position.
    """
    left = {span[:3] for span in gold}
    right = {span[:3] for span in predicted}
    matches = [SpanMatch("correct", Span(*key), Span(*key)) for key in left & right]
    open_gold, open_predicted = left - right, right - left
    pairs = []
    in_order = sorted(open_predicted)
    longest = max((p[1] - p[0] for p in in_order), default=0)
    for g in open_gold:
        # only those that can overlap: a row may have thousands of spans
        first = bisect_left(in_order, (g[0] - longest,))
        for p in in_order[first : bisect_left(in_order, (g[1],))]:
            shared = min(g[1], p[1]) - max(g[0], p[0])
            if shared > 0:
                together = max(g[1], p[1]) - min(g[0], p[0])
                pairs.append((-shared, together, g[2] != p[2], g, p))
    for _, _, other_label, g, p in sorted(pairs):
        if g in open_gold and p in open_predicted:
            open_gold.remove(g)
            open_predicted.remove(p)
            same_boundaries = g[:2] == p[:2]
            error: ErrorClass = "type" if same_boundaries else "boundary"
            if other_label and not same_boundaries:
                error = "type+boundary"
            matches.append(SpanMatch(error, Span(*g), Span(*p)))
    matches += [SpanMatch("missed", Span(*key), None) for key in open_gold]
    matches += [SpanMatch("spurious", None, Span(*key)) for key in open_predicted]
    return sorted(matches, key=_position)


def _position(match: SpanMatch) -> tuple[tuple[int, int, str], bool]:
    span = match.gold or match.predicted
    assert span is not None, "a match without any span"
    return span[:3], match.gold is None


def boundary_error(gold: Span, predicted: Span) -> tuple[BoundaryKind, BoundarySide]:
    """Kind and side of the boundary error of a predicted span that overlaps a gold one.

    Returns:
        ``too long`` (predicted contains gold), ``too short`` (lies within gold) or ``shifted``
        (neither); and the wrong side: ``left``, ``right`` or ``both`` (always for shifted).
        Undefined for equal boundaries.
    """
    left, right = gold.start - predicted.start, predicted.end - gold.end  # excess words
    side: BoundarySide = "both" if left and right else "left" if left else "right"
    if left >= 0 and right >= 0:
        return "too long", side
    return ("too short" if left <= 0 and right <= 0 else "shifted"), side


def count_errors(
    rows: Iterable[tuple[Collection[Span], Collection[Span]]], *, max_examples: int = 5
) -> ErrorReport:
    """Count the classes of :func:`match_spans` over all rows.

    Args:
        rows: (gold spans, predicted spans) of each row.
        max_examples: number of examples kept per class; the first ones are.
    """
    counts: Counter[ErrorClass] = Counter()
    kinds: Counter[BoundaryKind] = Counter()
    sides: Counter[BoundarySide] = Counter()
    examples: list[ErrorExample] = []
    for row, (gold, predicted) in enumerate(rows, start=1):
        for match in match_spans(gold, predicted):
            counts[match.error] += 1
            if match.error == "boundary" and match.gold and match.predicted:
                kind, side = boundary_error(match.gold, match.predicted)
                kinds[kind] += 1
                sides[side] += 1
            if match.error != "correct" and counts[match.error] <= max_examples:
                examples.append(ErrorExample(row, *match))
    return ErrorReport(
        {error: counts[error] for error in ERROR_CLASSES},
        {kind: kinds[kind] for kind in BOUNDARY_KINDS},
        {side: sides[side] for side in BOUNDARY_SIDES},
        tuple(examples),
    )
