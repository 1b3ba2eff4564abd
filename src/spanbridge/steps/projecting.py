"""The step that projects spans, with or without an aligner of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, model_validator

from spanbridge.alignment.base import Aligner, checked
from spanbridge.alignment.cutting import parts
from spanbridge.alignment.judging import Judge
from spanbridge.alignment.parallel import translation_score
from spanbridge.core.errors import RowError, SpanbridgeError
from spanbridge.core.links import WordAlignment
from spanbridge.core.progress import Progress, Task, silent
from spanbridge.core.rows import EMPTY, PROJECTED, SentencePair
from spanbridge.core.soft_alignment import SoftAlignment, too_long
from spanbridge.core.spans import Span, nesting
from spanbridge.projection.boundaries import Place
from spanbridge.projection.contract import checked_projections
from spanbridge.projection.method import Method, Row
from spanbridge.steps import learning
from spanbridge.steps.account import Account
from spanbridge.steps.base import (
    AlignerSettings,
    Context,
    MethodSettings,
    PartSettings,
    Step,
    TaggerSettings,
    TranslatorSettings,
)
from spanbridge.steps.fates import (
    NO_SPAN,
    REASONS,
    UNLIKELY,
    Found,
    Outcome,
    doubt_of_settings,
    early_status,
    empty_probability,
    joined,
    joined_score,
    known_of,
    output_links,
    row_confidence,
    status_or,
    visible,
    with_links,
)
from spanbridge.steps.long_rows import batches, in_parts
from spanbridge.steps.target_words import Convention, TargetWords, guess_language
from spanbridge.steps.translating import scorer

# Chosen on real pairs: `python -m benchmarks parallel`.
LEAST_PARALLEL = 0.05


class Project(Step):
    """Project the source's spans to the target.

    Attributes:
        method: ``corpus`` by default; ``greedy`` if ``links`` is ``only``.
        aligner: by default the method's own.
        links: ``keep`` the links of rows that bring them and align the others; take ``only`` the
            links of rows that bring them and reject the others; or align all rows ``anew``.
        min_confidence: spans with a lower confidence are left out, in [0, 1].
        least_parallel: rows whose sides translate each other with a lower probability get no
            spans, in [0, 1]; 0 projects them all, and does not learn which rows are translations.
        weights: weights of further scores, or other weights for the method's own.
        tagger: a tagger of the target, for methods and scores that take one.
        translator: a translator that scores, for methods and scores that take one.
        apply: folder of an earlier fit, which sets method and aligner.
        boundary: whether an article, a particle (a case marker, a postposition), a suffix after an
            apostrophe or a title beside a name is ``in`` its span or ``out``. By default articles
            and particles are out, unless the source span has any; titles are as in the source;
            suffixes are out where annotation of the target's language leaves them out.
        explain: add to each row an explanation of the place of its spans.
    """

    name: ClassVar[str] = "project"
    takes: ClassVar[tuple[str, ...]] = ("source_words", "source_spans", "target_words")
    makes: ClassVar[tuple[str, ...]] = ("target_spans", "links")
    method: MethodSettings | None = None
    aligner: AlignerSettings | None = None
    links: Literal["keep", "only", "anew"] = "keep"
    min_confidence: float = Field(0.0, ge=0, le=1)
    least_parallel: float = Field(LEAST_PARALLEL, ge=0, le=1)
    weights: dict[str, float] = Field(default_factory=dict)
    tagger: TaggerSettings | None = None
    translator: TranslatorSettings | None = None
    apply: str | None = None
    boundary: dict[Convention, Place] = Field(default_factory=dict)
    explain: bool = False
    _method: Method = PrivateAttr()
    _aligner: Aligner | None = PrivateAttr(None)
    _helpers: dict[str, Any] = PrivateAttr(default_factory=dict)
    _chosen: tuple[PartSettings | None, PartSettings] | None = PrivateAttr(None)
    _applied: str | None = PrivateAttr(None)
    _weights: dict[str, float] = PrivateAttr(default_factory=dict)
    _words: TargetWords = PrivateAttr()
    _judge: Judge = PrivateAttr()
    _doubt: str | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _consistent(self) -> Project:
        if self.links == "only" and self.aligner is not None:
            raise ValueError("links: only takes the links that there are; leave the aligner out")
        if self.apply is not None:
            own = (self.method, self.aligner, self.tagger, self.translator, self.weights or None)
            if any(setting is not None for setting in own):
                raise ValueError("apply brings its own method and aligner; leave others out")
        return self

    def needs(self) -> set[str]:
        """Both sides, and the source's spans; also the links if ``links`` is ``only``."""
        return super().needs() | ({"links"} if self.links == "only" else set())

    def open(self, context: Context) -> None:
        """Load method, aligner, and the models that scores need.

        Raises:
            SpanbridgeError: a part cannot be made, or would have no effect.
        """
        self._words = TargetWords(self.boundary, context.languages.get("target"))
        self._judge = Judge()
        if self.apply is not None:
            self._applied, method, aligner, weights = learning.recipe(self.apply, self.links)
            self._method = self.build(context, method)
            self._aligner = None if aligner is None else self.build(context, aligner)
            if weights:
                self._method.add_scores(weights=weights)
            learning.load(self.apply, self._aligner, self._method, self._judge)
            self._words.tell(self._method, learning.language_of(self.apply))
            self._chosen, self._weights = (aligner, method), weights
            self._doubt = doubt_of_settings(self._method, self._chosen, weights)
            return
        usual = PartSettings("method", "greedy" if self.links == "only" else "corpus")
        method = self.method or usual
        if self.tagger is not None:
            self._helpers["tagger"] = self.build(context, self.tagger)
        if self.translator is not None:
            context.pair("source")  # raises before the model is loaded
            translator = self.build(context, self.translator)
            self._helpers["scorer"] = scorer(translator, self.translator.name, context)
        if self.weights:
            self._helpers["weights"] = self._weights = self.weights
        self._method = self.build(context, method)
        if self._helpers:
            self._method.add_scores(**self._helpers)
        self._method.check()
        self._words.tell(self._method)
        aligner = self.aligner
        if self._method.reads == "nothing":
            if aligner is not None or self.links == "only":
                raise SpanbridgeError(
                    f"the method {self._method.name!r} reads no alignment; leave aligner and links "
                    "out"
                )
        elif self.links != "only":
            aligner = aligner or PartSettings("aligner", self._method.aligner)
            self._aligner = self.build(context, aligner)
        self._chosen = (aligner, method)
        self._doubt = doubt_of_settings(self._method, self._chosen, self._helpers)
        if not self._method.learns:
            self._check_reach()

    @property
    def slow(self) -> bool:
        """True unless it only uses existing links."""
        return self.links != "only" or self.tagger is not None or self.translator is not None

    def parts(self) -> dict[str, str]:
        """Aligner, method, and the settings that differ from their defaults."""
        given = {
            "aligner": "none" if self._method.reads == "nothing" else "given",
            "method": self._method.describe(),
        }
        if self._aligner is not None:
            given["aligner"] = self._aligner.describe()
        if self.links != "keep":
            given["links"] = self.links
        if self._applied is not None:
            given["applied"] = self._applied
        if self.min_confidence:
            given["min_confidence"] = repr(self.min_confidence)
        if self.least_parallel != LEAST_PARALLEL:
            given["least_parallel"] = repr(self.least_parallel)
        given |= self._words.parts()
        if self.explain:
            given["explain"] = "true"
        return given

    @property
    def learns(self) -> bool:
        """True if anything learns from the rows, and no earlier fit is applied."""
        return self._applied is None and (self.must_learn or self._judges)

    @property
    def must_learn(self) -> bool:
        """True if method or aligner learn from the rows, and no earlier fit is applied."""
        parts = () if self._applied is not None else (self._method, self._aligner)
        return any(part is not None and part.learns for part in parts)

    @property
    def _judges(self) -> bool:
        """Whether it learns which rows are translations."""
        return self._method.reads != "nothing" and self.least_parallel > 0

    def fit(self, rows: Sequence[SentencePair], progress: Progress = silent) -> None:
        """Fit aligner and method, and what tells translations from other rows."""
        rows = [pair.replace(links=None) for pair in rows] if self.links == "anew" else rows
        self._words.tell(self._method, guess_language(rows))
        learning_rows = list(in_parts(list(map(self._words, rows)), self._aligner))
        if self._aligner is not None and self._aligner.learns:
            self._aligner.fit(progress(learning_rows, Task("learn words", len(learning_rows))))
        if self._method.learns:
            watched = progress(learning_rows, Task("learn spans", len(learning_rows)))
            found = (row for batch in batches(watched) for row in self._aligned(batch))
            self._method.fit(
                [(pair, read) for pair, read in found if not isinstance(read, RowError)]
            )
        if self._judges:
            self._judge.fit(learning_rows, self._aligner)
        self._check_reach()

    def save(self, folder: str | Path) -> None:
        """Save what was learned, and the settings of aligner and method.

        Raises:
            InputError: the folder cannot be written to.
        """
        assert self._chosen is not None
        aligner, method = self._chosen
        parts = (aligner, self._aligner, method, self._method)
        learning.save(folder, *parts, self._weights, self._judge, self._words.language)

    def check_fit(self) -> None:
        """Raise SpanbridgeError if a tagger or translator takes part, which a fit does not keep."""
        for name in ("tagger", "translator"):
            if getattr(self, name) is not None:
                raise SpanbridgeError(f"a fit keeps no {name}; leave it out, or project at once")

    def load(self, folder: str | Path) -> None:
        """Restore what was learned."""
        learning.load(folder, self._aligner, self._method, self._judge)
        self._words.tell(self._method, learning.language_of(folder))
        self._check_reach()

    def _check_reach(self) -> None:
        max_confidence = self._method.max_confidence()
        if self.min_confidence > max_confidence:
            raise SpanbridgeError(
                f"min_confidence {self.min_confidence} leaves nothing: "
                f"{self._method.name!r} is never surer than {max_confidence:.3f} here"
            )

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Rows with the target's spans."""
        for batch in batches(rows):
            if self.links == "anew":
                batch = [pair.replace(links=None) for pair in batch]
            elif self._aligner is not None:
                brought = sum(pair.links is not None for pair in batch)
                account.note("rows_with_links_of_their_own", brought)
            batch = list(map(self._words, batch))
            self._words.note(account, len(batch))
            before = self._method.counts.copy()
            done = list(self._project(batch, account))
            for name, count in (self._method.counts - before).items():
                account.note(name, count)
            for pair, outcome in zip(batch, done, strict=True):
                yield self._row(pair, outcome, account)

    def _project(self, rows: Sequence[SentencePair], account: Account) -> Iterator[Outcome]:
        """What becomes of each row; long rows part by part."""
        cuts = [parts(row, self._aligner) for row in rows]
        found = list(self._aligned([part.pair for cut in cuts for part in cut]))
        scores = self._scores(found)
        fates = [
            early_status(pair, read, self._unlikely(score))
            for (pair, read), score in zip(found, scores, strict=True)
        ]
        rows_left: list[Row] = [
            (pair, read)
            for (pair, read), fate in zip(found, fates, strict=True)
            if fate is None and not isinstance(read, RowError)
        ]
        projected = iter(
            checked_projections(self._method, rows_left, self._method.project(rows_left))
        )
        each = iter(
            [
                Outcome(read, fate or status_or(next(projected)), score)
                for (_, read), fate, score in zip(found, fates, scores, strict=True)
            ]
        )
        for row, cut in zip(rows, cuts, strict=True):
            if len(cut) == 1:
                yield next(each)
            else:
                account.note("long_rows_cut_into_parts", 1)
                of_row = [next(each) for _ in cut]
                score = joined_score(cut, of_row)
                yield joined(row, cut, of_row, score, self._unlikely(score))

    def _scores(self, found: Sequence[tuple[SentencePair, Found]]) -> list[float | None]:
        """Translation score of each row or part: by the judge, or by its links alone."""
        judged = self._judge.scores([pair for pair, _ in found], self._aligner)
        return [
            self._score(pair, read) if score is None or read is None else score
            for (pair, read), score in zip(found, judged, strict=True)
        ]

    def _score(self, pair: SentencePair, read: Found) -> float | None:
        """Translation score of a row or a part by its own links or by what was read."""
        if read is None or isinstance(read, RowError):
            return None
        sides = pair.source.words, pair.target.words
        if pair.links is not None or self._aligner is None:
            return translation_score(*sides, pair.links or read, "links")
        return translation_score(*sides, read, self._aligner.evidence)

    def _unlikely(self, score: float | None) -> bool:
        return score is not None and score < self.least_parallel

    def _aligned(self, rows: Sequence[SentencePair]) -> Iterator[tuple[SentencePair, Found]]:
        """Rows with what the method reads of each."""
        if self._method.reads == "nothing":
            yield from ((pair, None) for pair in rows)
        elif self._aligner is None:
            missing = RowError("no links given, and no aligner asked for")
            for pair in rows:
                yield pair, missing if pair.links is None else self._read(pair.links)
        elif self._method.reads == "links":
            bare = [pair for pair in rows if pair.links is None]
            found = iter(checked(self._aligner, bare, self._aligner.align(bare)))
            for pair in rows:
                yield pair, next(found) if pair.links is None else pair.links
        else:
            alignments = checked(self._aligner, rows, self._aligner.soft_align(rows))
            for pair, soft in zip(rows, alignments, strict=True):
                yield pair, with_links(pair, soft)

    def _read(self, links: WordAlignment) -> Found:
        if self._method.reads == "links":
            return links
        return too_long(links.n_source, links.n_target) or SoftAlignment.from_links(links)

    def _row(self, pair: SentencePair, outcome: Outcome, account: Account) -> SentencePair:
        """The finished row; adds it to the account."""
        read, result, score = outcome
        spans: tuple[Span, ...] = ()
        confidence = None
        lines: tuple[str, ...] = ()
        if isinstance(result, str):
            status = result
            reason = REASONS.get(status.partition(": ")[0], status.removeprefix(EMPTY))
            dropped = tuple((span, reason) for span in pair.source.spans)
            if status == NO_SPAN:
                confidence = empty_probability(pair)
        else:
            whole = result.with_source_scores()
            if self.explain and whole.explain is not None:
                lines = tuple(whole.explain(whole, self.min_confidence))
            result = whole.above(self.min_confidence)
            spans, dropped = result.spans, result.dropped
            status = PROJECTED if spans else f"{EMPTY}{dropped[0][1] if dropped else 'no span'}"
            if spans:
                confidence = row_confidence(whole, self.min_confidence)
        if self.explain and pair.source.spans and not lines:
            lines = (f"row {pair.id}, {status}",)
        done = pair._replace(
            target=pair.target.with_spans(visible(spans, pair.target.words)),
            links=output_links(pair, read),
            parallel_score=None if score is None else round(score, 4),
            status=status,
            confidence=confidence,
            provenance=self.name,
            explanation=lines or None,
            rejected_sentences=None,
        )
        account.add(done, status, dropped)
        if spans:
            known = known_of(done, self._doubt, pair.links is not None, self._method.calibration())
            account.calibrated(spans, known)
        if status == UNLIKELY:
            account.doubt(pair.id)
        _, crossing = nesting([span[:2] for span in pair.source.spans])
        if crossing:
            account.note("source_spans_that_cross_others_and_compete_for_words", len(crossing))
        return done
