"""Learned state in a folder: ``learned.json`` for people, ``learned.npz`` for arrays, no pickles.

The JSON holds the SHA-256 of the content of both files, which is checked on loading.
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

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import atomic_output
from spanbridge.core.signature import package_version

FORMAT = 2
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
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            why = f"is damaged, or another part's ({error!r}); fit again"
            raise InputError(Path(folder) / FILES[0], None, why) from error
        return self


def write_learned(folder: str | Path, content: Mapping[str, Any], arrays: Arrays) -> None:
    """Write both files, the JSON last. Raises InputError if the folder cannot be written to."""
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
    """Read and check the files of :func:`write_learned`.

    Raises:
        InputError: the folder holds no such files, or they are damaged or of another format.
    """
    path = Path(folder) / FILES[0]
    try:
        text, data = path.read_text("utf-8"), (path.parent / FILES[1]).read_bytes()
        content = json.loads(text)
    except OSError as error:
        why = f"cannot be read ({(error.strerror or str(error)).lower()}); fit again"
        raise InputError(error.filename or path, None, why) from error
    except (ValueError, RecursionError) as error:
        raise InputError(path, None, "is damaged; fit again") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(path, None, "is not of this version's format; fit again")
    if _digest(content, data) != content.get("sha256"):
        raise InputError(path.parent, None, f"{' or '.join(FILES)} is damaged; fit again")
    try:
        with np.load(BytesIO(data), allow_pickle=False) as file:
            return content, {name: file[name] for name in file.files}
    except (ValueError, BadZipFile, EOFError) as error:
        raise InputError(
            path.parent / FILES[1], None, f"is damaged ({error}); fit again"
        ) from error


def digest_of(folder: str | Path) -> str:
    """First digits of the digest of a folder's learned state. Raises as :func:`read_learned`."""
    return str(read_learned(folder)[0]["sha256"])[:12]


def check_folder(folder: str | Path, allowed: tuple[str, ...]) -> None:
    """Check, before the long work, that learned state can be written to a folder.

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
