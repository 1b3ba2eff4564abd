"""Nested spans in mark-then-translate: marks stand around the outermost ones only.

Translators seldom keep marks within marks. A span inside another is found in that one's
translation, as the words there that are most like its own translation; one layer after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spanbridge.core.spans import Span, nesting
from spanbridge.formats.tokens import tokenize
from spanbridge.projection.candidates import Candidate
from spanbridge.projection.solve.choice import greedy
from spanbridge.projection.solve.layers import by_layers
from spanbridge.translation.marks import Recovered, similarities

# Words less like a span's translation than this are never taken for it.
MIN_SIMILARITY = 0.01


class NestedSpans:
    """The places of a sentence's spans, and those among them that are to be marked.

    Args:
        spans: in characters, in any order.

    Attributes:
        outermost: the first span of each place that lies in no other, in the given order.
    """

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = spans
        firsts: dict[tuple[int, int], int] = {}
        for n, span in enumerate(spans):
            firsts.setdefault(span[:2], n)
        self._places, self._firsts = list(firsts), list(firsts.values())
        self._around, _ = nesting(self._places)
        self._marked = [n for n, outer in enumerate(self._around) if not outer]
        self.outermost = tuple(spans[self._firsts[n]] for n in self._marked)

    def of_outermost(self, translations: Sequence[str]) -> list[str]:
        """Translations of the outermost spans by themselves, among those of all spans."""
        return [translations[self._firsts[n]] for n in self._marked]

    def complete(
        self, found: Recovered, translations: Sequence[str], min_score: float
    ) -> Recovered:
        """Add the other spans to what was found of the outermost ones.

        Args:
            found: the translation without marks, and the outermost spans in it.
            translations: translation of each span by itself.
            min_score: least similarity at which words are taken for a span, in [0, 1].

        Returns:
            The same text with all spans that were found, by start, then outer ones first.
        """
        if len(self._spans) == len(self.outermost):
            return found
        marked = {
            self._marked[n]: Candidate(self._marked[n], span.start, span.end, span.score or 0.0)
            for n, span in zip(found.origins, found.spans, strict=True)
        }
        candidates = list(marked.values())
        for n, outer in enumerate(self._around):
            if outer and (whole := marked.get(outer[0])) is not None:
                wanted = translations[self._firsts[n]]
                for place, score in _like(found.text, whole.start, whole.end, wanted):
                    if score >= max(min_score, MIN_SIMILARITY):
                        candidates.append(Candidate(n, *place, score))
        spans, origins = [], []
        for chosen, start, end, score in by_layers(candidates, self._around, greedy):
            for n, span in enumerate(self._spans):
                if span[:2] == self._places[chosen]:
                    origins.append(n)
                    spans.append(Span(start, end, span.label, score))
        lost = set(range(len(self._spans))) - set(origins)
        return Recovered(found.text, tuple(spans), tuple(origins), tuple(sorted(lost)))


def _like(text: str, start: int, end: int, wanted: str) -> Iterator[tuple[tuple[int, int], float]]:
    """The runs of words of a part of a text, and their similarities to a wanted one."""
    _, offsets = tokenize(text[start:end])
    runs = [
        (start + first, start + last)
        for n, (first, _) in enumerate(offsets)
        for _, last in offsets[n:]
    ]
    scores = similarities([wanted], [text[slice(*run)] for run in runs])[0].tolist()
    yield from zip(runs, scores, strict=True)
