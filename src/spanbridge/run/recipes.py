"""Steps of the two complete routes: translate-test (label) and translate-train (make data)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spanbridge.core import registry
from spanbridge.core.rows import Side
from spanbridge.formats.languages import find_language
from spanbridge.formats.segmentation import DICTIONARIES

Entry = str | Mapping[str, Any]


def segmented(wanted: bool | None, language: str) -> bool:
    """Check if the words of a language are to be found by dictionary, by default or as wanted."""
    return find_language(language).script in DICTIONARIES if wanted is None else wanted


def calibrated(
    project: Mapping[str, Any], gold: Any, side: Side = "target"
) -> tuple[dict[str, Any], list[dict[str, dict[str, Any]]]]:
    """Settings of a projection, and the step at the end that calibrates its probabilities.

    The least confidence goes to where probabilities are final.

    Args:
        project: settings, ``min_confidence`` among them.
        gold: labelled rows, or the record of an earlier run; None for no such step.
        side: side whose spans are found.
    """
    if gold is None:
        return dict(project), []
    rest = {name: value for name, value in project.items() if name != "min_confidence"}
    bound = {name: project[name] for name in project.keys() - rest.keys()}
    return rest, [{"calibrate": {"gold": str(gold), "side": side, **bound}}]


def label_steps(
    translator: Entry,
    tagger: Entry,
    project: Mapping[str, Any],
    *,
    repair: bool = False,
    split: bool = True,
    segment: bool = False,
    back: str | None = None,
    ensemble: Entry | None = None,
    calibrate: Any = None,
) -> list[Entry]:
    """Steps from raw text in a language without a tagger to its entities.

    Args:
        translator, tagger: name, or name and options.
        project: settings of the projection.
        repair: repair text that was encoded twice; the result is again in the text as given.
        split: cut longer texts into sentences, and put them together again at the end; not those
            whose translation as a whole the translator looks up.
        segment: find words of scripts that are written without spaces.
        back: style of marks for translating the tagged translation back and aligning with that;
            None for no back-translation.
        ensemble: a tagger of the text's own language, to combine with the projection.
        calibrate: labelled rows to calibrate probabilities on, or the record of an earlier run.
    """
    project, last = calibrated(project, calibrate)
    steps: list[Entry | None] = [
        "repair" if repair else None,
        _split(translator) if split else None,
        "segment" if segment else None,
        {"translate": {"translator": translator}},
        {"tag": {"tagger": tagger}},
        None if back is None else {"back-translate": {"translator": translator, "style": back}},
        {"project": project},
        None if ensemble is None else {"ensemble": {"tagger": ensemble}},
        "join" if split else None,
        "restore" if repair else None,
        *last,
    ]
    return [step for step in steps if step is not None]


def _split(translator: Entry) -> Entry:
    """The step that cuts texts."""
    made = translator
    if isinstance(translator, str | Mapping):
        name = translator if isinstance(translator, str) else next(iter(translator), "")
        made = registry.load("translator", name)
    return {"split": {"whole": translator}} if getattr(made, "looks_up", False) else "split"


def make_data_steps(
    translator: Entry,
    project: Mapping[str, Any],
    *,
    segment: bool = False,
    marks: str | None = None,
) -> list[Entry]:
    """Steps from a labelled corpus to training data in another language.

    Args:
        translator: name, or name and options.
        project: settings of the projection.
        segment: find words of scripts that are written without spaces.
        marks: style of marks for mark-then-translate in place of alignment and projection.
    """
    if marks is not None:
        return [{"mark": {"translator": translator, "style": marks}}]
    return [
        {"translate": {"translator": translator, "side": "source"}},
        *(["segment"] if segment else []),
        {"project": dict(project)},
    ]
