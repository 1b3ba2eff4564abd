"""Rows of data sets: read by the formats, parallel files side by side, labels mapped."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import lines
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SIDES, SentencePair, Side
from spanbridge.core.spans import Sentence, Span
from spanbridge.core.tags import spans_from_tags
from spanbridge.datasets.description import OWN_FORMATS, HowRead
from spanbridge.formats.base import Counts
from spanbridge.formats.conll_reader import is_blank
from spanbridge.formats.json_objects import Object, objects
from spanbridge.formats.jsonl import RowReader
from spanbridge.formats.lookup import find_format
from spanbridge.formats.pharaoh import read_gold_links
from spanbridge.formats.reading import with_position
from spanbridge.formats.side_by_side import parallel

Rows = Iterator[tuple[int, SentencePair]]
Link = tuple[int, int]
_ALONE = "rows without a counterpart left out"
# Function from a label to the one that it becomes; None drops the span.
Renaming = Callable[[str], str | None]


def read(
    groups: Sequence[Sequence[Path]],
    how: HowRead,
    side: Side,
    counts: Counts | None,
    spoken: Sequence[str] = (),
) -> Iterator[SentencePair]:
    """Read the rows of files: all together, or those of the source and of the target in parallel.

    Rows of one language without words, such as two empty lines of CoNLL make, are left out and
    counted.

    Args:
        groups: the files; of pairs on two sides a group for each, and one for their links if any.
        how: settings.
        side: side on which sentences of one language are put.
        counts: counts to update, if any.
        spoken: languages of the sides, by which the files of two folders are told apart.

    Raises InputError for a file that is not of this kind, or for rows that do not run parallel.
    """
    counts = Counts() if counts is None else counts
    if how.format in OWN_FORMATS:
        from spanbridge.datasets import published

        yield from published.READERS[how.format](groups, side, counts)
        return
    if len(groups) == 1:
        for path in groups[0]:
            for _, row in _rows(path, how, side, counts):
                if spoken or row.side(side).words:
                    yield _named(row, path, groups[0])
                else:
                    counts.leave_out("rows without words left out")
        return
    pairs = [groups[:2]]
    if len(groups[0]) > 1 or len(groups[1]) > 1:
        pairs = [((left,), (right,)) for left, right in _same_names(groups[0], groups[1], spoken)]
    for (source,), (target,) in pairs:
        beside = _matched if how.match else _side_by_side
        found = beside((source, target), how, counts)
        if len(groups) > 2:
            found = _with_links(found, source, groups[2][0], how.one_based)
        for row in found:
            yield _named(row, source, groups[0])


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


def _same_names(
    left: Sequence[Path], right: Sequence[Path], spoken: Sequence[str]
) -> Iterator[tuple[Path, Path]]:
    """The files of two folders whose names differ by the language at most."""

    def key(path: Path, code: str) -> tuple[str, ...]:
        return tuple(part for part in re.split(r"[-_.]", path.stem) if part != code)

    sources, targets = (
        {key(path, code): path for path in paths}
        for paths, code in zip((left, right), spoken, strict=True)
    )
    alone = [sources[k] for k in sources if k not in targets]
    alone += [targets[k] for k in targets if k not in sources]
    if alone:
        why = f"has no counterpart in the other language, like {len(alone) - 1} more files"
        raise InputError(alone[0], None, why if len(alone) > 1 else why.partition(",")[0])
    return ((sources[k], targets[k]) for k in sources)


def _with_links(
    rows: Iterator[SentencePair], source: Path, links: Path, one_based: bool
) -> Iterator[SentencePair]:
    """Rows with the sure links of a file, and with the possible ones in their extra fields."""
    gold = enumerate(read_gold_links(links, one_based), 1)
    for (line, row), (_, (sure, possible)) in parallel(enumerate(rows, 1), source, gold, links):
        try:
            yield linked(row, sure, possible)
        except SpanbridgeError as error:
            raise InputError(links, line, str(error)) from error


def linked(row: SentencePair, sure: Iterable[Link], possible: Iterable[Link]) -> SentencePair:
    """A row with gold links. Raises SpanbridgeError for one outside the sentences."""
    made = WordAlignment.of(sorted(sure), len(row.source.words), len(row.target.words))
    return row._replace(links=made, extra={**row.extra, "possible": [*map(list, sorted(possible))]})


def _named(row: SentencePair, path: Path, group: Sequence[Path]) -> SentencePair:
    """The row, with the file's name in its id where there are several files."""
    return row if len(group) == 1 else row._replace(id=f"{path.stem}.{row.id}")


def _side_by_side(paths: Sequence[Path], how: HowRead, counts: Counts) -> Iterator[SentencePair]:
    also = Counts(guessed=counts.guessed, left_out=counts.left_out, places=counts.places)
    left = _rows(paths[0], how, "source", counts)
    right = _rows(paths[1], how, "target", also)  # whose rows are no further ones
    for (_, source), (_, target) in parallel(left, paths[0], right, paths[1]):
        yield source._replace(target=target.target, extra={**source.extra, **target.extra})
    counts.n_orphans += also.n_orphans
    counts.n_comments += also.n_comments
    counts.repeated |= also.repeated


def _matched(paths: Sequence[Path], how: HowRead, counts: Counts) -> Iterator[SentencePair]:
    """Rows of two CoNLL files that belong together by comments, in the order of the targets."""
    also = Counts(guessed=counts.guessed, left_out=counts.left_out, places=counts.places)
    waiting: dict[str, deque[SentencePair]] = {}
    for line, source in _rows(paths[0], how, "source", also):
        key = _comment(paths[0], line, how.match["source"])
        waiting.setdefault(key, deque()).append(source)
    for line, target in _rows(paths[1], how, "target", counts):
        if found := waiting.get(_comment(paths[1], line, how.match["target"])):
            yield found.popleft()._replace(target=target.target)
        else:
            counts.leave_out(_ALONE)
    counts.leave_out(_ALONE, sum(map(len, waiting.values())))
    counts.n_orphans += also.n_orphans


def _comment(path: Path, line: int, name: str) -> str:
    """The value of a comment ``# NAME = VALUE`` of the row that begins on a line."""
    found = _comments(path, path.stat().st_mtime_ns, name).get(line)
    if found is None:
        raise InputError(
            path, line, f"this row has no comment # {name} = ..., by which it is matched"
        )
    return found


@lru_cache(maxsize=2)
def _comments(path: Path, stamp: int, name: str) -> dict[int, str]:
    """Values of a comment by the first line of each row."""
    found, first, mark = {}, 1, f"# {name} = "
    for number, line in enumerate(lines(path), 1):
        if is_blank(line):
            first = number + 1
        elif line.startswith(mark):
            found[first] = line.removeprefix(mark).strip()
    return found


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
