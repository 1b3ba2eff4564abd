"""Which file is read and written how: by its suffix, a final ``.gz`` aside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
from spanbridge.data.files import atomic_output, check_rereadable, is_gzip, lines
from spanbridge.data.jsonl import format_pair, read_jsonl
from spanbridge.data.pharaoh import read_links
from spanbridge.data.text import read_parallel_text, read_text

_SNIFFED_LINES = 1000
_CONLL = frozenset({".conll", ".bio", ".iob", ".tsv"})
_L = TypeVar("_L")
_R = TypeVar("_R")


def suffix(path: str | Path) -> str:
    """The suffix that tells the format, in lower case: ``.jsonl`` for ``a.JSONL.gz``."""
    name = Path(path).with_suffix("") if is_gzip(path) else Path(path)
    return name.suffix.lower()


def looks_like_conll(head: Iterable[str], *, tagged: bool = True) -> bool:
    """Whether lines are CoNLL rather than text: all end in a tag, and blank lines come between.

    Only the first thousand are looked at. Comments do not count, nor do ``-DOCSTART-`` lines.
    ``tagged=False`` lets pass other columns too: a single word a line, or any between tabs.
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
        fits = (len(cells) > 1 and is_tag(cells[-1])) or (
            not tagged and (len(cells) == 1 or "\t" in line)
        )
        if not fits or n_columns not in (0, len(cells)):
            if line[0] == "#" or cells[0] == DOCSTART:
                continue
            return False
        if cells[0] != DOCSTART:
            n_columns = len(cells)
    return n_columns > 0 and (separated or (n_seen == _SNIFFED_LINES and n_columns > 1))


def labelled_rows(
    path: str | Path,
    scheme: Scheme = "iob2",
    orphans: OrphanPolicy = "begin",
    counts: Counts | None = None,
) -> Iterator[tuple[int, Sentence]]:
    """As :func:`read_labelled`, each sentence with the 1-based number of its first line."""
    if suffix(path) == ".jsonl":
        return ((line, pair.target) for line, pair in read_jsonl(path, counts))
    return read_conll(path, scheme, orphans, counts)


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
    return map(itemgetter(1), labelled_rows(path, scheme, orphans, counts))


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
        target: a ``.txt`` with a sentence a line; or a CoNLL file, whose tags are not read. Another
            suffix is either, by its lines.
        links: word links in Pharaoh's format, instead of any in the pairs.
        scheme: how the source's tags are meant.
        orphans: what becomes of the source's inside tags that continue nothing.
        one_based: whether the links count words from 1.
        labelled: False where the source's labels are not needed, so need not be there.
        counts: where to count the rows and orphans of a labelled CoNLL source, and the target spans
            of a ``.jsonl`` that were widened, if anywhere.

    Raises:
        SpanbridgeError: the files do not go together: a target is missing, or is one too many.
        InputError: as the readers of each format; or the files have different numbers of rows; or
            a link leaves its sentences; or a file is a pipe.
    """
    for path in (source, target, links):
        if path is not None:  # a target's head is looked at first, and a run reads all of it twice
            check_rereadable(path)
    if suffix(source) == ".jsonl":
        if target is not None:
            raise SpanbridgeError(f"{source} holds pairs already; give it without {target}")
        rows = read_jsonl(source, counts)
    elif target is None:
        if labelled:
            raise SpanbridgeError(
                f"{source} holds one side only; give the file of its translations too (or pairs, "
                "as .jsonl)"
            )
        both = enumerate(read_parallel_text(source), 1)
        rows = pair_up(((line, left), (line, right)) for line, (left, right) in both)
    elif suffix(target) == ".jsonl":
        raise SpanbridgeError(f"{target} holds pairs; give it alone, or a .conll or .txt instead")
    else:
        left = (
            labelled_rows(source, scheme, orphans, counts) if labelled else read_sentences(source)
        )
        rows = pair_up(parallel(left, source, read_sentences(target), target))
    return map(itemgetter(1), rows if links is None else add_links(rows, source, links, one_based))


def parallel(
    left: Iterator[tuple[int, _L]],
    left_path: str | Path,
    right: Iterator[tuple[int, _R]],
    right_path: str | Path,
) -> Iterator[tuple[tuple[int, _L], tuple[int, _R]]]:
    """Rows of two files side by side, each with its line.

    Raises:
        InputError: one file has more rows than the other.
    """
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
    """Rows of two files whose spans are to be compared.

    Raises:
        InputError: one file has more rows than the other, or one row more words.
    """
    for (line, a), (at, b) in parallel(left, left_path, right, right_path):
        if len(a.words) != len(b.words):
            raise InputError(
                right_path,
                at,
                f"this row has {len(b.words)} words, but its counterpart at {left_path}:{line} has "
                f"{len(a.words)}; spans can be compared only over the same words",
            )
        yield a, b


def pair_up(
    rows: Iterable[tuple[tuple[int, Sentence], tuple[int, Sentence]]],
) -> Iterator[tuple[int, SentencePair]]:
    """Source and target side as pairs, with the source's lines and the row numbers as ids."""
    for number, ((line, source), (_, target)) in enumerate(rows, 1):
        yield line, SentencePair(str(number), source, target)


def add_links(
    rows: Iterator[tuple[int, SentencePair]],
    path: str | Path,
    links: str | Path,
    one_based: bool = False,
) -> Iterator[tuple[int, SentencePair]]:
    """Pairs that were read from ``path``, with the links of a file in place of any they had.

    Raises:
        InputError: as :func:`read_pairs`.
    """
    found = enumerate(read_links(links, one_based), 1)
    for (line, pair), (at, (indices, scores)) in parallel(rows, path, found, links):
        n_source, n_target = len(pair.source.words), len(pair.target.words)
        try:
            alignment = WordAlignment.of(indices, n_source, n_target, scores)
        except SpanbridgeError as error:
            why = f"{error}{' (after 1 was taken from each)' if one_based else ''}"
            raise InputError(links, at, why) from error
        yield line, replace(pair, links=alignment)


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


def read_sentences(path: str | Path) -> Iterator[tuple[int, Sentence]]:
    """Sentences of a CoNLL file, whose tags are not read, or of a text; each with its line."""
    if holds_conll(path):
        return read_conll(path, tags=False)
    return enumerate(read_text(path), 1)


def is_conll(path: str | Path) -> bool:
    """Whether a file that may well be raw text is CoNLL: by its suffix, or as a strict ``.txt``.

    Any other name is raw text, whatever its lines look like.
    """
    kind = suffix(path)
    return kind in _CONLL or (kind == ".txt" and looks_like_conll(lines(path)))


def holds_conll(path: str | Path) -> bool:
    """Whether a file is CoNLL, by its suffix or, where that does not tell, by its lines."""
    kind = suffix(path)
    return kind in _CONLL or looks_like_conll(lines(path), tagged=kind == ".txt")
