"""Pipelines: settings, checked before anything runs, and turned into a job."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError

from spanbridge.core import registry
from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import lines
from spanbridge.core.registry import reason
from spanbridge.core.rows import Side
from spanbridge.formats import find_format
from spanbridge.formats.languages import Language, find_language
from spanbridge.run.inputs import Input
from spanbridge.run.job import MAX_SHARD_ROWS, SHARD_ROWS, Job
from spanbridge.run.result import check_output
from spanbridge.run.sample import FIT_ROWS
from spanbridge.steps.base import Context, PartSettings, Step, one_entry

M = TypeVar("M", bound=BaseModel)
_DEEPEST = 20  # greatest depth of a pipeline file
# Function from keys and indices to a line of a pipeline file.
Place = Callable[[tuple[Hashable, ...]], int | None]


class Settings(Input):
    """All settings of a pipeline file.

    Attributes:
        languages: languages of the sides, by any code.
        output: path of the result; its suffix tells the format.
        output_side: side that is written if the format holds single sentences.
        link_scores: write the scores of links, if they are optional in the format.
        work: folder for the shards; by default ``OUTPUT.work``.
        shard_rows: rows per shard.
        fit_rows: rows that steps learn from, at most, spread evenly over the input.
        commercial: refuse parts whose licence does not allow commercial use.
        steps: names of steps, or names with settings.
    """

    languages: dict[Side, str] = Field(default_factory=dict)
    output: str | None = None
    output_side: Side = "target"
    link_scores: bool = False
    work: str | None = None
    shard_rows: int = Field(SHARD_ROWS, ge=1, le=MAX_SHARD_ROWS)
    fit_rows: int = Field(FIT_ROWS, ge=1)
    commercial: bool = False
    steps: list[Any] = Field(min_length=1)


@dataclass(frozen=True)
class Pipeline:
    """A pipeline whose settings have been checked.

    Attributes:
        settings: all settings.
        steps: the steps, not yet opened.
        file: path of the pipeline file, if any.
        line: line of each step in the file.
    """

    settings: Settings
    steps: tuple[Step, ...]
    file: str | None = None
    line: tuple[int | None, ...] = ()

    def wrong(self, n: int, why: str) -> InputError:
        """Error in the n-th step."""
        line = self.line[n] if self.line else None
        what = f"step {n + 1} ({self.steps[n].name}): " if self.file or len(self.steps) > 1 else ""
        return InputError(self.file, line, f"{what}{why}")

    def job(
        self,
        part: tuple[int, int] = (1, 1),
        keep: str | None = None,
        explanation: str | None = None,
    ) -> Job:
        """Check the pipeline against its input and output.

        Args:
            part: as in :class:`~spanbridge.run.job.Job`.
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
        default = "pharaoh" if self.steps[-1].name == "align" else "conll"
        self.check(given.columns(), default)
        self._check_output(given.output, explanation)
        applied = (getattr(step, "apply", None) for step in self.steps)
        return Job(
            {**given.paths(), "fit": next(filter(None, applied), None)},
            given.rows,
            self.open,
            given.output,
            given.output_side,
            default,
            {"scores": True} if given.link_scores else {},
            given.signature(),
            given.fit_rows,
            any(step.slow for step in self.steps),
            keep,
            explanation,
            Path(given.work or f"{given.output}.work"),
            given.shard_rows,
            part,
        )

    def open(self) -> tuple[Step, ...]:
        """Load the parts of the steps.

        Raises:
            InputError: something that a step needs is missing, such as a package, or a language
                that its translator knows.
        """
        languages: dict[Side, Language | None] = {
            side: find_language(code) for side, code in self.settings.languages.items()
        }
        context = Context(languages, self.settings.commercial)
        for n, step in enumerate(self.steps):
            try:
                step.open(context)
            except InputError as error:
                raise error if error.file else self.wrong(n, str(error)) from error
            except SpanbridgeError as error:
                raise self.wrong(n, str(error)) from error
        return self.steps

    def _check_output(self, output: str, explanation: str | None) -> None:
        """Check that the output can be written and overwrites nothing."""
        read = [*self.settings.paths().values(), self.file]
        for step in self.steps:
            for name in type(step).model_fields:
                value = getattr(step, name)
                options = value.options.values() if isinstance(value, PartSettings) else (value,)
                read += (option for option in options if isinstance(option, str))
        if "\0" in output:
            raise InputError(self.file, None, "output: holds a zero byte; name a file")
        check_output(output, *read, explanation=explanation)
        folder = Path(output).resolve().parent
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            why = "cannot be written: is its folder there, and writable?"
            raise InputError(output, None, why)
        if Path(output).is_dir():
            raise InputError(output, None, "is a folder where a file would go; name a file")

    def text(self) -> str:
        """Text of a pipeline file with these settings."""
        given = self.settings.model_dump(mode="json", exclude_defaults=True)
        return str(yaml.safe_dump(given, sort_keys=False, allow_unicode=True))

    def check(self, columns: set[str], default_format: str = "conll") -> None:
        """Check that every step finds the columns that it needs.

        Raises:
            InputError: a column is missing, or the output's format cannot hold the result.
        """
        for n, step in enumerate(self.steps):
            missing = step.needs() - columns
            if missing:
                raise self.wrong(
                    n,
                    f"needs {', '.join(sorted(missing))}, which nothing before it makes; there is: "
                    f"{', '.join(sorted(columns))}",
                )
            try:
                columns = step.gives(set(columns))
            except SpanbridgeError as error:
                raise self.wrong(n, str(error)) from error
        output, side = self.settings.output, self.settings.output_side
        if output is None:
            return
        held = find_format(output, default=default_format)
        wanted = {"one": f"{side}_spans", "none": "links"}.get(held.sides)
        if wanted is not None and wanted not in columns:
            raise InputError(
                self.file,
                None,
                f"output: {output} is of the format {held.name}, which needs {wanted}; no step "
                "makes them (or write .jsonl)",
            )
        last = "links" if self.steps[-1].name == "align" else "spans"
        if not (held.holds_links if last == "links" else held.holds_spans):
            ways = ".jsonl or .pharaoh" if last == "links" else ".jsonl or .conll"
            why = f"output: {output} is of the format {held.name}, which holds no {last}"
            raise InputError(self.file, None, f"{why}; write {ways}")


def read_pipeline(path: str, usual: Mapping[str, str] | None = None, **over: Any) -> Pipeline:
    """Read a pipeline file and check its settings.

    Args:
        path: YAML, without aliases.
        usual: languages to use if neither the file nor ``over`` names any.
        over: settings that replace the file's; languages are replaced side by side.

    Raises:
        InputError: it is not YAML, or has an unknown setting or a wrong value; with the line.
    """
    text = "\n".join(lines(path))
    try:
        _check_shape(text, path)
        node = yaml.compose(text, yaml.SafeLoader)
        given = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(path, line, f"is not YAML ({problem})") from error
    if node is None or not isinstance(given, dict):
        raise InputError(path, None, "holds no settings; write steps: [...] and more")
    _check_twice(node, path)
    spoken = given.get("languages")
    if isinstance(spoken, dict | None) and "languages" in over:
        over["languages"] = {**(usual or {}), **(spoken or {}), **over["languages"]}
    return make_pipeline({**given, **over}, path, partial(_line, node))


def make_pipeline(
    given: Mapping[str, Any], file: str | None = None, place: Place = lambda loc: None
) -> Pipeline:
    """Check settings in the form of a pipeline file.

    Args:
        given: the settings.
        file: file of the settings, for messages.
        place: function from keys and indices to a line.

    Raises:
        InputError: as :func:`read_pipeline`.
    """
    settings = _validated(Settings, given, file, place)
    steps: list[Step] = []
    where: list[int | None] = []
    for n, entry in enumerate(settings.steps):
        if isinstance(entry, Step):  # made in Python
            steps.append(entry)
            where.append(None)
            continue
        try:
            name, options = one_entry(entry, "a step")
            kind = registry.load("step", name)
        except (ValueError, SpanbridgeError) as error:
            raise InputError(file, place(("steps", n)), str(error)) from error
        alone = file is None and len(settings.steps) == 1
        what = "" if alone else f"step {n + 1} ({name})"
        steps.append(_validated(kind, options, file, place, ("steps", n, name), what))
        where.append(place(("steps", n)))
    for side, code in settings.languages.items():
        try:
            find_language(code)
        except SpanbridgeError as error:
            raise InputError(file, place(("languages", side)), str(error)) from error
    return Pipeline(settings, tuple(steps), file, tuple(where))


def _validated(
    model: type[M],
    given: Any,
    file: str | None,
    place: Place,
    at: tuple[Hashable, ...] = (),
    what: str = "",
) -> M:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        loc = (*at, *first["loc"])
        name = ".".join(map(str, first["loc"]))
        known = ""
        if isinstance(first["input"], bool) and first["type"] == "string_type":
            known = " (YAML reads yes, no, on and off as true and false: put it in quotes)"
        if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
            known = f"; there are: {', '.join(model.model_fields) or 'none'}"
        why = ": ".join(part for part in (what, name, reason(first)) if part)
        raise InputError(file, place(loc), f"{why}{known}") from error


def _line(node: yaml.Node, loc: Iterable[Hashable]) -> int | None:
    """Line of a setting, or of the innermost enclosing one that the file contains."""
    line: int = node.start_mark.line
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == step]
            if not found:
                break
            line, node = found[0][0].start_mark.line, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line
        else:
            break
    return line + 1


def _check_shape(text: str, path: str) -> None:
    """Refuse aliases, which can make a small file endless, and deep nesting."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent):
            raise InputError(path, line, "aliases (*name) are not read; write it out")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise InputError(path, line, f"is nested more than {_DEEPEST} levels deep")


def _check_twice(node: yaml.Node, path: str) -> None:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                raise InputError(path, key.start_mark.line + 1, f"{key.value} is given twice")
            seen.add(key.value)
            _check_twice(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check_twice(value, path)
