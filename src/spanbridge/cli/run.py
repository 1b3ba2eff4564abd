"""``spanbridge run``."""

from __future__ import annotations

from typing import Any

import click

from spanbridge.cli import options as opt
from spanbridge.cli import running
from spanbridge.cli.shard_options import PLACED, shard_options
from spanbridge.cli.terminal import say


@click.command(
    epilog="""\b
A pipeline file:
  input: posts.txt              # or a .conll, a .jsonl of pairs, or {source: FILE, target: FILE}
  side: target                  # the side of a single file
  languages: {target: es, source: en}
  output: posts.jsonl
  steps:
    - split                                        # NAME, or NAME: {SETTING: VALUE}
    - translate: {translator: apertium}            # a part: NAME, or NAME: {OPTION: VALUE}
    - tag: {tagger: {checkpoint: {model: en-tagger}}}
    - project: {method: corpus, aligner: fused}
    - join

\b
Examples:
  spanbridge run pipeline.yaml --check
  spanbridge run pipeline.yaml
  spanbridge run pipeline.yaml --workers 8 --log run.log.jsonl
  spanbridge run pipeline.yaml --work s3://bucket/run --workers 8
  RAY_ADDRESS=10.0.0.1:6379 spanbridge run pipeline.yaml --engine ray

Everything is checked before anything runs. After an interruption at any moment, the same command
resumes and ends with the same bytes; a changed setting redoes only what depends on it. docs/run.md
lists steps and settings.
"""
)
@click.argument("pipeline", metavar="PIPELINE.yaml")
@click.option("--check", is_flag=True, help="Check the pipeline and load the models; run nothing.")
@shard_options
@running.log_option
@opt.json_option
@opt.quiet_option
def command(pipeline: str, check: bool, as_json: bool, quiet: bool, **given: Any) -> None:
    """Run any pipeline of steps, in shards, so that an interrupted run can be resumed."""
    from spanbridge.run.config import read_pipeline

    made = read_pipeline(pipeline, **opt.take(given, PLACED))
    if check:
        job = made.job()
        job.check_work()
        for n, step in enumerate(job.open_steps(), 1):
            say(f"{n} {step.describe()}")
        return
    running.run_pipeline(made, as_json, quiet, given["log"])
