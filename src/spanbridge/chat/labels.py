"""Labels that are described in words, for chat models that were not trained on them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import check_rereadable, lines
from spanbridge.core.settings_file import Place, read_settings

_EXAMPLE = (
    "a line for each label, such as 'DRUG: a medicine, by any name' and 'DOSE: how much of it is "
    "taken'"
)


def read_labels(given: str | Mapping[str, str]) -> dict[str, str]:
    """Labels with their descriptions, in order.

    Args:
        given: a YAML file of lines ``LABEL: description``, or a ``.tsv`` with both in two columns;
            or the labels themselves.

    Raises:
        InputError: the file cannot be read, a line is neither, or a label is given twice, empty,
            ``O``, or described by something else than text; with the line.
        SpanbridgeError: the same of labels that stand in no file, or no file is named.
    """
    if given == "":
        raise SpanbridgeError(f"labels: name a file that holds {_EXAMPLE}")
    found, place = _of_file(given) if isinstance(given, str) else (dict(given), _nowhere)

    def wrong(label: Hashable, why: str) -> SpanbridgeError:
        if isinstance(given, Mapping):
            return SpanbridgeError(f"labels: {why}")
        return InputError(given, place((label,)), f"{why}; a file of labels holds {_EXAMPLE}")

    if not found:
        raise wrong("", "there is no label")
    for label, description in found.items():
        if not isinstance(label, str):
            raise wrong(label, f"the label {label!r} is no text; put it in quotes")
        if label != label.strip() or not label.isprintable() or label in ("", "O"):
            raise wrong(label, f"{label!r} is no label")
        if not isinstance(description, str) and description is not None:
            shown = repr(description) if len(repr(description)) <= 40 else "something else"
            raise wrong(label, f"the label {label} is described by {shown}, not by a text")
        if not (description or "").strip():
            raise wrong(label, f"the label {label} has no description")
    return {label: " ".join(description.split()) for label, description in found.items()}


def _nowhere(loc: tuple[Hashable, ...]) -> int | None:
    """The line of a label that stands in no file."""
    return None


def _of_file(path: str) -> tuple[dict[str, Any], Place]:
    """Labels with what describes them, and the function that tells the line of each."""
    check_rereadable(path)
    if not path.endswith(".tsv"):
        return read_settings(path, f"labels; write {_EXAMPLE}")
    found: dict[str, Any] = {}
    places: dict[Hashable, int] = {}
    for number, line in enumerate(lines(path), 1):
        if not line.strip():
            continue
        columns = [column.strip() for column in line.split("\t")]
        if len(columns) != 2:
            raise InputError(path, number, "write a label and its description, with a tab between")
        label, description = columns
        if label in found:
            raise InputError(path, number, f"the label {label} is described twice")
        found[label], places[label] = description, number
    return found, lambda loc: places.get(loc[0])


def told(labels: Mapping[str, str]) -> str:
    """The labels as a list in a prompt."""
    return "\n".join(f"- {label}: {description}" for label, description in labels.items())
