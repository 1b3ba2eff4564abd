"""Blank lines of parallel files: whether they are rows without words, or no rows at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from spanbridge.core.files import has_blank_lines
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.formats.base import Counts, Format, Reading

_R = TypeVar("_R", Sentence, SentencePair)


def skips_blanks(*files: tuple[Format, str | Path, Reading]) -> bool:
    """Check if the rows of two files run parallel only without those that have no words.

    If one file alone lost them, rows might be shifted: an empty translation keeps its place.
    """
    if not any(one.blank_row and has_blank_lines(path, one.blank_row) for one, path, _ in files):
        return False
    words = [
        [len(pair.source.words) for _, pair in one.read(path, "source", replace(how, tags=False))]
        for one, path, how in files
    ]
    n_rows = {len(rows) for rows in words}
    return len(n_rows) > 1 and len({len(rows) - rows.count(0) for rows in words}) == 1


def without_blanks(
    rows: Iterator[tuple[int, _R]],
    path: str | Path,
    counts: Counts,
    words: Callable[[_R], int],
) -> Iterator[tuple[int, _R]]:
    """The rows that have words; the others are counted."""
    for line, row in rows:
        if words(row):
            yield line, row
        else:
            counts.leave_out(f"blank lines of {path} taken for no rows, so that rows run parallel")
