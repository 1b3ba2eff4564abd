"""Checking a study before it starts: data, settings, models, licences, and how long it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanbridge.chat.forecast import Forecast
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.kept import keeping
from spanbridge.core.progress import Progress, Task, silent
from spanbridge.core.rows import SentencePair
from spanbridge.core.similar import meant
from spanbridge.core.temporary import private_folder
from spanbridge.evaluation import aligned
from spanbridge.evaluation.span_choice import SpanChoice
from spanbridge.formats import open_writer
from spanbridge.formats.base import Counts
from spanbridge.run.config import Pipeline, make_pipeline
from spanbridge.steps.base import Step
from spanbridge.study.estimate import Estimate, tried
from spanbridge.study.inputs import Corpus, Input, without_gold
from spanbridge.study.plan import Plan
from spanbridge.study.predictions import check_file, check_predictions
from spanbridge.study.published import read_published
from spanbridge.study.stages import CellTask, MakeTask, TrainTask
from spanbridge.study.tasks import CorpusTask, DataTask
from spanbridge.study.workers import reason_of

if TYPE_CHECKING:
    from spanbridge.training.trial import Trials

# First rows of each text by which steps are checked, and most of them that are kept for estimates.
_LOOKED_AT = 50
_KEPT_PARTS = 4


@dataclass
class Checked:
    """What checking a study found.

    Attributes:
        texts: name, rows, labelled spans, cells of each text.
        problems: why -> names of the tasks that cannot be done for it.
        licences: of data and models -> what has them.
        notes: what is to be known of the data.
        counted: number of cells, texts, shared stages and trainings, in a phrase.
        estimate: None if none was asked for.
    """

    texts: list[tuple[str, str, str, str]] = field(default_factory=list)
    problems: dict[str, list[str]] = field(default_factory=dict)
    licences: dict[str, set[str]] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    counted: str = ""
    estimate: Estimate | None = None

    def text(self) -> str:
        """Report in plain text."""
        head = ("text", "rows", "spans", "systems")
        parts = ["\n".join(aligned([head, *self.texts])), self.counted]
        if self.licences:
            told = (f"{name}: {', '.join(sorted(of))}" for name, of in self.licences.items())
            parts.append("licences\n" + "\n".join(f"  {line}" for line in told))
        if self.notes:
            parts.append("notes\n" + "\n".join(f"  {note}" for note in self.notes))
        if self.estimate is not None:
            parts.append(self.estimate.text())
        if self.problems:
            parts.append(self.told_problems())
        return "\n\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        estimate = None if self.estimate is None else vars(self.estimate)
        if estimate is not None:
            estimate = {**estimate, "left_out": list(estimate["left_out"])}
        return {
            "texts": [list(text) for text in self.texts],
            "counted": self.counted,
            "licences": {name: sorted(of) for name, of in self.licences.items()},
            "notes": list(self.notes),
            "estimate": estimate,
            "problems": self.problems,
        }

    def told_problems(self) -> str:
        """The problems, and how much each concerns."""
        lines = ["problems"]
        for why, names in self.problems.items():
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            lines.append(f"  {why} (for {names[0]}{more})")
        return "\n".join(lines)


def check_plan(plan: Plan, *, estimate: int = 0, progress: Progress = silent) -> Checked:
    """Check all that can be checked before a study runs. Nothing stays on disk.

    Data is read whole, every pipeline is checked against its columns, and every part is loaded once
    for each pair of languages.

    Args:
        plan: the study.
        estimate: rows of each text on which all steps are tried to see how long they take; 0 for no
            estimate.
        progress: shows how far it is.
    """
    with private_folder() as folder, keeping(_KEPT_PARTS):
        return _Check(plan, folder, estimate).run(progress)


class _Check:
    def __init__(self, plan: Plan, folder: Path, estimate: int) -> None:
        self._plan, self._folder, self._n = plan, folder, estimate
        self._found = Checked(estimate=Estimate() if estimate else None)
        self._heads: dict[str, list[SentencePair] | None] = {}  # first rows, by name of input
        self._sizes: Counter[str] = Counter()
        self._labels: dict[str, set[str]] = {}  # of gold spans, by name of input
        self._opened: dict[str, str | None] = {}  # steps in languages -> why they cannot be opened
        self._sound: set[str] = set()  # pipelines that have been checked
        self._encoders: set[str] = set()  # those that are here
        self._cells = Counter(cell.text.name for cell in plan.cells)
        # rows after steps; None if only a chat model could tell
        self._after: dict[tuple[str, ...], list[SentencePair] | None] = {}
        # seconds of steps, and what they would ask of chat models
        self._costs: dict[tuple[str, ...], tuple[float, Forecast]] = {}
        self._counted: set[tuple[str, ...]] = set()
        # first rows of training data, and the name of what it comes from, by the path of its file
        self._made: dict[str, tuple[Sequence[SentencePair] | None, str]] = {}
        self._trials: Trials | None = None

    def run(self, progress: Progress) -> Checked:
        plan, found = self._plan, self._found
        kinds = Counter(name.partition("/")[0] for name in plan.tasks)
        found.counted = (
            f"{kinds['cell']} cells of {len(plan.study.systems)} systems on {kinds['data']} texts; "
            f"{kinds['shared']} stages that several of them share; {kinds['train']} trainings"
        )
        # systems one after the other, whose models then stay loaded from one language to the next
        order = {f"cell/{cell.name}": cell.system for cell in plan.cells}
        place = {name: n for n, name in enumerate(plan.study.systems, 1)}
        tasks = sorted(plan.tasks.values(), key=lambda task: place.get(order.get(task.name, ""), 0))
        for task in progress(tasks, Task("check", len(tasks), unit="tasks")):
            try:
                self._check(task)
            except Exception as error:  # noqa: BLE001  # the others are checked all the same
                self._problem(error, task.at, task.name)
        for name, published in plan.study.report.published.items():
            try:
                read_published(published.file)
            except SpanbridgeError as error:
                self._problem(error, ("report", "published", name), f"report/{name}")
        found.notes.update(dict.fromkeys(self._unused()))
        return found

    def _unused(self) -> Iterator[str]:
        """What the study asks for, and nothing has to do with."""
        study = self._plan.study
        choice = SpanChoice(study.scores.labels, study.scores.map)
        known = choice.renamed(label for of in self._labels.values() for label in of)
        for label in study.scores.labels or ():
            if label not in known:
                yield f"no data has the label {label}, which counts{meant(label, known)}"
        if study.perturb and all(cell.text.change is None for cell in self._plan.cells):
            yield "no system is run on perturbed texts: predictions are of the text as it is"

    def _problem(self, error: Exception, at: tuple[Hashable, ...], name: str) -> None:
        file = self._plan.file
        if not (isinstance(error, InputError) and error.file == file.path):
            error = file.wrong(at, reason_of(error))
        self._found.problems.setdefault(str(error), []).append(name)

    def _check(self, task: Any) -> None:
        if isinstance(task, DataTask):
            self._text(task)
        elif isinstance(task, CorpusTask):
            self._read(task.corpus, task.name, task.corpus.turned)
            self._made[str(task.output)] = (self._heads[task.corpus.name], task.corpus.name)
        elif isinstance(task, TrainTask):
            task.check(self._encoders)
            self._encoders.add(str(task.settings.get("encoder")))
            if self._found.estimate is not None:
                self._training(task, self._found.estimate)
        elif isinstance(task, MakeTask):
            rows = self._pipeline(task, task.pipeline, task.corpus.corpus, task.corpus.title)
            self._made[str(task.output)] = (rows, task.corpus.corpus.name)
        elif isinstance(task, CellTask):
            if task.pipeline is None:
                self._predictions(task)
            else:
                self._pipeline(task, task.pipeline, task.data.input, task.data.title)

    def _predictions(self, task: CellTask) -> None:
        """Check what somebody else predicted against the text."""
        assert task.predictions is not None
        check_file(task.predictions)
        if self._heads.get(task.data.input.name) is not None:
            rows = task.data.input.rows()
            for note in check_predictions(rows, task.predictions, task.scores):
                self._found.notes[note] = None

    def _text(self, task: DataTask) -> None:
        rows, spans = "", ""
        try:
            if task.input.name not in self._heads:
                self._read(task.input, task.name, without_gold)
            self._check_labels(task.input.name)
            if task.perturb is not None:
                _open({"steps": [task.perturb], "languages": _languages(task.input)})
            rows, spans = (f"{self._sizes[f'{task.input.name} {x}']:,}" for x in ("rows", "spans"))
        finally:
            self._found.texts.append(
                (task.title, rows or "?", spans or "?", str(self._cells[task.title]))
            )

    def _check_labels(self, name: str) -> None:
        """Check that a text has spans that count. Raises SpanbridgeError if not."""
        scores = self._plan.study.scores
        there = SpanChoice(scores.labels, scores.map).renamed(self._labels.get(name, ()))
        if there and scores.labels is not None and not there & set(scores.labels):
            counted, told = ", ".join(scores.labels), ", ".join(sorted(there))
            raise SpanbridgeError(f"{name} has no label that counts ({counted}); it has: {told}")

    def _read(self, given: Input | Corpus, name: str, turned: Any) -> None:
        """Read data whole, and keep its first rows."""
        self._heads[given.name] = None
        head: list[SentencePair] = []
        counts, labels = Counts(), set()
        for row in given.rows(counts):
            labels |= {span.label for span in row.target.spans}
            self._sizes[f"{given.name} rows"] += 1
            self._sizes[f"{given.name} spans"] += len(row.target.spans)
            if len(head) < max(_LOOKED_AT, self._n):
                head.append(turned(row))
        if not self._sizes[f"{given.name} spans"]:
            raise SpanbridgeError(f"{given.name} has no labelled span; are its labels read?")
        self._heads[given.name], self._labels[given.name] = head, labels
        for note, n in ((note, n) for note, n in counts.notes().items() if n):
            self._found.notes[f"{given.name}: {n} {note}"] = None
        if given.dataset is not None and (listed := given.dataset.labels):
            for label in sorted(labels - {*listed, *given.dataset.coarse.values()}):
                self._found.notes[f"{given.name}: its description does not list {label}"] = None
        if given.licence is not None:
            self._licence(given.licence, given.data.title)

    def _licence(self, licence: str, of: str) -> None:
        self._found.licences.setdefault(licence, set()).add(of)

    def _pipeline(
        self, task: MakeTask | CellTask, made: Pipeline, given: Input | Corpus, text: str
    ) -> Sequence[SentencePair] | None:
        """Check a pipeline; its first rows, if they have been made for an estimate."""
        later = [repr(str(model.output)) for model in task.models]  # taggers that are not there yet
        # those that differ in nothing but such a tagger, as of another seed, are alike sound
        known = f"{given.name} {made.steps} {made.settings.languages}"
        for path in later:
            known = known.replace(path, "")
        if known in self._sound and self._found.estimate is None:
            return None
        head = self._heads.get(given.name)
        if head is not None:  # otherwise it has been said why
            made = self._with_rows(made, given, head)
            made.job()
        for n, step in enumerate(made.steps):
            if any(path in repr(step) for path in later):
                continue
            why = self._open(step, made)
            if why is not None:
                raise made.wrong(n, why)
        self._sound.add(known)
        if head is None or self._found.estimate is None:
            return None
        return self._estimate(made, given, head[: self._n], text, later)

    def _with_rows(
        self, made: Pipeline, given: Input | Corpus, head: Sequence[SentencePair]
    ) -> Pipeline:
        """The pipeline with the first rows as its input."""
        path = self._folder / f"{given.name}.jsonl"
        if not path.exists():
            with open_writer(path, "target", name="jsonl") as write:
                for row in head:
                    write(row)
        settings = made.settings.model_dump(exclude_defaults=True)
        own = {"input": str(path), "output": str(self._folder / "out.jsonl")}
        own["work"] = str(self._folder / "work")
        return make_pipeline({**settings, **own}, made.file, made.place)

    def _open(self, step: Step, made: Pipeline) -> str | None:
        """Load the parts of a step, once; why that fails."""
        key = f"{step!r} {made.settings.languages}"
        if key not in self._opened:
            self._opened[key] = None
            try:
                step.open(made.context())
            except SpanbridgeError as error:
                self._opened[key] = str(error)
            for kind, licence in step.licences().items():
                self._licence(licence, f"{kind} of the step {step.name}")
        return self._opened[key]

    def _estimate(
        self,
        made: Pipeline,
        given: Input | Corpus,
        head: Sequence[SentencePair],
        text: str,
        later: Sequence[str],
    ) -> Sequence[SentencePair] | None:
        """Try the steps on a few rows; each that pipelines over a text share counts once.

        Returns the rows after all of them; None if a step cannot be tried.
        """
        estimate = self._found.estimate
        assert estimate is not None
        if not head:
            return None
        share = self._sizes[f"{given.name} rows"] / len(head)
        before: tuple[str, ...] = (given.name, str(made.settings.languages))
        self._after.setdefault(before, list(head))
        for step in made.steps:
            now = (*before, repr(step))
            if now not in self._after:
                if any(path in repr(step) for path in later):
                    estimate.left_out[f"{step.name} with a tagger that is still to be trained"] = (
                        None
                    )
                    return None
                step.open(made.context())
                self._after[now], self._costs[now] = tried(step, self._after[before] or ())
            if (text, *now) not in self._counted:
                self._counted.add((text, *now))
                seconds, asked = self._costs[now]
                told = estimate.seconds.get(step.name, 0.0)
                estimate.seconds[step.name] = told + seconds * share
                estimate.requests += round(asked.requests * share)
                estimate.tokens += round(asked.sent * share)
            if self._after[now] is None:
                if step is not made.steps[-1]:
                    estimate.left_out[f"what follows the chat model of the step {step.name}"] = None
                return None
            before = now
        return self._after[before]

    def _training(self, task: TrainTask, estimate: Estimate) -> None:
        """Try a few steps of a training."""
        from spanbridge.training.recipe import Recipe
        from spanbridge.training.trial import Head, Trials

        self._trials = self._trials or Trials()
        recipe = Recipe.of(task.settings)
        if recipe.teachers:
            estimate.left_out["what teachers find in texts"] = None
        begun = {str(one.output): one.settings for one in task.made if isinstance(one, TrainTask)}
        encoder = recipe.encoder
        if encoder in begun:
            encoder = Recipe.of(begun[encoder]).encoder
        heads = {}
        for one in task.made:
            rows, of = self._made.get(str(one.output), (None, ""))
            if rows is not None:
                words = [row.target.words for row in rows if row.target.words]
                heads[str(one.output)] = Head(words, self._sizes[f"{of} rows"])
            elif not isinstance(one, TrainTask):
                estimate.left_out[f"the training of {task.title}, whose data is not here"] = None
                return
        seconds = self._trials.seconds(recipe.model_copy(update={"encoder": encoder}), heads)
        estimate.seconds["train"] = estimate.seconds.get("train", 0.0) + seconds


def _open(settings: Mapping[str, Any]) -> None:
    make_pipeline(settings).open()


def _languages(given: Input) -> dict[str, str]:
    return {"target": given.language, "source": given.source}
