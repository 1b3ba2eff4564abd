"""Speed and memory of everything, side by side: one table.

A time is that of one sentence or pair, and the ratio says how many times as long the rival took in
the same run. Memory is the peak of what Python and NumPy allocate (links given, evidence given), or
where native libraries allocate (HiGHS, encoders, files), the growth of the resident memory of a
process of its own. Contenders for aligning take turns, and their ratio is the median of the turns.
It holds only where as many cores are free as there are threads, which is printed: torch's threads
wait for each other, so beside other processes simalign slows down far more than ours, whose threads
are independent. ``THREADS=1 python -m benchmarks speed`` needs one free core.

The floor is the time of the encoder's multiply-adds at the best rate that NumPy's product of two
float32 matrices reached in the same run; int8 may fall below it.
"""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from statistics import median

from threadpoolctl import threadpool_limits

from benchmarks import encoding
from benchmarks.real_data import europarl
from benchmarks.projection import (
    N_SLICE,
    N_STREAM,
    clock,
    files_to_files,
    plain,
    plain_heuristic,
    traced,
    write_files,
)
from benchmarks.scale import memory
from benchmarks.solving import GAP, PAPER_WORDS, paper, tight, timed
from spanbridge import CorpusMethod, EncoderAligner, ExactMethod, GreedyMethod
from spanbridge.encode import load_encoder
from spanbridge.project.candidates import alignment_options
from spanbridge.project.heuristic import HeuristicMethod
from spanbridge.project.projector import in_order
from spanbridge.project.soft import SoftMethod
from spanbridge.project.solve.choice import exact

TURNS = 5
N_TURN = 40  # pairs a turn; none comes twice, for the encoder remembers sentences
_here = {}  # of a process apart


@dataclass
class Row:
    """One line of the table; ``seconds`` for one sentence or pair, ``peak`` in MB."""

    what: str
    seconds: float
    ratio: str = ""
    peak: float | None = None
    same: str = ""

    def __str__(self):
        unit, times = ("us", 1e6) if self.seconds < 1e-3 else ("ms", 1e3)
        each = f"{times * self.seconds:,.1f} {unit}"
        peak = "" if self.peak is None else f"{self.peak:,.{2 if self.peak < 10 else 0}f}"
        row = f"{self.what:<42}{each:>10}{1 / self.seconds:>11,.1f}{peak:>9}"
        return f"{row}   {self.ratio:<47}{self.same}".rstrip()


class Apart:
    """A process of its own, so that its memory shows.

    Args:
        prepare: gives, for ``args``, the function to be timed.
    """

    def __init__(self, prepare, *args):
        self.seconds, self.results, self.peak = [], [], 0.0
        self.pool = ProcessPoolExecutor(
            1, get_context("spawn"), initializer=_enter, initargs=(prepare, args)
        )

    def run(self, *args):
        seconds, result, self.peak = self.pool.submit(_run, *args).result()
        self.seconds.append(seconds)
        self.results.append(result)
        return result


def _enter(prepare, args):
    threadpool_limits(1, user_api="blas")  # as the program's own runs have it
    _here["before"] = memory("VmRSS")
    _here["function"] = prepare(*args)


def _run(*args):
    start = time.perf_counter()
    result = _here["function"](*args)
    seconds = time.perf_counter() - start
    return seconds, result, memory("VmHWM") - _here["before"]


def projection(rows):
    """Links given, lists in and out."""

    def ours(projector):
        found = [projector.project(e, links).spans for e, links in rows]
        return [[span[:3] for span in spans] for spans in found]

    def theirs(function, *limit):
        return [function(e, links.pairs, links.n_target, *limit) for e, links in rows]

    def row(name, function, repeat, rivals=()):
        seconds, found = clock(function, repeat)
        ratios = [f"{base / seconds:,.1f}x {rival}" for rival, (base, _) in rivals]
        same = ""
        if rivals:
            n_same = sum(a == b for a, b in zip(found, rivals[0][1][1], strict=True))
            same = f"{n_same} of {len(rows)} as {rivals[0][0]}"
        print(Row(name, seconds / len(rows), ", ".join(ratios), traced(function), same), flush=True)
        return seconds, found

    whole = "paper", row("paper's, any length, plain", lambda: theirs(plain), 2)
    short = "paper <= 10", row("paper's, <= 10 words, plain", lambda: theirs(plain, 10), 5)
    rule = "plain", row("heuristic, plain", lambda: theirs(plain_heuristic), 3)
    for name, projector, rivals in (
        ("greedy, any length", GreedyMethod(), (whole, short)),
        ("greedy, <= 10 words", GreedyMethod(max_words=10), (short,)),
        ("exact, any length", ExactMethod(), (whole, short)),
        ("heuristic", HeuristicMethod(), (rule,)),
    ):
        row(name, lambda projector=projector: ours(projector), 20, rivals)


def stream(pairs, links):
    """Files to files, links given."""
    with tempfile.TemporaryDirectory() as folder:
        write_files(folder, pairs, links)
        whole = Apart(files_to_files, folder)
        whole.run()
    seconds = whole.seconds[0] / N_STREAM
    print(Row(f"greedy, {N_STREAM:,} pairs, files to files", seconds, "", whole.peak), flush=True)


def highs(programme):
    """Seconds and optimum of each sentence."""
    if programme == "paper's":
        return lambda rows: [paper(*row) for row in rows]
    return lambda rows: [tight(alignment_options(*row)) for row in rows]


def solving(rows):
    """Exact, candidates included, against HiGHS, once a sentence and without making matrices."""
    rows = [row for row in rows if alignment_options(*row)]
    short = [row for row in rows if row[1].n_target <= PAPER_WORDS]
    for programme, some, which in (
        ("paper's", short, f", <= {PAPER_WORDS} words"),
        ("tight", rows, ""),
    ):
        rival = Apart(highs, programme)
        theirs = rival.run(some)

        def solve(row):
            return exact(alignment_options(*row))

        ours = [timed(solve, row, 20) for row in some]
        ratios = [b[0] / a[0] for a, b in zip(ours, theirs, strict=True)]
        equal = sum(abs(a[1] - b[1]) <= GAP for a, b in zip(ours, theirs, strict=True))
        each = [sum(found[0] for found in side) / len(some) for side in (theirs, ours)]
        name = f"{programme} programme{which}"
        ratio = f"{each[0] / each[1]:,.0f}x HiGHS (median {median(ratios):,.0f}x)"
        peak = traced(lambda some=some: [solve(row) for row in some])
        same = f"{equal} of {len(some)} optima as HiGHS"
        print(Row(f"HiGHS, {name}", each[0], "", rival.peak))
        print(Row(f"exact, on these{which}", each[1], ratio, peak, same), flush=True)


def aligning(pairs, lengths):
    """Encoders, in turns; returns the time of a pair's evidence."""
    fast = encoding.FAST_LAYER
    contenders = {
        "simalign, torch float32": Apart(encoding.simalign),
        "spanbridge argmax, float32": Apart(encoding.spanbridge, "float32"),
        "spanbridge argmax, int8": Apart(encoding.spanbridge, "int8"),
        f"spanbridge argmax, int8, layer {fast}": Apart(encoding.spanbridge, "int8", fast),
        "spanbridge evidence, int8 (default)": Apart(encoding.evidence),
    }
    peaks = []
    for turn in range(TURNS):
        peaks.append(encoding.peak_rate())
        for contender in contenders.values():
            contender.run(pairs[turn * N_TURN : (turn + 1) * N_TURN])
    rate = max(peaks)[0]
    cores = sorted(given for _, given in peaks)
    n = TURNS * N_TURN
    print(
        f"-- aligning: {n} pairs, layer {encoding.LAYER}, {encoding.THREADS} threads, "
        f"{cores[0]:.1f}-{cores[-1]:.1f} cores free",
        flush=True,
    )
    floor = encoding.multiply_adds(lengths) / rate / n
    print(Row(f"floor: float32 products, {rate / 1e9:.0f} G multiply-adds/s", floor))
    first, *_ = contenders.values()
    expected = list(chain(*first.results))
    for name, contender in contenders.items():
        seconds = sum(contender.seconds) / n
        ratio = f"{seconds / floor:.1f}x floor's time"
        if contender is not first:
            turns = [b / a for a, b in zip(contender.seconds, first.seconds, strict=True)]
            spread = f"{min(turns):.1f}-{max(turns):.1f}"
            ratio = f"{median(turns):.1f}x simalign ({spread}), {ratio}"
        same = ""
        if contender is not first and "layer" not in name and "argmax" in name:
            share = encoding.same_links(chain(*contender.results), expected)
            same = f"{100 * share:.2f} % of links"
        print(Row(name, seconds, ratio, contender.peak, same), flush=True)
    return seconds


def evidence_given(rows, encoded):
    """The default methods beside the time of encoding a pair."""
    labelled = [row for row in rows if row[0].source.spans]
    corpus = CorpusMethod()
    for name, function, n in (
        ("soft", lambda: [SoftMethod().project(*row) for row in labelled], len(labelled)),
        ("corpus, first pass and learning", lambda: corpus.fit(rows), len(rows)),
        ("corpus, second pass", lambda: [corpus.project(*row) for row in labelled], len(labelled)),
    ):
        seconds, _ = clock(function, 1 if n == len(rows) else 3)
        ratio = f"{encoded * n / seconds:.1f}x evidence, int8"
        print(Row(name, seconds / n, ratio, traced(function)), flush=True)


def main() -> None:
    with threadpool_limits(1, user_api="blas"):
        table()


def table():
    pairs = europarl("en", "de")
    first = pairs[: TURNS * N_TURN]
    aligner = EncoderAligner(load_encoder(layer=encoding.LAYER, threads=encoding.THREADS))
    links = aligner.align(pairs)
    evidence = aligner.evidence(first)
    texts = {text for pair in first for text in (pair.source.words, pair.target.words)}
    lengths = [len(found.states) + 2 for found in aligner.encoder.encode(sorted(texts))]
    del aligner
    rows = [(in_order(p.source.spans), found) for p, found in zip(pairs, links, strict=True)]
    rows = [row for row in rows if row[0]][:N_SLICE]
    print(f"{'':<42}{'each':>10}{'per second':>11}{'peak MB':>9}   {'ratio':<47}same")
    print(f"-- links given: {N_SLICE} sentences en-de with entities", flush=True)
    projection(rows)
    stream(pairs, links)
    print("-- exact solving, a sentence", flush=True)
    solving(rows)
    encoded = aligning(first, lengths)
    print("-- evidence given, a sentence", flush=True)
    evidence_given(list(zip(first, evidence, strict=True)), encoded)
