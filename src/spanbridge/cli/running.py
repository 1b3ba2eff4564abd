"""Runs that the subcommands start, with their progress and reports."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from spanbridge.cli.terminal import moves_back, say, say_json, show_passing
from spanbridge.core.errors import InputError
from spanbridge.core.files import check_named, real_path, reason
from spanbridge.core.progress import Notice, Progress, Task, View, silent, watched
from spanbridge.core.standard import STANDARD

T = TypeVar("T")
Log = Callable[[Mapping[str, Any]], None]

# Seconds between two states of a terminal's screen, and between two in a file or a log.
_SOON, _MINUTE = 0.5, 60.0

log_option = click.option(
    "--log",
    metavar="FILE",
    help="Add a line of JSON to FILE each minute, and one at the end: rows per second, time left, "
    "seconds of each step, failures by reason, workers, cost (docs/run.md).",
)


def check_streams(output: str | None, as_json: bool) -> None:
    """Refuse two things on standard output."""
    if output == STANDARD and as_json:
        raise click.UsageError("--json and the result cannot both go to standard output")


def run_or_show(pipeline: Any, given: dict[str, Any]) -> None:
    """Run a pipeline, or print it as a pipeline file."""
    if given["show_config"]:
        click.echo(pipeline.text(), nl=False)
    else:
        run_pipeline(pipeline, given["as_json"], given["quiet"], given["log"])


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
    with _logging(given["log"], job) as log:
        done, reports = run(job, progress(given["quiet"], log))
        whole = _whole(done)
        log({"doing": "result", **whole})
    for report in reports:
        for part, licence in report.licences.items():
            if not (given["as_json"] or given["quiet"]):
                say(f"licence of the {part}: {licence}", err=True)
    if given["as_json"]:
        say_json(whole)
    elif not given["quiet"]:
        say(done.text(), err=True)


def run_pipeline(pipeline: Any, as_json: bool, quiet: bool, to: str | None = None) -> None:
    """Run a pipeline in shards, and report each step and the whole.

    Args:
        pipeline: the pipeline.
        as_json: print the report as JSON.
        quiet: print nothing else.
        to: file for a line of JSON each minute.
    """
    from spanbridge.run.shards import run

    check_streams(pipeline.settings.output, as_json)
    job = pipeline.job()
    with _logging(to, job) as log:
        done, reports = run(job, progress(quiet, log))
        whole = {**_whole(done), "steps": [report.to_dict() for report in reports]}
        log({"doing": "result", **whole})
    if as_json:
        say_json(whole)
    elif not quiet:
        say("\n".join(report.text() for report in reports), err=True)
        say(f"result\n{done.text()}", err=True)


def _whole(done: Any) -> dict[str, Any]:
    """The result of a run and what it has cost, for JSON."""
    return {**done.to_dict(), "cost": done.cost.to_dict()}


def progress(quiet: bool, log: Log | None = None) -> Progress:
    """Progress on standard error: a screen that changes on a terminal, elsewhere lines each minute.

    Args:
        quiet: show nothing.
        log: function that gets a record each minute in any case.
    """
    views: list[View] = []
    if not quiet and moves_back(sys.stderr):
        views.append(View(lambda task, now: show_passing(task.text(now)), _SOON))
    elif not quiet:
        views.append(View(lambda task, now: say(task.text(now), err=True), _MINUTE))
    if log is not None:
        views.append(View(lambda task, now: log(task.record(now)), _MINUTE))
    return shown_in(views, quiet) if views else silent


def shown_in(views: Sequence[View], quiet: bool = False) -> Progress:
    """Progress in some views; what was on the terminal is removed at the end.

    Notices are printed, unless ``quiet``.
    """

    def show(items: Iterable[T], task: Task) -> Iterator[T]:
        if isinstance(task, Notice):
            if not quiet:
                say(task.doing, err=True)
            yield from items
            return
        try:
            yield from watched(items, task, views)
        finally:
            show_passing("")

    return show


@contextmanager
def _logging(path: str | None, job: Any) -> Iterator[Log]:
    """Add records to a file, each with its time on a line of JSON, as they come.

    Args:
        path: the file; None to add them to nothing.
        job: the run that they are about.

    Raises:
        InputError: the file cannot be written.
        click.UsageError: the run reads or writes it itself.
    """
    if path is None:
        yield lambda _: None
        return
    from spanbridge.run.result import manifest_path, rejects_path

    check_named(path)
    own = (job.output, manifest_path(job.output), rejects_path(job.output), job.explanation)
    for other in (*own, *job.inputs.values(), *job.input_files):
        if other is not None and real_path(path) == real_path(other):
            raise click.UsageError(f"--log {path} is a file of the run itself; name another")
    with ExitStack() as stack:
        try:
            # a line that is written is there, whatever happens next
            file = stack.enter_context(open(path, "a", encoding="utf-8", buffering=1))
        except (OSError, ValueError) as error:
            raise InputError(path, None, f"cannot be written ({reason(error)})") from error

        def add(record: Mapping[str, Any]) -> None:
            at = datetime.now(UTC).isoformat(timespec="seconds")
            file.write(json.dumps({"at": at, **record}, ensure_ascii=False) + "\n")

        yield add


def tell_epoch(figures: Mapping[str, float]) -> None:
    """Print the figures of an epoch of a training."""
    say(", ".join(f"{name} {value:.4g}" for name, value in figures.items()), err=True)
