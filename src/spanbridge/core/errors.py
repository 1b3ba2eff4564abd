"""Errors that a user can cause, each with the place, the reason and the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spanbridge.core.addresses import told


class SpanbridgeError(Exception):
    """Base of all errors that the user can fix; the command line prints it, with exit code 2."""

    def __reduce__(self) -> tuple[Any, ...]:
        """For other processes: its own attributes, whatever its arguments were."""
        return _remade, (type(self), self.args, self.__dict__)


def _remade(kind: type[SpanbridgeError], args: tuple[Any, ...], own: dict[str, Any]) -> Any:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(own)
    return error


class InputError(SpanbridgeError):
    """Something in an input file is wrong: ``file:line: what is wrong and what to do``.

    Args:
        file: path of the file; None for data that came from no file.
        line: 1-based line number; None if the whole file is meant.
        why: the fault, and what to do about it.
    """

    def __init__(self, file: str | Path | None, line: int | None, why: str) -> None:
        self.file = None if file is None else told(file)
        self.line = line
        self.why = why
        place = [part for part in (self.file, line) if part is not None]
        super().__init__(": ".join([":".join(map(str, place)), why] if place else [why]))


class NoteWarning(UserWarning):
    """Something that the user should know, though the work goes on; commands say it in a line."""


class RepairWarning(NoteWarning):
    """Something that was kept is damaged or cannot be read, so it is made anew."""


class MissingExtraError(SpanbridgeError):
    """A named part needs a package or a program that is not installed; the message says which.

    Args:
        why: what needs which.
        install: the line that installs it, with which the message ends; empty if there is none.
    """

    def __init__(self, why: str, install: str = "") -> None:
        self.install = install
        super().__init__(f"{why}: {install}" if install else why)


class RowError(SpanbridgeError):
    """One row cannot be processed; the reason is reported with the row, and the run goes on."""
