"""Tiny sequence-to-sequence checkpoints: random weights, the real architectures and tokenizers."""

import json
from pathlib import Path

import sentencepiece
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    M2M100Config,
    M2M100ForConditionalGeneration,
    MarianConfig,
    MarianMTModel,
    NllbTokenizer,
)

TEXT = [
    "the president of the company came to the city of Berlin",
    "el presidente de la empresa vino a la ciudad de Madrid",
    "she said that the meeting would take place on Monday",
    "dijo que la reunión sería el lunes en la ciudad",
] * 5
SMALL = {
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 128,
}


def pieces(size: int = 80) -> bytes:
    """A SentencePiece model."""
    import io

    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT),
        model_writer=out,
        vocab_size=size,
        model_type="unigram",
        hard_vocab_limit=False,
        minloglevel=2,
        num_threads=1,
    )
    return out.getvalue()


def vocabulary(proto: bytes, first: list[str]) -> dict[str, int]:
    """Special tokens, then the pieces."""
    model = sentencepiece.SentencePieceProcessor(model_proto=proto)
    names = [model.id_to_piece(n) for n in range(model.get_piece_size())]
    return {name: n for n, name in enumerate(dict.fromkeys([*first, *names]))}


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def save(folder: Path, kind: str) -> Path:
    """A checkpoint of ``nllb``, ``m2m`` or ``marian``."""
    folder.mkdir(parents=True)
    proto = pieces()
    torch.manual_seed(0)
    if kind == "marian":
        for name in ("source.spm", "target.spm"):
            (folder / name).write_bytes(proto)
        names = vocabulary(proto, ["</s>", "<unk>"])
        names = {k: n for n, k in enumerate(k for k in names if k != "<s>")}
        names["<pad>"] = len(names)
        _write(folder / "vocab.json", names)
        about = {"tokenizer_class": "MarianTokenizer", "source_lang": "en", "target_lang": "es"}
        _write(folder / "tokenizer_config.json", about)
        pad = names["<pad>"]
        config = MarianConfig(
            vocab_size=len(names),
            pad_token_id=pad,
            eos_token_id=0,
            decoder_start_token_id=pad,
            **SMALL,
        )
        MarianMTModel(config).save_pretrained(folder)
        return folder
    if kind == "m2m":
        (folder / "sentencepiece.bpe.model").write_bytes(proto)
        names = vocabulary(proto, ["<s>", "<pad>", "</s>", "<unk>"])
        _write(folder / "vocab.json", names)
        _write(folder / "tokenizer_config.json", {"tokenizer_class": "M2M100Tokenizer"})
        _write(folder / "config.json", {"model_type": "m2m_100"})
        tokenizer = AutoTokenizer.from_pretrained(folder)
        size = max(tokenizer.lang_token_to_id.values()) + 1 + tokenizer.num_madeup_words
    else:
        letters = sorted(set("".join(TEXT)) - {" "})
        names = ["<s>", "<pad>", "</s>", "<unk>", "▁", *letters, "▁t", "▁th", "▁the"]
        merges = [("▁", "t"), ("▁t", "h"), ("▁th", "e")]
        tokenizer = NllbTokenizer(vocab={x: n for n, x in enumerate(names)}, merges=merges)
        tokenizer.save_pretrained(folder)
        size = max(tokenizer.get_vocab().values()) + 1
    config = M2M100Config(vocab_size=size, **SMALL)
    M2M100ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def save_encoder(folder, kind):
    """A checkpoint of ``nllb`` or ``m2m`` with large weights, so that all states differ."""
    save(folder, kind)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder)
    torch.manual_seed(3)
    with torch.no_grad():
        for values in model.parameters():
            values.copy_(torch.randn_like(values) * 0.4)
    model.save_pretrained(folder)
    if kind == "m2m":  # as the published ones have it; transformers 5 writes it elsewhere
        named = {"additional_special_tokens": list(tokenizer.lang_token_to_id)}
        (folder / "special_tokens_map.json").write_text(json.dumps(named))
    return folder
