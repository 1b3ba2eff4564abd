"""The plan of a study: its cells, and the tasks that lead to them, each under a key of its content.

A cell is one system on one data set in one language, with one seed and one perturbation or none.
Cells of the same text form a tree by the steps that they have in common: each stretch that several
share is a task of its own, so nothing is computed twice, whoever comes first.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError
from spanbridge.core.settings_file import Place
from spanbridge.run.config import Pipeline, make_pipeline
from spanbridge.study.braces import filled, names_in
from spanbridge.study.cells import Cell, Text, cells_of, texts_of
from spanbridge.study.inputs import Input
from spanbridge.study.settings import Making, Study, System
from spanbridge.study.stages import CellTask, MakeTask, SharedTask, TrainTask
from spanbridge.study.study_file import StudyFile
from spanbridge.study.tasks import CorpusTask, DataTask, Folder, Task

# Names in braces that stand for something of the text.
_OF_TEXT = {"language", "source", "dataset", "split"}


@dataclass
class Plan:
    """All cells and tasks of a study.

    Attributes:
        file: the study.
        folder: folder of the results.
        cells: in the order of the study: data set, language, perturbation, seed, system.
        tasks: by name, each after those that it needs.
    """

    file: StudyFile
    folder: Folder
    cells: list[Cell] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)

    @property
    def study(self) -> Study:
        """Its settings."""
        return self.file.study

    def task_of(self, cell: Cell) -> CellTask:
        """The task that makes a cell."""
        task = self.tasks[f"cell/{cell.name}"]
        assert isinstance(task, CellTask)
        return task

    def system(self, name: str) -> System:
        """Settings of a system."""
        return self.study.systems[name]

    def of_part(self, part: tuple[int, int]) -> list[Cell]:
        """Cells of the i-th of n parts: all of a text are in one part, since they share work."""
        i, n = part
        texts = list(dict.fromkeys(cell.text.name for cell in self.cells))
        mine = set(texts[i - 1 :: n])
        return [cell for cell in self.cells if cell.text.name in mine]

    def needed(self, cells: Sequence[Cell], session: str) -> list[Task]:
        """Tasks that are still to be done for cells, each after those that it needs."""
        found: dict[str, Task] = {}

        def visit(name: str) -> None:
            task = self.tasks[name]
            if name not in found and task.state(session) != "done":
                for before in task.needs:
                    visit(before)
                found[name] = task

        for cell in cells:
            visit(self.task_of(cell).name)
        return list(found.values())


def make_plan(file: StudyFile) -> Plan:
    """Lay out a study.

    Raises:
        InputError: a step is wrong, whatever the cell, with the line.
    """
    plan = Plan(file, Folder(Path(file.output)))
    corpora: dict[CorpusTask, dict[str, Pipeline]] = {}
    for text in texts_of(file.study):
        name = f"data/{text.name}"
        data = DataTask(name, (), plan.folder, text.name, text.at, text.input, _perturb(text))
        plan.tasks[name] = data
        cells = list(cells_of(file.study, text))
        plan.cells += cells
        _Cells(plan, data, cells, corpora).add()
    for corpus, pipelines in corpora.items():
        for name, last in _shared(plan, corpus, pipelines, {}).items():
            plan.tasks[name].needs = (last,)
    return plan


def _perturb(text: Text) -> dict[str, Any] | None:
    if text.change is None:
        return None
    how = {"kind": text.change.kind, "strength": text.strength, "seed": text.seed, "side": "target"}
    return {"perturb": how}


class _Cells:
    """Adds the tasks of all cells of one text to a plan.

    Args:
        plan: the plan.
        data: the text.
        cells: its cells.
        corpora: what training data is made from -> the pipelines that make it, by their tasks.
    """

    def __init__(
        self,
        plan: Plan,
        data: DataTask,
        cells: Sequence[Cell],
        corpora: dict[CorpusTask, dict[str, Pipeline]],
    ) -> None:
        self._plan, self._data, self._cells, self._corpora = plan, data, cells, corpora

    def add(self) -> None:
        """Add them."""
        plan = self._plan
        models = {f"cell/{cell.name}": self._trained(cell) for cell in self._cells}
        pipelines = {
            name: pipeline_of(plan, cell, models[name])
            for name, cell in ((f"cell/{cell.name}", cell) for cell in self._cells)
            if plan.system(cell.system).steps is not None
        }
        trained = {name: model for name, model in models.items() if model is not None}
        last = _shared(plan, self._data, pipelines, trained)
        for cell in self._cells:
            name = f"cell/{cell.name}"
            given = plan.system(cell.system).predictions
            before = last.get(name, self._data.name)
            model = models[name]
            plan.tasks[name] = CellTask(
                name,
                (before, *([] if model is None else [model.name])),
                plan.folder,
                cell.name,
                ("systems", cell.system, "steps" if given is None else "predictions"),
                self._data,
                plan.study.scores,
                pipelines.get(name),
                None if given is None else str(filled(given, values_of(cell))),
                model,
            )

    def _trained(self, cell: Cell) -> TrainTask | None:
        """The training of a cell's model, which other cells may have, too."""
        system = self._plan.system(cell.system)
        if system.train is None:
            return None
        made = None if system.make is None else self._made(cell, system.make)
        values = values_of(cell) | ({} if made is None else {"made": str(made.output)})
        own = names_in(system.train)
        title = cell.system
        if own & _OF_TEXT:
            title += f".{cell.text.input.name}"
        elif isinstance(made, MakeTask):
            title += f".{cell.text.input.language}"
        title += f".seed-{cell.seed}" if "seed" in own else ""
        needs = () if made is None else (made.name,)
        settings, at = filled(system.train, values), ("systems", cell.system, "train")
        task = TrainTask(f"train/{title}", needs, self._plan.folder, title, at, settings, made)
        found = self._plan.tasks.setdefault(task.name, task)
        assert isinstance(found, TrainTask)
        return found

    def _made(self, cell: Cell, making: Making) -> CorpusTask | MakeTask:
        """The training data of a cell's model."""
        plan, of = self._plan, cell.text.input
        source = making.data.source or of.source
        corpus = Input(making.data, source, of.language)
        at = ("systems", cell.system, "make")
        title = corpus.name + (f"-{of.language}" if making.steps else "")
        name = f"corpus/{title}"
        task = CorpusTask(
            name, (), plan.folder, title, (*at, "data"), corpus, on_source=bool(making.steps)
        )
        found = plan.tasks.setdefault(name, task)
        assert isinstance(found, CorpusTask)
        if found.input.data != making.data:
            why = f"systems {cell.system} and another make {title} of different data; name them"
            raise plan.file.wrong((*at, "data"), why)
        if not making.steps:
            return found
        title = f"{cell.system}.{of.language}"
        title += f".seed-{cell.seed}" if "seed" in names_in(making.steps) else ""
        settings = {
            "input": str(found.output),
            "side": "source",
            "output": str(plan.folder.made(title)),
            "work": str(plan.folder.work(found.title)),
            "steps": filled(making.steps, values_of(cell)),
            "languages": {"target": of.language, "source": source},
            **_common(plan.study),
        }
        name = f"make/{title}"
        if name not in plan.tasks:
            pipeline = _pipeline(plan, settings, at)
            plan.tasks[name] = MakeTask(
                name, (found.name,), plan.folder, title, at, found, pipeline
            )
            self._corpora.setdefault(found, {})[name] = pipeline
        made = plan.tasks[name]
        assert isinstance(made, MakeTask)
        return made


def values_of(cell: Cell) -> dict[str, Any]:
    """What names in braces stand for in a cell."""
    return {**cell.text.input.values(), "seed": cell.seed}


def pipeline_of(plan: Plan, cell: Cell, model: TrainTask | None) -> Pipeline:
    """The pipeline of a cell.

    Raises:
        InputError: a step is wrong, with the line.
    """
    values = values_of(cell) | ({} if model is None else {"model": str(model.output)})
    text = cell.text
    settings = {
        "input": str(plan.folder.input(text.name)),
        "output": str(plan.folder.predictions(cell.name)),
        "work": str(plan.folder.work(text.name)),
        "steps": filled(plan.system(cell.system).steps, values),
        "languages": {"target": text.input.language, "source": text.input.source},
        **_common(plan.study),
    }
    return _pipeline(plan, settings, ("systems", cell.system))


def _common(study: Study) -> dict[str, Any]:
    """Settings of all pipelines."""
    same = ("shard_rows", "fit_rows", "commercial")
    return {k: v for k in same if (v := getattr(study, k)) != Study.model_fields[k].default}


def _pipeline(plan: Plan, settings: Mapping[str, Any], at: tuple[str, ...]) -> Pipeline:
    try:
        return make_pipeline(settings, plan.file.path, partial(_place, plan.file.place, at))
    except InputError as error:
        raise InputError(error.file, error.line, f"system {at[1]}: {error.why}") from error


def _place(place: Place, at: tuple[str, ...], loc: tuple[Hashable, ...]) -> int | None:
    """Line of a pipeline's setting in the study file."""
    return place((*at, *loc))


def _shared(
    plan: Plan,
    text: DataTask | CorpusTask,
    pipelines: Mapping[str, Pipeline],
    trained: Mapping[str, TrainTask],
) -> dict[str, str]:
    """Add tasks for the steps that several pipelines over a text begin with.

    Pipelines that begin alike form a tree; wherever it branches, what leads there is a task.

    Args:
        plan: the plan.
        text: what all of them read.
        pipelines: by the names of the tasks that run them.
        trained: trainings whose taggers they use, likewise.

    Returns:
        Of each task that shares steps, the last such task.
    """
    told = {name: [repr(step) for step in made.steps] for name, made in pipelines.items()}
    found: dict[str, str] = {}

    def branch(names: Sequence[str], depth: int, before: str) -> None:
        by_step: dict[str, list[str]] = {}
        for name in names:
            if len(told[name]) > depth:
                by_step.setdefault(told[name][depth], []).append(name)
        for own in by_step.values():
            if len(own) == 1:
                continue
            first, end = own[0], depth + 1
            while all(told[name][: end + 1] == told[first][: end + 1] for name in own):
                if end == len(told[first]):
                    break
                end += 1
            steps = told[first][:end]
            title = f"{text.title}.{sha256(repr(steps).encode()).hexdigest()[:12]}"
            models = {trained[name] for name in own if name in trained}
            used = sorted(m.name for m in models if any(repr(str(m.output)) in s for s in steps))
            needs = (before, *used)
            task = SharedTask(
                f"shared/{title}", needs, plan.folder, title, (), text, pipelines[first], end
            )
            plan.tasks[task.name] = task
            found.update(dict.fromkeys(own, task.name))
            branch(own, end, task.name)

    branch(list(pipelines), 0, text.name)
    return found
