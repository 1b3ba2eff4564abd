"""Shards of sentence pairs: JSON lines, compressed by gzip, that hold every field as it is."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import reason
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SIDES, SentenceOf, SentencePair, Side
from spanbridge.core.spans import Sentence, Span
from spanbridge.core.temporary import unfinished
from spanbridge.formats.plain_fields import ALL_PLAIN_FIELDS, PLAIN_FIELDS

_FROM_JSON: dict[Any, Callable[[Any], Any]] = {
    tuple[str, ...]: tuple,
    SentenceOf: lambda value: SentenceOf(*value),
}


def write_shard(path: Path, pairs: Sequence[SentencePair]) -> None:
    """Write pairs atomically, an object per line.

    Keys: ``id``; for each side ``SIDE_words``, ``SIDE_spans`` (start, end, label, score, extra; in
    words), ``SIDE_text`` and ``SIDE_offsets`` (start, end; in characters); ``links`` (source,
    target) and ``link_scores``; ``extra``; and every plain field that is not None under its key
    (see ``formats.plain_fields``).

    Raises:
        InputError: the file cannot be written.
    """
    lines = "".join(f"{json.dumps(row_object(pair), separators=(',', ':'))}\n" for pair in pairs)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished(path) as place:
            # without the time of writing: the same rows give the same bytes
            Path(place).write_bytes(gzip.compress(lines.encode("ascii"), 1, mtime=0))
    except OSError as error:
        raise InputError(path, None, f"cannot be written ({reason(error)})") from error


def row_object(pair: SentencePair) -> dict[str, Any]:
    """The values of a row for JSON."""
    row: dict[str, Any] = {"id": pair.id, "extra": dict(pair.extra)}
    for side in SIDES:
        sentence = pair.side(side)
        row[f"{side}_words"] = sentence.words
        row[f"{side}_spans"] = sentence.spans
        row[f"{side}_text"] = sentence.text
        row[f"{side}_offsets"] = sentence.offsets
    row["links"] = None if pair.links is None else pair.links.pairs
    row["link_scores"] = None if pair.links is None else pair.links.scores
    plain = ((field.key, field.of(pair)) for field in ALL_PLAIN_FIELDS)
    return row | {key: value for key, value in plain if value is not None}


def read_shard(path: Path) -> list[SentencePair]:
    """Read the pairs of a shard. Raises InputError if the file is unreadable or not a shard."""
    try:
        lines = gzip.decompress(path.read_bytes()).splitlines()
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(path, None, f"cannot be read ({error}); delete it") from error
    try:
        return [row_of(json.loads(line)) for line in lines]
    except (LookupError, ValueError, TypeError, AttributeError, SpanbridgeError) as error:
        raise InputError(path, None, f"is damaged ({error}); delete it") from error


def row_of(row: dict[str, Any]) -> SentencePair:
    """The row of :func:`row_object`. Raises LookupError, TypeError and others if it is none."""
    source, target = (_sentence(row, side) for side in SIDES)
    links = None
    if row["links"] is not None:
        n_words = len(source.words), len(target.words)
        links = WordAlignment.of(map(tuple, row["links"]), *n_words, row["link_scores"])
    return SentencePair(
        row["id"], source, target, links, extra=row["extra"], **_plain_values(row, None)
    )


def _sentence(row: dict[str, Any], side: Side) -> Sentence:
    offsets = row[f"{side}_offsets"]
    return Sentence(
        tuple(row[f"{side}_words"]),
        tuple(Span(*span) for span in row[f"{side}_spans"]),
        row[f"{side}_text"],
        None if offsets is None else tuple((start, end) for start, end in offsets),
        **_plain_values(row, side),
    )


def _plain_values(row: dict[str, Any], side: Side | None) -> dict[str, Any]:
    """The plain fields of a row: of the pair, or of one of its sentences."""
    return {
        field.name: _FROM_JSON.get(field.type, lambda value: value)(row[field.key])
        for field in PLAIN_FIELDS[side]
        if field.key in row
    }
