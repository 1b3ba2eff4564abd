"""Speed of projection with links given, against a plain implementation of the paper's algorithm.

The plain one does what arXiv 2501.18750 (section 3.3) describes: every n-gram of the target is a
candidate; a score for each entity and candidate from the links between them, in a dense matrix; for
each candidate the ones it overlaps; repeated argmax over what is still allowed. It is written in
plain Python but for the overlaps, which NumPy compares at once. That makes it quicker than the code
published with the paper (github.com/Cross-Lingual-NER/Projection-Data-Transfer-Cross-Lingual-NER;
GPL, no part of this project): on the same sentences, that took six times as long for candidates of
up to 10 words, and near a hundred times as long for any length. Labels are compared too.
"""

from __future__ import annotations

import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np

from benchmarks.data import europarl
from spanbridge import EncoderAligner, ExactProjector, GreedyProjector
from spanbridge.data.formats import pair_writer
from spanbridge.data.pharaoh import format_links
from spanbridge.pipeline.files import project_files
from spanbridge.project.heuristic import HeuristicProjector
from spanbridge.project.projector import in_order

N_SLICE = 150
N_STREAM = 100_000


def ngrams(n_words, max_words=None):
    """All candidates: [start, end) by start, then end."""
    longest = max_words or n_words
    return [(a, b) for a in range(n_words) for b in range(a + 1, min(a + longest, n_words) + 1)]


def score_matrix(entities, links, candidates):
    """Entities x candidates, each from the links between the two."""
    scores = np.zeros((len(entities), len(candidates)))
    for e, span in enumerate(entities):
        inside = [j for i, j in links if span.start <= i < span.end]
        for c, (a, b) in enumerate(candidates):
            n_links = sum(a <= j < b for j in inside)
            scores[e, c] = 2 * n_links / (span.end - span.start + b - a)
    return scores


def overlaps(candidates):
    """Candidates x candidates: whether they share a word."""
    starts, ends = np.array(candidates).T
    return (starts[:, None] < ends) & (starts < ends[:, None])


def plain(entities, links, n_target, max_words=None):
    """The paper's greedy matching over all n-grams; [(start, end, label)] in order."""
    candidates = ngrams(n_target, max_words)
    if not candidates or not entities:
        return []
    scores = score_matrix(entities, links, candidates)
    overlap = overlaps(candidates)
    chosen = []
    while scores.max() > 0:
        e, c = np.unravel_index(scores.argmax(), scores.shape)
        chosen.append((*candidates[c], entities[e].label))
        scores[e] = 0
        scores[:, overlap[c]] = 0
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
        found = [projector.project(e, link).spans for e, link in rows]
        return [[span[:3] for span in spans] for spans in found]

    print(f"{N_SLICE} sentences with entities, en-de, one core; microseconds a sentence")
    print(f"{'':<30}{'us':>10}{'of plain':>12}{'of plain <= 10':>16}  same labels as plain")
    base, expected = clock(lambda: run_plain(None), repeat=1)
    base_capped, expected_capped = clock(lambda: run_plain(10), repeat=1)
    table = [("plain, any length", base, None), ("plain, <= 10 words", base_capped, None)]
    for name, projector, labels in (
        ("greedy, any length", GreedyProjector(), expected),
        ("greedy, <= 10 words", GreedyProjector(max_words=10), expected_capped),
        ("exact, any length", ExactProjector(), expected),
        ("exact, <= 10 words", ExactProjector(max_words=10), expected_capped),
        ("heuristic", HeuristicProjector(), expected),
    ):
        seconds, found = clock(lambda projector=projector: run(projector), repeat=20)
        n_same = sum(a == b for a, b in zip(found, labels, strict=True))
        table.append((name, seconds, f"{n_same} of {N_SLICE}"))
    for name, seconds, same in table:
        micro = f"{1e6 * seconds / N_SLICE:>10.1f}"
        ratios = f"{base / seconds:>11.1f}x{base_capped / seconds:>15.1f}x"
        print(f"{name:<30}{micro}{ratios}  {same or ''}")
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
