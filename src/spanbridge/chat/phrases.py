"""Phrases that a chat model says stand in a text, found again there: exact places, or none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, islice

Place = tuple[int, int]
# Places of a phrase that are looked at.
MOST = 1000


def find_phrases(
    text: str, phrases: Sequence[str], edges: tuple[Collection[int], Collection[int]] | None = None
) -> list[Place | None]:
    """The characters [start, end) of each phrase in a text; None where it does not stand there.

    Spaces do not count; everything else has to be the same. A phrase that is named several times is
    found as often, from left to right. Of several places that a phrase may have, the first one is
    taken that follows what was found before and shares no character with it; else another that
    shares none; else one that lies within what was found before, or around it.

    Text and phrases may be as long as a server likes. Of a phrase that stands there more than
    ``MOST`` times the first ones are looked at, each at most as often as the phrase is named, so
    that an answer of a mebibyte takes seconds.

    Args:
        text: the text.
        phrases: the phrases, those that come first in the text first, if that is known.
        edges: characters at which phrases may begin, and at which they may end; None for all, in
            which case those are preferred that cut no word.
    """
    bare = _bare(text)
    before = list(accumulate((not char.isspace() for char in text), initial=0))
    spots = [n for n, char in enumerate(text) if not char.isspace()]
    begins, ends = ({before[n] for n in side} for side in edges) if edges else (None, None)
    left: dict[str, list[Place]] = {}  # places of each phrase that may still be taken
    taken = _Taken(len(bare))
    found: list[Place | None] = []
    last = 0
    for phrase in phrases:
        wanted = _bare(phrase)
        if wanted not in left:
            places = (
                (start, start + len(wanted))
                for start in _starts(wanted, bare)
                if begins is None or (start in begins and start + len(wanted) in (ends or ()))
            )
            left[wanted] = list(islice(places, MOST))
            if edges is None:
                left[wanted].sort(key=lambda place: _cuts(text, spots, place))
        place = taken.first(left[wanted], last)
        if place is None:
            left[wanted] = []  # what is taken stays taken
            found.append(None)
            continue
        left[wanted].remove(place)
        taken.add(place)
        last = place[1]
        found.append((spots[place[0]], spots[place[1] - 1] + 1))
    return found


def stands_in(text: str, phrase: str) -> bool:
    """Check if a text holds a phrase at all, but for spaces."""
    return bool(_bare(phrase)) and _bare(phrase) in _bare(text)


@lru_cache(8)  # the text, asked for with one phrase after the other
def _bare(text: str) -> str:
    return "".join(text.split())


def _starts(wanted: str, bare: str) -> Iterator[int]:
    at = bare.find(wanted) if wanted else -1
    while at >= 0:
        yield at
        at = bare.find(wanted, at + 1)


class _Taken:
    """Places of a text that were found; none crosses another.

    Args:
        n: number of characters of the text.
    """

    def __init__(self, n: int) -> None:
        self._places: set[Place] = set()
        self._covered = bytearray(n)
        # by the number of characters before an edge: the innermost place around it
        self._around: dict[int, Place] = {}

    def add(self, place: Place) -> None:
        """Take a place."""
        start, end = place
        self._places.add(place)
        self._covered[start:end] = b"\1" * (end - start)
        for edge in range(start + 1, end):
            inner = self._around.get(edge, place)
            if inner[0] <= start and end <= inner[1]:
                self._around[edge] = place

    def first(self, places: Sequence[Place], last: int) -> Place | None:
        """The first place that is free, at or after ``last`` if there is one; or lies in others."""
        return (
            next((p for p in places if p[0] >= last and self._is_free(p)), None)
            or next(filter(self._is_free, places), None)
            or next(filter(self._fits, places), None)
        )

    def _is_free(self, place: Place) -> bool:
        return self._covered.find(1, *place) < 0

    def _fits(self, place: Place) -> bool:
        """Check that a place is another one, and crosses none."""
        start, end = place
        first, second = self._around.get(start, place), self._around.get(end, place)
        return place not in self._places and end <= first[1] and second[0] <= start


def _cuts(text: str, spots: Sequence[int], place: Place) -> int:
    """How many words of a text the edges of a place cut, as far as letters and digits tell."""
    start, end = spots[place[0]], spots[place[1] - 1] + 1
    cut = text[start - 1 : start].isalnum() and text[start].isalnum()
    return cut + (text[end - 1].isalnum() and text[end : end + 1].isalnum())
