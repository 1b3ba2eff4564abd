"""The streaming runner: rows pass all steps in batches, and go straight to the output."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from spanbridge.core.files import alone, atomic_output
from spanbridge.core.progress import Progress, Task, silent
from spanbridge.core.rows import SentencePair
from spanbridge.formats.base import Counts
from spanbridge.run.board import Board
from spanbridge.run.costs import LOOKED_AT, UNTOLD, Costs
from spanbridge.run.job import Job, deterministic, records, signature_of
from spanbridge.run.reports import Meter, StepReport
from spanbridge.run.result import Run, finish, open_result, whole_account
from spanbridge.run.sample import FIT_ROWS, sampled
from spanbridge.steps.account import Account
from spanbridge.steps.base import CHUNK, QUICK_CHUNK, Step, chunks
from spanbridge.steps.raw_text import in_plain_words


@deterministic
def run(job: Job, progress: Progress = silent) -> tuple[Run, list[StepReport]]:
    """Run a pipeline from files to a file; memory is bounded by the sample that steps learn from.

    The input is checked before the long work begins.

    Returns:
        The result, and the figures of each step.

    Raises:
        InputError: the input is wrong; nothing is written then.
        SpanbridgeError: a setting is wrong, or the output's format cannot hold a row.
    """
    with ExitStack() as stack:
        for place in filter(None, (job.output, job.keep)):
            stack.enter_context(alone(place))
        return _run(job, progress)


def _run(job: Job, progress: Progress) -> tuple[Run, list[StepReport]]:
    counts, account, meter = Counts(), Account(), Meter()
    with ExitStack() as stack:
        explain = None
        if job.explanation is not None:
            explain = partial(print, file=stack.enter_context(atomic_output(job.explanation)))
        write = stack.enter_context(
            open_result(
                job.output, job.output_format, job.output_side, lambda: account, **job.writing
            )
        )
        total = _count(job, counts, progress) if job.slow else None
        steps = job.open_steps()
        if job.keep is not None:
            for step in steps:
                step.check_fit()
        if total is None and any(step.learns or step.asks for step in steps):
            total = _count(job, counts, progress)
        costs = Costs.shown(total or 0, progress)
        reports = [StepReport.of(step) for step in steps]
        parts = [step.signature_parts() for step in steps]
        n_learned = learn(
            steps, lambda: job.open_rows(None), total or 0, job.fit_rows, progress, reports, costs
        )
        if job.keep is not None:
            for step in steps:
                step.save(job.keep)
        rows = run_steps(steps, job.open_rows(counts if total is None else None), reports, costs)
        name = "+".join(step.name for step in steps)
        task = Task(name, total, board=Board(reports))
        for pair in progress(rows, task):
            write(_without_explanation(in_plain_words(pair), explain))
        account = whole_account(reports, counts.notes())
    line = signature_of(steps, parts, n_learned, job.reading)
    kept = {**records(steps), **job.pipeline}
    done = finish(job.output, job.inputs, line, account, kept, job.explanation)
    return replace(done, cost=meter.cost(reports[-1].rows, reports)), reports


def _count(job: Job, counts: Counts, progress: Progress) -> int:
    """Number of rows; reading them all checks the input."""
    return sum(1 for _ in progress(job.open_rows(counts), Task("read")))


def _without_explanation(
    pair: SentencePair, explain: Callable[[str], object] | None
) -> SentencePair:
    """The row without its explanation, which is written to its own file."""
    if explain is None or pair.explanation is None:
        return pair
    for line in pair.explanation:
        explain(line)
    return pair._replace(explanation=None)


def learn(
    steps: Sequence[Step],
    open_rows: Callable[[], Iterable[SentencePair]],
    total: int,
    limit: int = FIT_ROWS,
    progress: Progress = silent,
    reports: Sequence[StepReport] = (),
    costs: Costs = UNTOLD,
) -> int:
    """Let the steps learn from a sample of the rows, each from the output of the steps before.

    Those that bring examples learn from these. What the first step, and those that learn, will ask
    of chat models is told by the sample.

    Returns:
        The number of input rows that were learned from.
    """
    learners = [n for n, step in enumerate(steps) if step.learns]
    if not total or not (learners or steps[0].asks):
        return 0
    own = {n: step.examples(open_rows()) for n, step in enumerate(steps) if step.learns}
    last = max((n for n in learners if own[n] is None), default=-1)
    most = limit if last >= 0 else LOOKED_AT * steps[0].asks
    wanted = {n for block in sampled(total, most) for n in block}
    sample = [row for n, row in enumerate(open_rows()) if n in wanted] if wanted else []
    n_looked_at = len(sample)
    for n, step in enumerate(steps):
        if step.learns:
            examples = own[n]
            started = time.monotonic()
            rows = sample if examples is None else passed(steps[:n], examples, costs)
            step.fit(rows, progress)
            if reports:
                reports[n].learning += time.monotonic() - started
        if n <= max(last, 0):
            costs.foretell(n, step, sample, n_looked_at)
        if n < last:
            sample = passed([step], sample)
    return n_looked_at if last >= 0 else 0


def passed(
    steps: Sequence[Step], rows: Iterable[SentencePair], costs: Costs = UNTOLD
) -> list[SentencePair]:
    """Rows after steps that learn from them; not counted, since the input's pass again later."""
    return list(run_steps(steps, rows, [StepReport.of(step) for step in steps], costs))


def run_steps(
    steps: Sequence[Step],
    rows: Iterable[SentencePair],
    reports: Sequence[StepReport],
    costs: Costs = UNTOLD,
) -> Iterator[SentencePair]:
    """The output rows of a stream of rows, batch by batch."""
    size = CHUNK if any(step.slow for step in steps) else QUICK_CHUNK
    for batch in chunks(rows, size):
        n_given = len(batch)
        for n, (step, report) in enumerate(zip(steps, reports, strict=True)):
            costs.foretell(n, step, batch, n_given)
            started = time.monotonic()
            batch = list(step.run(batch, report.account))
            report.seconds += time.monotonic() - started
            report.rows += len(batch)
        yield from batch
