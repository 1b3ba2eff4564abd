"""The plan of a study: its cells, and the tasks that lead to them, each under a key of its content.

A cell is one system on one data set in one language, with one seed and one perturbation or none.
Cells of the same text form a tree by the steps that they have in common: each stretch that several
share is a task of its own, so nothing is computed twice, whoever comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from spanbridge.run.config import Pipeline
from spanbridge.study.braces import filled
from spanbridge.study.cells import Cell, Text, cells_of, texts_of, values_of
from spanbridge.study.settings import Study, System
from spanbridge.study.stages import CellTask, SharedTask, TrainTask
from spanbridge.study.study_file import StudyFile
from spanbridge.study.tasks import CorpusTask, DataTask, Folder, Task
from spanbridge.study.trainings import Trainings, pipeline_in


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
    trainings = Trainings(plan)
    for text in texts_of(file.study):
        name = f"data/{text.name}"
        data = DataTask(name, (), plan.folder, text.name, text.at, text.input, _perturb(text))
        plan.tasks[name] = data
        cells = list(cells_of(file.study, text))
        plan.cells += cells
        _Cells(plan, data, cells, trainings).add()
    for corpus, pipelines in trainings.pipelines.items():
        models = {name: trainings.models_of(name) for name in pipelines}
        for name, last in _shared(plan, corpus, pipelines, models).items():
            plan.tasks[name].needs = (last, *(model.name for model in models[name]))
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
        trainings: all trainings of the study.
    """

    def __init__(
        self,
        plan: Plan,
        data: DataTask,
        cells: Sequence[Cell],
        trainings: Trainings,
    ) -> None:
        self._plan, self._data, self._cells, self._trainings = plan, data, cells, trainings

    def add(self) -> None:
        """Add them."""
        plan = self._plan
        trained = {
            f"cell/{cell.name}": self._trainings.used(cell, plan.system(cell.system).steps)
            for cell in self._cells
        }
        pipelines = {
            name: pipeline_of(plan, cell, trained[name])
            for name, cell in ((f"cell/{cell.name}", cell) for cell in self._cells)
            if plan.system(cell.system).steps is not None
        }
        models = {name: tuple(of.values()) for name, of in trained.items()}
        last = _shared(plan, self._data, pipelines, models)
        for cell in self._cells:
            name = f"cell/{cell.name}"
            given = plan.system(cell.system).predictions
            before = last.get(name, self._data.name)
            plan.tasks[name] = CellTask(
                name,
                (before, *(model.name for model in models[name])),
                plan.folder,
                cell.name,
                ("systems", cell.system, "steps" if given is None else "predictions"),
                self._data,
                plan.study.scores,
                pipelines.get(name),
                None if given is None else str(filled(given, values_of(cell))),
                models[name],
            )


def pipeline_of(plan: Plan, cell: Cell, models: Mapping[str, TrainTask]) -> Pipeline:
    """The pipeline of a cell.

    Args:
        plan: the plan.
        cell: the cell.
        models: trainings by the names in braces that stand for their taggers.

    Raises:
        InputError: a step is wrong, with the line.
    """
    values = values_of(cell) | {name: str(model.output) for name, model in models.items()}
    text = cell.text
    settings = {
        "input": str(plan.folder.input(text.name)),
        "output": str(plan.folder.predictions(cell.name)),
        "work": str(plan.folder.work(text.name)),
        "steps": filled(plan.system(cell.system).steps, values),
        "languages": {"target": text.input.language, "source": text.input.source},
    }
    return pipeline_in(plan.file, settings, ("systems", cell.system))


def _shared(
    plan: Plan,
    text: DataTask | CorpusTask,
    pipelines: Mapping[str, Pipeline],
    trained: Mapping[str, Sequence[TrainTask]],
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
            used = tuple(m for m in trained[first] if any(repr(str(m.output)) in s for s in steps))
            needs = (before, *(model.name for model in used))
            task = SharedTask(
                f"shared/{title}", needs, plan.folder, title, (), text, pipelines[first], end, used
            )
            plan.tasks[task.name] = task
            found.update(dict.fromkeys(own, task.name))
            branch(own, end, task.name)

    branch(list(pipelines), 0, text.name)
    return found
