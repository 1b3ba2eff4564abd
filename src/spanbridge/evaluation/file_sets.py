"""Files of several languages and systems: folders, paths with a gap for the language, names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import escape, glob
from pathlib import Path

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.standard import is_standard
from spanbridge.evaluation.scoring import Labelled
from spanbridge.formats.lookup import folder_format

# Gap in a path for the name of the language.
LANGUAGE = "{lang}"
# Files that stand beside results, and are none.
_BESIDE = (".run.json", ".rejects.jsonl", ".md", ".html", ".log")


@dataclass(frozen=True)
class FileSets:
    """Files of gold and of the systems' predictions, by language.

    Attributes:
        gold: language -> file; the language is empty if there is one file.
        systems: system -> language -> files, one of each seed.
        notes: files that are missing, on either side.
    """

    gold: Mapping[str, Labelled]
    systems: Mapping[str, Mapping[str, Sequence[Labelled]]]
    notes: tuple[str, ...]


def file_sets(gold: str, predicted: Sequence[str]) -> FileSets:
    """Find the files.

    Args:
        gold: a file; a folder with a file for each language, ``hau.conll``; or a path with
            ``{lang}`` in it, ``data/{lang}/dev.txt``.
        predicted: likewise, each the whole of a system, which may be named, ``NAME=PATH``; those
            of one name are seeds of one system.

    Raises:
        InputError: a folder is empty, or has several files for a language.
        SpanbridgeError: there are folders on one side only, or nothing that is on both; a path is
            given twice, or is empty.
    """
    golds = files_of(gold)
    systems: dict[str, dict[str, list[str]]] = {}
    notes: list[str] = []
    seen: set[tuple[str, str]] = set()
    for given in predicted:
        name, path = _named(given)
        if (name, path) in seen:
            raise SpanbridgeError(f"{given} is given twice")
        seen.add((name, path))
        files = files_of(path)
        if ("" in files) != ("" in golds):
            one, many = (path, gold) if "" in files else (gold, path)
            raise SpanbridgeError(
                f"{one} is one file, but {many} stands for several languages; give folders (or "
                f"paths with {LANGUAGE}) on both sides"
            )
        notes += _missing(golds, files, gold, path)
        own = systems.setdefault(name, {})
        for language in golds:
            if language in files:
                own.setdefault(language, []).append(files[language])
    for name, found in systems.items():
        if not found:
            raise SpanbridgeError(
                f"{name} has no file for any language of {gold}: {', '.join(golds)}"
            )
    return FileSets(golds, systems, tuple(notes))


def files_of(path: str) -> dict[str, str]:
    """Files by language, in order of its name; of a file, itself under an empty name.

    Raises:
        InputError: a folder has no files, or several for a language.
    """
    if LANGUAGE in path:
        found = list(_gaps(path))
    elif not is_standard(path) and os.path.isdir(path) and folder_format(path) is None:
        found = [(each.name.partition(".")[0], str(each)) for each in _results(Path(path))]
    else:
        return {"": path}
    files: dict[str, str] = {}
    for language, file in sorted(found):
        if language in files:
            raise InputError(
                path,
                None,
                f"has two files for {language}: {Path(files[language]).name} and "
                f"{Path(file).name}; say which by a path with {LANGUAGE} in place of the language",
            )
        files[language] = file
    if not files:
        what = "stands for no file" if LANGUAGE in path else "holds no file"
        raise InputError(path, None, f"{what}; give a file for each language, such as hau.conll")
    return files


def _results(folder: Path) -> Iterator[Path]:
    for each in folder.iterdir():
        if each.is_file() and each.name[0] != "." and not each.name.endswith(_BESIDE):
            yield each


def _gaps(path: str) -> Iterator[tuple[str, str]]:
    """Languages and files of a path with a gap."""
    before, _, after = path.partition(LANGUAGE)
    if LANGUAGE in after:
        raise SpanbridgeError(f"{path} has {LANGUAGE} twice; give it once")
    for file in glob(escape(before) + "*" + escape(after)):
        if os.path.isfile(file):
            yield file[len(before) : len(file) - len(after)], file


def _named(given: str) -> tuple[str, str]:
    name, sign, path = given.partition("=")
    if not sign or not name or "/" in name or os.sep in name or os.path.exists(given):
        return given, given
    if not path:
        raise SpanbridgeError(f"{given} names a system and no file; give it as {name}=PATH")
    return name, path


def _missing(golds: dict[str, str], files: dict[str, str], gold: str, path: str) -> Iterator[str]:
    for one, other, at, more in (
        (golds, files, path, "not scored"),
        (files, golds, gold, "left out"),
    ):
        if lost := [language or "it" for language in one if language not in other]:
            yield f"{at} has no file for {', '.join(lost)}: {more}"
