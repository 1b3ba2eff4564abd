"""The runner in memory: rows in, rows out, with models that stay loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Self, overload

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.files import alone
from spanbridge.core.progress import Progress, Task, silent
from spanbridge.core.rows import SentencePair, Side, checked_rows
from spanbridge.core.signature import extended
from spanbridge.core.spans import Nested
from spanbridge.formats import Pairs
from spanbridge.run.board import Board
from spanbridge.run.config import make_pipeline
from spanbridge.run.costs import UNTOLD, Costs
from spanbridge.run.job import applied, deterministic, records, signature_of
from spanbridge.run.reports import StepReport
from spanbridge.run.result import (
    Run,
    check_output,
    finish,
    open_result,
    result_format,
    whole_account,
)
from spanbridge.run.sample import FIT_ROWS
from spanbridge.run.stream import learn, run_steps
from spanbridge.steps.account import Account
from spanbridge.steps.base import Step
from spanbridge.steps.raw_text import in_plain_words


class Result(Sequence[SentencePair]):
    """The rows that came out of a run, with their account and signature.

    Attributes:
        account: the fate of every row.
        signature: one line that reproduces the rows.
        reports: how each step went.

    Args:
        rows: every row that went in.
        signature: parts and settings that made them.
        reports: of each step, what it counted.
        given: the rows that went in, for the files that they come from.
        also: further files that it depends on, by their roles.
        learned: what steps have learned and keep beside the result.
    """

    def __init__(
        self,
        rows: Sequence[SentencePair],
        signature: str,
        reports: Sequence[StepReport],
        given: Iterable[SentencePair],
        also: Mapping[str, str | None],
        learned: Mapping[str, Any],
    ) -> None:
        self._rows = rows
        self.signature = signature
        self.reports = reports
        notes = given.counts.notes() if isinstance(given, Pairs) else {}
        self.account: Account = whole_account(reports, notes)
        self._inputs = {**(given.files if isinstance(given, Pairs) else {}), **also}
        self._learned = learned

    @overload
    def __getitem__(self, index: int) -> SentencePair: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[SentencePair]: ...

    def __getitem__(self, index: int | slice) -> SentencePair | Sequence[SentencePair]:
        """One row, or several."""
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def save(
        self,
        path: str | Path,
        side: Side = "target",
        *,
        format: str | None = None,
        nested: Nested | None = None,
    ) -> Run:
        """Write the rows as the command does, with rejects and manifest beside them.

        Args:
            path: the file.
            format: name of its format; by default its suffix tells it.
            side: side that is written if the format holds single sentences.
            nested: as in :class:`spanbridge.run.config.Settings`.

        Raises:
            InputError: the file cannot be written.
            SpanbridgeError: its format cannot hold the rows, or has no use for ``nested``; or it is
                one of the input's files.
        """
        held = result_format(path, self.reports[-1].name, nested, format)
        check_output(str(path), *self._inputs.values(), also=held.beside(path))
        account = deepcopy(self.account)
        layer: dict[str, Any] = {} if nested is None else {"nested": nested}
        line = self.signature
        if nested == "inner":
            line = extended(line, "nested", nested)
        with alone(path):
            with open_result(path, held.name, side, lambda: account, **layer) as write:
                for row in self._rows:
                    write(row)
            return finish(str(path), self._inputs, line, account, self._learned)


class Loaded:
    """Steps with their models loaded, for one row at a time and for many.

    Args:
        steps: as in a pipeline file: names of steps, or names with settings.
        languages: of the sides, by any code.
        commercial: refuse parts whose licence does not allow commercial use.

    Raises:
        SpanbridgeError: a setting is wrong, or something that a step needs is missing.
    """

    def __init__(
        self,
        steps: Sequence[Any],
        languages: Mapping[Side, str] | None = None,
        *,
        commercial: bool = False,
    ) -> None:
        if isinstance(steps, str | Mapping):
            raise SpanbridgeError(f"steps is a {type(steps).__name__}; give a list of steps")
        given = {"steps": list(steps), "languages": languages or {}, "commercial": commercial}
        pipeline = make_pipeline(given)
        self._record = pipeline.record()
        self._steps: tuple[Step, ...] = pipeline.open()
        self._parts = [step.signature_parts() for step in self._steps]
        self._fitted = not any(step.must_learn for step in self._steps)
        self._n_learned = 0

    def fit(
        self, rows: Iterable[SentencePair], *, limit: int = FIT_ROWS, progress: Progress = silent
    ) -> Self:
        """Let the steps learn from rows, or from ``limit`` rows spread over them."""
        self._n_learned = learn_in_memory(self._steps, list(checked_rows(rows)), limit, progress)
        self._fitted = True
        return self

    def run(self, rows: Iterable[SentencePair], *, progress: Progress = silent) -> Result:
        """The rows that come out.

        Raises:
            SpanbridgeError: a step has to learn first; see :meth:`fit`.
        """
        self._check_fitted()
        done, reports, _ = in_memory(self._steps, rows, fit=False, progress=progress)
        return self._result(done, reports, rows)

    def fit_run(
        self, rows: Iterable[SentencePair], *, limit: int = FIT_ROWS, progress: Progress = silent
    ) -> Result:
        """The rows that come out once the steps have learned from them, as the commands do it."""
        done, reports, self._n_learned = in_memory(
            self._steps, rows, fit=True, limit=limit, progress=progress
        )
        self._fitted = True
        return self._result(done, reports, rows)

    def _check_fitted(self) -> None:
        if not self._fitted:
            learners = {step.name for step in self._steps if step.must_learn}
            why = f"the {type(self).__name__} has to learn first: call fit with rows of the input"
            if learners == {"calibrate"}:
                why += "; or let calibrate take the OUT.run.json of a run that was calibrated"
            raise SpanbridgeError(why)

    def _result(
        self,
        done: Sequence[SentencePair],
        reports: Sequence[StepReport],
        given: Iterable[SentencePair],
    ) -> Result:
        reading = given.reading if isinstance(given, Pairs) else {}
        line = signature_of(self._steps, self._parts, self._n_learned, reading)
        also, learned = applied(self._steps), {**records(self._steps), **self._record}
        return Result(done, line, reports, given, also, learned)


@deterministic
def learn_in_memory(
    steps: Sequence[Step],
    rows: Sequence[SentencePair],
    limit: int,
    progress: Progress,
    reports: Sequence[StepReport] = (),
    costs: Costs = UNTOLD,
) -> int:
    """Let open steps learn from rows, ``limit`` at most; returns the number learned from.

    Raises:
        SpanbridgeError: ``limit`` is less than 1.
    """
    if not isinstance(limit, int) or limit < 1:
        raise SpanbridgeError(f"limit is {limit}, but must be 1 or more")
    return learn(steps, lambda: rows, len(rows), limit, progress, reports, costs)


@deterministic
def in_memory(
    steps: Sequence[Step],
    rows: Iterable[SentencePair],
    *,
    fit: bool,
    limit: int = FIT_ROWS,
    progress: Progress = silent,
) -> tuple[list[SentencePair], list[StepReport], int]:
    """Pass rows through open steps.

    Args:
        fit: let steps learn from these rows; False if they have learned before.
        limit: rows that they learn from, at most.
        progress: shows the progress.

    Returns:
        The output rows, the figures of each step, and the number of rows learned from.

    Raises:
        SpanbridgeError: the rows are no sentence pairs, or ``limit`` is less than 1.
    """
    given = list(checked_rows(rows))
    reports = [StepReport.of(step) for step in steps]
    costs = Costs.shown(len(given), progress)
    n_learned = learn_in_memory(steps, given, limit, progress, reports, costs) if fit else 0
    task = Task("run", len(given), board=Board(reports))
    rows = run_steps(steps, progress(given, task), reports, costs)
    return [in_plain_words(pair) for pair in rows], reports, n_learned
