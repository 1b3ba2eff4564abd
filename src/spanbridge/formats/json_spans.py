"""Spans in JSON, with the keys that other programs give them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Span
from spanbridge.formats.json_values import DECIMALS, shown

# Spellings of each key, in lower case and without anything but letters, as in start_offset,
# startChar, BeginOffset; the first one that a span has is taken, others are kept as they are.
_SPELLINGS = {
    "start": (
        *("start", "startoffset", "startchar", "startpos", "startposition", "startindex"),
        *("startidx", "begin", "beginoffset", "beginposition", "characteroffsetbegin"),
    ),
    "end": (
        *("end", "endoffset", "endchar", "endpos", "endposition", "endindex", "endidx", "stop"),
        "characteroffsetend",
    ),
    "label": (
        *("label", "labels", "entitygroup", "entitytype", "entitylabel", "entity", "type", "tag"),
        *("category", "ner"),
    ),
    "score": ("score", "confidencescore"),
}
# Keys that hold the text of a span, as spelt above.
_TEXT = ("text", "surface", "surfaceform", "mention", "coveredtext")
_OTHER_THAN_LETTERS = re.compile(r"[\W\d_]+")
_TOKEN_TAG = re.compile(r"[BIES]-.")  # of a tagger's single token


def read_spans(items: Any, key: str, *, inclusive: bool = False) -> tuple[Span, ...]:
    """Read a list of spans: objects, or lists ``[start, end, label]``.

    Args:
        items: the list; None is empty.
        key: name of the list, for messages.
        inclusive: an end is the last position, not one past it.

    Returns:
        The spans, half-open, in whatever positions were given; the keys that are not known are
        their ``extra``. A span with several labels is several spans.

    Raises:
        SpanbridgeError: it is no such list, or a span lacks something.
    """
    if items is None:
        return ()
    if not isinstance(items, list):
        raise SpanbridgeError(f"{key} is {shown(items)}; give a list of objects")
    return tuple(span for item in items for span in _spans(item, key, inclusive))


def write_spans(spans: Sequence[Span]) -> list[dict[str, Any]]:
    """Spans as objects with start, end, label, score (four decimals) and what else they had."""
    rows = []
    for start, end, label, score, extra in spans:
        row: dict[str, Any] = {"start": start, "end": end, "label": label}
        if score is not None:
            row["score"] = round(score, DECIMALS)
        rows.append(row if extra is None else row | json.loads(extra))
    return rows


def given_text(span: Span) -> str | None:
    """The text that the input gave a span, if it gave one."""
    if span.extra is None:
        return None
    found = _by_spelling(json.loads(span.extra))
    texts = (found[name][1] for name in _TEXT if name in found)
    return next((text for text in texts if isinstance(text, str) and text.strip()), None)


def is_text_key(key: str) -> bool:
    """Check if a key of a span is one that holds its text."""
    return _spelt(key) in _TEXT


def without_given_text(span: Span, text: str) -> Span:
    """The span without the text that the input gave it, if it is the one at its place."""
    if span.extra is None or given_text(span) != text:
        return span
    left = {key: value for key, value in json.loads(span.extra).items() if not is_text_key(key)}
    return span._replace(extra=json.dumps(left, ensure_ascii=False) if left else None)


def with_given_text(text: str | None) -> str | None:
    """The ``extra`` of a span that the input gives nothing but a text."""
    return None if text is None else json.dumps({"text": text}, ensure_ascii=False)


def read_score(value: Any, key: str) -> float:
    """Read a score. Raises SpanbridgeError unless it is a number in [0, 1]."""
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise SpanbridgeError(f"{key}: the score {shown(value)} is no number in [0, 1]")
    return float(value)


def _spans(item: Any, key: str, inclusive: bool) -> Iterator[Span]:
    if isinstance(item, list) and len(item) == 3:
        item = dict(zip(("start", "end", "label"), item, strict=True))
    if not isinstance(item, dict):
        raise SpanbridgeError(f"{key} holds {shown(item)}; give objects")
    left = dict(item)
    if left.keys() <= _SPELLINGS.keys():  # nearly all
        given = {name: (name, left.pop(name, None)) for name in _SPELLINGS}
    else:
        given = {name: _take(left, name) for name in _SPELLINGS}
    start, end, label, score = (value for _, value in given.values())
    if start is None and end is None and {"offset", "length"} <= left.keys():
        start, length = left.pop("offset"), left.pop("length")
        end = start + length if type(start) is type(length) is int else None
    elif inclusive and type(end) is int:
        end += 1
    labels = label if isinstance(label, list) and label else [label]
    if not (type(start) is type(end) is int and all(one and type(one) is str for one in labels)):
        raise SpanbridgeError(
            f"{key}: {shown(item)} wants integers start and end, and a label; its keys are "
            f"{', '.join(item) or 'none'}"
        )
    if given["label"][0] == "entity" and any(map(_TOKEN_TAG.match, labels)):
        raise SpanbridgeError(
            f"{key}: {labels[0]!r} is the tag of a single token; let the tagger put tokens "
            "together into spans (aggregation_strategy='simple' in transformers)"
        )
    extra = json.dumps(left, ensure_ascii=False) if left else None
    for one in labels:
        yield Span(start, end, one, None if score is None else read_score(score, key), extra)


def _take(item: dict[str, Any], name: str) -> tuple[str, Any]:
    """Remove the first spelling of a key that an object has; return key and value, else None."""
    found = _by_spelling(item)
    for spelling in _SPELLINGS[name]:
        if spelling in found:
            key, value = found[spelling]
            del item[key]
            return key, value
    return "", None


def _by_spelling(item: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Key and value of each spelling that an object has."""
    found: dict[str, tuple[str, Any]] = {}
    for key, value in item.items():
        found.setdefault(_spelt(key), (key, value))
    return found


def _spelt(key: str) -> str:
    return _OTHER_THAN_LETTERS.sub("", key).lower()
