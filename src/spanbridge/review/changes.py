"""What two projections of the same rows differ in, row by row."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from spanbridge.core.errors import InputError
from spanbridge.core.rows import CORRECTED, SentencePair
from spanbridge.formats.tokens import spans_in_text, with_text
from spanbridge.review.index import RowIndex

_LONGEST = 60  # characters of a span in a list


class _Head(msgspec.Struct):
    """What is compared of a row, as JSON lines hold it."""

    id: str | int | None = None
    source_text: str | None = None
    source_words: list[str] | None = None
    target_text: str | None = None
    target_words: list[str] | None = None
    target_spans: list[dict[str, Any]] | None = None
    status: str | None = None

    def is_row(self, other: _Head) -> bool:
        """Check if the other has its id and target, and its source, spaces aside, if it has any."""
        return (
            str(self.id) == str(other.id)
            and (self.target_text or self.target_words) == (other.target_text or other.target_words)
            and self._source() in ("", other._source())
        )

    def _source(self) -> str:
        return "".join((self.source_text or "".join(self.source_words or ())).split())

    def places(self) -> set[tuple[Any, ...]]:
        """Where its spans are and what."""
        return {(one["start"], one["end"], one["label"]) for one in self.target_spans or ()}


class Changes:
    """The rows of a file whose spans another projection of it has otherwise.

    Rows that a person corrected count as unchanged: both projections leave them.

    Args:
        rows: the file.
        path: the other projection.

    Attributes:
        changed: of each row, whether its spans differ.

    Raises:
        InputError: the other file cannot be read, or is about other rows.
    """

    def __init__(self, rows: RowIndex, path: str) -> None:
        self._rows, self._others = rows, RowIndex(path)
        self.changed = np.zeros(len(rows), dtype=bool)
        if len(self._others) != len(rows):
            raise InputError(path, None, f"has {len(self._others)} rows, {rows.path} {len(rows)}")
        heads = msgspec.json.Decoder(_Head)
        try:
            for n in range(len(rows)):
                one, other = heads.decode(rows.line_of(n)), heads.decode(self._others.line_of(n))
                if not one.is_row(other):
                    why = f"is about other rows than {rows.path}: row {n + 1} differs"
                    raise InputError(path, self._others.line(n), why)
                self.changed[n] = other.status != CORRECTED and one.places() != other.places()
        except (msgspec.MsgspecError, KeyError) as error:
            raise InputError(path, None, f"is no projection of {rows.path} ({error})") from error

    def __len__(self) -> int:
        return int(self.changed.sum())

    def after(self, n: int) -> SentencePair | None:
        """Row ``n``, from 0, of the other projection, if its spans differ."""
        return self._others.row(n) if self.changed[n] else None

    def told(self, n: int) -> dict[str, list[tuple[str, str]]] | None:
        """Label and text of the spans that row ``n`` loses and gains; None for none."""
        after = self.after(n)
        if after is None:
            return None
        before = _texts(self._rows.row(n))
        now = _texts(after)
        return {
            "lost": [told for place, told in before.items() if place not in now],
            "gained": [told for place, told in now.items() if place not in before],
        }


def _texts(pair: SentencePair) -> dict[tuple[int, int, str], tuple[str, str]]:
    target = with_text(pair.target)
    text = target.text or ""
    return {
        span[:3]: (span.label, text[span.start : span.end][:_LONGEST])
        for span in spans_in_text(target)
    }
