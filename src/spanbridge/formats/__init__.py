"""Formats of files: CoNLL, JSON lines, plain and parallel text, Pharaoh links; and shards.

Files are streamed, and rows checked. Other packages add a format by an entry point in the group
``spanbridge.format``, which names a subclass of :class:`~spanbridge.formats.base.Format`.
"""

from spanbridge.formats.base import Counts, Format, Reading, SentenceFormat, Write, row_writer
from spanbridge.formats.lookup import (
    find_format,
    named_format,
    open_writer,
    output_format,
    write_pairs,
)
from spanbridge.formats.pharaoh import format_links, read_gold_links, read_links
from spanbridge.formats.reading import (
    Pairs,
    has_labels,
    labelled_pairs,
    labelled_rows,
    read_labelled,
    read_pairs,
    read_rows,
    read_sentences,
)
from spanbridge.formats.side_by_side import add_links, over_same_words, pair_up, parallel

__all__ = [
    "Counts",
    "Format",
    "Pairs",
    "Reading",
    "SentenceFormat",
    "Write",
    "add_links",
    "find_format",
    "format_links",
    "has_labels",
    "labelled_pairs",
    "labelled_rows",
    "named_format",
    "open_writer",
    "output_format",
    "over_same_words",
    "pair_up",
    "parallel",
    "read_gold_links",
    "read_labelled",
    "read_links",
    "read_pairs",
    "read_rows",
    "read_sentences",
    "row_writer",
    "write_pairs",
]
