"""Notices text that was encoded twice: UTF-8 that somebody read as Latin-1 or Windows-1252."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path

from spanbridge.core.rows import SIDES, SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.formats.base import Counts

# What bytes 80-BF are read as. After a letter, the quotes, dashes and spaces among them are also
# good text (caf\u00e9\u201d), so they do not count on their own.
_CONTROLS = "\x80-\x9f"
_ODD = f"{_CONTROLS}\u20ac\u201a\u0192\u2020\u2021\u02c6\u2030\u0160\u0152\u017d\u02dc\u2122\u0161"
_ODD += "\u0153\u017e\u0178\u00a1-\u00aa\u00ac-\u00ba\u00bc-\u00bf"
_ANY = f"{_ODD}\u2039\u203a\u2018\u2019\u201c\u201d\u201e\u2022\u2013\u2014\u2026\u00a0\u00ab\u00bb"
_TWICE = re.compile(
    f"\u00c3[{_ODD}]|\u00c3[\u201e\u2013](?=[a-z])|\u00c2[{_CONTROLS}\u00a1-\u00bf]|\u00e2\u20ac[{_ANY}]"
    f"|(?:[\u00c4-\u00df][{_ANY}]){{2}}|[\u00e0-\u00ef](?:[{_ODD}][{_ANY}]|[{_ANY}][{_ODD}])"
    f"|\u00f0[{_ODD}][{_ANY}]{{2}}"
)
# What UTF-8 may have been read as: the encodings that ftfy knows.
_READ_AS = ["cp1252", "latin-1", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "iso8859-2"]
_READ_AS += ["mac_roman", "cp437"]


def _table(by: str) -> tuple[str, ...]:
    """The character of each byte; one that an encoding leaves out stands for its own number."""
    found = (bytes([n]).decode(by, "replace") for n in range(256))
    return tuple(chr(n) if char == "\ufffd" else char for n, char in enumerate(found))


_TABLES = {by: _table(by) for by in _READ_AS}
# End of the note on such rows, unless the run has that step.
WAY_OUT = " (the step repair, or label --repair, mends them)"
_SHOWN = 12  # characters before and after such a place, in messages


def encoded_twice(text: str) -> str | None:
    """Return the first place of a text that looks as if it was encoded twice, if there is one."""
    if text.isascii() or (found := _TWICE.search(text)) is None:
        return None
    start, end = found.span()
    before, after = text[max(0, start - _SHOWN) : start], text[end : end + _SHOWN]
    left, right = before.split(" ")[-1], after.split(" ")[0]
    return f"{left}{found.group()}{right}"


def positions_after(before: str, after: str) -> list[int] | None:
    """Map the positions in a text to those in its repaired form.

    Args:
        before: a text that was encoded twice, wholly or in part.
        after: the same, repaired: each character stands for itself or for those that its UTF-8
            bytes were read as.

    Returns:
        The position in ``after`` of each character of ``before``, and of its end; None if they
        cannot be told.
    """
    found: list[int] = []
    for n, char in enumerate(after):
        start = len(found)
        ends = [start + len(s) for s in _spellings(char) if before.startswith(s, start)]
        # "\u00c3 " is \u00e0, with or without the space: the next character tells
        following = _spellings(after[n + 1]) if n + 1 < len(after) else ()
        end = next((e for e in sorted(ends, reverse=True) if _goes_on(before, e, following)), None)
        if end is None:
            return None
        found += [n] * (end - start)
    return [*found, len(after)]


def _goes_on(before: str, start: int, following: Collection[str]) -> bool:
    """Check if a text goes on with one of the spellings, or ends if there are none."""
    if not following:
        return start == len(before)
    return any(before.startswith(spelling, start) for spelling in following)


@lru_cache(maxsize=10_000)
def _spellings(char: str) -> frozenset[str]:
    """A character, and what it becomes when it is encoded again, once or twice."""
    if char.isascii():
        return frozenset({char})
    once = {_encoded(char, by) for by in _READ_AS}
    twice = {_encoded(text, by) for text in once for by in _READ_AS}
    # a no-break space easily becomes a space, or is lost
    spaces = {text[:-1] + other for text in once if text[-1] == "\u00a0" for other in (" ", "")}
    return frozenset({char} | once | twice | spaces)


def _encoded(text: str, by: str) -> str:
    return "".join(_TABLES[by][byte] for byte in text.encode("utf-8", "surrogatepass"))


class Notice:
    """Counts rows that look as if they were encoded twice.

    Args:
        path: the file that they come from.
        counts: counts to update.
    """

    def __init__(self, path: str | Path, counts: Counts) -> None:
        self._name, self._counts, self._note = Path(path).name, counts, ""

    def see(self, row: object, line: int) -> None:
        """Look at a row, or a sentence, that begins on the given line."""
        for text in _texts(row):
            if place := encoded_twice(text):
                self._note = self._note or (
                    f"rows of {self._name} that look encoded twice, as {place!r} on line {line} "
                    f"does{WAY_OUT}"
                )
                self._counts.guess(self._note)
                return


def _texts(row: object) -> Iterator[str]:
    sides = [row.side(side) for side in SIDES] if isinstance(row, SentencePair) else [row]
    for sentence in sides:
        if isinstance(sentence, Sentence) and not all(map(str.isascii, sentence.words)):
            yield sentence.plain_text()
