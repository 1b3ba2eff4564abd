"""The step that projects spans, with or without an aligner of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, model_validator

from spanbridge.alignment.base import Aligner
from spanbridge.alignment.cutting import parts
from spanbridge.alignment.judging import Judge
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.progress import Progress, silent
from spanbridge.core.rows import EMPTY, PROJECTED, SentencePair
from spanbridge.core.spans import Span, nesting
from spanbridge.projection.boundaries import Place
from spanbridge.projection.method import Method
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
from spanbridge.steps.chain import Chain, Links
from spanbridge.steps.fates import (
    NO_SPAN,
    REASONS,
    UNLIKELY,
    Outcome,
    doubt_of_settings,
    empty_probability,
    is_sure,
    joined,
    joined_score,
    known_of,
    output_links,
    row_confidence,
    visible,
)
from spanbridge.steps.long_rows import batches, in_parts
from spanbridge.steps.target_words import Convention, TargetWords, guess_language
from spanbridge.steps.translating import scorer

# Chosen on real pairs: `python -m benchmarks parallel`.
LEAST_PARALLEL = 0.05
# Confidence in all of a row's spans with which ``speed: fast`` leaves the encoder out: `python -m
# benchmarks ladder`.
SURE = 0.95
Speed = Literal["full", "fast", "faster", "fastest"]


class Project(Step):
    """Project the source's spans to the target.

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
    links: Links = "keep"
    speed: Speed = "full"
    min_confidence: float = Field(0.0, ge=0, le=1)
    least_parallel: float = Field(LEAST_PARALLEL, ge=0, le=1)
    weights: dict[str, float] = Field(default_factory=dict)
    tagger: TaggerSettings | None = None
    translator: TranslatorSettings | None = None
    apply: str | None = None
    boundary: dict[Convention, Place] = Field(default_factory=dict)
    explain: bool = False
    _chain: Chain = PrivateAttr()
    _quick: Chain | None = PrivateAttr(None)
    _helpers: dict[str, Any] = PrivateAttr(default_factory=dict)
    _chosen: tuple[PartSettings | None, PartSettings] | None = PrivateAttr(None)
    _applied: str | None = PrivateAttr(None)
    _weights: dict[str, float] = PrivateAttr(default_factory=dict)
    _words: TargetWords = PrivateAttr()
    _doubt: str | None = PrivateAttr(None)
    _speed: str = PrivateAttr("full")

    @model_validator(mode="after")
    def _consistent(self) -> Project:
        if self.links == "only" and self.aligner is not None:
            raise ValueError("links: only takes the links that there are; leave the aligner out")
        if self.links == "only" and self.speed != "full":
            raise ValueError("links: only encodes no row; leave speed out")
        if self.speed == "fastest" and self.aligner is not None:
            raise ValueError("speed: fastest has an aligner of its own; leave the aligner out")
        if self.apply is not None:
            own = (self.method, self.aligner, self.tagger, self.translator, self.weights or None)
            if any(setting is not None for setting in own) or self.speed != "full":
                raise ValueError("apply brings its own method, aligner and speed; leave others out")
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
        if self.apply is not None:
            self._open_fit(context, self.apply)
            return
        if self.tagger is not None:
            self._helpers["tagger"] = self.build(context, self.tagger)
        if self.translator is not None:
            context.pair("source")  # raises before the model is loaded
            translator = self.build(context, self.translator)
            self._helpers["scorer"] = scorer(translator, self.translator.name, context)
        if self.weights:
            self._helpers["weights"] = self._weights = self.weights
        settings = self.method or PartSettings(
            "method", "greedy" if self.links == "only" else "corpus"
        )
        method = self._made_method(context, settings)
        aligner = self.aligner
        if method.reads == "nothing":
            if aligner is not None or self.links == "only" or self.speed != "full":
                raise SpanbridgeError(
                    f"the method {method.name!r} reads no alignment; leave aligner, links and "
                    "speed out"
                )
        elif self.links != "only":
            usual = "statistical" if self.speed == "fastest" else method.aligner
            aligner = aligner or PartSettings("aligner", usual)
        self._chain_up(context, self.speed, method, settings, aligner)
        self._doubt = doubt_of_settings(method, (aligner, settings), self._helpers)
        if not method.learns:
            self._check_reach()

    def _open_fit(self, context: Context, folder: str) -> None:
        made = learning.recipe(folder, self.links)
        self._applied = made.digest
        if made.weights:
            self._helpers["weights"] = self._weights = made.weights
        method = self._made_method(context, made.method)
        self._chain_up(context, made.speed, method, made.method, made.aligner)
        self._restore(folder)
        self._doubt = doubt_of_settings(method, (made.aligner, made.method), made.weights)

    def _made_method(self, context: Context, settings: PartSettings) -> Method:
        method: Method = self.build(context, settings)
        if self._helpers:
            method.add_scores(**self._helpers)
        method.check()
        self._words.tell(method)
        return method

    def _chain_up(
        self,
        context: Context,
        speed: str,
        method: Method,
        settings: PartSettings,
        aligner: PartSettings | None,
    ) -> None:
        """Put aligner and method together, for every look at a row."""
        self._chosen, self._speed = (aligner, settings), speed
        made: Aligner | None = None if aligner is None else self.build(context, aligner)
        self._chain = Chain(method, made, self.links, Judge(), self.least_parallel)
        if made is None or speed in ("full", "fastest"):
            return
        if (quick := made.static()) is None:
            raise SpanbridgeError(
                f"speed {speed!r} needs an aligner that can look states up, and "
                f"{aligner.name if aligner else ''!r} cannot; take 'fused', or leave speed out"
            )
        if speed == "faster":
            self._chain.aligner = quick
        else:
            other = self._made_method(context, settings)
            self._quick = Chain(other, quick, self.links, self._chain.judge, self.least_parallel)

    @property
    def slow(self) -> bool:
        """True unless it only uses existing links."""
        return self.links != "only" or self.tagger is not None or self.translator is not None

    def parts(self) -> dict[str, str]:
        """Aligner, method, and the settings that differ from their defaults."""
        given = {
            "aligner": "none" if self._chain.method.reads == "nothing" else "given",
            "method": self._chain.method.describe(),
        }
        if self._chain.aligner is not None:
            given["aligner"] = self._chain.aligner.describe()
        if self._quick is not None and self._quick.aligner is not None:
            first = f"{self._quick.aligner.describe()}+{self._quick.method.describe()}"
            given["speed"] = f"fast({SURE},first={first})"
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
        return self._applied is None and (self._chain.learns or self._judges)

    @property
    def must_learn(self) -> bool:
        """True if method or aligner learn from the rows, and no earlier fit is applied."""
        return self._applied is None and self._chain.learns

    @property
    def _first(self) -> Chain:
        """Aligner and method of the first look at a row."""
        return self._quick or self._chain

    @property
    def _judges(self) -> bool:
        """Whether it learns which rows are translations."""
        return self._chain.method.reads != "nothing" and self.least_parallel > 0

    def fit(self, rows: Sequence[SentencePair], progress: Progress = silent) -> None:
        """Fit aligner and method, and what tells translations from other rows."""
        rows = [pair.replace(links=None) for pair in rows] if self.links == "anew" else rows
        language = guess_language(rows)
        chains = [self._chain] if self._quick is None else [self._chain, self._quick]
        for chain in chains:
            self._words.tell(chain.method, language)
        parts = list(in_parts(list(map(self._words, rows)), self._first.aligner))
        for chain in chains:
            chain.fit(parts, progress)
        if self._judges:
            self._chain.judge.fit(parts, self._first.aligner)
        self._check_reach()

    def save(self, folder: str | Path) -> None:
        """Save what was learned, and the settings of aligner and method.

        Raises:
            InputError: the folder cannot be written to.
        """
        assert self._chosen is not None
        aligner, method = self._chosen
        chain, first = self._chain, self._quick
        parts = (aligner, chain.aligner, method, chain.method)
        known = (self._weights, chain.judge, self._words.language, self._speed)
        learning.save(folder, *parts, *known, () if first is None else first.parts)

    def check_fit(self) -> None:
        """Raise SpanbridgeError if a tagger or translator takes part, which a fit does not keep."""
        for name in ("tagger", "translator"):
            if getattr(self, name) is not None:
                raise SpanbridgeError(f"a fit keeps no {name}; leave it out, or project at once")

    def load(self, folder: str | Path) -> None:
        """Restore what was learned."""
        self._restore(folder)

    def _restore(self, folder: str | Path) -> None:
        chain, first = self._chain, self._quick
        learning.load(folder, *chain.parts, chain.judge, () if first is None else first.parts)
        for one in {id(chain): chain, id(self._first): self._first}.values():
            self._words.tell(one.method, learning.language_of(folder))
        self._check_reach()

    def _check_reach(self) -> None:
        method = self._chain.method
        max_confidence = method.max_confidence()
        if self.min_confidence > max_confidence:
            raise SpanbridgeError(
                f"min_confidence {self.min_confidence} leaves nothing: "
                f"{method.name!r} is never surer than {max_confidence:.3f} here"
            )

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Rows with the target's spans."""
        for batch in batches(rows):
            if self.links == "anew":
                batch = [pair.replace(links=None) for pair in batch]
            elif self._chain.aligner is not None:
                brought = sum(pair.links is not None for pair in batch)
                account.note("rows_with_links_of_their_own", brought)
            batch = list(map(self._words, batch))
            self._words.note(account, len(batch))
            before = self._chain.method.counts.copy()
            done = list(self._project(batch, account))
            for name, count in (self._chain.method.counts - before).items():
                account.note(name, count)
            for pair, outcome in zip(batch, done, strict=True):
                yield self._row(pair, outcome, account)

    def _project(self, rows: Sequence[SentencePair], account: Account) -> Iterator[Outcome]:
        """What becomes of each row; long rows part by part."""
        cuts = [parts(row, self._first.aligner) for row in rows]
        each = iter(self._outcomes([part.pair for cut in cuts for part in cut], account))
        for row, cut in zip(rows, cuts, strict=True):
            if len(cut) == 1:
                yield next(each)
            else:
                account.note("long_rows_cut_into_parts", 1)
                of_row = [next(each) for _ in cut]
                score = joined_score(cut, of_row)
                yield joined(row, cut, of_row, score, self._chain.unlikely(score))

    def _outcomes(self, pairs: Sequence[SentencePair], account: Account) -> list[Outcome]:
        """What becomes of each part: at once, or at the second look where the first is unsure."""
        found = self._first.outcomes(pairs)
        if self._quick is None:
            return found
        unsure = [n for n, one in enumerate(found) if not is_sure(one, SURE)]
        account.note("parts_of_rows_read_by_the_encoder", len(unsure))
        for n, one in zip(unsure, self._chain.outcomes([pairs[n] for n in unsure]), strict=True):
            found[n] = one
        return found

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
            known = known_of(
                done, self._doubt, pair.links is not None, self._chain.method.calibration()
            )
            account.calibrated(spans, known)
        if status == UNLIKELY:
            account.doubt(pair.id)
        _, crossing = nesting([span[:2] for span in pair.source.spans])
        if crossing:
            account.note("source_spans_that_cross_others_and_compete_for_words", len(crossing))
        return done
