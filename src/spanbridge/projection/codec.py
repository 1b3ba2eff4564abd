"""Projection by constrained decoding: where a translator would put marks in the given target.

CODEC (Le, Chen, Ritter and Xu 2024, arXiv 2402.03131). As in the paper, the source is marked for
each place of its spans by itself, and the translator's best insertions of these marks into the
target are candidates. The most probable ones that do not cross are taken, nested spans inside of
each other; the paper gives up sentences where the best ones overlap. Its last step is left out, in
which the best insertions change their order by what a translator says of the spans alone. With a
translator that was not trained on such marks the places mean little.
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


class Inserter(Protocol):
    """A translator that puts marks into given translations."""

    def describe(self) -> str:
        """The translator, and all that insertions depend on."""

    def insert(
        self,
        questions: Sequence[tuple[str, Place, str, Sequence[Place]]],
        style: str,
        n_best: int,
        exact: bool,
        counts: Counter[str],
    ) -> list[list[Insertion] | None]:
        """The most probable insertions, the best first; None where a text is too long."""


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

    Raises:
        SpanbridgeError: an argument is out of range.
    """

    name, slow, inserts = "codec", True, True
    needs_translator = "a translator that was trained on marks"
    reads: ClassVar[Reads] = "nothing"

    def __init__(self, style: StyleName = "brackets", exact: bool = False, n_best: int = 5) -> None:
        if n_best < 1:
            raise SpanbridgeError(f"n_best is {n_best}, but at least one insertion is asked for")
        self._style, self._exact, self._n_best = style, exact, n_best
        self._inserter: Inserter | None = None

    def describe(self) -> str:
        """All settings, and the translator."""
        told = "none" if self._inserter is None else self._inserter.describe()
        return f"codec({self._style},exact={self._exact},n_best={self._n_best},{told})"

    def add_scores(self, weights: Any = None, tagger: Any = None, scorer: Any = None) -> None:
        """Take a translator that inserts marks; raises SpanbridgeError for anything else."""
        if weights or tagger is not None:
            raise SpanbridgeError("the method 'codec' takes no weights and no tagger")
        self._inserter = scorer

    def check(self) -> None:
        """Check that there is a translator; raises SpanbridgeError."""
        if self._inserter is None:
            raise SpanbridgeError(self.without_translator())

    def project(self, rows: Sequence[Row]) -> list[Projection | RowError]:
        """Project all rows, whose searches go on side by side."""
        assert self._inserter is not None
        questions = [question for pair, _ in rows for question in _questions(pair)]
        found = iter(
            self._inserter.insert(questions, self._style, self._n_best, self._exact, self.counts)
        )
        return [
            _projection(pair, [next(found) for _ in places(pair.source.spans)]) for pair, _ in rows
        ]


def _questions(pair: SentencePair) -> Iterator[tuple[str, Place, str, Sequence[Place]]]:
    """Yield for each place of source spans the texts, and the characters of span and words."""
    source, target = (with_text(side, treebank=True) for side in (pair.source, pair.target))
    offsets = source.offsets or ()
    for (start, end, *_), *_ in places(pair.source.spans):
        span = offsets[start][0], offsets[end - 1][1]
        yield source.plain_text(), span, target.plain_text(), target.offsets or ()


def _projection(
    pair: SentencePair, found: Sequence[Sequence[Insertion] | None]
) -> Projection | RowError:
    """The most probable insertions that fit together."""
    shares: list[dict[Place, tuple[float, float]]] = []
    for insertions in found:
        if insertions is None:
            return RowError("a text is longer than the translator reads")
        most = insertions[0][2]
        total = sum(exp(log - most) for _, _, log in insertions)
        shares.append({(a, b): (exp(log - most) / total, log) for a, b, log in insertions})
    spans = places(pair.source.spans)
    around, _ = nesting([same[0][:2] for same in spans])
    candidates = [
        Candidate(e, *place, share)
        for e, of in enumerate(shares)
        for place, (share, _) in of.items()
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
        partial(_explained, pair, spans, shares, chosen),
    )


def _explained(
    pair: SentencePair,
    spans: Sequence[Sequence[Span]],
    shares: Sequence[dict[Place, tuple[float, float]]],
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
        for place, (share, log) in of.items():
            sign = "->" if place == taken.get(e) else "  "
            text = " ".join(pair.target.words[slice(*place)])
            yield (
                f"  {sign} [{text}] {place[0]}-{place[1]} log-probability {log:.3f}, "
                f"confidence {share:.3f}"
            )
