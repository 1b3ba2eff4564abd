"""Contenders for the speed of aligning: ours and the ``simalign`` package; and the floor.

The embedded encoder is exported as a torch checkpoint, so all run the same weights.
``simalign`` computes all of its layers, whichever one it takes the states of.
"""

from __future__ import annotations

import logging
import time

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.real_data import europarl
from spanbridge.alignment.encoder_aligner import EncoderAligner
from spanbridge.core.errors import RowError
from spanbridge.encode.export import export_embedded
from spanbridge.encode.load import EMBEDDED

LAYER = 7
# The lowest whose default projection F1 stays within .002 of layer 7 in float32 (docs/align.md).
FAST_LAYER = 5
HIDDEN, INNER = 384, 1536
PRODUCT = 2048  # rows and columns of the matrices whose product shows the processor's peak


def quiet():
    """Keep the lines of the table together: no messages, no progress bars."""
    from transformers.utils import logging as transformers_logging

    logging.disable(logging.INFO)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()


def simalign(threads: int):
    """The package, finding links."""
    import torch
    from simalign import SentenceAligner

    quiet()
    torch.set_num_threads(threads)
    folder = str(export_embedded())
    aligner = SentenceAligner(model=folder, token_type="bpe", matching_methods="a", layer=LAYER)

    def links(pairs):
        sides = ((list(pair.source.words), list(pair.target.words)) for pair in pairs)
        return [set(aligner.get_word_aligns(*both)["inter"]) for both in sides]

    return warm(links)


def spanbridge(threads: int, compute_type: str, layer: int = LAYER):
    """Ours, finding links, with the encoder that the others have."""
    aligner = EncoderAligner(
        EMBEDDED, "argmax", layer=layer, compute_type=compute_type, threads=threads
    )
    return warm(
        lambda pairs: [
            set() if isinstance(found, RowError) else set(found.pairs)
            for found in aligner.align(pairs)
        ]
    )


def soft(threads: int):
    """Ours, aligning softly as by default; how many, for it is too much to hand over."""
    aligner = EncoderAligner(EMBEDDED, layer=LAYER, threads=threads)
    return warm(lambda pairs: len(aligner.soft_align(pairs)))


def warm(function):
    """The function after a first call, on text of no turn."""
    function(europarl("en", "es")[-2:])
    return function


def same_links(ours, theirs):
    """Links found by both, as a share of those found by either."""
    pairs = list(zip(ours, theirs, strict=True))
    return sum(len(a & b) for a, b in pairs) / sum(len(a | b) for a, b in pairs)


def peak_rate(threads, repeat=8):
    """The speed of NumPy's product of two float32 matrices.

    Returns:
        Multiply-adds per second, the best of several; and how many cores this process was given.
    """
    rng = np.random.default_rng(0)
    a, b = (rng.random((PRODUCT, PRODUCT), np.float32) for _ in range(2))
    best = float("inf")
    began, used = time.perf_counter(), time.process_time()
    with threadpool_limits(threads):
        for _ in range(repeat):
            start = time.perf_counter()
            a @ b
            best = min(best, time.perf_counter() - start)
    cores = (time.process_time() - used) / (time.perf_counter() - began)
    return PRODUCT**3 / best, cores


def multiply_adds(lengths):
    """Multiply-adds of the encoder up to LAYER, given the subwords of each sentence."""
    linear = 4 * HIDDEN**2 + 2 * HIDDEN * INNER
    return LAYER * sum(n * (linear + 2 * n * HIDDEN) for n in lengths)
