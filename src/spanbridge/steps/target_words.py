"""The words of target text over which spans are projected, and what is known of their language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.core.scripts import is_unspaced
from spanbridge.core.spans import Sentence
from spanbridge.formats.closed_classes import (
    SUFFIX,
    ClosedClasses,
    by_script,
    by_words,
    closed_classes,
)
from spanbridge.formats.languages import Language
from spanbridge.formats.segmentation import icu_words, words
from spanbridge.formats.tokens import raw_sentence, split_words, suffix_starts
from spanbridge.projection.boundaries import Convention, Conventions, Place
from spanbridge.projection.method import Method
from spanbridge.projection.scores import BadBoundary
from spanbridge.steps.account import Account

# Rows of which a language is guessed, at most.
LOOKED_AT = 5000


class TargetWords:
    """The words of target text, and the boundaries of names in its language.

    Raw text gets the words of a dictionary where it is written without spaces; suffixes after an
    apostrophe (``Ankara'da``) and particles that are glued to a word become words of their own,
    where the language is known to have such.

    Args:
        wanted: what is to be in spans or out of them, by class.
        language: language of the target, if known.
    """

    def __init__(self, wanted: Mapping[Convention, Place], language: Language | None) -> None:
        self.wanted: dict[str, Place] = dict(sorted(wanted.items()))
        self._given = "" if language is None else language.iso3
        self.language = self._given
        self._kept = frozenset(kind for kind, place in self.wanted.items() if place == "in")

    def tell(self, method: Method, language: str = "") -> None:
        """Tell a method what is known of boundaries.

        Args:
            method: the method.
            language: ISO 639-3, if it was guessed from rows; one that was given comes first.

        Raises:
            SpanbridgeError: the method does not read the conventions.
        """
        self.language = self._given or language
        closed = closed_classes(self.language) if self.language else None
        method.conventions = Conventions(closed, self.wanted)
        unread = [kind for kind in self.wanted if kind != SUFFIX]
        if unread and BadBoundary.name not in method.score_names():
            raise SpanbridgeError(
                f"boundary {unread[0]}: the method {method.name!r} does not read it; take soft or "
                f"corpus, or give the score {BadBoundary.name!r} a weight (-0.1)"
            )

    def parts(self) -> dict[str, str]:
        """Language, conventions and dictionary, for the signature."""
        said = [f"{kind}={place}" for kind, place in self.wanted.items()]
        parts = {"words": icu_words().describe(), "boundary": ",".join(said)}
        parts["target"] = self._given
        return {name: part for name, part in parts.items() if part}

    def note(self, account: Account, n_rows: int) -> None:
        """Say which language was guessed."""
        if self.language and not self._given:
            account.note(f"rows_whose_target_was_taken_for_{self.language}", n_rows)

    def __call__(self, pair: SentencePair) -> SentencePair:
        """The row with the words to project to.

        Words that are not the tokenizer's own stay: a step or the input has found them. Target
        spans that are known cut no words, as they are to be found. Links count words, so a row that
        brings some keeps its words.
        """
        target = pair.target
        if pair.links is not None or target.text is None or target.offsets is None:
            return pair
        own = raw_sentence(target.text)
        if not target.spans and target.words != own.words:
            own = target
        code = self.language or by_script(target.text)
        own = self._cut(own, target.text, closed_classes(code), own is not target)
        return pair if own.words == target.words else pair.replace(target=own)

    def _cut(self, own: Sentence, text: str, closed: ClosedClasses, plain: bool) -> Sentence:
        """Words of raw text, found by dictionary if they are plain, cut before what is glued."""
        if plain and any(map(is_unspaced, text)) and not own.spans:
            found, offsets = words(text, "und", icu_words())
            own = Sentence(found, (), text, offsets)
        cuts: list[int] = []
        for start, end in own.offsets or ():
            cuts += (start + at for at in closed.starts(text[start:end], self._kept))
        if SUFFIX not in self._kept and (closed.suffixes or SUFFIX in self.wanted):
            any_of_them = "*" in closed.suffixes or SUFFIX in self.wanted
            cuts += suffix_starts(text, None if any_of_them else closed.suffixes)
        return split_words(own, cuts)


def guess_language(rows: Iterable[SentencePair]) -> str:
    """ISO 639-3 of the target's language, by its script or its small words; empty if unclear."""
    seen = [pair.target for pair in islice(rows, LOOKED_AT)]
    text = " ".join(one.plain_text() for one in seen)
    return by_script(text) or by_words(one.words for one in seen)
