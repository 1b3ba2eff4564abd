"""Hugging Face checkpoints (BERT, RoBERTa, XLM-R, DistilBERT, NLLB-200) read without torch.

Weights are read from safetensors only; pickled ``.bin`` weights, which can run code when loaded,
are refused with a message on what to do. A checkpoint's own code is never run.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.requirements import require
from spanbridge.encode.architectures import ARCHITECTURES
from spanbridge.encode.encoder_weights import Array, EncoderWeights, finite
from spanbridge.encode.model_files import (
    CONFIG,
    TOKENIZER,
    fingerprint,
    open_safetensors,
    read_json,
    weight_files,
)
from spanbridge.encode.tokenizer import HuggingFaceTokenizer, SentencePieceVocabulary, Tokenizer

# Files fetched from a hub repository; the README is the model card, which names the licence.
HUB_FILES = (
    *("config.json", "tokenizer.json", "*.safetensors", "*.safetensors.index.json"),
    *("vocab.json", "sentencepiece.bpe.model", "special_tokens_map.json", "README.md"),
)

# the licence of a model card, also as the first of a list
_LICENCE = re.compile(
    r"^license:[ \t]*(?:\[[ \t]*|\r?\n[ \t]*-[ \t]+)?[\"']?([\w.][\w.\-]*)", re.MULTILINE
)


class Checkpoint:
    """A local checkpoint folder: its configuration, tokenizer file, weights and fingerprint.

    Attributes:
        folder: path of the folder.
        model_type: entry of its ``config.json``.
        max_positions: longest input in tokens, special tokens included.
        n_layers: number of layers of the whole model.
        n_ids: number of token ids that have an embedding.
        architecture: how it names its sizes and tensors.

    Raises:
        InputError: a file is missing or unreadable, or the weights are pickled.
        SpanbridgeError: the architecture is not supported.
        MissingExtraError: ``spanbridge[hf]`` is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._config = read_json(folder / CONFIG)
        self.model_type = str(self._config.get("model_type", ""))
        if self.model_type not in ARCHITECTURES:
            raise SpanbridgeError(
                f"{folder}: model type {self.model_type!r} is not supported as an encoder; "
                f"there are {', '.join(ARCHITECTURES)}"
            )
        names = self.architecture = ARCHITECTURES[self.model_type]
        if self._config.get("position_embedding_type", "absolute") != "absolute":
            raise SpanbridgeError(f"{folder}: only absolute position embeddings are supported")
        self.n_layers = self._count(names.layers)
        self._n_heads = self._count(names.heads)
        self._size = self._count(names.size)
        if self._size % self._n_heads:
            raise InputError(
                folder / CONFIG, None, f"{self._n_heads} heads do not divide the hidden size"
            )
        self.n_ids = self._count("vocab_size")
        self._weight_files = weight_files(folder)
        self.max_positions = self._count("max_position_embeddings") - self._position_offset()

    @property
    def tokenizer_file(self) -> Path:
        """Path of the fast tokenizer. Raises InputError if there is none."""
        path = self.folder / TOKENIZER
        if not path.is_file():
            raise InputError(
                self.folder,
                None,
                "has no tokenizer.json; save the checkpoint with its fast tokenizer "
                "(transformers: AutoTokenizer.from_pretrained(...).save_pretrained(folder))",
            )
        return path

    @property
    def _slow_tokenizer(self) -> list[Path]:
        """The files of M2M-100's tokenizer, where that is not in one file; else none."""
        if self.model_type != "m2m_100" or (self.folder / TOKENIZER).is_file():
            return []
        found = [self.folder / name for name in SentencePieceVocabulary.FILES]
        return found if all(path.is_file() for path in found) else []

    def tokenizer(self) -> Tokenizer:
        """Its tokenizer. Raises InputError if a file of it is missing or damaged."""
        if self._slow_tokenizer:
            return SentencePieceVocabulary(self.folder, self.n_ids)
        return HuggingFaceTokenizer(self.tokenizer_file, self.n_ids)

    def fingerprint(self) -> str:
        """SHA-256 over configuration, tokenizer and weights."""
        tokenizer = self._slow_tokenizer or [self.tokenizer_file]
        return fingerprint([self.folder / CONFIG, *tokenizer, *self._weight_files])

    def weights(self) -> EncoderWeights:
        """The encoder's tensors under the common names, each read on demand."""
        files = {name: path for path in self._weight_files for name in tensor_names(path)}
        names = self.architecture
        # with a task head, the encoder's tensors have the base model's prefix ("bert.", "model.")
        probe = f"{names.parts['query'].format(0)}.weight"
        prefix = next((n[: -len(probe)] for n in sorted(files) if n.endswith(probe)), None)
        if prefix is None:
            raise InputError(self.folder, None, f"holds no tensor {probe!r}; is it an encoder?")

        def get(*ways: str) -> Array:
            found = next((prefix + name for name in ways if prefix + name in files), None)
            if found is None:
                raise InputError(self.folder, None, f"holds no tensor {prefix + ways[0]!r}")
            return read_tensor(files[found], found)

        def tensor(name: str) -> Array:
            place, _, kind = name.rpartition(".")
            if name == "embeddings":
                tied = ("shared.weight", "encoder.embed_tokens.weight")
                return get(*(tied if names.pre_norm else ("embeddings.word_embeddings.weight",)))
            if name == "positions":
                return self._sines() if names.pre_norm else self._positions(get)
            if place == "embeddings_norm":
                return get(f"embeddings.LayerNorm.{kind}")
            if place == "last_norm":
                return get(f"encoder.layer_norm.{kind}")
            layer, _, part = place.partition(".")
            return get(f"{names.parts[part].format(layer)}.{kind}")

        config = self._config
        scaled = names.pre_norm and config.get("scale_embedding", True)
        return EncoderWeights(
            self.n_layers,
            self._n_heads,
            str(config.get(names.activation)),
            # M2M-100 has no such setting; torch's own is 1e-5
            float(config.get("layer_norm_eps", 1e-5 if names.pre_norm else 1e-12)),
            tensor,
            names.pre_norm,
            self._size**0.5 if scaled else 1.0,
        )

    def _positions(self, get: Callable[[str], Array]) -> Array:
        """The positions that are read, with token type 0 added."""
        rows = get("embeddings.position_embeddings.weight")[self._position_offset() :]
        if len(rows) < self.max_positions:
            why = f"'max_position_embeddings' fits no tensor: there are {len(rows)} positions"
            raise InputError(self.folder / CONFIG, None, why)
        if self.model_type == "distilbert":  # has no token types
            return rows
        return np.asarray(rows + get("embeddings.token_type_embeddings.weight")[0])

    def _sines(self) -> Array:
        """M2M-100's positions, which are not in its weights: sines, then cosines, of half each."""
        first, half = self._count("pad_token_id", default=1, least=0) + 1, self._size // 2
        rates = np.exp(np.arange(half) * -(np.log(10000.0) / (half - 1)))
        angles = np.arange(first, first + self.max_positions)[:, None] * rates
        rows = np.concatenate([np.sin(angles), np.cos(angles)], 1)
        return np.pad(rows, ((0, 0), (0, self._size % 2))).astype(np.float32)

    def read(self, name: str) -> Array:
        """Tensor under its full name in the checkpoint. Raises InputError if there is none."""
        for path in self._weight_files:
            if name in tensor_names(path):
                return read_tensor(path, name)
        raise InputError(self.folder, None, f"holds no tensor {name!r}")

    def _count(self, name: str, default: int | None = None, least: int = 1) -> int:
        value = self._config.get(name, default)
        if type(value) is not int or value < least:
            why = f"{name!r} must be a whole number of at least {least}, but is {value!r}"
            raise InputError(self.folder / CONFIG, None, why)
        return value

    def _position_offset(self) -> int:
        """Rows of the table before the first position: RoBERTa counts from ``pad_token_id + 1``."""
        if self.model_type in ("bert", "distilbert", "m2m_100"):
            return 0
        return self._count("pad_token_id", default=1, least=0) + 1


def tensor_names(path: Path) -> list[str]:
    """Names of the tensors in a safetensors file. Raises InputError if it is damaged."""
    with open_safetensors(path) as file:
        return list(file.keys())


def read_tensor(path: Path, name: str) -> Array:
    """A tensor of a safetensors file, as float32.

    Raises InputError if a number in it is not finite.
    """
    with open_safetensors(path) as file, np.errstate(over="ignore"):  # of float64
        if file.get_slice(name).get_dtype() != "BF16":
            return finite(np.asarray(file.get_tensor(name), dtype=np.float32), path, name)
    # NumPy has no bfloat16; its values are the upper halves of float32 values
    with path.open("rb") as raw:
        header = json.loads(raw.read(int.from_bytes(raw.read(8), "little")))
        start, end = header[name]["data_offsets"]
        raw.seek(start, os.SEEK_CUR)
        halves = np.frombuffer(raw.read(end - start), "<u2")
    values = (halves.astype(np.uint32) << 16).view(np.float32)
    return finite(values, path, name).reshape(header[name]["shape"])


def checkpoint_folder(name: str, files: Sequence[str] = HUB_FILES) -> Path:
    """The folder of a checkpoint: a local one, or else one from the Hugging Face Hub.

    Args:
        name: path of a folder, or id on the Hub.
        files: name patterns of the files that are wanted from the Hub.

    Raises:
        MissingExtraError: ``spanbridge[hf]`` is not installed.
        SpanbridgeError: there is no such folder or id, or the Hub cannot be reached.
    """
    if Path(name).is_dir():
        return Path(name)
    if Path(name).exists():
        raise InputError(name, None, "is a file; give a model's folder, or an id of the Hub")
    if name.startswith((".", "~", os.sep)) or name.endswith(os.sep) or name.count(os.sep) > 1:
        raise InputError(name, None, "no such folder")
    return _download(name, files)


def _download(model_id: str, files: Sequence[str]) -> Path:
    """Fetch a checkpoint from the Hub, or its local cache."""
    by = f"fetching {model_id!r}, which is no local folder, from the Hugging Face Hub"
    require("huggingface_hub", by=by)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    from huggingface_hub.errors import RepositoryNotFoundError as NotFoundError

    try:
        return Path(snapshot_download(model_id, allow_patterns=list(files)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        if isinstance(error, HFValidationError):
            why = "no id of the Hugging Face Hub (OWNER/NAME)"
        elif isinstance(error, NotFoundError):
            why = "the Hugging Face Hub has no such model (or only for those who log in)"
        elif isinstance(error, LocalEntryNotFoundError | ConnectionError):
            why = (
                "the Hugging Face Hub cannot be reached; where it can, `hf download "
                f"{model_id}` puts it into the cache, a folder that may be copied here (HF_HOME); "
                "or name a folder that holds it"
            )
        else:
            why = f"the Hugging Face Hub did not give it ({' '.join(str(error).split())})"
        raise SpanbridgeError(f"{model_id!r} is no local folder, and {why}") from error


def licence_of(folder: Path, usual: str = "unknown") -> str:
    """Licence on the checkpoint's model card, or ``usual`` if there is none."""
    card = folder / "README.md"
    found = _LICENCE.search(card.read_text("utf-8", "replace")) if card.is_file() else None
    return found.group(1).lower() if found else usual
