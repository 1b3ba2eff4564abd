"""Tasks that run pipelines and trainings, and the cells that end them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spanbridge.core import registry
from spanbridge.core.errors import InputError
from spanbridge.core.files import atomic_output
from spanbridge.core.plugins import code_digests
from spanbridge.core.records import file_digest, read_record, write_record
from spanbridge.core.rows import FAILED
from spanbridge.core.temporary import remove_folder
from spanbridge.formats import read_rows
from spanbridge.run import shards
from spanbridge.run.config import Pipeline
from spanbridge.run.reports import StepReport
from spanbridge.steps.base import PartSettings, Step
from spanbridge.study.predictions import check_file, over_text, spans_alone
from spanbridge.study.scoring import scored
from spanbridge.study.settings import Scores
from spanbridge.study.tasks import REMEDY, CorpusTask, DataTask, Task, write_rows


@dataclass(eq=False)
class SharedTask(Task):
    """The steps that several pipelines over a text begin with.

    Attributes:
        text: what they read.
        pipeline: one of the pipelines.
        n_steps: number of the steps.
        models: trainings whose taggers the steps use.
    """

    text: DataTask | CorpusTask
    pipeline: Pipeline
    n_steps: int
    models: tuple[TrainTask, ...]

    def depends_on(self) -> Iterator[str]:
        """The text, the steps, and the models."""
        yield from (self.text.key, *(model.key for model in self.models))
        yield from described(self.pipeline, self.n_steps, outputs(self.models))

    def make(self) -> dict[str, Any]:
        """Make their shards."""
        reports = shards.prepare(_fresh(self.pipeline, self.n_steps).job())
        # what it made lies in the shards, and another session soon finds it there
        return {"times": _times(reports), "retry": True}


@dataclass(eq=False)
class MakeTask(Task):
    """Training data that a pipeline makes.

    Attributes:
        corpus: what it is made from.
        pipeline: the pipeline.
        models: trainings whose taggers it uses.
    """

    corpus: CorpusTask
    pipeline: Pipeline
    models: tuple[TrainTask, ...] = ()

    @property
    def output(self) -> Path:
        """The training data."""
        return self.folder.made(self.title)

    def depends_on(self) -> Iterator[str]:
        """The data and the pipeline."""
        yield from (self.corpus.key, *(model.key for model in self.models))
        yield from described(self.pipeline, leave_out=outputs(self.models))

    def make(self) -> dict[str, Any]:
        """Make it."""
        return _run(self.pipeline)


@dataclass(eq=False)
class TrainTask(Task):
    """A training.

    Attributes:
        settings: as in the study file, filled in.
        made: training data, and the taggers of other trainings, that it uses.
    """

    settings: Mapping[str, Any]
    made: tuple[CorpusTask | MakeTask | TrainTask, ...]

    @property
    def output(self) -> Path:
        """The trained tagger."""
        return self.folder.model(self.title)

    def depends_on(self) -> Iterator[str]:
        """Settings and data."""
        yield json.dumps(self.settings, sort_keys=True)
        yield from (one.key for one in self.made)
        yield from files_in(self.settings, outputs(self.made))

    def check(self, encoders: Collection[str] = ()) -> None:
        """Check that it could begin, with encoders of which some are known to be here.

        Raises SpanbridgeError if not.
        """
        from spanbridge.training.recipe import Recipe

        Recipe.of(self.settings).check({*outputs(self.made), *encoders})

    def make(self) -> dict[str, Any]:
        """Train, or go on with a training of the same settings."""
        from spanbridge.training.recipe import Recipe

        place, about = self.output, self.record_path.with_suffix(".started.json")
        try:
            before = read_record(about, REMEDY)["key"]
        except InputError:
            before = None
        if before != self.key:
            remove_folder(place)
            about.parent.mkdir(parents=True, exist_ok=True)
            write_record(about, {"key": self.key})
        place.parent.mkdir(parents=True, exist_ok=True)
        done = Recipe.of(self.settings).run(str(place))
        return {"signature": done.signature, "times": {"train": done.seconds}}


@dataclass(eq=False)
class CellTask(Task):
    """Predictions of one cell, and their scores.

    Attributes:
        data: the text.
        scores: how they are scored.
        pipeline: what makes them; None if they are given.
        predictions: path of given ones.
        models: trainings whose taggers the pipeline uses.
    """

    data: DataTask
    scores: Scores
    pipeline: Pipeline | None
    predictions: str | None
    models: tuple[TrainTask, ...]

    @property
    def output(self) -> str:
        """The predictions; of spans that stand without their text, with it."""
        if self.predictions is not None and not spans_alone(self.predictions):
            return self.predictions
        return str(self.folder.predictions(self.title))

    @property
    def settings_file(self) -> Path:
        """Its pipeline as a file."""
        return Path(self.output).with_suffix(".yaml")

    def depends_on(self) -> Iterator[str]:
        """Text, pipeline, model and scoring."""
        yield from (self.data.key, self.scores.model_dump_json())
        yield from (model.key for model in self.models)
        if self.pipeline is not None:
            yield from described(self.pipeline, leave_out=outputs(self.models))
        if self.predictions is not None:
            check_file(self.predictions)
            yield file_digest(Path(self.predictions))

    def make(self) -> dict[str, Any]:
        """Run the pipeline, and score what it finds."""
        content: dict[str, Any] = {}
        if self.pipeline is not None:
            content = _run(self.pipeline)
            with atomic_output(self.settings_file) as out:
                out.write(self.pipeline.text())
        gold = self.folder.gold(self.data.title)
        if self.predictions is not None and self.output != self.predictions:
            rows = (row for _, row in read_rows(self.folder.input(self.data.title)))
            found = over_text(rows, self.predictions)
            write_rows(Path(self.output), (row._replace(target=made) for row, _, made in found))
        return {**content, **scored(gold, self.output, self.scores)}


def _run(pipeline: Pipeline) -> dict[str, Any]:
    """Run a pipeline in shards; what records hold of that."""
    done, reports = shards.run(_fresh(pipeline).job())
    assert done is not None
    statuses = done.account.statuses
    return {
        "signature": done.signature,
        "account": done.account.to_dict(),
        "licences": {k: v for report in reports for k, v in report.licences.items()},
        # a translation that failed may succeed another time
        "retry": any(status.startswith(FAILED) for status in +statuses),
        "times": _times(reports),
    }


def _fresh(pipeline: Pipeline, n: int | None = None) -> Pipeline:
    """The pipeline, or its first steps, to be run.

    The steps are copies, which are gone with all that they have loaded once they have run.
    """
    Path(str(pipeline.settings.output)).parent.mkdir(parents=True, exist_ok=True)
    return replace(pipeline, steps=tuple(one.model_copy(deep=True) for one in pipeline.steps[:n]))


def _times(reports: Iterable[StepReport]) -> dict[str, float]:
    """Seconds of each step, learning included."""
    found = {f"{n}-{report.name}": report for n, report in enumerate(reports)}
    return {name: round(one.seconds + one.learning, 3) for name, one in found.items()}


def outputs(tasks: Iterable[CorpusTask | MakeTask | TrainTask]) -> frozenset[str]:
    """Paths of what tasks make, which stands for itself only once they are done."""
    return frozenset(str(task.output) for task in tasks)


def described(
    pipeline: Pipeline, n: int | None = None, leave_out: Collection[str] = ()
) -> Iterator[str]:
    """What the first ``n`` steps of a pipeline depend on, before they are opened."""
    yield json.dumps(pipeline.settings.languages, sort_keys=True)
    yield f"{pipeline.settings.fit_rows} {pipeline.settings.commercial}"
    for step in pipeline.steps[:n]:
        yield f"{step.name} {step!r}"
        yield from code_digests(_classes(step))
        yield from files_in([getattr(step, name) for name in type(step).model_fields], leave_out)


def _classes(step: Step) -> Iterator[Any]:
    yield type(step)
    for name in type(step).model_fields:
        part = getattr(step, name)
        if isinstance(part, PartSettings):
            yield registry.load(part.kind, part.name) if part.name else part.made


def files_in(given: Any, leave_out: Collection[str] = ()) -> Iterator[str]:
    """Digests of the files and folders that settings name."""
    if isinstance(given, PartSettings):
        given = given.options
    if isinstance(given, str) and given and given not in leave_out:
        with suppress(OSError, ValueError):
            path = Path(given)
            if path.is_file():
                yield f"{given} {file_digest(path)}"
            elif path.is_dir() and given not in (".", ".."):
                listed = (p for p in sorted(path.rglob("*")) if p.is_file())
                for file in listed:
                    yield f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}"
    elif isinstance(given, Mapping):
        for value in given.values():
            yield from files_in(value, leave_out)
    elif isinstance(given, list | tuple):
        for value in given:
            yield from files_in(value, leave_out)
