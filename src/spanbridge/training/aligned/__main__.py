"""Make the aligned encoder: prepare, train, pack.

``make aligned-encoder`` runs all three. ``prepare`` reads the data and aligns it (an hour of one
core), ``train`` needs minutes on a GPU or hours on a CPU, ``pack`` writes the package's files.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from spanbridge.core.progress import T, Task, View, watched

SHOW_SECONDS = 20.0


def shown(items: Iterable[T], task: Task, /) -> Iterable[T]:
    """Pass on items, and print how far the work is."""
    return watched(items, task, [View(lambda task, now: print(task.text(now)), SHOW_SECONDS)])


def main() -> None:
    """Run one of the three stages."""
    parser = argparse.ArgumentParser("python -m spanbridge.training.aligned", description=__doc__)
    stages = parser.add_subparsers(dest="stage", required=True)
    prepare = stages.add_parser("prepare", help="read the data, align it, cut it into subwords")
    prepare.add_argument("data", type=Path, help="folder with xsid, pud, relx, xquad, abstrct")
    prepare.add_argument("manuals", type=Path, help="folder with the unpacked manuals")
    train = stages.add_parser("train", help="tune the encoder")
    train.add_argument("--base", type=Path, help="checkpoint; by default the embedded encoder")
    train.add_argument("--epochs", type=int, default=4, help="passes over the data (default 4)")
    train.add_argument("--rate", type=float, default=1e-4, help="peak learning rate (default 1e-4)")
    train.add_argument("--links", type=float, default=0.5, help="weight of links (default .5)")
    train.add_argument("--choice", type=float, default=1.0, help="weight of choice (default 1)")
    train.add_argument("--device", default="", help="such as cpu or cuda; by default a GPU if any")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument(
        "--hold-out",
        type=float,
        default=0.0,
        help="share of the labelled English sentences that are left out, to measure with them",
    )
    train.add_argument("--without", default="", help="sets to leave out, such as xsid/en2tr,pud/*")
    pack = stages.add_parser("pack", help="write the result into the package")
    for stage in (prepare, train, pack):
        stage.add_argument("work", type=Path, help="folder of what is made")
    options = parser.parse_args()
    if options.stage == "prepare":
        from spanbridge.training.aligned.preparing import prepare as make

        make(options.data, options.manuals, options.work, shown)
    elif options.stage == "train":
        from spanbridge.training.aligned.objective import LossWeights
        from spanbridge.training.aligned.tuning import TuningSettings, tune

        settings = TuningSettings(
            epochs=options.epochs,
            learning_rate=options.rate,
            weights=LossWeights(links=options.links, choice=options.choice),
            seed=options.seed,
            hold_out=options.hold_out,
            without=tuple(filter(None, options.without.split(","))),
        )
        tune(options.work, settings, options.base, options.device, shown)
    else:
        from spanbridge.training.aligned.preparing import pack as write

        write(options.work)


if __name__ == "__main__":
    main()
