"""Speed and memory of everything, side by side: one table.

Prints: a line per thing: the time of one sentence or pair, its peak of memory, how many times as
    long its rivals took in the same run, and how far the results are the same. Memory is the peak
    of what Python and NumPy allocate (links given, soft alignments given) or, where native
    libraries allocate (HiGHS, encoders, files), the growth of the resident memory of a process of
    its own. Contenders for aligning take turns, and their ratio is the median of the turns. It
    holds only where as many cores are free as there are threads, which is printed: torch's threads
    wait for each other, so beside other processes simalign slows down far more than ours, whose
    threads are independent. With --threads 1 one free core is enough. The floor is the time of the
    encoder's multiply-adds at the best rate that NumPy's product of two float32 matrices reached in
    the same run; int8 may fall below it.
Takes: about five minutes on two cores.
Data: Europarl-NER dev, English into German.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, cycle, islice
from pathlib import Path
from statistics import median

from threadpoolctl import threadpool_limits

from benchmarks import encoding
from benchmarks.apart import Apart
from benchmarks.projection import (
    N_SLICE,
    clock,
    files_to_files,
    plain,
    plain_heuristic,
    traced,
    write_bitext,
)
from benchmarks.real_data import europarl
from benchmarks.solving import GAP, PAPER_WORDS, paper, tight, tight_candidates, timed
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.encode.load import EMBEDDED
from spanbridge.projection.corpus import CorpusMethod
from spanbridge.projection.heuristic import HeuristicMethod
from spanbridge.projection.method import in_order
from spanbridge.projection.presets import ExactMethod, GreedyMethod, SoftMethod
from spanbridge.projection.solve.choice import exact

N_STREAM = 30_000
TURNS = 5
N_TURN = 40  # pairs per turn; none comes twice, for the encoder remembers sentences


@dataclass
class Row:
    """One line of the table; ``seconds`` for one sentence or pair, ``peak`` in MB."""

    what: str
    seconds: float
    ratio: str = ""
    peak: float | None = None
    same: str = ""

    def __str__(self) -> str:
        unit, times = ("us", 1e6) if self.seconds < 1e-3 else ("ms", 1e3)
        each = f"{times * self.seconds:,.1f} {unit}"
        peak = "" if self.peak is None else f"{self.peak:,.{2 if self.peak < 10 else 0}f}"
        row = f"{self.what:<42}{each:>10}{1 / self.seconds:>11,.1f}{peak:>9}"
        return f"{row}   {self.ratio:<47}{self.same}".rstrip()


def projection(given) -> None:
    """Links given, lists in and out."""

    def ours(method):
        return [[span[:3] for span in found.spans] for found in method.project(given)]

    bare = [(in_order(pair.source.spans), links.pairs, links.n_target) for pair, links in given]

    def theirs(function, *limit):
        return [function(*row, *limit) for row in bare]

    def row(name, function, repeat, rivals=()):
        seconds, found = clock(function, repeat)
        ratios = [f"{base / seconds:,.1f}x {rival}" for rival, (base, _) in rivals]
        same = ""
        if rivals:
            n_same = sum(a == b for a, b in zip(found, rivals[0][1][1], strict=True))
            same = f"{n_same} of {len(given)} as {rivals[0][0]}"
        peak = traced(function)
        print(Row(name, seconds / len(given), ", ".join(ratios), peak, same), flush=True)
        return seconds, found

    whole = "paper", row("paper's, any length, plain", lambda: theirs(plain), 2)
    short = "paper <= 10", row("paper's, <= 10 words, plain", lambda: theirs(plain, 10), 5)
    rule = "plain", row("heuristic, plain", lambda: theirs(plain_heuristic), 3)
    for name, method, rivals in (
        ("greedy, any length", GreedyMethod(), (whole, short)),
        ("greedy, <= 10 words", GreedyMethod(max_words=10), (short,)),
        ("exact, any length", ExactMethod(), (whole, short)),
        ("heuristic", HeuristicMethod(), (rule,)),
    ):
        row(name, partial(ours, method), 20, rivals)


def stream(pairs, alignments, n: int) -> None:
    """Files to files, links given."""
    rows = [
        pair.replace(links=links, target=pair.target.with_spans(()))
        for pair, links in zip(pairs, alignments, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        write_bitext(Path(folder), lambda: islice(cycle(rows), n))
        whole = Apart(files_to_files, Path(folder), {"method": "greedy", "links": "only"}, True)
        whole.run()
    seconds = whole.seconds[0] / n
    print(Row(f"greedy, {n:,} pairs, files to files", seconds, "", whole.growth), flush=True)


def highs(programme: str) -> Callable[..., object]:
    """Seconds and optimum of each sentence."""
    if programme == "paper's":
        return lambda rows: [paper(*row) for row in rows]
    return lambda rows: [tight(tight_candidates(*row)) for row in rows]


def solve(row):
    """The package's choice, candidates included."""
    return exact(tight_candidates(*row))


def solving(given) -> None:
    """Exact, candidates included, against HiGHS, once per sentence and without making matrices."""
    rows = [(in_order(pair.source.spans), links) for pair, links in given]
    rows = [row for row in rows if tight_candidates(*row)]
    short = [row for row in rows if row[1].n_target <= PAPER_WORDS]
    for programme, some, which in (
        ("paper's", short, f", <= {PAPER_WORDS} words"),
        ("tight", rows, ""),
    ):
        rival = Apart(highs, programme)
        theirs = rival.run(some)
        ours = [timed(solve, row, 20) for row in some]
        ratios = [b[0] / a[0] for a, b in zip(ours, theirs, strict=True)]
        equal = sum(abs(a[1] - b[1]) <= GAP for a, b in zip(ours, theirs, strict=True))
        each = [sum(found[0] for found in side) / len(some) for side in (theirs, ours)]
        ratio = f"{each[0] / each[1]:,.0f}x HiGHS (median {median(ratios):,.0f}x)"
        peak = traced(lambda some=some: [solve(row) for row in some])
        same = f"{equal} of {len(some)} optima as HiGHS"
        print(Row(f"HiGHS, {programme} programme{which}", each[0], "", rival.growth))
        print(Row(f"exact, on these{which}", each[1], ratio, peak, same), flush=True)


def aligning(turns, lengths: Sequence[int], threads: int) -> float:
    """Encoders, in turns; returns the time of a pair's soft alignment."""
    fast = encoding.FAST_LAYER
    contenders = {
        "simalign, torch float32": Apart(encoding.simalign, threads),
        "spanbridge argmax, float32": Apart(encoding.spanbridge, threads, "float32"),
        "spanbridge argmax, int8": Apart(encoding.spanbridge, threads, "int8"),
        f"spanbridge argmax, int8, layer {fast}": Apart(encoding.spanbridge, threads, "int8", fast),
        "spanbridge evidence, int8 (default)": Apart(encoding.soft, threads),
    }
    peaks = []
    for pairs in turns:
        peaks.append(encoding.peak_rate(threads))
        for contender in contenders.values():
            contender.run(pairs)
    rate = max(peaks)[0]
    cores = sorted(given for _, given in peaks)
    n = sum(map(len, turns))
    print(
        f"-- aligning: {n} pairs, layer {encoding.LAYER}, {threads} threads, "
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
            ratios = [b / a for a, b in zip(contender.seconds, first.seconds, strict=True)]
            spread = f"{min(ratios):.1f}-{max(ratios):.1f}"
            ratio = f"{median(ratios):.1f}x simalign ({spread}), {ratio}"
        same = ""
        if contender is not first and "layer" not in name and "argmax" in name:
            share = encoding.same_links(chain(*contender.results), expected)
            same = f"{100 * share:.2f} % of links"
        print(Row(name, seconds, ratio, contender.growth, same), flush=True)
    return seconds


def soft_given(rows, encoded: float) -> None:
    """The default methods beside the time of encoding a pair."""
    labelled = [row for row in rows if row[0].source.spans]
    soft, corpus = SoftMethod(), CorpusMethod()
    for name, function, n in (
        ("soft", lambda: soft.project(labelled), len(labelled)),
        ("corpus, first pass and learning", lambda: corpus.fit(rows), len(rows)),
        ("corpus, second pass", lambda: corpus.project(labelled), len(labelled)),
    ):
        seconds, _ = clock(function, 1 if n == len(rows) else 3)
        ratio = f"{encoded * n / seconds:.1f}x evidence, int8"
        print(Row(name, seconds / n, ratio, traced(function)), flush=True)


def main(
    threads: int = 2,
    sentences: int = N_SLICE,
    streamed: int = N_STREAM,
    turns: int = TURNS,
    per_turn: int = N_TURN,
    rows: int | None = None,
) -> None:
    """Print the table."""
    pairs = europarl("en", "de")[:rows]
    with threadpool_limits(1, user_api="blas"):
        table(pairs, threads, sentences, streamed, turns, per_turn)


def table(pairs, threads: int, sentences: int, streamed: int, turns: int, per_turn: int) -> None:
    """Print the table, section by section."""
    first = pairs[: turns * per_turn]
    aligner = EncoderAligner(EMBEDDED, layer=encoding.LAYER, threads=threads)
    links = aligner.align(pairs)
    both = [row for row in zip(pairs, links, strict=True) if row[0].source.spans][:sentences]
    soft = aligner.soft_align(first)
    texts = {text for pair in first for text in (pair.source.words, pair.target.words)}
    lengths = [len(found.states) + 2 for found in aligner.encoder.encode(sorted(texts))]
    del aligner
    print(f"{'':<42}{'each':>10}{'per second':>11}{'peak MB':>9}   {'ratio':<47}same")
    print(f"-- links given: {len(both)} sentences en-de with entities", flush=True)
    projection(both)
    stream(pairs, links, streamed)
    print("-- exact solving, per sentence", flush=True)
    solving(both)
    slices = [first[at : at + per_turn] for at in range(0, len(first), per_turn)]
    encoded = aligning(slices, lengths, threads)
    print("-- soft alignment (evidence) given, per sentence", flush=True)
    soft_given(list(zip(first, soft, strict=True)), encoded)
