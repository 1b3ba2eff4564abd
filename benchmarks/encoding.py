"""Speed of aligning: ours against the ``simalign`` package, same weights, layer and threads.

The embedded encoder's tensors are put into a torch BertModel, so both run the same checkpoint.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.data import europarl
from spanbridge.align.encoder import EncoderAligner
from spanbridge.encode import load_encoder
from spanbridge.encode.load import find_embedded
from spanbridge.encode.packed import read_packed

LAYER = 7
N_PAIRS = 100
THREADS = 2


def save_checkpoint(folder: Path) -> None:
    """The embedded encoder as a Hugging Face checkpoint with its tokenizer."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    packed = read_packed(find_embedded().path)
    size = len(packed.pieces)
    model = BertModel(
        BertConfig(
            vocab_size=size,
            hidden_size=384,
            num_hidden_layers=packed.weights.n_layers,
            num_attention_heads=packed.weights.n_heads,
            intermediate_size=1536,
            max_position_embeddings=packed.max_positions,
            type_vocab_size=1,
        ),
        add_pooling_layer=False,
    )
    names = {
        "attention.self.query": "query",
        "attention.self.key": "key",
        "attention.self.value": "value",
        "attention.output.dense": "attention",
        "attention.output.LayerNorm": "attention_norm",
        "intermediate.dense": "intermediate",
        "output.dense": "output",
        "output.LayerNorm": "output_norm",
    }
    state = {
        "embeddings.word_embeddings.weight": "embeddings",
        "embeddings.position_embeddings.weight": "positions",
        "embeddings.LayerNorm.weight": "embeddings_norm.weight",
        "embeddings.LayerNorm.bias": "embeddings_norm.bias",
    } | {
        f"encoder.layer.{n}.{theirs}.{kind}": f"{n}.{ours}.{kind}"
        for n in range(packed.weights.n_layers)
        for theirs, ours in names.items()
        for kind in ("weight", "bias")
    }
    tensors = {name: torch.tensor(packed.weights.tensor(ours)) for name, ours in state.items()}
    tensors["embeddings.token_type_embeddings.weight"] = torch.zeros(1, 384)
    model.load_state_dict(tensors, strict=False)
    model.save_pretrained(folder)
    vocabulary = list(zip(packed.pieces, packed.scores.tolist(), strict=True))
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=packed.unk))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", packed.bos), ("</s>", packed.eos)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=packed.max_positions,
    ).save_pretrained(folder)


def main() -> None:
    import torch
    from simalign import SentenceAligner

    torch.set_num_threads(THREADS)
    pairs = europarl("en", "de")[:N_PAIRS]
    with tempfile.TemporaryDirectory() as folder:
        save_checkpoint(Path(folder))
        theirs = SentenceAligner(model=folder, token_type="bpe", matching_methods="a", layer=LAYER)
        start = time.perf_counter()
        expected = [
            theirs.get_word_aligns(list(p.source.words), list(p.target.words))["inter"]
            for p in pairs
        ]
        base = time.perf_counter() - start
    print(f"{N_PAIRS} pairs en-de, layer {LAYER}, {THREADS} threads; same = share of equal links")
    print(f"{'simalign, torch float32':<28}{N_PAIRS / base:>8.1f} pairs/s{1.0:>8.1f}x")
    for kind in ("float32", "int8"):
        encoder = load_encoder(compute_type=kind, threads=THREADS)
        aligner = EncoderAligner(encoder, "argmax")
        start = time.perf_counter()
        links = aligner.align(pairs)
        seconds = time.perf_counter() - start
        ours = {(n, *link) for n, row in enumerate(links) for link in row.pairs}
        wanted = {(n, *link) for n, row in enumerate(expected) for link in row}
        same = len(ours & wanted) / len(ours | wanted)
        print(
            f"{'spanbridge ' + kind:<28}{N_PAIRS / seconds:>8.1f} pairs/s{base / seconds:>8.1f}x"
            f"   same {same:.4f}"
        )
