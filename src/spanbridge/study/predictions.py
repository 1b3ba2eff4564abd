"""Predictions that somebody else's system made, over the texts of a study."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError
from spanbridge.core.files import check_there
from spanbridge.core.rows import SIDES, SentencePair
from spanbridge.core.spans import ABSENT, Sentence
from spanbridge.evaluation import orphan_policy
from spanbridge.evaluation.span_choice import SpanChoice
from spanbridge.formats import (
    Reading,
    find_format,
    labelled_rows,
    over_same_words,
    parallel,
)
from spanbridge.formats.base import DEFAULT_READING, Counts
from spanbridge.formats.json_objects import objects
from spanbridge.formats.jsonl import SPANS_KEY, TEXT_KEY, JsonLines, RowReader, format_pair
from spanbridge.study.inputs import without_gold
from spanbridge.study.settings import Scores

_ID = "id"
# Keys of rows that hold spans without their text, and keys that texts stand under.
_KEYS = (_ID, SPANS_KEY)
_TEXTS = {TEXT_KEY, *(f"{side}_{part}" for side in SIDES for part in ("text", "words"))}
_OF_TARGET = ("target_text", "target_words", "target_word_offsets")


def check_file(path: str) -> None:
    """Raise InputError if there is no such file."""
    check_there(path)
    if Path(path).is_dir():
        why = "is a folder; name its files, such as FOLDER/{dataset}.{language}.conll"
        raise InputError(path, None, why)


def spans_alone(path: str | Path) -> bool:
    """Check if a file holds spans without their text: JSON lines with ``id`` and ``spans``.

    Raises InputError if it cannot be read.
    """
    check_there(path)
    if not isinstance(find_format(path, default="conll"), JsonLines):
        return False
    return any(SPANS_KEY in row and not _TEXTS & set(row) for _, row in islice(objects(path), 1))


def over_text(
    text: Iterable[SentencePair], path: str
) -> Iterator[tuple[SentencePair, int, Sentence]]:
    """The spans of a file that :func:`spans_alone`, over the text that they are of.

    Args:
        text: rows as systems get them.
        path: the spans, in words of the rows' targets, or in characters if these are raw text.

    Yields:
        Row, line of its spans, and its target with them.

    Raises:
        InputError: rows do not run parallel, have other ids, or wrong spans; with the line.
    """
    read = RowReader(path, "target", DEFAULT_READING, Counts(), None)
    for (_, row), (line, given) in parallel(enumerate(text, 1), "the data", objects(path), path):
        if set(given) != set(_KEYS):
            told = ", ".join(given) or "nothing"
            why = f"rows without a text have {' and '.join(_KEYS)} alone; there is: {told}"
            raise InputError(path, line, why)
        if str(given[_ID]) != row.id:
            why = f"its id is {given[_ID]!r}, but that of the data is {row.id!r}"
            raise InputError(path, line, f"{why}; give all rows of the data in their order")
        yield row, line, read({**_text(row), "target_spans": given[SPANS_KEY]}, line).target


def _text(row: SentencePair) -> dict[str, Any]:
    """The target as JSON lines hold it, without spans."""
    given = json.loads(format_pair(SentencePair(row.id, ABSENT, row.target.with_spans(()))))
    return {key: given[key] for key in given if key in _OF_TARGET}


def check_predictions(text: Iterable[SentencePair], path: str, how: Scores) -> Iterator[str]:
    """Check predictions before they are scored.

    Args:
        text: rows of the study, with their gold spans.
        path: the predictions.
        how: how they are scored.

    Yields:
        What should be known of them.

    Raises:
        InputError: they do not fit the text, or no label of theirs is one of the text's.
    """
    rows, reading = list(text), Reading(orphans=orphan_policy(how.protocol))
    theirs = (
        [(line, target) for _, line, target in over_text(map(without_gold, rows), path)]
        if spans_alone(path)
        else list(labelled_rows(path, reading))
    )
    gold = ((n, row.target) for n, row in enumerate(rows, 1))
    both = over_same_words(gold, "the data", iter(theirs), path)
    wrong = [line for (line, _), (a, b) in zip(theirs, both, strict=True) if a.words != b.words]
    if wrong:
        yield f"{path}:{wrong[0]}: other words than the data has, in {len(wrong)} rows"
    choice = SpanChoice(how.labels, how.map)
    sides = [side for row in rows for side in (row.source, row.target)]
    known = {span.label for side in sides for span in choice.of(side.spans)}
    lines: dict[str, list[int]] = {}
    for line, target in theirs:
        for span in choice.of(target.spans):
            lines.setdefault(span.label, []).append(line)
    strange = {label: of for label, of in lines.items() if label not in known}
    if strange and len(strange) == len(lines):
        why = (
            f"predicts {', '.join(sorted(strange))}, but the data has {', '.join(sorted(known))}; "
            "rename labels with map in the study's scores"
        )
        raise InputError(path, min(map(min, strange.values())), why)
    for label, of in strange.items():
        yield f"{path}:{of[0]}: the data has no label {label}; spans that have it: {len(of)}"
