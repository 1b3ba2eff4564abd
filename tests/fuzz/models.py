"""Fuzzer of models: configurations, tokenizers, weights, the packed encoder.

The models are tiny and made here; each case mutates one of their files.
"""

import json
import os
import shutil
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from unittest.mock import patch

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from spanbridge.encode.architectures import BERT
from spanbridge.encode.packed import read_packed
from spanbridge.tagging.checkpoint_tagger import CheckpointTagger

from . import harness
from .harness import Target

DEFAULT = 2000
_WIDTH, _WORDS = 4, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "an", "##na", "in", "ulm", "a"]
_CONFIG = {
    "model_type": "bert",
    "hidden_size": _WIDTH,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": _WIDTH,
    "vocab_size": len(_WORDS),
    "max_position_embeddings": 16,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
    "id2label": {"0": "O", "1": "B-PER", "2": "I-PER"},
}


def _checkpoint(folder: Path) -> Path:
    """A BERT of one layer with a classifier."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(_CONFIG), "utf-8")
    rng = np.random.default_rng(0)

    def some(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    tensors = {
        "embeddings.word_embeddings.weight": some(len(_WORDS), _WIDTH),
        "embeddings.position_embeddings.weight": some(16, _WIDTH),
        "embeddings.token_type_embeddings.weight": some(2, _WIDTH),
        "embeddings.LayerNorm.weight": some(_WIDTH),
        "embeddings.LayerNorm.bias": some(_WIDTH),
    }
    for part, name in BERT.items():
        shape = (_WIDTH,) if part.endswith("norm") else (_WIDTH, _WIDTH)
        tensors[f"{name.format(0)}.weight"] = some(*shape)
        tensors[f"{name.format(0)}.bias"] = some(_WIDTH)
    tensors = {f"bert.{name}": values for name, values in tensors.items()}
    tensors |= {"classifier.weight": some(3, _WIDTH), "classifier.bias": some(3)}
    save_file(tensors, folder / "model.safetensors")
    fast = Tokenizer(
        models.WordPiece({word: n for n, word in enumerate(_WORDS)}, unk_token="[UNK]")
    )
    fast.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    fast.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast.save(str(folder / "tokenizer.json"))
    return folder


def _with(whole: Path, name: str, cache: Path) -> Callable[[Path, Random], None]:
    """Tag with a checkpoint of which one file is mutated."""

    def check(path: Path, rng: Random) -> None:
        for file in whole.iterdir():
            if file.name != name:
                shutil.copyfile(file, path.parent / file.name)
        # Only meanwhile: tests that follow in this process have the cache that they expect.
        with patch.dict(os.environ, SPANBRIDGE_CACHE=str(cache)):
            try:
                tagger = CheckpointTagger(str(path.parent), threads=1)
                tagger.tag([("anna", "in", "Ulm"), (), ("\u200d",), ("a",) * 40])
            finally:
                shutil.rmtree(cache, ignore_errors=True)

    return check


def _packed() -> bytes:
    """A packed encoder of one layer: header, vocabulary, characters, tensors."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "\u2581a", "b", "<mask>"]
    blob = [piece.encode() for piece in pieces]
    offsets = [sum(map(len, blob[:n])) for n in range(len(blob) + 1)]
    head = struct.pack("<4si7ifi", b"E5S1", 1, 32, 1, 4, 64, 7, 16, 1, 1e-12, 32)
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, offsets[-1])
    head += struct.pack(f"<{len(offsets)}I{len(pieces)}f", *offsets, *range(len(pieces)))
    head += b"".join(blob) + struct.pack("<iIIB2I", 1, 2, 0xFB01, 2, 102, 105)
    names = ["emb.word", "emb.type", "emb.pos", "emb.ln.w", "emb.ln.b"]
    at = len(head) + 4 + sum(2 + len(name) + 21 for name in names)
    head += struct.pack("<i", len(names))
    for n, name in enumerate(names):
        head += struct.pack(f"<H{len(name)}s", len(name), name.encode())
        head += struct.pack("<BIQQ", n == 0, 32 * 32, at, 576 if n == 0 else 4096)
    return head + struct.pack("<1024f", *range(1024))  # also as halves all are finite


def _read_packed(path: Path, rng: Random) -> None:
    model = read_packed(path)
    for name in ("embeddings", "positions", "embeddings_norm.weight"):
        model.weights.tensor(name)


def targets(folder: Path) -> list[Target]:
    """Checkpoints, file by file, and the packed encoder."""
    whole = _checkpoint(folder / "whole")
    found = [
        Target(
            f"checkpoint's {file.name}",
            f"mutated {file.name}/{file.name}",
            [file.read_bytes()],
            _with(whole, file.name, folder / "cache"),
        )
        for file in sorted(whole.iterdir())
    ]
    return [*found, Target("packed encoder", "packed.bin", [_packed()], _read_packed)]


def main(argv: Sequence[str]) -> int:
    """Run the fuzzer; returns the exit code."""
    return harness.main("models", targets, DEFAULT, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
