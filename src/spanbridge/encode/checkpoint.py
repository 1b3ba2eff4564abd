"""Hugging Face checkpoints (BERT, RoBERTa, XLM-R, DistilBERT) read without torch.

Weights are read from safetensors only; pickled ``.bin`` weights, which can run code when loaded,
are refused with a message on what to do. A checkpoint's own code is never run.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.requirements import require
from spanbridge.encode.encoder_weights import Array, EncoderWeights
from spanbridge.encode.model_files import (
    CONFIG,
    TOKENIZER,
    fingerprint,
    open_safetensors,
    read_json,
    weight_files,
)

# Files fetched from a hub repository; the README is the model card, which names the licence.
HUB_FILES = (
    *("config.json", "tokenizer.json", "*.safetensors", "*.safetensors.index.json"),
    "README.md",
)

# Names of a layer's parts in BERT, RoBERTa and XLM-R.
BERT = {
    "query": "encoder.layer.{}.attention.self.query",
    "key": "encoder.layer.{}.attention.self.key",
    "value": "encoder.layer.{}.attention.self.value",
    "attention": "encoder.layer.{}.attention.output.dense",
    "attention_norm": "encoder.layer.{}.attention.output.LayerNorm",
    "intermediate": "encoder.layer.{}.intermediate.dense",
    "output": "encoder.layer.{}.output.dense",
    "output_norm": "encoder.layer.{}.output.LayerNorm",
}
_DISTILBERT = {
    "query": "transformer.layer.{}.attention.q_lin",
    "key": "transformer.layer.{}.attention.k_lin",
    "value": "transformer.layer.{}.attention.v_lin",
    "attention": "transformer.layer.{}.attention.out_lin",
    "attention_norm": "transformer.layer.{}.sa_layer_norm",
    "intermediate": "transformer.layer.{}.ffn.lin1",
    "output": "transformer.layer.{}.ffn.lin2",
    "output_norm": "transformer.layer.{}.output_layer_norm",
}
_NAMES = {
    "bert": BERT,
    "roberta": BERT,
    "xlm-roberta": BERT,
    "camembert": BERT,
    "distilbert": _DISTILBERT,
}
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

    Raises:
        InputError: a file is missing or unreadable, or the weights are pickled.
        SpanbridgeError: the architecture is not supported.
        MissingExtraError: ``spanbridge[hf]`` is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._config = read_json(folder / CONFIG)
        self.model_type = str(self._config.get("model_type", ""))
        if self.model_type not in _NAMES:
            raise SpanbridgeError(
                f"{folder}: model type {self.model_type!r} is not supported as an encoder; "
                f"there are {', '.join(_NAMES)}"
            )
        if self._config.get("position_embedding_type", "absolute") != "absolute":
            raise SpanbridgeError(f"{folder}: only absolute position embeddings are supported")
        distil = self.model_type == "distilbert"
        self.n_layers = self._count("n_layers" if distil else "num_hidden_layers")
        self._n_heads = self._count("n_heads" if distil else "num_attention_heads")
        if self._count("dim" if distil else "hidden_size") % self._n_heads:
            raise InputError(
                folder / CONFIG, None, f"{self._n_heads} heads do not divide the hidden size"
            )
        self.n_ids = self._count("vocab_size")
        self._weight_files = weight_files(folder)
        tokenizer = folder / TOKENIZER
        if not tokenizer.is_file():
            raise InputError(
                folder,
                None,
                "has no tokenizer.json; save the checkpoint with its fast tokenizer "
                "(transformers: AutoTokenizer.from_pretrained(...).save_pretrained(folder))",
            )
        self.tokenizer_file = tokenizer
        self.max_positions = self._count("max_position_embeddings") - self._position_offset()

    def fingerprint(self) -> str:
        """SHA-256 over configuration, tokenizer and weights."""
        return fingerprint([self.folder / CONFIG, self.tokenizer_file, *self._weight_files])

    def weights(self) -> EncoderWeights:
        """The encoder's tensors under the common names, each read on demand."""
        files = {name: path for path in self._weight_files for name in _tensor_names(path)}
        names = _NAMES[self.model_type]
        # with a task head, the encoder's tensors have the base model's prefix ("bert.", "roberta.")
        probe = "embeddings.word_embeddings.weight"
        prefix = next((n[: -len(probe)] for n in sorted(files) if n.endswith(probe)), None)
        if prefix is None:
            raise InputError(self.folder, None, f"holds no tensor {probe!r}; is it an encoder?")

        def get(name: str) -> Array:
            full = prefix + name
            if full not in files:
                raise InputError(self.folder, None, f"holds no tensor {full!r}")
            return _read_tensor(files[full], full)

        def tensor(name: str) -> Array:
            if name == "embeddings":
                return get("embeddings.word_embeddings.weight")
            if name == "positions":
                rows = get("embeddings.position_embeddings.weight")[self._position_offset() :]
                if len(rows) < self.max_positions:
                    why = (
                        f"'max_position_embeddings' fits no tensor: there are {len(rows)} positions"
                    )
                    raise InputError(self.folder / CONFIG, None, why)
                if self.model_type == "distilbert":  # has no token types
                    return rows
                return np.asarray(rows + get("embeddings.token_type_embeddings.weight")[0])
            place, _, kind = name.rpartition(".")
            if place == "embeddings_norm":
                return get(f"embeddings.LayerNorm.{kind}")
            layer, _, part = place.partition(".")
            return get(f"{names[part].format(layer)}.{kind}")

        config = self._config
        activation = config.get("activation" if self.model_type == "distilbert" else "hidden_act")
        epsilon = float(config.get("layer_norm_eps", 1e-12))
        return EncoderWeights(self.n_layers, self._n_heads, str(activation), epsilon, tensor)

    def read(self, name: str) -> Array:
        """Tensor under its full name in the checkpoint. Raises InputError if there is none."""
        for path in self._weight_files:
            if name in _tensor_names(path):
                return _read_tensor(path, name)
        raise InputError(self.folder, None, f"holds no tensor {name!r}")

    def _count(self, name: str, default: int | None = None, least: int = 1) -> int:
        value = self._config.get(name, default)
        if type(value) is not int or value < least:
            why = f"{name!r} must be a whole number of at least {least}, but is {value!r}"
            raise InputError(self.folder / CONFIG, None, why)
        return value

    def _position_offset(self) -> int:
        """RoBERTa counts positions from ``pad_token_id + 1``; the others from 0."""
        if self.model_type in ("bert", "distilbert"):
            return 0
        return self._count("pad_token_id", default=1, least=0) + 1


def _tensor_names(path: Path) -> list[str]:
    with open_safetensors(path) as file:
        return list(file.keys())


def _read_tensor(path: Path, name: str) -> Array:
    with open_safetensors(path) as file:
        if file.get_slice(name).get_dtype() != "BF16":
            return np.asarray(file.get_tensor(name), dtype=np.float32)
    # NumPy has no bfloat16; its values are the upper halves of float32 values
    with path.open("rb") as raw:
        header = json.loads(raw.read(int.from_bytes(raw.read(8), "little")))
        start, end = header[name]["data_offsets"]
        raw.seek(start, os.SEEK_CUR)
        halves = np.frombuffer(raw.read(end - start), "<u2")
    return (halves.astype(np.uint32) << 16).view(np.float32).reshape(header[name]["shape"])


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
