"""Accuracy on real data: projection F1 on Europarl-NER dev, alignment error rate on gold links."""

from __future__ import annotations

from benchmarks.data import alignment_gold, europarl
from spanbridge.align.encoder import EXTRACTIONS, EncoderAligner
from spanbridge.align.lexical import LexicalAligner
from spanbridge.align.statistical import StatisticalAligner
from spanbridge.core.errors import RowError
from spanbridge.core.signature import signature
from spanbridge.encode import load_encoder
from spanbridge.evaluate import evaluate_links, evaluate_spans
from spanbridge.project.heuristic import HeuristicProjector
from spanbridge.project.projector import ExactProjector, GreedyProjector

METHODS = {
    "greedy": GreedyProjector(),
    "exact": ExactProjector(),
    "heuristic": HeuristicProjector(),
    "first-word": HeuristicProjector(first_word_rule=True),
}
DIRECTIONS = (("en", "de"), ("en", "es"), ("de", "en"), ("es", "en"))


def links_of(aligner, pairs):
    aligner.fit(pairs)
    links = aligner.align(pairs)
    assert not any(isinstance(row, RowError) for row in links)
    return links


def main() -> None:
    encoder = load_encoder()
    aligners = {f"encoder {e}": EncoderAligner(encoder, e) for e in EXTRACTIONS}
    aligners |= {"statistical": StatisticalAligner(), "lexical": LexicalAligner()}
    print("Entity F1, gold labels projected, Europarl-NER dev (400 sentences)")
    print(f"{'':24}" + "".join(f"{method:>12}" for method in METHODS))
    for source, target in DIRECTIONS:
        pairs = europarl(source, target)
        for name, aligner in aligners.items():
            links = links_of(aligner, pairs)
            row = f"{source}-{target}  {name:<17}"
            for projector in METHODS.values():
                predicted = [
                    pair.target.with_spans(projector.project(pair.source.spans, link).spans)
                    for pair, link in zip(pairs, links, strict=True)
                ]
                report = evaluate_spans([pair.target for pair in pairs], predicted)
                row += f"{report.micro.f1:>12.3f}"
            print(row, flush=True)
    print("\nAlignment error rate in %, lower is better")
    print(f"{'':24}{'fr-en':>12}{'ro-en':>12}")
    golds = {name: alignment_gold(name) for name in ("enfr", "roen")}
    for name, aligner in aligners.items():
        row = f"{name:<24}"
        for pairs, gold in golds.values():
            links = links_of(aligner, pairs)
            row += f"{100 * evaluate_links(gold, [link.pairs for link in links]).aer:>12.2f}"
        print(row, flush=True)
    print(signature({"encoder": encoder.describe(), "protocol": "default"}))
