"""What was fetched: a record of its SHA-256 beside it, checked whenever it is used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def check(paths: Sequence[Path], name: str) -> None:
    """Raise InputError for a fetched file that was changed since."""
