"""The step that projects spans, with or without an aligner of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import PrivateAttr

from spanbridge.alignment.base import Aligner
from spanbridge.alignment.cutting import parts
from spanbridge.alignment.judging import Judge
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.progress import Progress, silent
from spanbridge.core.rows import EMPTY, PROJECTED, SentencePair
from spanbridge.core.spans import Span, nesting
from spanbridge.projection.method import Method
from spanbridge.steps import learning
from spanbridge.steps.account import Account
from spanbridge.steps.base import (
    Context,
    PartSettings,
)
from spanbridge.steps.chain import Chain
from spanbridge.steps.corrections import Corrections, recalibrate, with_changes, without_review
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
from spanbridge.steps.long_rows import batches, in_parts, labelled_parts
from spanbridge.steps.project_settings import LEAST_PARALLEL, ProjectSettings
from spanbridge.steps.target_words import TargetWords, guess_language
from spanbridge.steps.translating import inserter, scorer

# Confidence in all of a row's spans with which ``speed: fast`` leaves the encoder out: `python -m
# benchmarks ladder`.
SURE = 0.9


class Project(ProjectSettings):
    """Project the source's spans to the target."""

    name: ClassVar[str] = "project"
    _chain: Chain = PrivateAttr()
    _quick: Chain | None = PrivateAttr(None)
    _helpers: dict[str, Any] = PrivateAttr(default_factory=dict)
    _chosen: tuple[PartSettings | None, PartSettings] | None = PrivateAttr(None)
    _applied: str | None = PrivateAttr(None)
    _weights: dict[str, float] = PrivateAttr(default_factory=dict)
    _words: TargetWords = PrivateAttr()
    _doubt: str | None = PrivateAttr(None)
    _speed: str = PrivateAttr("full")
    _corrections: Corrections | None = PrivateAttr(None)

    def open(self, context: Context) -> None:
        """Load method, aligner, and the models that scores need.

        Raises:
            SpanbridgeError: a part cannot be made, or would have no effect.
            InputError: the corrections cannot be read, or there are none.
        """
        if self.corrections is not None:
            self._corrections = Corrections.read(self.corrections, context.reading, context.rows)
        self._words = TargetWords(self.boundary, context.languages.get("target"))
        if self.apply is not None:
            self._open_fit(context, self.apply)
            return
        if self.translator is not None:
            context.pair("source")  # raises before any model is loaded
        settings = self.method_settings()
        method: Method = self.build(context, settings)
        self._open_helpers(context, method)
        self._help(method)
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

    def _open_helpers(self, context: Context, method: Method) -> None:
        """Load the models that scores need, once the method has found its options right."""
        if self.tagger is not None:
            self._helpers["tagger"] = self.build(context, self.tagger)
        if self.translator is not None:
            translator = self.build(context, self.translator)
            helper = inserter if method.inserts else scorer
            name = self.translator.name or type(translator).__name__
            self._helpers["scorer"] = helper(translator, name, context)
        if self.weights:
            self._helpers["weights"] = self._weights = self.weights

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
        self._help(method)
        return method

    def _help(self, method: Method) -> None:
        """Give a method the models that it needs, and check it."""
        if self._helpers:
            method.add_scores(**self._helpers)
        method.check()
        self._words.tell(method)

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
        # a slow one would ask everything twice
        taught = self._corrections is not None and method.learns and not method.slow
        if taught:
            self._chain.untaught = self._made_method(context, settings)
        if made is None or speed in ("full", "fastest"):
            return
        if method.slow and speed == "fast":
            raise SpanbridgeError(
                f"speed 'fast' looks at rows twice, and so would {method.name!r}; take 'faster'"
            )
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
            if taught:
                self._quick.untaught = self._made_method(context, settings)

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
        if self._corrections is not None:
            given["corrections"] = self._corrections.describe()
        for name in ("explain", "show_changes"):
            if getattr(self, name):
                given[name] = "true"
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
        """Fit aligner and method, and what tells translations from other rows.

        Corrected rows are learned from, too, whether they are among these or not.
        """
        rows = [pair.replace(links=None) for pair in rows] if self.links == "anew" else rows
        language = guess_language(rows)
        chains = [self._chain] if self._quick is None else [self._chain, self._quick]
        self._tell_language(language)
        parts = list(in_parts(list(map(self._words, rows)), self._first.aligner))
        gold: list[SentencePair] = []
        if self._corrections is not None:
            self._corrections.tell(progress, self._words.language, self.boundary)
            for row in self._corrections.gold(self.links == "only"):
                gold += labelled_parts(row, self._first.aligner)
        for chain in chains:
            chain.fit(parts, progress, gold)
            if self._corrections is not None:
                recalibrate(chain.method, self._corrections)
        if self._judges:
            self._chain.judge.fit(parts, self._first.aligner)
        self._check_reach()

    def begin(self, kept: Mapping[str, Any]) -> None:
        """Begin a shard; answers to its questions are where the method keeps them."""
        self._chain.method.unsettled = 0

    def kept(self) -> dict[str, Any] | None:
        """Nothing but that some questions of the shard got no answer, if so."""
        return {} if self._chain.method.unsettled else None

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
        learning.save(folder, *parts, *known, () if first is None else first.parts, self._untaught)

    @property
    def _untaught(self) -> list[Method]:
        """The methods without corrections, of the first look first."""
        chains = (self._chain,) if self._quick is None else (self._quick, self._chain)
        return [chain.untaught for chain in chains if chain.untaught is not None]

    def _tell_language(self, language: str) -> None:
        """Tell all methods the target's language."""
        for chain in {id(one): one for one in (self._chain, self._first)}.values():
            for method in chain.methods:
                self._words.tell(method, language)

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
        of_first = () if first is None else first.parts
        learning.load(folder, *chain.parts, chain.judge, of_first, self._untaught)
        self._tell_language(learning.language_of(folder))
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
        """Rows with the target's spans; corrected rows as they are."""
        for batch in batches(rows):
            if self._corrections is not None:
                yield from self._corrections.around(batch, self._worked_on, account)
            else:
                yield from self._worked_on(batch, account)

    def _worked_on(self, batch: list[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Rows with the target's spans."""
        if self.links == "anew":
            batch = [pair.replace(links=None) for pair in batch]
        elif self._chain.aligner is not None:
            brought = sum(pair.links is not None for pair in batch)
            account.note("rows_with_links_of_their_own", brought)
        batch = [self._words(without_review(pair, account)) for pair in batch]
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
                fate = score, self._chain.unlikely(score)
                whole = joined(row, cut, of_row, *fate)
                if of_row[0].before is not None:
                    untaught = [one._replace(result=one.before or "") for one in of_row]
                    whole = whole._replace(before=joined(row, cut, untaught, *fate).result)
                yield whole

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
        read, result, score, before = outcome
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
        if before is not None:
            done = with_changes(done, before, self.min_confidence, self.show_changes, account)
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
