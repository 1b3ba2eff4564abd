"""Similarity of phrases in two languages: direct NMTScore (Vamvas and Sennrich 2022).

    sim(a | b) = p(a | b) / p(a | a),    score(a, b) = (sim(a | b) + sim(b | a)) / 2

with p the probability of a translation, the geometric mean over its tokens, by one model for all
directions. The quotient is cut at 1, so that scores lie in [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from spanbridge.formats.languages import Language
from spanbridge.translation.base import Translator


class TranslationScorer:
    """Scores pairs of phrases; texts are scored once in each role, however often they come.

    Args:
        translator: one that knows both languages, and scores within each of them too.
        source, target: languages of the first and of the second phrase of each pair.

    Raises:
        UnsupportedPairError: the translator does not know them.
    """

    def __init__(self, translator: Translator, source: Language, target: Language) -> None:
        self._translator = translator
        self._languages = (source, target)
        self._name = translator.describe(source, target)
        translator.describe(target, source)
        self._known: dict[tuple[str, str, int, int], float] = {}

    def describe(self) -> str:
        """Name of the method, the model and the languages."""
        languages = "-".join(language.tag for language in self._languages)
        return f"nmtscore(direct,{self._name},{languages})"

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Score pairs of phrases in the source and in the target language, in [0, 1]."""
        self._learn([(a, b, 0, 1) for a, b in pairs])
        self._learn([(b, a, 1, 0) for a, b in pairs])
        self._learn([(a, a, 0, 0) for a, _ in pairs])
        self._learn([(b, b, 1, 1) for _, b in pairs])
        return [
            (
                self._similarity((b, a, 1, 0), (a, a, 0, 0))
                + self._similarity((a, b, 0, 1), (b, b, 1, 1))
            )
            / 2
            for a, b in pairs
        ]

    def forget(self) -> None:
        """Forget earlier texts, to bound memory."""
        self._known.clear()

    def _learn(self, wanted: Sequence[tuple[str, str, int, int]]) -> None:
        new = [key for key in dict.fromkeys(wanted) if key not in self._known]
        if not new:
            return
        source, target = (self._languages[side] for side in new[0][2:])
        found = self._translator.log_probabilities([key[:2] for key in new], source, target)
        self._known.update(zip(new, found, strict=True))

    def _similarity(
        self, across: tuple[str, str, int, int], itself: tuple[str, str, int, int]
    ) -> float:
        """sim(a | b), in [0, 1]; 0 for a text that is too long for the model."""
        there, same = self._known[across], self._known[itself]
        return min(exp(there - same), 1.0) if there > float("-inf") < same else 0.0
