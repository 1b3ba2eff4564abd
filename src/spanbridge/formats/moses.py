"""Bitext as Moses and OPUS have it: two files of the same number of lines, one for each side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spanbridge.core.errors import InputError
from spanbridge.core.files import atomic_output
from spanbridge.core.rows import SentencePair, Side
from spanbridge.formats.base import DEFAULT_READING, Counts, Format, Reading, Write, row_writer
from spanbridge.formats.plain_text import PlainText, line_of
from spanbridge.formats.side_by_side import pair_up, parallel

# NAME.en-de.en, as OPUS names its files: both languages, and that of the file.
_NAMED = re.compile(r"(.*\.([^.]+)-([^.]+)\.)([^.]+)", re.DOTALL)
_LANGUAGE = re.compile(r"\.[a-z]{2,3}(?:[-_][A-Za-z0-9]+)*")


class Moses(Format):
    """Both sides, the words of a sentence on a line of the file of its language.

    The file that is named holds the source. Where it is called ``NAME.en-de.en``, the other one is
    ``NAME.en-de.de``; where it is ``NAME.en``, the other one is the only one of that name that ends
    in a language too.
    """

    name = "moses"
    sides = "both"
    keeps = frozenset({"words"})

    def beside(self, path: str | Path) -> tuple[Path, ...]:
        """The file of the target. Raises InputError if the name does not tell it."""
        path = Path(path)
        named = _NAMED.fullmatch(path.name)
        if named is not None and named[4] in (named[2], named[3]) and named[2] != named[3]:
            other = named[3] if named[4] == named[2] else named[2]
            return (path.with_name(f"{named[1]}{other}"),)
        others = [
            one
            for one in sorted(path.parent.glob("*"))
            if one.stem == path.stem and one != path and _LANGUAGE.fullmatch(one.suffix)
        ]
        if len(others) != 1 or not path.exists():
            which = f"; there are {', '.join(one.name for one in others)}" if others else ""
            why = (
                f"its name does not tell the file of the other side{which}; name both languages "
                "in it, such as corpus.en-de.en beside corpus.en-de.de"
            )
            raise InputError(path, None, why)
        return tuple(others)

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read pairs; each line is a row, also an empty one."""
        counts = Counts() if counts is None else counts
        (other,) = self.beside(path)
        text, of_targets = PlainText(), Counts(guessed=counts.guessed)
        sources = text.read(path, "source", how, counts)
        yield from pair_up(parallel(sources, path, text.sentences(other, how, of_targets), other))

    @contextmanager
    def open(
        self, path: str | Path, side: Side = "target", *, scores: bool = False
    ) -> Iterator[Write]:
        """Open both files for rows."""
        if re.search(r"[-.]", Path(path).suffix[1:]) or not _NAMED.fullmatch(Path(path).name):
            why = "name both languages, and that of the source, such as corpus.en-de.en"
            raise InputError(path, None, f"{why}; the other file is corpus.en-de.de then")
        (other,) = self.beside(path)
        with atomic_output(path) as sources, atomic_output(other) as targets:

            def write(pair: SentencePair) -> None:
                source, target = line_of(pair.source), line_of(pair.target)
                sources.write(source + "\n")
                targets.write(target + "\n")

            yield row_writer(write)
