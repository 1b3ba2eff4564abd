"""A simulated chat model as a server, for studies and trials by hand: it answers from gold.

Prints: the address of the server, to be named as `url`; it answers until it is interrupted. It
    knows the set of `--gold` (a name as in `refine`, or a file of pairs with spans on both sides),
    is right in `--right` of 100 cases, and fails in `--failing` of 100, in every way alike.
Takes: as long as you like.
Data: as for `refine`; none if `--gold` is a file.
"""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.chat_server import serving
from benchmarks.real_data import gold_pairs
from benchmarks.simulated_model import FAULTS, SimulatedModel
from spanbridge import read_pairs


def model(gold: str, right: int, failing: int, seed: int) -> SimulatedModel:
    """The model that knows a set or a file."""
    rows = list(read_pairs(gold)) if Path(gold).exists() else gold_pairs(gold)
    faults = {name: failing / 100 / len(FAULTS) for name in FAULTS}
    return SimulatedModel(rows, right=right / 100, faults=faults, seed=seed)


def main(
    gold: str = "en-de", right: int = 92, failing: int = 0, port: int = 0, seed: int = 0
) -> None:
    """Serve until interrupted."""
    with serving(model(gold, right, failing, seed), port) as (url, seen):
        print(url, flush=True)
        try:
            while True:
                time.sleep(1)
        except KeyboardInterrupt:
            print(f"{len(seen)} requests")
