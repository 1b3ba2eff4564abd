"""Trainings as settings: what to learn from, and how; the same for the command and for studies."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.files import check_there
from spanbridge.core.progress import Progress, silent
from spanbridge.core.requirements import require
from spanbridge.core.settings import exact, reason
from spanbridge.core.similar import meant
from spanbridge.core.spans import Nested
from spanbridge.core.tags import OrphanPolicy, Scheme
from spanbridge.formats import read_sentences
from spanbridge.training.fine_tuning import Result, Tell, Unlabelled, train
from spanbridge.training.model import find_checkpoint
from spanbridge.training.settings import Settings
from spanbridge.training.training_sets import Filter, TrainingSet, leave_out_repeats, read_set

_FILTERS = tuple(field.name for field in fields(Filter))
_OF_SETTINGS = tuple(field.name for field in fields(Settings))


class Recipe(BaseModel):
    """A training.

    Attributes:
        train: files to learn from.
        mix: further ones, with the weights of their sentences.
        dev: file for choosing the best epoch.
        tests: files that are only scored.
        encoder: the embedded one, a checkpoint folder, or a Hugging Face id.
        labels: labels to learn; None takes all.
        complete, min_score, min_coverage, weigh: as in
            :class:`~spanbridge.training.training_sets.Filter`.
        keep_empty: share of the sentences without spans that is kept.
        teachers: taggers that label ``unlabelled``.
        unlabelled: file of text.
        distil, combine, min_confidence, select_share, teachers_weight: how the student learns from
            teachers; None takes the usual.
        adversarial: files of text of the languages whose states the encoder makes alike.
        adversarial_weight, adversarial_level: as in
            :class:`~spanbridge.training.adversarial.Adversary`.
        nested, scheme, orphans: how files are read.
        licence: of the data, for the model card.
        settings: the settings of the training itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    train: list[str] = Field(default_factory=list)
    mix: list[tuple[str, float]] = Field(default_factory=list)
    dev: str | None = None
    tests: list[str] = Field(default_factory=list)
    encoder: str = "multilingual-e5-small"
    labels: list[str] | None = None
    complete: bool = False
    min_score: float = 0.0
    min_coverage: float = 0.0
    weigh: bool = False
    keep_empty: float = 1.0
    teachers: list[str] = Field(default_factory=list)
    unlabelled: str | None = None
    distil: str | None = None
    combine: Literal["mean", "agreement"] | None = None
    min_confidence: float | None = None
    select_share: float | None = None
    teachers_weight: float | None = None
    adversarial: list[str] = Field(default_factory=list)
    adversarial_weight: float | None = None
    adversarial_level: str | None = None
    nested: Nested = "outer"
    scheme: Scheme = "iob2"
    orphans: OrphanPolicy = "begin"
    licence: str = "other"
    settings: Settings = Field(default_factory=Settings)

    @field_validator("*", mode="before")
    @classmethod
    def _exact(cls, value: Any, info: ValidationInfo) -> Any:
        return exact(cls.model_fields[info.field_name or ""].annotation, value)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Recipe:
        """From settings as files hold them, those of :class:`Settings` among the others.

        Raises:
            SpanbridgeError: a setting is unknown or wrong, or there is nothing to learn from.
        """
        known = (*(name for name in cls.model_fields if name != "settings"), *_OF_SETTINGS)
        for name in given:
            if name not in known:
                raise SpanbridgeError(f"train: there is no setting {name}{meant(name, known)}")
        inner = {name: given[name] for name in _OF_SETTINGS if name in given}
        if isinstance(weights := inner.get("class_weights"), Mapping):
            inner["class_weights"] = tuple(weights.items())
        outer = {name: value for name, value in given.items() if name not in inner}
        if isinstance(mix := outer.get("mix"), Mapping):
            outer["mix"] = list(mix.items())
        try:
            made = cls.model_validate({**outer, "settings": inner})
        except ValidationError as error:
            first = error.errors()[0]
            names = [str(name) for name in first["loc"] if name != "settings"]
            raise SpanbridgeError(f"train: {'.'.join(names)}: {reason(first)}") from error
        made._filter()
        if not (made.train or made.mix or made.teachers):
            raise SpanbridgeError("train: there is nothing to learn from; give train, or teachers")
        if bool(made.teachers) != (made.unlabelled is not None):
            raise SpanbridgeError("train: teachers and unlabelled go together")
        return made

    def check(self, later: Collection[str] = ()) -> None:
        """Check that a training could begin.

        Args:
            later: files and taggers that will be made before.

        Raises:
            SpanbridgeError: a file or the encoder is missing.
            MissingExtraError: torch or transformers is not installed.
        """
        require("torch", "transformers", by="training")
        mixed = [path for path, _ in self.mix]
        single = [path for path in (self.dev, self.unlabelled) if path is not None]
        for path in (*self.train, *mixed, *single, *self.tests, *self.adversarial):
            if path not in later:
                check_there(path)
        if self.encoder not in later:
            find_checkpoint(self.encoder)
        for name in self.teachers:
            if name not in later:
                find_checkpoint(name)

    def sets(self) -> list[TrainingSet]:
        """The training sets. Raises InputError if a file is wrong."""
        how: dict[str, Any] = {
            "keep": self._filter(),
            "keep_empty": self.keep_empty,
            "labels": self.labels,
            "nested": self.nested,
            "scheme": self.scheme,
            "orphans": self.orphans,
        }
        weighted = [*((path, 1.0) for path in self.train), *self.mix]
        found = [read_set(path, weight=weight, **how) for path, weight in weighted]
        leave_out_repeats(found)
        return found

    def run(
        self,
        output: str,
        sets: Sequence[TrainingSet] | None = None,
        *,
        command: str = "",
        progress: Progress = silent,
        tell: Tell = lambda figures: None,
    ) -> Result:
        """Train; see :func:`~spanbridge.training.fine_tuning.train`.

        Args:
            output: folder for the tagger.
            sets: the :meth:`sets`, if they have been read.
            command: the command line, for the model card.
            progress: shows the progress.
            tell: called after each epoch with its figures.
        """
        return train(
            self.sets() if sets is None else sets,
            output,
            encoder=self.encoder,
            settings=self.settings,
            dev=self.dev,
            tests=self.tests,
            labels=self.labels,
            unlabelled=self._unlabelled(),
            nested=self.nested,
            scheme=self.scheme,
            orphans=self.orphans,
            licence=self.licence,
            command=command,
            progress=progress,
            tell=tell,
        )

    def _filter(self) -> Filter:
        return Filter(**{name: getattr(self, name) for name in _FILTERS})

    def _unlabelled(self) -> Unlabelled | None:
        if not (self.teachers or self.adversarial):
            return None
        from spanbridge.tagging.checkpoint_tagger import CheckpointTagger
        from spanbridge.tagging.ensemble_tagger import EnsembleTagger
        from spanbridge.training.teachers import Distillation

        teacher = None
        texts: Sequence[Sequence[str]] = []
        if self.teachers and self.unlabelled is not None:
            taggers = [CheckpointTagger(name) for name in self.teachers]
            teacher = EnsembleTagger(taggers, self.combine or "mean")
            texts = _texts(self.unlabelled)
            if self.select_share is not None:
                from spanbridge.training.selection import language_independent

                texts = language_independent(self.teachers, texts, self.select_share)
        given = {
            "kind": self.distil,
            "min_confidence": self.min_confidence,
            "weight": self.teachers_weight,
        }
        how = Distillation(**_given(given))
        adversary = None
        if self.adversarial:
            from spanbridge.training.adversarial import Adversary

            chosen = {"weight": self.adversarial_weight, "level": self.adversarial_level}
            adversary = Adversary(**_given(chosen))
        hidden = [_texts(path) for path in self.adversarial]
        return Unlabelled(teacher, texts, how, adversary, hidden)


def _texts(path: str | Path) -> list[tuple[str, ...]]:
    return [sentence.words for _, sentence in read_sentences(path) if sentence.words]


def _given(chosen: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in chosen.items() if value is not None}
