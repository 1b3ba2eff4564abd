"""JSON objects of a file: one per line, or all of them in one array; parsed strictly."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from json import JSONDecodeError
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn, cast

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import LONGEST_JSON, lines
from spanbridge.formats.base import Counts
from spanbridge.formats.json_values import shown
from spanbridge.formats.parquet import is_parquet, parquet_rows

Object = dict[str, Any]
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SPACE = re.compile(r"[ \t\r\n]*")
_DEEPEST = 100
_ONE_EACH = "write one object per line"


def objects(path: str | Path, counts: Counts | None = None) -> Iterator[tuple[int, Object]]:
    """Read the objects of JSON lines, of one JSON array (which is held whole), or of Parquet.

    Args:
        path: the file; its suffix tells if it is Parquet.
        counts: counts to update, if any: columns of Parquet may be left out.

    Yields:
        The 1-based number of the line on which each object begins (of its row, in Parquet), and the
        object.

    Raises:
        InputError: a line is no object that could be written again; or there is none at all.
    """
    if is_parquet(path):
        yield from parquet_rows(path, counts)
        return
    rows = lines(path, b"[")
    skipped = 0
    first = ""
    for first in rows:
        if first.strip():
            break
        skipped += 1
    if first.lstrip().startswith("["):
        yield from _array(path, _joined(path, chain([first], rows)), skipped + 1)
        return
    if not first.strip():
        raise InputError(path, None, f"has only blank lines; {_ONE_EACH}")
    for number, line in enumerate(chain([first], rows), skipped + 1):
        if line.strip():
            try:
                yield number, parse_object(line)
            except SpanbridgeError as error:
                raise InputError(path, number, str(error)) from error


def first_object(head: Sequence[str]) -> Object | None:
    """The first object in the first lines of a file; None if there is none."""
    text = "\n".join(head).strip()
    try:
        if text.startswith("["):
            return _checked(_DECODER.raw_decode(text, _skip(text, 1))[0], "")
        return parse_object(text.partition("\n")[0])
    except (ValueError, RecursionError, SpanbridgeError):
        return None


def nth(number: int, line: int, before: int | None) -> str:
    """Which row an error is about, if its line does not tell: it has the row before it, too."""
    return f"row {number}: " if line == before else ""


def take_id(row: Object, number: int) -> str:
    """Remove a row's id, or else use its number. Raises SpanbridgeError for what is no id."""
    identity = row.pop("id", None)
    if identity is None:
        return str(number)
    if type(identity) not in (str, int):
        raise SpanbridgeError(f"id is {json.dumps(identity)}; give a string or an integer")
    return str(identity)


def take_text(row: Object, key: str) -> str:
    """Remove a text. Raises SpanbridgeError if there is none."""
    text = row.pop(key, None)
    if not isinstance(text, str):
        raise SpanbridgeError(f"{key} is {shown(text)}; give a string")
    return text


def take_words(row: Object, key: str) -> list[str]:
    """Remove a list of words. Raises SpanbridgeError if there is none."""
    words = row.pop(key, None)
    if not isinstance(words, list) or not set(map(type, words)) <= {str}:
        raise SpanbridgeError(f"{key} is {shown(words)}; give a list of strings")
    return words


def parse_object(line: str) -> Object:
    """Parse one line as a JSON object that can be written again. Raises SpanbridgeError."""
    return _checked(_decoded(line), line)


def parse_value(text: str) -> Any:
    """Parse JSON of any kind that can be written again. Raises SpanbridgeError."""
    return _writable(_decoded(text), text)


def _decoded(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise _mistake(error) from error


def whole_object(path: str | Path) -> str:
    """The text of a file that is one object of JSON. Raises InputError if it is too long."""
    return _joined(path, lines(path, b"{"))


def _joined(path: str | Path, rows: Iterable[str]) -> str:
    found, length = [], 0
    for row in rows:
        found.append(row)
        length += len(row) + 1
        if length > LONGEST_JSON:
            why = f"is one value of JSON of more than {LONGEST_JSON} characters; cut it in parts"
            raise InputError(path, None, why)
    return "\n".join(found)


def _array(path: str | Path, text: str, line: int) -> Iterator[tuple[int, Object]]:
    """The objects of an array, which begins on the given line."""
    at = text.index("[") + 1
    seen, n, before = 0, 0, None
    while True:
        at = _skip(text, at)
        line, seen = line + text.count("\n", seen, at), at
        if text[at : at + 1] == "]" and not n:
            raise InputError(path, line, "is an empty array; write at least one object into it")
        try:
            row, end = _DECODER.raw_decode(text, at)
            yield line, _checked(row, text[at:end])
        except (ValueError, RecursionError) as error:
            why = f"{nth(n + 1, line, before)}{_mistake(error)}"
            raise InputError(path, line, why) from error
        except SpanbridgeError as error:
            raise InputError(path, line, f"{nth(n + 1, line, before)}{error}") from error
        n, before, at = n + 1, line, _skip(text, end)
        if text[at : at + 1] == "]" and not text[at + 1 :].strip():
            return
        if text[at : at + 1] != ",":
            line += text.count("\n", seen, at)
            raise InputError(path, line, "is not JSON (a comma or the end of the array is missing)")
        at += 1


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return at if space is None else space.end()


def _mistake(error: ValueError | RecursionError) -> SpanbridgeError:
    if isinstance(error, RecursionError):
        return SpanbridgeError(f"is nested more than {_DEEPEST} levels deep; {_ONE_EACH}")
    if isinstance(error, JSONDecodeError):
        return SpanbridgeError(f"is not JSON ({error.msg}, column {error.colno}); {_ONE_EACH}")
    # from the hooks below, or for an integer of thousands of digits
    return SpanbridgeError(f"is not valid JSON ({error})")


def _checked(row: Any, text: str) -> Object:
    if not isinstance(row, dict):
        raise SpanbridgeError("is no JSON object; write {...} on each line")
    return cast(Object, _writable(row, text))


def _writable(value: Any, text: str) -> Any:
    if _SURROGATE_ESCAPE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError as error:
            raise SpanbridgeError(
                "a string holds half a surrogate pair, which is no character; mend the \\u escape"
            ) from error
    if text.count("[") + text.count("{") > _DEEPEST and _is_deep(value):
        raise SpanbridgeError(f"is nested more than {_DEEPEST} levels deep; {_ONE_EACH}")
    return value


def _is_deep(whole: Any) -> bool:
    level = [whole]
    for _ in range(_DEEPEST):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True


def _object(items: list[tuple[str, Any]]) -> Object:
    row = dict(items)
    if len(row) != len(items):
        keys = [key for key, _ in items]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is given twice")
    return row


def _float(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise ValueError(f"{digits} is too large for a number")
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number; write null, or leave the key out")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant)
