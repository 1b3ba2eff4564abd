"""What every translator offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from spanbridge.core.errors import SpanbridgeError
from spanbridge.data.languages import Language

OK, BLANK = "ok", "empty: no text"


class UnsupportedPairError(SpanbridgeError):
    """A translator does not know a pair of languages; the message lists what it knows."""


@dataclass(frozen=True)
class Translation:
    """A sentence in the other language.

    Attributes:
        text: empty where it failed.
        score: log-probability a token, where the translator gives one, at most 0.
        status: ``ok``; ``suspect: ...`` where a guard doubts it
            (:mod:`~spanbridge.translate.guards`); ``failed: ...``; or ``empty: no text``.
    """

    text: str
    score: float | None = None
    status: str = OK


class Translator(Protocol):
    """Translates sentences.

    Attributes:
        licence: of the model or the data, as an SPDX identifier where there is one.
        commercial: whether that licence allows commercial use.
    """

    licence: str
    commercial: bool

    def describe(self, source: Language, target: Language) -> str:
        """Name, and all that translations from one language to the other depend on.

        Raises:
            UnsupportedPairError: it does not know the pair.
        """
        ...

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language
    ) -> list[Translation]:
        """One for each sentence, in their order; what a sentence becomes depends on it alone.

        Raises:
            UnsupportedPairError: it does not know the pair.
        """
        ...
