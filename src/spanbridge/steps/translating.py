"""Steps that translate: plainly, with marks around the spans, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Annotated, Any, ClassVar
from unicodedata import normalize

from pydantic import BeforeValidator, Field, PrivateAttr

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.marks import StyleName
from spanbridge.core.rows import (
    EMPTY,
    FAILED,
    OTHER,
    PROJECTED,
    REJECTED,
    TAGGED,
    SentencePair,
    Side,
)
from spanbridge.core.similar import not_named
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.languages import Language
from spanbridge.formats.tokens import raw_sentence, spans_in_text, tokenize, with_text
from spanbridge.steps.account import Account
from spanbridge.steps.base import (
    Context,
    PartSettings,
    Step,
    TranslatorSettings,
    chunks,
)
from spanbridge.steps.nested_marks import NestedSpans
from spanbridge.translation.base import Translation, Translator
from spanbridge.translation.guards import GUARDS, Guards, guarded
from spanbridge.translation.insertion import MarkInserter
from spanbridge.translation.marks import Recovered, mark, markable, recover
from spanbridge.translation.scoring import TranslationScorer

MIN_SCORE = 0.5
_NOT_WHOLE = (
    "sentences without a given translation, cut from longer texts (--no-split, or no step split, "
    "looks up whole texts)"
)


def _guards(given: Any) -> Guards:
    if isinstance(given, Guards):
        return given
    known = list(Guards.__dataclass_fields__)
    if isinstance(given, dict) and (unknown := [name for name in given if name not in known]):
        raise ValueError(not_named("guard", unknown[0], known))
    if not isinstance(given, dict):
        raise ValueError(f"guards are written as {{NAME: BOUND}}; there are: {', '.join(known)}")
    if any(type(value) not in (int, float) for value in given.values()):
        raise ValueError("the bounds of guards are numbers")
    try:
        return Guards(**given)
    except SpanbridgeError as error:
        raise ValueError(str(error)) from error


class Translating(Step):
    """A step with a translator.

    Attributes:
        translator: the translator.
        guards: bounds beyond which a translation is suspect.
    """

    translator: TranslatorSettings = PartSettings("translator", "apertium")
    guards: Annotated[Guards, BeforeValidator(_guards)] = GUARDS
    _translator: Translator = PrivateAttr()
    _languages: tuple[Language, Language] = PrivateAttr()
    # what the current shard has been told so far, where a runner keeps shards
    _answers: dict[str, Translation] | None = PrivateAttr(None)

    def _open(self, context: Context, side: Side) -> None:
        self._languages = context.pair(side)
        self._translator = self.build(context, self.translator)
        self._translator.describe(*self._languages)  # raises for unknown languages

    def parts(self) -> dict[str, str]:
        """Everything that translations depend on."""
        return {
            "translator": self._translator.describe(*self._languages),
            "languages": "-".join(language.tag for language in self._languages),
            "guards": self.guards.describe(),
            "licence": self._translator.licence,
        }

    def _translate(self, texts: Sequence[str]) -> list[Translation]:
        # translators know composed characters only; nobody counts positions in what they get
        texts = [normalize("NFC", text) for text in texts]
        told = {} if self._answers is None else self._answers
        asked = [text for text in dict.fromkeys(texts) if text not in told]
        found = guarded(self._translator, asked, *self._languages, self.guards)
        told |= zip(asked, found, strict=True)
        return [told[text] for text in texts]

    def run(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Work on a batch, and enter what the translator counted."""
        before = Counter(self._translator.counts)
        yield from super().run(rows, account)
        for name, n in (Counter(self._translator.counts) - before).items():
            account.note(name, n)

    def begin(self, kept: Mapping[str, Any]) -> None:
        """Begin a shard with the translations of an earlier attempt that did not fail."""
        self._answers = {text: Translation(*found) for text, found in kept.items()}

    def kept(self) -> dict[str, Any] | None:
        """The translations, if some failed, but for those."""
        told = self._answers or {}
        sound = {t: astuple(v) for t, v in told.items() if not v.status.startswith(FAILED)}
        return sound if len(sound) < len(told) else None


class Translate(Translating):
    """Translate one side; the translations become the other side.

    Attributes:
        side: the side that is translated: ``source`` for labelled sentences that are to be
            projected (translate-train), ``target`` for those that are to receive spans
            (translate-test).
        translator: the translator.
        guards: bounds beyond which a translation is suspect.
    """

    name: ClassVar[str] = "translate"
    takes: ClassVar[tuple[str, ...]] = ("{side}_words",)
    makes: ClassVar[tuple[str, ...]] = ("{other}_words", "{other}_text")
    clears: ClassVar[tuple[str, ...]] = ("{other}_spans", "links")
    side: Side = "target"

    def open(self, context: Context) -> None:
        """Load the translator.

        Raises:
            SpanbridgeError: it does not know the languages, or its licence does not allow
                commercial use if that is required.
        """
        self._open(context, self.side)

    def parts(self) -> dict[str, str]:
        """The side, and everything that translations depend on."""
        return {"original": self.side, **super().parts()}

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Rows with translations; a failed one is empty, with its status."""
        for chunk in chunks(rows):
            texts = [with_text(pair.side(self.side), treebank=True).plain_text() for pair in chunk]
            for pair, found in zip(chunk, self._translate(texts), strict=True):
                account.statuses[found.status] += 1
                account.note(_NOT_WHOLE, self._translator.looks_up and _is_lost(pair, found))
                account.note(
                    "rows_whose_former_other_side_was_replaced",
                    bool(pair.side(OTHER[self.side]).words),
                )
                kept = self.side == "target" and pair.provenance == TAGGED
                bare = pair if kept else pair.without_result()
                yield bare.replace(
                    **{OTHER[self.side]: raw_sentence(found.text)},
                    links=None,
                    translation_status=found.status,
                    translation_score=found.score,
                    back_translation_status=None,
                    pivot_text=None,
                )


def _is_lost(pair: SentencePair, found: Translation) -> bool:
    """Check if a sentence that was cut from a longer text has no translation."""
    place = pair.sentence_of
    cut = place is not None and place.text != pair.side(place.side).text
    return cut and found.status.startswith(FAILED)


@dataclass(frozen=True)
class _Marked:
    """The translation of one marked sentence.

    Attributes:
        spans: marked spans, in characters of the source's text.
        fault: reason why the sentence could not be marked, or None.
        found: its translation.
        recovered: spans found in it; None if it could not be marked.
        why_lost: gives the reason why a span was not found.
    """

    spans: tuple[Span, ...]
    fault: str | None
    found: Translation
    recovered: Recovered | None
    why_lost: Callable[[int], str]


class _Marking(Translating):
    """A step that translates with marks around the spans (EasyProject, Chen et al. 2023)."""

    style: StyleName = "brackets"
    min_score: float = Field(MIN_SCORE, ge=0, le=1)

    def open(self, context: Context) -> None:
        self._open(context, "source")

    def parts(self) -> dict[str, str]:
        return {"style": self.style, "min_score": repr(self.min_score), **super().parts()}

    def _marked(self, rows: Sequence[SentencePair]) -> Iterator[tuple[SentencePair, _Marked]]:
        """Rows with the translations of their marked sources; scores are similarities."""
        for chunk in chunks(rows):
            wholes = [with_text(pair.source, treebank=True) for pair in chunk]
            texts = [(whole.plain_text(), spans_in_text(whole)) for whole in wholes]
            nests = [NestedSpans(spans, self.style) for _, spans in texts]
            faults = [markable(text, self.style) for text, _ in texts]
            marked = self._translate(
                [
                    mark(text, nest.marked, self.style) if fault is None else text
                    for (text, _), nest, fault in zip(texts, nests, faults, strict=True)
                ]
            )
            alone = iter(
                self._translate([text[s.start : s.end] for text, spans in texts for s in spans])
            )
            of_rows = zip(chunk, texts, nests, faults, marked, strict=True)
            for pair, (_, spans), nest, fault, found in of_rows:
                own = [next(alone).text for _ in spans]
                back = None
                if fault is None:
                    mine = nest.of_marked(own)
                    back = recover(found.text, nest.marked, mine, self.style, self.min_score)
                    back = nest.complete(back, own, self.min_score)
                yield pair, _Marked(spans, fault, found, back, nest.why_lost)


class Mark(_Marking):
    """Mark-then-translate: the labelled source becomes a labelled target, without alignment.

    Attributes:
        style: style of the marks: brackets, xml, quotes or letters. Spans that it cannot hold
            together are left unmarked, and found only inside others.
        min_score: similarity below which marked text is not taken for a span, in [0, 1].
        translator: the translator.
        guards: bounds beyond which a translation is suspect.
    """

    name: ClassVar[str] = "mark"
    takes: ClassVar[tuple[str, ...]] = ("source_words", "source_spans")
    makes: ClassVar[tuple[str, ...]] = ("target_words", "target_text", "target_spans")
    clears: ClassVar[tuple[str, ...]] = ("links",)

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Rows with labelled translations as targets."""
        for pair, marked in self._marked(rows):
            target, status = raw_sentence(marked.found.text), PROJECTED
            lost: list[tuple[Span, str]] = []
            if marked.recovered is None:
                status = f"{REJECTED}{marked.fault}"
            elif marked.found.status.startswith(FAILED):
                status = f"{FAILED}translation: {marked.found.status.removeprefix(FAILED)}"
                lost = [(span, "translation failed") for span in marked.spans]
            else:
                target = in_words(marked.recovered.text, marked.recovered.spans)
                lost = [(marked.spans[n], marked.why_lost(n)) for n in marked.recovered.lost]
                if not target.spans:
                    reason = "no mark was found again" if marked.spans else "no source span"
                    status = f"{EMPTY}{reason}"
            done = pair.replace(
                target=target,
                links=None,
                status=status,
                confidence=None,
                explanation=None,
                provenance=self.name,
                translation_status=marked.found.status,
                translation_score=marked.found.score,
            )
            account.add(done, status, lost)
            account.calibrated(done.target.spans, "uncalibrated: similarities of marked names")
            yield done


class BackTranslate(_Marking):
    """Translate the labelled source back into the target's language, for alignment within it.

    tgt2tgt of the paper (arXiv 2501.18750, section 4): the labelled translation is translated with
    marks around its spans and becomes the source. The former source is kept in the field
    ``pivot_text``. A row that cannot be marked keeps its source, with a status.

    Attributes:
        style: style of the marks: brackets, xml, quotes or letters. Spans that it cannot hold
            together are left unmarked, and found only inside others.
        min_score: similarity below which marked text is not taken for a span, in [0, 1].
        translator: the translator.
        guards: bounds beyond which a translation is suspect.
    """

    name: ClassVar[str] = "back-translate"
    takes: ClassVar[tuple[str, ...]] = ("source_words", "source_spans", "target_words")
    clears: ClassVar[tuple[str, ...]] = ("links",)

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Rows with the back-translated source, if its spans were found again."""
        for pair, marked in self._marked(rows):
            status = marked.fault or marked.found.status
            account.statuses["back" if status == "ok" else status] += 1
            source = None
            if marked.recovered is not None and not status.startswith(FAILED):
                # the similarity of marked text is not the span's own probability
                scores = (marked.spans[n].score for n in marked.recovered.origins)
                found = zip(marked.recovered.spans, scores, strict=True)
                spans = [span._replace(score=score) for span, score in found]
                source = in_words(marked.recovered.text, spans)
            if source is None or (pair.source.spans and not source.spans):
                # without recovered spans, the former source is kept
                yield pair.replace(links=None, back_translation_status=status)
                continue
            account.note("marks lost", len(pair.source.spans) - len(source.spans))
            yield pair.replace(
                source=source,
                links=None,
                translation_status=pair.translation_status,
                translation_score=pair.translation_score,
                back_translation_status=status,
                pivot_text=pair.source.plain_text(),
            )


def in_words(text: str, spans: Sequence[Span]) -> Sentence:
    """Words of a text, which is also cut at the boundaries of spans in characters."""
    words, offsets = tokenize(text, (edge for span in spans for edge in span[:2]))
    starts = {start: n for n, (start, _) in enumerate(offsets)}
    ends = {end: n + 1 for n, (_, end) in enumerate(offsets)}
    made = tuple(s._replace(start=starts[s.start], end=ends[s.end]) for s in spans)
    return Sentence(words, made, text, offsets)


def scorer(translator: Translator, name: str, context: Context) -> TranslationScorer:
    """The translator as a scorer. Raises SpanbridgeError if it gives no scores."""
    if not translator.multilingual:
        raise SpanbridgeError(
            f"{name} gives no translation scores; a neural model of many languages does (NLLB-200, "
            "M2M-100)"
        )
    return TranslationScorer(translator, *context.pair("source"))


def inserter(translator: Translator, name: str, context: Context) -> MarkInserter:
    """The translator as one that inserts marks. Raises SpanbridgeError if it cannot."""
    if not translator.forces:
        raise SpanbridgeError(
            f"{name} cannot score a given translation; a neural model does (--translator-model)"
        )
    return MarkInserter(translator, *context.pair("source"))
