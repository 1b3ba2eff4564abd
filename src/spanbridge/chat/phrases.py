"""Phrases that a chat model says stand in a text, found again there: exact places, or none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate

Place = tuple[int, int]


def find_phrases(
    text: str, phrases: Sequence[str], edges: tuple[Collection[int], Collection[int]] | None = None
) -> list[Place | None]:
    """The characters [start, end) of each phrase in a text; None where it does not stand there.

    Spaces do not count; everything else has to be the same. A phrase that is named several times is
    found as often, from left to right. Of several places that a phrase may have, the first one is
    taken that follows what was found before and shares no character with it; else another that
    shares none; else one that lies within what was found before, or around it.

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
    taken: list[Place] = []
    found: list[Place | None] = []
    last = 0
    for phrase in phrases:
        wanted = _bare(phrase)
        places = [
            (start, start + len(wanted))
            for start in _starts(wanted, bare)
            if begins is None or (start in begins and start + len(wanted) in (ends or ()))
        ]
        if edges is None:
            places.sort(key=lambda place: _cuts(text, spots, place))
        place = _first(places, taken, last)
        if place is None:
            found.append(None)
            continue
        taken.append(place)
        last = place[1]
        found.append((spots[place[0]], spots[place[1] - 1] + 1))
    return found


def stands_in(text: str, phrase: str) -> bool:
    """Check if a text holds a phrase at all, but for spaces."""
    return bool(_bare(phrase)) and _bare(phrase) in _bare(text)


def _bare(text: str) -> str:
    return "".join(text.split())


def _starts(wanted: str, bare: str) -> Iterator[int]:
    at = bare.find(wanted) if wanted else -1
    while at >= 0:
        yield at
        at = bare.find(wanted, at + 1)


def _first(places: Sequence[Place], taken: Sequence[Place], last: int) -> Place | None:
    apart = [p for p in places if all(p[1] <= a or b <= p[0] for a, b in taken)]
    later = [place for place in apart if place[0] >= last]
    nested = [p for p in places if p not in taken and not any(_crosses(p, one) for one in taken)]
    return next(iter((*later, *apart, *nested)), None)


def _crosses(one: Place, other: Place) -> bool:
    return one[0] < other[0] < one[1] < other[1] or other[0] < one[0] < other[1] < one[1]


def _cuts(text: str, spots: Sequence[int], place: Place) -> int:
    """How many words of a text the edges of a place cut, as far as letters and digits tell."""
    start, end = spots[place[0]], spots[place[1] - 1] + 1
    cut = text[start - 1 : start].isalnum() and text[start].isalnum()
    return cut + (text[end - 1].isalnum() and text[end : end + 1].isalnum())
