"""Word links in Pharaoh's format (``0-0 1-2``, one pair per line), and gold links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NoReturn, TextIO

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import lines
from spanbridge.core.links import WordAlignment
from spanbridge.core.rows import SentencePair, Side
from spanbridge.formats.base import DEFAULT_READING, Counts, Format, Reading, Write, row_writer

Links = tuple[tuple[int, int], ...]

_LINK = re.compile(r"([0-9]+)-([0-9]+)")
# Lists and sets as Python and JSON print them, with or without the outer brackets.
_PRINTED = re.compile(r"[\[{]?(?:[(\[]\d+,\d+[)\]],?)+[\]}]?|\[\]|set\(\)")
_GOLD_LINK = re.compile(r"([0-9]+)([-p?])([0-9]+)")


class Pharaoh(Format):
    """Word links of pairs in another file; :func:`read_links` reads them."""

    name = "pharaoh"
    suffixes = (".pharaoh", ".links", ".align")
    sides = "none"
    holds_links = True

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> NoReturn:
        """Raise SpanbridgeError: a file of links has no sentences."""
        raise SpanbridgeError(
            f"{path} holds word links, not sentences; give it as links, beside its sentences"
        )

    def writer(self, out: TextIO, side: Side = "target", *, scores: bool = False) -> Write:
        """Return a function that writes a row's links on one line, which may be empty."""

        def write(pair: SentencePair) -> None:
            links = pair.links
            out.write(("" if links is None else format_links(links, scores)) + "\n")

        return row_writer(write)


def read_links(
    path: str | Path, one_based: bool = False
) -> Iterator[tuple[Links, tuple[float, ...] | None]]:
    """Read links, one pair per line: ``SOURCE-TARGET``, either all or none followed by ``:SCORE``.

    Args:
        path: the file of links; an empty line is a pair without links.
        one_based: count words from 1 in the file.

    Yields:
        The 0-based links in the file's order, and their scores in [0, 1] or None.

    Raises:
        InputError: an item is not a link, an index is too low, a score lies outside [0, 1], or only
            some of a line's links have one.
    """
    for number, line in enumerate(lines(path), 1):
        items = _items(line)
        try:
            scores = None
            if ":" in line:
                items, scores = _split_scores(items)
            # A file consists of the same few thousand links, so nearly all come from the cache.
            pairs = tuple(map(_link, items))
            if one_based:
                pairs = _from_one(pairs)
        except SpanbridgeError as error:
            raise InputError(path, number, str(error)) from error
        yield pairs, scores


def _items(line: str) -> tuple[str, ...]:
    """The links of a line; printed lists, ``[(0, 2), (1, 3)]``, are read too."""
    items = tuple(line.split())
    if items and items[0][0] in "[({s" and _PRINTED.fullmatch(joined := "".join(items)):
        return tuple(f"{i}-{j}" for i, j in re.findall(r"(\d+),(\d+)", joined))
    return items


def read_gold_links(
    path: str | Path, one_based: bool = False
) -> Iterator[tuple[frozenset[tuple[int, int]], frozenset[tuple[int, int]]]]:
    """Read gold links, one pair per line: sure ones ``1-2``, possible ones ``3p4`` (or ``3?4``).

    Arguments and errors are as in :func:`read_links`.

    Yields:
        The sure and the possible links, 0-based; the possible ones include the sure ones.
    """
    for number, line in enumerate(lines(path), 1):
        try:
            marked = list(map(_gold_link, line.split()))
            pairs: Links = tuple(pair for pair, _ in marked)
            if one_based:
                pairs = _from_one(pairs)
        except SpanbridgeError as error:
            raise InputError(path, number, str(error)) from error
        sure = (pair for pair, (_, is_sure) in zip(pairs, marked, strict=True) if is_sure)
        yield frozenset(sure), frozenset(pairs)


def format_links(alignment: WordAlignment, scores: bool = False) -> str:
    """Return the links as one 0-based line, without line end; scores have four decimals.

    Raises SpanbridgeError if scores are asked for and the alignment has none.
    """
    if not scores:
        return " ".join([f"{i}-{j}" for i, j in alignment.pairs])
    if alignment.scores is None:
        if alignment.pairs:
            raise SpanbridgeError("these links have no scores; write them without")
        return ""
    rows = zip(alignment.pairs, alignment.scores, strict=True)
    return " ".join([f"{i}-{j}:{score:.4f}" for (i, j), score in rows])


@lru_cache(maxsize=1 << 16)
def _link(item: str) -> tuple[int, int]:
    match = _LINK.fullmatch(item)
    if match is None:
        raise SpanbridgeError(
            f"{item!r} is no link; write SOURCE-TARGET, as in 0-0 1-2 (Pharaoh, without anything "
            "else on the line; GIZA's A3 files and NAACL's have to be converted)"
        )
    return _index(match[1]), _index(match[2])


def _gold_link(item: str) -> tuple[tuple[int, int], bool]:
    match = _GOLD_LINK.fullmatch(item)
    if match is None:
        raise SpanbridgeError(
            f"{item!r} is no gold link; write a sure one as 1-2, a possible one as 3p4"
        )
    return (_index(match[1]), _index(match[3])), match[2] == "-"


def _index(digits: str) -> int:
    if len(digits) > 9:  # no sentence is that long, and int() refuses very long ones
        raise SpanbridgeError(f"{digits[:9]}... is too large to be the index of a word")
    return int(digits)


def _split_scores(items: Iterable[str]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    links, _, scores = zip(*[item.partition(":") for item in items], strict=True)
    try:
        return links, tuple(map(_score, scores))
    except SpanbridgeError:
        list(map(_link, links))  # that something is no link is the better reason
        if "" not in scores:
            raise
    link = links[scores.index("")]
    raise SpanbridgeError(f"{link!r} has no score, though others on the line have; score all")


@lru_cache(maxsize=1 << 16)
def _score(digits: str) -> float:
    try:
        score = float(digits)
    except ValueError:
        score = -1.0
    if not 0.0 <= score <= 1.0:
        raise SpanbridgeError(f"the score {digits!r} is no number in [0, 1]")
    return score


def _from_one(pairs: Links) -> Links:
    if any(0 in pair for pair in pairs):
        raise SpanbridgeError("index 0, though words are counted from 1; are these links 0-based?")
    return tuple((i - 1, j - 1) for i, j in pairs)
