"""Base class of the steps of pipelines, and the settings of their parts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PrivateAttr,
    ValidationInfo,
    field_validator,
)

from spanbridge.core import registry
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.plugins import code_digests, told
from spanbridge.core.progress import Progress, silent
from spanbridge.core.requirements import Part, allows_commercial_use
from spanbridge.core.resources import Resources
from spanbridge.core.rows import OTHER, SentencePair, Side
from spanbridge.core.secrets import shown
from spanbridge.core.settings import exact, one_entry
from spanbridge.formats import Reading
from spanbridge.formats.languages import Language
from spanbridge.steps.account import Account

# Rows per batch: enough to fill an encoder's batches of equal length, few enough for a progress bar
# that moves; results do not depend on it. If no step is slow, so few that they are freed before
# Python's garbage collector makes a full pass.
CHUNK, QUICK_CHUNK = 512, 32
# Words per batch, which keeps the memory for whole books as rows within bounds.
CHUNK_WORDS = 250_000


def chunks(
    rows: Iterable[SentencePair], size: int = CHUNK, words: float = CHUNK_WORDS
) -> Iterator[list[SentencePair]]:
    """Consecutive lists of at most ``size`` rows and ``words`` words, or of one longer row."""
    chunk: list[SentencePair] = []
    n_words = 0
    for row in rows:
        n = len(row.source.words) + len(row.target.words)
        if chunk and (len(chunk) == size or n_words + n > words):
            yield chunk
            chunk, n_words = [], 0
        chunk.append(row)
        n_words += n
    if chunk:
        yield chunk


@dataclass(frozen=True)
class PartSettings:
    """A part by its name in the registry, with options: ``NAME`` or ``{NAME: {OPTION: ...}}``.

    Attributes:
        kind: ``aligner``, ``method``, ``tagger`` and so on.
        name: name in the registry; empty for a part passed from Python.
        options: options of its class.
        made: the part itself, if it was passed from Python.
    """

    kind: str
    name: str
    options: dict[str, Any] = field(default_factory=dict)
    made: Any = None

    @classmethod
    def parse(cls, kind: str, given: Any) -> PartSettings:
        """Settings from a pipeline file, or from a part that has been made already.

        Raises:
            ValueError: there is no part of that name, or an option is unknown or of the wrong type.
        """
        if isinstance(given, PartSettings):
            return given
        if given is None:
            raise ValueError("is missing; name one")
        if not isinstance(given, str | dict | int | float | list | tuple):
            return cls(kind, "", {}, given)
        name, options = one_entry(given, "an aligner" if kind == "aligner" else f"a {kind}")
        try:
            made = registry.load(kind, name)
        except SpanbridgeError as error:
            raise ValueError(str(error)) from error
        return cls(kind, name, registry.check_options(made, name, options))

    def part(self) -> Any:
        """The part that was passed, or the class of the one that is named."""
        return registry.load(self.kind, self.name) if self.made is None else self.made

    def resources(self) -> Resources:
        """What a process needs that holds the part: what its class says, and its options."""
        part, options = self.part(), dict(self.options)
        if self.made is None:
            fields = registry.options_of(part).model_fields
            options = {**{name: field.default for name, field in fields.items()}, **options}
        own = getattr(part, "resources", None)
        return Resources.of(options, own if isinstance(own, Resources) else Resources())


# Types of settings that name a part.
AlignerSettings = Annotated[PartSettings, BeforeValidator(partial(PartSettings.parse, "aligner"))]
MethodSettings = Annotated[PartSettings, BeforeValidator(partial(PartSettings.parse, "method"))]
PerturbationSettings = Annotated[
    PartSettings, BeforeValidator(partial(PartSettings.parse, "perturbation"))
]
SegmenterSettings = Annotated[
    PartSettings, BeforeValidator(partial(PartSettings.parse, "segmenter"))
]
SplitterSettings = Annotated[PartSettings, BeforeValidator(partial(PartSettings.parse, "splitter"))]
TaggerSettings = Annotated[PartSettings, BeforeValidator(partial(PartSettings.parse, "tagger"))]
TranslatorSettings = Annotated[
    PartSettings, BeforeValidator(partial(PartSettings.parse, "translator"))
]


# The tagger that comes with the package, where none is named.
TAGGER = PartSettings("tagger", "embedded")


# What helps if the licence of a part does not allow commercial use.
_COMMERCIAL = {
    "translator": "Apertium, M2M-100 (MIT) and most OPUS-MT models (CC-BY-4.0) do",
    "tagger": "take another model, or state it on the model's card",
    "aligner": "take another encoder, or state it on the model's card",
}


@dataclass(frozen=True)
class Context:
    """Settings that all steps of a pipeline share.

    Attributes:
        languages: languages of the source and the target side; None if no step needs it.
        commercial: refuse parts whose licence does not allow commercial use.
        reading: how labelled files of steps are read; None for the usual way.
        rows: function that starts reading the input; None if it is not in files.
    """

    languages: dict[Side, Language | None] = field(default_factory=dict)
    commercial: bool = False
    reading: Reading | None = None
    rows: Callable[[], Iterable[SentencePair]] | None = None

    def language(self, side: Side) -> Language:
        """Language of one side. Raises SpanbridgeError if it is not known."""
        found = self.languages.get(side)
        if found is None:
            raise SpanbridgeError(f"the {side}'s language is not given; add it under languages")
        return found

    def tag(self, side: Side) -> str:
        """BCP-47 tag of one side's language; ``und`` (undetermined) if it is not known."""
        found = self.languages.get(side)
        return "und" if found is None else found.tag

    def pair(self, side: Side) -> tuple[Language, Language]:
        """Languages of a side and of the other. Raises SpanbridgeError unless there are two."""
        own, other = self.language(side), self.language(OTHER[side])
        if own == other:
            raise SpanbridgeError(f"both languages are {own.tag}; name another for one side")
        return own, other

    def build(self, part: PartSettings) -> Any:
        """Make a part.

        Raises:
            SpanbridgeError: it cannot be made; or commercial use is required, and its licence is
                not known to allow it.
        """
        made = part.made
        if made is None:
            made = registry.build(part.kind, part.name, part.options)
        licence = getattr(made, "licence", None)
        if self.commercial and licence is not None and not allows_commercial_use(licence):
            advice = _COMMERCIAL.get(part.kind, "take another")
            kind: Any = type(made)
            if isinstance(made, Part) and "licence" in registry.options_of(kind).model_fields:
                advice = "state it by the option licence"
            raise SpanbridgeError(
                f"the licence of the {part.kind} {part.name} is {licence}, which is not known to "
                f"allow commercial use; {advice}"
            )
        return made


class Step(BaseModel, ABC):
    """A step of a pipeline, with its settings, columns and work on rows.

    Its fields are its settings in a pipeline file. Other packages add steps by an entry point in
    the group ``spanbridge.step``.

    Attributes:
        name: name in pipeline files.
        takes, makes, clears: columns that it needs, adds and removes: ``source_words``,
            ``target_spans``, ``links`` and so on; ``{side}`` is replaced by its own side,
            ``{other}`` by the other one.
        before: columns that must not exist yet.
        one_to_one: True if each row gives one row, with the same id, in the same order.
        amends: True if what was found in the rows stays found: the step changes probabilities,
            leaves spans out or moves them, so that the account of the step before still holds but
            for these, with its own notes.
        resources: what each process needs that does the step, beside what its parts need.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, allow_inf_nan=False
    )
    name: ClassVar[str]
    takes: ClassVar[tuple[str, ...]] = ()
    makes: ClassVar[tuple[str, ...]] = ()
    clears: ClassVar[tuple[str, ...]] = ()
    before: ClassVar[tuple[str, ...]] = ()
    one_to_one: ClassVar[bool] = True
    amends: ClassVar[bool] = False
    resources: ClassVar[Resources] = Resources()
    _made: dict[str, Any] = PrivateAttr(default_factory=dict)

    @field_validator("*", mode="before")
    @classmethod
    def _exact(cls, value: Any, info: ValidationInfo) -> Any:
        return exact(cls.model_fields[info.field_name or ""].annotation, value)

    def needs(self) -> set[str]:
        """Columns that it needs."""
        return self._columns(self.takes)

    def resources_with_parts(self) -> Resources:
        """What each process needs that does the step."""
        own = (getattr(self, name) for name in type(self).model_fields)
        parts = (part.resources() for part in own if isinstance(part, PartSettings))
        return Resources.together([self.resources, *parts])

    def gives(self, columns: set[str]) -> set[str]:
        """The columns after it. Raises SpanbridgeError if it cannot follow the former steps."""
        if late := columns & self._columns(self.before):
            raise SpanbridgeError(f"{self.name} comes before what makes {', '.join(sorted(late))}")
        return (columns | self._columns(self.makes)) - self._columns(self.clears)

    def _columns(self, names: tuple[str, ...]) -> set[str]:
        side: Side = getattr(self, "side", "source")
        return {name.format(side=side, other=OTHER[side]) for name in names}

    def open(self, context: Context) -> None:
        """Load its parts, once, before any work.

        Raises:
            SpanbridgeError: a setting is wrong, or something that it needs is missing.
        """

    def build(self, context: Context, part: PartSettings) -> Any:
        """Make a part and record its licence. Raises as :meth:`Context.build`."""
        made = self._made[part.kind] = context.build(part)
        return made

    @property
    def slow(self) -> bool:
        """True if the work takes so long that the whole input is to be checked first."""
        return True

    def parts(self) -> dict[str, str]:
        """Everything that the results depend on, apart from rows and what is learned from them."""
        own = {name: getattr(self, name) for name in type(self).model_fields}
        inner = {name: part for name, part in own.items() if isinstance(part, PartSettings)}
        given = self.model_dump(mode="json", exclude_defaults=True, exclude=set(inner))
        told = ",".join(f"{key}={value}" for key, value in given.items()) or "default"
        return {"settings": told, **{name: self._told(part) for name, part in inner.items()}}

    def _told(self, part: PartSettings) -> str:
        """What the results depend on in a part; a translator's own words need the languages."""
        made = self._made.get(part.kind)
        if made is None or part.kind == "translator":
            return f"{part.name or type(part.made).__name__}({part.options or ''})"
        return str(made.describe())

    def components(self) -> Iterator[Any]:
        """Its parts, and those that they contain."""
        for part in self._made.values():
            yield from part.components() if isinstance(part, Part) else (part,)

    def signature_parts(self) -> dict[str, str]:
        """The :meth:`parts`, with digests of the code of those from other packages."""
        code = code_digests([self, *self.components()])
        return {**self.parts(), **({"plugins": ",".join(code)} if code else {})}

    def describe(self) -> str:
        """The step in one phrase, for keys and signatures."""
        parts = ",".join(f"{key}={value}" for key, value in self.signature_parts().items())
        return shown(f"{self.name}({parts})")

    @property
    def asks(self) -> bool:
        """True if a part of it asks a chat model."""
        return any(getattr(part, "asks", False) for part in self.components())

    def licences(self) -> dict[str, str]:
        """Licences of its parts, by their kinds."""
        found = {kind: getattr(part, "licence", None) for kind, part in self._made.items()}
        return {kind: str(licence) for kind, licence in found.items() if licence is not None}

    @abstractmethod
    def work(self, rows: Sequence[SentencePair], account: Account) -> Iterable[SentencePair]:
        """The output rows of a batch of rows.

        A row's output depends only on the row and on what was learned. A step enters either all
        rows in the account or none; in the latter case each counts as ``done``.
        """

    def run(self, rows: Sequence[SentencePair], account: Account) -> Iterator[SentencePair]:
        """Work on a batch, and complete the account.

        Raises:
            SpanbridgeError: a one-to-one step does not return one row per row.
        """
        before = account.n_rows
        n_rows = n_removed = 0
        me = told("step", self.name, self)
        found = self.work(rows, account)
        if not isinstance(found, Iterable):
            raise SpanbridgeError(f"{me} gave {type(found).__name__}; it yields rows")
        for row in found:
            if not isinstance(row, SentencePair):
                raise SpanbridgeError(f"{me} gave {type(row).__name__}; it yields SentencePair")
            if self.one_to_one and (n_rows == len(rows) or row.id != rows[n_rows].id):
                raise SpanbridgeError(
                    f"{me} gave row {row.id} where "
                    f"{f'row {rows[n_rows].id}' if n_rows < len(rows) else 'no more'} was due; it "
                    "gives one row for each, in order (one_to_one)"
                )
            if self.one_to_one and row.provenance is None:
                n_removed += rows[n_rows].provenance is not None
            n_rows += 1
            yield row
        if self.one_to_one and n_rows < len(rows):
            raise SpanbridgeError(f"{me} lost row {rows[n_rows].id}")
        if account.n_rows == before and n_rows:
            account.statuses["done"] += n_rows
        if any(getattr(part, "runs_code", False) for part in self.components()):
            account.note("rows passed a model that brings code of its own, which was run", n_rows)
        if n_removed:
            account.note("rows_whose_earlier_result_no_longer_holds", n_removed)

    def begin(self, kept: Mapping[str, Any]) -> None:
        """Begin a shard, with what was :meth:`kept` of it if it is made again."""

    def kept(self) -> dict[str, Any] | None:
        """What is worth keeping of a shard in which something failed that may succeed another time.

        As values for JSON; None if nothing failed.
        """
        return None

    @property
    def learns(self) -> bool:
        """True if it learns from a sample of the rows before it works."""
        return False

    @property
    def must_learn(self) -> bool:
        """True if it cannot work before it has learned."""
        return self.learns

    def check_fit(self) -> None:
        """Raise SpanbridgeError if :meth:`save` would not keep all that the results depend on."""

    def examples(self, rows: Iterable[SentencePair]) -> list[SentencePair] | None:
        """Rows of its own that it learns from, once they have passed the steps before.

        Args:
            rows: those of the input.

        Returns:
            The rows; None if it learns from a sample of the input's.
        """
        return None

    def fit(self, rows: Sequence[SentencePair], progress: Progress = silent) -> None:
        """Learn from a sample of the rows, or from its :meth:`examples`."""

    def save(self, folder: str | Path) -> None:
        """Save what was learned in a folder."""

    def load(self, folder: str | Path) -> None:
        """Restore what was learned before, with the same settings."""

    def record(self) -> dict[str, Any] | None:
        """What the file beside a result keeps of what was learned, as values for JSON."""
        return None
