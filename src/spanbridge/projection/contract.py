"""Checks of the return values of other packages' scores and methods.

Otherwise a mistake there would give wrong spans silently, or fail far from its cause. This
package's own parts are tested instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.plugins import is_foreign, told
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import nesting
from spanbridge.projection.candidates import Vector
from spanbridge.projection.method import Method, Projection, Row
from spanbridge.projection.scores import Score


def checked_values(score: Score, values: object, n: int) -> Vector:
    """Values of a score as floats, one per candidate.

    Raises SpanbridgeError if there are not ``n``, or one is not a finite number.
    """
    if not is_foreign(score) and isinstance(values, np.ndarray):
        return values
    try:
        found: Vector = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise SpanbridgeError(f"{_told(score)} gave no numbers ({error})") from error
    if found.shape != (n,):
        shape = "x".join(map(str, found.shape)) or "a single number"
        raise SpanbridgeError(
            f"{_told(score)} gave {shape} for {n} candidates; it gives one value for each"
        )
    if not np.isfinite(found).all():
        bad = found[~np.isfinite(found)][0]
        raise SpanbridgeError(f"{_told(score)} gave {bad}, which is not finite")
    if not hasattr(score, "low") or not hasattr(score, "high"):
        raise SpanbridgeError(f"{_told(score)} has no low and high; state the range of its values")
    return found


def _told(part: Score | Method) -> str:
    return told("score" if isinstance(part, Score) else "method", part.name, part)


def checked_projections(
    method: Method, rows: Sequence[Row], found: Sequence[Projection | RowError]
) -> Sequence[Projection | RowError]:
    """Projections of a method, one per row.

    Raises:
        SpanbridgeError: their number is wrong, or one violates the rules of
            :class:`spanbridge.projection.method.Projection`; the message names the row.
    """
    if not is_foreign(method):
        return found
    if not isinstance(found, list | tuple) or len(found) != len(rows):
        n = len(found) if isinstance(found, list | tuple) else type(found).__name__
        raise SpanbridgeError(
            f"{_told(method)} gave {n} for {len(rows)} rows; it gives a list with one "
            "projection for each"
        )
    for (pair, _), one in zip(rows, found, strict=True):
        if not isinstance(one, RowError) and (wrong := _fault(pair, one)):
            raise SpanbridgeError(f"row {pair.id}: {_told(method)} gave {wrong}")
    return found


def _fault(pair: SentencePair, found: object) -> str | None:
    """Fault of a projection, or None."""
    if not isinstance(found, Projection):
        return f"{type(found).__name__}; it gives a Projection or a RowError"
    last = (0, -len(pair.target.words))
    for span in found.spans:
        if type(span.start) is not int or type(span.end) is not int:
            return f"a span from {type(span.start).__name__} numbers; convert them by int()"
        place = span.start, -span.end
        if not last <= place or not 0 <= span.start < span.end <= len(pair.target.words):
            return (
                f"the span {span.start}-{span.end} of {len(pair.target.words)} words; spans lie "
                "inside, have words, and stand in order of their start, longer ones first"
            )
        if span.score is not None and not (
            isinstance(span.score, int | float) and 0 <= span.score <= 1
        ):
            return f"the confidence {span.score}; it lies in [0, 1], or is None"
        last = place
    if nesting([span[:2] for span in found.spans])[1]:
        return "spans that cross; each lies inside another, or outside"
    if not found.origins and found.spans:
        return None  # unknown, which is allowed
    if len(found.origins) != len(found.spans):
        return f"{len(found.origins)} origins for {len(found.spans)} spans; give one for each"
    reached, dropped = set(found.origins), {span for span, _ in found.dropped}
    if both := sorted(reached & dropped):
        return f"source span {both[0][:3]} both an origin and dropped"
    if lost := sorted(set(pair.source.spans) - reached - dropped):
        return f"no word of the source span {lost[0][:3]}; make it an origin, or drop it"
    return None
