"""SimAlign and a script, side by side with Spanbridge: entity F1 and processor time.

Prints: a line per way: F1 of projected entities for each direction, and milliseconds of one core
    per pair, alignment and projection together, models loaded. All have the same encoder weights
    and the layer that is best for them. The scripts are `plain` (the paper's n-grams, greedy) and
    `plain_heuristic` (runs of linked words) of benchmarks/projection.py.
Takes: about eight minutes of one core.
Data: Europarl-NER dev, 400 sentences a direction. Weights of soft and corpus were chosen on
    English into German and Spanish; the other directions are untouched.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from threadpoolctl import threadpool_limits

from benchmarks.others import simalign
from benchmarks.projection import plain, plain_heuristic
from benchmarks.real_data import europarl
from spanbridge import SentencePair, Span, api
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.alignment.statistical import FusedAligner
from spanbridge.projection.method import in_order

DIRECTIONS = ("en-de", "en-es", "de-en", "es-en")
SCRIPTS = {"heuristic": plain_heuristic, "n-grams": plain}
Way = Callable[[Sequence[SentencePair]], Iterable[SentencePair]]


def scripted(extraction: str, script: str) -> Way:
    """The package's links, and a script."""
    aligner = simalign(extraction)

    def way(pairs: Sequence[SentencePair]) -> list[SentencePair]:
        found = []
        for pair, links in zip(pairs, aligner(pairs), strict=True):
            spans = in_order(pair.source.spans)
            kept = SCRIPTS[script](spans, links, len(pair.target.words))
            made = tuple(Span(start, end, label) for start, end, label in kept)
            found.append(pair.replace(target=pair.target.with_spans(made)))
        return found

    return way


def ours(method: str) -> Way:
    """Rows by ``spanbridge project``."""
    encoder = EncoderAligner(threads=1)
    aligner = FusedAligner(encoder) if method == "corpus" else encoder
    return lambda pairs: api.project(pairs, method, aligner)


WAYS: dict[str, Callable[[], Way]] = {
    "simalign inter + heuristic script": lambda: scripted("inter", "heuristic"),
    "simalign itermax + heuristic script": lambda: scripted("itermax", "heuristic"),
    "simalign itermax + n-grams script": lambda: scripted("itermax", "n-grams"),
    "spanbridge --method greedy": lambda: ours("greedy"),
    "spanbridge --method soft": lambda: ours("soft"),
    "spanbridge (the defaults)": lambda: ours("corpus"),
}


def main(directions: Sequence[str] = DIRECTIONS, rows: int | None = None) -> None:
    """Print the table."""
    import torch

    torch.set_num_threads(1)
    sets = [europarl(*direction.split("-"))[:rows] for direction in directions]
    print(f"{'F1':<38}" + "".join(f"{d:>8}" for d in directions) + f"{'ms per pair':>14}")
    with threadpool_limits(1):
        for name, load in WAYS.items():
            seconds, scores = 0.0, []
            for pairs in sets:
                way = load()  # anew, for an encoder remembers the sentences of another direction
                way(europarl("en", "es")[-2:])
                bare = [pair.replace(target=pair.target.with_spans(())) for pair in pairs]
                began = time.process_time()
                found = way(bare)
                seconds += time.process_time() - began
                scores.append(api.evaluate(pairs, found).micro.f1)
            each = 1000 * seconds / sum(map(len, sets))
            cells = "".join(f"{score:>8.3f}" for score in scores)
            print(f"{name:<38}{cells}{each:>14.1f}", flush=True)
