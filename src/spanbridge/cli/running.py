"""Runs that the subcommands start, with their progress and reports."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

import click

from spanbridge.cli.terminal import say, say_json, show_passing
from spanbridge.core.progress import Notice, Progress, Task, silent, watched
from spanbridge.core.standard import STANDARD

T = TypeVar("T")


def check_streams(output: str | None, as_json: bool) -> None:
    """Refuse two things on standard output."""
    if output == STANDARD and as_json:
        raise click.UsageError("--json and the result cannot both go to standard output")


def run_or_show(pipeline: Any, given: dict[str, Any]) -> None:
    """Run a pipeline, or print it as a pipeline file."""
    if given["show_config"]:
        click.echo(pipeline.text(), nl=False)
    else:
        run_pipeline(pipeline, given["as_json"], given["quiet"])


def stream(
    settings: dict[str, Any],
    given: dict[str, Any],
    keep: str | None = None,
    explanation: str | None = None,
) -> None:
    """Run a pipeline of one step from files to a file, and report."""
    from spanbridge.run.config import make_pipeline
    from spanbridge.run.stream import run

    check_streams(settings["output"], given["as_json"])
    job = make_pipeline(settings).job(keep=keep, explanation=explanation)
    done, reports = run(job, progress(given["quiet"]))
    for report in reports:
        for part, licence in report.licences.items():
            if not (given["as_json"] or given["quiet"]):
                say(f"licence of the {part}: {licence}", err=True)
    if given["as_json"]:
        say_json(done.to_dict())
    elif not given["quiet"]:
        say(done.text(), err=True)


def run_pipeline(pipeline: Any, as_json: bool, quiet: bool) -> None:
    """Run a pipeline in shards, and report each step and the whole."""
    from spanbridge.run.shards import run

    check_streams(pipeline.settings.output, as_json)
    done, reports = run(pipeline.job(), progress(quiet))
    if as_json:
        steps = [report.to_dict() for report in reports]
        say_json({**done.to_dict(), "steps": steps})
    elif not quiet:
        say("\n".join(report.text() for report in reports), err=True)
        say(f"result\n{done.text()}", err=True)


def progress(quiet: bool) -> Progress:
    """Progress on standard error: a line that changes on a terminal, elsewhere one each minute."""
    if quiet:
        return silent
    shown = (show_passing, 0.5) if sys.stderr.isatty() else (partial(say, err=True), 60.0)

    def show(items: Iterable[T], task: Task) -> Iterator[T]:
        if isinstance(task, Notice):
            say(task.doing, err=True)
            yield from items
            return
        try:
            yield from watched(items, task, *shown)
        finally:
            show_passing("")

    return show


def tell_epoch(figures: Mapping[str, float]) -> None:
    """Print the figures of an epoch of a training."""
    say(", ".join(f"{name} {value:.4g}" for name, value in figures.items()), err=True)
