"""Conversion of plain fields to and from JSON, by their types."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import SIDES, SentenceOf
from spanbridge.formats.plain_fields import ALL_PLAIN_FIELDS, PlainField

DECIMALS = 4

# Least and greatest value of numbers, and the words for messages, by the field's name.
_PROBABILITY = (0.0, 1.0, " in [0, 1]")
_ANY = (-inf, inf, "")
_RANGES = {
    "confidence": _PROBABILITY,
    "empty_probability": _PROBABILITY,
    "translation_score": (-inf, 0.0, " of at most 0"),
}


class _Codec(NamedTuple):
    wanted: str
    fits: Callable[[Any], bool]
    from_json: Callable[[Any], Any]
    to_json: Callable[[Any], Any]


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_place(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= set(SentenceOf._fields)
        and isinstance(value.get("id"), str)
        and value.get("side") in SIDES
        and type(value.get("start")) is int
        and 0 <= value["start"] < 2**31
        and isinstance(value.get("text"), str | None)
    )


def _place_to_json(place: SentenceOf) -> dict[str, Any]:
    return {key: value for key, value in place._asdict().items() if value is not None}


_CODECS: dict[Any, _Codec] = {
    str: _Codec("a string", lambda value: isinstance(value, str), str, str),
    float: _Codec(
        "a number",
        lambda value: type(value) in (int, float) and abs(value) < 1e300,
        float,
        lambda value: round(value, DECIMALS),
    ),
    tuple[str, ...]: _Codec("a list of strings", _is_strings, tuple, list),
    SentenceOf: _Codec(
        "an object with id, side, start and perhaps text",
        _is_place,
        lambda value: SentenceOf(**value),
        _place_to_json,
    ),
}
_BY_KEY = {field.key: _CODECS[field.type] for field in ALL_PLAIN_FIELDS}


def encode(value: Any, field: PlainField) -> Any:
    """Return a field's value for JSON; numbers have four decimals."""
    return _BY_KEY[field.key].to_json(value)


def decode(value: Any, field: PlainField) -> Any:
    """Return a field's value from JSON. Raises SpanbridgeError for a wrong type or range."""
    codec = _BY_KEY[field.key]
    low, high, within = _RANGES.get(field.name, _ANY)
    if codec.fits(value) and (within == "" or low <= value <= high):
        return codec.from_json(value)
    raise SpanbridgeError(
        f"{field.key} is {shown(value)}, but must be {codec.wanted}{within}; a field of your own "
        "needs another name"
    )


def shown(value: Any) -> str:
    """Return a value as in the file, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
