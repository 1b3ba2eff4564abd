"""Recognition of a file's format by its suffix or else by its first lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from spanbridge.core import registry
from spanbridge.core.addresses import is_remote
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import check_rereadable, first_lines, is_gzip
from spanbridge.core.plugins import is_foreign
from spanbridge.core.rows import SIDES, SentencePair, Side, checked_rows
from spanbridge.core.spans import Nested, one_layer
from spanbridge.core.standard import is_standard
from spanbridge.formats.base import SNIFFED_LINES, Format, Write
from spanbridge.formats.object_format import ObjectFormat
from spanbridge.formats.parquet import is_parquet, parquet_rows

# Suffix of plain text, but also of some labelled corpora.
_AMBIGUOUS = ".txt"


@cache
def named_format(name: str) -> Format:
    """Return the format of a name, such as ``conll``.

    Raises SpanbridgeError if there is none, or it is a plug-in that cannot be imported.
    """
    made: Format = registry.load("format", name)()
    return made


def find_format(
    path: str | Path,
    *,
    name: str | None = None,
    default: str | None = None,
    sniff: bool = False,
) -> Format:
    """Find the format of a file.

    A suffix that a format claims decides; a final ``.gz`` is ignored. If several formats claim it,
    the first lines decide, or else it is the usual one. ``.txt`` is ambiguous: if the
    default is another format than plain text, the file has that; else it is plain text, unless its
    lines are unambiguously of another format.

    A folder has the format that what it holds tells.

    Args:
        path: the file. With a default other than ``text`` and without ``sniff`` it is not opened,
            so it need not exist yet, and may be a pipe.
        name: name of the format, if it is known.
        default: name of the format if neither suffix nor lines tell; None for none.
        sniff: recognise a format by the first lines of a file whose suffix no format claims;
            without it, and with the default ``text``, only by lines that are unambiguous. Standard
            input (``-``), which has no name to tell, is always looked at.

    Raises:
        InputError: the lines are needed, but the file cannot be read.
        SpanbridgeError: neither suffix nor lines tell the format, and there is no default.
    """
    if name is not None:
        return named_format(name)
    if (held := folder_format(path)) is not None:
        return held
    if claimed := _by_suffix(path):
        head = _head(path) if len(claimed) > 1 else []
        return _told(claimed, head) or _usual(claimed, path)
    vague = _suffix(path) == _AMBIGUOUS
    if vague and default is None:
        default = "text"
    sniff = sniff or (is_standard(path) and default != "text")
    looked_at = default == "text" if vague else sniff or default == "text"
    if looked_at:
        check_rereadable(path)
        head = first_lines(path, SNIFFED_LINES)
        for known in _formats():
            if _recognises(known, head, strict=vague or not sniff):
                return known
    if default is None:
        suffixes = ", ".join(suffix for known in _formats() for suffix in known.suffixes)
        raise SpanbridgeError(f"{path}: its name tells no format; give it one of {suffixes}")
    return named_format(default)


def folder_format(path: str | Path) -> Format | None:
    """The format of a folder, which what it holds tells; None if it is none, or no folder."""
    try:
        if is_standard(path) or is_remote(path) or not Path(path).is_dir():
            return None
    except OSError:  # too long a name, say, of which reading will tell
        return None
    return next((known for known in _formats() if known.is_folder(Path(path))), None)


def object_format(row: Mapping[str, Any]) -> ObjectFormat:
    """Find the format of JSON objects by the first of them."""
    claimed = [one for one in _formats() if isinstance(one, ObjectFormat)]
    found = _told(claimed, [json.dumps(row)])
    return found if isinstance(found, ObjectFormat) else claimed[-1]


def output_format(path: str | Path, default: str, name: str | None = None) -> Format:
    """Find the format of a file that is to be written.

    A suffix that a format claims decides (of several the usual one), else the default; ``.txt`` is
    never a format of spans. A name decides in any case.

    Raises SpanbridgeError if the default is a plug-in that cannot be imported.
    """
    if name is not None:
        return named_format(name)
    if claimed := _by_suffix(path):
        return _usual(claimed, path)
    chosen = named_format(default)
    plain = _suffix(path) == _AMBIGUOUS and chosen.holds_spans
    return named_format("text") if plain else chosen


def one_sided(known: Format) -> list[str]:
    """Names of the labelled formats of one side that share a suffix with a format."""
    return [
        one.name
        for one in _formats()
        if one.sides == "one" and one.holds_spans and {*one.suffixes} & {*known.suffixes}
    ]


@contextmanager
def open_writer(
    path: str | Path,
    side: Side = "target",
    *,
    default: str = "conll",
    name: str | None = None,
    scores: bool = False,
    nested: Nested = "outer",
    left_out: Callable[[int], None] = lambda n: None,
) -> Iterator[Write]:
    """Open a file for rows, in the format of its suffix; it appears once the block has succeeded.

    Args:
        path: the file.
        side: side that is written if the format holds only one.
        default: name of the format if the suffix does not tell.
        name: name of the format, if it is not that of the suffix.
        scores: write the links' scores too, if they are optional.
        nested: of spans that overlap, those to write if the format holds one layer of them.
        left_out: function that is told how many spans of a row are left out for that.

    Yields:
        A function that writes a row.

    Raises:
        InputError: as :func:`spanbridge.core.files.atomic_output`.
        SpanbridgeError: the format cannot hold a row, or there is no such side.
    """
    if side not in SIDES:
        raise SpanbridgeError(f"side is {side!r}, but must be source or target")
    chosen = output_format(path, default, name)
    with chosen.open(path, side, scores=scores) as write:
        if chosen.holds_nested or not chosen.holds_spans:
            yield write
            return

        def write_layer(pair: SentencePair) -> None:
            n = 0
            for one in SIDES if chosen.sides == "both" else (side,):
                sentence = pair.side(one)
                spans = one_layer(sentence.spans, nested)
                if len(spans) < len(sentence.spans):
                    n += len(sentence.spans) - len(spans)
                    layer: dict[str, Any] = {one: sentence.with_spans(spans)}
                    pair = pair._replace(**layer)
            write(pair)
            if n:
                left_out(n)

        yield write_layer


def write_pairs(
    path: str | Path,
    rows: Iterable[SentencePair],
    side: Side = "target",
    *,
    format: str | None = None,
    nested: Nested = "outer",
) -> None:
    """Write rows to a file, in a named format or that of its suffix; see :func:`open_writer`."""
    with open_writer(path, side, name=format, nested=nested) as write:
        for row in checked_rows(rows):
            write(row)


def _told(claimed: Sequence[Format], head: Sequence[str]) -> Format | None:
    """The first of several formats that recognises the first lines of a file, if there are any."""
    return next((one for one in claimed if head and _recognises(one, head, strict=True)), None)


def _recognises(known: Format, head: Sequence[str], strict: bool) -> bool:
    """Sniff lines with a format; failures of another package's format count as False."""
    try:
        return known.sniff(head, strict)
    except Exception:
        if is_foreign(known):
            return False
        raise


def _head(path: str | Path) -> list[str]:
    """First lines of a file; none if it cannot be read, which is an error when it is needed."""
    try:
        if is_parquet(path):
            return [json.dumps(row) for _, row in islice(parquet_rows(path), 1)]
        return first_lines(path, SNIFFED_LINES)
    except InputError:
        return []


def _usual(claimed: Sequence[Format], path: str | Path) -> Format:
    """Of formats that claim a suffix the last one, if none has it as the first of several."""
    suffix = _suffix(path)
    first = [one for one in claimed if len(one.suffixes) > 1 and one.suffixes[0] == suffix]
    return (first or claimed)[-1]


def _by_suffix(path: str | Path) -> list[Format]:
    """The formats that claim a file's suffix: our own ones, or else the first other one."""
    suffix = _suffix(path)
    if suffix == _AMBIGUOUS:
        return []
    claimed = [one for one in _formats() if suffix in one.suffixes]
    if own := [one for one in claimed if not is_foreign(one)]:
        return own
    if claimed:
        return claimed[:1]
    if suffix[1:] in registry.names("format"):
        named_format(suffix[1:])  # raises if it would claim the suffix, but cannot be imported
    return []


def _formats() -> Iterator[Format]:
    """Yield all importable formats, own ones first; `spanbridge doctor` names the others."""
    for name in registry.names("format"):
        with suppress(SpanbridgeError):
            yield named_format(name)


def _suffix(path: str | Path) -> str:
    """Return the suffix that tells the format, in lower case: ``.jsonl`` for ``a.JSONL.gz``."""
    name = Path(path).with_suffix("") if is_gzip(path) else Path(path)
    return name.suffix.lower()
