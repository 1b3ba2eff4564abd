"""Translate-test with human translations: entities of languages that no tagger was trained on.

    make tagger && python -m benchmarks translated
    python -m benchmarks.translated FOLDER         # another tagger

MasakhaNER2 dev sentences in Bambara and Wolof (translated into French) and Twi and Luganda (into
English): the translation is tagged, its spans are projected. First row: the tagger on the
sentences themselves, without any translation. The tagger has seen English only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from threadpoolctl import threadpool_limits

from benchmarks.real_data import masakhaner_parallel
from spanbridge import (
    CorpusMethod,
    EncoderAligner,
    ExactMethod,
    FusedAligner,
    GreedyMethod,
    SentencePair,
    StatisticalAligner,
    evaluate_spans,
)
from spanbridge.steps.account import Account
from spanbridge.steps.projection_old import align_pairs, fit, project_pairs
from spanbridge.project.heuristic import HeuristicMethod
from spanbridge.project.soft import SoftMethod
from spanbridge.tag.checkpoint_tagger import CheckpointTagger

LANGUAGES = ("twi", "lug", "bam", "wol")
Ways = dict[str, Callable[[], tuple]]


def ways() -> Ways:
    """Projections by name: method and aligner, made when called."""
    encoder = EncoderAligner()
    return {
        "heuristic": lambda: (HeuristicMethod(), encoder),
        "greedy": lambda: (GreedyMethod(), encoder),
        "exact": lambda: (ExactMethod(), encoder),
        "soft": lambda: (SoftMethod(), encoder),
        "corpus, statistical aligner": lambda: (CorpusMethod(), StatisticalAligner()),
        "corpus, fused aligner": lambda: (CorpusMethod(), FusedAligner(encoder)),
    }


def project(pairs: Sequence[SentencePair], method, aligner) -> list[SentencePair]:
    """As `spanbridge project` does."""
    soft = isinstance(method, SoftMethod)
    with threadpool_limits(1, user_api="blas"):
        fit(lambda: pairs, len(pairs), aligner, method)
        linked = align_pairs(lambda: pairs, aligner, soft=soft)
        return list(project_pairs(linked, method, Account()))


def main(folder: str = "en-tagger") -> None:
    """The table."""
    tagger, projections = CheckpointTagger(folder), ways()
    found: dict[str, list[float]] = {name: [] for name in ("no translation", *projections)}
    for language in LANGUAGES:
        gold = masakhaner_parallel(language)
        targets = [pair.target for pair in gold]
        tagged = tagger.tag([pair.source.words for pair in gold])
        direct = tagger.tag([target.words for target in targets])
        pairs = [
            replace(pair, source=pair.source.with_spans(t.spans), target=pair.target.with_spans(()))
            for pair, t in zip(gold, tagged, strict=True)
        ]
        spans = [g.with_spans(d.spans) for g, d in zip(targets, direct, strict=True)]
        found["no translation"].append(evaluate_spans(targets, spans).micro.f1)
        for name, way in projections.items():
            projected = [pair.target for pair in project(pairs, *way())]
            found[name].append(evaluate_spans(targets, projected).micro.f1)
    print(f"{'F1':30}" + "".join(f"{name:>8}" for name in (*LANGUAGES, "mean")))
    for name, row in found.items():
        cells = "".join(f"{value:>8.3f}" for value in (*row, sum(row) / len(row)))
        print(f"{name:<30}{cells}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:2])
