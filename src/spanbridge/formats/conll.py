"""CoNLL files: one token and its tag per line, a blank line after each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import Sentence
from spanbridge.core.tags import tags_from_spans
from spanbridge.formats.base import DEFAULT_READING, SNIFFED_LINES, Counts, Reading, SentenceFormat
from spanbridge.formats.conll_reader import DOCSTART, columns, is_blank, read_conll
from spanbridge.formats.layout import check_tag, is_tag


class Conll(SentenceFormat):
    """CoNLL: the tags of one side, written as IOB2."""

    name = "conll"
    suffixes = (".conll", ".bio", ".iob", ".iob2", ".tsv")
    holds_spans = True
    blank_row = 2
    keeps = frozenset({"words"})

    def sniff(self, head: Sequence[str], strict: bool = True) -> bool:
        """Check if lines are CoNLL; see :func:`looks_like_conll`."""
        return looks_like_conll(head, tagged=strict)

    def sentences(
        self, path: str | Path, how: Reading = DEFAULT_READING, counts: Counts | None = None
    ) -> Iterator[tuple[int, Sentence]]:
        """Read sentences; see :func:`read_conll`."""
        return read_conll(path, how, counts)

    def write_sentence(self, sentence: Sentence, out: TextIO) -> None:
        """Write a sentence; see :func:`write_conll`."""
        write_conll(sentence, out)


def looks_like_conll(head: Sequence[str], *, tagged: bool = True) -> bool:
    """Check if lines are CoNLL rather than text: all end in a tag, and there are blank lines.

    Comments and ``-DOCSTART-`` lines are ignored.

    Args:
        head: the first lines of a file, up to ``SNIFFED_LINES``.
        tagged: False also accepts lines without tags: a single word per line, or any columns
            between tabs.
    """
    n_columns = 0
    separated = False
    for line in head:
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
    return n_columns > 0 and (separated or (len(head) == SNIFFED_LINES and n_columns > 1))


def write_conll(sentence: Sentence, out: TextIO) -> None:
    """Write a row: ``token TAB tag`` lines (IOB2) and a blank line.

    Raises:
        SpanbridgeError: the format cannot hold the row: spans overlap; a word or a label contains a
            tab or a line end; a word is empty; or the first is ``-DOCSTART-``.
    """
    words = sentence.words
    if sentence.spans:
        tagged = map(
            "\t".join, zip(words, tags_from_spans(sentence.spans, len(words)), strict=True)
        )
        row = "\n".join([*tagged, "", ""])
    elif words:
        row = "\tO\n".join(words) + "\tO\n\n"
    else:
        row = "\n"
    n_breaks = row.count("\t") + row.count("\n")
    if n_breaks != 2 * len(words) + 1 or "" in words or words[:1] == (DOCSTART,):
        raise SpanbridgeError(f"{_misfit(sentence)}; write JSON lines (.jsonl) instead")
    for span in sentence.spans:
        check_tag(f"B-{span.label}")
        if span.label[-1] in " \r":  # would be read as part of the line end
            raise SpanbridgeError(f"the label {span.label!r} ends in whitespace; mend it")
    out.write(row)


def _misfit(sentence: Sentence) -> str:
    for i, word in enumerate(sentence.words):
        if not word:
            return f"word {i} is empty, which CoNLL cannot hold"
        if "\t" in word or "\n" in word:
            return f"the word {word!r} has a tab or a line end in it, which CoNLL cannot hold"
    for span in sentence.spans:
        if "\t" in span.label or "\n" in span.label:
            return (
                f"the label {span.label!r} has a tab or a line end in it, which CoNLL cannot hold"
            )
    return f"a row that starts with {DOCSTART} would be taken for a document's start"
