"""Entries of the leaderboard that are made here: aligners of others, with the paper's heuristic.

Prints: the files that it writes, `leaderboard/SYSTEM/SET.jsonl`: spans without text.
Takes: about fifteen minutes of one core. simalign has the embedded encoder's
    weights (layer 7, itermax), awesome-align the same (softmax); eflomal's links are those of both
    directions. The last is installed below .bench on first use.
Data: what `spanbridge study studies/leaderboard.yaml --write-inputs FOLDER` wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.others import Aligner, Links, awesome, eflomal, simalign
from benchmarks.projection import plain_heuristic
from spanbridge import SentencePair, Span
from spanbridge.core.files import atomic_output
from spanbridge.formats import read_rows
from spanbridge.formats.tokens import spans_in_text
from spanbridge.projection.method import in_order

FOLDER = Path("leaderboard")


ALIGNERS: dict[str, Callable[[], Aligner]] = {
    "simalign": simalign,
    "awesome": awesome,
    "eflomal": eflomal,
}


def spans_of(pair: SentencePair, links: Links) -> list[list[int | str]]:
    """Spans that the heuristic finds: in words, or in characters of raw text."""
    found = plain_heuristic(in_order(pair.source.spans), links, len(pair.target.words))
    target = pair.target.with_spans(tuple(Span(*span) for span in found))
    spans = target.spans if target.text is None else spans_in_text(target)
    return [[span.start, span.end, span.label] for span in spans]


def main(aligners: Sequence[str] = tuple(ALIGNERS), inputs: str = "inputs") -> None:
    """Write the entries."""
    for name in aligners:
        for path in sorted(Path(inputs).glob("*.jsonl")):
            pairs = [row for _, row in read_rows(path)]
            output = FOLDER / f"{name}-heuristic" / path.name
            output.parent.mkdir(parents=True, exist_ok=True)
            with atomic_output(output) as out:
                for pair, links in zip(pairs, ALIGNERS[name]()(pairs), strict=True):
                    out.write(json.dumps({"id": pair.id, "spans": spans_of(pair, links)}) + "\n")
            print(output, flush=True)
