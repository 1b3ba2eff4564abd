"""Time and memory of whole corpus runs, files to files, as the bitext grows.

Prints: a line per size: seconds, milliseconds per pair, and the peak of resident memory; each size
    runs in a process of its own.
Takes: about five minutes, without encoder and up to 100,000 pairs.
Data: Europarl-NER dev sentences, joined two by two at random so that no two pairs are the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.apart import Apart
from benchmarks.projection import files_to_files, write_bitext
from benchmarks.real_data import europarl
from spanbridge import Sentence, SentencePair

SIZES = (1000, 10_000, 30_000, 100_000)
HALF = 14  # words; longer sentences are left out, so that pairs are of ordinary length


def join(a: Sentence, b: Sentence) -> Sentence:
    """Two sentences as one."""
    n = len(a.words)
    moved = tuple(span._replace(start=span.start + n, end=span.end + n) for span in b.spans)
    return Sentence(a.words + b.words, a.spans + moved)


def bitext(short: Sequence[SentencePair], n: int) -> Iterator[SentencePair]:
    """Pairs of joined sentences, the same ones each time."""
    rng = random.Random(0)
    for k in range(n):
        a, b = rng.choice(short), rng.choice(short)
        target = join(a.target, b.target).with_spans(())
        yield SentencePair(str(k), join(a.source, b.source), target)


def main(sizes: Sequence[int] = SIZES, aligner: str = "statistical") -> None:
    """Print the table."""
    short = [p for p in europarl("en", "de") if 0 < len(p.source.words) <= HALF]
    print(
        f"{'aligner':<12}{'pairs':>9}{'seconds':>10}{'ms per pair':>12}{'peak MB':>10}", flush=True
    )
    for n in sizes:
        with TemporaryDirectory() as folder:
            write_bitext(Path(folder), partial(bitext, short, n))
            step = {"method": "corpus", "aligner": aligner}
            apart = Apart(files_to_files, Path(folder), step, False)
            assert apart.run()["rows"] == n
        seconds = apart.seconds[0]
        each = 1000 * seconds / n
        print(f"{aligner:<12}{n:>9}{seconds:>10.1f}{each:>12.2f}{apart.peak:>10.0f}", flush=True)
