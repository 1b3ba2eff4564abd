"""The Python face: the commands as functions, and objects that keep their models loaded.

Everything here is deterministic, and gives the same rows as the command of the same name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spanbridge.core.progress import Progress, silent
from spanbridge.core.rows import SentencePair, Side
from spanbridge.core.spans import Sentence
from spanbridge.evaluation import compare, evaluate, scores
from spanbridge.formats import Pairs, read_pairs, write_pairs
from spanbridge.perturbation.base import Where
from spanbridge.routes import Advice, advise, choose
from spanbridge.routes.choice import Asked
from spanbridge.run.inputs import as_rows
from spanbridge.run.memory import Loaded, Result
from spanbridge.run.recipes import (
    EMBEDDED,
    calibrated,
    label_steps,
    segmented,
    tag_steps,
    to_repair,
)
from spanbridge.run.sample import FIT_ROWS
from spanbridge.steps import learning

__all__ = [
    "Advice",
    "Labeller",
    "Loaded",
    "Projector",
    "Result",
    "advise",
    "align",
    "compare",
    "evaluate",
    "label",
    "perturb",
    "project",
    "read_pairs",
    "scores",
    "tag",
    "write_pairs",
]

FilePath = str | Path


class Projector(Loaded):
    """A projection method with its aligner, loaded once.

    Args:
        method: name of the method, ``{name: options}``, or a method; by default ``corpus``.
        aligner: likewise; by default the method's own.
        settings: further settings of the step ``project``: ``links``, ``min_confidence``,
            ``speed``, ``weights``, ``tagger``, ``translator``, ``boundary``, ``explain``,
            ``refine``, ``below``, ``show_changes``.
        calibrate: labelled rows on which probabilities are calibrated when it learns, or the
            ``OUT.run.json`` of an earlier run that had them (docs/project.md).
        corrections: rows of which some were corrected, which stay and teach (docs/corrections.md).
        languages: of the sides: the target's says which words are articles and particles (guessed
            if not given), and a translator that scores needs both.

    Raises:
        SpanbridgeError: a setting is wrong, or something that is needed is missing.
    """

    def __init__(
        self,
        method: Any = None,
        aligner: Any = None,
        *,
        languages: Mapping[Side, str] | None = None,
        calibrate: FilePath | None = None,
        corrections: FilePath | None = None,
        **settings: Any,
    ) -> None:
        given = {"method": method, "aligner": aligner, **settings}
        given["corrections"] = None if corrections is None else str(corrections)
        project, last = calibrated({k: v for k, v in given.items() if v is not None}, calibrate)
        super().__init__([{"project": project}, *last], languages)

    @classmethod
    def load(cls, folder: FilePath, **settings: Any) -> Projector:
        """The projector of an earlier fit, of :meth:`save` or of ``project --fit``.

        Raises:
            InputError: it is no fit, or damaged.
        """
        return cls(apply=str(folder), **settings)

    def save(self, folder: FilePath) -> None:
        """Keep what method and aligner have learned.

        Raises:
            InputError: the folder cannot be written to.
            SpanbridgeError: it has to learn first.
        """
        self._check_fitted()
        self._steps[0].check_fit()
        learning.check_place(folder)
        self._steps[0].save(Path(folder))

    def __call__(self, pair: SentencePair) -> SentencePair:
        """Project one pair.

        Raises:
            SpanbridgeError: it has to learn first.
        """
        return self.run([pair])[0]


class Labeller(Loaded):
    """The way from raw text to its entities, with all models loaded once.

    Args:
        language: of the texts, by any code; None if it is not known, which only the route
            ``direct`` allows.
        route: ``direct`` (the tagger reads the text), ``translate`` (it reads a translation, and
            its spans are projected back), ``ensemble`` (both are combined), or ``auto``, which
            chooses by language and by what is installed.
        tagger: ``{name: options}``, or a tagger, of the text or of its translations; by default the
            one that comes with the package.
        text_tagger: likewise, of the text itself in an ensemble.
        translator: name of the translator, ``{name: options}``, or a translator; by default one
            that is installed for the languages.
        via: language of the translations.
        method: the projection's; ``soft`` takes each text by itself.
        aligner: the projection's; by default the method's own.
        min_confidence: least score of a span, in [0, 1].
        options: of :func:`~spanbridge.run.recipes.label_steps`: ``repair``, ``split``, ``segment``,
            ``back``, ``calibrate``; words of scripts without spaces are found by dictionary
            unless ``segment`` is False.

    Attributes:
        choice: the route, and the reason for it.

    Raises:
        SpanbridgeError: a setting is wrong, or something that is needed is missing.
    """

    def __init__(
        self,
        language: str | None = None,
        *,
        route: Asked = "auto",
        tagger: Any = EMBEDDED,
        text_tagger: Any = EMBEDDED,
        translator: Any = None,
        via: str = "en",
        method: Any = "soft",
        aligner: Any = None,
        min_confidence: float = 0.0,
        **options: Any,
    ) -> None:
        self.choice = choose(language, route, translator, via=via)
        project = {"method": method, "aligner": aligner}
        options["segment"] = segmented(options.get("segment"), language)
        steps = label_steps(
            self.choice.route,
            tagger,
            self.choice.translator,
            text_tagger=text_tagger,
            project={k: v for k, v in project.items() if v is not None},
            min_confidence=min_confidence,
            **options,
        )
        known: dict[Side, str] = {} if language is None else {"target": language}
        super().__init__(steps, {**known, "source": via})

    def __call__(self, text: str) -> SentencePair:
        """The pair of one text: its entities are the target's spans, with offsets in characters."""
        return self.run(as_rows([text]))[0]


def project(
    pairs: Iterable[SentencePair],
    method: Any = None,
    aligner: Any = None,
    *,
    fit_rows: int = FIT_ROWS,
    progress: Progress = silent,
    **settings: Any,
) -> Result:
    """Carry the labels of source sentences over to their translations.

    Args:
        pairs: the rows; what learns learns from them.
        method: projection method, as in :class:`Projector`.
        aligner: word aligner, as in :class:`Projector`.
        settings: further settings of the step ``project``, as in :class:`Projector`.
        fit_rows: rows that are learned from, at most.
        progress: shows how far it is.
    """
    projector = Projector(method, aligner, **settings)
    return projector.fit_run(pairs, limit=fit_rows, progress=progress)


def align(
    pairs: Iterable[SentencePair],
    aligner: Any = "fused",
    *,
    fit_rows: int = FIT_ROWS,
    progress: Progress = silent,
) -> Result:
    """Align the words of sentence pairs."""
    loaded = Loaded([{"align": {"aligner": aligner}}])
    return loaded.fit_run(pairs, limit=fit_rows, progress=progress)


def tag(
    rows: Iterable[SentencePair],
    tagger: Any = EMBEDDED,
    *,
    side: Side = "source",
    calibrate: FilePath | None = None,
    min_score: float = 0.0,
    progress: Progress = silent,
    **settings: Any,
) -> Result:
    """Find the spans of one side with a tagger.

    Args:
        rows: the rows.
        tagger: ``{name: options}``, or a tagger; by default the one that comes with the package.
        side: the side that is tagged.
        calibrate: as in :class:`Projector`.
        min_score: least probability of a span, once calibrated; others are left out.
        progress: shows how far it is.
        settings: further settings of the step ``tag``: ``map``, ``others``.
    """
    steps = tag_steps(tagger, side=side, min_score=min_score, calibrate=calibrate, **settings)
    return Loaded(steps).fit_run(rows, progress=progress)


def perturb(
    rows: Iterable[SentencePair | Sentence],
    kind: Any,
    *,
    strength: float = 0.1,
    seed: int = 1,
    side: Side = "source",
    where: Where = "everywhere",
    language: str | None = None,
    progress: Progress = silent,
) -> Result:
    """Change the words of one side as noise would, and keep its spans exact.

    Args:
        rows: the rows, or sentences, which stand on that side.
        kind: name of the perturbation, ``{name: options}``, or a perturbation.
        strength: share of the places that are changed, in [0, 1].
        seed: seed of the choice.
        side: the side that is changed.
        where: part of it that is changed: ``everywhere``, in ``spans``, or ``outside`` of them.
        language: language of that side, by any code, for kinds that depend on it.
        progress: shows how far it is.
    """
    settings = {"kind": kind, "strength": strength, "seed": seed, "side": side, "where": where}
    languages: dict[Side, str] = {} if language is None else {side: language}
    loaded = Loaded([{"perturb": settings}], languages)
    given = rows if isinstance(rows, Pairs) else as_rows(rows, side)
    return loaded.fit_run(given, progress=progress)


def label(
    texts: Iterable[str | SentencePair],
    language: str | None = None,
    *,
    method: Any = "corpus",
    progress: Progress = silent,
    **options: Any,
) -> Result:
    """Find the entities of raw texts.

    Args:
        texts: the texts, or rows that hold them as targets, such as
            :func:`~spanbridge.formats.read_rows` gives beside their lines; what learns learns
            from them.
        language: language of the texts, as in :class:`Labeller`.
        method: projection method of the way through translation, as in :class:`Labeller`.
        options: further ones of :class:`Labeller`; text that was encoded twice is repaired
            for the work, unless ``repair`` is False or the translator looks translations up.
        progress: shows how far it is.
    """
    rows = list(as_rows(texts))
    if options.get("repair") is None:
        options["repair"] = to_repair(rows, options.get("translator")) is not None
    labeller = Labeller(language, method=method, **options)
    return labeller.fit_run(rows, progress=progress)
