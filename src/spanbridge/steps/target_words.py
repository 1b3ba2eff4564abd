"""The words of raw target text over which spans are projected."""

from __future__ import annotations

from typing import Literal

from spanbridge.core.rows import SentencePair
from spanbridge.formats.languages import Language
from spanbridge.formats.tokens import raw_sentence, split_words, suffix_starts

Suffixes = Literal["cut", "keep"]
# Suffixes after an apostrophe that annotation leaves out of spans, by ISO 639-3: in Turkish all of
# them, as in RELX; in English the possessive, as in CoNLL-2003. None stands for all.
ANNOTATED: dict[str, frozenset[str] | None] = {"tur": None, "eng": frozenset({"s"})}


class TargetWords:
    """The words of target text, cut before suffixes or not.

    Args:
        suffixes: ``cut`` or ``keep`` suffixes; None cuts those that annotation leaves out.
        language: language of the target, if known.
    """

    def __init__(self, suffixes: Suffixes | None, language: Language | None) -> None:
        code = "" if language is None else language.iso3
        self._cuts = suffixes == "cut" or (suffixes is None and code in ANNOTATED)
        self._known = ANNOTATED.get(code)

    def parts(self) -> dict[str, str]:
        """What is cut, for the signature; nothing if nothing is."""
        return {"suffixes": ",".join(sorted(self._known or {"any"}))} if self._cuts else {}

    def __call__(self, pair: SentencePair) -> SentencePair:
        """The row with the words to project to.

        Target spans that are known cut no words, as they are to be found. Links count words, so a
        row that brings some keeps its words.
        """
        target = pair.target
        if pair.links is not None or target.text is None or not (self._cuts or target.spans):
            return pair
        own = raw_sentence(target.text) if target.spans and target.offsets is not None else target
        if self._cuts:
            own = split_words(own, suffix_starts(target.text, self._known))
        return pair if own.words == target.words else pair.replace(target=own)
