"""Files of models that are on no hub: fetched on first use, and checked on each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from spanbridge.core.files import alone, unwritable
from spanbridge.core.records import file_digest
from spanbridge.datasets.fetch import fetch


@dataclass(frozen=True)
class ModelFile:
    """A file of a model.

    Attributes:
        url: its address.
        sha256: its digest.
    """

    url: str
    sha256: str

    @property
    def name(self) -> str:
        """Name of the file, the end of its address."""
        return PurePosixPath(urlsplit(self.url).path).name


def fetched_files(folder: Path, files: Sequence[ModelFile]) -> Path:
    """A folder with files, fetched if they are not there, or are others than they should be.

    Args:
        folder: receives them; of two processes one waits.
        files: with names of their own.

    Returns:
        The folder.

    Raises:
        SpanbridgeError: a file is not to be had, or is another one than its digest says.
        InputError: the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    for file in files:
        path = folder / file.name
        if not _is_here(path, file):
            with alone(path, wait=True):
                if not _is_here(path, file):  # nor did another process fetch it meanwhile
                    fetch(file.url, path, file.sha256)
    return folder


def _is_here(path: Path, file: ModelFile) -> bool:
    return path.is_file() and file_digest(path) == file.sha256
