"""Parquet as another way to keep JSON objects: a row is an object, a column a key.

So every format of JSON objects can be read from Parquet and written to it. Reading goes batch by
batch. Writing keeps the objects as JSON lines until all are there, since only then the types of all
columns are known; so neither holds more than a batch.

A column has one type. Keys whose values have several, or are objects that Parquet has no type for,
become columns of JSON (a type that Parquet knows), which are read as what they were.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from math import isfinite, isnan
from pathlib import Path
from typing import IO, Any, TextIO

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import atomic_bytes, atomic_output, is_gzip, open_bytes, reason
from spanbridge.core.requirements import require
from spanbridge.core.rows import SIDES
from spanbridge.core.temporary import private_folder
from spanbridge.formats.base import Counts
from spanbridge.formats.plain_fields import ALL_PLAIN_FIELDS

SUFFIX = ".parquet"
# Rows that are converted at a time, and rows of a group in a written file.
_BATCH, _GROUP = 500, 10_000
# Bytes of a column that are read at a time.
_BUFFER = 1 << 20
# Fields of an object above which a column of them is kept as JSON: they are data, not names.
_FIELDS = 100

# A type of JSON values: a name, a list with the type of its items, or an object with those of its
# fields. None is the type of null.
_Type = Any
JSON = "json"
_SPANS = [{"start": "int", "end": "int", "label": "str", "score": "float"}]
# Types of keys that may be empty in a whole file, so that all files have the same.
_KNOWN: dict[str, _Type] = {
    "id": "str",
    "links": [["int"]],
    "link_scores": ["float"],
    **{f"{side}_words": ["str"] for side in SIDES},
    **{f"{side}_spans": _SPANS for side in SIDES},
    **{field.key: "float" for field in ALL_PLAIN_FIELDS if field.type is float},
    "tokens": ["str"],
    "ner_tags": ["str"],
}
# What holds two types of numbers; a long one is an integer that no float is exactly.
_NUMBERS = {frozenset({"int", "float"}): "float", frozenset({"int", "long"}): "long"}
_NAMES = {bool: "bool", int: "int", float: "float", str: "str", type(None): None}


def is_parquet(path: str | Path) -> bool:
    """Check if a file's name says that it is Parquet.

    Raises InputError for one that is said to be compressed once more.
    """
    name = str(path).lower()
    if is_gzip(path) and name[:-3].endswith(SUFFIX):
        raise InputError(path, None, "Parquet is compressed by itself; leave .gz out")
    return name.endswith(SUFFIX)


def parquet_rows(
    path: str | Path, counts: Counts | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read the rows of a Parquet file as JSON objects, each with its number from 1.

    Null is a missing key. Numbers that stand for named classes, as the package datasets writes
    them, are read as the names. Dates and decimal numbers become strings.

    Args:
        path: the file.
        counts: counts to update, if any: columns of bytes (pictures, sound) are left out.

    Raises:
        InputError: it cannot be read, is no Parquet file, or has a value that JSON has not.
        MissingExtraError: pyarrow is not installed.
    """
    require("pyarrow", by=f"reading {Path(path).name}")
    import pyarrow as pa
    from pyarrow import parquet

    number = 0
    try:
        with open_bytes(path) as raw:
            file = parquet.ParquetFile(
                raw, buffer_size=_BUFFER, pre_buffer=False, arrow_extensions_enabled=True
            )
            schema = file.schema_arrow
            plain = _conversions(schema)
            if (n := file.metadata.num_rows) and counts is not None:
                for name in schema.names:
                    if name not in plain:
                        counts.leave_out(f"values of the column {name}, which are bytes", n)
            wanted = list(plain) if len(plain) < len(schema.names) else None
            for batch in file.iter_batches(_BATCH, columns=wanted, use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    yield number, _object(row, plain)
    except IsADirectoryError as error:
        raise InputError(path, None, "is a folder; name a file in it") from error
    except pa.ArrowInvalid as error:
        why = f"is no whole Parquet file ({str(error).splitlines()[0]}); write it again"
        raise InputError(path, None, why) from error
    except SpanbridgeError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(path, number, str(error)) from error
    except UnicodeDecodeError as error:
        raise InputError(path, number + 1, f"invalid UTF-8 ({error.reason})") from error
    except (OSError, ValueError, NotImplementedError) as error:
        raise InputError(path, None, f"cannot be read ({reason(error)}); check the path") from error


def _conversions(schema: Any) -> dict[str, Callable[[Any], Any] | None]:
    """By column what makes JSON of its values, or None where they are; without those of bytes."""
    import pyarrow as pa

    if twice := sorted({name for name in schema.names if schema.names.count(name) > 1}):
        raise ValueError(f"the column {twice[0]} is there twice")
    stated = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    names = class_names(stated.get("info", {}).get("features") or {})
    found: dict[str, Callable[[Any], Any] | None] = {}
    for field in schema:
        if _any_type(field.type, _is_bytes):
            continue
        if field.name in names:
            found[field.name] = names[field.name]
        elif isinstance(field.type, pa.JsonType):
            found[field.name] = json.loads
        else:
            found[field.name] = plain_value if _any_type(field.type, _is_special) else None
    return found


def _any_type(kind: Any, holds: Callable[[Any], bool]) -> bool:
    """Check if a type of Arrow, or one in it, is of some sort."""
    inner = (kind.field(n).type for n in range(kind.num_fields))
    return holds(kind) or any(_any_type(one, holds) for one in inner)


def _is_bytes(kind: Any) -> bool:
    from pyarrow import types

    tests = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary)
    return any(test(kind) for test in tests)


def _is_special(kind: Any) -> bool:
    from pyarrow import types

    usual = (types.is_string, types.is_large_string, types.is_integer, types.is_boolean)
    lists = (types.is_list, types.is_large_list)
    return not any(test(kind) for test in (*usual, *lists))


def _object(
    row: dict[str, Any], plain: Mapping[str, Callable[[Any], Any] | None]
) -> dict[str, Any]:
    found = {}
    for key, value in row.items():
        if value is not None:
            convert = plain[key]
            value = value if convert is None else convert(value)
            if value is not None:
                found[key] = value
    return found


def plain_value(value: Any) -> Any:
    """A value as JSON has it; None for one that is missing.

    Raises SpanbridgeError for bytes and for numbers that are not finite.
    """
    if isinstance(value, float):
        if isnan(value):  # as pandas says that nothing is there
            return None
        if not isfinite(value):
            raise SpanbridgeError(f"{value} is no number of JSON; leave it out")
        return value
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        inner = ((str(key), plain_value(one)) for key, one in value.items())
        return {key: one for key, one in inner if one is not None}
    if isinstance(value, list | tuple):
        return [plain_value(one) for one in value]
    if isinstance(value, bytes | bytearray | memoryview):
        raise SpanbridgeError("bytes are no value of JSON; leave them out")
    if callable(as_list := getattr(value, "tolist", None)):  # an array
        return plain_value(as_list())
    if callable(as_text := getattr(value, "isoformat", None)):
        return as_text()
    return str(value)


def class_names(features: Mapping[str, Any]) -> dict[str, Callable[[Any], Any]]:
    """What makes names of the numbers of classes, by column, of the features of a data set."""
    found: dict[str, Callable[[Any], Any]] = {}
    for key, feature in features.items():
        items = feature[0] if isinstance(feature, list) and feature else feature
        items = items.get("feature", items) if isinstance(items, dict) else {}
        if isinstance(items, dict) and items.get("_type") == "ClassLabel" and items.get("names"):
            found[key] = _Names(items["names"])
    return found


class _Names:
    """Names in place of numbers; others stay, so that they are told where they are read."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = dict(enumerate(names))

    def __call__(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._names.get(one, one) for one in value]
        return self._names.get(value, value)


@contextmanager
def parquet_output(path: str | Path, classes: Sequence[str] = ()) -> Iterator[TextIO]:
    """Open a Parquet file for JSON lines; it appears once the block has succeeded.

    Args:
        path: the file.
        classes: keys whose lists of tags become numbers of named classes, whose names the file
            tells to the package ``datasets``.

    Raises:
        InputError: as :func:`~spanbridge.core.files.atomic_bytes`.
        MissingExtraError: pyarrow is not installed.
    """
    require("pyarrow", by=f"writing {Path(path).name}")
    with atomic_bytes(path) as out, private_folder() as folder:
        lines = folder / "rows.jsonl"
        with atomic_output(lines) as text:
            yield text
        _write(lines, out, classes)


def _write(lines: Path, out: IO[bytes], classes: Sequence[str]) -> None:
    """Make Parquet of JSON lines."""
    import pyarrow as pa
    from pyarrow import parquet

    kinds: dict[str, _Type] = {"id": "str"}
    tags: dict[str, set[str]] = {key: {"O"} for key in classes}
    for row in _rows(lines):
        for key, seen in tags.items():
            seen.update(row[key])
        for key, value in row.items():
            if kinds.get(key) != JSON:
                kinds[key] = _merged(kinds.get(key, _KNOWN.get(key)), _type_of(value))
    kinds = {key: JSON if _is_empty(kind) else kind for key, kind in kinds.items()}
    numbers = {key: {tag: n for n, tag in enumerate(sorted(tags[key], key=_rank))} for key in tags}
    kinds |= {key: ["int"] for key in numbers}
    schema = pa.schema([(key, _arrow(kind)) for key, kind in kinds.items()], _features(numbers))
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        rows = _rows(lines)
        while batch := list(islice(rows, _BATCH)):
            for key, number in numbers.items():
                for row in batch:
                    row[key] = [number[tag] for tag in row[key]]
            columns = [_column([row.get(key) for row in batch], kinds[key]) for key in kinds]
            writer.write_batch(pa.record_batch(columns, schema=schema), _GROUP)


def _rank(tag: str) -> tuple[bool, str, str]:
    """Order of tags: O, and then those of each label together, its first word before others."""
    return tag != "O", tag[2:], tag


def _features(numbers: Mapping[str, Mapping[str, int]]) -> dict[str, str] | None:
    """Names of classes, in the form in which the package datasets keeps them in a file."""
    if not numbers:
        return None
    features = {
        key: {"feature": {"names": list(number), "_type": "ClassLabel"}, "_type": "Sequence"}
        for key, number in numbers.items()
    }
    return {"huggingface": json.dumps({"info": {"features": features}}, ensure_ascii=False)}


def _rows(lines: Path) -> Iterator[dict[str, Any]]:
    with lines.open(encoding="utf-8", newline="\n") as text:
        for line in text:
            row = json.loads(line)
            if "id" in row:
                row["id"] = str(row["id"])
            yield row


def _column(values: list[Any], kind: _Type) -> Any:
    import pyarrow as pa

    if kind != JSON:
        return pa.array(values, _arrow(kind))
    texts = [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
    return pa.ExtensionArray.from_storage(pa.json_(), pa.array(texts, pa.string()))


def _type_of(value: Any) -> _Type:
    """The type of a value of JSON."""
    if isinstance(value, list):
        kind: _Type = None
        for one in value:
            kind = _merged(kind, _type_of(one))
        return JSON if kind == JSON else [kind]
    if isinstance(value, dict):
        # in a struct, null and missing are the same
        kinds = {key: _type_of(one) for key, one in value.items()}
        is_data = len(kinds) > _FIELDS or None in value.values() or JSON in kinds.values()
        return JSON if is_data else kinds
    if type(value) is int and abs(value) > 2**53:
        return "long" if -(2**63) <= value < 2**63 else JSON
    return _NAMES[type(value)]


def _merged(one: _Type, other: _Type) -> _Type:
    """The type of what has either of two types."""
    if one == other or other is None:
        return one
    if one is None:
        return other
    if JSON in (one, other):
        return JSON
    if isinstance(one, list) and isinstance(other, list):
        item = _merged(one[0], other[0])
        return JSON if item == JSON else [item]
    if isinstance(one, dict) and isinstance(other, dict):
        both = {key: _merged(one.get(key), other.get(key)) for key in {**one, **other}}
        return JSON if JSON in both.values() or len(both) > _FIELDS else both
    return _NUMBERS.get(frozenset({str(one), str(other)}), JSON)


def _is_empty(kind: _Type) -> bool:
    """Check for objects without fields, for which Parquet has no type."""
    if isinstance(kind, list):
        return _is_empty(kind[0])
    return isinstance(kind, dict) and (not kind or any(map(_is_empty, kind.values())))


def _arrow(kind: _Type) -> Any:
    import pyarrow as pa

    if isinstance(kind, list):
        return pa.list_(_arrow(kind[0]))
    if isinstance(kind, dict):
        return pa.struct([(key, _arrow(one)) for key, one in kind.items()])
    plain = {
        "bool": pa.bool_,
        "int": pa.int64,
        "long": pa.int64,
        "float": pa.float64,
        "str": pa.string,
    }
    return pa.null() if kind is None else pa.json_() if kind == JSON else plain[kind]()


def columns_of(path: str | Path) -> Iterator[tuple[str, str, list[str]]]:
    """Name and type of each column of a file, and the names of its classes if it has such.

    The type is Arrow's name for it, and ``list`` before that for lists.
    """
    from pyarrow import parquet, types

    schema = parquet.read_schema(path)
    stated = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    features = stated.get("info", {}).get("features") or {}
    for field in schema:
        is_list = types.is_list(field.type)
        kind = f"list {field.type.value_type}" if is_list else str(field.type)
        yield field.name, kind, features.get(field.name, {}).get("feature", {}).get("names", [])
