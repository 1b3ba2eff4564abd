"""CoNLL-U Plus: columns that the first line names, such as ``# global.columns = ID FORM NER``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from spanbridge.core.errors import InputError
from spanbridge.core.files import first_lines
from spanbridge.core.rows import SentencePair, Side
from spanbridge.core.similar import not_named
from spanbridge.formats.base import DEFAULT_READING, Counts, Reading, Write, row_writer
from spanbridge.formats.conllu import (
    Columns,
    ConllU,
    block_of,
    blocks_of,
    names_key,
    read_blocks,
)

_FIRST = re.compile(r"#\s*global\.columns\s*=\s*(\S.*)")
# Columns of names, by the last part of what they are called, as in UNER:NER.
_OF_NAMES = re.compile(r"(?:.*:)?(?:NER?|NAMES?|ENTITY|ENTITIES)", re.IGNORECASE)
_HEAD = 200  # rows by which the key of names is found


class ConllUPlus(ConllU):
    """CoNLL-U with columns of its own: one side of each row, with its ``# sent_id``."""

    name = "conllup"
    suffixes = (".conllup",)

    def sniff(self, head: Sequence[str], strict: bool = True) -> bool:
        """Check for the line that names the columns."""
        return bool(head) and _FIRST.fullmatch(head[0].strip()) is not None

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read rows; the tags are in the column of names, or that of ``tag_column``, or in MISC.

        Raises InputError for lines of other columns than the first line names, for wrong tags, and
        if labels are wanted, but no column is named like one of theirs.
        """
        counts = Counts() if counts is None else counts
        first = _FIRST.fullmatch(first_lines(path, 1)[0].strip())
        if first is None:
            why = "does not begin with the names of its columns: # global.columns = ID FORM NER"
            raise InputError(path, 1, why)
        names = first[1].split()
        if "FORM" not in names:
            raise InputError(path, 1, not_named("column", "FORM", names))
        blocks = blocks_of(path)
        head = list(islice(blocks, _HEAD))
        at, key = _tags(path, names, head, how) if how.tags else (None, None)
        number = names.index("ID") if "ID" in names else None
        columns = Columns(len(names), number, names.index("FORM"), at, key)
        yield from read_blocks(path, columns, chain(head, blocks), side, how, counts)

    def writer(self, out: TextIO, side: Side = "target", *, scores: bool = False) -> Write:
        """Write the names of the columns, and return a function that writes one side of a row.

        It raises SpanbridgeError as that of :class:`ConllU`.
        """
        out.write("# global.columns = ID FORM NER MISC\n")

        def cells(word: str, tag: str, joined: bool) -> str:
            return f"{word}\t{tag}\t{'SpaceAfter=No' if joined else '_'}"

        def write(pair: SentencePair) -> None:
            out.write(block_of(pair, side, cells))

        return row_writer(write)


def _tags(
    path: str | Path, names: list[str], head: Sequence[tuple[int, list[str]]], how: Reading
) -> tuple[int, str | None]:
    """Column of the tags, and their key if it is MISC."""
    wanted = how.tag_column
    if isinstance(wanted, int):
        if wanted > len(names):
            raise InputError(path, 1, f"has {len(names)} columns, and no column {wanted}")
        return wanted - 1, None
    if wanted is not None:
        if wanted not in names:
            raise InputError(path, 1, f"{not_named('column', wanted, names)} (--tag-column)")
        return names.index(wanted), None
    found = [n for n, name in enumerate(names) if _OF_NAMES.fullmatch(name)]
    if found:
        return found[-1], None
    misc = names.index("MISC") if "MISC" in names else None
    key = None if misc is None else names_key(head, len(names), misc)
    if misc is None or key is None:
        there = ", ".join(names)
        why = f"no column is named like one of labels; name it: --tag-column NAME (of {there})"
        raise InputError(path, 1, why)
    return misc, key
