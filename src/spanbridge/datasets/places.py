"""Folders in which the files of data sets are looked for, and the one that fetched files go to."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "SPANBRIDGE_DATA"


def data_folders() -> list[Path]:
    """Folders of data, in the order in which they are searched; they need not exist.

    ``$SPANBRIDGE_DATA`` (several are separated as in ``PATH``), ``../shared/data`` and the user's
    own folder for fetched data.
    """
    return [*_given(), Path("..", "shared", "data"), _users()]


def download_folder() -> Path:
    """The folder for fetched files: the first of ``$SPANBRIDGE_DATA``, or else the user's own."""
    return next(iter([*_given(), _users()]))


def is_searched(folder: str | Path) -> bool:
    """Check if a folder is one of those in which files are looked for."""
    return Path(folder).resolve() in [place.resolve() for place in data_folders()]


def _given() -> list[Path]:
    return [Path(one) for one in os.environ.get(VARIABLE, "").split(os.pathsep) if one]


def _users() -> Path:
    from platformdirs import user_data_path

    return user_data_path("spanbridge")
