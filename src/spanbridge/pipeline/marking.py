"""Mark-then-translate: labelled sentences -> labelled translations, without alignment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from spanbridge.core.spans import Sentence, SentencePair, Span
from spanbridge.data.languages import Language
from spanbridge.data.tokens import tokenize
from spanbridge.pipeline.account import PROJECTED, REJECTED, Account
from spanbridge.pipeline.projection import CHUNK, chunks
from spanbridge.pipeline.translation import raw
from spanbridge.translate.base import OK, Translation, Translator
from spanbridge.translate.guards import Guards, guarded
from spanbridge.translate.marking import mark, markable, recover

LEAST = 0.5


class Marking:
    """Translates pairs' labelled sources with marks about their spans, and finds the marks again.

    A span's score is the similarity by which it was found again.

    Args:
        translator: does the work.
        languages: of the sentences, and of the translations.
        style: of the marks (:mod:`~spanbridge.translate.marking`).
        least: similarity below which marked text is not taken for a span, in [0, 1].
        guards: when a translation is suspect.
    """

    def __init__(
        self,
        translator: Translator,
        languages: tuple[Language, Language],
        style: str,
        least: float,
        guards: Guards,
    ) -> None:
        self.translator = translator
        self._languages = languages
        self._style = style
        self._least = least
        self._guards = guards

    def _translate(self, texts: Sequence[str]) -> list[Translation]:
        return guarded(self.translator, texts, *self._languages, self._guards)

    def rows(self, pairs: Iterable[SentencePair], account: Account) -> Iterator[SentencePair]:
        """The pairs with the labelled translation as target."""
        for chunk in chunks(pairs, CHUNK):
            texts = [in_characters(pair.source) for pair in chunk]
            faults = [markable(text, spans, self._style) for text, spans in texts]
            marked = self._translate(
                [
                    mark(text, spans, self._style) if fault is None else text
                    for (text, spans), fault in zip(texts, faults, strict=True)
                ]
            )
            alone = iter(
                self._translate([text[s.start : s.end] for text, spans in texts for s in spans])
            )
            for pair, (_, spans), fault, found in zip(chunk, texts, faults, marked, strict=True):
                own = [next(alone).text for _ in spans]
                yield self._row(pair, spans, fault, found, own, account)

    def _row(
        self,
        pair: SentencePair,
        spans: Sequence[Span],
        fault: str | None,
        found: Translation,
        alone: Sequence[str],
        account: Account,
    ) -> SentencePair:
        extra = dict(pair.extra)
        if found.status != OK:
            extra["translation"] = found.status
        if fault is not None:
            status = f"{REJECTED}{fault}"
            done = replace(pair, target=raw(found.text), status=status, extra=extra)
            account.add(done, status, ())
            return done
        back = recover(found.text, spans, alone, self._style, self._least)
        target = in_words(back.text, back.spans)
        status = PROJECTED
        if not target.spans:
            status = "empty: no mark was found again" if spans else "empty: no source span"
        done = replace(pair, target=target, status=status, extra=extra)
        account.add(done, status, [(spans[n], "mark lost") for n in back.lost])
        return done


def in_characters(sentence: Sentence) -> tuple[str, tuple[Span, ...]]:
    """Text of a sentence, and its spans in characters of that."""
    if sentence.text is not None and sentence.offsets is not None:
        text, offsets = sentence.text, sentence.offsets
    else:
        text, offsets = " ".join(sentence.words), ()
        at = 0
        for word in sentence.words:
            offsets += ((at, at + len(word)),)
            at += len(word) + 1
    spans = (
        s._replace(start=offsets[s.start][0], end=offsets[s.end - 1][1]) for s in sentence.spans
    )
    return text, tuple(spans)


def in_words(text: str, spans: Sequence[Span]) -> Sentence:
    """Words of a text, cut where spans in characters begin and end too."""
    words, offsets = tokenize(text, (edge for span in spans for edge in span[:2]))
    starts = {start: n for n, (start, _) in enumerate(offsets)}
    ends = {end: n + 1 for n, (_, end) in enumerate(offsets)}
    made = tuple(s._replace(start=starts[s.start], end=ends[s.end]) for s in spans)
    return replace(Sentence(words, made), text=text, offsets=offsets)
