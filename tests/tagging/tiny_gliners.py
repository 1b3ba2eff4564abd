"""Tiny checkpoints of GLiNER and GLiNER2, with random weights."""

import tiny_checkpoints
import torch

MAX_WORDS = 6


def _large(model, seed):
    torch.manual_seed(seed)
    with torch.no_grad():
        for values in model.parameters():
            values.copy_(torch.randn_like(values) * (0.3 if values.ndim > 1 else 0.1))


def save(folder, kind):
    """``gliner`` scores spans, ``gliner-token`` words; ``gliner2`` is the newer package's."""
    tokenizer = tiny_checkpoints.word_piece()
    sizes = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 400,
    }
    if kind == "gliner2":
        from gliner2 import ExtractorConfig, SpanExtractor
        from transformers import BertConfig

        config = ExtractorConfig(model_name="tiny", max_width=4, architecture="span")
        model = SpanExtractor(config, encoder_config=BertConfig(**sizes), tokenizer=tokenizer)
        _large(model, seed=6)
        model.save_pretrained(folder)
        return folder
    from gliner.model import UniEncoderSpanGLiNER, UniEncoderTokenGLiNER

    of_words = kind == "gliner-token"
    backbone = folder.with_name(f"{folder.name}-backbone")
    tokenizer.save_pretrained(backbone)
    model = (UniEncoderTokenGLiNER if of_words else UniEncoderSpanGLiNER).load_from_config(
        {
            "model_name": str(backbone),
            "max_width": 4,
            "hidden_size": 16,
            "dropout": 0.0,
            "max_len": MAX_WORDS,
            "encoder_config": {"model_type": "bert", **sizes},
            "span_mode": "token_level" if of_words else "markerV0",
        },
        backbone_from_pretrained=False,
    )
    _large(model.model, seed=7 if of_words else 6)
    model.save_pretrained(folder, safe_serialization=True)
    for path in backbone.iterdir():
        path.unlink()
    return folder
