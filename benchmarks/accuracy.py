"""Accuracy on Europarl-NER by aligner, and alignment error rates.

Prints: entity F1 of each method with the aligners that suit it, gold labels projected; and the
    alignment error rate of each aligner. `--tables` chooses. F1 on every set, with intervals and
    caps: `make leaderboard`.
Takes: about fifteen minutes of one core; `accuracy en-de en-es --tables aligners`, about three.
Data: Europarl-NER (six directions), the first `--rows` of each; gold word alignments (French and
    Romanian to English).
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.encoding import FAST_LAYER
from benchmarks.real_data import DIRECTIONS, alignment_gold, gold_pairs, language_of
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
TABLES = ("aligners", "links")


def project(name, pairs, method, aligner):
    """Projected rows of a set, aligner and method learning from the pairs themselves."""
    return api.project(pairs, METHODS[method], aligner, languages={"target": language_of(name)})


def f1(gold, found) -> float:
    """Micro F1 of entities."""
    return api.evaluate(gold, found).micro.f1


def print_aligners(sets: Sequence[str], rows: int | None, methods: Sequence[str], aligners) -> None:
    """F1 of each method with the aligners that suit it."""
    pairs = {name: gold_pairs(name)[:rows] for name in sets}
    print("\nEntity F1, gold labels projected, by aligner")
    print(f"{'':34}" + "".join(f"{name:>8}" for name in sets))

    def line(method, name, aligner) -> None:
        row = ""
        for one, gold in pairs.items():
            row += f"{f1(gold, project(one, gold, method, aligner)):>8.3f}"
        print(f"{method:<13} {name:<20}{row}", flush=True)

    for method in methods:
        for name, aligner in aligners.items():
            if method not in SOFT_METHODS or name in SOFT_ALIGNERS:
                line(method, name, aligner)
    for layer, kind in ((7, "float32"), (FAST_LAYER, "int8")):
        line(
            "corpus", f"fused, {kind}, layer {layer}", FusedAligner(layer=layer, compute_type=kind)
        )


def print_links(rows: int | None, aligners) -> None:
    """Alignment error rate of each aligner."""
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


def main(
    sets: Sequence[str] = DIRECTIONS,
    rows: int = 400,
    methods: Sequence[str] = tuple(METHODS),
    tables: Sequence[str] = TABLES,
) -> None:
    """Print the tables."""
    encoder = EncoderAligner()
    aligners = {
        "fused": FusedAligner(encoder),
        "encoder": encoder,
        "statistical": StatisticalAligner(),
        **{f"encoder {e}": EncoderAligner(encoder.encoder, e) for e in EXTRACTIONS},
        "lexical": LexicalAligner(),
    }
    if "aligners" in tables:
        print_aligners(sets, rows, methods, aligners)
    if "links" in tables:
        print_links(rows, aligners)
    print(signature({"encoder": encoder.encoder.describe(), "protocol": "default"}))
