"""Cards of data sets: the ``README.md`` that the Hugging Face Hub shows, and reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.rows import SIDES, Side
from spanbridge.formats import Reading, read_rows
from spanbridge.formats.lookup import named_format
from spanbridge.formats.losses import sides
from spanbridge.formats.parquet import columns_of
from spanbridge.run.result import Run, read_manifest

# How the Hub calls the types of columns that have a name there.
_TYPES = {"string": "string", "int64": "int64", "double": "float64", "bool": "bool"}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGER = "1M<n<10M"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*|multilingual")
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]*")


@dataclass(frozen=True, slots=True)
class About:
    """What a data set says of itself beside what its rows tell.

    Attributes:
        languages: codes of its languages, such as ``de``.
        licence: its licence, as the Hub names it, such as ``cc-by-4.0``.

    Raises SpanbridgeError for what can be no such code or name.
    """

    languages: tuple[str, ...] = ()
    licence: str | None = None

    def __post_init__(self) -> None:
        for one in self.languages:
            if not _LANGUAGE.fullmatch(one):
                raise SpanbridgeError(f"{one!r} is no code of a language, such as de or pt-BR")
        if self.licence is not None and not _LICENCE.fullmatch(self.licence):
            raise SpanbridgeError(
                f"{self.licence!r} is no name of a licence on the Hub, such as cc-by-4.0 or other"
            )


def card(name: str, data: Path, path: str, run: Run, side: Side, about: About) -> str:
    """The card of a data set of one file.

    Args:
        name: its name on the Hub, ``USER/NAME``.
        data: the file, which is Parquet.
        path: where it lies in the data set.
        run: the conversion that wrote it.
        side: the side of rows that it holds if it holds one.
        about: what the user says of it.

    Raises InputError if the record of the run that made the conversion's input is damaged.
    """
    title = name.rpartition("/")[2]
    held = {part.split(":", 1)[0]: part.split(":", 1)[1] for part in run.signature.split("|")}["to"]
    labels: Counter[str] = Counter()
    for _, pair in read_rows(data, side, Reading(format=held)):
        for one in sides(named_format(held), side):
            labels.update(span.label for span in pair.side(one).spans)
    head: dict[str, Any] = {
        **({"language": list(about.languages)} if about.languages else {}),
        **({"license": about.licence} if about.licence is not None else {}),
        "pretty_name": title,
        "task_categories": ["token-classification"],
        "task_ids": ["named-entity-recognition"],
        "size_categories": [
            next((size for most, size in _SIZES if run.account.n_rows < most), _LARGER)
        ],
        "tags": ["spanbridge"],
        "configs": [
            {"config_name": "default", "data_files": [{"split": "train", "path": path}]},
        ],
    }
    if features := _features(data):
        head["dataset_info"] = {"features": features}
    parts = [
        f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---\n",
        f"# {title}\n",
        f"{run.account.n_rows} rows with {labels.total()} labelled spans, in the format `{held}` "
        "of Spanbridge.\n",
        _table(("label", "spans"), sorted(labels.items())),
        *_made(run),
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _features(data: Path) -> list[dict[str, Any]]:
    """The columns of a file as the Hub describes them; none if one has a type without a name."""
    found = []
    for name, kind, classes in columns_of(data):
        item = kind.removeprefix("list ")
        if item not in _TYPES:
            return []
        inner: Any = _TYPES[item]
        if classes:
            inner = {"class_label": {"names": {str(n): one for n, one in enumerate(classes)}}}
        found.append({"name": name, "dtype" if kind == item else "sequence": inner})
    return found


def _made(run: Run) -> list[str]:
    """How the rows were made, and how far they can be trusted."""
    parts = ["## How it was made\n"]
    before, why = _record(run.inputs["input"])
    if before is None:
        parts.append(f"{why}\n")
    else:
        account = before["account"]
        parts += [
            "The labels were made by this run of Spanbridge, whose line names every part, setting "
            "and version:\n",
            f"```\n{before['signature']}\n```\n",
            _table(("status of rows", "rows"), account.get("status", {}).items()),
            _table(
                ("spans", "number"),
                [
                    *((f"of the {one}", account.get(f"{one}_spans", 0)) for one in SIDES),
                    *((f"not projected: {k}", n) for k, n in account["dropped_spans"].items()),
                ],
            ),
        ]
    lines = {**run.account.statuses, **run.account.notes}
    told = [(name.replace("_", " "), count) for name, count in lines.items() if count]
    parts += [
        "The rows were then written by this one:\n",
        f"```\n{run.signature}\n```\n",
        _table(("rows, and what the format has no place for", "number"), told),
        "## How far to trust it\n",
        _trust(before),
    ]
    return parts


def _record(source: str) -> tuple[dict[str, Any] | None, str]:
    """What is known of the run that made the rows, or why nothing is."""
    try:
        found = read_manifest(source)
    except InputError as error:
        if not hasattr(error, "manifest"):
            raise
        return None, "The file was changed after the run that made it, whose record tells no more."
    if found is None or not isinstance(found.get("account"), Mapping):
        return None, "No run of Spanbridge left a record beside the file that these rows are from."
    return found, ""


def _trust(before: Mapping[str, Any] | None) -> str:
    if before is None:
        return (
            "Nothing is known here of who or what labelled the rows, or how often they are wrong."
        )
    known = before["account"].get("calibration")
    told = f"Confidences of the run: {known}." if known else "The run gave no confidences."
    return (
        f"A program labelled the rows, and some of the spans are wrong. {told} Have a sample "
        "corrected by hand before anything is measured on these labels."
    )


def _table(head: Sequence[str], rows: Any) -> str:
    """A table of Markdown; empty without rows. What rows say is shown as it is."""
    given = [f"| {_cell(name)} | {number} |" for name, number in rows]
    if not given:
        return ""
    return "\n".join([f"| {head[0]} | {head[1]} |", "|---|---:|", *given, ""])


def _cell(text: str) -> str:
    bare = " ".join(text.split())
    for one, instead in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("`", "\\`")):
        bare = bare.replace(one, instead)
    return bare
