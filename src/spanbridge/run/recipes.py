"""Steps of the complete routes: from raw text to entities (label), and to training data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Literal

from spanbridge.core import registry
from spanbridge.core.rows import SentencePair, Side
from spanbridge.formats.encoding import encoded_twice
from spanbridge.formats.languages import find_language
from spanbridge.formats.segmentation import DICTIONARIES
from spanbridge.steps.base import TAGGER
from spanbridge.steps.tagging import MIN_SCORE

Entry = str | Mapping[str, Any]
# How entities get into a text: its tagger reads it; a tagger reads its translation, and what is
# found there is projected; or both, and the opinions are combined.
Route = Literal["direct", "translate", "ensemble"]
EMBEDDED = TAGGER.name
_LOOKED_AT = 1000  # rows in which text that was encoded twice is looked for


def segmented(wanted: bool | None, language: str | None) -> bool:
    """Check if the words of a language are to be found by dictionary, by default or as wanted.

    Of a language that is not named they are: other scripts lose nothing by it.
    """
    if wanted is not None:
        return wanted
    return language is None or find_language(language).script in DICTIONARIES


def to_repair(rows: Iterable[SentencePair], translator: Any = None) -> str | None:
    """A place in the first texts that shows that they are to be repaired; None if there is none.

    It looks as if it was encoded twice. A translator that looks texts up needs them as they are.
    """
    if looks_up(translator):
        return None
    texts = (row.target.plain_text() for row in islice(rows, _LOOKED_AT))
    return next(filter(None, map(encoded_twice, texts)), None)


def looks_up(translator: Any) -> bool:
    """Check if a translator, given by name or made, looks whole texts up as they stand."""
    made = translator
    if isinstance(translator, str | Mapping):
        name = translator if isinstance(translator, str) else next(iter(translator), "")
        made = registry.load("translator", name)
    return bool(getattr(made, "looks_up", False))


def calibrated(
    project: Mapping[str, Any], gold: Any, side: Side = "target"
) -> tuple[dict[str, Any], list[dict[str, dict[str, Any]]]]:
    """Settings of what finds spans, and the step at the end that calibrates its probabilities.

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


def tag_steps(
    tagger: Entry = EMBEDDED,
    *,
    side: Side = "source",
    min_score: float = 0.0,
    calibrate: Any = None,
    **settings: Any,
) -> list[Entry]:
    """Steps that tag one side of rows.

    Args:
        tagger: name, or name and options.
        side: the side.
        min_score: least probability of a span, once calibrated, in [0, 1]; others are left out.
        calibrate: labelled rows to calibrate probabilities on, or the record of an earlier run.
        settings: further settings of the step ``tag``.
    """
    first, last = calibrated({"min_confidence": min_score}, calibrate, side)
    least = first.get("min_confidence", 0.0)
    bound = {"min_score": least} if least else {}
    return [{"tag": {"tagger": tagger, "side": side, **bound, **settings}}, *last]


def label_steps(
    route: Route = "direct",
    tagger: Entry = EMBEDDED,
    translator: Entry | None = None,
    *,
    text_tagger: Entry = EMBEDDED,
    project: Mapping[str, Any] | None = None,
    min_confidence: float = 0.0,
    repair: bool = False,
    split: bool = True,
    segment: bool = False,
    back: str | None = None,
    calibrate: Any = None,
) -> list[Entry]:
    """Steps from raw text to its entities.

    Args:
        route: ``direct``, ``translate`` or ``ensemble``.
        tagger: tagger of the text, or where it is translated of the translations: name, or name and
            options.
        translator: likewise; needed where the text is translated.
        text_tagger: tagger of the text itself in an ensemble.
        project: further settings of the projection.
        min_confidence: least score of a span, in [0, 1]; others are left out.
        repair: repair text that was encoded twice; the result is again in the text as given.
        split: cut longer texts into sentences, and put them together again at the end; not those
            whose translation as a whole the translator looks up.
        segment: find words of scripts that are written without spaces.
        back: style of marks for translating the tagged translation back and aligning with that;
            None for no back-translation.
        calibrate: labelled rows to calibrate probabilities on, or the record of an earlier run.
    """
    first, last = calibrated({"min_confidence": min_confidence}, calibrate)
    min_confidence = first.get("min_confidence", 0.0)
    before: list[Entry | None] = [
        "repair" if repair else None,
        ({"split": {"whole": translator}} if looks_up(translator) else "split") if split else None,
        "segment" if segment else None,
    ]
    after: list[Entry | None] = ["join" if split else None, "restore" if repair else None]
    if route == "direct":
        way: list[Entry | None] = [*tag_steps(tagger, side="target", min_score=min_confidence)]
    else:
        projection = dict(project or {})
        if route == "translate" and min_confidence:
            projection["min_confidence"] = min_confidence
        way = [
            {"translate": {"translator": translator}},
            {"tag": {"tagger": tagger}},
            None if back is None else {"back-translate": {"translator": translator, "style": back}},
            {"project": projection},
        ]
    if route == "ensemble":
        bound = {"min_score": max(min_confidence, MIN_SCORE)} if min_confidence else {}
        way.append({"ensemble": {"tagger": text_tagger, **bound}})
    return [step for step in (*before, *way, *after, *last) if step is not None]


def make_data_steps(
    translator: Entry,
    project: Mapping[str, Any],
    *,
    tagger: Entry | None = None,
    segment: bool = False,
    marks: str | None = None,
    entities: Mapping[str, Any] | None = None,
) -> list[Entry]:
    """Steps from a corpus to training data in another language.

    Args:
        translator: name, or name and options.
        project: settings of the projection.
        tagger: a tagger that labels the corpus; None if it has labels.
        segment: find words of scripts that are written without spaces.
        marks: style of marks for mark-then-translate in place of alignment and projection.
        entities: settings of entity-aligned translation in place of these.
    """
    if entities is not None:
        own = [] if tagger is None else [{"tag": {"tagger": tagger}}]
        return [*own, {"translate-entities": {"translator": translator, **entities}}]
    tag: list[Entry] = [] if tagger is None else [{"tag": {"tagger": tagger}}]
    if marks is not None:
        return [*tag, {"mark": {"translator": translator, "style": marks}}]
    return [
        *tag,
        {"translate": {"translator": translator, "side": "source"}},
        *(["segment"] if segment else []),
        {"project": dict(project)},
    ]
