"""Settings of studies, as their files hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from spanbridge.core.settings import exact
from spanbridge.datasets import find_dataset
from spanbridge.evaluation import SpanProtocol
from spanbridge.evaluation.significance import MOST_RESAMPLES
from spanbridge.run.job import SHARD_ROWS
from spanbridge.run.sample import FIT_ROWS
from spanbridge.study.braces import named

_Name = Annotated[str, Field(min_length=1)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _exact(cls, value: Any, info: ValidationInfo) -> Any:
        return exact(cls.model_fields[info.field_name or ""].annotation, value)


class Sides(_Settings):
    """Files of both sides, whose rows run parallel.

    Attributes:
        target: labelled text in the language that is studied: the gold.
        source: the same text in the other language; its labels are read if it has any.
    """

    target: str
    source: str


class Data(_Settings):
    """One data set of a study.

    Attributes:
        dataset: name of a data set (``spanbridge data list``), or the path of a description.
        files: path of your own labelled file, in place of ``dataset``; of pairs, or of both sides.
        name: name in tables; by default that of the data set, or of the file's folder.
        languages: languages to study, by any code; paths contain the codes as they stand here.
            ``all`` takes all that the data set has.
        source: language of the other side, and of translations; by default that of the study.
        split: part of the data.
        rows: only so many rows, the first ones; None takes all.
        held_out: only the rows that a training of the aligned encoder with ``--hold-out`` of this
            share does not see.
        coarse: map labels to PER, ORG, LOC and the like, as the data set's description says.
        labels: False leaves the labels of the source side unread.
        domain: name under which the report takes data sets together; by default that of the data
            set.
    """

    dataset: str | None = None
    files: str | Sides | None = None
    name: str | None = None
    languages: list[str] | Literal["all"] = Field(default_factory=list)
    source: str | None = None
    split: str | None = None
    rows: Annotated[int, Field(ge=1)] | None = None
    held_out: Annotated[float, Field(gt=0, lt=1)] | None = None
    coarse: bool = False
    labels: bool = True
    domain: str | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Data:
        if (self.dataset is None) == (self.files is None):
            raise ValueError("name either a dataset or files of your own")
        if self.files is not None and self.name is None and self.languages:
            raise ValueError("name: is missing; files of your own need a name for the tables")
        if self.files is not None and (self.languages == "all" or self.coarse):
            raise ValueError("languages: all, and coarse, are for data sets by name")
        return self

    @property
    def title(self) -> str:
        """Name in tables."""
        return self.name or Path(self.dataset or "data").stem

    def of_cell(self) -> dict[str, Any]:
        """Settings in which names in braces stand for something of a cell.

        In ``files`` they stand for something of the data itself.
        """
        return self.model_dump(exclude={"files"})

    def codes(self, source: str) -> list[str]:
        """The languages that are studied, all written out.

        Args:
            source: language of the other side, for data sets of pairs.

        Raises:
            SpanbridgeError: there is no such data set.
        """
        if self.languages != "all":
            return self.languages
        known = find_dataset(str(self.dataset))
        if known.kind == "entities":
            return list(known.languages)
        head = f"{self.source or source}-"
        return [code.removeprefix(head) for code in known.languages if code.startswith(head)]


class Perturbation(_Settings):
    """A perturbation of the labelled text, at one strength or several.

    Attributes:
        kind: its name, as of the step ``perturb``, or the name with options.
        strength: share of what can be changed, in [0, 1]; or a list.
        name: name in tables; by default the kind's.
    """

    kind: str | dict[str, dict[str, Any]]
    strength: float | list[float]
    name: str | None = None

    @property
    def title(self) -> str:
        """Name in tables."""
        return self.name or (self.kind if isinstance(self.kind, str) else next(iter(self.kind), ""))

    def strengths(self) -> list[float]:
        """All strengths."""
        return self.strength if isinstance(self.strength, list) else [self.strength]


class Making(_Settings):
    """Training data: a data set as it is, or what a pipeline makes of it (translate-train).

    Attributes:
        data: the data. Its ``languages`` are those that it is taken in, one after the other, by
            default its ``source``, or the study's. Settings may hold names in braces.
        steps: as in a pipeline file, for each language that is studied. The labelled side is the
            source; data of pairs brings the other side, too, without its labels.
    """

    data: Data
    steps: list[Any] = Field(default_factory=list)

    @property
    def pairs(self) -> bool:
        """True if its rows have two sides, from which the steps go on."""
        if isinstance(self.data.files, Sides):
            return bool(self.steps)
        known = None if self.data.dataset is None else find_dataset(self.data.dataset)
        return bool(self.steps) and known is not None and known.kind == "pairs"


class About(_Settings):
    """What a reader should know of a system, in words.

    Attributes:
        authors: who made it.
        link: where it is described, or to be had.
        licence: of its code or model.
        trained_on: the data that it has learned from.
    """

    authors: str | None = None
    link: str | None = None
    licence: str | None = None
    trained_on: str | None = None


class System(_Settings):
    """One system: a pipeline, with a training before it or without, or somebody else's predictions.

    Attributes:
        steps: as in a pipeline file.
        predictions: path of files with predicted labels, row by row as the data; JSON lines may
            hold spans without their text.
        train: settings of a training whose tagger the steps use as ``{model}``, and other systems
            as ``{model.NAME}``.
        make: data that the training uses as ``{made}``; or several of them by name, as
            ``{made.NAME}``.
        languages: languages that it is run on, as ``data`` names them; None takes all.
        data: data sets that it is run on, by their names in tables; None takes all.
        saw: data sets of which it has seen the rows that are studied, which tables mark.
        about: what a reader should know of it.
        group: name of systems that differ in one number, for curves (number of teachers, rows of
            training data).
        at: that number.
        against: what it is a number of; groups with the same share a picture. By default the
            group's name.
    """

    steps: list[Any] | None = None
    predictions: str | None = None
    train: dict[str, Any] | None = None
    make: dict[str, Making] = Field(default_factory=dict)
    languages: list[str] | None = None
    data: list[str] | None = None
    saw: list[str] = Field(default_factory=list)
    about: About = Field(default_factory=About)
    group: str | None = None
    at: float | None = None
    against: str | None = None

    @field_validator("make", mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        return {"": given} if isinstance(given, dict) and "data" in given else given

    @model_validator(mode="after")
    def _one_of(self) -> System:
        if (self.steps is None) == (self.predictions is None):
            raise ValueError("give either steps or predictions")
        if self.predictions is not None and (self.train or self.make):
            raise ValueError("predictions need no training; leave train and make out")
        if (self.group is None) != (self.at is None) or (self.against and self.group is None):
            raise ValueError("group and at go together, and against with them")
        if ("" in named(self.steps, "model")) != (self.train is not None):
            raise ValueError("steps takes what train makes as {model}; give both")
        used = set(named(self.train, "made"))
        for name in sorted(used ^ self.make.keys()):
            told = f"{{made.{name}}}" if name else "{made}"
            raise ValueError(f"train takes what make makes as {told}; give both")
        return self


class Scores(_Settings):
    """How predictions are scored.

    Attributes:
        protocol: how malformed tags are read.
        labels: labels that count, after ``map``; None counts all.
        map: labels of gold and predictions -> the names under which they count; several may become
            one.
        resamples: of sentences, for intervals and tests; from 100 to a million.
    """

    protocol: SpanProtocol = "default"
    labels: list[_Name] | None = Field(default=None, min_length=1)
    map: dict[_Name, _Name] = Field(default_factory=dict)
    resamples: Annotated[int, Field(ge=100, le=MOST_RESAMPLES)] = 10_000


class Published(_Settings):
    """Published results, to stand beside those of a study.

    Attributes:
        file: CSV with a row for each method and language: the language under ``lang``, F1 in [0, 1]
            under ``overall_f1``, and what tells methods apart under names without ``_f1``. It is
            looked for in the folders of data, too.
        name: where they were published.
        differs: what is different there, in the reader's words.
    """

    file: str
    name: str = "published"
    differs: str = ""


class Report(_Settings):
    """What the report shows.

    Attributes:
        title: its heading.
        baseline: system that the others are compared with; by default the first.
        published: name of a data set -> published results.
    """

    title: str | None = None
    baseline: str | None = None
    published: dict[str, Published] = Field(default_factory=dict)


class Study(_Settings):
    """All settings of a study file.

    Attributes:
        data: data sets.
        systems: systems by name.
        source: language of the other side and of translations.
        train: settings of all trainings, unless a system has others.
        seeds: random seeds, in [0, 2**32); only what names ``{seed}`` depends on them.
        perturb: perturbations; the unchanged text is always studied, too.
        scores: how predictions are scored.
        report: what the report shows.
        output: folder of the results; by default the study's file without its suffix.
        shard_rows, fit_rows, commercial: as in a pipeline file.
    """

    data: list[Data] = Field(min_length=1)
    systems: dict[str, System] = Field(min_length=1)
    source: str = "en"
    train: dict[str, Any] = Field(default_factory=dict)
    seeds: list[Annotated[int, Field(ge=0, lt=2**32)]] = Field(
        default_factory=lambda: [0], min_length=1
    )
    perturb: list[Perturbation] = Field(default_factory=list)
    scores: Scores = Field(default_factory=Scores)
    report: Report = Field(default_factory=Report)
    output: str | None = None
    shard_rows: int = Field(SHARD_ROWS, ge=1)
    fit_rows: int = Field(FIT_ROWS, ge=1)
    commercial: bool = False
