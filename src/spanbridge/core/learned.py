"""Learned state in a folder: ``learned.json`` for people, ``learned.npz`` for arrays, no pickles.

The JSON is a record (:mod:`spanbridge.core.records`) of both, which is checked on loading.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import check_named, reason
from spanbridge.core.records import DIGEST, read_record, write_record
from spanbridge.core.signature import package_version
from spanbridge.core.temporary import is_temporary, sweep, unfinished

FORMAT = 5
REMEDY = "fit again"
FILES = ("learned.json", "learned.npz")
Arrays = dict[str, npt.NDArray[Any]]


class Learner(ABC):
    """A part that may learn from rows and can save what it learned in a folder.

    Attributes:
        learns: True if it has to be fitted before it works.
    """

    learns: bool = False

    def learned(self) -> tuple[dict[str, Any], Arrays]:
        """All that :meth:`fit` learned, as JSON values and arrays."""
        return {}, {}

    def restore(self, content: Mapping[str, Any], arrays: Arrays) -> None:  # noqa: B027  # optional
        """Restore the state that :meth:`learned` gave.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: the content is not such a state.
        """

    @abstractmethod
    def describe(self) -> str:
        """Name and all settings that the results depend on, for the signature."""

    def save(self, folder: str | Path) -> None:
        """Save what was learned.

        Raises:
            InputError: the folder cannot be written to.
            SpanbridgeError: the part learns, but does not say what.
        """
        if self.learns and type(self).learned is Learner.learned:
            raise SpanbridgeError(
                f"{type(self).__name__} learns, but has no learned() and restore(); write them"
            )
        content, arrays = self.learned()
        about = {"part": type(self).__name__, "described": self.describe()}
        write_learned(folder, {**about, "learned": content}, arrays)

    def load(self, folder: str | Path) -> Self:
        """Restore what :meth:`save` saved, for a part made with the same options.

        Raises InputError if it is missing, damaged, or another part's.
        """
        content, arrays = read_learned(folder)
        try:
            if content["part"] != type(self).__name__:
                raise ValueError(f"of {content['part']}")
            self.restore(content["learned"], arrays)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            why = f"is damaged, or another part's ({error!r}); fit again"
            raise InputError(Path(folder) / FILES[0], None, why) from error
        return self


def write_learned(folder: str | Path, content: Mapping[str, Any], arrays: Arrays) -> None:
    """Write both files, the JSON last. Raises InputError if the folder cannot be written to."""
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise InputError(path, None, f"cannot be written to ({reason(error)})") from error
    write_arrays(path / FILES[1], arrays)
    whole = {"format": FORMAT, "version": package_version(), **content}
    write_record(path / FILES[0], whole, [path / FILES[1]], indent=None)


def read_learned(folder: str | Path) -> tuple[dict[str, Any], Arrays]:
    """Read and check the files of :func:`write_learned`.

    Raises:
        InputError: the folder holds no such files, or they are damaged or of another format.
    """
    path = Path(folder)
    content = read_record(path / FILES[0], REMEDY, FORMAT)
    return content, read_arrays(path / FILES[1], REMEDY)


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write arrays as a NumPy archive. Raises InputError if it cannot be written."""
    try:
        with unfinished(path) as temporary, temporary.open("wb") as out:
            np.savez(out, **arrays)  # type: ignore[arg-type]  # no array is called allow_pickle
    except (OSError, ValueError) as error:
        raise InputError(path, None, f"cannot be written ({reason(error)})") from error


def read_arrays(path: Path, remedy: str) -> Arrays:
    """Read a NumPy archive; no pickle is opened.

    Args:
        path: the archive.
        remedy: what to do if it is damaged.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, BadZipFile, EOFError) as error:
        raise InputError(path, None, f"is damaged ({error}); {remedy}") from error


def digest_of(folder: str | Path) -> str:
    """First digits of the digest of a folder's learned state. Raises as :func:`read_learned`."""
    return str(read_learned(folder)[0][DIGEST])[:12]


def check_folder(folder: str | Path, allowed: tuple[str, ...]) -> None:
    """Check, before the long work, that learned state can be written to a folder.

    Raises:
        InputError: the folder cannot be made or written to, or holds something else.
    """
    check_named(folder, "folder")
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        why = f"cannot be made into a folder ({reason(error)}); name another for --fit"
        raise InputError(path, None, why) from error
    if not os.access(path, os.W_OK):
        raise InputError(path, None, "cannot be written to; name another folder for --fit")
    sweep(path, deep=True)
    if any(name not in allowed and not is_temporary(name) for name in os.listdir(path)):
        raise InputError(path, None, "holds other files; name a new or empty folder for --fit")
