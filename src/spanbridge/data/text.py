"""Plain text, one whitespace-tokenised sentence a line; alone, or as ``source ||| target``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.spans import Sentence
from spanbridge.data.files import lines

SEPARATOR = "|||"


def read_text(path: str | Path) -> Iterator[Sentence]:
    """One sentence a line, split at whitespace; an empty line is a row with no words.

    Raises:
        InputError: as :func:`spanbridge.data.files.lines`.
    """
    return (Sentence(tuple(line.split())) for line in lines(path))


def read_parallel_text(path: str | Path) -> Iterator[tuple[Sentence, Sentence]]:
    """One pair a line, ``source ||| target``, both split at whitespace; a side may be empty.

    Raises:
        InputError: a line has no ``|||`` standing alone, or more than one.
    """
    for number, line in enumerate(lines(path), 1):
        words = tuple(line.split())
        n_separators = words.count(SEPARATOR)
        if n_separators != 1:
            raise InputError(
                path,
                number,
                f"{n_separators or 'no'} separators; write one pair a line, as: "
                "source words ||| target words",
            )
        middle = words.index(SEPARATOR)
        yield Sentence(words[:middle]), Sentence(words[middle + 1 :])


def write_text(sentence: Sentence, out: TextIO) -> None:
    """Write the words on one line, with spaces between them.

    Raises:
        SpanbridgeError: a word is empty or holds whitespace, so would not be read back.
    """
    line = " ".join(sentence.words)
    if tuple(line.split()) != sentence.words:
        bad = next(word for word in sentence.words if word.split() != [word])
        raise SpanbridgeError(
            f"the word {bad!r} is empty or holds whitespace, which plain text cannot hold; "
            "write JSON lines (.jsonl) instead"
        )
    out.write(line + "\n")
