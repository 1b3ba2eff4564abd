"""Checkpoints with a decoder: which files are read, and conversion to CTranslate2's format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.requirements import require
from spanbridge.encode.cache import cached
from spanbridge.encode.checkpoint import read_tensor, tensor_names
from spanbridge.encode.model_files import (
    CONFIG,
    INDEX,
    check_sizes,
    fingerprint,
    index_files,
    open_safetensors,
    read_json,
    reading,
    staged,
    weight_files,
)

# Configuration and tokenizers of checkpoints.
TEXTS = (
    *(CONFIG, "generation_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("tokenizer*.json", "vocab*.json", "vocab*.txt", "merges.txt", "*.spm", "*.model"),
)
# A model in CTranslate2's own format.
CONVERTED = ("model.bin", "*vocabulary.*")
# Files fetched from a hub repository; the README is the model card, which names the licence.
FILES = (*TEXTS, *CONVERTED, "*.safetensors", INDEX, "README.md")


def files_of(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    """The files of a folder under any of these patterns, in order."""
    return sorted({p for pattern in patterns for p in folder.glob(pattern) if p.is_file()})


def checkpoint_files(folder: Path) -> list[Path]:
    """All files that are read of a checkpoint of transformers.

    Raises:
        InputError: the weights are missing, pickled or damaged.
    """
    weights = weight_files(folder)
    for path in weights:
        open_safetensors(path)  # a damaged one is named
    check_sizes(folder, weights)
    return [*files_of(folder, TEXTS), *index_files(folder), *weights]


# Kinds of models, as their configuration names them, and what each kind is called in messages.
TRANSLATORS = {"m2m_100": "NLLB-200, M2M-100 (m2m_100)", "marian": "Marian"}
GENERATORS = {"t5": "T5", "mt5": "mT5"}


def converted(
    folder: Path, files: list[Path], compute_type: str, kinds: Mapping[str, str] = TRANSLATORS
) -> Path:
    """A checkpoint in CTranslate2's format, in the cache.

    Args:
        folder: the checkpoint's.
        files: its :func:`checkpoint_files`.
        compute_type: as CTranslate2 names it; int8 is stored as such.
        kinds: the kinds of models that are taken.

    Raises:
        InputError: it is of another kind of model, a number in it is not finite, or it cannot be
            converted.
        MissingExtraError: conversion needs transformers and torch.
    """
    model_type = read_json(folder / CONFIG).get("model_type")
    if model_type not in kinds:
        known = " or ".join(kinds.values())
        raise InputError(folder, None, f"is of type {model_type!r}, not of {known}")
    quantization = "int8" if compute_type.startswith("int8") else None

    def make(work: Path) -> None:
        require("torch", "transformers", by="converting this checkpoint")
        for path in files:
            for name in tensor_names(path) if path.suffix == ".safetensors" else ():
                read_tensor(path, name)  # raises for one that is damaged
        with staged(files) as stage, reading(folder, "cannot be converted"):
            _convert(stage, work, quantization)

    key = f"{folder.name}-{fingerprint(files)[:16]}-translator-{quantization or 'float32'}"
    return cached(key, make)


def _convert(folder: Path, work: Path, quantization: str | None) -> None:
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):  # type: ignore[misc]  # untyped
        def load_model(self, model_class: Any, name: str, **kwargs: Any) -> Any:
            safely = {"use_safetensors": True, "local_files_only": True}
            return super().load_model(model_class, name, **kwargs, **safely)

        def load_tokenizer(self, *args: Any, **kwargs: Any) -> Any:
            tokenizer = super().load_tokenizer(*args, **kwargs, local_files_only=True)
            # transformers 5 no longer lists M2M-100's languages where the converter looks for them
            languages: dict[str, int] = getattr(tokenizer, "lang_token_to_id", {})
            unknown = languages.keys() - tokenizer.get_vocab().keys()
            missing = sorted(unknown, key=languages.__getitem__)
            tokenizer.add_tokens(missing, special_tokens=True)
            if any(tokenizer.get_vocab()[name] != languages[name] for name in missing):
                raise SpanbridgeError("its languages are not where they should be")
            return tokenizer

    Converter(str(folder)).convert(str(work), quantization=quantization, force=True)
