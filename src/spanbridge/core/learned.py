"""Learned state in a folder: ``learned.json`` for people, ``learned.npz`` for numbers.

No pickles. The JSON holds the SHA-256 of everything in both files, which is checked on loading.
"""

from __future__ import annotations

import json
import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from spanbridge.core.errors import InputError
from spanbridge.core.files import atomic_output
from spanbridge.core.signature import package_version

FORMAT = 2
FILES = ("learned.json", "learned.npz")
Arrays = dict[str, npt.NDArray[Any]]


class Learner(ABC):
    """A part that may learn from rows, and keeps what it has learned in a folder.

    Attributes:
        learns: whether it has to be fitted before it works.
    """

    learns: bool = False

    def learned(self) -> tuple[dict[str, Any], Arrays]:
        """All that :meth:`fit` found out, as JSON and as arrays."""
        return {}, {}

    def take_up(self, content: Mapping[str, Any], arrays: Arrays) -> None:  # noqa: B027  # optional
        """Take up what :meth:`learned` gave.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: it is not that.
        """

    @abstractmethod
    def describe(self) -> str:
        """Name and every setting that the results depend on, for the signature."""

    def save(self, folder: str | Path) -> None:
        """Keep what was learned in a folder.

        Raises:
            InputError: the folder cannot be written to.
        """
        content, arrays = self.learned()
        about = {"part": type(self).__name__, "described": self.describe()}
        write_learned(folder, {**about, "learned": content}, arrays)

    def load(self, folder: str | Path) -> Self:
        """Take up what :meth:`save` kept, by a part made with the same options.

        Raises:
            InputError: there is no such thing, it is damaged, or another part's.
        """
        content, arrays = read_learned(folder)
        try:
            if content["part"] != type(self).__name__:
                raise ValueError(f"of {content['part']}")
            self.take_up(content["learned"], arrays)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            why = f"is damaged, or another part's ({error!r}); fit again"
            raise InputError(Path(folder) / FILES[0], None, why) from error
        return self


def write_learned(folder: str | Path, content: Mapping[str, Any], arrays: Arrays) -> None:
    """Write both files, the JSON last.

    Raises:
        InputError: the folder cannot be written to.
    """
    path = Path(folder)
    temporary = path / f".spanbridge-{secrets.token_hex(8)}.tmp"
    try:
        path.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as out:
            np.savez(out, **arrays)  # type: ignore[arg-type]  # no array is called allow_pickle
        numbers = temporary.read_bytes()
        temporary.replace(path / FILES[1])
    except OSError as error:
        raise InputError(path, None, f"cannot be written to ({error.strerror})") from error
    finally:
        if path.is_dir():
            temporary.unlink(missing_ok=True)
    whole = {"format": FORMAT, "version": package_version(), **content}
    whole["sha256"] = _digest(whole, numbers)
    with atomic_output(path / FILES[0]) as out_text:
        json.dump(whole, out_text, ensure_ascii=False, separators=(",", ":"))
        out_text.write("\n")


def read_learned(folder: str | Path) -> tuple[dict[str, Any], Arrays]:
    """What :func:`write_learned` wrote, checked.

    Raises:
        InputError: it is not such a folder, was written in another format, or is damaged.
    """
    path = Path(folder) / FILES[0]
    try:
        content = json.loads(path.read_text("utf-8"))
        data = (path.parent / FILES[1]).read_bytes()
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(path, None, f"cannot be read ({error}); fit again") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(path, None, "is not of this version's format; fit again")
    if _digest(content, data) != content.get("sha256"):
        raise InputError(path.parent, None, f"{' or '.join(FILES)} is damaged; fit again")
    try:
        with np.load(BytesIO(data), allow_pickle=False) as file:
            return content, {name: file[name] for name in file.files}
    except (ValueError, BadZipFile, EOFError) as error:
        raise InputError(path.parent / FILES[1], None, f"is damaged ({error})") from error


def digest_of(folder: str | Path) -> str:
    """The first digits of the digest of what a folder holds.

    Raises:
        InputError: as :func:`read_learned`.
    """
    return str(read_learned(folder)[0]["sha256"])[:12]


def check_folder(folder: str | Path, allowed: tuple[str, ...]) -> None:
    """Check that learned state can go to a folder; called before the long work.

    Raises:
        InputError: the folder cannot be made or written to, or holds something else.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f"cannot be made into a folder ({error.strerror}); name another for --fit"
        raise InputError(path, None, why) from error
    if not os.access(path, os.W_OK):
        raise InputError(path, None, "cannot be written to; name another folder for --fit")
    if any(file.name not in allowed for file in path.iterdir()):
        raise InputError(path, None, "holds other files; name a new or empty folder for --fit")


def _digest(content: Mapping[str, Any], numbers: bytes) -> str:
    rest = {key: value for key, value in content.items() if key != "sha256"}
    return sha256(json.dumps(rest, sort_keys=True).encode() + numbers).hexdigest()
