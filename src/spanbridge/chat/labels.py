"""Labels that are described in words, for chat models that were not trained on them."""

from __future__ import annotations

from collections.abc import Mapping

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import check_rereadable, lines
from spanbridge.core.settings_file import read_settings


def read_labels(given: str | Mapping[str, str]) -> dict[str, str]:
    """Labels with their descriptions, in order.

    Args:
        given: a YAML file of lines ``LABEL: description``, or a ``.tsv`` with both in two columns;
            or the labels themselves.

    Raises:
        InputError: the file cannot be read, a line is neither, or a label is given twice.
        SpanbridgeError: there is no label, or one is empty, ``O``, or described by something else
            than text.
    """
    if given == "":
        raise SpanbridgeError("labels: name a file of lines LABEL: description")
    where = "labels" if isinstance(given, Mapping) else given
    found = dict(given) if isinstance(given, Mapping) else _of_file(given)
    if not found:
        raise SpanbridgeError(f"{where}: holds no label; write LABEL: description")
    for label, description in found.items():
        sound = isinstance(label, str) and label == label.strip() and label.isprintable()
        if not sound or label in ("", "O"):
            raise SpanbridgeError(f"{where}: {label!r} is no label")
        if not (isinstance(description, str) and description.strip()):
            raise SpanbridgeError(f"{where}: the label {label} has no description")
    return {label: " ".join(description.split()) for label, description in found.items()}


def _of_file(path: str) -> dict[str, str]:
    check_rereadable(path)
    if not path.endswith(".tsv"):
        return read_settings(path)[0]
    found: dict[str, str] = {}
    for number, line in enumerate(lines(path), 1):
        if not line.strip():
            continue
        columns = [column.strip() for column in line.split("\t")]
        if len(columns) != 2:
            raise InputError(path, number, "write a label and its description, with a tab between")
        label, description = columns
        if label in found:
            raise InputError(path, number, f"the label {label} is described twice")
        found[label] = description
    return found


def told(labels: Mapping[str, str]) -> str:
    """The labels as a list in a prompt."""
    return "\n".join(f"- {label}: {description}" for label, description in labels.items())
