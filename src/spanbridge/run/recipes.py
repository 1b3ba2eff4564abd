"""The steps of the two whole routes: translate-test (label) and translate-train (make data)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Entry = str | Mapping[str, Any]


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
) -> list[Entry]:
    """The steps from raw text in a language without a tagger to its entities.

    Args:
        translator, tagger: by name, or name and options.
        project: settings of the projection.
        repair: repair text that was encoded twice.
        split: cut longer texts into sentences, and put them together at the end.
        segment: find words of scripts that are written without spaces.
        back: style of marks, to translate the tagged translation back and align with that.
        ensemble: a tagger of the text's own language, whose opinion is combined with it.
    """
    steps: list[Entry | None] = [
        "repair" if repair else None,
        "split" if split else None,
        "segment" if segment else None,
        {"translate": {"translator": translator}},
        {"tag": {"tagger": tagger}},
        None if back is None else {"back-translate": {"translator": translator, "style": back}},
        {"project": dict(project)},
        None if ensemble is None else {"ensemble": {"tagger": ensemble}},
        "join" if split else None,
    ]
    return [step for step in steps if step is not None]


def make_data_steps(
    translator: Entry,
    project: Mapping[str, Any],
    *,
    segment: bool = False,
    marks: str | None = None,
) -> list[Entry]:
    """The steps from a labelled corpus to training data in another language.

    Args:
        translator: by name, or name and options.
        project: settings of the projection.
        segment: find words of scripts that are written without spaces.
        marks: style of the marks of mark-then-translate, in place of alignment and projection.
    """
    if marks is not None:
        return [{"mark": {"translator": translator, "style": marks}}]
    return [
        {"translate": {"translator": translator, "side": "source"}},
        *(["segment"] if segment else []),
        {"project": dict(project)},
    ]
