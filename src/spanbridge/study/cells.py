"""The cells of a study: one system on one text, with one seed."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from spanbridge.study.braces import named, names_in
from spanbridge.study.inputs import Input
from spanbridge.study.settings import Making, Perturbation, Study


@dataclass(frozen=True)
class Text:
    """The text of cells: data in one language, perturbed or as it is.

    Attributes:
        input: the data.
        at: place in the study file: of the data, or of the perturbation.
        change: the perturbation; None for the text as it is.
        strength, seed: of the perturbation.
    """

    input: Input
    at: tuple[Hashable, ...]
    change: Perturbation | None = None
    strength: float = 0.0
    seed: int | None = None

    @property
    def name(self) -> str:
        """Name of files."""
        if self.change is None:
            return self.input.name
        return f"{self.input.name}.{self.change.title}-{self.strength:g}.s{self.seed}"


@dataclass(frozen=True)
class Cell:
    """One system on one text.

    Attributes:
        system: name of the system.
        text: the text.
        seed: the seed; None if nothing depends on it.
    """

    system: str
    text: Text
    seed: int | None = None

    @property
    def name(self) -> str:
        """Name of files."""
        own = self.seed is not None and self.text.seed is None
        return f"{self.text.name}.{self.system}{f'.s{self.seed}' if own else ''}"

    def to_dict(self) -> dict[str, Any]:
        """What tells the cell from others, for results."""
        data = self.text.input.data
        return {
            "system": self.system,
            "dataset": data.title,
            "split": data.split,
            "language": self.text.input.language,
            "perturbation": self.text.change.title if self.text.change else None,
            "strength": self.text.strength,
            "seed": self.seed,
        }


def values_of(cell: Cell) -> dict[str, Any]:
    """What names in braces stand for in a cell."""
    return {**cell.text.input.values(), "seed": cell.seed}


def uses_of(study: Study, name: str, only: Making | None = None) -> set[str]:
    """Names in braces on which the training of a system depends.

    Those count, too, on which the data that it makes depends, and other systems' taggers.

    Args:
        study: the study.
        name: the system.
        only: some data that it makes, instead of the training.
    """
    system = study.systems[name]
    found = names_in({**study.train, **(system.train or {})}) if only is None else set()
    models = named(system.train, "model") if only is None else []
    for making in system.make.values() if only is None else [only]:
        found |= names_in([making.data.of_cell(), making.steps])
        models += named(making.steps, "model")
        if making.steps:
            found |= {"language", "source"}
        elif not (making.data.languages or making.data.source):
            found.add("source")
    for other in models:
        found |= uses_of(study, other)
    return found


def texts_of(study: Study) -> Iterator[Text]:
    """All texts of a study, in its order."""
    for n, data in enumerate(study.data):
        for language in data.codes(study.source):
            given = Input(data, language, data.source or study.source)
            yield Text(given, ("data", n))
            for k, entry in enumerate(study.perturb):
                for strength in entry.strengths():
                    for seed in study.seeds if strength else ():
                        yield Text(given, ("perturb", k), entry, strength, seed)


def cells_of(study: Study, text: Text) -> Iterator[Cell]:
    """All cells of a text."""
    for name, system in study.systems.items():
        if system.languages is not None and text.input.language not in system.languages:
            continue
        if system.data is not None and text.input.data.title not in system.data:
            continue
        if system.predictions is not None and text.change is not None:
            continue  # they were made of the text as it is
        if text.seed is not None:
            yield Cell(name, text, text.seed)
        elif "seed" in _named_in(study, name):
            for seed in study.seeds:
                yield Cell(name, text, seed)
        else:
            yield Cell(name, text)


def _named_in(study: Study, name: str) -> set[str]:
    """Names in braces on which a system's cells depend."""
    system = study.systems[name]
    found = names_in([system.steps, system.predictions])
    for other in named(system.steps, "model"):
        found |= uses_of(study, other or name)
    return found
