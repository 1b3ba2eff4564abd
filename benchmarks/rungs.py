"""The speeds of projection on one core, beside SimAlign, AWESoME and eflomal.

Prints: pairs per second of one core once models are loaded and the bitext has been learned from;
    how many times as many as SimAlign; F1 of what is projected; the growth of resident memory; the
    share of the floor, which is the time of the encoder's multiply-adds at the best rate that
    NumPy's product of two float32 matrices reaches here (int8 may exceed it); and seconds of
    processor time for learning. Ours are the rungs of `ladder`; what the encoder remembers of the
    sample is forgotten before the rows are projected, and no alignments are kept. SimAlign
    (itermax) and AWESoME (softmax) have the embedded encoder's weights and layer, in float32, as
    eflomal (which learns from the pairs as it aligns them) each with the paper's n-grams, greedy.
    Time is processor time, children's included, in one thread.
Takes: about eight minutes of one core. eflomal is installed below .bench on first use.
Data: Europarl-NER dev, English into German; the aligner has seen none of it.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterable, Sequence

from threadpoolctl import threadpool_limits

from benchmarks import others
from benchmarks.accuracy import f1
from benchmarks.apart import Apart
from benchmarks.encoding import multiply_adds, peak_rate
from benchmarks.ladder import RUNGS, projector
from benchmarks.projection import plain
from benchmarks.real_data import europarl
from spanbridge import SentencePair, Span
from spanbridge.encode.load import ALIGNED, EMBEDDED, load_encoder
from spanbridge.projection.method import in_order
from spanbridge.steps import chain

# Seconds of processor time of learning and of projecting, and the rows.
Measured = tuple[float, float, list[SentencePair]]
Way = Callable[[Sequence[SentencePair]], Measured]


def processor_time() -> float:
    """Seconds of this process and of those that it has started."""
    of = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in of)


def scripted(name: str) -> Way:
    """An aligner of others, and n-grams."""
    aligner: others.Aligner = getattr(others, name)()
    _one_thread()
    if name != "eflomal":
        aligner(europarl("en", "es")[-2:])

    def way(pairs: Sequence[SentencePair]) -> Measured:
        start = processor_time()
        found = []
        for pair, links in zip(pairs, aligner(pairs), strict=True):
            spans = plain(in_order(pair.source.spans), links, len(pair.target.words))
            kept = tuple(Span(*span) for span in spans)
            found.append(pair.replace(target=pair.target.with_spans(kept)))
        return 0.0, processor_time() - start, found

    return way


def rung(name: str) -> Way:
    """The default method at a speed."""
    model = load_encoder(ALIGNED, layer=RUNGS[name][1], threads=1)
    ours = projector(name, "de", model)
    _one_thread()
    chain.MAX_MET = 0  # as in a larger file: no alignment is kept from the learning

    def way(pairs: Sequence[SentencePair]) -> Measured:
        start = processor_time()
        ours.fit(pairs)
        model.forget()
        learned = processor_time()
        found = list(ours.run(pairs))
        return learned - start, processor_time() - learned, found

    return way


def _one_thread() -> None:
    """Keep what torch and NumPy do to one thread, for the rest of this process."""
    threadpool_limits(1)


WAYS: dict[str, tuple[Callable[[str], Way], str]] = {
    **{f"{name}, n-grams": (scripted, name) for name in ("simalign", "awesome", "eflomal")},
    **{name: (rung, name) for name in RUNGS},
}


def subwords(pairs: Iterable[SentencePair]) -> list[int]:
    """Number of subwords of each text, with the two at its ends."""
    encoder = load_encoder(EMBEDDED, threads=1)
    texts = {words for pair in pairs for words in (pair.source.words, pair.target.words)}
    return [len(encoder.subwords(words)) + 2 for words in texts]


def main(rows: int = 400) -> None:
    """Print the table."""
    gold = europarl("en", "de")[:rows]
    pairs = [pair.replace(target=pair.target.with_spans(())) for pair in gold]
    floor = multiply_adds(subwords(pairs)) / peak_rate(1)[0] / len(pairs)
    print(f"{len(pairs)} pairs; floor: {1000 * floor:.1f} ms a pair")
    heads = ("pairs/s", "ratio", "F1", "peak MB", "of floor", "learning s")
    print(" " * 22 + "".join(f"{head:>11}" for head in heads))
    first = 0.0
    for name, (prepare, what) in WAYS.items():
        contender = Apart(prepare, what)
        learning, seconds, found = contender.run(pairs)
        contender.close()
        speed = len(pairs) / seconds
        first = first or speed
        print(
            f"{name:22}{speed:>11.1f}{speed / first:>11.1f}{f1(gold, found):>11.3f}"
            f"{contender.growth:>11.0f}{floor * speed:>11.2f}{learning:>11.1f}",
            flush=True,
        )
