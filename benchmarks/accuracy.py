"""Accuracy on real data: projection F1 and alignment error rate of every method and aligner.

Prints: entity F1 of each method with the aligners that suit it, gold labels projected; then the
    alignment error rate of each aligner.
Takes: about ten minutes on two cores; `accuracy en-de en-es`, about three.
Data: Europarl-NER dev (400 sentences per direction), ABSA restaurant reviews (2,000 sentences,
    English to Spanish), gold word alignments (French and Romanian to English).
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.encoding import FAST_LAYER
from benchmarks.real_data import absa, alignment_gold, europarl
from spanbridge import api
from spanbridge.alignment.encoder_aligner import EXTRACTIONS, EncoderAligner
from spanbridge.alignment.lexical_aligner import LexicalAligner
from spanbridge.alignment.statistical import FusedAligner, StatisticalAligner
from spanbridge.core.signature import signature
from spanbridge.evaluation import evaluate_links

METHODS = {
    "corpus": "corpus",
    "exact corpus": {"corpus": {"solver": "exact"}},
    "soft": "soft",
    "greedy": "greedy",
    "exact": "exact",
    "heuristic": "heuristic",
}
SOFT_METHODS = ("corpus", "exact corpus", "soft")
SOFT_ALIGNERS = ("fused", "encoder", "statistical")
DIRECTIONS = ("en-de", "en-es", "de-en", "es-en", "de-es", "es-de")


def f1(pairs, method, aligner) -> float:
    """Micro F1 of entities, aligner and method learning from the pairs themselves."""
    return api.evaluate(pairs, api.project(pairs, method, aligner)).micro.f1


def main(
    sets: Sequence[str] = (*DIRECTIONS, "absa"),
    rows: int | None = None,
    methods: Sequence[str] = tuple(METHODS),
) -> None:
    """Print both tables."""
    encoder = EncoderAligner()
    aligners = {
        "fused": FusedAligner(encoder),
        "encoder": encoder,
        "statistical": StatisticalAligner(),
        **{f"encoder {e}": EncoderAligner(encoder.encoder, e) for e in EXTRACTIONS},
        "lexical": LexicalAligner(),
    }
    pairs = [(absa() if name == "absa" else europarl(*name.split("-")))[:rows] for name in sets]
    print("Entity F1, gold labels projected: Europarl-NER dev (400 sentences each), ABSA (2000)")
    print(f"{'':34}" + "".join(f"{name:>8}" for name in sets))

    def line(method, name, aligner) -> None:
        row = "".join(f"{f1(some, METHODS[method], aligner):>8.3f}" for some in pairs)
        print(f"{method:<13} {name:<20}{row}", flush=True)

    for method in methods:
        for name, aligner in aligners.items():
            if method not in SOFT_METHODS or name in SOFT_ALIGNERS:
                line(method, name, aligner)
    for layer, kind in ((7, "float32"), (FAST_LAYER, "int8")):
        line(
            "corpus", f"fused, {kind}, layer {layer}", FusedAligner(layer=layer, compute_type=kind)
        )
    print("\nAlignment error rate in %, lower is better")
    print(f"{'':34}{'fr-en':>8}{'ro-en':>8}")
    golds = [alignment_gold(name) for name in ("enfr", "roen")]
    for name, aligner in aligners.items():
        row = ""
        for some, gold in golds:
            found = api.align(some[:rows], aligner)
            links = [pair.links.pairs if pair.links else () for pair in found]
            row += f"{100 * evaluate_links(gold[:rows], links).aer:>8.2f}"
        print(f"{name:<34}{row}", flush=True)
    print(signature({"encoder": encoder.encoder.describe(), "protocol": "default"}))
