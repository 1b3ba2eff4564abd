"""Projection by constrained decoding: where a translator would put marks in the given target.

CODEC (Le, Chen, Ritter and Xu 2024, arXiv 2402.03131). As in the paper, the source is marked for
each place of its spans by itself, and the translator's best insertions of these marks into the
target are candidates. Of these a part of the most probable one takes its place if it is the better
counterpart when spans are translated back by themselves (re-ranking). Then the most probable ones
that do not cross are taken, nested spans inside of each other; the paper gives up sentences where
the best ones overlap. With a translator that was not trained on such marks the places mean little.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from math import exp
from typing import Any, ClassVar, Protocol

from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.marks import StyleName
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Span, nesting
from spanbridge.formats.tokens import with_text
from spanbridge.projection.candidates import Candidate
from spanbridge.projection.method import LOST, Method, Projection, Reads, Row, places
from spanbridge.projection.solve.choice import greedy
from spanbridge.projection.solve.layers import by_layers

# Characters, or words, [start, end).
Place = tuple[int, int]
# Words [start, end) of the target, and the log-probability of marks there.
Insertion = tuple[int, int, float]
# Log-probabilities that differ by less are equal, as in the authors' code; and the name of a count.
DIGITS = 4
RERANKED = "spans_for_which_a_part_of_the_best_insertion_was_taken"


# A source text, characters of its span, the translation, characters of each of its words.
Question = tuple[str, Place, str, Sequence[Place]]


class Inserter(Protocol):
    """A translator that puts marks into given translations.

    Attributes:
        both_ways: it translates back, too.
    """

    both_ways: bool

    def describe(self) -> str:
        """The translator, and all that insertions depend on."""

    def insert(
        self,
        questions: Sequence[Question],
        style: str,
        n_best: int,
        exact: bool,
        counts: Counter[str],
    ) -> list[list[Insertion] | None]:
        """The most probable insertions, the best first; None where a text is too long."""

    def back(self, spans: Sequence[tuple[str, str]]) -> list[float]:
        """Log-probability of each source span as the translation of a text of the target."""


class CodecMethod(Method):
    """The places where a translator that was trained on marks would put them (CODEC).

    Each place of source spans is marked by itself. A confidence is the share of the place's
    probability in that of the ``n_best`` insertions; it is not calibrated.

    Args:
        style: style of the marks: ``brackets``, ``xml``, ``quotes`` or ``letters``, as the
            translator was trained on.
        exact: search all places under a bound that holds always; by default some are left out, as
            published, which is faster and may miss the best ones.
        n_best: insertions that are candidates, at least 1.
        rerank: take a part of the best insertion instead of it, if the source span is more probable
            as its translation, as published; needs a translator of both directions.

    Raises:
        SpanbridgeError: an argument is out of range.
    """

    name, slow, inserts = "codec", True, True
    needs_translator = "a translator that was trained on marks"
    reads: ClassVar[Reads] = "nothing"

    def __init__(
        self,
        style: StyleName = "brackets",
        exact: bool = False,
        n_best: int = 5,
        rerank: bool = True,
    ) -> None:
        if n_best < 1:
            raise SpanbridgeError(f"n_best is {n_best}, but at least one insertion is asked for")
        self._style, self._exact, self._n_best, self._rerank = style, exact, n_best, rerank
        self._inserter: Inserter | None = None

    def describe(self) -> str:
        """All settings, and the translator."""
        told = "none" if self._inserter is None else self._inserter.describe()
        own = f"{self._style},exact={self._exact},n_best={self._n_best},rerank={self._rerank}"
        return f"codec({own},{told})"

    def add_scores(self, weights: Any = None, tagger: Any = None, scorer: Any = None) -> None:
        """Take a translator that inserts marks; raises SpanbridgeError for anything else."""
        if weights or tagger is not None:
            raise SpanbridgeError("the method 'codec' takes no weights and no tagger")
        self._inserter = scorer

    def check(self) -> None:
        """Check that there is a translator, of both directions if need be; or SpanbridgeError."""
        if self._inserter is None:
            raise SpanbridgeError(self.without_translator())
        if self._rerank and not self._inserter.both_ways:
            raise SpanbridgeError(
                "codec translates spans back to rank them, and this translator knows one direction "
                "alone; leave that out (the option rerank=false)"
            )

    def project(self, rows: Sequence[Row]) -> list[Projection | RowError]:
        """Project all rows, whose searches go on side by side."""
        assert self._inserter is not None
        questions = [question for pair, _ in rows for question in _questions(pair)]
        inserted = self._inserter.insert(
            questions, self._style, self._n_best, self._exact, self.counts
        )
        found = iter(zip(inserted, self._first(questions, inserted), strict=True))
        return [
            _projection(pair, [next(found) for _ in places(pair.source.spans)]) for pair, _ in rows
        ]

    def _first(
        self, questions: Sequence[Question], found: Sequence[Sequence[Insertion] | None]
    ) -> list[int]:
        """Of the insertions of each span, the number of the first one that is a candidate."""
        assert self._inserter is not None
        first = [0] * len(questions)
        if not self._rerank:
            return first
        rivals = [
            parts_of_best(insertions or (), question)
            for insertions, question in zip(found, questions, strict=True)
        ]
        asked = [
            (source[slice(*span)], text)
            for (source, span, *_), texts in zip(questions, rivals, strict=True)
            for text in texts.values()
        ]
        scores = iter(self._inserter.back(asked))
        for n, texts in enumerate(rivals):
            own = {k: round(next(scores), DIGITS) for k in texts}
            first[n] = max(own, key=lambda k: (own[k], -k), default=0)
            if first[n]:
                self.counts[RERANKED] += 1
        return first


def parts_of_best(insertions: Sequence[Insertion], question: Question) -> dict[int, str]:
    """The texts of the best insertion and of those that are parts of it, by their numbers.

    Empty if there are no such parts. A part may stand in another place.
    """
    *_, target, words = question
    texts = [[target[slice(*word)] for word in words[a:b]] for a, b, _ in insertions]
    found = {
        n: target[words[a][0] : words[b - 1][1]]
        for n, (a, b, _) in enumerate(insertions)
        if any(texts[0][k : k + b - a] == texts[n] for k in range(len(texts[0])))
    }
    return found if len(found) > 1 else {}


def _questions(pair: SentencePair) -> Iterator[Question]:
    """Yield for each place of source spans the texts, and the characters of span and words."""
    source, target = (with_text(side, treebank=True) for side in (pair.source, pair.target))
    offsets = source.offsets or ()
    for (start, end, *_), *_ in places(pair.source.spans):
        span = offsets[start][0], offsets[end - 1][1]
        yield source.plain_text(), span, target.plain_text(), target.offsets or ()


def _projection(
    pair: SentencePair, found: Sequence[tuple[Sequence[Insertion] | None, int]]
) -> Projection | RowError:
    """The most probable insertions that fit together.

    Args:
        found: insertions of each span, and the number of the first one that is a candidate.
    """
    shares: list[dict[Place, tuple[float, float]]] = []
    for insertions, _ in found:
        if insertions is None:
            return RowError("a text is longer than the translator reads")
        most = insertions[0][2]
        total = sum(exp(log - most) for _, _, log in insertions)
        shares.append({(a, b): (exp(log - most) / total, log) for a, b, log in insertions})
    spans = places(pair.source.spans)
    around, _ = nesting([same[0][:2] for same in spans])
    candidates = [
        Candidate(e, *place, share)
        for e, (of, (_, first)) in enumerate(zip(shares, found, strict=True))
        for place, (share, _) in list(of.items())[first:]
    ]
    chosen = by_layers([c for c in candidates if c.score > 0], around, greedy)
    made = [(c, origin) for c in chosen for origin in spans[c.entity]]
    reached = {c.entity for c in chosen}
    dropped = [(s, LOST) for e, same in enumerate(spans) if e not in reached for s in same]
    return Projection(
        tuple(Span(c.start, c.end, s.label, round(c.score, 4)) for c, s in made),
        tuple(dropped),
        tuple(origin for _, origin in made),
        tuple(shares[c.entity][c.start, c.end][1] for c, _ in made),
        partial(_explained, pair, spans, shares, [first for _, first in found], chosen),
    )


def _explained(
    pair: SentencePair,
    spans: Sequence[Sequence[Span]],
    shares: Sequence[dict[Place, tuple[float, float]]],
    first: Sequence[int],
    chosen: Sequence[Candidate],
    projection: Projection,
    min_confidence: float,
) -> Iterator[str]:
    """Yield lines of text: each place of source spans, and its insertions."""
    taken = {c.entity: (c.start, c.end) for c in chosen}
    for e, (same, of) in enumerate(zip(spans, shares, strict=True)):
        labels = ", ".join(span.label for span in same)
        yield f"row {pair.id}, {labels} [{' '.join(pair.source.words[slice(*same[0][:2])])}]"
        if e not in taken:
            yield f"  not projected: {LOST}"
        elif of[taken[e]][0] < min_confidence:
            yield f"  left out: confidence {of[taken[e]][0]:.3f} is below {min_confidence:g}"
        for n, (place, (share, log)) in enumerate(of.items()):
            sign = "->" if place == taken.get(e) else "  "
            text = " ".join(pair.target.words[slice(*place)])
            yield (
                f"  {sign} [{text}] {place[0]}-{place[1]} log-probability {log:.3f}, "
                f"confidence {share:.3f}{', passed over for a part' if n < first[e] else ''}"
            )
