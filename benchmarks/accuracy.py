"""Accuracy on real data: projection F1 of every set, method and aligner; alignment error rates.

Prints: for each set entity F1 of the default with its 95 % bootstrap interval, and of each other
    method with its own aligner, gold labels projected; *cap*, the best F1 that any projection can
    reach, and *agree*, the default's F1 on the rows whose labels are equal in number on both sides,
    where people labelled each side by itself. Then, of Europarl-NER, F1 of each method with the
    aligners that suit it, and the alignment error rate of each aligner. `--tables` chooses.
Takes: about twenty minutes of one core; `accuracy en-de en-es --tables aligners`, about three.
Data: all pairs with gold spans on both sides: Europarl-NER (six directions), opinion targets
    (ABSA, M-ABSA), spoken commands (xSID), UNER-PUD, RELX, XQuAD, AbstRCT, the first `--rows` of
    each; gold word alignments (French and Romanian to English).
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.encoding import FAST_LAYER
from benchmarks.real_data import DIRECTIONS, PAIR_SETS, alignment_gold, gold_pairs, language_of
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
TABLES = ("sets", "aligners", "links")
# Sets whose sides were labelled by different people.
APART = ("pud",)


def project(name, pairs, method, aligner):
    """Projected rows of a set, aligner and method learning from the pairs themselves."""
    return api.project(pairs, METHODS[method], aligner, languages={"target": language_of(name)})


def f1(gold, found) -> float:
    """Micro F1 of entities."""
    return api.evaluate(gold, found).micro.f1


def print_sets(sets: Sequence[str], rows: int | None, methods: Sequence[str], aligners) -> None:
    """The table of all sets: the default with its interval, the other methods, cap and agree."""
    own = [method for method in methods if method not in ("corpus", "exact corpus")]
    print(f"{'':12}{'rows':>6}{'spans':>7}{'default':>9}{'95 %':>14}", end="")
    print("".join(f"{method:>10}" for method in own) + f"{'cap':>8}{'agree':>8}")
    for name in sets:
        gold = gold_pairs(name)[:rows]
        found = project(name, gold, "corpus", aligners["fused"])
        report = api.evaluate(gold, found, source=gold)
        interval = report.interval()
        cells = f"{report.micro.f1:>9.3f}{f'{interval.low:.3f}-{interval.high:.3f}':>14}"
        for method in own:
            cells += f"{f1(gold, project(name, gold, method, aligners['encoder'])):>10.3f}"
        if name.partition("-")[0] in APART:
            assert report.cap is not None and report.agree is not None
            cells += f"{report.cap.f1:>8.3f}{report.agree.f1:>8.3f}"
        print(f"{name:12}{len(gold):>6}{report.micro.support:>7}{cells}", flush=True)


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
    sets: Sequence[str] = PAIR_SETS,
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
    if "sets" in tables:
        print_sets(sets, rows, methods, aligners)
    if "aligners" in tables and (known := [name for name in sets if name in DIRECTIONS]):
        print_aligners(known, rows, methods, aligners)
    if "links" in tables:
        print_links(rows, aligners)
    print(signature({"encoder": encoder.encoder.describe(), "protocol": "default"}))
