"""Spanbridge: carry entity spans across languages.

The public names are imported on first use, so that ``import spanbridge`` stays light::

    from spanbridge import EncoderAligner, GreedyProjector, SentencePair, Sentence, Span
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spanbridge.align.encoder import EncoderAligner
    from spanbridge.align.statistical import FusedAligner, StatisticalAligner
    from spanbridge.core.errors import InputError, SpanbridgeError
    from spanbridge.core.links import WordAlignment
    from spanbridge.core.spans import Sentence, SentencePair, Span
    from spanbridge.data.formats import read_labelled, read_pairs
    from spanbridge.evaluate import evaluate_spans
    from spanbridge.project.projector import ExactProjector, GreedyProjector
    from spanbridge.project.soft import CorpusProjector

_WHERE = {
    "CorpusProjector": "project.soft",
    "EncoderAligner": "align.encoder",
    "ExactProjector": "project.projector",
    "FusedAligner": "align.statistical",
    "GreedyProjector": "project.projector",
    "InputError": "core.errors",
    "Sentence": "core.spans",
    "SentencePair": "core.spans",
    "Span": "core.spans",
    "SpanbridgeError": "core.errors",
    "StatisticalAligner": "align.statistical",
    "WordAlignment": "core.links",
    "evaluate_spans": "evaluate",
    "read_labelled": "data.formats",
    "read_pairs": "data.formats",
}

__all__ = [
    "CorpusProjector",
    "EncoderAligner",
    "ExactProjector",
    "FusedAligner",
    "GreedyProjector",
    "InputError",
    "Sentence",
    "SentencePair",
    "Span",
    "SpanbridgeError",
    "StatisticalAligner",
    "WordAlignment",
    "evaluate_spans",
    "read_labelled",
    "read_pairs",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        value = getattr(import_module(f"spanbridge.{_WHERE[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'spanbridge' has no attribute {name!r}")
