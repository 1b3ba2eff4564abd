"""Pipeline files: read, checked to the last setting before anything runs, and made into a job."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.spans import SentencePair
from spanbridge.core.tags import OrphanPolicy, Scheme
from spanbridge.data.conll import Counts
from spanbridge.data.files import check_rereadable, lines
from spanbridge.data.formats import read_pairs, suffix
from spanbridge.data.languages import Language, find_language
from spanbridge.pipeline.files import check_output
from spanbridge.pipeline.runner import MOST_ROWS, SHARD_ROWS, Job, Part
from spanbridge.pipeline.stages import STAGES, Context, Stage, Worker
from spanbridge.pipeline.stages.base import Part as StagePart
from spanbridge.pipeline.stages.base import Side, one_entry, reason
from spanbridge.pipeline.translation import paired, read_side, reads_conll

M = TypeVar("M", bound=BaseModel)
_DEEPEST = 20  # levels of a pipeline file
Place = Callable[[tuple[Hashable, ...]], int | None]


class Both(BaseModel):
    """Files of both sides, row by row."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    source: str
    target: str


class Settings(BaseModel):
    """A pipeline file but its stages.

    Attributes:
        input: raw text (a text a line), CoNLL, pairs as ``.jsonl``, or files of both sides.
        side: on which a single text or CoNLL file stands; the labels of the source side are read.
        languages: of the sides, by any code.
        output: ``.jsonl`` or CoNLL.
        work: folder for the shards; ``OUTPUT.work`` unless given.
        shard_rows: rows of a shard.
        commercial: refuse translators whose licence does not allow commercial use.
        scheme, orphans: how the tags of CoNLL are read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    input: str | Both | None = None
    side: Side = "target"
    languages: dict[Side, str] = Field(default_factory=dict)
    output: str | None = None
    work: str | None = None
    shard_rows: int = Field(SHARD_ROWS, ge=1, le=MOST_ROWS)
    commercial: bool = False
    scheme: Scheme = "iob2"
    orphans: OrphanPolicy = "begin"
    stages: list[Any] = Field(min_length=1)


@dataclass(frozen=True)
class Pipeline:
    """A pipeline whose settings have been checked.

    Attributes:
        settings: all but the stages.
        stages: in order.
        file: that it came from, if any.
        line: of each stage in the file.
    """

    settings: Settings
    stages: tuple[Stage, ...]
    file: str | None = None
    line: tuple[int | None, ...] = ()

    def wrong(self, n: int, why: str) -> InputError:
        """An error in the n-th stage."""
        line = self.line[n] if self.line else None
        return InputError(self.file, line, f"stage {n + 1} ({self.stages[n].kind}): {why}")

    def job(self, part: Part = (1, 1)) -> Job:
        """Check it against its input, load what the stages work with.

        Raises:
            InputError: a stage needs a column that nothing before it makes, a language that its
                translator does not know, or a package that is not installed; or the input is no
                file, or input or output are missing.
        """
        given = self.settings
        for name in ("input", "output"):
            if getattr(given, name) is None:
                raise InputError(self.file, None, f"{name}: is missing")
        assert given.output is not None
        self.check(columns(given))
        self._check_output(given.output)
        languages: dict[Side, Language | None] = {
            side: find_language(code) for side, code in given.languages.items()
        }
        context = Context(languages, given.commercial)
        work = Path(given.work or f"{given.output}.work")
        return Job(
            _inputs(given),
            partial(open_rows, given),
            tuple(self._open(context)),
            work,
            given.output,
            given.shard_rows,
            part,
        )

    def _check_output(self, output: str) -> None:
        """Whether the output can stand where it would go, and overwrites nothing that is read."""
        read = [*_inputs(self.settings).values(), self.file]
        for stage in self.stages:
            parts = (getattr(stage, name) for name in type(stage).model_fields)
            options = (part.options for part in parts if isinstance(part, StagePart))
            read += (v for given in options for v in given.values() if isinstance(v, str))
        if "\0" in output:
            raise InputError(self.file, None, "output: holds a zero byte; name a file")
        check_output(output, *read)
        folder = Path(output).resolve().parent
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            why = "cannot be written: is its folder there, and writable?"
            raise InputError(output, None, why)
        if Path(output).is_dir():
            raise InputError(output, None, "is a folder where a file would go; name a file")

    def _open(self, context: Context) -> Iterator[tuple[str, Worker]]:
        for n, stage in enumerate(self.stages):
            try:
                yield stage.kind, stage.open(context)
            except SpanbridgeError as error:
                raise self.wrong(n, str(error)) from error

    def text(self) -> str:
        """As a pipeline file."""
        given = self.settings.model_dump(mode="json", exclude_defaults=True)
        return str(yaml.safe_dump(given, sort_keys=False, allow_unicode=True))

    def check(self, there: set[str]) -> None:
        """Whether every stage finds what it needs.

        Raises:
            InputError: one does not; or the output cannot hold what comes out.
        """
        for n, stage in enumerate(self.stages):
            missing = stage.needs() - there
            if missing:
                raise self.wrong(
                    n,
                    f"needs {', '.join(sorted(missing))}, which nothing before it makes; there is: "
                    f"{', '.join(sorted(there))}",
                )
            try:
                there = stage.gives(set(there))
            except SpanbridgeError as error:
                raise self.wrong(n, str(error)) from error
        output = self.settings.output
        if output and suffix(output) != ".jsonl" and "target_spans" not in there:
            raise InputError(
                self.file,
                None,
                f"output: {output} is CoNLL, which needs target_spans; no stage makes them (or "
                "write .jsonl)",
            )


def read_pipeline(path: str, usual: Mapping[str, str] | None = None, **over: Any) -> Pipeline:
    """A pipeline file, its settings checked.

    Args:
        path: YAML, without aliases.
        usual: languages where neither the file nor ``over`` names any.
        over: settings in place of the file's; languages, side by side.

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
        raise InputError(path, None, "holds no settings; write stages: [...] and more")
    _check_twice(node, path)
    spoken = given.get("languages")
    if isinstance(spoken, dict | None) and "languages" in over:
        over["languages"] = {**(usual or {}), **(spoken or {}), **over["languages"]}
    return make_pipeline({**given, **over}, path, partial(_line, node))


def make_pipeline(
    given: Mapping[str, Any], file: str | None = None, place: Place = lambda loc: None
) -> Pipeline:
    """Settings as a pipeline file holds them, checked.

    Args:
        given: the settings.
        file: that they stand in, for messages.
        place: keys and indices -> line.

    Raises:
        InputError: as :func:`read_pipeline`.
    """
    settings = _validated(Settings, given, file, place, ())
    stages, where = [], []
    for n, entry in enumerate(settings.stages):
        try:
            name, options = one_entry(entry, "a stage")
            kind = STAGES[name]
        except ValueError as error:
            raise InputError(file, place(("stages", n)), str(error)) from error
        except KeyError as error:
            known = ", ".join(STAGES)
            why = f"no stage is named {name!r}; there are: {known}"
            raise InputError(file, place(("stages", n)), why) from error
        stages.append(_validated(kind, options, file, place, ("stages", n, name)))
        where.append(place(("stages", n)))
    for side, code in settings.languages.items():
        try:
            find_language(code)
        except SpanbridgeError as error:
            raise InputError(file, place(("languages", side)), str(error)) from error
    return Pipeline(settings, tuple(stages), file, tuple(where))


def _validated(
    model: type[M], given: Any, file: str | None, place: Place, at: tuple[Hashable, ...]
) -> M:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        loc = (*at, *first["loc"])
        name = ".".join(map(str, first["loc"]))
        if at:
            name = f"stage {int(str(at[1])) + 1} ({at[2]}){f': {name}' if name else ''}"
        known = ""
        if isinstance(first["input"], bool) and first["type"] == "string_type":
            known = " (YAML reads yes, no, on and off as true and false: put it in quotes)"
        if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
            known = f"; there are: {', '.join(model.model_fields) or 'none'}"
        raise InputError(file, place(loc), f"{name}: {reason(first)}{known}") from error


def _line(node: yaml.Node, loc: Iterable[Hashable]) -> int | None:
    """Line of a setting, or of the innermost thing about it that the file has."""
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
    """No aliases, which can make a small file endless, and no deep nesting."""
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


def columns(given: Settings) -> set[str]:
    """What an input has.

    Raises:
        InputError: it is no file, or cannot be read.
    """
    for path in _inputs(given).values():
        if not Path(path or "").exists():
            raise InputError(path, None, "no such file")
        check_rereadable(path or "")
    side = given.side
    if isinstance(given.input, Both):
        return {"source_words", "source_spans", "target_words"}
    path = given.input or ""
    if suffix(path) == ".jsonl":
        found = {"source_words", "source_spans", "target_words", "target_spans"}
        for pair in islice(open_rows(given), 1):
            found |= {"links"} if pair.links is not None else set()
            texts = {"source": pair.source.text, "target": pair.target.text}
            found |= {f"{name}_text" for name, text in texts.items() if text is not None}
        return found
    if not reads_conll(path, side):
        return {f"{side}_words", f"{side}_text"}
    return {"source_words", "source_spans"} if side == "source" else {"target_words"}


def open_rows(given: Settings, counts: Counts | None = None) -> Iterator[SentencePair]:
    """The rows of an input, in order.

    Raises:
        InputError: it is wrong, with the line.
    """
    tags: dict[str, Any] = {"scheme": given.scheme, "orphans": given.orphans, "counts": counts}
    if isinstance(given.input, Both):
        return read_pairs(given.input.source, given.input.target, **tags)
    path = given.input or ""
    if suffix(path) == ".jsonl":
        return read_pairs(path, counts=counts)
    return paired(read_side(path, given.side, **tags), given.side)


def _inputs(given: Settings) -> dict[str, str | None]:
    if isinstance(given.input, Both):
        return {"source": given.input.source, "target": given.input.target}
    return {"input": given.input}
