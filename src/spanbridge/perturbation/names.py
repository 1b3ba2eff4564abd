"""Perturbations of names: others in their places, and longer ones.

``names.tsv`` holds given names, family names, places and organisations by language: those that are
common where it is spoken.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.scripts import is_unspaced
from spanbridge.core.similar import not_named
from spanbridge.core.spans import Span
from spanbridge.formats.closed_classes import closed_classes
from spanbridge.formats.languages import Language, find_language
from spanbridge.formats.tokens import suffix_starts
from spanbridge.perturbation.base import EditingPerturbation, Given, pick
from spanbridge.perturbation.edits import Edit
from spanbridge.perturbation.hangul import ends_in_consonant

_PERSON, _PLACE, _ORGANISATION = "person", "place", "organisation"
# What a label names, by its usual spellings.
_KINDS = {
    **dict.fromkeys(("PER", "PERSON", "PERS", "PS"), _PERSON),
    **dict.fromkeys(("LOC", "LOCATION", "GPE", "PLACE", "CITY", "LC"), _PLACE),
    **dict.fromkeys(("ORG", "ORGANIZATION", "ORGANISATION", "CORP", "COMPANY"), _ORGANISATION),
}
_FAMILY_FIRST = ("hun", "jpn", "kor", "vie", "zho")
# Languages that write both names of a person as one word.
_ONE_WORD = ("jpn", "kor", "zho")
# Languages whose names stand beside each other without a space.
_UNSPACED = ("jpn", "zho")
_LONGER = 3  # names that are added to one, at most

Lists = Mapping[str, Sequence[str]]


@cache
def names() -> dict[str, dict[str, list[str]]]:
    """Names of each class (given, family, place, organisation), by ISO 639-3."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in Path(__file__).with_suffix(".tsv").read_text("utf-8").splitlines()[1:]:
        languages, kind, listed = line.split("\t")
        for code in languages.split(","):
            found.setdefault(code, {})[kind] = listed.split(", ")
    return found


class _ByList(EditingPerturbation):
    """Names by the list of a language.

    Args:
        of: language of the names, by any code; None takes that of the text.
    """

    def __init__(self, of: str | None = None) -> None:
        self._of = None if of is None else find_language(of)
        self._known: Lists = {}

    def speak(self, language: Language | None) -> None:
        """Be told the language. Raises SpanbridgeError if there are no names of it."""
        super().speak(language)
        chosen = self._of or language
        if chosen is None:
            raise SpanbridgeError(
                "whose names? Give the language of the text (languages, or --language), or name "
                "another one by the option of (--kind-option of=swa)"
            )
        code = next((c for c in (chosen.iso3, chosen.code) if c in names()), None)
        if code is None:
            raise SpanbridgeError(not_named("list of names", chosen.iso3, sorted(names())))
        self._code, self._known = code, names()[code]

    def describe(self) -> str:
        """Name, the language of the names, and that of the text for its suffixes."""
        told = "" if self.language is None else self.language.iso3
        return f"{self.name}({self._code}{f',in {told}' if told else ''})"

    def edits(self, given: Given) -> Iterator[Edit]:
        """One for each name that has no other one in it; equal names share their numbers."""
        places = {span[:2] for span in given.sentence.spans}
        first: dict[tuple[str, ...], tuple[int, int]] = {}
        done = set()
        for span in sorted(given.sentence.spans, key=lambda span: span[:3]):
            start, end, label, *_ = span
            overlapping = (place for place in places if place[0] < end and start < place[1])
            innermost = all(a <= start and end <= b for a, b in overlapping)
            kind = _KINDS.get(label.upper())
            if innermost and kind is not None and (start, end) not in done:
                done.add((start, end))
                place = first.setdefault(given.sentence.words[start:end], (start, end))
                yield self._edit(given, span, kind, given.draw(*place))

    @abstractmethod
    def _edit(self, given: Given, span: Span, kind: str, numbers: Sequence[float]) -> Edit:
        """The edit of a name, with random numbers."""

    def _end(self, given: Given, span: Span) -> int:
        """Where a name ends in the text: before a suffix that is written with it."""
        start, end = given.places[span.end - 1]
        word = given.text[start:end]
        closed = closed_classes("" if self.language is None else self.language.iso3)
        known = None if "*" in closed.suffixes or not closed.language else closed.suffixes
        cuts = [cut for cut in (*closed.starts(word), *suffix_starts(word, known)) if cut]
        return start + min(cuts, default=len(word))

    def _name(self, kind: str, several: bool, like: str, numbers: Sequence[float]) -> str:
        """A name of the list.

        Args:
            kind: what it names.
            several: True for the whole name of a person, False for one of its parts.
            like: the former name; a Korean suffix after it fits this one too.
            numbers: three random numbers.
        """
        kinds = [kind]
        if kind == _PERSON:
            kinds = ["family", "given"] if self._code in _FAMILY_FIRST else ["given", "family"]
            whole = several or self._code in _ONE_WORD
            kinds = kinds if whole else [kinds[int(2 * numbers[2])]]
        parts = []
        for n, (one, number) in enumerate(zip(kinds, numbers, strict=False)):
            listed = [name for name in self._known[one] if name not in (like, *like.split())]
            if n == len(kinds) - 1 and self._code == "kor":
                last = ends_in_consonant(like)
                listed = [name for name in listed if ends_in_consonant(name) == last] or listed
            parts.append(pick(number, listed))
        return ("" if self._code in _ONE_WORD else " ").join(parts)


class Names(_ByList):
    """Names of persons, places and organisations, replaced by others of a language.

    A name of one word of a person gives way to a given name or a family name, a longer one to
    both. Suffixes after an apostrophe or glued to the name stay.
    """

    name = "names"

    def _edit(self, given: Given, span: Span, kind: str, numbers: Sequence[float]) -> Edit:
        at, *numbers = numbers
        start, end = given.places[span.start][0], self._end(given, span)
        former = given.text[start:end]
        name = self._name(kind, span.end - span.start > 1, former, numbers)
        return Edit(start, end, _as_written(name, given, span), at)


class Longer(_ByList):
    """Names with one to three further ones of their kind after them, as ``Ana Lima Souza Reis``."""

    name = "longer-names"

    def _edit(self, given: Given, span: Span, kind: str, numbers: Sequence[float]) -> Edit:
        at, many, *numbers = numbers
        start, end = given.places[span.end - 1][0], self._end(given, span)
        former = given.text[start:end]
        more = [
            self._name(kind, False, former, [number, 0.0, numbers[-1]])
            for number in numbers[: 1 + int(_LONGER * many)]
        ]
        gap = "" if self._code in _UNSPACED else " "
        whole = gap.join(dict.fromkeys((former, *more)))
        return Edit(start, end, _as_written(whole, given, span), at)


def _as_written(name: str, given: Given, span: Span) -> str:
    """A name as the sentence is written: in its case, and in characters if its words are such."""
    if given.text.isupper() or given.text.islower():
        name = name.upper() if given.text.isupper() else name.lower()
    words = given.sentence.words[span.start : span.end]
    single = given.pair.side(given.side).text is None and all(len(word) == 1 for word in words)
    return " ".join(name) if single and is_unspaced(name[-1]) else name
