"""The step of entity-aligned translation: a chat model gives translation and entities at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, ClassVar
from unicodedata import normalize

from pydantic import Field, PrivateAttr

from spanbridge.chat.labels import read_labels, told
from spanbridge.chat.phrases import find_phrases
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import EMPTY, FAILED, PROJECTED, SentencePair
from spanbridge.core.spans import Sentence, Span
from spanbridge.formats.tokens import raw_sentence, spans_in_text, with_text
from spanbridge.steps.account import Account
from spanbridge.steps.base import Context, TranslatorSettings, chunks
from spanbridge.steps.translating import MIN_SCORE, Translating, in_words
from spanbridge.translation.chat_pairs import LABELLED, PAIRS, Paired

ABSENT = "no counterpart in the translation"
UNLIKE = "translated back it is another phrase"


class TranslateEntities(Translating):
    """Translate the source, and carry its spans over by the translator's own word.

    Entity-aligned translation (arXiv 2509.01147): a chat model gives the translation, and which
    words of it stand for each span. With ``labels`` it finds the spans, too, in the same answer.

    Attributes:
        translator: a translator that can do so: ``chat``.
        guards: bounds beyond which a translation is suspect.
        labels: file of labels with their descriptions (YAML or ``.tsv``), or the labels themselves;
            None if the source has spans.
        check: translate back with the words found, and compare what comes back with each span: its
            likeness is the score.
        min_score: likeness below which a span is not carried over, in [0, 1].
    """

    name: ClassVar[str] = "translate-entities"
    makes: ClassVar[tuple[str, ...]] = ("target_words", "target_text", "target_spans")
    clears: ClassVar[tuple[str, ...]] = ("links",)
    translator: TranslatorSettings
    labels: str | dict[str, str] | None = None
    check: bool = False
    min_score: float = Field(MIN_SCORE, ge=0, le=1)
    _labels: dict[str, str] | None = PrivateAttr(None)

    def needs(self) -> set[str]:
        """The source's words, and its spans unless the model finds them."""
        return {"source_words"} if self.labels is not None else {"source_words", "source_spans"}

    def gives(self, columns: set[str]) -> set[str]:
        """The columns after it."""
        own = {"source_spans"} if self.labels is not None else set()
        return super().gives(columns) | own

    def open(self, context: Context) -> None:
        """Load the translator, and read the labels.

        Raises:
            SpanbridgeError: the translator cannot pair entities, or there is no sound label.
        """
        self._labels = None if self.labels is None else read_labels(self.labels)
        self._open(context, "source")
        if not hasattr(self._translator, "with_phrases"):
            raise SpanbridgeError(
                f"{self.translator.name} gives translations alone; translate-entities needs a "
                "translator that also says what became of each entity: chat"
            )

    def parts(self) -> dict[str, str]:
        """Everything that translations and spans depend on."""
        prompt = PAIRS if self._labels is None else LABELLED + told(self._labels)
        own = {
            "prompt": sha256((prompt + PAIRS * self.check).encode()).hexdigest()[:8],
            "check": str(self.check),
            "min_score": repr(self.min_score),
        }
        if self._labels is not None:
            own["labels"] = "+".join(self._labels)
        return {**own, **super().parts()}

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Rows with labelled translations as targets."""
        for chunk in chunks(rows):
            wholes = [with_text(pair.source, treebank=True) for pair in chunk]
            for pair, whole, found in zip(chunk, wholes, self._ask(wholes), strict=True):
                yield self._row(pair, whole, found, account)

    def _ask(self, wholes: Sequence[Sentence]) -> list[Paired]:
        """The translations, equal sentences asked for once."""
        # models write composed characters
        asked = [(_composed(whole.plain_text()), tuple(_phrases(whole))) for whole in wholes]
        once = list(dict.fromkeys(asked))
        texts = [text for text, _ in once]
        translator: Any = self._translator
        if self._labels is None:
            phrases = [own for _, own in once]
            found = translator.with_phrases(texts, phrases, *self._languages, check=self.check)
        else:
            found = translator.with_labels(texts, self._labels, *self._languages, check=self.check)
        guarded = {
            key: one._replace(
                translation=self.guards.check(key[0], one.translation, self._languages[1])
            )
            for key, one in zip(once, found, strict=True)
        }
        if self._answers is not None:
            self._answers |= {key[0]: one.translation for key, one in guarded.items()}
        return [guarded[key] for key in asked]

    def _row(
        self, pair: SentencePair, whole: Sentence, found: Paired, account: Account
    ) -> SentencePair:
        """The finished row; adds it to the account."""
        source = whole if self._labels is None else self._with_entities(whole, found, account)
        status, text = PROJECTED, found.translation.text
        target, lost = raw_sentence(text), [(span, "translation failed") for span in source.spans]
        if found.translation.status.startswith(FAILED):
            status = f"{FAILED}translation: {found.translation.status.removeprefix(FAILED)}"
        else:
            places = _by_place(whole, found, self._labels)
            spans, lost = [], []
            for span in source.spans:
                place, score = places.get(span[:2], (None, 0.0))
                if place is None:
                    lost.append((span, ABSENT))
                elif self.check and score < self.min_score:
                    lost.append((span, UNLIKE))
                else:
                    spans.append(Span(*place, span.label, score if self.check else None))
            target = in_words(text, sorted(set(spans)))
            if not target.spans:
                status = f"{EMPTY}{lost[0][1] if lost else 'no source span'}"
        own = pair.source.with_spans(source.spans) if self._labels is not None else pair.source
        done = pair.replace(
            source=own,
            target=target,
            links=None,
            status=status,
            confidence=None,
            explanation=None,
            provenance=self.name,
            translation_status=found.translation.status,
            translation_score=None,
        )
        account.add(done, status, lost)
        account.calibrated(target.spans, "uncalibrated: likeness of phrases translated back")
        return done

    def _with_entities(self, whole: Sentence, found: Paired, account: Account) -> Sentence:
        """The source with the spans that the model found; whatever is none is counted."""
        spans: list[Span] = []
        taken: set[int] = set()
        lost = 0
        for place, (_, label) in zip(_entity_places(whole, found), found.entities, strict=True):
            words = () if place is None else range(*place)
            if place is None or label not in (self._labels or ()) or not taken.isdisjoint(words):
                lost += 1
            else:
                spans.append(Span(*place, label))
                taken.update(words)
        if lost:
            account.note("entities_of_the_chat_model_that_are_no_spans_of_the_text", lost)
        return whole.with_spans(tuple(sorted(spans)))


def _composed(text: str) -> str:
    return normalize("NFC", text)


def _places(whole: Sentence) -> list[tuple[int, int]]:
    """The places of the spans of a sentence, in characters, each once, outer ones first."""
    places = {span[:2] for span in spans_in_text(whole)}
    return sorted(places, key=lambda place: (place[0], -place[1]))


def _phrases(whole: Sentence) -> list[str]:
    text = whole.plain_text()
    return [_composed(text[start:end]) for start, end in _places(whole)]


def _entity_places(whole: Sentence, found: Paired) -> list[tuple[int, int] | None]:
    """The words of each entity that the model found in a sentence."""
    starts = {start: n for n, (start, _) in enumerate(whole.offsets or ())}
    ends = {end: n + 1 for n, (_, end) in enumerate(whole.offsets or ())}
    texts = [text for text, _ in found.entities]
    places = find_phrases(whole.plain_text(), texts, (starts, ends))
    return [None if place is None else (starts[place[0]], ends[place[1]]) for place in places]


def _by_place(
    whole: Sentence, found: Paired, labels: Mapping[str, str] | None
) -> dict[tuple[int, int], tuple[tuple[int, int] | None, float]]:
    """By the words of a span of the source: characters of the translation, and the score."""
    counterparts = list(zip(found.places, found.scores, strict=True))
    if labels is not None:
        own = _entity_places(whole, found)
        pairs = zip(own, counterparts, strict=True)
        return {place: other for place, other in reversed(list(pairs)) if place is not None}
    starts = {start: n for n, (start, _) in enumerate(whole.offsets or ())}
    ends = {end: n + 1 for n, (_, end) in enumerate(whole.offsets or ())}
    words = [(starts[start], ends[end]) for start, end in _places(whole)]
    return dict(zip(words, counterparts, strict=True)) if counterparts else {}
