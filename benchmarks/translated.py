"""Translate-test with human translations: entities of languages that no tagger was trained on.

Prints: F1 of each method per language. The translation is tagged, its spans are projected. First
    row: the tagger on the sentences themselves, without any translation.
Takes: about three minutes. Needs the tagger of `make tagger`, which has seen English only.
Data: MasakhaNER2 dev sentences in Bambara and Wolof (translated into French) and Twi and Luganda
    (into English).
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.real_data import masakhaner_parallel
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.alignment.statistical import FusedAligner, StatisticalAligner
from spanbridge.api import evaluate, project, tag
from spanbridge.evaluation import SpanCounts
from spanbridge.tagging.base import Tagger
from spanbridge.tagging.checkpoint_tagger import CheckpointTagger

LANGUAGES = ("twi", "lug", "bam", "wol")


def scores(language: str, tagger: Tagger, rows: int | None = None) -> dict[str, SpanCounts]:
    """Scores of each way, over all labels."""
    gold = masakhaner_parallel(language)[:rows]
    tagged = tag(gold, tagger)
    encoder = EncoderAligner()
    ways = {
        **{name: (name, encoder) for name in ("heuristic", "greedy", "exact", "soft")},
        "corpus, statistical aligner": ("corpus", StatisticalAligner()),
        "corpus, fused aligner": ("corpus", FusedAligner(encoder)),
    }
    found = {"no translation": tag(gold, tagger, side="target")}
    found |= {
        name: project(tagged, *way, languages={"target": language}) for name, way in ways.items()
    }
    return {name: evaluate(gold, predicted).micro for name, predicted in found.items()}


def main(
    languages: Sequence[str] = LANGUAGES, tagger: str = "en-tagger", rows: int | None = None
) -> None:
    """Print the table."""
    loaded = CheckpointTagger(tagger)
    found = [scores(language, loaded, rows) for language in languages]
    print(f"{'F1':30}" + "".join(f"{name:>8}" for name in (*languages, "mean")))
    for name in found[0]:
        values = [one[name].f1 for one in found]
        cells = "".join(f"{value:>8.3f}" for value in (*values, sum(values) / len(values)))
        print(f"{name:<30}{cells}", flush=True)
