"""``spanbridge study``."""

from __future__ import annotations

import sys

import click

from spanbridge.cli import options as opt
from spanbridge.cli import running
from spanbridge.cli.terminal import complain, say, say_json


@click.command(
    epilog="""\b
A study file:
  data:
    - name: news
      languages: [de, es]
      files: {source: en.conll, target: "{language}.conll"}
  systems:
    soft:
      steps: [{project: {method: soft}}]
    greedy:
      steps: [{project: {method: greedy}}]
    theirs:
      predictions: "theirs/{language}.conll"

\b
Examples:
  spanbridge study study.yaml --check --estimate 20
  spanbridge study study.yaml --workers 4
  spanbridge study study.yaml --write-inputs inputs
  spanbridge study study.yaml --shard $SLURM_ARRAY_TASK_ID/20

Everything is checked before anything runs. Each cell (a system on a data set in a language) is kept
by its content: after an interruption at any moment, the same command resumes and ends with the same
bytes, and a change redoes only what depends on it. What several systems share, such as a
translation, is computed once. A cell that fails stops no other. docs/study.md lists all settings.
Exit code 0: all cells are done; 1: some failed; 2: the study is wrong.
"""
)
@click.argument("study", metavar="STUDY.yaml")
@click.option(
    "-o", "--output", metavar="FOLDER", help="Folder of the results (default: STUDY.study)."
)
@click.option("--check", is_flag=True, help="Check the study and load the models; run nothing.")
@click.option(
    "--estimate",
    type=click.IntRange(min=1),
    metavar="ROWS",
    help="[--check] Try all steps on so many rows of each text, to say how long they will take.",
)
@click.option(
    "--partial",
    is_flag=True,
    help="Run the cells that can be run, though the check found problems with others.",
)
@click.option(
    "--write-inputs",
    "inputs",
    metavar="FOLDER",
    help="Write the texts as systems get them, for predictions that are made elsewhere; run "
    "nothing.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Number of processes.",
)
@click.option(
    "--shard",
    "part",
    default="1/1",
    metavar="i/n",
    help="Run only the i-th of n parts, on one of n machines that share the folder.",
)
@opt.json_option
@opt.quiet_option
def command(
    study: str,
    output: str | None,
    check: bool,
    estimate: int | None,
    partial: bool,
    inputs: str | None,
    workers: int,
    part: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run a grid of systems, data sets, languages, seeds and perturbations, and report on it."""
    from spanbridge.study.check import check_plan
    from spanbridge.study.plan import make_plan
    from spanbridge.study.study import run_plan, to_check, write_study_inputs
    from spanbridge.study.study_file import read_study

    if estimate is not None and not check:
        raise click.UsageError("--estimate goes with --check")
    mine, progress = _part(part), running.progress(quiet)
    if inputs is not None:
        if check:
            raise click.UsageError("--check and --write-inputs are two things; give one of them")
        written = write_study_inputs(study, inputs, progress)
        if as_json:
            say_json([str(path) for path in written])
        elif not quiet:
            say(f"texts in {inputs}: {len(written)}", err=True)
        return
    plan = make_plan(read_study(study, output))
    if check or to_check(plan, mine):
        found = check_plan(plan, estimate=estimate or 0, progress=progress)
        if check:
            say_json(found.to_dict()) if as_json else say(found.text())
            sys.exit(2 if found.problems else 0)
        if found.problems and not partial:
            say(found.told_problems(), err=True)
            complain("nothing was run; mend it, or run what can be run with --partial")
            sys.exit(2)
    done = run_plan(plan, workers, mine, progress)
    if as_json:
        say_json(done.to_dict())
    elif not quiet:
        say(done.text(), err=True)
    sys.exit(0 if done.sound else 1)


def _part(text: str) -> tuple[int, int]:
    """The i-th of n parts, from ``i/n``."""
    i, _, n = text.partition("/")
    if not (i.isdecimal() and n.isdecimal() and 1 <= int(i) <= int(n)):
        raise click.UsageError(f"--shard {text}: write i/n with 1 <= i <= n, such as 3/20")
    return int(i), int(n)
