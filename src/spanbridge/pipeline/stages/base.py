"""What a stage of a pipeline is."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, create_model

from spanbridge.core import registry
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.spans import SentencePair
from spanbridge.data.languages import Language
from spanbridge.pipeline.account import Account

Side = Literal["source", "target"]
OTHER: dict[Side, Side] = {"source": "target", "target": "source"}
SPLIT = "sentences of longer texts"  # a column of its own, which `join` needs


@dataclass(frozen=True)
class Context:
    """What all stages of a pipeline share.

    Attributes:
        languages: of the source and of the target side; None where no stage needs to know it.
        commercial: refuse translators whose licence does not allow commercial use.
    """

    languages: dict[Side, Language | None] = field(default_factory=dict)
    commercial: bool = False

    def language(self, side: Side) -> Language:
        """Of a side.

        Raises:
            SpanbridgeError: nobody said.
        """
        found = self.languages.get(side)
        if found is None:
            raise SpanbridgeError(f"the {side}'s language is not given; add it under languages")
        return found


class Worker(ABC):
    """A stage with its models open."""

    @abstractmethod
    def describe(self) -> str:
        """Name and everything that its results depend on but its input (and what it learns)."""

    @abstractmethod
    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Every row of a shard; what becomes of one depends on it alone, and on what was learned.

        Where rows go in and out one by one, each is entered in the account.
        """

    def licences(self) -> dict[str, str]:
        """Of the models that it works with, by their names."""
        return {}


class Learner(Worker):
    """A worker that may have to see a sample of all rows before it works on any.

    Attributes:
        learns: whether it does, with these settings.
    """

    learns: bool

    @abstractmethod
    def learn(self, rows: Sequence[SentencePair], folder: Path) -> None:
        """Learn from a sample, and keep that in a folder."""

    @abstractmethod
    def recall(self, folder: Path) -> None:
        """Take up what was learned before."""


class Stage(BaseModel, ABC):
    """Settings of a stage; its name in a pipeline file is :attr:`kind`."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, allow_inf_nan=False
    )
    kind: ClassVar[str]

    @abstractmethod
    def needs(self) -> set[str]:
        """Columns that there must be."""

    @abstractmethod
    def gives(self, columns: set[str]) -> set[str]:
        """The columns after it.

        Raises:
            SpanbridgeError: it cannot come after what there is.
        """

    @abstractmethod
    def open(self, context: Context) -> Worker:
        """Load what it works with.

        Raises:
            SpanbridgeError: a setting is wrong, or something that it needs is missing.
        """


@dataclass(frozen=True)
class Part:
    """A part by its name in the registry, with options: ``NAME`` or ``{NAME: {OPTION: ...}}``."""

    kind: str
    name: str
    options: dict[str, Any]

    def build(self) -> Any:
        """Make it."""
        return registry.build(self.kind, self.name, self.options)

    @classmethod
    def parse(cls, kind: str, given: Any) -> Part:
        """Out of a pipeline file.

        Raises:
            ValueError: nobody goes by that name, or an option is unknown or of the wrong type.
        """
        if isinstance(given, Part):
            return given
        name, options = one_entry(given, f"a {kind}")
        try:
            made = registry.load(kind, name)
        except SpanbridgeError as error:
            raise ValueError(str(error)) from error
        return cls(kind, name, _checked(made, name, options))


def one_entry(given: Any, what: str) -> tuple[str, dict[str, Any]]:
    """``NAME`` or ``{NAME: {SETTING: ...}}``.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(given, str):
        return given, {}
    if isinstance(given, dict) and len(given) == 1:
        ((name, settings),) = given.items()
        if isinstance(name, str) and isinstance(settings, dict | None):
            return name, settings or {}
    raise ValueError(f"{what} is written as NAME or as NAME: {{SETTING: VALUE, ...}}")


def _checked(made: Any, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Options, by the annotations of the class that takes them."""
    hints = get_type_hints(made.__init__)
    fields: dict[str, Any] = {
        key: (hints.get(key, Any), ... if p.default is p.empty else p.default)
        for key, p in inspect.signature(made).parameters.items()
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    }
    kind = ConfigDict(
        extra="forbid",
        arbitrary_types_allowed=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )
    model = create_model(name, __config__=kind, **fields)
    try:
        found = model.model_validate(options)
    except ValidationError as error:
        reasons = (f"{'.'.join(map(str, e['loc']))}: {reason(e)}" for e in error.errors())
        has = ", ".join(fields) or "none"
        raise ValueError(f"{name}: {'; '.join(reasons)} (its options: {has})") from error
    return {key: getattr(found, key) for key in options}


def reason(error: Any) -> str:
    """What pydantic says, in fewer words."""
    said = str(error["msg"]).removeprefix("Value error, ")
    return {
        "Extra inputs are not permitted": "there is no such setting",
        "Field required": "is missing",
    }.get(said, said[0].lower() + said[1:])


# The types of settings that name a part.
AlignerPart = Annotated[Part, BeforeValidator(partial(Part.parse, "aligner"))]
MethodPart = Annotated[Part, BeforeValidator(partial(Part.parse, "method"))]
SegmenterPart = Annotated[Part, BeforeValidator(partial(Part.parse, "segmenter"))]
SplitterPart = Annotated[Part, BeforeValidator(partial(Part.parse, "splitter"))]
TaggerPart = Annotated[Part, BeforeValidator(partial(Part.parse, "tagger"))]
TranslatorPart = Annotated[Part, BeforeValidator(partial(Part.parse, "translator"))]


def licences_of(**parts: object) -> dict[str, str]:
    """Licences of the parts that say theirs."""
    found = {name: getattr(part, "licence", None) for name, part in parts.items()}
    return {name: str(licence) for name, licence in found.items() if licence is not None}
