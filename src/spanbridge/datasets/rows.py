"""Rows of data sets: read by the formats, parallel files side by side, labels mapped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import SIDES, SentencePair, Side
from spanbridge.core.spans import Sentence, Span
from spanbridge.core.tags import spans_from_tags
from spanbridge.datasets.description import OWN_FORMATS, HowRead
from spanbridge.formats.base import Counts
from spanbridge.formats.json_objects import Object, objects
from spanbridge.formats.jsonl import RowReader
from spanbridge.formats.lookup import find_format
from spanbridge.formats.reading import parallel, with_position

Rows = Iterator[tuple[int, SentencePair]]
# Function from a label to the one that it becomes; None drops the span.
Renaming = Callable[[str], str | None]


def read(
    paths: Sequence[Path], how: HowRead, side: Side, counts: Counts | None
) -> Iterator[SentencePair]:
    """Read the rows of one file, of the source's and the target's, or of all files of a folder.

    Raises InputError for a file that is not of this kind, or for rows that do not run parallel.
    """
    counts = Counts() if counts is None else counts
    if how.format in OWN_FORMATS:
        from spanbridge.datasets import published

        yield from published.READERS[how.format](paths, side, counts)
        return
    if len(paths) == 2 and not how.keys and _one_sided(paths, how):
        yield from _side_by_side(paths, how, counts)
        return
    for path in paths:
        yield from (row for _, row in _rows(path, how, side, counts))


def renaming(known: Mapping[str, str | None], coarse: Mapping[str, str] | None) -> Renaming | None:
    """What becomes of labels; None if nothing does."""
    if not known and coarse is None:
        return None

    def rename(label: str) -> str | None:
        found = known.get(label, label)
        return found if coarse is None or found is None else coarse.get(found)

    return rename


def changed(
    rows: Iterator[SentencePair], rename: Renaming | None, n: int | None
) -> Iterator[SentencePair]:
    """The first rows, or all, with their labels renamed."""
    for row in islice(rows, n):
        if rename is None:
            yield row
            continue
        yield row._replace(source=_renamed(row.source, rename), target=_renamed(row.target, rename))


def _renamed(sentence: Sentence, rename: Renaming) -> Sentence:
    if not sentence.spans:
        return sentence
    named = ((span, rename(span.label)) for span in sentence.spans)
    return sentence.with_spans(tuple(s._replace(label=label) for s, label in named if label))


def _one_sided(paths: Sequence[Path], how: HowRead) -> bool:
    return find_format(paths[0], name=how.format, default="conll", sniff=True).sides == "one"


def _side_by_side(paths: Sequence[Path], how: HowRead, counts: Counts) -> Iterator[SentencePair]:
    left, right = (_rows(path, how, side, counts) for path, side in zip(paths, SIDES, strict=True))
    for (_, source), (_, target) in parallel(left, paths[0], right, paths[1]):
        yield source._replace(target=target.target, extra={**source.extra, **target.extra})


def _rows(path: Path, how: HowRead, side: Side, counts: Counts) -> Rows:
    reading = how.reading()
    if how.keys:
        return with_position(_renamed_rows(path, how, side, counts), path, counts)
    found = find_format(path, name=how.format, default="conll", sniff=True)
    return with_position(found.read(path, side, reading, counts), path, counts)


def _renamed_rows(path: Path, how: HowRead, side: Side, counts: Counts) -> Rows:
    """JSON lines with keys of their own, and tags in place of spans."""
    read_row = RowReader(path, side, how.reading(), counts, None)
    for line, row in objects(path):
        try:
            renamed = _with_keys(row, how)
        except SpanbridgeError as error:
            raise InputError(path, line, str(error)) from error
        yield line, read_row(renamed, line)


def _with_keys(row: Object, how: HowRead) -> Object:
    found: Object = {}
    for key, value in row.items():
        name = how.keys.get(key, key)
        if name in found:
            raise SpanbridgeError(f"has both {key!r} and {name!r}")
        found[name] = value
    for side in SIDES:
        if (tags := found.pop(f"{side}_tags", None)) is not None:
            found[f"{side}_spans"] = _spans(tags, how)
    return found


def _spans(tags: Any, how: HowRead) -> list[dict[str, Any]]:
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise SpanbridgeError("tags must be a list of tags such as B-PER")
    spans: tuple[Span, ...] = spans_from_tags(tags, how.scheme, how.orphans)[0]
    return [{"start": span.start, "end": span.end, "label": span.label} for span in spans]
