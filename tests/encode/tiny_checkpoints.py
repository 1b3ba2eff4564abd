"""Tiny checkpoints, random but seeded, and what transformers itself makes of them."""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertForTokenClassification,
    BertModel,
    CamembertConfig,
    CamembertModel,
    DistilBertConfig,
    DistilBertForTokenClassification,
    DistilBertModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaForTokenClassification,
    XLMRobertaModel,
)

SENTENCES = [
    "The quick brown fox jumps over the lazy dog in Berlin .",
    "Angela Merkel besucht heute die Universität München , sagte sie am Montag .",
    "Быстрая лиса прыгает через ленивую собаку .",
    "الثعلب السريع يقفز فوق الكلب في القاهرة",
    "आज दिल्ली में बारिश हुई",
    "北京 大学 今天 开学 了",
    "โรงเรียน ไทย เปิด วันนี้",
]
POSITIONS = 120


WORDS = sorted({word for sentence in SENTENCES for word in sentence.split()})
CHARACTERS = sorted(set("".join(WORDS)))


# The vocabularies are made by hand, for training one breaks ties differently from run to run.
def word_piece() -> PreTrainedTokenizerFast:
    """As BERT's: WordPiece, every Chinese character a word."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    starts = sorted({word[:3] for word in WORDS})
    ends = sorted({f"##{word[3:6]}" for word in WORDS if len(word) > 3})
    pieces = dict.fromkeys(
        [*specials, *CHARACTERS, *(f"##{c}" for c in CHARACTERS), *starts, *ends]
    )
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    fast = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    fast.normalizer = normalizers.BertNormalizer(lowercase=False)
    fast.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return _finished(fast, ("[CLS]", 2), ("[SEP]", 3), pad="[PAD]", unk="[UNK]")


def byte_level() -> PreTrainedTokenizerFast:
    """As RoBERTa's: BPE over bytes, a word's first piece carrying the space before it."""
    fast = Tokenizer(models.BPE())
    fast.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    merges = []
    for text, _ in fast.pre_tokenizer.pre_tokenize_str(" ".join(WORDS)):
        merges += [(text[:n], text[n]) for n in range(1, min(4, len(text)))]
    merges = list(dict.fromkeys(merges))
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = dict.fromkeys([*specials, *alphabet, *(a + b for a, b in merges)])
    fast.model = models.BPE({piece: i for i, piece in enumerate(pieces)}, merges)
    return _finished(fast, ("<s>", 0), ("</s>", 2), pad="<pad>", unk="<unk>")


def unigram() -> PreTrainedTokenizerFast:
    """As XLM-R's: a unigram model after NFKC, a word's first piece carrying the mark U+2581."""
    scores = {"<s>": 0.0, "<pad>": 0.0, "</s>": 0.0, "<unk>": 0.0, "\u2581": -5.0}
    scores |= dict.fromkeys(CHARACTERS, -9.0)
    scores |= dict.fromkeys(sorted({f"\u2581{word[:3]}" for word in WORDS}), -7.0)
    scores |= dict.fromkeys(sorted({word[3:6] for word in WORDS if len(word) > 4}), -8.0)
    fast = Tokenizer(models.Unigram(list(scores.items()), unk_id=3))
    fast.normalizer = normalizers.NFKC()
    fast.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    return _finished(fast, ("<s>", 0), ("</s>", 2), pad="<pad>", unk="<unk>")


def _finished(
    fast: Tokenizer, start: tuple[str, int], end: tuple[str, int], pad: str, unk: str
) -> PreTrainedTokenizerFast:
    fast.post_processor = processors.TemplateProcessing(
        f"{start[0]} $A {end[0]}", special_tokens=[start, end]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=fast, pad_token=pad, unk_token=unk, cls_token=start[0], sep_token=end[0]
    )


_KINDS = {
    "bert": (BertModel, BertConfig, word_piece),
    "bert-tagger": (BertForTokenClassification, BertConfig, word_piece),
    "roberta": (RobertaModel, RobertaConfig, byte_level),
    "xlm-roberta": (XLMRobertaModel, XLMRobertaConfig, unigram),
    "xlm-roberta-tagger": (XLMRobertaForTokenClassification, XLMRobertaConfig, unigram),
    "camembert": (CamembertModel, CamembertConfig, unigram),
    "distilbert": (DistilBertModel, DistilBertConfig, word_piece),
    "distilbert-tagger": (DistilBertForTokenClassification, DistilBertConfig, word_piece),
}
KINDS = tuple(_KINDS)


def save(folder: Path, kind: str, shard_size: str = "1GB", **config: object) -> Path:
    """A checkpoint of three layers, 32 wide; large weights, so that all states differ."""
    model_class, config_class, make_tokenizer = _KINDS[kind]
    tokenizer = make_tokenizer()
    if kind.startswith("distilbert"):
        sizes = {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 64}
    else:
        sizes = {
            "hidden_size": 32,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "intermediate_size": 64,
        }
    torch.manual_seed(5)
    model = model_class(
        config_class(
            vocab_size=len(tokenizer),
            max_position_embeddings=POSITIONS,
            initializer_range=0.3,
            **{**sizes, **config},
        )
    )
    with torch.no_grad():  # biases and norms start as zeros and ones, which would hide a mix-up
        for name, values in model.named_parameters():
            if values.ndim == 1:
                values.add_(torch.randn_like(values) * (0.2 if "bias" in name else 0.1))
    model.save_pretrained(folder, max_shard_size=shard_size)
    tokenizer.save_pretrained(folder)
    return folder


@cache
def _reference(folder: Path) -> tuple[torch.nn.Module, PreTrainedTokenizerFast]:
    # a checkpoint kept in half precision is computed in float32 here too
    model = AutoModel.from_pretrained(folder, dtype=torch.float32)
    return model.eval(), AutoTokenizer.from_pretrained(folder)


def hidden_states(folder: Path, words: list[str], layer: int) -> tuple[np.ndarray, list[int]]:
    """transformers' states of a sentence's subwords, and the word of each."""
    model, tokenizer = _reference(folder)
    inputs = tokenizer(words, is_split_into_words=True, return_tensors="pt")
    with torch.no_grad():
        output = model(**inputs, output_hidden_states=True)
    return output.hidden_states[layer][0, 1:-1].numpy(), inputs.word_ids()[1:-1]
