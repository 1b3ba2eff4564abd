"""Trials: every route that can run here, run on labelled sentences and scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from spanbridge.core import registry
from spanbridge.core.progress import Progress, Task, silent
from spanbridge.core.rows import SentencePair
from spanbridge.core.spans import Sentence
from spanbridge.evaluation import (
    BootstrapInterval,
    Counts,
    Difference,
    SpanReport,
    compare_systems,
    evaluate_spans,
)
from spanbridge.formats.tokens import in_same_words
from spanbridge.run.config import make_pipeline
from spanbridge.run.job import deterministic
from spanbridge.run.recipes import EMBEDDED, Entry, Route, label_steps
from spanbridge.run.reports import StepReport
from spanbridge.run.stream import run_steps
from spanbridge.steps.base import PartSettings, Step


@dataclass(frozen=True)
class Trial:
    """The score of a route on gold.

    Attributes:
        route: the route.
        precision, recall: of its spans, in [0, 1].
        interval: F1 and its 95% interval.
        behind: difference to the best route on the same sentences; None for the best itself.
    """

    route: Route
    precision: float
    recall: float
    interval: BootstrapInterval
    behind: Difference | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "route": self.route,
            "precision": self.precision,
            "recall": self.recall,
            **self.interval.to_dict(),
            "behind": None if self.behind is None else self.behind.to_dict(),
        }


@deterministic
def trials(
    gold: Sequence[SentencePair],
    languages: Mapping[str, str],
    translator: Any = None,
    *,
    tagger: Entry = EMBEDDED,
    text_tagger: Entry = EMBEDDED,
    labels: Sequence[str] | None = None,
    commercial: bool = False,
    progress: Progress = silent,
    **options: Any,
) -> list[Trial]:
    """Run the routes on labelled sentences.

    Args:
        gold: rows whose targets have the gold spans.
        languages: of the sides, as in a pipeline file.
        translator: for ``translate`` and ``ensemble``; without one only ``direct`` is run.
        tagger, text_tagger: as in :func:`~spanbridge.run.recipes.label_steps`.
        labels: labels that count; None takes those that the tagger knows.
        commercial: refuse parts whose licence does not allow commercial use.
        progress: shows how far it is.
        options: of :func:`~spanbridge.run.recipes.label_steps`: ``repair``, ``segment`` and more.

    Returns:
        A trial for each route, the best first.

    Raises:
        SpanbridgeError: there are no rows; a part cannot be made; a translation does not work.
    """
    bare = [SentencePair(row.id, Sentence(()), row.target.with_spans(())) for row in gold]
    raw = all(row.target.text is not None for row in gold)
    options = {**options, "split": raw, "segment": raw and options.get("segment", False)}
    made = _made(tagger)
    other = made if text_tagger == tagger else _made(text_tagger)
    labels = labels or sorted({name[2:] for name in made.classes if name != "O"}) or None

    def opened(route: Route, translator: Any = None) -> tuple[Step, ...]:
        steps = label_steps(route, made, translator, text_tagger=other, **options)
        given = {"steps": steps, "languages": dict(languages), "commercial": commercial}
        return make_pipeline(given).open()

    run = partial(_run, progress)
    found: dict[Route, list[SentencePair]] = {"direct": run(opened("direct"), bare, "direct")}
    if translator is not None:
        steps = opened("ensemble", translator)
        names = [step.name for step in steps]
        first, last = names.index("project"), names.index("ensemble")
        tagged = run(steps[:first], bare, "translate")
        if steps[first].learns:
            steps[first].fit(tagged, progress)
        projected = run(steps[first:last], tagged, "project")
        found["translate"] = run(steps[last + 1 :], projected, "join")
        found["ensemble"] = run(steps[last:], projected, "ensemble")
    reports = {route: _score(gold, rows, labels) for route, rows in found.items()}
    ranked = sorted(reports, key=lambda route: -reports[route].micro.f1)
    behind = _behind({route: reports[route] for route in ranked})
    return [_trial(route, reports[route], behind.get(route)) for route in ranked]


def _run(
    progress: Progress, steps: Sequence[Step], rows: Sequence[SentencePair], what: str
) -> list[SentencePair]:
    """What steps make of rows."""
    reports = [StepReport(step.name) for step in steps]
    return list(run_steps(steps, progress(rows, Task(what, len(rows))), reports))


def _behind(reports: Mapping[Route, SpanReport]) -> dict[str, Difference]:
    """How far each route is behind the first."""
    if len(reports) < 2:
        return {}
    cells: dict[str, dict[str, Counts]] = {r: {"": of.rows} for r, of in reports.items()}
    return {each.second: each for each in compare_systems(cells, resamples=1000).differences}


def _made(tagger: Entry) -> Any:
    part = PartSettings.parse("tagger", tagger)
    return part.made or registry.build("tagger", part.name, part.options)


def _score(
    gold: Sequence[SentencePair], found: Sequence[SentencePair], labels: Sequence[str] | None
) -> SpanReport:
    pairs = [in_same_words(a.target, b.target) for a, b in zip(gold, found, strict=True)]
    return evaluate_spans([a for a, _ in pairs], [b for _, b in pairs], labels=labels)


def _trial(route: Route, report: SpanReport, behind: Difference | None) -> Trial:
    micro = report.micro
    return Trial(route, micro.precision, micro.recall, report.interval(), behind)
