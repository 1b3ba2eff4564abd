"""Perturbations: what a change of sentences is, and the random numbers it is made with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import ClassVar, Literal, NamedTuple

from spanbridge.core.learned import Learner
from spanbridge.core.requirements import Part
from spanbridge.core.rows import OTHER, SentencePair, Side
from spanbridge.core.spans import Sentence
from spanbridge.formats.languages import Language
from spanbridge.formats.segmentation import graphemes
from spanbridge.formats.tokens import with_text
from spanbridge.perturbation.edits import Edit, chosen, edited

# Where a perturbation may change a sentence: in its spans, outside of them, or both.
Where = Literal["everywhere", "spans", "outside"]
_BITS = 53  # of a float


class Draw:
    """Random numbers of a sentence, each for a place in it.

    They depend on the seed, the kind of the perturbation and the words alone: not on the row's
    place, on the strength, or on what else is drawn.

    Args:
        seed: the seed.
        kind: name of the perturbation.
        words: words of the sentence.
    """

    def __init__(self, seed: int, kind: str, words: Sequence[str]) -> None:
        told = "\0".join((str(seed), kind, *words)).encode("utf-8", "surrogatepass")
        self._key = blake2b(told, digest_size=32).digest()

    def __call__(self, *place: int) -> tuple[float, ...]:
        """Eight independent numbers in [0, 1)."""
        said = ",".join(map(str, place)).encode()
        digest = blake2b(said, digest_size=64, key=self._key).digest()
        numbers = (int.from_bytes(digest[k : k + 8]) for k in range(0, 64, 8))
        return tuple((number >> (64 - _BITS)) / (1 << _BITS) for number in numbers)


@dataclass(frozen=True)
class Given:
    """What a perturbation changes, and what it may look at.

    Attributes:
        sentence: the sentence, with text: its own, or its words with spaces between them.
        draw: its random numbers.
        pair: the row.
        side: side of the row on which the sentence stands.
    """

    sentence: Sentence
    draw: Draw
    pair: SentencePair
    side: Side

    @property
    def text(self) -> str:
        """Text of the sentence."""
        return self.sentence.text or ""

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """Characters of each word in the text."""
        return self.sentence.offsets or ()

    @property
    def other(self) -> Sentence:
        """The other side."""
        return self.pair.side(OTHER[self.side])

    def letters(self) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """Number of each word, and the characters of each of its graphemes in the text."""
        for n, (start, end) in enumerate(self.places):
            found = graphemes(self.text[start:end])
            yield n, [(start + a, start + b) for a, b in found]


class Change(NamedTuple):
    """A row after a perturbation.

    Attributes:
        pair: the row, which is the same one if nothing has changed.
        n_made: number of places that have changed.
        n_possible: number of places that a strength of 1 would try to change.
    """

    pair: SentencePair
    n_made: int
    n_possible: int


class Perturbation(Part, Learner, ABC):
    """A kind of noise that changes the words of sentences, and keeps their spans.

    Other packages add kinds by an entry point in the group ``spanbridge.perturbation``.

    Attributes:
        name: its name, on which the random numbers depend; by default that of the entry point.
        reads: columns that it needs beside the words and spans of its side, as
            :attr:`spanbridge.steps.base.Step.takes`.
        whole_rows: True if it changes rows as a whole, both sides of them.
        language: language of the side, if known.
    """

    name: ClassVar[str] = ""
    reads: ClassVar[tuple[str, ...]] = ()
    whole_rows: ClassVar[bool] = False
    language: Language | None = None

    def speak(self, language: Language | None) -> None:
        """Be told the language of the side, before anything else.

        Raises:
            SpanbridgeError: it needs one, and there is none, or it does not know this one.
        """
        self.language = language

    def fit(self, rows: Sequence[SentencePair]) -> None:  # optional
        """Learn from rows, if it ``learns``."""

    @abstractmethod
    def change(
        self, pair: SentencePair, side: Side, draw: Draw, strength: float, where: Where
    ) -> Change:
        """The row after the perturbation.

        Args:
            pair: the row.
            side: side that is changed.
            draw: random numbers of the row.
            strength: in [0, 1]. What a smaller strength changes, a greater one changes too.
            where: part of the sentence that is changed.
        """


class EditingPerturbation(Perturbation):
    """A perturbation that consists of edits of the text, each with a strength of its own.

    A strength makes the edits below it, so that none has to look at the strength.
    """

    @abstractmethod
    def edits(self, given: Given) -> Iterable[Edit]:
        """All edits that there are, in any order; of edits that overlap, the lowest is made."""

    def change(
        self, pair: SentencePair, side: Side, draw: Draw, strength: float, where: Where
    ) -> Change:
        """The row after the edits below the strength."""
        before = pair.side(side)
        whole = with_text(before)
        given = Given(whole, draw, pair, side)
        edits = [
            edit
            for edit in self.edits(given)
            if edit.text != given.text[edit.start : edit.end] and _lies(edit, whole, where)
        ]
        made = chosen(whole, edits, strength)
        if not made:
            return Change(pair, 0, len(edits))
        return Change(pair.replace(**{side: edited(before, made)}), len(made), len(edits))


def _lies(edit: Edit, sentence: Sentence, where: Where) -> bool:
    """Check if an edit lies where it may."""
    if where == "everywhere":
        return True
    offsets = sentence.offsets or ()
    inside = any(
        offsets[span.start][0] < edit.end and edit.start < offsets[span.end - 1][1]
        for span in sentence.spans
    )
    return inside == (where == "spans")


def pick(number: float, of: Sequence[str]) -> str:
    """One of several, by a number in [0, 1)."""
    return of[int(number * len(of))]
