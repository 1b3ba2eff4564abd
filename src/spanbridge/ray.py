"""Batches of Ray Data through Spanbridge: callables for ``Dataset.map_batches``.

A batch is a dict of columns, which are the keys of JSON lines (docs/formats.md): ``source_text``
and ``source_spans``, or ``source_words``, and the same of the target; ``links``. Nothing here needs
ray, so the same callables take batches from anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from spanbridge.api import Projector
from spanbridge.core.errors import SpanbridgeError
from spanbridge.core.rows import Side
from spanbridge.formats.base import Counts, Reading
from spanbridge.formats.jsonl import RowReader, format_pair

__all__ = ["Project"]

# Columns that every batch has afterwards, so that all have the same.
_ALWAYS = ("target_spans", "links", "status", "confidence", "provenance", "parallel_score")


class Project:
    """Projects the spans of a batch's sources onto its targets.

    Either ``dataset.map_batches(Project, fn_constructor_kwargs={...}, compute=...)``, one of which
    each actor loads; or ``dataset.map_batches(Project(...), ...)``, which is sent to tasks without
    its models, and loads them once in each process.

    Args:
        fit: folder of a fit (``project --fit``); None takes a method that learns nothing.
        languages: of the sides.
        settings: as those of :class:`spanbridge.Projector`: ``method``, ``aligner`` and so on. A
            method that learns has to be given as a fit, since no batch tells what others hold.

    Raises:
        SpanbridgeError: when it is first called: a setting is wrong, or the method has to learn.
    """

    def __init__(
        self,
        fit: str | Path | None = None,
        *,
        languages: Mapping[Side, str] | None = None,
        **settings: Any,
    ) -> None:
        if fit is None:
            settings = {"method": "soft", "least_parallel": 0.0, **settings}
        given = {"languages": languages, **settings}
        if fit is not None:
            given["apply"] = str(fit)
        try:
            self._given = json.dumps(given, sort_keys=True)
        except TypeError as error:
            raise SpanbridgeError(f"Project takes names and numbers only ({error})") from error

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        """The batch with spans of the target, and what is known of them.

        Raises:
            InputError: a row is wrong; its line is its place in the batch, from 1.
            SpanbridgeError: the batch does not hold columns of one length, with values of JSON.
        """
        columns = _columns(batch)
        n = len(next(iter(columns.values()), ()))
        read = RowReader("batch", "target", Reading(pairs=True), Counts(), None)
        given = [
            {name: values[k] for name, values in columns.items() if values[k] is not None}
            for k in range(n)
        ]
        pairs = [read(row, k) for k, row in enumerate(given, 1)]
        rows = [json.loads(format_pair(pair)) for pair in _projector(self._given).run(pairs)]
        names = dict.fromkeys([*columns, *(name for row in rows for name in row), *_ALWAYS])
        return {name: [row.get(name) for row in rows] for name in names}


@lru_cache(maxsize=2)
def _projector(given: str) -> Projector:
    """A projector, which stays loaded in its process."""
    return Projector(**json.loads(given))


def _columns(batch: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """The columns of a batch, with values as JSON has them. Raises SpanbridgeError."""
    if not hasattr(batch, "items"):
        raise SpanbridgeError(
            f"Project takes columns by their names, and no {type(batch).__name__}; of the formats "
            "of batches take numpy, the usual one, or pandas"
        )
    columns = {str(name): _plain(values) for name, values in batch.items()}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise SpanbridgeError(f"the columns of a batch have different lengths: {lengths}")
    for name, values in columns.items():
        try:
            json.dumps(values)
        except (TypeError, ValueError) as error:
            why = f"the column {name} holds what JSON does not ({error}); leave it out"
            raise SpanbridgeError(why) from error
    return columns


def _plain(value: Any) -> Any:
    """A column's values as JSON has them; keys of structs that are null are left out."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if value != value else value  # a number that is missing
