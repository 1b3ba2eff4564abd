"""The same checkpoint through transformers and through CTranslate2, on one core.

    make tagger && python -m benchmarks tagging
    python -m benchmarks.tagging FOLDER            # another tagger

Sentences a second, how many times as fast as ours through transformers (batches of like length) and
as transformers' own pipeline, and on how many of the sentences the spans are those of transformers
in float32. Contenders take turns; ratios are medians of the turns.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from benchmarks.real_data import news
from spanbridge.tag.checkpoint_tagger import CheckpointTagger
from spanbridge.tag.transformers_tagger import TransformersTagger

TURNS = 5
N_TURN = 200  # sentences
RECHECKS = (0.0, 0.5, 1.0, 2.0)
Words = Sequence[str]


def pipeline(folder: str) -> Callable[[list[Words]], Any]:
    """Transformers' own, as its documentation shows it."""
    from transformers import pipeline

    made = pipeline("token-classification", folder, aggregation_strategy="first", device="cpu")
    return lambda sentences: made([" ".join(words) for words in sentences])


def main(folder: str = "en-tagger") -> None:
    """The table."""
    import torch

    torch.set_num_threads(1)
    exact = TransformersTagger(folder, device="cpu")
    ours = {
        f"int8, recheck {value:g}": CheckpointTagger(folder, threads=1, recheck=value)
        for value in RECHECKS
    }
    ours["float32"] = CheckpointTagger(folder, compute_type="float32", threads=1)
    ways: dict[str, Callable[[list[Words]], Any]] = {
        "transformers' pipeline": pipeline(folder),
        "transformers, like lengths": exact.tag,
        **{name: tagger.tag for name, tagger in ours.items()},
    }
    sentences = [sentence.words for sentence in news("en", "dev")]
    for way in ways.values():
        way(sentences[-50:])
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(TURNS):
        slice_ = sentences[turn * N_TURN : (turn + 1) * N_TURN]
        for name, way in ways.items():
            start = time.perf_counter()
            way(slice_)
            seconds[name].append(time.perf_counter() - start)
    truth = [[span[:3] for span in t.spans] for t in exact.tag(sentences)]
    head = ("sentences/s", "x like lengths", "x pipeline", "same %", "rechecked %")
    print(f"{'':28}" + "".join(f"{name:>15}" for name in head))
    rivals = ("transformers, like lengths", "transformers' pipeline")
    for name, took in seconds.items():
        line = f"{name:<28}{TURNS * N_TURN / sum(took):>15.1f}"
        for rival in rivals:
            line += f"{median(r / t for r, t in zip(seconds[rival], took, strict=True)):>15.2f}"
        if name in ours:
            before = ours[name].n_rechecked
            found = [[span[:3] for span in t.spans] for t in ours[name].tag(sentences)]
            same = sum(a == b for a, b in zip(found, truth, strict=True)) / len(truth)
            again = (ours[name].n_rechecked - before) / len(truth)
            line += f"{100 * same:>15.2f}{100 * again:>15.1f}"
        print(line, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:2])
