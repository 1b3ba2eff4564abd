"""The trainings of a plan: which tagger a cell uses, and what it is trained on.

A training is made once for all cells that it does not tell apart: its settings, and those of all
that it uses, say by their names in braces what of a cell it depends on.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from spanbridge.core.errors import InputError
from spanbridge.core.settings_file import Place
from spanbridge.run.config import Pipeline, make_pipeline
from spanbridge.study.braces import filled, named, names_in
from spanbridge.study.cells import Cell, uses_of, values_of
from spanbridge.study.inputs import Corpus, Input
from spanbridge.study.settings import Making, Study
from spanbridge.study.stages import MakeTask, TrainTask
from spanbridge.study.study_file import StudyFile, check_languages
from spanbridge.study.tasks import CorpusTask

if TYPE_CHECKING:
    from spanbridge.study.plan import Plan

# What of a cell is told by names of files, in this order.
_TOLD = ("dataset", "split", "source", "language", "seed")


class Trainings:
    """Adds trainings, and the data that they need, to a plan.

    Attributes:
        pipelines: what training data is made from -> the pipelines that make it, by their tasks.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._known: dict[tuple[str, str | None], set[str]] = {}  # what uses_of says
        self.pipelines: dict[CorpusTask, dict[str, Pipeline]] = {}

    def models_of(self, name: str) -> tuple[TrainTask, ...]:
        """The trainings whose taggers the pipeline of a task uses."""
        task = self._plan.tasks[name]
        assert isinstance(task, MakeTask)
        return task.models

    def used(self, cell: Cell, given: Any) -> dict[str, TrainTask]:
        """The trainings of all ``{model}`` and ``{model.NAME}`` in settings of a cell's system."""
        return {
            f"model.{name}" if name else "model": self._training(name or cell.system, cell)
            for name in named(given, "model")
        }

    def _training(self, name: str, cell: Cell) -> TrainTask:
        """The training of a system, for a cell of it or of another one."""
        plan, system = self._plan, self._plan.system(name)
        title = ".".join([name, *self._told(name, None, cell)])
        if (known := plan.tasks.get(f"train/{title}")) is not None:
            assert isinstance(known, TrainTask)
            return known
        made: dict[str, CorpusTask | MakeTask | TrainTask] = {
            f"made.{n}" if n else "made": self._made(name, n, making, cell)
            for n, making in system.make.items()
        }
        made |= self.used(cell, system.train)
        values = values_of(cell) | {n: str(one.output) for n, one in made.items()}
        own = tuple(dict.fromkeys(made.values()))
        needs = tuple(one.name for one in own)
        settings = filled({**plan.study.train, **(system.train or {})}, values)
        at = ("systems", name, "train")
        task = TrainTask(f"train/{title}", needs, plan.folder, title, at, settings, own)
        plan.tasks[task.name] = task
        return task

    def _told(self, system: str, own: str | None, cell: Cell) -> list[str]:
        """What of a cell the names of a training's files tell, or those of some of its data."""
        values, study = values_of(cell), self._plan.study
        if (system, own) not in self._known:
            only = None if own is None else study.systems[system].make[own]
            self._known[system, own] = uses_of(study, system, only)
        names = self._known[system, own]
        # the language of the other side is that of the study, but for some data
        usual = {"source": study.source}
        told = {n: str(values[n]) for n in _TOLD if n in names and values[n] != usual.get(n)}
        return [f"seed-{value}" if n == "seed" else value for n, value in told.items() if value]

    def _made(self, name: str, own: str, making: Making, cell: Cell) -> CorpusTask | MakeTask:
        """The training data that a system makes under a name of its own."""
        at = ("systems", name, "make", *([own] if own else []))
        plan, of = self._plan, cell.text.input
        if names_in(given := making.data.of_cell()):
            data = making.data.model_copy(update=filled(given, values_of(cell)))
            check_languages(plan.file, (*at, "data"), data, of.source)
            making = making.model_copy(update={"data": data})
        found = self._corpus(making, of, at)
        if not making.steps:
            return found
        title = ".".join([name, *([own] if own else []), *self._told(name, own, cell)])
        if (known := plan.tasks.get(f"make/{title}")) is not None:
            assert isinstance(known, MakeTask)
            return known
        models = self.used(cell, making.steps)
        values = values_of(cell) | {n: str(model.output) for n, model in models.items()}
        settings = {
            "input": str(found.output),
            "side": "source",
            "output": str(plan.folder.made(title)),
            "work": str(plan.folder.work(found.title)),
            "steps": filled(making.steps, values),
            "languages": {"target": of.language, "source": _language(making, of)},
        }
        pipeline = pipeline_in(plan.file, settings, at)
        used = tuple(models.values())
        needs = (found.name, *(model.name for model in used))
        task = MakeTask(f"make/{title}", needs, plan.folder, title, at, found, pipeline, used)
        plan.tasks[task.name] = task
        self.pipelines.setdefault(found, {})[task.name] = pipeline
        return task

    def _corpus(self, making: Making, of: Input, at: tuple[str, ...]) -> CorpusTask:
        """The data that training data is, or is made from."""
        plan, data = self._plan, making.data
        source = data.source or of.source
        inputs = [Input(data, code, source) for code in data.codes(source)]
        if making.pairs:
            corpus = Corpus((Input(data, of.language, source),), "pairs")
        else:
            usual = Input(data, source, of.language)
            corpus = Corpus(tuple(inputs) or (usual,), "source" if making.steps else "target")
        title = corpus.name + (f"-{of.language}" if making.steps else "")
        task = CorpusTask(f"corpus/{title}", (), plan.folder, title, (*at, "data"), corpus)
        found = plan.tasks.setdefault(task.name, task)
        assert isinstance(found, CorpusTask)
        if found.corpus != corpus:
            why = f"systems {at[1]} and another make {title} of different data; name them"
            raise plan.file.wrong((*at, "data"), why)
        return found


def _language(making: Making, of: Input) -> str:
    """Language of the labelled side from which a pipeline makes data."""
    data = making.data
    if not making.pairs and data.languages:
        return data.codes(of.source)[0]
    return data.source or of.source


def pipeline_in(file: StudyFile, settings: Mapping[str, Any], at: tuple[str, ...]) -> Pipeline:
    """A pipeline of a system.

    Args:
        file: the study.
        settings: of the pipeline, but for those that all have in common.
        at: where its steps stand in the file.

    Raises:
        InputError: a step is wrong, with the line.
    """
    try:
        place = partial(_place, file.place, at)
        return make_pipeline({**settings, **_common(file.study)}, file.path, place)
    except InputError as error:
        raise InputError(error.file, error.line, f"system {at[1]}: {error.why}") from error


def _common(study: Study) -> dict[str, Any]:
    """Settings of all pipelines."""
    same = ("shard_rows", "fit_rows", "commercial")
    return {k: v for k in same if (v := getattr(study, k)) != Study.model_fields[k].default}


def _place(place: Place, at: tuple[str, ...], loc: tuple[Hashable, ...]) -> int | None:
    """Line of a pipeline's setting in the study file."""
    return place((*at, *loc))
