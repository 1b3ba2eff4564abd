"""Contenders for the speed of aligning: ours and the ``simalign`` package; and the floor.

The embedded encoder's tensors are put into a torch BertModel, so all run the same checkpoint.
``simalign`` computes all of its layers, whichever one it takes the states of.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.data import europarl
from spanbridge.align.encoder import EncoderAligner
from spanbridge.encode import load_encoder
from spanbridge.encode.load import find_embedded
from spanbridge.encode.packed import read_packed

LAYER = 7
THREADS = int(os.environ.get("THREADS", "2"))  # of every contender
HIDDEN, INNER = 384, 1536
PRODUCT = 2048  # rows and columns of the matrices whose product shows the processor's peak


def save_checkpoint(folder: Path) -> None:
    """The embedded encoder as a Hugging Face checkpoint with its tokenizer."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    quiet()
    packed = read_packed(find_embedded().path)
    size = len(packed.pieces)
    model = BertModel(
        BertConfig(
            vocab_size=size,
            hidden_size=HIDDEN,
            num_hidden_layers=packed.weights.n_layers,
            num_attention_heads=packed.weights.n_heads,
            intermediate_size=INNER,
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
    tensors["embeddings.token_type_embeddings.weight"] = torch.zeros(1, HIDDEN)
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


def quiet():
    """Nothing between the lines of the table."""
    from transformers.utils import logging as transformers_logging

    logging.disable(logging.INFO)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()


def simalign(folder):
    """The package, finding links."""
    import torch
    from simalign import SentenceAligner

    quiet()
    torch.set_num_threads(THREADS)
    aligner = SentenceAligner(model=folder, token_type="bpe", matching_methods="a", layer=LAYER)

    def links(pairs):
        sides = ((list(pair.source.words), list(pair.target.words)) for pair in pairs)
        return [set(aligner.get_word_aligns(*both)["inter"]) for both in sides]

    return warm(links)


def spanbridge(compute_type):
    """Ours, finding links."""
    encoder = load_encoder(layer=LAYER, compute_type=compute_type, threads=THREADS)
    aligner = EncoderAligner(encoder, "argmax")
    return warm(lambda pairs: [set(found.pairs) for found in aligner.align(pairs)])


def evidence():
    """Ours, finding evidence as by default; how many, for it is too much to hand over."""
    aligner = EncoderAligner(load_encoder(layer=LAYER, threads=THREADS))
    return warm(lambda pairs: len(aligner.evidence(pairs)))


def warm(function):
    """The function after a first call, on text of no turn."""
    function(europarl("es", "es")[-2:])
    return function


def same_links(ours, theirs):
    """Links found by both, as a share of those found by either."""
    pairs = list(zip(ours, theirs, strict=True))
    return sum(len(a & b) for a, b in pairs) / sum(len(a | b) for a, b in pairs)


def peak_rate(repeat=8):
    """Of NumPy's product of two float32 matrices.

    Returns:
        Multiply-adds a second, the best of several; and how many cores this process was given.
    """
    rng = np.random.default_rng(0)
    a, b = (rng.random((PRODUCT, PRODUCT), np.float32) for _ in range(2))
    best = float("inf")
    began, used = time.perf_counter(), time.process_time()
    with threadpool_limits(THREADS):
        for _ in range(repeat):
            start = time.perf_counter()
            a @ b
            best = min(best, time.perf_counter() - start)
    cores = (time.process_time() - used) / (time.perf_counter() - began)
    return PRODUCT**3 / best, cores


def multiply_adds(lengths):
    """Of the encoder up to LAYER, for sentences of so many subwords, special ones included."""
    linear = 4 * HIDDEN**2 + 2 * HIDDEN * INNER
    return LAYER * sum(n * (linear + 2 * n * HIDDEN) for n in lengths)
