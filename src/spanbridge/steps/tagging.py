"""Steps with taggers: find the spans of one side, and combine projection with tagging."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, PrivateAttr

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import (
    EMPTY,
    FAILED,
    PROJECTED,
    REJECTED,
    TAGGED,
    UNTAGGED,
    SentencePair,
    Side,
)
from spanbridge.core.spans import Span, nesting
from spanbridge.projection.candidates import Candidate
from spanbridge.projection.solve.choice import exact
from spanbridge.projection.solve.layers import by_layers
from spanbridge.steps.account import Account
from spanbridge.steps.base import TAGGER, Context, Step, TaggerSettings, chunks
from spanbridge.steps.fates import UNLIKELY
from spanbridge.tagging.base import Tagged, Tagger, Words, span_probability
from spanbridge.tagging.labels import RelabellingTagger

MIN_SCORE = 0.4  # of an ensemble's spans


class _Tagging(Step):
    """A step with a tagger, whose counts it enters in the account."""

    tagger: TaggerSettings = TAGGER
    _tagger: Tagger = PrivateAttr()
    _unsettled: int = PrivateAttr(0)

    def begin(self, kept: Mapping[str, Any]) -> None:
        """Begin a shard; answers of a server are where the tagger keeps them."""
        self._unsettled = self._tagger.unsettled

    def kept(self) -> dict[str, Any] | None:
        """Nothing but that some sentences of the shard got no answer, if so."""
        return {} if self._tagger.unsettled > self._unsettled else None

    def _tagged(self, sentences: Sequence[Words], account: Account) -> list[Tagged]:
        """What the tagger finds."""
        before = Counter(self._tagger.counts)
        found = self._tagger.tag(sentences)
        for name, n in (Counter(self._tagger.counts) - before).items():
            account.note(name, n)
        return found


class Tag(_Tagging):
    """Find the spans of one side with a tagger.

    Attributes:
        tagger: the tagger; by default the one that comes with the package.
        side: the side that is tagged.
        map: the tagger's labels -> the wanted ones; several may become one.
        others: treatment of labels that ``map`` does not name: ``keep``, ``drop`` their spans
            (which are counted), or raise an ``error``.
        min_score: least probability of a span, in [0, 1]; others are left out and counted. Spans
            without one stay.
    """

    name: ClassVar[str] = TAGGED
    takes: ClassVar[tuple[str, ...]] = ("{side}_words",)
    makes: ClassVar[tuple[str, ...]] = ("{side}_spans",)
    side: Side = "source"
    map: dict[str, str] = Field(default_factory=dict)
    others: Literal["keep", "drop", "error"] = "keep"
    min_score: float = Field(0.0, ge=0, le=1)

    def open(self, context: Context) -> None:
        """Load the tagger.

        Raises SpanbridgeError if it cannot be loaded or ``map`` does not match its labels.
        """
        if "O" in self.map.values() or not all(self.map.keys() | set(self.map.values())):
            raise SpanbridgeError(
                "map gives each label a new one other than O (others: drop drops spans)"
            )
        if self.min_score and not getattr(self.tagger.part(), "gives_scores", True):
            name = self.tagger.name or type(self.tagger.made).__name__
            raise SpanbridgeError(
                f"the tagger {name} gives no probabilities, so that no span is below "
                f"{self.min_score:g}; leave min_score out (--min-score; --min-confidence of label)"
            )
        self._tagger = self.build(context, self.tagger)
        if self.map or self.others != "keep":
            self._tagger = RelabellingTagger(self._tagger, self.map, self.others)

    def parts(self) -> dict[str, str]:
        """The tagger and the side."""
        bound = {"min_score": repr(self.min_score)} if self.min_score else {}
        return {"tagger": self._tagger.describe(), "side": self.side, **bound}

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Rows with the tagger's spans in place of the side's former ones."""
        before = Counter(self._tagger.dropped)
        for chunk in chunks(rows):
            opinions = self._tagged([pair.side(self.side).words for pair in chunk], account)
            for pair, found in zip(chunk, opinions, strict=True):
                yield self._row(pair, found, account)
        for label, n in (Counter(self._tagger.dropped) - before).items():
            account.note(f"{label} spans dropped", n)

    def _row(self, pair: SentencePair, found: Tagged, account: Account) -> SentencePair:
        result = dict.fromkeys(("status", "confidence", "explanation", "rejected_sentences"))
        before = pair.side(self.side)
        lost = None if found.fault is None else f"{UNTAGGED}{found.fault}"
        if pair.failure is not None and not before.words:
            lost = f"{FAILED}no translation to tag"
        if lost is not None:
            account.statuses[lost] += 1
            bare = before.with_spans(())
            if self.side == "target":
                return pair.replace(target=bare, **{**result, "status": lost}, provenance=self.name)
            if lost.startswith(UNTAGGED):
                return pair.without_result().replace(source=bare)._replace(status=lost)
            return pair.replace(source=bare)
        spans = tuple(s for s in found.spans if s.score is None or s.score >= self.min_score)
        account.tagged(pair, len(spans))
        account.note(
            "spans that stood there before and gave way to the tagger's", len(before.spans)
        )
        if self.min_score:
            account.note("spans left out, below min_score", len(found.spans) - len(spans))
        account.calibrated(spans, "uncalibrated: a tagger's own probabilities")
        done = before.with_spans(spans, found.empty_probability)
        if self.side == "source":
            stale = pair.without_result() if (pair.status or "").startswith(UNTAGGED) else pair
            return stale.replace(source=done)
        return pair.replace(target=done, **result, provenance=self.name)


class Ensemble(_Tagging):
    """Combine the target's spans with the predictions of a tagger of its language.

    An ensemble of translate-test and translate-train (or any other tagger): Ebing and Glavaš
    (2025). The score of a span is the weighted mean of both probabilities; the disjoint spans with
    the greatest total excess over ``min_score`` are kept. Where there is no translation to project
    from, since it failed or seems to be none, the tagger's spans above ``min_score`` stand alone.

    Attributes:
        tagger: a tagger of the target's language; by default the one that comes with the package.
        weight: weight of the projected spans, in [0, 1]; the tagger's is 1 - ``weight``.
        min_score: bound that the mean must exceed, in [0, 1].
    """

    name: ClassVar[str] = "ensemble"
    takes: ClassVar[tuple[str, ...]] = ("target_words", "target_spans")
    weight: float = Field(0.5, ge=0, le=1)
    min_score: float = Field(MIN_SCORE, ge=0, le=1)

    def open(self, context: Context) -> None:
        """Load the tagger."""
        self._tagger = self.build(context, self.tagger)

    def parts(self) -> dict[str, str]:
        """The tagger, and the settings of the combination."""
        return {
            "tagger": self._tagger.describe(),
            "weight": repr(self.weight),
            "min_score": repr(self.min_score),
        }

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Rows with the combined spans; rejected ones stay as they are."""
        for chunk in chunks(rows):
            opinions = self._tagged([pair.target.words for pair in chunk], account)
            for pair, found in zip(chunk, opinions, strict=True):
                yield self._combined(pair, found, account)

    def _combined(self, pair: SentencePair, found: Tagged, account: Account) -> SentencePair:
        status = pair.status or ""
        alone = status.startswith(FAILED) or status == UNLIKELY
        if status.startswith(REJECTED) or (alone and found.fault is not None):
            account.enter(pair, status)
            return pair
        if alone:
            account.note("rows without a translation, with the tagger's spans alone", 1)
        weight = 0.0 if alone else self.weight
        if found.fault is not None:
            account.note(f"rows that the tagger did not read: {found.fault}", 1)
            weight = 1.0
        spans = combine(pair.target.spans, found, self._tagger.classes, weight, self.min_score)
        before = {span[:3] for span in pair.target.spans}
        after = {span[:3] for span in spans}
        account.statuses["other spans" if before != after else "the same spans"] += 1
        account.note("spans added", len(after - before))
        account.note("spans left out", len(before - after))
        account.note("spans", len(after))
        account.calibrated(spans, "uncalibrated: means of two opinions")
        return pair.replace(
            target=pair.target.with_spans(spans, None if spans else found.empty_probability),
            status=PROJECTED if spans else f"{EMPTY}no span",
            confidence=None,
            explanation=None,
            rejected_sentences=None,
            provenance=self.name,
        )


def combine(
    projected: Sequence[Span],
    tagged: Tagged,
    classes: Sequence[str],
    weight: float,
    min_score: float,
) -> tuple[Span, ...]:
    """The disjoint spans with the greatest total excess of averaged probability over ``min_score``.

    All spans of either side are considered. A span that was not projected has probability 0 there;
    for a span that was, the tagger's probability is that of its classes, whether it found the span
    or not. Projected spans inside others (or with the same words, but less probable) are chosen
    after those around them, and cross none; since the tagger has one layer, those that it did not
    find keep their own probability.

    Args:
        projected: spans with probabilities as scores; a span without one counts as certain.
        tagged: the tagger's result for the same words.
        classes: the tagger's classes; empty if it gives no class probabilities.
        weight: weight of the projected spans, in [0, 1]; the tagger's is 1 - ``weight``.
        min_score: bound that the mean must exceed, in [0, 1].

    Returns:
        Spans in order, with the averaged probability as score.
    """
    given = {span[:3]: 1.0 if span.score is None else span.score for span in projected}
    found = {span[:3]: 1.0 if span.score is None else span.score for span in tagged.spans}
    worth = {key: weight * p for key, p in given.items()}
    ranked = sorted(given, key=lambda key: (-given[key], key))
    inside = dict(zip(ranked, nesting([key[:2] for key in ranked])[0], strict=True))
    for key in {**worth, **found}:
        said = found.get(key)
        if said is None and inside.get(key):
            said = given[key]
        elif said is None:
            said = 0.0
            if tagged.probabilities is not None and f"B-{key[2]}" in classes:
                said = span_probability(tagged.probabilities, classes, *key)
        worth[key] = worth.get(key, 0.0) + (1 - weight) * said
    keys = sorted(worth)
    candidates = [
        Candidate(n, *key[:2], worth[key] - min_score)
        for n, key in enumerate(keys)
        if worth[key] > min_score
    ]
    around = [tuple(keys.index(ranked[m]) for m in inside.get(key, ())) for key in keys]
    chosen = by_layers(candidates, around, exact)
    return tuple(Span(*keys[n], min(worth[keys[n]], 1.0)) for n, *_ in chosen)
