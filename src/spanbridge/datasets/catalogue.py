"""All data sets that are known by name: this package's, other packages' and the user's own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from spanbridge.core.errors import InputError, RepairWarning, SpanbridgeError
from spanbridge.core.plugins import origin, plugins
from spanbridge.core.similar import not_named
from spanbridge.datasets.dataset import Dataset
from spanbridge.datasets.description import Description, check_name, read_description
from spanbridge.datasets.places import data_folders

_SUFFIXES = (".yaml", ".yml")


def datasets() -> dict[str, Dataset]:
    """All data sets by name, in alphabetical order.

    Of several with one name the user's own comes first (``datasets/*.yaml`` in a folder of data),
    then this package's, then those of other packages (entry points in ``spanbridge.dataset``). A
    wrong description is left out with a warning; :func:`find_dataset` raises what is wrong.
    """
    found: dict[str, Dataset] = {}
    for place in _places():
        try:
            for name, dataset in _described(place).items():
                found.setdefault(name, dataset)
        except SpanbridgeError as error:
            warnings.warn(f"{error} (left out)", RepairWarning, stacklevel=2)
    return dict(sorted(found.items()))


def find_dataset(name: str | Path) -> Dataset:
    """The data set of a name, or of the file of a description.

    Args:
        name: as :func:`datasets` lists them; or the path of a YAML file, whose data set is named
            as the file (of a description with parts: ``FILE.yaml:PART``).

    Raises:
        SpanbridgeError: there is no such data set; the message names the one that was meant.
        InputError: its description is wrong, with file and line.
    """
    text = str(name)
    file, colon, part = text.rpartition(":")
    if not (colon and Path(file).suffix in _SUFFIXES):
        file, part = text, ""
    if Path(file).suffix in _SUFFIXES:
        return _of_file(Path(file), part)
    for place in _places():
        may_be = text == place.name or text.startswith(f"{place.name}-")
        if may_be and (dataset := _described(place).get(text)):
            return dataset
    raise SpanbridgeError(not_named("data set", text, datasets()))


def _of_file(path: Path, part: str) -> Dataset:
    place = _Place(path.stem.lower(), path, path.parent)
    found = _described(place)
    wanted = f"{place.name}-{part}" if part else place.name
    if wanted not in found:
        raise InputError(path, None, not_named("part of it", part, _read(path).parts))
    return found[wanted]


@dataclass(frozen=True)
class _Place:
    """Where a description stands.

    Attributes:
        name: of its data set.
        file: the description.
        home: folder in which its files are looked for first; None for packages.
        package: package that gives it, for messages; empty for this one.
    """

    name: str
    file: Path
    home: Path | None = None
    package: str = ""


def _places() -> Iterator[_Place]:
    for folder in data_folders():
        for file in sorted((folder / "datasets").glob("*.y*ml")):
            if file.suffix in _SUFFIXES:
                yield _Place(file.stem.lower(), file, file.parent)
    for file in _own():
        yield _Place(file.stem, file)
    for name, point in plugins("dataset").items():
        yield _Place(name, Path(), package=origin(point))


@cache
def _own() -> list[Path]:
    return sorted(Path(__file__).parent.glob("*.yaml"))


def _described(place: _Place) -> dict[str, Dataset]:
    """The data sets of a description: one, or one for each of its parts."""
    file = _of_package(place) if place.package else place.file
    description = _read(file)
    check_name(place.name)
    home = place.home
    if not description.parts:
        return {place.name: Dataset(place.name, description, file, "", home)}
    return {
        f"{place.name}-{part}": Dataset(f"{place.name}-{part}", description, file, part, home)
        for part in description.parts
    }


def _of_package(place: _Place) -> Path:
    """The file that an entry point names: ``MODULE:NAME.yaml`` is a file in a package."""
    point = plugins("dataset")[place.name]
    module, _, name = point.value.partition(":")
    where = f"the data set {place.name!r} of the package {place.package}"
    try:
        file = Path(str(files(module.strip()) / (name.strip() or f"{place.name}.yaml")))
    except (ImportError, TypeError, ValueError) as error:
        raise SpanbridgeError(f"{where}: {module} cannot be imported ({error})") from error
    if not file.is_file():
        raise SpanbridgeError(f"{where}: there is no file {file}")
    return file


def _read(file: Path) -> Description:
    try:
        stamp = file.stat().st_mtime_ns
    except OSError:
        stamp = 0  # the reader says what is wrong
    return _read_once(file, stamp)


@cache
def _read_once(file: Path, stamp: int) -> Description:
    return read_description(file)
