"""The files of a model's folder: which are read, what they weigh, and who may see them.

Weights are safetensors. Pickles, which can run code when loaded, are never opened: libraries that
would look for them are given a folder that holds nothing but the files named here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

from spanbridge.core.errors import InputError, SpanbridgeError
from spanbridge.core.records import file_digest
from spanbridge.core.requirements import require

CONFIG, TOKENIZER, WEIGHTS = "config.json", "tokenizer.json", "model.safetensors"
INDEX = f"{WEIGHTS}.index.json"
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file of a model.

    Raises:
        InputError: it cannot be read, is no JSON object, or holds a number that is not finite.
    """

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no number of JSON")

    try:
        content = json.loads(path.read_text("utf-8"), parse_constant=refuse)
    except OSError as error:
        why = f"cannot be read: {error.strerror}; is its folder a model's?"
        raise InputError(path, None, why) from error
    except (ValueError, RecursionError) as error:
        raise InputError(path, None, f"is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise InputError(path, None, "holds no JSON object; is it a model's?")
    return content


def weight_files(folder: Path) -> list[Path]:
    """The safetensors of a checkpoint: ``model.safetensors``, or the parts that its index names.

    Raises:
        InputError: there are none, as where the weights are pickled, or the index is damaged.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if (folder / INDEX).is_file():
        return _parts(folder)
    way = "transformers: AutoModel.from_pretrained(...).save_pretrained(...)"
    refuse_pickles(folder, way)
    raise InputError(folder, None, f"has no weights: neither {WEIGHTS} nor {INDEX}")


def refuse_pickles(folder: Path, way: str) -> None:
    """Raise InputError if a folder has pickled weights; the message names the way around them."""
    if pickles := sorted(p for pattern in _PICKLES for p in folder.glob(pattern)):
        raise InputError(
            pickles[0],
            None,
            "is a pickle, which can run code when loaded, and so is never opened; convert it to "
            f"safetensors once, where you trust it ({way})",
        )


def index_files(folder: Path) -> list[Path]:
    """The index of the weights' parts, in a list; an empty one where the weights are one file."""
    return [] if (folder / WEIGHTS).is_file() else [folder / INDEX]


def _parts(folder: Path) -> list[Path]:
    names = read_json(folder / INDEX).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise InputError(folder / INDEX, None, "has no weight_map that names the weights' files")
    parts = []
    for name in sorted(set(map(str, names.values()))):
        if Path(name).name != name or not name.endswith(".safetensors"):
            why = f"names {name!r}, which is no safetensors file of its folder"
            raise InputError(folder / INDEX, None, why)
        if not (folder / name).is_file():
            raise InputError(folder / name, None, f"is missing, but {INDEX} names it")
        parts.append(folder / name)
    return parts


def fingerprint(files: Sequence[Path]) -> str:
    """SHA-256 over the names and contents of files, in hexadecimal; the order does not matter."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.name}\0{file_digest(path)}\n".encode())
    return digest.hexdigest()


# Sizes that a configuration may state; the first of each that it has.
_WIDTHS = ("embedding_size", "hidden_size", "d_model", "dim", "emb_dim", "n_embd")
_LAYERS = ("num_hidden_layers", "n_layers", "encoder_layers", "decoder_layers", "num_layers")
_HEADS = (
    *("num_attention_heads", "n_heads", "encoder_attention_heads", "decoder_attention_heads"),
    "num_heads",
)
_INNER = ("intermediate_size", "hidden_dim", "encoder_ffn_dim", "decoder_ffn_dim", "d_ff")
_POSITIONS = ("max_position_embeddings", "type_vocab_size")
# Longer inputs are read by no model here; a table of positions is made before it is compared.
_MOST_POSITIONS = 1 << 20


def check_sizes(folder: Path, files: Sequence[Path]) -> None:
    """Check the sizes in a configuration against the weights, before anything is built of them.

    Args:
        folder: the checkpoint's.
        files: its safetensors.

    Raises:
        InputError: a size is no whole number, or fits no tensor; the message names it.
    """
    config, path = read_json(folder / CONFIG), folder / CONFIG
    shapes: list[tuple[int, ...]] = []
    for file in files:
        with open_safetensors(file) as tensors:
            shapes += [tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()]  # noqa: SIM118
    vocabulary = config.get("vocab_size")
    inner = max((n for shape in shapes for n in shape if n != vocabulary), default=0)

    def check(names: Sequence[str], most: int) -> None:
        for name in names:
            value = config.get(name)
            least = 0 if name == "type_vocab_size" else 1  # DeBERTa has no types
            if value is not None and (type(value) is not int or not least <= value <= most):
                raise InputError(path, None, f"{name!r} is {value!r}, which fits no tensor here")

    check(("vocab_size",), max((n for shape in shapes for n in shape), default=0))
    check(_LAYERS, len(shapes))
    check((*_WIDTHS, *_INNER, *_HEADS), inner)
    check(_POSITIONS, _MOST_POSITIONS)
    widths = [config[name] for name in _WIDTHS if config.get(name) is not None]
    if vocabulary and widths and not any((vocabulary, width) in shapes for width in widths):
        why = f"no tensor embeds a vocabulary of {vocabulary} in {widths[0]} numbers each"
        raise InputError(path, None, f"{why}; do they belong together?")


@contextmanager
def staged(files: Sequence[Path]) -> Iterator[Path]:
    """A temporary folder that holds these files (as links) and no others.

    A library that reads a folder by rules of its own then finds nothing that is not checked and
    fingerprinted: no pickle, no adapter, no code.
    """
    with TemporaryDirectory(prefix="spanbridge-") as name:
        for path in files:
            (Path(name) / path.name).symlink_to(path.resolve())
        yield Path(name)


@contextmanager
def reading(path: Path, why: str = "cannot be used") -> Iterator[None]:
    """Whatever a library raises over a model's file is an InputError that names the file.

    Such libraries raise anything, from AttributeError to a panic of Rust, which is no Exception.
    """
    try:
        yield
    except (SpanbridgeError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise InputError(path, None, f"{why}: {said[:400]}") from error


def open_safetensors(path: Path) -> Any:
    """Open a safetensors file.

    Raises:
        InputError: it is damaged, or not a safetensors file.
        MissingExtraError: safetensors is not installed.
    """
    require("safetensors", by="reading this checkpoint")
    from safetensors import SafetensorError, safe_open

    try:
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError) as error:
        raise InputError(
            path, None, f"is not a safetensors file that can be read: {error}"
        ) from error
