"""Options of commands that run in shards: where processes are, and what a route needs."""

from __future__ import annotations

from typing import get_args

import click

from spanbridge.cli import options as opt
from spanbridge.core.resources import EngineName

_workers = click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Number of processes (default 1; with --engine ray as many as there is room for), each "
    "with models of its own and its share of the cores. The result is the same for any number. "
    "The same command on other machines that share the folder of shards (--work) helps as well.",
)

_engine = click.option(
    "--engine",
    type=click.Choice(get_args(EngineName)),
    help="Where the processes are: on this machine (local, the default), or on the cluster of Ray "
    "that RAY_ADDRESS names (ray; without an address one is started here for the run). All nodes "
    "share the folder of shards. The result is the same.",
)

_patience = click.option(
    "--patience",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="Minutes after which one of the --workers (or of Ray's) that has passed no row is taken "
    "to hang: it is ended, and another makes its shard (default 120). Loading and learning do not "
    "count.",
)

_work = click.option(
    "--work",
    metavar="FOLDER",
    help="Folder of shards, from which an interrupted run goes on, and which machines share: a "
    "folder of a file system, or an address such as s3://bucket/run (default: beside the output).",
)

# Names of settings of `shard_options`.
PLACED = ("work", "workers", "engine", "patience")
# Names of the settings of a run that its steps do not depend on.
OF_RUN = ("shard_rows", *PLACED, "log", "as_json", "quiet")
shard_options = opt.stack([_work, _workers, _engine, _patience])

route_options = opt.stack(
    [
        opt.translator_options,
        click.option(
            "--method",
            metavar="NAME",
            default="corpus",
            help=f"Projection method. {opt.listed('method', but='chat')}. A chat model is asked by "
            "`project --refine chat` and in pipelines (docs/chat.md).",
        ),
        opt.aligner_option,
        opt.encoder_option,
        opt.min_confidence_option,
        opt.least_parallel_option,
        click.option(
            "--shard-rows",
            type=click.IntRange(1, 1_000_000),
            help="Rows per shard (default 2000): bounds memory, and the loss when a run is killed.",
        ),
        shard_options,
    ]
)
