"""Pipelines: settings, checked before anything runs, and turned into a job."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from inspect import isclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, Field, ValidationError, field_validator

from spanbridge.core import registry
from spanbridge.core.addresses import holds_work, is_remote, told
from spanbridge.core.errors import InputError, NoteWarning, SpanbridgeError
from spanbridge.core.files import is_there, real_path
from spanbridge.core.resources import EngineName
from spanbridge.core.rows import Side
from spanbridge.core.settings import most_telling, one_entry, reason, within
from spanbridge.core.settings_file import Place, read_settings, write_settings
from spanbridge.core.similar import meant, not_named
from spanbridge.core.spans import Nested
from spanbridge.core.standard import is_standard
from spanbridge.formats.languages import Language, find_language
from spanbridge.run.inputs import Input
from spanbridge.run.job import MAX_SHARD_ROWS, MAX_WORKERS, PATIENCE, SHARD_ROWS, Job, applied
from spanbridge.run.pools import pools_of
from spanbridge.run.record import pipeline_record
from spanbridge.run.result import check_output, result_format
from spanbridge.run.sample import FIT_ROWS
from spanbridge.steps.base import Context, PartSettings, Step

M = TypeVar("M", bound=BaseModel)


def _line_in(lines: Mapping[Any, int | None], loc: tuple[Hashable, ...]) -> int | None:
    """The line of a setting, of those that are known."""
    return lines.get(loc)


def _nowhere(loc: tuple[Hashable, ...]) -> None:
    """The line of a setting that stands in no file."""


class Settings(Input):
    """All settings of a pipeline file.

    Attributes:
        languages: languages of the sides, by any code.
        output: path of the result; its suffix tells the format.
        output_format: name of the output's format, if its suffix does not tell.
        output_side: side that is written if the format holds single sentences.
        link_scores: write the scores of links, if they are optional in the format.
        nested: of spans that lie in each other, those that a format with one layer holds: the
            ``outer`` ones (default) or the ``inner`` ones. Those left out are counted.
        work: folder for the shards, on this machine or another store; by default ``OUTPUT.work``,
            or for standard output (``-``) one that is not kept.
        shard_rows: rows per shard.
        workers: number of processes that make shards, each with models of its own; by default one,
            or with an engine as many as there is room for.
        engine: where they are: on this machine (``local``), or on a cluster of ``ray``.
        actors: number of those that make a step, by its name, on a cluster.
        patience: minutes after which a worker that has passed no row of its shard is ended.
        fit_rows: rows that steps learn from, at most, spread evenly over the input.
        commercial: refuse parts whose licence does not allow commercial use.
        steps: names of steps, or names with settings.
    """

    languages: dict[Side, str] = Field(default_factory=dict)
    output: str | None = None
    output_format: str | None = None
    output_side: Side = "target"
    link_scores: bool = False
    nested: Nested | None = None
    work: str | None = None
    shard_rows: int = Field(SHARD_ROWS, ge=1, le=MAX_SHARD_ROWS)
    workers: int | None = Field(None, ge=1, le=MAX_WORKERS)
    engine: EngineName = "local"
    actors: dict[str, Annotated[int, Field(strict=True, ge=1, le=MAX_WORKERS)]] = Field(
        default_factory=dict
    )
    patience: float = Field(PATIENCE, gt=0, allow_inf_nan=False)
    fit_rows: int = Field(FIT_ROWS, ge=1)
    commercial: bool = False
    steps: list[Any]

    @field_validator("steps")
    @classmethod
    def _at_least_one(cls, steps: list[Any]) -> list[Any]:
        if not steps:
            raise ValueError("name at least one step")
        return steps


@dataclass(frozen=True)
class Pipeline:
    """A pipeline whose settings have been checked.

    Attributes:
        settings: all settings.
        steps: the steps, not yet opened.
        file: path of the pipeline file, if any.
        place: function from keys and indices to a line of the file.
    """

    settings: Settings
    steps: tuple[Step, ...]
    file: str | None = None
    place: Place = _nowhere

    def wrong(self, n: int, why: str) -> InputError:
        """Error in the n-th step."""
        what = f"step {n + 1} ({self.steps[n].name}): " if self.file or len(self.steps) > 1 else ""
        return InputError(self.file, self.place(("steps", n)), f"{what}{why}")

    def wrong_setting(self, name: str, why: str) -> InputError:
        """Error in a setting of the whole pipeline."""
        return InputError(self.file, self.place((name,)), f"{name}: {why}")

    def job(self, keep: str | None = None, explanation: str | None = None) -> Job:
        """Check the pipeline against its input and output.

        Args:
            keep: folder in which the step saves what it has learned.
            explanation: file for the explanations of rows.

        Raises:
            InputError: a step needs a column that no earlier step makes; the input is not a file;
                or input or output are missing.
        """
        given = self.settings
        for name in ("input", "output"):
            if getattr(given, name) is None:
                raise InputError(self.file, None, f"{name}: is missing")
        assert given.output is not None
        if given.actors and given.engine == "local":
            what = "actors: without an engine all workers make all steps, so numbers of some say"
            warnings.warn(f"{what} nothing (engine: ray)", NoteWarning, stacklevel=2)
        work = self._work(given.output)
        held = result_format(given.output, self.steps[-1].name, given.nested, given.output_format)
        self._check_output(given.output, explanation, held.beside(given.output))
        self.check(given.columns())
        writing: dict[str, Any] = {"scores": True} if given.link_scores else {}
        writing |= {} if given.nested is None else {"nested": given.nested}
        signed = {"nested": "inner"} if given.nested == "inner" else {}
        return Job(
            {**given.paths(), **applied(self.steps)},
            given.rows,
            self._portable().open,
            given.output,
            given.output_side,
            held.name,
            writing,
            {**given.signature(), **signed},
            given.fit_rows,
            any(step.slow for step in self.steps),
            keep,
            explanation,
            work,
            given.shard_rows,
            given.workers,
            given.engine,
            given.patience,
            pools_of(self.steps, given.actors),
            tuple(given.files()),
            f"{given.model_dump_json(include=set(Input.model_fields))} {given.signature()}",
            self.record(),
        )

    def _portable(self) -> Pipeline:
        """The pipeline without what other processes cannot be given."""
        lines = {("steps", n): self.place(("steps", n)) for n in range(len(self.steps))}
        return replace(self, place=partial(_line_in, lines))

    def _work(self, output: str) -> Path | None:
        """The folder for shards. Raises InputError if a run could not go on for lack of one."""
        given = self.settings.work
        if given is not None and not holds_work(given):
            why = "shards cannot be kept there, file by file; name another place"
            raise self.wrong_setting("work", why)
        if given is not None:
            return Path(given)
        if not is_standard(output) and holds_work(output):
            return Path(f"{output}.work")
        if self.file is not None:
            place = "standard output" if is_standard(output) else told(output)
            why = f"of a run to {place} nothing is kept from which it could go on; name a "
            raise self.wrong_setting("output", f"{why}file, or a folder by work")
        return None

    def context(self) -> Context:
        """What all steps share. Raises SpanbridgeError if there is no such language."""
        given = self.settings
        languages: dict[Side, Language | None] = {
            side: find_language(code) for side, code in given.languages.items()
        }
        rows = None if given.input is None else given.rows
        return Context(languages, given.commercial, given.reading_of_labels(), rows)

    def open(self, numbers: Collection[int] | None = None) -> tuple[Step, ...]:
        """Load the parts of the steps; of those with some numbers, from 1, if any are given.

        Returns:
            The steps, in order.

        Raises:
            InputError: something that a step needs is missing, such as a package, or a language
                that its translator knows.
        """
        context = self.context()
        wanted = range(1, len(self.steps) + 1) if numbers is None else sorted(numbers)
        for n in (number - 1 for number in wanted):
            try:
                self.steps[n].open(context)
            except SpanbridgeError as error:
                if self.file is None and isinstance(error, InputError) and error.file:
                    raise
                raise self.wrong(n, str(error)) from error
        return tuple(self.steps[number - 1] for number in wanted)

    def _check_output(self, output: str, explanation: str | None, also: Sequence[Path]) -> None:
        """Check that the output can be written and overwrites nothing."""
        read = [*map(str, self.settings.files()), self.file]
        for step in self.steps:
            for name in type(step).model_fields:
                value = getattr(step, name)
                options = value.options.values() if isinstance(value, PartSettings) else (value,)
                read += (option for option in options if isinstance(option, str))
        check_output(output, *read, explanation=explanation, also=also)
        if is_standard(output) or is_remote(output):
            is_there(output)  # or else its store cannot be asked
            return
        folder = real_path(output).parent
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            why = "cannot be written: is its folder there, and writable?"
            raise InputError(output, None, why)
        if Path(output).is_dir():
            raise InputError(output, None, "is a folder where a file would go; name a file")

    def text(self) -> str:
        """Text of a pipeline file with these settings."""
        return write_settings(self.settings.model_dump(mode="json", exclude_defaults=True))

    def record(self) -> dict[str, Any]:
        """What the record of a result says of it; see :func:`pipeline_record`."""
        kept = {"languages", "fit_rows", "commercial"}
        given = self.settings.model_dump(mode="json", exclude_defaults=True, include=kept)
        return pipeline_record(given, self.steps)

    def check(self, columns: set[str]) -> None:
        """Check that every step finds the columns that it needs.

        Raises:
            InputError: a column is missing, or the output's format cannot hold the result.
        """
        for n, step in enumerate(self.steps):
            missing = step.needs() - columns
            if missing:
                why = (
                    f"needs {', '.join(sorted(missing))}, which nothing before it makes; there is: "
                    f"{', '.join(sorted(columns))}"
                )
                if {name.replace("_text", "_words") for name in missing} <= columns:
                    why += " (tokenised: false, or --raw, takes tokenised .txt for raw text)"
                raise self.wrong(n, why)
            try:
                columns = step.gives(set(columns))
            except SpanbridgeError as error:
                raise self.wrong(n, str(error)) from error
        output, side = self.settings.output, self.settings.output_side
        if output is None:
            return
        try:
            given = self.settings
            held = result_format(output, self.steps[-1].name, given.nested, given.output_format)
        except SpanbridgeError as error:
            raise self.wrong_setting("output", str(error)) from error
        written = "one" if held.writes_one_side else held.sides
        wanted = {"one": f"{side}_spans", "none": "links"}.get(written)
        if wanted is not None and wanted not in columns:
            why = f"{output} is of the format {held.name}, which needs {wanted}; no step makes them"
            raise self.wrong_setting("output", f"{why} (or write .jsonl)")


def read_pipeline(path: str, usual: Mapping[str, str] | None = None, **over: Any) -> Pipeline:
    """Read a pipeline file and check its settings.

    Args:
        path: YAML, without aliases.
        usual: languages to use if neither the file nor ``over`` names any.
        over: settings that replace the file's; languages are replaced side by side.

    Raises:
        InputError: it is not YAML, or has an unknown setting or a wrong value; with the line.
    """
    given, place = read_settings(path)
    spoken = given.get("languages")
    if isinstance(spoken, dict | None) and "languages" in over:
        over["languages"] = {**(usual or {}), **(spoken or {}), **over["languages"]}

    def place_in_file(loc: tuple[Hashable, ...]) -> int | None:
        return None if loc and loc[0] in over else place(loc)

    return make_pipeline({**given, **over}, path, place_in_file)


def make_pipeline(
    given: Mapping[str, Any], file: str | None = None, place: Place = _nowhere
) -> Pipeline:
    """Check settings in the form of a pipeline file.

    Args:
        given: the settings.
        file: file of the settings, for messages.
        place: function from keys and indices to a line.

    Raises:
        InputError: as :func:`read_pipeline`.
    """
    settings = validated(Settings, given, file, place)
    steps: list[Step] = []
    for n, entry in enumerate(settings.steps):
        if isinstance(entry, Step):  # made in Python
            steps.append(entry)
            continue
        try:
            name, options = one_entry(entry, "a step")
            kind = registry.load("step", name)
        except (ValueError, SpanbridgeError) as error:
            raise InputError(file, place(("steps", n)), str(error)) from error
        alone = file is None and len(settings.steps) == 1
        what = "" if alone else f"step {n + 1} ({name})"
        steps.append(validated(kind, options, file, place, ("steps", n, name), what))
    for side, code in settings.languages.items():
        try:
            find_language(code)
        except SpanbridgeError as error:
            raise InputError(file, place(("languages", side)), str(error)) from error
    names = [step.name for step in steps]
    for name in settings.actors:
        if name not in names:
            why = f"actors: {not_named('step of this pipeline', name, names)}"
            raise InputError(file, place(("actors", name)), why)
    return Pipeline(settings, tuple(steps), file, place)


def validated(
    model: type[M],
    given: Any,
    file: str | None,
    place: Place,
    at: tuple[Hashable, ...] = (),
    what: str = "",
) -> M:
    """Settings of a file as a model of them.

    Args:
        model: the class.
        given: the settings.
        file: file of the settings, for messages.
        place: function from keys and indices to a line.
        at: keys and indices that lead to these settings in the file.
        what: whose settings they are, for messages.

    Raises:
        InputError: a setting is unknown, missing or wrong, with the line.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        wrong = most_telling(error.errors(), given)
        first, names = wrong[0], within(wrong[0], given)
        name, why = ".".join(map(str, names)), reason(*wrong)
        if first["type"] == "extra_forbidden":
            why += _instead(model, names)
        if file is not None and isinstance(first["input"], bool) and first["type"] == "string_type":
            why += " (YAML reads yes, no, on and off as true and false)"
        told = ": ".join(part for part in (what, name, why) if part)
        raise InputError(file, place((*at, *first["loc"])), told) from error


def _instead(model: type[BaseModel], names: Sequence[Hashable]) -> str:
    """The names that there are in place of an unknown one."""
    for name in names[:-1]:
        if (field := model.model_fields.get(str(name))) is not None:  # no index or key of a name
            model = next(_models(field.annotation), model)
    near = meant(str(names[-1]), model.model_fields)
    return f"{near}; there are: {', '.join(model.model_fields) or 'none'}"


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a type, such as those of a list's items."""
    if isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
