"""Plain fields of pairs and sentences: those that formats read and write without knowing them.

They are taken from the declarations, so that a field which is declared there is in every format
that holds whole pairs. A type that a format cannot hold is an error, never a field left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType
from typing import Any, get_args, get_type_hints

from spanbridge.core.rows import SIDES, SentencePair, Side
from spanbridge.core.spans import Sentence

# Fields that each format holds in its own way.
_STRUCTURED: dict[type, frozenset[str]] = {
    SentencePair: frozenset({"id", "source", "target", "links", "extra"}),
    Sentence: frozenset({"words", "spans", "text", "offsets"}),
}


@dataclass(frozen=True, slots=True)
class PlainField:
    """A field that is None or one value.

    Attributes:
        key: its name in a file, such as ``confidence`` or ``source_empty_probability``.
        name: its name in the pair or the sentence.
        type: of its values, None aside.
        side: of the sentence that has it; None for a field of the pair.
    """

    key: str
    name: str
    type: Any
    side: Side | None

    def of(self, pair: SentencePair) -> Any:
        """Return its value in a pair."""
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
