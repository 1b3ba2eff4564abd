"""Tables with a word per row: CSV whose header names columns of words, tags and sentences."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import SentencePair, Side
from spanbridge.core.spans import Sentence
from spanbridge.core.tags import tags_from_spans
from spanbridge.formats.base import (
    DEFAULT_READING,
    Counts,
    Reading,
    SentenceFormat,
    Write,
    row_writer,
)
from spanbridge.formats.conll_reader import read_conll
from spanbridge.formats.header import find_header


class TokenTable(SentenceFormat):
    """One side of each row, as in Kaggle's ``Sentence #,Word,POS,Tag``."""

    name = "tokens"
    suffixes = (".csv", ".tsv")
    holds_spans = True
    keeps = frozenset({"words"})

    def sniff(self, head: Sequence[str], strict: bool = True) -> bool:
        """Check if the first line names columns of words and tags, and none of texts."""
        found = find_header(head[0]) if head else None
        return found is not None and found.delimiter != " " and "text" not in found.names

    def sentences(
        self, path: str | Path, how: Reading = DEFAULT_READING, counts: Counts | None = None
    ) -> Iterator[tuple[int, Sentence]]:
        """Read sentences; see :func:`~spanbridge.formats.conll_reader.read_conll`."""
        return read_conll(path, how, counts)

    def write_sentence(self, sentence: Sentence, out: TextIO) -> None:
        """Sentences have numbers; see :meth:`writer`."""
        raise SpanbridgeError("tables of words are written by writer alone")

    def writer(self, out: TextIO, side: Side = "target", *, scores: bool = False) -> Write:
        """Write the header, and return a function that writes a line for each word (IOB2)."""
        table = csv.writer(out, lineterminator="\n")
        table.writerow(("Sentence #", "Word", "Tag"))
        number = 0

        def write(pair: SentencePair) -> None:
            nonlocal number
            words, spans = pair.side(side).words, pair.side(side).spans
            tags = tags_from_spans(spans, len(words))
            if any(re.search(r"^ |[\t\n\r]|^$| $", cell) for cell in (*words, *tags)):
                raise SpanbridgeError(
                    "a word is empty, or a word or label has a tab, a line end, or a space at its "
                    "ends; write JSON lines (.jsonl) instead"
                )
            number += 1
            lines = zip(words, tags, strict=True) if words else [("", "")]
            table.writerows((number, *line) for line in lines)

        return row_writer(write)
