"""Advice on the route for a language: the table, the coverage of a sample, trials on gold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from spanbridge.core.progress import Progress, silent
from spanbridge.core.rows import SentencePair
from spanbridge.evaluation import aligned
from spanbridge.formats.languages import Language, find_language
from spanbridge.routes.choice import Choice, choose
from spanbridge.routes.coverage import Coverage, coverage, spread, target_words
from spanbridge.routes.table import Study, knows, studies
from spanbridge.routes.translators import installed
from spanbridge.routes.trial import Trial, trials
from spanbridge.run.recipes import EMBEDDED, Entry, Route, segmented, to_repair

ROUTES: tuple[Route, ...] = ("direct", "translate", "ensemble")
NEAR = 0.15  # subwords per word, as a share, within which texts count as cut alike
ROWS = 500


@dataclass(frozen=True)
class Advice:
    """What is known of the routes for a language, and the one to take.

    Attributes:
        language: None if it was not named.
        studies: from the table, our own first.
        coverage: of the sample, or of the gold sentences; None without either.
        alike: our own measurements of languages whose words are cut into as many subwords.
        trials: on the gold; the best route first.
        choice: the route to take.
    """

    language: Language | None
    studies: Sequence[Study]
    coverage: Coverage | None
    alike: Sequence[Study]
    trials: Sequence[Trial]
    choice: Choice

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        choice = self.choice
        return {
            "language": None if self.language is None else self.language.tag,
            "encoder_knows": None if self.language is None else knows(self.language),
            "studies": [study.to_dict() for study in self.studies],
            "coverage": None if self.coverage is None else self.coverage.to_dict(),
            "alike": [study.to_dict() for study in self.alike],
            "trials": [trial.to_dict() for trial in self.trials],
            "route": choice.route,
            "why": choice.why,
            "better": choice.better or None,
        }

    def text(self) -> str:
        """In plain text."""
        return "\n\n".join(filter(None, (self._figures(), self._covered(), self._tried())))

    def _figures(self) -> str:
        if self.language is None:
            return "The language is not named (--from): its figures cannot be looked up."
        trained = "was" if knows(self.language) else "was not"
        head = f"{self.language.tag}: the encoder {trained} trained on it."
        if not self.studies:
            return f"{head} Nobody's figures are in the table."
        rows: list[Sequence[str]] = [["F1", *ROUTES]]
        for study in self.studies:
            best = [study.best(route) for route in ROUTES]
            ways = sorted({figure.how for figure in best if figure is not None and figure.how})
            who = [f"published, {study.source}"] if study.published else []
            told = "; ".join([*who, *ways, *(["labelled automatically"] * study.automatic)])
            cells = ["" if figure is None else f"{figure.f1:.3f}" for figure in best]
            rows.append([f"{study.data}{told and f' ({told})'}", *cells])
        published = (
            "Published figures come from another tagger, encoder and translator than spanbridge's: "
            "they compare routes, and do not foretell its F1."
        )
        notes = [published] if any(study.published for study in self.studies) else []
        return "\n".join([head, *aligned(rows), *notes])

    def _covered(self) -> str:
        if self.coverage is None:
            return ""
        seen = self.coverage
        text = (
            f"Sample of {seen.rows} rows, {seen.words} words: {seen.pieces:.2f} subwords per word, "
            f"{100 * seen.unknown:.2f} % of the words in part unknown to the encoder."
        )
        if not self.alike:
            return text
        first: dict[str, float] = {}
        for study in self.alike:
            if (figure := study.best("direct")) is not None:
                first.setdefault(study.language, figure.f1)
        found = sorted((f1, code) for code, f1 in first.items())
        cells = ", ".join(f"{code} {f1:.2f}" for f1, code in found)
        return f"{text}\nDirect F1 of languages whose words are cut as much: {cells}."

    def _tried(self) -> str:
        if not self.trials:
            return ""
        rows: list[Sequence[str]] = [["gold", "F1", "95% interval", "precision", "recall", "p"]]
        for one in self.trials:
            interval = f"{one.interval.low:.3f}-{one.interval.high:.3f}"
            p = "best" if one.behind is None else f"{one.behind.p['bootstrap']:.3f}"
            values = (one.interval.f1, one.precision, one.recall)
            f1, precision, recall = (f"{value:.3f}" for value in values)
            rows.append([one.route, f1, interval, precision, recall, p])
        lines = aligned(rows)
        return "\n".join([*lines, "p: of the difference to the best route, by paired bootstrap"])


def advise(
    language: str | None = None,
    texts: Iterable[SentencePair] = (),
    gold: Iterable[SentencePair] = (),
    translator: Entry | None = None,
    *,
    via: str = "en",
    tagger: Entry = EMBEDDED,
    text_tagger: Entry = EMBEDDED,
    rows: int = ROWS,
    progress: Progress = silent,
    **options: Any,
) -> Advice:
    """Find the route to expect most of.

    Args:
        language: of the texts, by any code; None if it is not known.
        texts: a sample, as target sides.
        gold: labelled sentences, as target sides, on which the routes are run.
        translator: as in :func:`~spanbridge.routes.choose`.
        via: language of the translations.
        tagger: tagger of the language that is translated into, as in
            :func:`~spanbridge.run.recipes.label_steps`.
        text_tagger: tagger of the text itself, likewise.
        rows: rows of the sample and of the gold that are used, at most, spread over them.
        progress: shows how far the trials are.
        options: further ones of :func:`~spanbridge.routes.trial.trials`.

    Raises:
        SpanbridgeError: as :func:`~spanbridge.routes.choose` and
            :func:`~spanbridge.routes.trial.trials`.
    """
    own = None if language is None else find_language(language)
    options["segment"] = segmented(options.get("segment"), language)
    choice = choose(language, translator=translator, via=via)
    known = [] if own is None else studies(own)
    labelled, sample = spread(gold, rows), spread(texts, rows)
    looked_at = sample or labelled
    words = target_words(looked_at, own, segment=options["segment"])
    covered = coverage(words) if looked_at else None
    alike = [] if covered is None else _alike(covered)
    if not labelled:
        return Advice(own, known, covered, alike, (), choice)
    if options.get("repair") is None:
        options["repair"] = to_repair(labelled, translator) is not None
    languages = {"source": via, **({} if language is None else {"target": language})}
    able = translator if language is None else translator or installed(language, via)
    tried = trials(
        labelled,
        languages,
        able,
        tagger=tagger,
        text_tagger=text_tagger,
        progress=progress,
        **options,
    )
    used = None if tried[0].route == "direct" else able
    chosen = replace(choice, route=tried[0].route, why=_why(tried), translator=used)
    return Advice(own, known, covered, alike, tried, chosen)


def _why(tried: Sequence[Trial]) -> str:
    """Why the first route of the trials is the best, and how sure that is."""
    why = f"F1 {tried[0].interval.f1:.3f} on the gold"
    if len(tried) > 1 and (behind := tried[1].behind) is not None:
        sure = "" if behind.p["bootstrap"] < 0.05 else ", a difference that may be chance"
        why += f", {tried[1].route} {tried[1].interval.f1:.3f}{sure}"
    return why


def _alike(found: Coverage) -> list[Study]:
    """Our own measurements of languages whose words are cut into as many subwords."""
    bounds = found.pieces * (1 - NEAR), found.pieces * (1 + NEAR)
    return [
        study
        for study in studies()
        if study.pieces is not None
        and not study.automatic
        and bounds[0] <= study.pieces <= bounds[1]
    ]
