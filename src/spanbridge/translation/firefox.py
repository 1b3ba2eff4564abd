"""Firefox's small models by the package ``fxtranslate``: some fifty languages from and to English.

The models are on no hub. Mozilla's registry lists their files with a SHA-256 of each; those of a
direction are fetched when it is first asked for, resumed if that breaks off, and checked.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.files import alone, unwritable
from spanbridge.core.records import file_digest, read_record, write_record
from spanbridge.datasets.fetch import fetch
from spanbridge.datasets.models import ModelFile, fetched_files
from spanbridge.encode.cache import cache_folder
from spanbridge.encode.model_files import read_json, reading
from spanbridge.formats.languages import Language, choose
from spanbridge.translation.base import BLANK, Translation, Translator, UnsupportedPairError

REGISTRY = (
    "https://firefox.settings.services.mozilla.com/v1/buckets/main/collections/"
    "translations-models-v2/records"
)
FILES = "https://firefox-settings-attachments.cdn.mozilla.net/"
# The format of models that the package reads, the first number of their version.
_FORMAT = 3
# Of several models of a direction, the first of these; Firefox has one of each direction.
_ARCHITECTURES = ("base-memory", "base", "tiny")
_KINDS = ("model", "vocab", "srcvocab", "trgvocab", "lex")
# Tokens of a translation after which the package stops, and of a sentence that it was made for.
_LONGEST = 256
_RECORD = "model.json"
# Between the languages of a direction, whose tags may have hyphens.
_TO = "_"


@dataclass(frozen=True)
class _File:
    """A file of the registry.

    Attributes:
        kind: one of ``_KINDS``.
        name: of the file as it is used; what is fetched has ``.zst`` behind it.
        packed: address and digest of what is fetched.
        sha256: digest of the file as it is used.
    """

    kind: str
    name: str
    packed: ModelFile
    sha256: str


class FirefoxTranslator(Translator):
    """The models with which Firefox translates pages: small, quick, int8, under the MPL.

    A sentence of more than 256 tokens fails, and a translation that does not end within 256 is
    suspect; it is not cut silently. Only directions that the registry has, most of them from or to
    English; no text goes by a third language unless a pipeline says so.

    Args:
        model: folder with the files of one direction as the registry names them (model, one or two
            vocabularies, and the list of likely words, ``lex``), in place of those that are
            fetched.
        registry: address of the list of models; None for Mozilla's, which is Firefox's own and may
            change. Others may host the same.
        files: address below which the files of the registry are; None for Mozilla's.

    Raises:
        MissingExtraError: fxtranslate is not installed.
        InputError: a file is missing or damaged.
    """

    requires = ("fxtranslate",)
    licence = "MPL-2.0"
    more_models = "fetched from Mozilla on first use (17 to 45 MB for each direction)"

    def __init__(
        self, model: str | None = None, registry: str | None = None, files: str | None = None
    ) -> None:
        self._model = None if model is None else Path(model)
        if self._model is not None and not self._model.is_dir():
            raise InputError(model, None, "no such folder")
        self._registry, self._files = registry or REGISTRY, files or FILES
        self._folders: dict[tuple[Language, Language], Path] = {}
        # an engine can be used, and let go, only by the thread that made it
        self._own = threading.local()

    @classmethod
    def installed(cls) -> list[str]:
        """The directions that were fetched."""
        return [path.parent.name.replace(_TO, "-") for path in _records_here()]

    def describe(self, source: Language, target: Language) -> str:
        """Name, version, direction, digest of the model."""
        folder = self._folder(source, target)
        digest = file_digest(_of_kind(folder, "model"))[:8]
        return f"firefox({version('fxtranslate')},{source.tag}-{target.tag}@{digest})"

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language
    ) -> list[Translation]:
        """Translate sentences one by one."""
        folder = self._folder(source, target)
        engines: dict[Path, _Engine] = self._own.__dict__.setdefault("engines", {})
        if folder not in engines:
            engines[folder] = _Engine(folder)
        return list(map(engines[folder].translate, sentences))

    def _folder(self, source: Language, target: Language) -> Path:
        """The folder of a direction, fetched if it is not here."""
        if self._model is not None:
            return self._model
        if (source, target) not in self._folders:
            here = self._here(source, target)
            self._folders[source, target] = here or self._fetched(source, target)
        return self._folders[source, target]

    def _here(self, source: Language, target: Language) -> Path | None:
        """The folder of a direction that was fetched before, checked; or None."""
        for path in _records_here():
            one, other = path.parent.name.split(_TO)
            if _fits(source, one) and _fits(target, other):
                read_record(path, f"remove {path.parent}; its model is fetched again")
                return path.parent
        return None

    def _fetched(self, source: Language, target: Language) -> Path:
        directions = _directions(self._records(), self._files)
        found = [
            pair for pair in sorted(directions) if _fits(source, pair[0]) and _fits(target, pair[1])
        ]
        if not found:
            known = ", ".join("-".join(pair) for pair in sorted(directions)) or "nothing"
            raise UnsupportedPairError(
                f"firefox does not know {source.tag}-{target.tag}; it knows: {known}"
            )
        pair = found[0]
        folder = _models_folder() / _TO.join(pair)
        files = directions[pair]
        fetched_files(folder, [file.packed for file in files])
        with alone(folder / _RECORD, wait=True):
            for file in files:
                _unpack(folder / file.packed.name, folder / file.name, file.sha256)
            about = {"source": pair[0], "target": pair[1], "licence": self.licence}
            kinds = {file.kind: file.name for file in files}
            names = [folder / file.name for file in files]
            write_record(folder / _RECORD, about | {"kinds": kinds}, names)
            for file in files:
                (folder / file.packed.name).unlink()
        return folder

    def _records(self) -> list[Any]:
        """What the registry lists now."""
        path = _models_folder() / "registry.json"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(path, error) from error
        with alone(path, wait=True):
            fetch(self._registry, path)
            listed = read_json(path).get("data")
        if not isinstance(listed, list):
            why = f"has no list of models; is {self._registry} the registry?"
            raise InputError(path, None, why)
        return listed


class _Engine:
    """A model of one direction."""

    def __init__(self, folder: Path) -> None:
        from fxtranslate import Translator as Native
        from sentencepiece import SentencePieceProcessor

        vocabularies = [
            _of_kind(folder, kind).read_bytes() if _has_kind(folder, kind) else None
            for kind in ("vocab", "srcvocab", "trgvocab")
        ]
        both, source, target = vocabularies
        source, target = source or both, target or both
        if source is None or target is None:
            raise InputError(folder, None, "has no vocab.*.spm, nor srcvocab.* and trgvocab.*")
        lex = _of_kind(folder, "lex").read_bytes() if _has_kind(folder, "lex") else None
        model = _of_kind(folder, "model")
        with reading(model):
            self._source = SentencePieceProcessor(model_proto=source)
            self._target = SentencePieceProcessor(model_proto=target)
            self._native: Any = Native(model.read_bytes(), source, target, lex)

    def translate(self, text: str) -> Translation:
        if not text.strip():
            return Translation("", status=BLANK)
        n_tokens = len(self._source.encode(text))
        if n_tokens > _LONGEST:
            status = f"failed: {n_tokens} tokens, more than the {_LONGEST} that the model reads"
            return Translation("", status=status)
        found = self._native.translate(text)
        if len(self._target.encode(found)) >= _LONGEST - 1:  # the end is a token, too
            status = f"suspect: did not end within {_LONGEST} tokens"
            return Translation(found, status=status)
        return Translation(found)


def _models_folder() -> Path:
    return cache_folder() / "fetched" / "firefox"


def _records_here() -> list[Path]:
    """The records of the directions that were fetched."""
    return sorted(_models_folder().glob(f"*{_TO}*/{_RECORD}"))


def _fits(language: Language, entry: str) -> bool:
    return bool(choose(language, [entry]))


def _has_kind(folder: Path, kind: str) -> bool:
    return next(folder.glob(f"{kind}.*"), None) is not None


def _of_kind(folder: Path, kind: str) -> Path:
    """The file of a kind, by its name in the registry. Raises InputError if it is missing."""
    found = sorted(path for path in folder.glob(f"{kind}.*") if path.suffix != ".json")
    if len(found) != 1:
        why = f"has {len(found)} files {kind}.*; there is one of each in the folder of a direction"
        raise InputError(folder, None, why)
    return found[0]


def _directions(records: Iterable[Any], files: str) -> dict[tuple[str, str], list[_File]]:
    """The files of each direction that is whole: of the newest version, and one architecture.

    Raises:
        SpanbridgeError: a record is not as those of the registry.
    """
    groups: dict[tuple[str, str], dict[tuple[Any, ...], list[_File]]] = {}
    for record in records:
        try:
            if record["fileType"] not in _KINDS or record.get("variant"):
                continue
            numbers = tuple(int(n) for n in str(record["version"]).split("."))
            if numbers[0] != _FORMAT:
                continue
            pair = str(record["sourceLanguage"]), str(record["targetLanguage"])
            architecture = str(record.get("architecture") or "")
            file = _file(record, files)
        except ValueError:  # a version in trial, such as 3.0a1
            continue
        except (KeyError, TypeError, AttributeError) as error:
            said = json.dumps(record)[:200]
            raise SpanbridgeError(f"the registry of models has a strange record: {said}") from error
        place = _ARCHITECTURES.index(architecture) if architecture in _ARCHITECTURES else 9
        key = (tuple(-n for n in numbers), place, architecture)
        groups.setdefault(pair, {}).setdefault(key, []).append(file)
    found = {}
    for pair, kinds in groups.items():
        whole = (files for _, files in sorted(kinds.items()) if _is_whole(files))
        if (best := next(whole, None)) is not None:
            found[pair] = best
    return found


def _is_whole(files: Sequence[_File]) -> bool:
    kinds = sorted(file.kind for file in files if file.kind != "lex")
    return kinds in (["model", "vocab"], ["model", "srcvocab", "trgvocab"])


def _file(record: Mapping[str, Any], files: str) -> _File:
    attachment = record["attachment"]
    name, location = os.path.basename(str(record["name"])), str(attachment["location"])
    packed = ModelFile(files.rstrip("/") + "/" + location.lstrip("/"), str(attachment["hash"]))
    return _File(str(record["fileType"]), name, packed, str(record["decompressedHash"]))


def _unpack(packed: Path, path: Path, sha256: str) -> None:
    """Unpack a file of zstd. Raises InputError if it is damaged, or another one than recorded."""
    from fxtranslate import discovery

    with reading(packed, "cannot be unpacked, or is another file than the registry says"):
        path.write_bytes(discovery.verify_and_decompress(packed.read_bytes(), sha256))
