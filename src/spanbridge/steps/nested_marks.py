"""Spans in mark-then-translate that marks do not bring back: those in others are looked for there.

A style of marks holds some of a text's spans together (:class:`MarkStyle`), and translators lose
marks. A span inside another one that was found is then looked for in that one's translation, as the
words there that are most like its own translation; one layer after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from spanbridge.core.spans import Span, nesting
from spanbridge.formats.tokens import tokenize
from spanbridge.projection.candidates import Candidate
from spanbridge.projection.solve.choice import greedy
from spanbridge.translation.mark_styles import Place, alike, style_of
from spanbridge.translation.marks import Recovered, similarities

# Words less like a span's translation than this are never taken for it.
MIN_SIMILARITY = 0.01


class NestedSpans:
    """The places of a sentence's spans, and those among them that are to be marked.

    Args:
        spans: in characters, in any order.
        style: style of the marks.

    Attributes:
        marked: the first span of each place that gets marks, in reading order.
    """

    def __init__(self, spans: Sequence[Span], style: str) -> None:
        self._spans, self._style = spans, style
        firsts: dict[Place, int] = {}
        for n, span in enumerate(spans):
            firsts.setdefault(span[:2], n)
        self._places, self._firsts = list(firsts), list(firsts.values())
        self._around, _ = nesting(self._places)
        self._marked = style_of(style).held(self._places)
        self.marked = tuple(spans[self._firsts[n]] for n in self._marked)

    def of_marked(self, translations: Sequence[str]) -> list[str]:
        """Translations of the marked spans by themselves, among those of all spans."""
        return [translations[self._firsts[n]] for n in self._marked]

    def why_lost(self, span: int) -> str:
        """The reason why a span was not found again."""
        if self._places.index(self._spans[span][:2]) in self._marked:
            return "mark lost"
        return f"not marked, since {self._style} cannot hold it with the others"

    def complete(
        self, found: Recovered, translations: Sequence[str], min_score: float
    ) -> Recovered:
        """Add the other spans to what was found of the marked ones.

        Args:
            found: the translation without marks, and the marked spans in it.
            translations: translation of each span by itself.
            min_score: least similarity at which words are taken for a span, in [0, 1].

        Returns:
            The same text with all spans that were found, by start, then outer ones first.
        """
        taken = {
            self._marked[n]: (span.start, span.end, span.score or 0.0)
            for n, span in zip(found.origins, found.spans, strict=True)
        }
        missing = sorted(set(range(len(self._places))) - taken.keys(), key=self._depth)
        for _, layer in groupby(missing, self._depth):
            places = {n: place[:2] for n, place in taken.items()}
            candidates = [
                Candidate(n, *place, score)
                for n in layer
                for place, score in self._like(found.text, n, places, translations)
                if score >= max(min_score, MIN_SIMILARITY)
                and all(self._alike(n, place, m, other) for m, other in places.items())
            ]
            taken |= {n: (start, end, score) for n, start, end, score in greedy(candidates)}
        of_place = {self._places[n]: target for n, target in taken.items()}
        targets = {n: of_place[s[:2]] for n, s in enumerate(self._spans) if s[:2] in of_place}
        origins = sorted(targets, key=lambda n: (targets[n][0], -targets[n][1]))
        spans = (Span(*targets[n][:2], self._spans[n].label, targets[n][2]) for n in origins)
        lost = tuple(n for n in range(len(self._spans)) if n not in targets)
        return Recovered(found.text, tuple(spans), tuple(origins), lost)

    def _depth(self, n: int) -> int:
        return len(self._around[n])

    def _alike(self, n: int, place: Place, other: int, its: Place) -> bool:
        return alike((self._places[n], self._places[other]), (place, its))

    def _like(
        self, text: str, n: int, found: dict[int, Place], translations: Sequence[str]
    ) -> Iterator[tuple[Place, float]]:
        """Runs of words in the innermost span around one, with their likeness to that one's own."""
        around = [found[outer] for outer in self._around[n] if outer in found]
        if around:
            start, end = min(around, key=lambda place: place[1] - place[0])
            yield from _like(text, start, end, translations[self._firsts[n]])


def _like(text: str, start: int, end: int, wanted: str) -> Iterator[tuple[Place, float]]:
    """The runs of words of a part of a text, and their similarities to a wanted one."""
    _, offsets = tokenize(text[start:end])
    runs = [
        (start + first, start + last)
        for n, (first, _) in enumerate(offsets)
        for _, last in offsets[n:]
    ]
    scores = similarities([wanted], [text[slice(*run)] for run in runs])[0].tolist()
    yield from zip(runs, scores, strict=True)
