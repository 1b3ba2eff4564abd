"""The speeds of projection: F1 on every set, and pairs per second, of each rung of the ladder.

Prints: for each set F1 of the default method at each speed (full, full at layer 5, fast, faster,
    fastest), and the share of rows that `fast` leaves to the encoder. Sets that the package's
    encoder was trained on are projected and scored as in `accuracy`. Then, for Europarl-NER
    (English into German), pairs per second of one core after learning, with nothing remembered of
    the sample, and how many times as many as SimAlign with a script (links of `itermax`, n-grams);
    the F1 of both; and seconds of learning from 400 pairs.
Takes: about fifteen minutes of one core; `ladder en-de --rows 100`, one minute.
Data: as for `accuracy`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from threadpoolctl import threadpool_limits

from benchmarks.accuracy import f1
from benchmarks.encoding import FAST_LAYER
from benchmarks.held_out import encoder, scored, seen
from benchmarks.real_data import PAIR_SETS, europarl, gold_pairs, language_of
from benchmarks.rivals import scripted
from spanbridge import Projector
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.alignment.statistical import FusedAligner
from spanbridge.encode.load import ALIGNED, load_encoder

# Name: speed, and layer of the encoder if it is not the usual one.
RUNGS = {
    "full": ("full", None),
    f"layer {FAST_LAYER}": ("full", FAST_LAYER),
    "fast": ("fast", None),
    "faster": ("faster", None),
    "fastest": ("fastest", None),
}
NOTE = "parts_of_rows_read_by_the_encoder"


def projector(rung: str, language: str, half: bool, *, remember: bool = True) -> Projector:
    """The default method at a speed."""
    speed, layer = RUNGS[rung]
    if speed == "fastest":
        return Projector(speed=speed, languages={"target": language})
    if half or remember:
        model = encoder(half, layer)
    else:
        model = load_encoder(ALIGNED, layer=layer, threads=1, remember=False)
    aligner = FusedAligner(EncoderAligner(model))
    return Projector(aligner=aligner, speed=speed, languages={"target": language})


def print_sets(sets: Sequence[str], rows: int | None) -> None:
    """F1 of each set and rung."""
    print(f"{'':12}{'rows':>6}" + "".join(f"{rung:>9}" for rung in RUNGS) + f"{'encoded':>9}")
    for name in sets:
        pairs = gold_pairs(name)[:rows]
        counted = scored(name, pairs)
        gold, cells, encoded = [pairs[n] for n in counted], "", 0
        for rung in RUNGS:
            found = projector(rung, language_of(name), seen(name)).fit_run(pairs)
            cells += f"{f1(gold, [found[n] for n in counted]):>9.3f}"
            encoded = found.account.notes.get(NOTE, encoded)
        print(f"{name:12}{len(gold):>6}{cells}{encoded / len(pairs):>9.2f}", flush=True)


def print_speeds(rows: int | None) -> None:
    """Pairs per second of each rung on one core, beside SimAlign and a script."""
    gold = europarl("en", "de")[:rows]
    pairs = [pair.replace(target=pair.target.with_spans(())) for pair in gold]
    print(f"\n{'':28}{'pairs/s':>9}{'ratio':>8}{'F1':>8}{'learning s':>12}")
    theirs = scripted("itermax", "n-grams")
    with threadpool_limits(1):  # of torch's OpenMP too, now that it is loaded
        list(theirs(pairs[:2]))
        start = time.process_time()
        found = list(theirs(pairs))
        simalign = len(pairs) / (time.process_time() - start)
        print(f"{'simalign and n-grams':28}{simalign:>9.1f}{1:>8.1f}{f1(gold, found):>8.3f}")
        for rung in RUNGS:
            ours = projector(rung, "de", half=False, remember=False)
            start = time.process_time()
            ours.fit(pairs)
            learning = time.process_time() - start
            start = time.process_time()
            done = ours.run(pairs)
            speed = len(pairs) / (time.process_time() - start)
            print(
                f"{rung:28}{speed:>9.1f}{speed / simalign:>8.1f}{f1(gold, list(done)):>8.3f}"
                f"{learning:>12.1f}",
                flush=True,
            )


def main(sets: Sequence[str] = PAIR_SETS, rows: int = 400) -> None:
    """Print both tables."""
    print_sets(sets, rows)
    print_speeds(rows)
