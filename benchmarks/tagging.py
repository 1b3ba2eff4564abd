"""Speed of one tagger's checkpoint through transformers and through CTranslate2, on one core.

Prints: sentences per second, how many times as fast ours is as transformers on batches of like
    length and as transformers' own pipeline, and on how many sentences the spans are those of
    transformers in float32. Contenders take turns; ratios are medians of the turns.
Takes: about five minutes. Needs the tagger of `make tagger`, or another.
Data: English news dev (CoNLL-2003 style).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from benchmarks.real_data import news
from spanbridge.tagging.checkpoint_tagger import CheckpointTagger
from spanbridge.tagging.transformers_tagger import TransformersTagger

TURNS = 5
N_TURN = 200  # sentences
RECHECKS = (0.0, 0.5, 1.0, 2.0)
Words = Sequence[str]
Way = Callable[[Sequence[Words]], Any]


def pipeline(folder: str) -> Way:
    """Transformers' own, as its documentation shows it."""
    from transformers import pipeline

    made = pipeline("token-classification", folder, aggregation_strategy="first", device="cpu")
    return lambda sentences: made([" ".join(words) for words in sentences])


def main(
    tagger: str = "en-tagger",
    rows: int | None = None,
    turns: int = TURNS,
    per_turn: int = N_TURN,
) -> None:
    """Print the table."""
    import torch

    torch.set_num_threads(1)
    exact = TransformersTagger(tagger, device="cpu")
    ours = {
        f"int8, recheck {value:g}": CheckpointTagger(tagger, threads=1, recheck=value)
        for value in RECHECKS
    }
    ours["float32"] = CheckpointTagger(tagger, compute_type="float32", threads=1)
    ways: dict[str, Way] = {
        "transformers' pipeline": pipeline(tagger),
        "transformers, like lengths": exact.tag,
        **{name: made.tag for name, made in ours.items()},
    }
    sentences = [sentence.words for sentence in news("en", "dev")][:rows]
    for way in ways.values():
        way(sentences[-50:])
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns):
        slice_ = sentences[turn * per_turn : (turn + 1) * per_turn]
        for name, way in ways.items():
            start = time.perf_counter()
            way(slice_)
            seconds[name].append(time.perf_counter() - start)
    truth = [[span[:3] for span in t.spans] for t in exact.tag(sentences)]
    head = ("sentences/s", "x like lengths", "x pipeline", "same %", "rechecked %")
    print(f"{'':28}" + "".join(f"{name:>15}" for name in head))
    rivals = ("transformers, like lengths", "transformers' pipeline")
    for name, took in seconds.items():
        line = f"{name:<28}{turns * per_turn / sum(took):>15.1f}"
        for rival in rivals:
            line += f"{median(r / t for r, t in zip(seconds[rival], took, strict=True)):>15.2f}"
        if name in ours:
            before = ours[name].n_rechecked
            found = [[span[:3] for span in t.spans] for t in ours[name].tag(sentences)]
            same = sum(a == b for a, b in zip(found, truth, strict=True)) / len(truth)
            again = (ours[name].n_rechecked - before) / len(truth)
            line += f"{100 * same:>15.2f}{100 * again:>15.1f}"
        print(line, flush=True)
