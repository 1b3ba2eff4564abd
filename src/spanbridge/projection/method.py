"""The interface of projection methods, and their results."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any, ClassVar, Literal, get_args

from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.learned import Learner
from spanbridge.core.links import WordAlignment
from spanbridge.core.requirements import Part
from spanbridge.core.rows import SentencePair
from spanbridge.core.soft_alignment import SoftAlignment
from spanbridge.core.spans import Span
from spanbridge.projection.boundaries import Conventions
from spanbridge.projection.confidence import Calibration

NO_LINK = "no link"
LOST = "no candidate left"
BELOW = "score below the threshold"
UNSURE = "confidence below the minimum"

# Input of a method beyond the words: nothing, hard links, or a soft alignment.
Reads = Literal["nothing", "links", "soft alignment"]
# A sentence pair with its alignment; None if the method reads none.
Row = tuple[SentencePair, WordAlignment | SoftAlignment | None]

Explain = Callable[["Projection", float], Iterator[str]]


@dataclass(slots=True)  # not frozen, which would make it three times as slow
class Projection:
    """The result of projecting the spans of one sentence.

    Attributes:
        spans: target spans by start, then longer ones first; none crosses another. Each score is
            the probability, in [0, 1], that the span is exactly right provided that its source span
            is; None if the method gives none.
        dropped: source spans that were not projected, each with the reason.
        origins: source span of each of ``spans``; empty if unknown.
        raw_scores: raw score of each of ``spans``, in the method's own scale; empty if there is
            none.
        explain: function that explains each span's place in lines of text, given a projection with
            its confidences and the least confidence.
    """

    spans: tuple[Span, ...]
    dropped: tuple[tuple[Span, str], ...] = ()
    origins: tuple[Span, ...] = ()
    raw_scores: tuple[float, ...] = ()
    explain: Explain | None = field(default=None, compare=False)

    def with_source_scores(self) -> Projection:
        """The projection with each span's score multiplied by that of its source span.

        A span is right if both its source span and its place are.
        """
        if len(self.origins) != len(self.spans):
            return self
        if all(origin.score is None for origin in self.origins):
            return self
        spans = tuple(
            span
            if span.score is None or origin.score is None
            else span._replace(score=span.score * origin.score)
            for span, origin in zip(self.spans, self.origins, strict=True)
        )
        return replace(self, spans=spans)

    def above(self, min_confidence: float) -> Projection:
        """The projection without less probable spans; their source spans count as dropped.

        Raises:
            SpanbridgeError: a span has no confidence, and a minimum is asked for.
        """
        if min_confidence <= 0:
            return self
        if any(span.score is None for span in self.spans):
            raise SpanbridgeError("the method gives no confidence; leave out the minimum of one")
        low = [
            k
            for k, span in enumerate(self.spans)
            if span.score is not None and span.score < min_confidence
        ]
        if not low:
            return self
        kept = [k for k in range(len(self.spans)) if k not in low]
        origins = tuple(self.origins[k] for k in kept) if self.origins else ()
        lost = {id(self.origins[k]): self.origins[k] for k in low} if self.origins else {}
        for origin in origins:
            lost.pop(id(origin), None)  # also projected to a span that is kept
        return replace(
            self,
            spans=tuple(self.spans[k] for k in kept),
            dropped=(*self.dropped, *((span, UNSURE) for span in lost.values())),
            origins=origins,
            raw_scores=tuple(self.raw_scores[k] for k in kept) if self.raw_scores else (),
        )


class Method(Learner, Part):
    """A way to project the spans of source sentences to their translations.

    Attributes:
        name: name in the registry and in signatures.
        reads: input beyond the words. An aligner is loaded only if it reads an alignment.
        aligner: name of the default aligner.
        slow: it takes so long that the whole input is checked first.
        inserts: the translator that it takes inserts marks; else it scores phrases.
        needs_translator: the translator that it cannot do without, in words; empty if it can.
        unsettled: number of questions to a server that were not answered, which may succeed another
            time.
    """

    name: ClassVar[str]
    reads: ClassVar[Reads] = "links"
    aligner: ClassVar[str] = "encoder"
    slow: ClassVar[bool] = False
    inserts: ClassVar[bool] = False
    needs_translator: ClassVar[str] = ""
    unsettled: int = 0

    def __init_subclass__(cls, **options: Any) -> None:
        """Check the value of ``reads``."""
        super().__init_subclass__(**options)
        if cls.reads not in get_args(Reads):
            kinds = ", ".join(map(repr, get_args(Reads)))
            raise TypeError(f"{cls.__name__}.reads is {cls.reads!r}, but must be one of {kinds}")

    @cached_property
    def counts(self) -> Counter[str]:
        """Further counts for the account, such as scores computed by a translator."""
        return Counter()

    #: what is known of boundaries in the target's language
    conventions: Conventions = Conventions()

    @abstractmethod
    def project(self, rows: Sequence[Row]) -> list[Projection | RowError]:
        """Project the source spans of every row; rows have words on both sides.

        Returns:
            A projection per row, or the reason why the row cannot be projected.
        """

    def add_scores(self, weights: Any = None, tagger: Any = None, scorer: Any = None) -> None:
        """Add weights of scores, a tagger of the target, or a translator that scores.

        Raises SpanbridgeError if the method takes none of these.
        """
        raise SpanbridgeError(f"the method {self.name!r} takes no weights, tagger or translator")

    def score_names(self) -> frozenset[str]:
        """Names of the scores that it adds up."""
        return frozenset()

    @classmethod
    def without_translator(cls) -> str:
        """Why it cannot work if no translator is named; empty if it can."""
        if not cls.needs_translator:
            return ""
        named = "(--translator-model, --from, --to)"
        return f"the method {cls.name!r} needs {cls.needs_translator}, and the languages {named}"

    def check(self) -> None:
        """Check, before any work, that nothing is missing; raises SpanbridgeError."""

    def fit(self, rows: Sequence[Row]) -> None:
        """Learn from rows of the bitext; called before :meth:`project` if ``learns`` is True."""

    def teach(self, rows: Sequence[Row]) -> None:
        """Take corrected rows, whose target spans are right, to learn from at the next fit.

        A method that has no use for them leaves them.
        """

    def trials(self) -> list[tuple[float, bool]]:
        """Confidence of each span found in corrected rows, without them, and whether it is right.

        Empty if none were learned from.
        """
        return []

    def recalibrate(self, intercept: float, slope: float, fitted_on: str) -> None:
        """Change the log-odds of confidences to intercept + slope * log-odds."""

    def calibration(self) -> Calibration | None:
        """The curve that its confidences come from; None if nothing is known of them."""
        return None

    def max_confidence(self) -> float:
        """The greatest possible confidence in a span, in [0, 1]."""
        return 1.0


_place = itemgetter(0, 1)


def places(spans: Sequence[Span]) -> list[list[Span]]:
    """Spans in order, those of the same place together."""
    return [list(same) for _, same in groupby(in_order(spans), _place)]


def in_order(entities: Sequence[Span]) -> list[Span]:
    """Source spans by start, then end; ties keep their order."""
    return sorted(entities, key=_place)
