"""Getting of data sets: which files are wanted, which are here, and the others fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import alone, reason
from spanbridge.core.records import file_digest
from spanbridge.core.similar import not_named
from spanbridge.datasets import fetched
from spanbridge.datasets.fetch import Tell, fetch
from spanbridge.datasets.places import download_folder
from spanbridge.datasets.unpack import unpack

if TYPE_CHECKING:
    from spanbridge.datasets.dataset import Dataset

_ARCHIVES = ".archives"
# Function that, given the address of a file, returns one that is told how far it is.
Watch = Callable[[str], Tell]


@dataclass(frozen=True)
class Got:
    """What became of the files of one language and split.

    Attributes:
        language, split: which.
        paths: the files.
        fetched: False if they were here before.
        known: True if the description has their SHA-256, so that they are what was published; False
            if it was written down now, by which later changes are noticed.
    """

    language: str
    split: str
    paths: tuple[Path, ...]
    fetched: bool
    known: bool


def get(
    dataset: Dataset,
    languages: Sequence[str] = (),
    splits: Sequence[str] = (),
    to: str | Path | None = None,
    watch: Watch | None = None,
) -> Iterator[Got]:
    """Fetch files of a data set, those that are not on this machine yet.

    Args:
        dataset: the data set.
        languages: by any code; none for all.
        splits: none for all; languages that lack one are passed over.
        to: folder of data; None takes the first that ``SPANBRIDGE_DATA`` names, or else the user's
            own. Files in another folder count as here only where none is given.
        watch: shows how far a file is.

    Yields:
        What became of each language and split, once its files are here.

    Raises:
        SpanbridgeError: there is no such language or split; nothing of it can be fetched; or
            fetching fails (see :func:`spanbridge.datasets.fetch.fetch`).
        InputError: an archive is damaged, or something cannot be written.
    """
    wanted = list(_wanted(dataset, languages, splits))
    if not wanted:
        how = f" {dataset.description.access}" if dataset.description.access else ""
        raise SpanbridgeError(f"nothing of {dataset.name} can be fetched.{how}")
    folder = download_folder() if to is None else Path(to)
    for language, split in wanted:
        source = dataset.source(language, split)
        here = dataset.locate(language, split) if to is None else None
        if here is not None and _as_recorded(here):
            yield Got(language, split, here, False, False)
            continue
        if source is None:
            dataset.files(language, split)  # raises, and says how it is to be had
            raise SpanbridgeError(f"{dataset.name}, {language}, {split}: cannot be fetched")
        known, new = True, False
        members = source.members or ("",) * len(source.paths)
        for path, url, member in zip(source.paths, source.urls, members, strict=True):
            digest = dataset.description.sha256.get(path)
            known = known and digest is not None
            new |= _one(dataset, folder, folder / path, (url, member), digest, watch)
        found = dataset.locate_in(folder, language, split)
        if found is None:
            raise SpanbridgeError(f"{dataset.name}, {language}, {split}: its archive is empty")
        yield Got(language, split, found, new, known)


def _wanted(
    dataset: Dataset, languages: Sequence[str], splits: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """The languages and splits that are asked for. Raises SpanbridgeError for unknown ones."""
    codes = [dataset.code(language) for language in languages] or list(dataset.languages)
    for split in splits:
        if split not in dataset.splits:
            raise SpanbridgeError(
                f"{dataset.name}: {not_named('split of it', split, dataset.splits)}"
            )
    for code in dict.fromkeys(codes):
        has = dataset.splits_of(code)
        if languages and splits and not {*splits} & {*has}:
            dataset.files(code, splits[0])  # raises: it has no such split
        for split in has:
            # all that can be had is meant where nothing is named
            named = bool(languages and splits) or dataset.source(code, split) is not None
            if (not splits or split in splits) and named:
                yield code, split


def _one(
    dataset: Dataset,
    folder: Path,
    path: Path,
    source: tuple[str, str],
    digest: str | None,
    watch: Watch | None,
) -> bool:
    """Fetch one file, or the files of a folder; returns False if it was here. Raises as `get`."""
    url, member = source
    with _alone(path):
        if fetched.is_sound(path):
            return False
        about: dict[str, Any] = {"data_set": dataset.name, "licence": dataset.licence}
        about |= {"url": _shown(url), "revision": dataset.description.revision}
        about |= {"sha256_was_known": digest is not None}
        if path.is_file() and not fetched.record_path(path).is_file():
            if file_digest(path) != digest:
                why = "is here, but was not fetched; remove it, or fetch to another folder (--to)"
                raise InputError(path, None, why)
        elif not member:
            fetch(url, path, digest, watch and watch(url))
        else:
            files = unpack(_archive(dataset, folder, url, watch), member, path)
            found = fetched.record(path, files, {**about, "member": member})
            if digest is not None and digest != next(iter(found.values())):
                for file in (*files, fetched.record_path(path)):
                    file.unlink(missing_ok=True)
                why = f"its SHA-256 is not {digest}; it was changed where it comes from"
                raise InputError(path, None, why)
            return True
        fetched.record(path, [path], about)
    return True


def _archive(dataset: Dataset, folder: Path, url: str, watch: Watch | None) -> Path:
    """An archive, fetched once for all the files in it."""
    archive = folder / _ARCHIVES / _archive_name(url)
    with _alone(archive):
        if not fetched.is_sound(archive):
            digest = dataset.description.sha256.get(url)
            fetch(url, archive, digest, watch and watch(url))
            fetched.record(archive, [archive], {"url": _shown(url)})
    return archive


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait for other processes that fetch the same. Raises InputError if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f"cannot be written ({reason(error)}); --to FOLDER names another folder of data"
        raise InputError(path, None, why) from error
    with alone(path.with_name(path.name.replace("*", "_")), wait=True):
        yield


def _archive_name(url: str) -> str:
    """A name for an archive of its own, also where two addresses end alike."""
    last = PurePosixPath(urlsplit(url).path).name or "archive"
    return f"{hashlib.sha256(url.encode()).hexdigest()[:8]}-{last}"


def _shown(url: str) -> str:
    return urlsplit(url)._replace(query="").geturl()


def _as_recorded(paths: Sequence[Path]) -> bool:
    with suppress(InputError):
        fetched.check(paths, "")
        return True
    return False
