"""Accuracy on real data: projection F1 on Europarl-NER dev, alignment error rate on gold links."""

from __future__ import annotations

from benchmarks.real_data import absa, alignment_gold, europarl
from benchmarks.encoding import FAST_LAYER
from spanbridge.align.encoder_aligner import EXTRACTIONS, EncoderAligner
from spanbridge.align.lexical_aligner import LexicalAligner
from spanbridge.align.statistical import FusedAligner, StatisticalAligner
from spanbridge.core.signature import signature
from spanbridge.encode import load_encoder
from spanbridge.evaluate import evaluate_links, evaluate_spans
from spanbridge.steps.account import Account
from spanbridge.steps.projection_old import align_pairs, fit, project_pairs
from spanbridge.project.heuristic import HeuristicMethod
from spanbridge.project.projector import ExactMethod, GreedyMethod
from spanbridge.project.soft import CorpusMethod, SoftMethod

METHODS = {
    "corpus": CorpusMethod,
    "exact corpus": lambda: CorpusMethod("exact"),
    "soft": SoftMethod,
    "greedy": GreedyMethod,
    "exact": ExactMethod,
    "heuristic": HeuristicMethod,
}
DIRECTIONS = ("en-de", "en-es", "de-en", "es-en", "de-es", "es-de")


def f1(pairs, aligner, method) -> float:
    """Micro F1 of entities, aligner and method learning from the pairs themselves."""
    fit(lambda: pairs, len(pairs), aligner, method)
    linked = align_pairs(lambda: pairs, aligner, soft=isinstance(method, SoftMethod))
    projected = project_pairs(linked, method, Account())
    predicted = [pair.target for pair in projected]
    return evaluate_spans([pair.target for pair in pairs], predicted).micro.f1


def main() -> None:
    """F1 of every method with the aligners that suit it, and AER of every aligner."""
    encoder = EncoderAligner(load_encoder())
    soft = {"fused": FusedAligner(encoder), "encoder": encoder, "statistical": StatisticalAligner()}
    hard = {f"encoder {e}": EncoderAligner(encoder.encoder, e) for e in EXTRACTIONS}
    everything = {**soft, **hard, "lexical": LexicalAligner()}
    sets = {name: europarl(*name.split("-")) for name in DIRECTIONS} | {"absa": absa()}
    print("Entity F1, gold labels projected: Europarl-NER dev (400 sentences each), ABSA (2000)")
    print(f"{'':34}" + "".join(f"{name:>8}" for name in sets))
    for method, make in METHODS.items():
        is_soft = isinstance(make(), SoftMethod)
        for name, aligner in everything.items():
            if is_soft and name not in soft:
                continue
            row = "".join(f"{f1(pairs, aligner, make()):>8.3f}" for pairs in sets.values())
            print(f"{method:<13} {name:<20}{row}", flush=True)
    for layer, kind in ((7, "float32"), (FAST_LAYER, "int8")):
        aligner = FusedAligner(layer=layer, compute_type=kind)
        row = "".join(f"{f1(pairs, aligner, CorpusMethod()):>8.3f}" for pairs in sets.values())
        print(f"{'corpus':<13} {f'fused, {kind}, layer {layer}':<20}{row}", flush=True)
    print("\nAlignment error rate in %, lower is better")
    print(f"{'':34}{'fr-en':>8}{'ro-en':>8}")
    golds = [alignment_gold(name) for name in ("enfr", "roen")]
    for name, aligner in everything.items():
        row = ""
        for pairs, gold in golds:
            aligner.fit(pairs)
            links = [found.pairs for found in aligner.align(pairs)]
            row += f"{100 * evaluate_links(gold, links).aer:>8.2f}"
        print(f"{name:<34}{row}", flush=True)
    print(signature({"encoder": encoder.encoder.describe(), "protocol": "default"}))
