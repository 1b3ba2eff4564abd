"""Shards of sentence pairs as Parquet, written atomically."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError
from spanbridge.core.files import reason
from spanbridge.core.links import WordAlignment
from spanbridge.core.requirements import require
from spanbridge.core.rows import SIDES, SentenceOf, SentencePair, Side
from spanbridge.core.spans import Sentence, Span
from spanbridge.core.temporary import unfinished
from spanbridge.formats.plain_fields import ALL_PLAIN_FIELDS, PLAIN_FIELDS, PlainField

_FROM_ARROW: dict[Any, Callable[[Any], Any]] = {
    tuple[str, ...]: tuple,
    SentenceOf: lambda value: SentenceOf(**value),
}


def _pyarrow() -> Any:
    require("pyarrow", by="a run in shards")
    import pyarrow
    import pyarrow.parquet

    return pyarrow


def write_shard(path: Path, pairs: Sequence[SentencePair]) -> None:
    """Write pairs atomically.

    Columns: ``id``; for each side ``SIDE_words``, ``SIDE_spans`` (structs start, end, label,
    score, extra, in words), ``SIDE_text`` and ``SIDE_offsets`` (structs start, end, in characters;
    null without raw text); ``links`` (structs source, target) and ``link_scores``; every plain
    field of a pair and of its sentences under its key (see ``formats.plain_fields``), as a string,
    a number, a list of strings or a struct; ``extra`` as JSON.

    Raises:
        InputError: the file cannot be written.
        MissingExtraError: pyarrow is not installed.
    """
    pa = _pyarrow()
    columns: dict[str, Any] = {"id": pa.array([pair.id for pair in pairs], pa.string())}
    for side in SIDES:
        sentences = [pair.side(side) for pair in pairs]
        columns |= {f"{side}_{name}": c for name, c in _side(pa, sentences).items()}
    links = [None if pair.links is None else pair.links.pairs for pair in pairs]
    scores = [None if pair.links is None else pair.links.scores for pair in pairs]
    columns["links"] = _structs(pa, links, {"source": pa.int32(), "target": pa.int32()})
    columns["link_scores"] = pa.array(scores, pa.list_(pa.float64()))
    for field in ALL_PLAIN_FIELDS:
        columns[field.key] = _plain_column(pa, field, [field.of(pair) for pair in pairs])
    columns["extra"] = pa.array(
        [
            json.dumps(dict(pair.extra), ensure_ascii=False) if pair.extra else None
            for pair in pairs
        ],
        pa.string(),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished(path) as place:
            pa.parquet.write_table(pa.table(columns), place, compression="zstd")
    except OSError as error:
        raise InputError(path, None, f"cannot be written ({reason(error)})") from error


def _plain_column(pa: Any, field: PlainField, values: Sequence[Any]) -> Any:
    place = {"id": pa.string(), "side": pa.string(), "start": pa.int64(), "text": pa.string()}
    types = {
        str: pa.string(),
        float: pa.float64(),
        tuple[str, ...]: pa.list_(pa.string()),
        SentenceOf: pa.struct(list(place.items())),
    }
    if field.type is SentenceOf:
        values = [None if value is None else value._asdict() for value in values]
    return pa.array(values, types[field.type])


def _plain_values(table: Any, side: Side | None) -> Iterator[dict[str, Any]]:
    """Yield the plain fields of each row: of the pair, or of one of its sentences."""
    names = [field.name for field in PLAIN_FIELDS[side]]
    columns = [_plain_list(table.column(field.key), field) for field in PLAIN_FIELDS[side]]
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def _plain_list(column: Any, field: PlainField) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if (make := _FROM_ARROW.get(field.type)) is None:
        return values
    return [None if value is None else make(value) for value in values]


def _side(pa: Any, sentences: Sequence[Sentence]) -> dict[str, Any]:
    span = {"start": pa.int32(), "end": pa.int32(), "label": pa.string(), "score": pa.float64()}
    span["extra"] = pa.string()
    place = {"start": pa.int32(), "end": pa.int32()}
    return {
        "words": pa.array([s.words for s in sentences], pa.list_(pa.string())),
        "spans": _structs(pa, [s.spans for s in sentences], span),
        "text": pa.array([s.text for s in sentences], pa.string()),
        "offsets": _structs(pa, [s.offsets for s in sentences], place),
    }


def _structs(
    pa: Any, rows: Sequence[Sequence[tuple[Any, ...]] | None], types: Mapping[str, Any]
) -> Any:
    """Lists of structs, made column by column, which is faster than from dictionaries."""
    ends: list[int] = [0]
    flat: list[tuple[Any, ...]] = []
    for row in rows:
        flat += row or ()
        ends.append(len(flat))
    columns = list(zip(*flat, strict=True)) or [()] * len(types)
    fields = [pa.array(c, t) for c, t in zip(columns, types.values(), strict=True)]
    values = pa.StructArray.from_arrays(fields, names=list(types))
    mask = pa.array([row is None for row in rows], pa.bool_())
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values, mask=mask)


def read_shard(path: Path) -> list[SentencePair]:
    """Read the pairs of a shard. Raises InputError if the file is unreadable or not a shard."""
    pa = _pyarrow()
    try:
        table = pa.parquet.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise InputError(path, None, f"cannot be read ({error}); delete it") from error
    try:
        ids = table.column("id").to_pylist()
        extras = [
            {} if text is None else json.loads(text) for text in table.column("extra").to_pylist()
        ]
        sides: list[list[Sentence]] = [list(_sentences(table, s)) for s in SIDES]
        links = _lists(table.column("links"), lambda row: row)
        scores = _lists(table.column("link_scores"))
        return [
            SentencePair(i, s, t, _alignment(found, scored, s, t), extra=extra, **plain)
            for i, s, t, found, scored, extra, plain in zip(
                ids, *sides, links, scores, extras, _plain_values(table, None), strict=True
            )
        ]
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(path, None, f"is damaged ({error}); delete it") from error


def _sentences(table: Any, side: Side) -> Iterator[Sentence]:
    columns = {name: table.column(f"{side}_{name}") for name in ("words", "spans", "offsets")}
    words = _lists(columns["words"])
    spans = _lists(columns["spans"], lambda row: Span(*row))
    offsets = _lists(columns["offsets"], lambda row: row)
    texts = table.column(f"{side}_text").to_pylist()
    plains = _plain_values(table, side)
    for word, span, text, offset, plain in zip(words, spans, texts, offsets, plains, strict=True):
        places = None if offset is None else tuple(offset)
        yield Sentence(tuple(word or ()), tuple(span or ()), text, places, **plain)


def _lists(
    column: Any, make: Callable[[tuple[Any, ...]], Any] | None = None
) -> Iterator[list[Any] | None]:
    """Yield the rows of a list column; ``make`` is applied to the fields of each struct in it."""
    for chunk in column.chunks:
        flat = chunk.values
        if make is None:
            items = flat.to_pylist()
        else:
            items = [
                make(row) for row in zip(*(c.to_pylist() for c in flat.flatten()), strict=True)
            ]
        ends, there = chunk.offsets.to_pylist(), chunk.is_valid().to_pylist()
        for n, known in enumerate(there):
            yield items[ends[n] : ends[n + 1]] if known else None


def _alignment(
    links: list[Any] | None, scores: list[Any] | None, source: Sentence, target: Sentence
) -> WordAlignment | None:
    if links is None:
        return None
    return WordAlignment.of(links, len(source.words), len(target.words), scores)
