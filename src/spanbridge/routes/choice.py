"""The choice of a route, by what is known of the language and what is installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.similar import not_named
from spanbridge.formats.languages import Language, find_language
from spanbridge.routes.table import Study, knows, studies
from spanbridge.routes.translators import installable, installed
from spanbridge.run.recipes import Entry, Route

Asked = Literal["auto", "direct", "translate", "ensemble"]
ASKED: tuple[Asked, ...] = ("auto", "direct", "translate", "ensemble")
_CLEAR = 0.05  # difference of F1 between two studies that says something
_MEANS: dict[Route, str] = {
    "direct": "the tagger reads the text itself",
    "translate": "the tagger reads a translation by {}, and its entities are projected back",
    "ensemble": "taggers read the text and its translation by {}, and are combined",
}


@dataclass(frozen=True)
class Choice:
    """A route, and the reason for it.

    Attributes:
        route: the route.
        translator: name of the translator, or name and options; None for direct.
        why: the reason.
        better: what would be better, and what it takes; empty if nothing is known to be.
    """

    route: Route
    translator: Entry | None
    why: str
    better: str = ""

    def text(self) -> str:
        """In one line."""
        means = _MEANS[self.route].format(_name(self.translator))
        better = f"; better: {self.better}" if self.better else ""
        return f"route {self.route}: {means} ({self.why}){better}"


def choose(
    language: str | None = None,
    asked: Asked = "auto",
    translator: Entry | None = None,
    *,
    via: str = "en",
    translated: bool = False,
) -> Choice:
    """Choose a route.

    Args:
        language: of the texts, by any code; None if it is not known.
        asked: a route, or ``auto``.
        translator: name, or name and options, of the translator to use; None takes one that is
            installed.
        via: language of the translations.
        translated: translate, whatever the route; so it is where a translator is named.

    Raises:
        SpanbridgeError: a translation is asked for, but the language is not named, or no translator
            is installed; or there is no such language or route.
    """
    if asked not in ASKED:
        raise SpanbridgeError(not_named("route", asked, ASKED))
    own = None if language is None else find_language(language)
    other = find_language(via)
    if asked == "direct":
        if translator is not None:
            raise SpanbridgeError("the route direct translates nothing; leave the translator out")
        return Choice("direct", None, "as asked")
    if asked == "auto" and translator is None and not translated:
        return _automatic(own, language or "", other, via)
    if own is None or language is None:
        raise SpanbridgeError("a translator needs to know the text's language; name it with --from")
    if own == other:
        raise SpanbridgeError(f"the text is in {own.tag} already, the language of translations")
    found = translator or installed(language, via)
    if found is None:
        could = installable(language, via)
        ways = [*([could.text()] if could else []), "--translations FILE", "--translator-model M"]
        raise SpanbridgeError(
            f"no translator from {own.tag} to {other.tag} is installed; take {', or '.join(ways)}"
        )
    if asked == "auto":
        return _among(own, found, ("translate", "ensemble"))
    return Choice(asked, found, "as asked")


def _automatic(own: Language | None, language: str, other: Language, via: str) -> Choice:
    """The choice where nothing is asked for."""
    if own is None:
        return Choice("direct", None, "its language is not named; --from lets others be weighed")
    if own == other:
        return Choice("direct", None, f"it is in {own.tag}, as translations would be")
    if (found := installed(language, via)) is not None:
        return _among(own, found, ("direct", "translate", "ensemble"))
    could = installable(language, via)
    reason = f"no translator from {own.tag} to {other.tag} is installed"
    if could is None:
        return Choice("direct", None, reason)
    would = _among(own, could.name, ("direct", "translate", "ensemble"))
    better = "" if would.route == "direct" else f"{would.route} by {could.text()}, as {would.why}"
    return Choice("direct", None, reason, better)


def _among(own: Language, translator: Entry, routes: tuple[Route, ...]) -> Choice:
    """The route to expect most of."""
    known, name = studies(own), _name(translator)
    for how in (name, None):  # measured with this translator, or else with another
        for study in known:
            figures = [study.best(r, None if r == "direct" else how) for r in routes]
            found = [figure for figure in figures if figure is not None]
            if study.published or len(found) < 2:
                continue
            best = max(found, key=lambda figure: figure.f1)
            told = ", ".join(f"{f.route} {f.f1:.3f}" for f in found if f is not best)
            by = "" if how else f", translator {next(f.how for f in found if f.how)}"
            why = f"F1 {best.f1:.3f}, {told} on {study.data}{by}"
            return Choice(best.route, None if best.route == "direct" else translator, why)
    helps, why = _helps(own, known)
    if "direct" in routes and not helps:
        return Choice("direct", None, why)
    return Choice("ensemble", translator, why)


def _helps(own: Language, known: list[Study]) -> tuple[bool, str]:
    """Whether a translation is expected to help, where we have not measured it; and why.

    A published figure of translation is held against our own of the text itself, on another part of
    the same data, where there is one. In languages in which we have measured all routes, a
    translation helps where the encoder was not trained on the language, and both opinions together
    are then as good as the translation alone, or better.
    """
    for study in known:
        direct, other = study.best("direct"), study.best("translate")
        if not (study.published and direct and other):
            continue
        same = [one for one in known if not one.published and one.corpus == study.corpus]
        ours = same[0].best("direct") if same else None
        f1, whose = (ours.f1, "our") if ours else (direct.f1, "published")
        why = f"{whose} F1 {f1:.3f} direct, published {other.f1:.3f} translate, {study.corpus}"
        return other.f1 > f1 + _CLEAR, why
    trained = knows(own)
    return not trained, f"the encoder was {'' if trained else 'not '}trained on {own.tag}"


def _name(translator: Any) -> str:
    """Name of a translator in the registry, or of the class of one that was made in Python."""
    if translator is None or isinstance(translator, str):
        return translator or ""
    if isinstance(translator, Mapping):
        return str(next(iter(translator), ""))
    return type(translator).__name__
