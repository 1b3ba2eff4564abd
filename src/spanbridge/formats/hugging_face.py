"""Data sets of the package ``datasets`` as pairs, and pairs as such data sets.

Rows are JSON objects, as in files: whole pairs, ``tokens`` with ``ner_tags``, a text with spans.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.requirements import require
from spanbridge.core.rows import SentencePair, Side, checked_rows
from spanbridge.core.temporary import private_folder
from spanbridge.formats.base import DEFAULT_READING, Counts, Reading
from spanbridge.formats.json_objects import Object
from spanbridge.formats.lookup import named_format, object_format, write_pairs
from spanbridge.formats.object_format import ObjectFormat
from spanbridge.formats.parquet import class_names, plain_value
from spanbridge.formats.reading import Pairs, read_by, with_position

# What errors call a data set, which has no path.
_NAME = "data set"


def from_datasets(
    dataset: Iterable[Mapping[str, Any]], side: Side = "target", how: Reading = DEFAULT_READING
) -> Pairs:
    """Rows of a data set as pairs, one by one: also of one that streams.

    The first row tells the format, as the first lines of a file do. Numbers of named classes are
    read as their names.

    Args:
        dataset: a ``Dataset``, an ``IterableDataset``, or other rows with a value for each key.
        side: side on which single sentences are put.
        how: settings for reading, as for a file.

    Returns:
        The pairs; every loop over them goes through the data set again.

    Raises:
        SpanbridgeError: it is no data set but, for example, several by name.
        InputError: while reading: a row is wrong, with its number; or there is none.
    """
    if isinstance(dataset, Mapping):
        raise SpanbridgeError(f"these are several data sets; choose one: {', '.join(dataset)}")
    known = None if how.format is None else _named(how.format)

    def read(counts: Counts) -> Iterator[tuple[int, SentencePair]]:
        rows = iter(_objects(dataset))
        first = next(rows, None)
        if first is None:
            raise InputError(_NAME, None, "holds no row")
        held = known or object_format(first[1])
        pairs = held.pairs(chain([first], rows), _NAME, side, how, counts)
        return with_position(pairs, _NAME, counts)

    return Pairs(read, Counts(), {}, {} if known is None else read_by([known], how))


def to_datasets(
    rows: Iterable[SentencePair],
    side: Side = "target",
    *,
    format: str = "jsonl",
    streaming: bool = False,
) -> Any:
    """Pairs as a data set of the package ``datasets``.

    Args:
        rows: the pairs.
        side: side that is taken if the format holds only one.
        format: name of a format of JSON objects: ``jsonl`` holds whole pairs, ``hf`` has
            ``tokens`` and ``ner_tags``.
        streaming: make an ``IterableDataset``, which takes the rows when it is read; else all are
            read into a ``Dataset``.

    Raises:
        SpanbridgeError: the format is no such format, or cannot hold a row.
        MissingExtraError: the package is not installed.
    """
    require("datasets", by="to_datasets")
    import datasets

    held = _named(format)
    if streaming:
        return datasets.IterableDataset.from_generator(_Objects(held, rows, side))
    from pyarrow import parquet

    with private_folder() as folder:
        path = folder / "rows.parquet"
        write_pairs(path, rows, side, format=format)
        return datasets.Dataset(parquet.read_table(path))


class _Objects:
    """The objects of pairs, as often as these can be read."""

    def __init__(self, held: ObjectFormat, rows: Iterable[SentencePair], side: Side) -> None:
        self._held, self._rows, self._side = held, rows, side

    def __call__(self) -> Iterator[Object]:
        for row in checked_rows(self._rows):
            yield plain_value(self._held.to_object(row, self._side))


def _named(name: str) -> ObjectFormat:
    held = named_format(name)
    if not isinstance(held, ObjectFormat):
        raise SpanbridgeError(f"the format {name} has no objects; take jsonl, hf, doccano ...")
    return held


def _objects(dataset: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, Object]]:
    features = getattr(dataset, "features", None)
    names = class_names(features.to_dict()) if features is not None else {}
    for number, row in enumerate(dataset, 1):
        if not isinstance(row, Mapping):
            why = f"is a {type(row).__name__}; give rows with a value for each key"
            raise InputError(_NAME, number, why)
        try:
            found = {key: plain_value(value) for key, value in row.items()}
        except SpanbridgeError as error:
            raise InputError(_NAME, number, str(error)) from error
        yield (
            number,
            {
                key: names[key](value) if key in names else value
                for key, value in found.items()
                if value is not None
            },
        )
