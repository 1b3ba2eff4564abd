"""Reading of files of any format: rows, sentences with or without labels, pairs from two files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import check_rereadable, lines
from spanbridge.core.plugins import code_digests
from spanbridge.core.rows import SentencePair, Side
from spanbridge.core.spans import ABSENT, Sentence
from spanbridge.core.standard import check_one_input
from spanbridge.formats.base import DEFAULT_READING, Counts, Format, Reading
from spanbridge.formats.blank_rows import skips_blanks, without_blanks
from spanbridge.formats.conll import Conll
from spanbridge.formats.conll_reader import columns as columns_of
from spanbridge.formats.conll_reader import is_blank
from spanbridge.formats.encoding import Notice
from spanbridge.formats.ids import Ids
from spanbridge.formats.lookup import find_format, one_sided
from spanbridge.formats.plain_text import ParallelText, PlainText
from spanbridge.formats.side_by_side import add_links, pair_up, parallel

_L = TypeVar("_L")
_R = TypeVar("_R")


class Pairs(Iterable[SentencePair]):
    """Pairs that every loop reads from their files again.

    Attributes:
        counts: counts of the latest completed loop.
        files: path of each role: ``source``, ``target``, ``links``.
        reading: settings by which tags are read, for signatures.
    """

    def __init__(
        self,
        read: Callable[[Counts], Iterator[tuple[int, SentencePair]]],
        counts: Counts,
        files: Mapping[str, str],
        reading: Mapping[str, str],
    ) -> None:
        self._read = read
        self.counts = counts
        self.files = files
        self.reading = reading

    def __iter__(self) -> Iterator[SentencePair]:
        found = Counts()
        for _, pair in self._read(found):
            yield pair
        for count in fields(Counts):
            setattr(self.counts, count.name, getattr(found, count.name))


def read_rows(
    path: str | Path,
    side: Side = "target",
    how: Reading = DEFAULT_READING,
    counts: Counts | None = None,
    *,
    default: str = "text",
    sniff: bool = True,
) -> Iterator[tuple[int, SentencePair]]:
    """Read the rows of a file of any format, each with the 1-based number of its first line.

    Args:
        path: the file.
        side, how, counts: as in :meth:`spanbridge.formats.base.Format.read`, whose errors are
            raised.
        default, sniff: as in :func:`spanbridge.formats.lookup.find_format`.
    """
    found = find_format(path, name=how.format, default=default, sniff=sniff)
    return with_position(found.read(path, side, how, counts), path, counts)


def read_sentences(path: str | Path) -> Iterator[tuple[int, Sentence]]:
    """Read sentences without labels: text, CoNLL or the target sides of pairs.

    Raises as :func:`read_rows`.
    """
    found = find_format(path, default="text", sniff=True)
    return with_position(found.sentences(path, Reading(tags=False)), path)


def labelled_rows(
    path: str | Path, how: Reading = DEFAULT_READING, counts: Counts | None = None
) -> Iterator[tuple[int, Sentence]]:
    """Read as :func:`read_labelled`, each sentence with the 1-based number of its first line."""
    found = _labelled_format(path, how.format)
    return with_position(found.sentences(path, how, counts), path, counts)


def labelled_pairs(
    path: str | Path,
    side: Side = "target",
    how: Reading = DEFAULT_READING,
    counts: Counts | None = None,
) -> Iterator[tuple[int, SentencePair]]:
    """Read as :func:`labelled_rows`, but whole rows, in which that side is there.

    Raises:
        InputError: as :func:`read_rows`; or the rows have no such side.
        SpanbridgeError: the file's format holds no labels.
    """
    found = _labelled_format(path, how.format)
    for line, pair in with_position(found.read(path, side, how, counts), path, counts):
        if pair.side(side) is ABSENT:
            raise InputError(path, line, f"has no {side} side, whose sentences are read")
        yield line, pair


def read_labelled(
    path: str | Path, how: Reading = DEFAULT_READING, counts: Counts | None = None
) -> Iterator[Sentence]:
    """Read sentences (target sides of pairs) with labels; CoNLL unless the suffix says otherwise.

    Raises:
        InputError: as :func:`read_rows`.
        SpanbridgeError: the file's format holds no labels.
    """
    return (sentence for _, sentence in labelled_rows(path, how, counts))


def read_pairs(
    source: str | Path,
    target: str | Path | None = None,
    links: str | Path | None = None,
    *,
    how: Reading = DEFAULT_READING,
    one_based: bool = False,
    labelled: bool = True,
    counts: Counts | None = None,
) -> Pairs:
    """Read sentence pairs from files with parallel rows.

    Args:
        source: a ``.jsonl`` of pairs; or a CoNLL file; or, if ``labelled`` is False, a ``.txt``, or
            without ``target`` a file of ``source ||| target`` lines.
        target: a ``.txt`` with one sentence per line; or a CoNLL file, whose tags are not read.
            With another suffix, the lines decide.
        links: word links in Pharaoh's format, in place of any in the pairs.
        how: settings for reading the source's tags and either side's text.
        one_based: count words from 1 in the file of links.
        labelled: False if the source's labels are not needed, so that they may be missing.
        counts: counts to update while reading the source, if any; see :class:`Pairs`.

    Returns:
        The pairs; every loop over them reads the files.

    Raises:
        SpanbridgeError: a target is missing, or given in addition to pairs; or several files are
            ``-``.
        InputError: a file is a pipe; and while reading, as :func:`read_rows`; or the files have
            different numbers of rows; or a link lies outside its sentences.
    """
    check_one_input(source, target, links)
    for path in (source, target, links):
        if path is not None:
            check_rereadable(path)
    left = _source_format(source, target, labelled, how.format)
    right = None if target is None else _target_format(target)
    if not labelled:
        how = replace(how, tags=False)
    told, how = how, replace(how, pairs=target is None)
    if links is not None and how.tokenised is None:
        how = replace(how, tokenised=True)  # links count words as they stand

    def read(counts: Counts) -> Iterator[tuple[int, SentencePair]]:
        if right is None or target is None:
            rows = with_position(left.read(source, "source", how, counts), source, counts)
        else:
            rows = _side_by_side((left, source), (right, target), how, counts)
        return rows if links is None else add_links(rows, source, links, one_based, counts)

    formats = [left] if right is None else [left, right]
    given = {"source": source, "target": target, "links": links}
    files = {role: str(path) for role, path in given.items() if path is not None}
    reading = read_by(formats, told) | ({"links_counted_from": "1"} if links and one_based else {})
    return Pairs(read, Counts() if counts is None else counts, files, reading)


def _side_by_side(
    left: tuple[Format, str | Path],
    right: tuple[Format, str | Path],
    how: Reading,
    counts: Counts,
) -> Iterator[tuple[int, SentencePair]]:
    """Rows of a file of sources and one of targets."""
    (of_sources, source), (of_targets, target) = left, right
    bare = Reading(tags=False, tokenised=how.tokenised, raw_if_unclear=how.raw_if_unclear)
    found = Counts(guessed=counts.guessed)  # the targets' rows and orphans are not the input's
    sources = with_position(of_sources.read(source, "source", how, counts), source, counts)
    targets = with_position(of_targets.sentences(target, bare, found), target, found)
    if skips_blanks((of_sources, source, how), (of_targets, target, bare)):
        sources = without_blanks(sources, source, counts, lambda row: len(row.source.words))
        targets = without_blanks(targets, target, counts, lambda row: len(row.words))
    return pair_up(parallel(sources, source, targets, target))


def read_by(known: Sequence[Format], how: Reading) -> dict[str, str]:
    """What the reading of files depends on, for signatures.

    That is the settings for tags, if the first file has any, where text stands and how it is cut
    if that was said, and the code of formats from other packages.
    """
    code = {"formats": ",".join(digests)} if (digests := code_digests(known)) else {}
    if how.text_column is not None:
        code["text_column"] = how.text_column
    of_text = any(isinstance(one, PlainText | ParallelText | Conll) for one in known)
    if of_text and how.tokenised is not None:
        code["text"] = "tokenised" if how.tokenised else "raw"
    named = {"format": how.format, "tag_names": ",".join(how.tag_names)}
    named |= {} if how.offsets == DEFAULT_READING.offsets else {"offsets": how.offsets}
    common = {name: value for name, value in named.items() if value} | code
    if not how.tags or known[0].sides != "one" or not known[0].holds_spans:
        return common
    columns = {"word_column": how.word_column, "tag_column": how.tag_column}
    chosen = {name: str(column) for name, column in columns.items() if column is not None}
    return {"scheme": how.scheme, "orphans": how.orphans, **chosen, **common}


def has_labels(path: str | Path, name: str | None = None) -> bool:
    """Check if a file has labels: pairs may, CoNLL has if its first line has a second column.

    Raises InputError if the file is needed, but cannot be read.
    """
    check_rereadable(path)
    known = find_format(path, name=name, default="text", sniff=True)
    if not isinstance(known, Conll):
        return known.holds_spans
    head = (columns_of(line) for line in lines(path) if not is_blank(line))
    return any(len(cells) > 1 for cells in islice(head, 1))


def _source_format(
    source: str | Path, target: str | Path | None, labelled: bool, name: str | None
) -> Format:
    if labelled:
        found = _labelled_format(source, name)
    elif target is None:
        found = find_format(source, name=name, default="parallel")
    else:
        found = find_format(source, name=name, default="text", sniff=True)
    if found.sides == "both" and target is not None:
        names = ", ".join(one_sided(found))
        raise SpanbridgeError(
            f"{source}, read as {found.name}, holds pairs already; give it without {target}"
            f"{names and f'; if it is something else, name its format (--format {names})'}"
        )
    if found.sides == "one" and target is None:
        raise SpanbridgeError(
            f"{source} holds one side only; give the file of its translations too (or pairs, "
            "as .jsonl)"
        )
    return _of_sentences(found, source)


def _target_format(target: str | Path) -> Format:
    found = find_format(target, default="text", sniff=True)
    if found.sides == "both":
        raise SpanbridgeError(f"{target} holds pairs; give it alone, or a .conll or .txt instead")
    return _of_sentences(found, target)


def _labelled_format(path: str | Path, name: str | None) -> Format:
    found = find_format(path, name=name, default="conll")
    if found.sides != "none" and not found.holds_spans:
        raise SpanbridgeError(
            f"{path} is of the format {found.name}, which holds no labels; give CoNLL (.conll) or "
            "JSON lines (.jsonl)"
        )
    return _of_sentences(found, path)


def _of_sentences(found: Format, path: str | Path) -> Format:
    if found.sides == "none":
        raise SpanbridgeError(f"{path} is of the format {found.name}, which holds no sentences")
    return found


def with_position(
    rows: Iterator[tuple[int, _R]], path: str | Path, counts: Counts | None = None
) -> Iterator[tuple[int, _R]]:
    """The rows, with file and line in every error.

    Repeated ids, and texts that were encoded twice, are counted, if there are counts.
    """
    line, ids = 0, Ids()
    notice = None if counts is None else Notice(path, counts)
    try:
        for found in rows:
            if not isinstance(found, tuple) or len(found) != 2:
                raise SpanbridgeError(
                    f"its format gave {type(found).__name__} in place of a line's number and a row"
                )
            line, row = found
            if notice is not None:
                notice.see(row, line)
            if counts is not None and isinstance(row, SentencePair):
                ids.see(row.id, line)
            yield line, row
        if not line:
            why = "holds no row, only a header or comments; check that the step that made it worked"
            raise InputError(path, None, why)
        if counts is not None:
            counts.repeated.update(ids.notes())
    except InputError:
        raise
    except SpanbridgeError as error:
        where = f"after the row of line {line}: " if line else ""
        raise InputError(path, None, f"{where}{error}") from error
