"""Several taggers as one: averaged probabilities, or spans that most agree on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.similar import not_named
from spanbridge.core.spans import Span
from spanbridge.tagging.base import Probabilities, Tagged, Tagger, Words, decode

Combination = Literal["mean", "agreement"]
COMBINATIONS: tuple[Combination, ...] = ("mean", "agreement")


class EnsembleTagger(Tagger):
    """Taggers of the same labels, one for each source language or seed.

    ``mean`` averages their class probabilities (as the multi-source teachers of Wu et al. 2020 with
    equal weights). ``agreement`` keeps the spans that more than half of them find, each with the
    share of taggers that do as its score; such spans never overlap, since two that did would need a
    tagger whose own spans overlap.

    Args:
        taggers: at least one.
        how: ``mean`` (default) or ``agreement``.

    Raises:
        SpanbridgeError: no such combination, no tagger, or their labels differ.
    """

    def __init__(self, taggers: Sequence[Tagger], how: Combination = "mean") -> None:
        if how not in COMBINATIONS:
            raise SpanbridgeError(not_named("combination", how, COMBINATIONS))
        if not taggers:
            raise SpanbridgeError("an ensemble needs at least one tagger")
        self._taggers = list(taggers)
        self._how = how
        self.classes = taggers[0].classes
        self.licence = "+".join(dict.fromkeys(tagger.licence for tagger in taggers))
        for other in taggers[1:]:
            if set(other.classes) != set(self.classes):
                raise SpanbridgeError(
                    f"the taggers have different classes: {', '.join(self.classes)} and "
                    f"{', '.join(other.classes)}; train them with the same --labels"
                )
        self.gives_probabilities = all(tagger.gives_probabilities for tagger in taggers)
        self._order = [[t.classes.index(name) for name in self.classes] for t in taggers]

    @property
    def dropped(self) -> Counter[str]:
        """Number of spans that the taggers dropped so far, by label."""
        return sum((tagger.dropped for tagger in self._taggers), Counter())

    def describe(self) -> str:
        """The combination, and each tagger."""
        return f"{self._how}({'+'.join(tagger.describe() for tagger in self._taggers)})"

    def tag(self, sentences: Sequence[Words]) -> list[Tagged]:
        """Tag sentences of any length."""
        found = [tagger.tag(sentences) for tagger in self._taggers]
        return [self._combine(opinions) for opinions in zip(*found, strict=True)]

    def _combine(self, opinions: Sequence[Tagged]) -> Tagged:
        n_words = opinions[0].n_words
        if (unread := next((one for one in opinions if one.fault is not None), None)) is not None:
            return unread
        mean = self._mean(opinions)
        if self._how == "agreement":
            votes = Counter(span[:3] for opinion in opinions for span in opinion.spans)
            spans = (
                Span(*place, n / len(opinions))
                for place, n in sorted(votes.items())
                if 2 * n > len(opinions)
            )
            return Tagged(n_words, tuple(spans), mean)
        if mean is None:
            raise SpanbridgeError(
                "a tagger gives no probabilities to average; combine by agreement"
            )
        return Tagged(n_words, decode(mean, self.classes), mean)

    def _mean(self, opinions: Sequence[Tagged]) -> Probabilities | None:
        total = np.zeros((opinions[0].n_words, len(self.classes)), np.float32)
        for opinion, order in zip(opinions, self._order, strict=True):
            if opinion.probabilities is None:
                return None
            total += opinion.probabilities[:, order]
        mean: Probabilities = total / np.float32(len(opinions))
        return mean
