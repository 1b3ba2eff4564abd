"""Stages that translate: plainly, with marks about the spans, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import SentencePair
from spanbridge.data.languages import Language
from spanbridge.pipeline.account import REJECTED, Account
from spanbridge.pipeline.marking import LEAST, Marking
from spanbridge.pipeline.stages.base import (
    OTHER,
    Context,
    Part,
    Side,
    Stage,
    TranslatorPart,
    Worker,
    licences_of,
)
from spanbridge.pipeline.translation import check_licence, describe, text_of, translated
from spanbridge.translate.base import Translator
from spanbridge.translate.guards import GUARDS, Guards
from spanbridge.translate.marking import markable

# What a former translation and projection said of a row.
_OF_OTHERS = frozenset({"confidence", "translation", "translation_score"})
APERTIUM = Part("translator", "apertium", {})


def _guards(given: Any) -> Guards:
    if isinstance(given, Guards):
        return given
    known = list(Guards.__dataclass_fields__)
    if not isinstance(given, dict) or not given.keys() <= set(known):
        raise ValueError(f"guards are written as {{NAME: BOUND}}; there are: {', '.join(known)}")
    if any(type(value) not in (int, float) for value in given.values()):
        raise ValueError("the bounds of guards are numbers")
    try:
        return Guards(**given)
    except SpanbridgeError as error:
        raise ValueError(str(error)) from error


def open_translator(translator: Part, context: Context) -> Translator:
    """The translator, if its licence will do.

    Raises:
        SpanbridgeError: commercial use is wanted, and its licence is not known to allow it.
    """
    made: Translator = translator.build()
    check_licence(made, translator.name, context.commercial)
    return made


class _Translating(Stage):
    translator: TranslatorPart = APERTIUM
    guards: Annotated[Guards, BeforeValidator(_guards)] = GUARDS

    def _open(
        self, context: Context, side: Side
    ) -> tuple[Translator, tuple[Language, Language], str]:
        made = open_translator(self.translator, context)
        languages = context.language(side), context.language(OTHER[side])
        return made, languages, ",".join(describe(made, languages, self.guards).values())


class Translate(_Translating):
    """Translate one side; the translations are the other side."""

    kind: ClassVar[str] = "translate"
    side: Side = "target"

    def needs(self) -> set[str]:
        """The side."""
        return {f"{self.side}_words"}

    def gives(self, columns: set[str]) -> set[str]:
        """The other side, without spans."""
        other = OTHER[self.side]
        return (columns | {f"{other}_words", f"{other}_text"}) - {f"{other}_spans", "links"}

    def open(self, context: Context) -> Worker:
        """With its translator.

        Raises:
            SpanbridgeError: it does not know the languages, or its licence will not do.
        """
        return _Translations(self.side, self.guards, *self._open(context, self.side))


class _Translations(Worker):
    def __init__(
        self,
        side: Side,
        guards: Guards,
        translator: Translator,
        languages: tuple[Language, Language],
        described: str,
    ) -> None:
        self._side, self._guards = side, guards
        self._translator, self._languages, self._described = translator, languages, described

    def describe(self) -> str:
        return f"{self._described},{self._side}"

    def licences(self) -> dict[str, str]:
        return licences_of(translator=self._translator)

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        clean = (
            replace(
                pair,
                links=None,
                status=None,
                extra={k: v for k, v in pair.extra.items() if k not in _OF_OTHERS},
            )
            for pair in rows
        )
        yield from translated(
            clean, self._translator, self._languages, self._side, self._guards, account
        )


class _Marked(_Translating):
    style: Literal["brackets", "xml", "quotes"] = "brackets"
    least: float = Field(LEAST, ge=0, le=1)

    def _marking(self, context: Context) -> tuple[Marking, str]:
        markable("", (), self.style)  # is there such a style?
        translator, languages, described = self._open(context, "source")
        marking = Marking(translator, languages, self.style, self.least, self.guards)
        return marking, f"{self.style},{self.least!r},{described}"


class Mark(_Marked):
    """Mark-then-translate: the labelled source becomes a labelled target, without alignment."""

    kind: ClassVar[str] = "mark"

    def needs(self) -> set[str]:
        """A labelled source."""
        return {"source_words", "source_spans"}

    def gives(self, columns: set[str]) -> set[str]:
        """A labelled target."""
        return (columns | {"target_words", "target_text", "target_spans"}) - {"links"}

    def open(self, context: Context) -> Worker:
        """With its translator.

        Raises:
            SpanbridgeError: as of :class:`Translate`, or there is no such style of marks.
        """
        return _Marks(*self._marking(context))


class _Marks(Worker):
    def __init__(self, marking: Marking, described: str) -> None:
        self._marking, self._described = marking, described

    def describe(self) -> str:
        return f"mark({self._described})"

    def licences(self) -> dict[str, str]:
        return licences_of(translator=self._marking.translator)

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        yield from self._marking.rows((replace(pair, links=None) for pair in rows), account)


class BackTranslate(_Marked):
    """Bring the labelled source into the target's language, to be aligned within one language.

    tgt2tgt of the paper (arXiv 2501.18750, section 4): the labelled translation goes back with
    marks about its spans; what comes takes its place as the source. The former one is kept in the
    field ``pivot_text``. A row that cannot be marked keeps its source, and says so.
    """

    kind: ClassVar[str] = "back-translate"

    def needs(self) -> set[str]:
        """A labelled source, and the text that it is a translation of."""
        return {"source_words", "source_spans", "target_words"}

    def gives(self, columns: set[str]) -> set[str]:
        """A source in the target's language."""
        return columns - {"links"}

    def open(self, context: Context) -> Worker:
        """With its translator; as :meth:`Mark.open`."""
        return _Back(*self._marking(context))


class _Back(_Marks):
    def describe(self) -> str:
        return f"back-translate({self._described})"

    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        inner = Account()
        for pair, found in zip(rows, self._marking.rows(rows, inner), strict=True):
            extra: dict[str, Any] = dict(pair.extra)
            reason = found.extra.get("translation")
            if (found.status or "").startswith(REJECTED):
                reason = (found.status or "").removeprefix(REJECTED)
            if reason is not None:
                extra["back_translation"] = reason
            account.statuses[reason or "back"] += 1
            lost = len(pair.source.spans) - len(found.target.spans)
            if (found.status or "").startswith(REJECTED) or lost == len(pair.source.spans) > 0:
                # nothing to go by: what there was is better than nothing
                yield replace(pair, extra=extra, links=None)
                continue
            account.note("marks lost", lost)
            extra["pivot_text"] = text_of(pair.source)
            yield replace(pair, source=found.target, extra=extra, links=None)
