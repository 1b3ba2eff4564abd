"""Rows of two files, read side by side: pairs, spans over the same words, links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.formats.base import Counts
from spanbridge.formats.pharaoh import read_links
from spanbridge.formats.tokens import in_same_words

_L = TypeVar("_L")
_R = TypeVar("_R")

_NO_INDEX = 10**9  # greater than the index of any word


def parallel(
    left: Iterator[tuple[int, _L]],
    left_path: str | Path,
    right: Iterator[tuple[int, _R]],
    right_path: str | Path,
) -> Iterator[tuple[tuple[int, _L], tuple[int, _R]]]:
    """Read rows of two files side by side, with line numbers; InputError for missing rows."""
    for n_rows, (a, b) in enumerate(zip_longest(left, right)):
        if a is None or b is None:
            line, _ = a or b
            n_longer = n_rows + 1 + sum(1 for _ in (right if a is None else left))
            longer, shorter = (right_path, left_path) if a is None else (left_path, right_path)
            raise InputError(
                longer,
                line,
                f"this row has no counterpart: {longer} has {n_longer} rows and {shorter} has "
                f"{n_rows}; their rows must run parallel (in CoNLL a blank line ends a row, and "
                "one with no line before it is a row with no words; elsewhere each line is a row)",
            )
        yield a, b


def over_same_words(
    left: Iterator[tuple[int, Sentence]],
    left_path: str | Path,
    right: Iterator[tuple[int, Sentence]],
    right_path: str | Path,
) -> Iterator[tuple[Sentence, Sentence]]:
    """Read rows of two files, to compare their spans; words of raw text end where either's do.

    Raises InputError if the numbers of rows differ, or the numbers of words in a row.
    """
    for (line, a), (at, b) in parallel(left, left_path, right, right_path):
        a, b = in_same_words(a, b)
        if len(a.words) != len(b.words):
            raise InputError(
                right_path,
                at,
                f"this row has {len(b.words)} words, but its counterpart at {left_path}:{line} has "
                f"{len(a.words)}; spans can be compared only over the same words"
                + ("" if a.words and b.words else "; of a .jsonl of pairs the target counts"),
            )
        yield a, b


def pair_up(
    rows: Iterable[tuple[tuple[int, SentencePair], tuple[int, Sentence]]],
) -> Iterator[tuple[int, SentencePair]]:
    """Make pairs of rows without targets and of target sentences, with the lines of the former."""
    return ((line, pair._replace(target=target)) for (line, pair), (_, target) in rows)


def add_links(
    rows: Iterator[tuple[int, SentencePair]],
    path: str | Path,
    links: str | Path,
    one_based: bool = False,
    counts: Counts | None = None,
) -> Iterator[tuple[int, SentencePair]]:
    """Add the links of a file to pairs read from ``path``, in place of others.

    Raises InputError as :func:`read_pairs`.
    """
    least = (_NO_INDEX, _NO_INDEX)
    found = enumerate(read_links(links, one_based), 1)
    for (line, pair), (at, (indices, scores)) in parallel(rows, path, found, links):
        n_source, n_target = len(pair.source.words), len(pair.target.words)
        try:
            alignment = WordAlignment.of(indices, n_source, n_target, scores)
        except SpanbridgeError as error:
            hint = "after 1 was taken from each" if one_based else ""
            hint = hint or _likely_cause(indices, n_source, n_target)
            raise InputError(links, at, f"{error}{hint and f' ({hint})'}") from error
        least = tuple(map(min, zip(*alignment.pairs, least, strict=True)))
        # rows without results have nothing to clear, and their files are long
        bare = pair.links is None and pair.status is None
        yield line, pair._replace(links=alignment) if bare else pair.replace(links=alignment)
    if counts is not None:
        counts.n_sides_unlinked += sum(0 < one < _NO_INDEX for one in least)


def _likely_cause(links: Sequence[tuple[int, int]], n_source: int, n_target: int) -> str:
    """How else links that lie outside their sentences may be meant; empty if nothing fits."""
    if all(0 < i <= n_source and 0 < j <= n_target for i, j in links):
        return "they would fit if they count from 1: --one-based"
    if all(i < n_target and j < n_source for i, j in links):
        return "they would fit as target-source; turn each round"
    return ""
