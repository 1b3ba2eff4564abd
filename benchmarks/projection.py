"""Plain implementations of the paper's projection, with links given, to compare ours with.

They do what arXiv 2501.18750 describes. Section 3.3: every n-gram of the target is a candidate; a
score for each entity and candidate from the links between them, in a dense matrix; for each
candidate the ones it overlaps; repeated argmax over what is still allowed. It is written in plain
Python but for the overlaps, which NumPy compares at once. That makes it quicker than the code
published with the paper (github.com/Cross-Lingual-NER/Projection-Data-Transfer-Cross-Lingual-NER;
GPL, no part of this project): on the same sentences, that took six times as long for candidates of
up to 10 words, and near a hundred times as long for any length. Section 3.2: the heuristic, which
marks linked words one by one.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spanbridge import SentencePair
from spanbridge.core.rows import Side
from spanbridge.formats import open_writer
from spanbridge.run.config import make_pipeline
from spanbridge.run.stream import run

N_SLICE = 150  # sentences with entities


def ngrams(n_words: int, max_words: int | None = None) -> list[tuple[int, int]]:
    """All candidates: [start, end) by start, then end."""
    longest = max_words or n_words
    return [(a, b) for a in range(n_words) for b in range(a + 1, min(a + longest, n_words) + 1)]


def score_matrix(entities, links, candidates):
    """Entities x candidates, each from the links between the two."""
    scores = np.zeros((len(entities), len(candidates)))
    for e, span in enumerate(entities):
        inside = [j for i, j in links if span.start <= i < span.end]
        for c, (a, b) in enumerate(candidates):
            n_links = sum(a <= j < b for j in inside)
            scores[e, c] = 2 * n_links / (span.end - span.start + b - a)
    return scores


def overlaps(candidates):
    """Candidates x candidates: whether they share a word."""
    starts, ends = np.array(candidates).T
    return (starts[:, None] < ends) & (starts < ends[:, None])


def plain(entities, links, n_target, max_words=None):
    """The paper's greedy matching over all n-grams; [(start, end, label)] in order."""
    candidates = ngrams(n_target, max_words)
    if not candidates or not entities:
        return []
    scores = score_matrix(entities, links, candidates)
    overlap = overlaps(candidates)
    chosen = []
    while scores.max() > 0:
        e, c = np.unravel_index(scores.argmax(), scores.shape)
        chosen.append((*candidates[c], entities[e].label))
        scores[e] = 0
        scores[:, overlap[c]] = 0
    return sorted(chosen)


def runs(marks):
    """[start, end) of each run of marked words."""
    ends = [j for j in range(1, len(marks) + 1) if marks[j - 1] and not any(marks[j : j + 1])]
    starts = [j for j in range(len(marks)) if marks[j] and not (j and marks[j - 1])]
    return list(zip(starts, ends, strict=True))


def plain_heuristic(entities, links, n_target):
    """The longest run of linked words, gaps of one word filled, if long enough and still free."""
    taken = [False] * n_target
    chosen = []
    for span in sorted(entities, key=lambda span: span.end - span.start):
        linked = [j for i, j in links if span.start <= i < span.end]
        marks = [t in linked for t in range(n_target)]
        gaps = [t for t in range(1, n_target - 1) if marks[t - 1] and marks[t + 1]]
        for t in gaps:
            marks[t] = True
        kept = [(a, b) for a, b in runs(marks) if (b - a) / (span.end - span.start) > 0.8]
        if not kept:
            continue
        start, end = max(kept, key=lambda run: run[1] - run[0])
        if not any(taken[start:end]):
            taken[start:end] = [True] * (end - start)
            chosen.append((start, end, span.label))
    return sorted(chosen)


def clock(function, repeat=3):
    """Best time, and the result."""
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        result = function()
        best = min(best, time.perf_counter() - start)
    return best, result


def traced(function):
    """Peak of Python's and NumPy's memory in MB."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def write_bitext(folder: Path, rows: Callable[[], Iterable[SentencePair]]) -> None:
    """Source with labels, target text and links of a bitext that is made anew for each."""
    for name in ("s.conll", "t.txt", "l.pharaoh"):
        side: Side = "source" if name == "s.conll" else "target"
        with open_writer(folder / name, side, default="text") as write:
            for row in rows():
                write(row)


def files_to_files(folder: Path, step: Mapping[str, Any], linked: bool) -> Callable[[], object]:
    """The command `spanbridge project` on what was written there."""
    names = ("source", "s.conll"), ("target", "t.txt"), ("links", "l.pharaoh")
    settings = {
        "input": {role: str(folder / name) for role, name in names[: 3 if linked else 2]},
        "output": str(folder / f"out{'.conll' if linked else '.jsonl'}"),
        "steps": [{"project": step}],
    }
    return lambda: run(make_pipeline(settings).job())[0].account.to_dict()
