"""The weights of the scores.

The same for every language, direction and kind of span. Those with an encoder were chosen on half
of the sets that ``python -m benchmarks weights`` names, which chooses anew and prints how much the
result changes with each weight; those without one on Europarl-NER, English into German and Spanish.
That of ``bad_boundary``, and the weight of small words (:mod:`spanbridge.projection.boundaries`),
were chosen by hand on xSID (German, Japanese, Chinese), ABSA and UNER-PUD (Chinese); RELX, M-ABSA
(Spanish) and xSID's other languages were looked at afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spanbridge.core.errors import SpanbridgeError

# Greater weights than this could make sums infinite, and mean nothing.
MAX_WEIGHT = 1e6


@dataclass(frozen=True)
class Weights:
    """A weighted sum of scores, and its bound.

    Attributes:
        parts: weight of each score by name, between -``MAX_WEIGHT`` and ``MAX_WEIGHT``.
        min_score: candidates whose sum does not exceed this are not projected.

    Raises:
        SpanbridgeError: a weight is out of range.
    """

    parts: dict[str, float]
    min_score: float = 0.0

    def __post_init__(self) -> None:
        for name, weight in self.parts.items():
            if not abs(weight) <= MAX_WEIGHT:  # nor NaN
                raise SpanbridgeError(
                    f"the weight of {name!r} is {weight}; weights lie between -{MAX_WEIGHT:g} and "
                    f"{MAX_WEIGHT:g}"
                )

    def describe(self) -> str:
        """The sum and its bound, for the signature."""
        terms = (f"{weight:+g}*{name}" for name, weight in self.parts.items())
        return f"{''.join(terms)}>{self.min_score:g}"

    def changed(self, other: Mapping[str, float]) -> Weights:
        """These weights, with others replaced or added; a weight of 0 removes a score."""
        parts = {**self.parts, **other}
        return Weights({name: w for name, w in parts.items() if w}, self.min_score)

    def towards(self, other: Weights, shares: Mapping[str, float], usual: float) -> Weights:
        """A weighted mean of these weights and others, score by score.

        Args:
            other: the other weights.
            shares: share of the other weights, in [0, 1], for the scores whose names begin so.
            usual: that for all other scores, and for ``min_score``.
        """
        parts = {}
        for name in {**self.parts, **other.parts}:
            share = shares.get(name.partition("_")[0], usual)
            parts[name] = (1 - share) * self.parts.get(name, 0.0) + share * other.parts.get(
                name, 0.0
            )
        min_score = (1 - usual) * self.min_score + usual * other.min_score
        return Weights({name: weight for name, weight in parts.items() if weight}, min_score)


# Sentences one by one, without statistics.
ONE_BY_ONE = Weights({"soft": 1.0, "bad_boundary": -0.1}, 0.3)
# First pass over a corpus.
FIRST = {
    "encoder": Weights(
        {"soft": 0.5, "rare_words": 0.75, "spelling": 0.05, "bad_boundary": -0.1}, 0.4
    ),
    "no encoder": Weights(
        {
            "soft": 0.5,
            "rare_words": 0.75,
            "recall": 0.1,
            "common_boundary": -0.2,
            "spelling": 0.1,
            "bad_boundary": -0.1,
        },
        0.4,
    ),
}
# Second pass, with boundaries and taggers learned from the first.
SECOND = {
    "encoder": Weights(
        {
            "soft": 0.7,
            "rare_words": 0.75,
            "recall": 0.2,
            "common_boundary": -0.1,
            "policy_inside": 0.05,
            "states_inside": 0.16,
            "states_outside": 0.05,
            "words_outside": 0.1,
            "spelling": 0.1,
            "bad_boundary": -0.1,
        },
        0.4,
    ),
    "no encoder": Weights(
        {
            "soft": 0.5,
            "recall": 0.4,
            "common_boundary": -0.3,
            "policy_inside": 0.05,
            "policy_outside": 0.05,
            "words_inside": 0.05,
            "words_outside": 0.08,
            "words_borders": 0.02,
            "spelling": 0.2,
            "bad_boundary": -0.1,
        },
        0.3,
    ),
}
