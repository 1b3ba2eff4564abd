"""How families of checkpoints name their sizes and tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """A family of checkpoints whose encoder can be read.

    Attributes:
        layers, heads, size, activation: keys of ``config.json``.
        parts: the linear maps and norms of layer ``{}``, by our names.
        pre_norm: True if a norm stands before each sublayer instead of after it; then there is one
            at the end of the encoder, too, and positions are sines and cosines.
    """

    layers: str
    heads: str
    size: str
    activation: str
    parts: Mapping[str, str]
    pre_norm: bool = False


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
_BERT = Architecture("num_hidden_layers", "num_attention_heads", "hidden_size", "hidden_act", BERT)
_DISTILBERT = Architecture(
    "n_layers",
    "n_heads",
    "dim",
    "activation",
    {
        "query": "transformer.layer.{}.attention.q_lin",
        "key": "transformer.layer.{}.attention.k_lin",
        "value": "transformer.layer.{}.attention.v_lin",
        "attention": "transformer.layer.{}.attention.out_lin",
        "attention_norm": "transformer.layer.{}.sa_layer_norm",
        "intermediate": "transformer.layer.{}.ffn.lin1",
        "output": "transformer.layer.{}.ffn.lin2",
        "output_norm": "transformer.layer.{}.output_layer_norm",
    },
)
_M2M_100 = Architecture(
    "encoder_layers",
    "encoder_attention_heads",
    "d_model",
    "activation_function",
    {
        "query": "encoder.layers.{}.self_attn.q_proj",
        "key": "encoder.layers.{}.self_attn.k_proj",
        "value": "encoder.layers.{}.self_attn.v_proj",
        "attention": "encoder.layers.{}.self_attn.out_proj",
        "attention_norm": "encoder.layers.{}.self_attn_layer_norm",
        "intermediate": "encoder.layers.{}.fc1",
        "output": "encoder.layers.{}.fc2",
        "output_norm": "encoder.layers.{}.final_layer_norm",
    },
    pre_norm=True,
)
# By the ``model_type`` of ``config.json``; M2M-100's is NLLB-200's, too.
ARCHITECTURES = {
    "bert": _BERT,
    "roberta": _BERT,
    "xlm-roberta": _BERT,
    "camembert": _BERT,
    "distilbert": _DISTILBERT,
    "m2m_100": _M2M_100,
}
