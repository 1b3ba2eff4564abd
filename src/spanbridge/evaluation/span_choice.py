"""Which spans count, and under which labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Span
from spanbridge.evaluation._common import RowCounts

# The one label of all spans where labels are not looked at.
ANY_LABEL = "any"


@dataclass(frozen=True)
class SpanChoice:
    """The spans that count, the same on both sides.

    Args:
        labels: labels that count, as they are after the mapping; None counts all.
        mapping: other names for labels, on both sides, where their label sets differ.
        boundaries: do not look at labels: spans count by their words alone.

    Raises:
        SpanbridgeError: ``labels`` is empty or a single string.
    """

    labels: Collection[str] | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    boundaries: bool = False

    def __post_init__(self) -> None:
        if self.labels is not None and (isinstance(self.labels, str) or not self.labels):
            raise SpanbridgeError(
                f"labels must be a collection of at least one label, not {self.labels!r}; "
                "leave it out to count all labels"
            )

    def renamed(self, labels: Iterable[str]) -> frozenset[str]:
        """Labels under their other names."""
        return frozenset(self.mapping.get(label, label) for label in labels)

    def of(self, spans: Iterable[Span]) -> set[Span]:
        """The spans that count, without scores, so that equal ones compare equal."""
        found = {Span(*span[:3]) for span in spans}
        if self.mapping:
            found = {s._replace(label=self.mapping.get(s.label, s.label)) for s in found}
        if self.labels is not None:
            found = {span for span in found if span.label in self.labels}
        return {span._replace(label=ANY_LABEL) for span in found} if self.boundaries else found

    def parts(self) -> dict[str, str]:
        """For signatures."""
        named = "all" if self.labels is None else ",".join(sorted(self.labels))
        renamed = ",".join(f"{old}={new}" for old, new in sorted(self.mapping.items()))
        found = {"labels": f"{named},not-looked-at" if self.boundaries else named}
        return found | ({"map": renamed} if renamed else {})


def cap_row(source: Iterable[Span], gold: Iterable[Span]) -> RowCounts:
    """Counts of the best that any projection of a row's source spans could reach.

    Each label is right as often as it occurs on both sides. Where the sides were labelled by
    different people, this is the most that can be asked for. A row *agrees* if all three numbers
    are equal.
    """
    left, right = (Counter(span.label for span in spans) for spans in (source, gold))
    return RowCounts((left & right).total(), right.total(), left.total())
