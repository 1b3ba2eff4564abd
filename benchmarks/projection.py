"""Speed of projection with links given, against a plain implementation of the paper's algorithm.

The plain one does what arXiv 2501.18750 describes: every n-gram of the target is a candidate, a
dense score matrix, repeated argmax. Both are checked to give the same labels.
"""

from __future__ import annotations

import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np

from benchmarks.data import europarl
from spanbridge import EncoderAligner, ExactProjector, GreedyProjector, HeuristicProjector
from spanbridge.data.formats import pair_writer
from spanbridge.data.pharaoh import format_links
from spanbridge.pipeline.files import project_files
from spanbridge.project.candidates import alignment_options
from spanbridge.project.linear import integer_programme
from spanbridge.project.projector import in_order

N_SLICE = 150
N_STREAM = 100_000


def plain(entities, links, n_target, max_words=None):
    """The paper's greedy matching over all n-grams; [(start, end, label)] in order."""
    longest = max_words or n_target
    grams = [(a, b) for a in range(n_target) for b in range(a + 1, min(a + longest, n_target) + 1)]
    if not grams or not entities:
        return []
    scores = np.zeros((len(entities), len(grams)))
    for e, span in enumerate(entities):
        inside = [j for i, j in links if span.start <= i < span.end]
        for c, (a, b) in enumerate(grams):
            n_links = sum(a <= j < b for j in inside)
            scores[e, c] = 2 * n_links / (span.end - span.start + b - a)
    chosen = []
    while scores.max() > 0:
        e, c = np.unravel_index(scores.argmax(), scores.shape)
        a, b = grams[c]
        chosen.append((a, b, entities[e].label))
        scores[e] = 0
        scores[:, [k for k, (x, y) in enumerate(grams) if x < b and a < y]] = 0
    return sorted(chosen)


def clock(function, repeat=3):
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        result = function()
        best = min(best, time.perf_counter() - start)
    return best, result


def main() -> None:
    pairs = [pair for pair in europarl("en", "de") if pair.source.spans][:N_SLICE]
    links = EncoderAligner().align(pairs)
    rows = [(in_order(p.source.spans), link) for p, link in zip(pairs, links, strict=True)]

    def run_plain(limit):
        return [plain(e, link.pairs, link.n_target, limit) for e, link in rows]

    def run(projector):
        return [projector.project(e, link).spans for e, link in rows]

    def run_highs():
        return [integer_programme(o, 1) for e, a in rows if (o := alignment_options(e, a))]

    print(f"{N_SLICE} sentences with entities, en-de, one core; microseconds a sentence")
    fast, spans = clock(lambda: run(GreedyProjector()))
    capped, capped_spans = clock(lambda: run(GreedyProjector(max_words=10)))
    table = [("greedy, any length", fast, 1.0), ("greedy, <= 10 words", capped, capped / fast)]
    for name, limit, ours in (("<= 10 words", 10, capped_spans), ("any length", None, spans)):
        seconds, labels = clock(lambda limit=limit: run_plain(limit), repeat=1)
        same = labels == [[span[:3] for span in row] for row in ours]
        table.append((f"plain, {name}, same={same}", seconds, seconds / fast))
    for name, projector in (("exact", ExactProjector()), ("heuristic", HeuristicProjector())):
        seconds, _ = clock(lambda projector=projector: run(projector))
        table.append((name, seconds, seconds / fast))
    seconds, _ = clock(run_highs, repeat=1)
    table.append(("HiGHS a sentence, tight candidates", seconds, seconds / fast))
    for name, seconds, ratio in table:
        print(f"{name:<36}{1e6 * seconds / N_SLICE:>14.1f}{ratio:>12.1f}x")
    stream(europarl("en", "de"))


def stream(pairs) -> None:
    """Files to files with given links, and the peak of Python's memory."""
    links = EncoderAligner().align(pairs)
    with tempfile.TemporaryDirectory() as folder:
        places = {name: str(Path(folder) / name) for name in ("s.conll", "t.txt", "l", "o.conll")}
        with pair_writer(places["s.conll"]) as source:
            for n in range(N_STREAM):
                pair = pairs[n % len(pairs)]
                source.write(type(pair)(pair.id, pair.target, pair.source))
        target = [" ".join(pair.target.words) for pair in pairs]
        for name, lines in (("t.txt", target), ("l", [format_links(link) for link in links])):
            whole = (lines[n % len(lines)] + "\n" for n in range(N_STREAM))
            Path(places[name]).write_text("".join(whole), encoding="utf-8")

        def run():
            return project_files(
                places["s.conll"],
                places["t.txt"],
                places["o.conll"],
                links=places["l"],
                projector=GreedyProjector(),
            )

        seconds, _ = clock(run, repeat=1)
        tracemalloc.start()
        run()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    megabytes = peak / 2**20
    print(f"{N_STREAM} pairs, files to files, given links: {seconds:.1f} s, {megabytes:.0f} MB")
