"""Which file is read and written how: by its suffix, a final ``.gz`` aside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, zip_longest
from operator import itemgetter
from pathlib import Path
from typing import TextIO, TypeVar

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.spans import Sentence, SentencePair
from spanbridge.core.tags import OrphanPolicy, Scheme
from spanbridge.data.conll import (
    DOCSTART,
    Counts,
    columns,
    is_blank,
    is_tag,
    read_conll,
    write_conll,
)
from spanbridge.data.files import atomic_output, is_gzip, lines
from spanbridge.data.jsonl import format_pair, read_jsonl
from spanbridge.data.pharaoh import read_links
from spanbridge.data.text import read_parallel_text, read_text

_SNIFFED_LINES = 1000
_L = TypeVar("_L")
_R = TypeVar("_R")


def suffix(path: str | Path) -> str:
    """The suffix that tells the format, in lower case: ``.jsonl`` for ``a.JSONL.gz``."""
    name = Path(path).with_suffix("") if is_gzip(path) else Path(path)
    return name.suffix.lower()


def looks_like_conll(head: Iterable[str]) -> bool:
    """Whether lines are CoNLL rather than text: all end in a tag, and blank lines come between.

    Only the first thousand are looked at. Comments do not count, nor do ``-DOCSTART-`` lines.
    """
    n_columns = 0
    separated = False
    n_seen = 0
    for line in islice(head, _SNIFFED_LINES):
        n_seen += 1
        if is_blank(line):
            separated = separated or n_columns > 0
            continue
        cells = columns(line)
        if len(cells) < 2 or not is_tag(cells[-1]) or n_columns not in (0, len(cells)):
            if line[0] == "#" or cells[0] == DOCSTART:
                continue
            return False
        if cells[0] != DOCSTART:
            n_columns = len(cells)
    return n_columns > 0 and (separated or n_seen == _SNIFFED_LINES)


def read_labelled(
    path: str | Path,
    scheme: Scheme = "iob2",
    orphans: OrphanPolicy = "begin",
    counts: Counts | None = None,
) -> Iterator[Sentence]:
    """Sentences with their labels: the target sides of a ``.jsonl``, else the rows of a CoNLL file.

    Raises:
        InputError: as :func:`read_conll` and :func:`read_jsonl`.
    """
    if suffix(path) == ".jsonl":
        return (pair.target for pair in read_jsonl(path))
    return map(itemgetter(1), read_conll(path, scheme, orphans, counts))


def read_pairs(
    source: str | Path,
    target: str | Path | None = None,
    links: str | Path | None = None,
    *,
    scheme: Scheme = "iob2",
    orphans: OrphanPolicy = "begin",
    one_based: bool = False,
    labelled: bool = True,
    counts: Counts | None = None,
) -> Iterator[SentencePair]:
    """Read sentence pairs from files whose rows run parallel.

    Args:
        source: a ``.jsonl`` of pairs; or a CoNLL file; or, where no labels are needed, a ``.txt``,
            and without ``target`` a file of ``source ||| target`` lines.
        target: a ``.txt`` with a sentence a line; or a CoNLL file, whose tags are not read.
        links: word links in Pharaoh's format, instead of any in the pairs.
        scheme: how the source's tags are meant.
        orphans: what becomes of the source's inside tags that continue nothing.
        one_based: whether the links count words from 1.
        labelled: False where the source's labels are not needed, so need not be there.
        counts: where to count the rows and orphans of a labelled CoNLL source, if anywhere.

    Raises:
        SpanbridgeError: the files do not go together: a target is missing, or is one too many.
        InputError: as the readers of each format; or the files have different numbers of rows; or
            a link leaves its sentences.
    """
    if suffix(source) == ".jsonl":
        if target is not None:
            raise SpanbridgeError(f"{source} holds pairs already; give it without {target}")
        pairs = read_jsonl(source)
    elif target is None:
        if labelled:
            raise SpanbridgeError(
                f"{source} holds one side only; give the file of its translations too (or pairs, "
                "as .jsonl)"
            )
        pairs = _numbered(read_parallel_text(source))
    elif suffix(target) == ".jsonl":
        raise SpanbridgeError(f"{target} holds pairs; give it alone, or a .conll or .txt instead")
    else:
        rows = read_labelled(source, scheme, orphans, counts) if labelled else _unlabelled(source)
        pairs = _numbered(_parallel(rows, source, _unlabelled(target), target))
    return pairs if links is None else _linked(pairs, source, links, one_based)


@dataclass(frozen=True, slots=True)
class PairWriter:
    """Writes pairs to an open file, in the format its name asks for."""

    out: TextIO
    as_jsonl: bool

    def write(self, pair: SentencePair) -> None:
        """Write a whole pair (``.jsonl``), or else its target side as CoNLL.

        Raises:
            SpanbridgeError: CoNLL cannot hold this row.
        """
        if self.as_jsonl:
            self.out.write(format_pair(pair) + "\n")
            return
        try:
            write_conll(pair.target, self.out)
        except SpanbridgeError as error:
            raise SpanbridgeError(f"row {pair.id}: {error}") from error


@contextmanager
def pair_writer(path: str | Path) -> Iterator[PairWriter]:
    """Open a file for pairs; it appears only when the block has succeeded.

    Raises:
        InputError: as :func:`spanbridge.data.files.atomic_output`.
    """
    with atomic_output(path) as out:
        yield PairWriter(out, suffix(path) == ".jsonl")


def _unlabelled(path: str | Path) -> Iterator[Sentence]:
    if suffix(path) == ".txt" and not looks_like_conll(lines(path)):
        return read_text(path)
    return map(itemgetter(1), read_conll(path, tags=False))


def _numbered(rows: Iterable[tuple[Sentence, Sentence]]) -> Iterator[SentencePair]:
    for number, (source, target) in enumerate(rows, 1):
        yield SentencePair(str(number), source, target)


def _linked(
    pairs: Iterator[SentencePair], source: str | Path, links: str | Path, one_based: bool
) -> Iterator[SentencePair]:
    rows = _parallel(pairs, source, read_links(links, one_based), links, links=True)
    for number, (pair, (indices, scores)) in enumerate(rows, 1):
        n_source, n_target = len(pair.source.words), len(pair.target.words)
        try:
            alignment = WordAlignment.of(indices, n_source, n_target, scores)
        except SpanbridgeError as error:
            why = f"{error}{' (after 1 was taken from each)' if one_based else ''}"
            raise InputError(links, number, why) from error
        yield SentencePair(pair.id, pair.source, pair.target, alignment, pair.status, pair.extra)


def _line_of_row(path: str | Path, row: int) -> int:
    """The line where a row of a sentence file begins; read anew, since only errors ask for it."""
    starts: Iterator[int]
    if suffix(path) == ".jsonl":
        starts = (number for number, line in enumerate(lines(path), 1) if not is_blank(line))
    elif suffix(path) == ".txt" and not looks_like_conll(lines(path)):
        return row
    else:
        starts = (number for number, _ in read_conll(path, tags=False))
    return next(islice(starts, row - 1, None))


def _parallel(
    left: Iterator[_L],
    left_path: str | Path,
    right: Iterator[_R],
    right_path: str | Path,
    *,
    links: bool = False,
) -> Iterator[tuple[_L, _R]]:
    """Rows of two files side by side; an InputError at the end if one has more than the other.

    ``links`` says that the right one holds links, a line a row whatever its suffix.
    """
    for n_rows, (a, b) in enumerate(zip_longest(left, right)):
        if a is None or b is None:
            n_longer = n_rows + 1 + sum(1 for _ in (right if a is None else left))
            longer, shorter = (right_path, left_path) if a is None else (left_path, right_path)
            raise InputError(
                longer,
                n_rows + 1 if links and a is None else _line_of_row(longer, n_rows + 1),
                f"this row has no counterpart: {longer} has {n_longer} rows and {shorter} has "
                f"{n_rows}; their rows must run parallel (in CoNLL a blank line ends a row, and "
                "one with no line before it is a row with no words; elsewhere each line is a row)",
            )
        yield a, b
