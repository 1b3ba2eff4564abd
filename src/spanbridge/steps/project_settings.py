"""Settings of the step that projects spans."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from spanbridge.projection.boundaries import Convention, Place
from spanbridge.steps.base import (
    AlignerSettings,
    MethodSettings,
    PartSettings,
    Step,
    TaggerSettings,
    TranslatorSettings,
)
from spanbridge.steps.chain import Links

# Chosen on real pairs: `python -m benchmarks parallel`.
LEAST_PARALLEL = 0.05
# Confidence below which spans are refined.
BELOW = 0.8
Speed = Literal["full", "fast", "faster", "fastest"]


class ProjectSettings(Step):
    """Settings of the projection of the source's spans to the target.

    Attributes:
        method: ``corpus`` by default; ``greedy`` if ``links`` is ``only``.
        aligner: by default the method's own.
        links: ``keep`` the links of rows that bring them and align the others; take ``only`` the
            links of rows that bring them and reject the others; or align all rows ``anew``.
        speed: ``full`` encodes every row; ``fast`` looks up mean states of subwords, learned from
            a sample, and encodes only the rows that it is then less sure of than ``SURE``;
            ``faster`` encodes no row but the sample; ``fastest`` none at all (the aligner
            ``statistical``).
        min_confidence: spans with a lower confidence are left out, in [0, 1].
        least_parallel: rows whose sides translate each other with a lower probability get no
            spans, in [0, 1]; 0 projects them all, and does not learn which rows are translations.
        weights: weights of further scores, or other weights for the method's own.
        refine: a method that decides where the method is not sure, which has the options ``base``
            and ``below``: ``chat``.
        below: spans with a lower confidence are left to ``refine``, in [0, 1].
        tagger: a tagger of the target, for methods and scores that take one.
        translator: a translator that scores, for methods and scores that take one.
        apply: folder of an earlier fit, which sets method and aligner.
        boundary: whether an article, a particle (a case marker, a postposition), a suffix after an
            apostrophe or a title beside a name is ``in`` its span or ``out``; likewise quotes
            around it, other punctuation beside it, and what stands in brackets after it
            (apposition). By default articles and particles are out, unless the source span has
            any; titles and marks are as in the source; suffixes are out where annotation of the
            target's language leaves them out.
        corrections: a file of rows of which some were corrected (key ``review``): these stay as
            they are, and what learns learns from them. Those without a source side have that of
            the input's row of their id. docs/corrections.md.
        show_changes: rows that would be otherwise without the corrections get the spans that they
            would have, under the key ``before_corrections``.
        explain: add to each row an explanation of the place of its spans.
    """

    takes: ClassVar[tuple[str, ...]] = ("source_words", "source_spans", "target_words")
    makes: ClassVar[tuple[str, ...]] = ("target_spans", "links")
    method: MethodSettings | None = None
    refine: MethodSettings | None = None
    below: float = Field(BELOW, ge=0, le=1)
    aligner: AlignerSettings | None = None
    links: Links = "keep"
    speed: Speed = "full"
    min_confidence: float = Field(0.0, ge=0, le=1)
    least_parallel: float = Field(LEAST_PARALLEL, ge=0, le=1)
    weights: dict[str, float] = Field(default_factory=dict)
    tagger: TaggerSettings | None = None
    translator: TranslatorSettings | None = None
    apply: str | None = None
    boundary: dict[Convention, Place] = Field(default_factory=dict)
    corrections: str | None = None
    show_changes: bool = False
    explain: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> ProjectSettings:
        if self.links == "only" and self.aligner is not None:
            raise ValueError("links: only takes the links that there are; leave the aligner out")
        if self.links == "only" and self.speed != "full":
            raise ValueError("links: only encodes no row; leave speed out")
        if self.speed == "fastest" and self.aligner is not None:
            raise ValueError("speed: fastest has an aligner of its own; leave the aligner out")
        if self.apply is not None:
            own = (
                self.method,
                self.refine,
                self.aligner,
                self.tagger,
                self.translator,
                self.weights or None,
            )
            if any(setting is not None for setting in own) or self.speed != "full":
                raise ValueError("apply brings its own method, aligner and speed; leave others out")
        if self.corrections is not None and self.apply is not None:
            raise ValueError("apply learns nothing, and so no corrections; give them where it fits")
        if self.corrections is None and self.show_changes:
            raise ValueError("show_changes does nothing without corrections")
        if self.method is not None and self.translator is None:
            lacks = getattr(self.method.part(), "without_translator", str)()
            if lacks:
                raise ValueError(lacks)
        for name, told in (("base", "method"), ("below", "below")):
            if self.refine is not None and name in self.refine.options:
                raise ValueError(f"refine: {name} is what {told} says beside it; leave it out")
        if self.refine is None and self.below != BELOW:
            raise ValueError("below does nothing without refine")
        return self

    def needs(self) -> set[str]:
        """Both sides, and the source's spans; also the links if ``links`` is ``only``."""
        return super().needs() | ({"links"} if self.links == "only" else set())

    @property
    def slow(self) -> bool:
        """True unless it only uses existing links."""
        further = (self.tagger, self.translator, self.refine)
        if self.links != "only" or any(part is not None for part in further):
            return True
        return self.method is not None and bool(self.method.part().slow)

    def method_settings(self) -> PartSettings:
        """The method, with what refines it around it."""
        own = self.method or PartSettings("method", "greedy" if self.links == "only" else "corpus")
        if self.refine is None:
            return own
        base = own.made if own.made is not None else {own.name: own.options}
        options = {**self.refine.options, "base": base, "below": self.below}
        return replace(self.refine, options=options)
