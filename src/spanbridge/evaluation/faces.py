"""Evaluation as functions: the score of one prediction, scores of many, and differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import SentencePair
from spanbridge.evaluation.comparison import Comparison
from spanbridge.evaluation.file_sets import FileSets, file_sets, files_of
from spanbridge.evaluation.scoring import Labelled, Scoring, score
from spanbridge.evaluation.span_choice import SpanChoice
from spanbridge.evaluation.span_report import SpanReport
from spanbridge.evaluation.span_scores import SpanProtocol, orphan_policy
from spanbridge.evaluation.systems import Scores, score_systems
from spanbridge.formats import Reading


def evaluate(
    gold: Labelled,
    predicted: Labelled,
    *,
    source: Labelled | None = None,
    labels: Sequence[str] | None = None,
    mapping: Mapping[str, str] | None = None,
    boundaries: bool = False,
    protocol: SpanProtocol = "default",
    scheme: Any = "iob2",
    **reading: Any,
) -> SpanReport:
    """Score predicted spans against gold ones.

    Args:
        gold: a file, or rows (whose targets count), or sentences.
        predicted: likewise, over the same words.
        source: the labelled sentences that labels were projected from (of rows, their sources), for
            cap and agree.
        labels: count these only, on both sides; None counts all.
        mapping: other names for labels, on both sides.
        boundaries: count spans by their words, whatever their labels.
        protocol: how malformed tags are read, ``default`` or ``strict``.
        scheme: tag scheme of CoNLL files.
        reading: further settings by which the gold file is read, such as ``offsets`` and
            ``format``; see :class:`~spanbridge.formats.Reading`.

    Raises:
        InputError: a file is wrong, or the rows do not run parallel.
        SpanbridgeError: rows are something else.
    """
    scoring = _scoring(labels, mapping, boundaries, protocol, scheme, None, reading)
    return score(gold, predicted, scoring, source).report


def scores(
    gold: Labelled,
    *systems: Labelled,
    source: Labelled | None = None,
    by: str | None = None,
    labels: Sequence[str] | None = None,
    mapping: Mapping[str, str] | None = None,
    boundaries: bool = False,
    protocol: SpanProtocol = "default",
    scheme: Any = "iob2",
    **reading: Any,
) -> Scores:
    """Score several predictions, in several languages, or by domain, length or label.

    Args:
        gold: a file, rows or sentences, as in :func:`evaluate`; a folder with a file for each
            language; or a path with ``{lang}`` in place of the language.
        systems: likewise; a path may be named, ``"NAME=PATH"``, and those of one name are seeds of
            one system.
        source: likewise, as in :func:`evaluate`.
        by: ``label``, ``length`` (of spans in words), ``sentence-length``, or a key of the rows.
        labels, mapping, boundaries, protocol, scheme, reading: as in :func:`evaluate`.

    Raises:
        InputError, SpanbridgeError: as :func:`evaluate`; or files of a system are all missing.
    """
    scoring = _scoring(labels, mapping, boundaries, protocol, scheme, by, reading)
    if not systems:
        raise SpanbridgeError("there is no prediction to score")
    if all(isinstance(given, str | Path) for given in (gold, *systems)):
        found = file_sets(str(gold), [str(system) for system in systems])
    else:
        named = {str(n): {"": [system]} for n, system in enumerate(systems, 1)}
        found = FileSets({"": _kept(gold)}, named, ())
    sources: dict[str, Labelled] | None = None
    if source is not None:
        of_files = isinstance(source, str | Path)
        sources = {**files_of(str(source))} if of_files else {"": _kept(source)}
    return score_systems(found.gold, found.systems, scoring, source=sources, notes=found.notes)


def compare(
    gold: Labelled,
    *systems: Labelled,
    resamples: int = 10_000,
    seed: int = 12345,
    level: float = 0.95,
    all_pairs: bool = False,
    **settings: Any,
) -> Comparison:
    """Compare systems: each with the first, in each language and over languages.

    Args:
        gold, systems: as in :func:`scores`.
        resamples, seed, level, all_pairs: as in :func:`~spanbridge.evaluation.compare_systems`.
        settings: further ones of :func:`scores`: ``by``, ``labels``, ``mapping`` and more.

    Raises:
        InputError, SpanbridgeError: as :func:`scores`; there are not two systems.
    """
    found = scores(gold, *systems, **settings)
    return found.compare(resamples=resamples, seed=seed, level=level, all_pairs=all_pairs)


def _kept(given: Labelled) -> Labelled:
    """Rows that can be read several times."""
    return given if isinstance(given, str | Path | SentencePair) else [*given]


def _scoring(
    labels: Sequence[str] | None,
    mapping: Mapping[str, str] | None,
    boundaries: bool,
    protocol: SpanProtocol,
    scheme: Any,
    by: str | None,
    reading: Mapping[str, Any],
) -> Scoring:
    how = Reading(scheme, orphan_policy(protocol, scheme), **reading)
    return Scoring(protocol, SpanChoice(labels, mapping or {}, boundaries), by, how)
