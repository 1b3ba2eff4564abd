"""Plain text, one sentence per line: one side alone, or both as ``source ||| target``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TextIO, TypeVar

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import LONGEST, lines
from spanbridge.core.rows import SIDES, SentencePair, Side
from spanbridge.core.spans import Sentence
from spanbridge.formats.base import (
    DEFAULT_READING,
    SNIFFED_LINES,
    Counts,
    Format,
    Reading,
    SentenceFormat,
    Write,
    row_writer,
)
from spanbridge.formats.tokenised import TEXT_CUT, is_tokenised
from spanbridge.formats.tokens import raw_sentence

SEPARATOR = "|||"
_Row = TypeVar("_Row")

# Note on how a text was read.
WORDS_KEPT = "rows of tokenised text, whose words are kept (--raw if it is raw text)"

# What separates words, here as in CoNLL and in other tools such as fast_align; no-break and
# ideographic spaces belong to words.
_WHITE = " \t\v\f\r\n"
_WORD = re.compile(f"[^{_WHITE}]+")
_JSON = re.compile(r'\s*\[?\s*\{\s*"[^"\n]*"\s*:')  # the beginning of an object, or of an array
_ALONE = re.compile(rf"(?<![^{_WHITE}])\|\|\|(?![^{_WHITE}])")


class PlainText(SentenceFormat):
    """One sentence per line; an empty line is a row without words."""

    name = "text"
    suffixes = (".txt",)
    blank_row = 1
    keeps = frozenset({"words"})

    def sentences(
        self, path: str | Path, how: Reading = DEFAULT_READING, counts: Counts | None = None
    ) -> Iterator[tuple[int, Sentence]]:
        """Read sentences, split at spaces and tabs unless they are raw text.

        Raises InputError as :func:`spanbridge.core.files.lines`, and for JSON.
        """
        counts = Counts() if counts is None else counts
        head, rows = _headed(lines(path))
        if _JSON.match("\n".join(head)):
            raise InputError(path, 1, "is JSON, not text; write one object per line (.jsonl)")
        sentence = _cutter(head, how, counts)
        for number, line in enumerate(rows, 1):
            counts.n_rows += 1
            yield number, sentence(line)

    def write_sentence(self, sentence: Sentence, out: TextIO) -> None:
        """Write the words on one line, with spaces between them.

        Raises SpanbridgeError if there are spans, or a word is empty or contains white space.
        """
        out.write(line_of(sentence) + "\n")


class ParallelText(Format):
    """One pair per line, ``source ||| target``; a side may be empty."""

    name = "parallel"
    suffixes = (".parallel",)
    sides = "both"
    keeps = frozenset({"words"})

    def read(
        self,
        path: str | Path,
        side: Side = "target",
        how: Reading = DEFAULT_READING,
        counts: Counts | None = None,
    ) -> Iterator[tuple[int, SentencePair]]:
        """Read pairs, both sides split at spaces and tabs unless they are raw text.

        Raises InputError if a line has no ``|||`` between spaces, or more than one.
        """
        counts = Counts() if counts is None else counts
        head, rows = _headed(map(_ALONE.split, lines(path)))
        cutters = [
            _cutter([parts[n] for parts in head if len(parts) == 2], how, counts) for n in (0, 1)
        ]
        for number, parts in enumerate(rows, 1):
            if len(parts) != 2:
                raise InputError(
                    path,
                    number,
                    f"{len(parts) - 1 or 'no'} separators; write one pair per line, as: "
                    "source words ||| target words",
                )
            counts.n_rows += 1
            source, target = (
                cut(part.strip(_WHITE)) for cut, part in zip(cutters, parts, strict=True)
            )
            yield number, SentencePair(str(number), source, target)

    def writer(self, out: TextIO, side: Side = "target", *, scores: bool = False) -> Write:
        """Return a function that writes the words of both sides on one line."""

        def write(pair: SentencePair) -> None:
            both = [pair.side(each) for each in SIDES]
            if any(SEPARATOR in sentence.words for sentence in both):
                raise SpanbridgeError(
                    f"the word {SEPARATOR!r} would be taken for the separator; "
                    "write JSON lines (.jsonl) instead"
                )
            out.write(f" {SEPARATOR} ".join(map(line_of, both)) + "\n")

        return row_writer(write)


def _headed(rows: Iterator[_Row]) -> tuple[Sequence[_Row], Iterable[_Row]]:
    """The first rows, and all of them."""
    head: list[_Row] = []
    length = 0
    for row in islice(rows, SNIFFED_LINES):
        head.append(row)
        length += len(str(row))
        if length > LONGEST:
            break
    return head, chain(head, rows)


def _cutter(head: Sequence[str], how: Reading, counts: Counts) -> Callable[[str], Sentence]:
    """The function that makes a sentence of each row; it counts rows of the less usual kind."""
    usual = not how.raw_if_unclear
    tokenised, surprise = how.tokenised, False
    if tokenised is None:
        found = is_tokenised(map(_WORD.findall, head))
        tokenised = usual if found is None else found
        surprise = tokenised is not usual
    cut = split_at_spaces if tokenised else raw_sentence
    if not surprise:
        return cut

    def told(text: str) -> Sentence:
        counts.guess(WORDS_KEPT if tokenised else TEXT_CUT)
        return cut(text)

    return told


def split_at_spaces(text: str) -> Sentence:
    """The words between spaces and tabs."""
    return Sentence(tuple(_WORD.findall(text)))


def line_of(sentence: Sentence) -> str:
    """The words with spaces between them. Raises SpanbridgeError if plain text cannot hold them."""
    if sentence.spans:
        raise SpanbridgeError(
            "spans cannot be held by plain text; write CoNLL (.conll) or JSON lines (.jsonl)"
        )
    line = " ".join(sentence.words)
    if tuple(_WORD.findall(line)) != sentence.words:
        bad = next(word for word in sentence.words if _WORD.findall(word) != [word])
        raise SpanbridgeError(
            f"the word {bad!r} is empty or holds white space, which plain text cannot hold; "
            "write JSON lines (.jsonl) instead"
        )
    return line
