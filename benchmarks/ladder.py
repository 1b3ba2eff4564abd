"""The speeds of projection: F1 on every set, of each rung of the ladder.

Prints: for each set F1 of the default method at each speed (full, full at layer 5, fast, faster,
    fastest), and the share of rows that `fast` leaves to the encoder. Sets that the package's
    encoder was trained on are projected and scored as in `accuracy`.
    How many pairs per second each does: `rungs`.
Takes: about ten minutes of one core; `ladder en-de --rows 100`, one minute.
Data: as for `accuracy`.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.accuracy import f1
from benchmarks.encoding import FAST_LAYER
from benchmarks.held_out import encoder, scored, seen
from benchmarks.real_data import PAIR_SETS, gold_pairs, language_of
from spanbridge import Projector
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.alignment.statistical import FusedAligner
from spanbridge.encode import Encoder

# Name: speed, and layer of the encoder if it is not the usual one.
RUNGS = {
    "full": ("full", None),
    f"layer {FAST_LAYER}": ("full", FAST_LAYER),
    "fast": ("fast", None),
    "faster": ("faster", None),
    "fastest": ("fastest", None),
}
NOTE = "parts_of_rows_read_by_the_encoder"


def projector(rung: str, language: str, model: Encoder) -> Projector:
    """The default method at a speed."""
    speed, _ = RUNGS[rung]
    aligner = None if speed == "fastest" else FusedAligner(EncoderAligner(model))
    return Projector(aligner=aligner, speed=speed, languages={"target": language})


def main(sets: Sequence[str] = PAIR_SETS, rows: int = 300) -> None:
    """Print the table."""
    print(f"{'':12}{'rows':>6}" + "".join(f"{rung:>9}" for rung in RUNGS) + f"{'encoded':>9}")
    for name in sets:
        pairs = gold_pairs(name)[:rows]
        counted = scored(name, pairs)
        gold, cells, encoded = [pairs[n] for n in counted], "", 0
        for rung in RUNGS:
            model = encoder(seen(name), RUNGS[rung][1])
            found = projector(rung, language_of(name), model).fit_run(pairs)
            cells += f"{f1(gold, [found[n] for n in counted]):>9.3f}"
            encoded = found.account.notes.get(NOTE, encoded)
        print(f"{name:12}{len(gold):>6}{cells}{encoded / len(pairs):>9.2f}", flush=True)
