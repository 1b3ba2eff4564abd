"""The interface of translators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.requirements import Part
from spanbridge.core.rows import OK
from spanbridge.formats.languages import Language, the_entry

BLANK = "empty: no text"


class UnsupportedPairError(SpanbridgeError):
    """A translator does not know a pair of languages; the message lists those that it knows."""


def entry_of(language: Language, entries: Collection[str], who: str) -> str:
    """The entry of a model's list of languages that stands for a language.

    Raises:
        UnsupportedPairError: none does, or several do, which the language's code does not tell
            apart; the message lists them.
    """
    try:
        return the_entry(language, entries, who)
    except SpanbridgeError as error:
        raise UnsupportedPairError(str(error)) from None


@dataclass(frozen=True)
class Translation:
    """A sentence in the other language.

    Attributes:
        text: empty where it failed.
        score: log-probability per token, at most 0; None where the translator gives none.
        status: ``ok``; ``suspect: ...`` where a guard doubts it
            (:mod:`~spanbridge.translation.guards`); ``failed: ...``; or ``empty: no text``.
    """

    text: str
    score: float | None = None
    status: str = OK


class Translator(Part, ABC):
    """Translates sentences.

    Attributes:
        licence: of the model or the data, as an SPDX identifier where there is one, ``unknown``
            where nobody says.
        looks_up: True if it knows only the texts that it was given translations of.
        forces: True if it gives :meth:`token_log_probabilities`.
        multilingual: True if it gives :meth:`log_probabilities`, also within one language.
    """

    licence: str = "unknown"
    multilingual: bool = False
    looks_up: bool = False
    forces: bool = False

    @property
    def counts(self) -> Counter[str]:
        """Counts for the account so far, such as requests to a server; most have none."""
        return Counter()

    @abstractmethod
    def describe(self, source: Language, target: Language) -> str:
        """Name, and all that translations from one language to the other depend on.

        Raises:
            UnsupportedPairError: it does not know the pair.
        """

    @abstractmethod
    def translate(
        self, sentences: Sequence[str], source: Language, target: Language
    ) -> list[Translation]:
        """Translate sentences, each by itself; the result is in their order.

        Raises:
            UnsupportedPairError: it does not know the pair.
        """

    def log_probabilities(
        self, pairs: Sequence[tuple[str, str]], source: Language, target: Language
    ) -> list[float]:
        """Mean log-probability of the second text's tokens, given the first, for each pair.

        Raises:
            SpanbridgeError: the translator cannot score, or does not know the languages.
        """
        raise SpanbridgeError(
            f"{type(self).__name__} gives no translation scores; a neural model of many languages "
            "does (NLLB-200, M2M-100)"
        )

    def subwords(self, text: str) -> list[str]:
        """Subwords of a text in the target language, as :meth:`token_log_probabilities` takes them.

        Raises:
            SpanbridgeError: the translator cannot score a given translation.
        """
        raise SpanbridgeError(f"{type(self).__name__} cannot score a given translation")

    def token_log_probabilities(
        self, pairs: Sequence[tuple[str, Sequence[str]]], source: Language, target: Language
    ) -> list[list[float]]:
        """How probable given translations are, subword by subword.

        Args:
            pairs: a text in the source language, and the subwords of a translation.
            source, target: the languages.

        Returns:
            For each pair, the natural logarithm of the probability of each subword and of the end
            of the sentence, given the text and the subwords before; an empty list where either is
            longer than the model reads.

        Raises:
            SpanbridgeError: the translator cannot do this, or does not know the languages.
        """
        raise SpanbridgeError(f"{type(self).__name__} cannot score a given translation")
