"""Plain fields of pairs and sentences, which all formats of pairs read and write generically.

They are derived from the declarations, so that a newly declared field is in every such format. A
type that a format cannot hold is an error; no field is left out silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType
from typing import Any, get_args, get_type_hints

from spanbridge.core.rows import SIDES, SentencePair, Side
from spanbridge.core.spans import Sentence

# Fields that each format represents in its own way.
_STRUCTURED: dict[type, frozenset[str]] = {
    SentencePair: frozenset({"id", "source", "target", "links", "extra"}),
    Sentence: frozenset({"words", "spans", "text", "offsets"}),
}


@dataclass(frozen=True, slots=True)
class PlainField:
    """A field that is None or one value.

    Attributes:
        key: name in a file, such as ``confidence`` or ``source_empty_probability``.
        name: name in the pair or the sentence.
        type: type of its values, without None.
        side: side of its sentence; None for a field of the pair.
    """

    key: str
    name: str
    type: Any
    side: Side | None

    def of(self, pair: SentencePair) -> Any:
        """Return the field's value in a pair."""
        return getattr(pair if self.side is None else pair.side(self.side), self.name)


def _fields(declared: type, side: Side | None = None) -> tuple[PlainField, ...]:
    hints = get_type_hints(declared)
    found = []
    for name, hint in hints.items():
        if name not in _STRUCTURED[declared]:
            (kind,) = (part for part in get_args(hint) if part is not NoneType)
            key = name if side is None else f"{side}_{name}"
            found.append(PlainField(key, name, kind, side))
    return tuple(found)


PLAIN_FIELDS: dict[Side | None, tuple[PlainField, ...]] = {
    None: _fields(SentencePair),
    **{side: _fields(Sentence, side) for side in SIDES},
}
ALL_PLAIN_FIELDS = tuple(field for each in PLAIN_FIELDS.values() for field in each)
